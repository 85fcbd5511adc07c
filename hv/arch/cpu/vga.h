/* Output-only consoles: VGA text mode, and the emulators' debug port E9h. */
#ifndef ARCH_CPU_VGA_H
#define ARCH_CPU_VGA_H

#include "core/console.h"

/* NULL: not there. */
const struct console_device *vga_init(void);
const struct console_device *e9_init(void);

#endif
