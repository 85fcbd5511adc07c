/*
 * One run of the guest: translations, registers in, VMLAUNCH or VMRESUME, registers out, host events, decode. And the
 * list of what this back end does.
 */
#include <stddef.h>
#include "arch/hw.h"
#include "arch/vmx/vmx.h"
#include "arch/vmx/vmx_ops.h"
#include "arch/x86.h"
#include "arch/xstate.h"
#include "core/percpu.h"
#include "lib/atomic.h"
#include "lib/bug.h"
#include "lib/err.h"
#include "lib/util.h"

#define VPID_LAST 0xffffu
#define APIC_TPR  0x80

enum { INV_ONE = 1, INV_ALL = 2 };

/*
 * The vCPU has come to this CPU, or its translations are to go: one that was made under another VPID is never used, so a fresh
 * VPID is a flush.
 */
static COLD void vpid_new(struct vmx_vcpu *s, struct vmx_cpu *c)
{
	if (!s->host_state_set) {
		vmx_set_host_state();
		s->host_state_set = true;
	}
	s->vpid_gen = c->vpid_gen;
	if (!vmx_caps.vpid) {
		return;                         /* every entry is a flush */
	}
	if (c->next_vpid > VPID_LAST) {
		s->vpid_gen = ++c->vpid_gen;
		c->next_vpid = 1;
		BUG_ON(!vmx_invvpid(INV_ALL, 0));
	}
	s->vpid = c->next_vpid++;
	vmx_write(VMCS_VPID, s->vpid);
}

/* The nested page tables have changed, or this CPU has not been told of what changed while the vCPU ran elsewhere. */
static COLD void flush_nested(struct arch_vcpu *v, uint32_t cpu, uint64_t gen)
{
	struct vmx_vcpu *s = v->vmx;
	if (v->last_cpu != cpu) {
		s->host_state_set = false;
		s->vpid_gen = 0;
	}
	v->tlb_gen = gen;
	v->last_cpu = cpu;
	BUG_ON(!vmx_invept(vmx_caps.invept_single ? INV_ONE : INV_ALL, s->ept_pointer));
}

/* What the nested page tables said is cached by table, not by VPID. A vCPU's VPID is this CPU's. */
static void flush_prepare(struct arch_vcpu *v, const struct cpu *cpu, struct vmx_cpu *c)
{
	struct vmx_vcpu *s = v->vmx;
	uint64_t gen = load_acquire(v->p2m_gen);
	if (v->last_cpu != cpu->id || v->tlb_gen != gen) {
		flush_nested(v, cpu->id, gen);
	}
	if (s->vpid_gen != c->vpid_gen) {
		vpid_new(s, c);
	}
}

void vmx_flush(struct arch_vcpu *v)
{
	v->vmx->vpid_gen = 0;
}

void vmx_set_tsc_offset(struct arch_vcpu *v, int64_t offset)
{
	struct vmx_vcpu *before = vmx_open(v);
	v->tsc_offset = offset;
	vmx_write(VMCS_TSC_OFFSET, (uint64_t)offset);
	vmx_close(v, before);
}

int vmx_set_tsc_ratio(struct arch_vcpu *v, uint64_t ratio)
{
	if (ratio != 0 && !vmx_caps.tsc_scaling) {
		return -EOPNOTSUPP;
	}
	struct vmx_vcpu *before = vmx_open(v);
	uint32_t proc2 = (uint32_t)vmx_read(VMCS_PROC2_CONTROLS) & ~PROC2_TSC_SCALING;
	v->tsc_ratio = ratio;
	if (ratio != 0) {
		vmx_write(VMCS_TSC_MULTIPLIER, ratio);
		proc2 |= PROC2_TSC_SCALING;
	}
	vmx_write(VMCS_PROC2_CONTROLS, proc2);
	vmx_close(v, before);
	return 0;
}

/* A single-stepping guest in a shadow owes itself a trap, which an entry insists on. */
static void check_single_step(const struct arch_vcpu *v)
{
	if ((v->regs.rflags & RFLAGS_TF) &&
	    (vmx_read(VMCS_GUEST_SHADOW) & (SHADOW_STI | SHADOW_MOVSS))) {
		vmx_write(VMCS_GUEST_PENDING_DB, vmx_read(VMCS_GUEST_PENDING_DB) | PENDING_DB_BS);
	}
}

static void set_tpr_threshold(struct vmx_vcpu *s, uint8_t threshold)
{
	if (s->tpr_threshold != threshold) {
		s->tpr_threshold = threshold;
		vmx_write(VMCS_TPR_THRESHOLD, threshold);
	}
}

static void before_run(struct arch_vcpu *v, struct vmx_vcpu *s)
{
	vmx_write(VMCS_GUEST_RSP, v->regs.gpr[GPR_RSP]);
	vmx_write(VMCS_GUEST_RIP, v->regs.rip);
	vmx_write(VMCS_GUEST_RFLAGS, v->regs.rflags);
	check_single_step(v);
	if (s->event != 0) {
		vmx_write(VMCS_ENTRY_EVENT, s->event);
	}
	if (s->virtual_apic != NULL) {
		/* its low half is there only for a guest that reads it */
		if (s->virtual_apic[APIC_TPR] >> 4 != (v->cr8 & 15)) {
			s->virtual_apic[APIC_TPR] = (uint8_t)(v->cr8 << 4);
		}
		set_tpr_threshold(s, s->want_tpr ? v->cr8 : 0);
	}
	if (hw_read_cr2() != s->cr2) {
		hw_write_cr2(s->cr2);
	}
}

