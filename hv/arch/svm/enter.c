/*
 * One run of the guest: ASID, registers in, VMRUN, registers out, decode. And the list of what this back end does.
 */
#include "arch/hw.h"
#include "arch/svm/svm.h"
#include "arch/x86.h"
#include "arch/xstate.h"
#include "arch/irq.h"
#include "arch/machine.h"
#include "core/percpu.h"
#include "lib/atomic.h"
#include "lib/err.h"
#include "lib/util.h"

#define TLB_FLUSH_ALL 1

/* A translation made under another ASID is never used, so a fresh ASID is a flush of this vCPU. */
static COLD void asid_new(struct svm_vcpu *s, struct svm_cpu *c)
{
	s->vmcb->tlb_control = 0;
	if (c->next_asid > c->max_asid) {
		c->asid_gen++;
		c->next_asid = 1;
		s->vmcb->tlb_control = TLB_FLUSH_ALL;
	}
	s->asid = c->next_asid++;
	s->asid_gen = c->asid_gen;
	s->asid_cpu = c->id;
	s->vmcb->asid = s->asid;
}

static void asid_prepare(struct arch_vcpu *v, struct svm_cpu *c)
{
	struct svm_vcpu *s = v->svm;
	uint64_t gen = load_acquire(v->p2m_gen);
	if (s->asid_cpu != c->id || s->asid_gen != c->asid_gen || v->tlb_gen != gen) {
		v->tlb_gen = gen;
		asid_new(s, c);
	} else {
		s->vmcb->tlb_control = 0;
	}
}

void svm_flush(struct arch_vcpu *v)
{
	v->svm->asid_cpu = ~0u;
}

void svm_set_tsc_offset(struct arch_vcpu *v, int64_t offset)
{
	v->tsc_offset = offset;
	v->svm->vmcb->tsc_offset = (uint64_t)offset;
}

/* Once through EVENTINJ on a processor that needs an exit right after: see inject.c. */
static COLD void leave_soon(struct svm_vcpu *s)
{
	s->leave_soon = false;
	machine_send_ipi(this_cpu()->id, IRQ_VECTOR_KICK);
}

void svm_enter(struct arch_vcpu *v, struct vmexit *e)
{
	struct svm_cpu *c = this_cpu()->virt;
	struct svm_vcpu *s = v->svm;
	struct vmcb *b = s->vmcb;
	asid_prepare(v, c);
	b->rax = v->regs.gpr[GPR_RAX];
	b->rsp = v->regs.gpr[GPR_RSP];
	b->rip = v->regs.rip;
	b->rflags = v->regs.rflags;
	b->vintr = (b->vintr & ~VINTR_TPR) | v->cr8;
	if (s->leave_soon) {
		leave_soon(s);
	}
	svm_enter_guest(v->regs.gpr, s->vmcb_pa.v, c->host_pa.v);
	b->eventinj = 0;
	v->regs.gpr[GPR_RAX] = b->rax;
	v->regs.gpr[GPR_RSP] = b->rsp;
	v->regs.rip = b->rip;
	v->regs.rflags = b->rflags;
	v->cr8 = b->vintr & 15;
	svm_decode_exit(v, s, e);
	if (s->virq) {
		svm_collect_virq(s, e);
	}
}

static void svm_switch_in(struct arch_vcpu *v)
{
	xstate_load(v);
	hw_write_dr(0, v->guest_dr[0]);
	hw_write_dr(1, v->guest_dr[1]);
	hw_write_dr(2, v->guest_dr[2]);
	hw_write_dr(3, v->guest_dr[3]);
	if (v->tsc_aux_ok) {
		hw_wrmsr(MSR_TSC_AUX, v->tsc_aux);
	}
}

static void svm_switch_out(struct arch_vcpu *v)
{
	xstate_save(v);
	v->guest_dr[0] = hw_read_dr(0);
	v->guest_dr[1] = hw_read_dr(1);
	v->guest_dr[2] = hw_read_dr(2);
	v->guest_dr[3] = hw_read_dr(3);
}

const struct virt_ops svm_ops = {
	.name = "SVM",
	.hypercall_insn = "\x0f\x01\xd9",
	.p2m = &svm_npt_format,
	.efer_bits = EFER_SCE | EFER_LME | EFER_NXE | EFER_FFXSR,
	.cpu_up = svm_cpu_up,
	.vcpu_init = svm_vcpu_init,
	.vcpu_free = svm_vcpu_free,
	.vcpu_reset = svm_vcpu_reset,
	.switch_in = svm_switch_in,
	.switch_out = svm_switch_out,
	.enter = svm_enter,
	.get_seg = svm_get_seg,
	.get_code = svm_get_code,
	.set_seg = svm_set_seg,
	.get_sys = svm_get_sys,
	.set_sys = svm_set_sys,
	.cpl = svm_cpl,
	.inject = svm_inject,
	.can_take = svm_can_take,
	.want_window = svm_want_window,
	.get_shadow = svm_get_shadow,
	.set_shadow = svm_set_shadow,
	.msr_read = svm_msr_read,
	.msr_write = svm_msr_write,
	.set_tsc_offset = svm_set_tsc_offset,
	.flush = svm_flush,
	.dump = svm_dump,
};
