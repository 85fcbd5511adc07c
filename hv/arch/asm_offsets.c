/*
 * The numbers that assembly needs from C structures. Never linked: compiled to assembly, from which
 * tools/mkoffsets.sh makes asm_offsets.h.
 */
#include <stddef.h>
#include "core/percpu.h"
#include "emul/emul.h"
#include "arch/cpu/traps.h"
#include "arch/cpu/smp_boot.h"
#include "arch/vmx/vmcs_fields.h"

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
	VALUE(GPR_OFF_RAX, GPR_RAX * 8);
	VALUE(GPR_OFF_RCX, GPR_RCX * 8);
	VALUE(GPR_OFF_RDX, GPR_RDX * 8);
	VALUE(GPR_OFF_RBX, GPR_RBX * 8);
	VALUE(GPR_OFF_RBP, GPR_RBP * 8);
	VALUE(GPR_OFF_RSI, GPR_RSI * 8);
	VALUE(GPR_OFF_RDI, GPR_RDI * 8);
	VALUE(GPR_OFF_R8, GPR_R8 * 8);
	VALUE(GPR_OFF_R9, GPR_R9 * 8);
	VALUE(GPR_OFF_R10, GPR_R10 * 8);
	VALUE(GPR_OFF_R11, GPR_R11 * 8);
	VALUE(GPR_OFF_R12, GPR_R12 * 8);
	VALUE(GPR_OFF_R13, GPR_R13 * 8);
	VALUE(GPR_OFF_R14, GPR_R14 * 8);
	VALUE(GPR_OFF_R15, GPR_R15 * 8);
	VALUE(VMX_HOST_RSP, VMCS_HOST_RSP);
	VALUE(SMP_BOOT_SIZE, sizeof(struct smp_boot));
}