static void after_run(struct arch_vcpu *v, struct vmx_vcpu *s)
{
	s->cr2 = hw_read_cr2();
	s->launched = true;
	s->event = 0;
	s->last_reason = (uint32_t)vmx_read(VMCS_EXIT_REASON);
	v->regs.gpr[GPR_RSP] = vmx_read(VMCS_GUEST_RSP);
	v->regs.rip = vmx_read(VMCS_GUEST_RIP);
	v->regs.rflags = vmx_read(VMCS_GUEST_RFLAGS);
	if (s->virtual_apic != NULL) {
		v->cr8 = s->virtual_apic[APIC_TPR] >> 4;
	}
}

/* The entry instruction itself refused: the guest did not run, and nothing of it was changed. */
static COLD void entry_refused(struct vmx_vcpu *s, unsigned int how, struct vmexit *e)
{
	s->insn_error = how == 2 ? (uint32_t)vmx_read(VMCS_INSN_ERROR) : ~0u;
	s->event = 0;
	*e = (struct vmexit){ .kind = VMEXIT_ENTRY_FAILED, .raw = { ~0ull, s->insn_error, 0 },
			      .other.code = s->insn_error };
}

void vmx_enter(struct arch_vcpu *v, struct vmexit *e)
{
	const struct cpu *cpu = this_cpu();
	struct vmx_cpu *c = cpu->virt;
	struct vmx_vcpu *s = v->vmx;
	/* vmx_switch_in() loaded it, and vmx_close() puts it back after every look at another. */
	ASSERT(c->loaded == s && c->owner == v);
	flush_prepare(v, cpu, c);
	before_run(v, s);
	unsigned int rc = vmx_enter_guest(v->regs.gpr, s->launched);
	if (rc != 0) {
		entry_refused(s, rc, e);
		return;
	}
	after_run(v, s);
	vmx_decode_exit(v, s, e);
}

static void vmx_switch_in(struct arch_vcpu *v)
{
	struct vmx_cpu *c = this_cpu()->virt;
	xstate_load(v);
	hw_write_dr(0, v->guest_dr[0]);
	hw_write_dr(1, v->guest_dr[1]);
	hw_write_dr(2, v->guest_dr[2]);
	hw_write_dr(3, v->guest_dr[3]);
	hw_write_dr(6, v->vmx->dr6);
	if (v->tsc_aux_ok) {
		hw_wrmsr(MSR_TSC_AUX, v->tsc_aux);
	}
	vmx_msrs_load(v->vmx);
	c->owner = v;
	(void)vmx_open(v);
}

static void vmx_switch_out(struct arch_vcpu *v)
{
	struct vmx_cpu *c = this_cpu()->virt;
	xstate_save(v);
	v->guest_dr[0] = hw_read_dr(0);
	v->guest_dr[1] = hw_read_dr(1);
	v->guest_dr[2] = hw_read_dr(2);
	v->guest_dr[3] = hw_read_dr(3);
	v->vmx->dr6 = hw_read_dr(6);
	vmx_msrs_save(v->vmx);
	c->owner = NULL;
	vmx_close(v, NULL);
}

const struct virt_ops vmx_ops = {
	.name = "VMX",
	.hypercall_insn = "\x0f\x01\xc1",
	.p2m = &vmx_ept_format,
	.efer_bits = EFER_SCE | EFER_LME | EFER_NXE,
	.cpu_up = vmx_cpu_up,
	.vcpu_init = vmx_vcpu_init,
	.vcpu_free = vmx_vcpu_free,
	.vcpu_reset = vmx_vcpu_reset,
	.switch_in = vmx_switch_in,
	.switch_out = vmx_switch_out,
	.enter = vmx_enter,
	.get_seg = vmx_get_seg,
	.get_code = vmx_get_code,
	.set_seg = vmx_set_seg,
	.get_sys = vmx_get_sys,
	.set_sys = vmx_set_sys,
	.set_pdptes = vmx_set_pdptes,
	.cpl = vmx_cpl,
	.inject = vmx_inject,
	.can_take = vmx_can_take,
	.want_window = vmx_want_window,
	.get_shadow = vmx_get_shadow,
	.set_shadow = vmx_set_shadow,
	.msr_read = vmx_msr_read,
	.msr_write = vmx_msr_write,
	.set_apic = vmx_set_apic,
	.lend_apic = vmx_lend_apic,
	.return_apic = vmx_return_apic,
	.set_tsc_offset = vmx_set_tsc_offset,
	.set_tsc_ratio = vmx_set_tsc_ratio,
	.flush = vmx_flush,
	.dump = vmx_dump,
};
