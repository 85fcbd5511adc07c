/* What a starting processor needs, at the end of its copy of the trampoline page (boot/trampoline.S). */
#ifndef ARCH_CPU_SMP_BOOT_H
#define ARCH_CPU_SMP_BOOT_H

#include <stdbool.h>
#include <stdint.h>

struct cpu;

struct smp_boot {
	uint64_t cr3;                   /* boot tables: below 4 GiB, with the identity mapping */
	uint64_t cr3_final;
	uint64_t stack_top;
	struct cpu *cpu;
};

/* Bring up every processor of the ACPI tables, up to max (0: all). Returns how many run. */
unsigned int smp_boot_all(unsigned int max);
/* First C function of a secondary processor, on its own stack with GS set. */
_Noreturn void smp_boot_entry(struct cpu *c);
/* The processor is ready: false when the boot CPU has given up on it, and it must stop. */
bool smp_boot_report(void);
/* Up-call, defined in init.c: the start-up of a secondary processor after its tables are loaded. */
_Noreturn void hv_start_cpu(void);

#endif
