/*
 * The numbers that assembly needs from C structures. Never linked: compiled to assembly, from which
 * tools/mkoffsets.sh makes asm_offsets.h.
 */
#include <stddef.h>
#include "core/percpu.h"
#include "arch/cpu/traps.h"
#include "arch/cpu/smp_boot.h"

#define OFFSET(name, type, member) \
	__asm__ volatile("\n#->ostler " #name " %0" : : "i"(offsetof(type, member)))
#define VALUE(name, number) __asm__ volatile("\n#->ostler " #name " %0" : : "i"(number))

void asm_offsets(void);

void asm_offsets(void)
{
	OFFSET(CPU_SELF, struct cpu, self);
	OFFSET(CPU_STACK_TOP, struct cpu, stack_top);
	OFFSET(FRAME_VECTOR, struct trap_frame, vector);
	OFFSET(FRAME_RIP, struct trap_frame, rip);
	OFFSET(FRAME_CS, struct trap_frame, cs);
	OFFSET(SMP_BOOT_CR3, struct smp_boot, cr3);
	OFFSET(SMP_BOOT_CR3_FINAL, struct smp_boot, cr3_final);
	OFFSET(SMP_BOOT_STACK, struct smp_boot, stack_top);
	OFFSET(SMP_BOOT_CPU, struct smp_boot, cpu);
	VALUE(SMP_BOOT_SIZE, sizeof(struct smp_boot));
}
