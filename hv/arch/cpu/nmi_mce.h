/* NMI and machine check. */
#ifndef ARCH_CPU_NMI_MCE_H
#define ARCH_CPU_NMI_MCE_H

#include "arch/cpu/traps.h"

void nmi_handle(struct trap_frame *f);
void mce_handle(struct trap_frame *f);
/* Clear old machine check records and turn reporting on, on this CPU. */
void mce_init(void);

#endif
