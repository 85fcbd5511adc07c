/*
 * What the processor can do for the guest's local APIC beyond the TPR shadow (Intel SDM volume 3, "APIC Virtualization and
 * Virtual Interrupts"), for guests in x2APIC mode. Two options, off unless the command line asks; the plain path needs none.
 *
 * "apic_registers": RDMSR without an exit, of registers that nothing but the guest's own writes changes: every write exits,
 * and hvm/ hands the values over again. The current count, the interrupt bits and the error status stay with
 * dev/vlapic.c, whose reads exit.
 *
 * "virtual_intr": virtual-interrupt delivery. Before each entry hvm/ lends what is requested and in service, after each
 * exit it takes it back; in between interrupts go in, are ended and wait for the task priority without an exit. An EOI
 * that an I/O APIC waits for ends the run. Self-IPIs exit as always.
 */
#include "arch/vmx/vmx.h"
#include "arch/vmx/vmx_ops.h"
#include "lib/mem.h"
#include "lib/util.h"

#define PROC2_ASSIST (PROC2_X2APIC | PROC2_APIC_REGISTERS | PROC2_VIRTUAL_INTR)
#define REGISTER_STEP 16                /* bytes from one to the next in the virtual-APIC page */

enum { REG_TPR = 0x08, REG_EOI = 0x0b, REG_ISR = 0x10, REG_IRR = 0x20 };

/* ID, version, logical destination, spurious vector, LVT (timer to error), initial count, divider. */
static const uint8_t visible[] = {
	0x02, 0x03, 0x0d, 0x0f, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x3e,
};

#define MAP_WRITE 0x800

static void allow(uint8_t *map, uint32_t reg)
{
	uint32_t msr = MSR_GUEST_X2APIC + reg;
	map[msr / 8] &= (uint8_t)~(1u << msr % 8);
}

void vmx_apic_map(uint8_t *msr_map)
{
	for (unsigned int i = 0; vmx_caps.apic_registers && i < ARRAY_SIZE(visible); i++) {
		allow(msr_map, visible[i]);
	}
	/* the task priority is in the page anyway */
	allow(msr_map, REG_TPR);
	if (vmx_caps.virtual_intr) {
		allow(msr_map + MAP_WRITE, REG_TPR);
		allow(msr_map + MAP_WRITE, REG_EOI);
	}
}

static void put(const struct vmx_vcpu *s, unsigned int reg, uint32_t value)
{
	memcpy(s->virtual_apic + reg * REGISTER_STEP, &value, sizeof(value));
}

static uint32_t get(const struct vmx_vcpu *s, unsigned int reg)
{
	uint32_t value;
	memcpy(&value, s->virtual_apic + reg * REGISTER_STEP, sizeof(value));
	return value;
}

static uint32_t assists(void)
{
	return PROC2_X2APIC | (vmx_caps.apic_registers ? PROC2_APIC_REGISTERS : 0) |
	       (vmx_caps.virtual_intr ? PROC2_VIRTUAL_INTR : 0);
}

void vmx_set_apic(struct arch_vcpu *v, const uint32_t *reg)
{
	struct vmx_vcpu *s = v->vmx;
	struct vmx_vcpu *before = vmx_open(v);
	uint32_t old = (uint32_t)vmx_read(VMCS_PROC2_CONTROLS);
	uint32_t proc2 = (old & ~PROC2_ASSIST) | (reg != NULL ? assists() : 0);
	for (unsigned int i = 0; reg != NULL && i < ARRAY_SIZE(visible); i++) {
		put(s, visible[i], reg[visible[i]]);
	}
	if (reg != NULL) {
		put(s, REG_TPR, reg[REG_TPR]);
	}
	if (proc2 != old) {
		vmx_write(VMCS_PROC2_CONTROLS, proc2);
		vmx_write(VMCS_MSR_BITMAP, vmx_msr_bitmap(reg != NULL).v);
	}
	v->apic_delivery = reg != NULL && vmx_caps.virtual_intr;
	vmx_close(v, before);
}

/* Eight registers of 32 bits; the highest vector of them, 0: none. */
static unsigned int put_bits(const struct vmx_vcpu *s, unsigned int reg, const uint64_t *bits)
{
	unsigned int highest = 0;
	for (unsigned int i = 0; i < 4; i++) {
		put(s, reg + 2 * i, (uint32_t)bits[i]);
		put(s, reg + 2 * i + 1, (uint32_t)(bits[i] >> 32));
		if (bits[i] != 0) {
			highest = i * 64 + 63 - (unsigned int)__builtin_clzll(bits[i]);
		}
	}
	return highest;
}

static void get_bits(const struct vmx_vcpu *s, unsigned int reg, uint64_t *bits)
{
	for (unsigned int i = 0; i < 4; i++) {
		bits[i] = get(s, reg + 2 * i) | (uint64_t)get(s, reg + 2 * i + 1) << 32;
	}
}

void vmx_lend_apic(struct arch_vcpu *v, const struct virt_apic *a)
{
	struct vmx_vcpu *s = v->vmx;
	struct vmx_vcpu *before = vmx_open(v);
	unsigned int requested = put_bits(s, REG_IRR, a->irr), in_service = put_bits(s, REG_ISR, a->isr);
	vmx_write(VMCS_GUEST_INTR_STATUS, requested | in_service << 8);
	put(s, REG_TPR, a->tpr);
	for (unsigned int i = 0; i < 4; i++) {
		if (s->eoi_exits[i] != a->eoi_exit[i]) {
			s->eoi_exits[i] = a->eoi_exit[i];
			vmx_write(VMCS_EOI_EXITS + 2 * i, a->eoi_exit[i]);
		}
	}
	/* an entry that does not come about ends nothing */
	s->last_reason = REASON_TIMER;
	vmx_close(v, before);
}

void vmx_return_apic(struct arch_vcpu *v, struct virt_apic *a)
{
	const struct vmx_vcpu *s = v->vmx;
	struct vmx_vcpu *before = vmx_open(v);
	get_bits(s, REG_IRR, a->irr);
	get_bits(s, REG_ISR, a->isr);
	a->tpr = (uint8_t)get(s, REG_TPR);
	a->ended = s->last_reason == REASON_EOI ? (int)(vmx_read(VMCS_QUALIFICATION) & 0xff) : -1;
	vmx_close(v, before);
}
