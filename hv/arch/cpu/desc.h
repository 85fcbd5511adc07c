/* Descriptor tables of each CPU: GDT, TSS with its interrupt stacks, and the one IDT. */
#ifndef ARCH_CPU_DESC_H
#define ARCH_CPU_DESC_H

struct cpu;

/* Allocate the tables of a CPU: -ENOMEM. The boot CPU's are static. */
int desc_alloc(struct cpu *c);
/* Load them on this CPU. */
void desc_load(void);
/* Reload what a guest run may have changed: the task register's busy bit and limits (VMX exits truncate them). */
void desc_restore(void);

#endif
