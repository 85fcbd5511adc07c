/*
 * What the processor can do for the guest's local APIC beyond the TPR shadow: RDMSR of x2APIC registers without an exit
 * (Intel SDM volume 3, "APIC Virtualization and Virtual Interrupts").
 *
 * Only registers that nothing but the guest's own writes changes: every write exits, and hvm/ hands the values over again.
 * The current count, the interrupt bits and the error status stay with dev/vlapic.c, whose reads exit. Off unless the
 * command line asks for it ("apic_registers"); the plain path needs none of it. Virtual-interrupt delivery is told at the
 * start when the processor has it, and never used.
 */
#include "arch/vmx/vmx.h"
#include "arch/vmx/vmx_ops.h"
#include "lib/mem.h"
#include "lib/util.h"

#define PROC2_ASSIST (PROC2_X2APIC | PROC2_APIC_REGISTERS)
#define REGISTER_STEP 16                /* bytes from one to the next in the virtual-APIC page */

/* ID, version, logical destination, spurious vector, LVT (timer to error), initial count, divider. */
static const uint8_t visible[] = {
	0x02, 0x03, 0x0d, 0x0f, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x3e,
};

void vmx_apic_reads(uint8_t *msr_map)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(visible); i++) {
		uint32_t msr = MSR_GUEST_X2APIC + visible[i];
		msr_map[msr / 8] &= (uint8_t)~(1u << msr % 8);
	}
	/* the task priority is in the page anyway */
	msr_map[(MSR_GUEST_X2APIC + 8) / 8] &= (uint8_t)~(1u << 8 % 8);
}

void vmx_set_apic(struct arch_vcpu *v, const uint32_t *reg)
{
	struct vmx_vcpu *s = v->vmx;
	struct vmx_vcpu *before = vmx_open(v);
	uint32_t old = (uint32_t)vmx_read(VMCS_PROC2_CONTROLS);
	uint32_t proc2 = reg != NULL ? old | PROC2_ASSIST : old & ~PROC2_ASSIST;
	for (unsigned int i = 0; reg != NULL && i < ARRAY_SIZE(visible); i++) {
		memcpy(s->virtual_apic + visible[i] * REGISTER_STEP, &reg[visible[i]], sizeof(*reg));
	}
	if (proc2 != old) {
		vmx_write(VMCS_PROC2_CONTROLS, proc2);
		vmx_write(VMCS_MSR_BITMAP, vmx_msr_bitmap(reg != NULL).v);
	}
	vmx_close(v, before);
}
