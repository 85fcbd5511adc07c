/*
 * What each kind of exit means: the table, and the handlers that need no file of their own.
 *
 * Every handler runs in the vCPU's own loop with interrupts on, holds no lock at its end, and returns a verdict.
 */
#include <stddef.h>
#include <stdint.h>
#include <xen/sched.h>
#include <xen/hvm/params.h>
#include "arch/hw.h"
#include "arch/x86.h"
#include "arch/xstate.h"
#include "dom/shared_info.h"
#include "hvm/hvm.h"
#include "hvm/hvm_state.h"
#include "lib/atomic.h"
#include "lib/err.h"

/* Does something wait that a vCPU takes with interrupts off, too? */
static bool unmaskable_event(const struct hvm_vcpu *h)
{
	return READ_ONCE(h->nmi_pending) || load_acquire(&h->request) != 0 || h->pending.valid;
}

static enum verdict exit_hlt(struct vcpu *v, const struct vmexit *e)
{
	if (!(v->arch.regs.rflags & RFLAGS_IF)) {
		/* An interrupt that waits is none of its business: nothing but an NMI, INIT or the end can wake it. */
		if (!unmaskable_event(v->hvm)) {
			vcpu_park(v);
		}
		hvm_look_again(v);
		return EXIT_NEXT;
	}
	v->blocked = true;
	int rc = sched_wait(hvm_wake_event(v), v->domain->dying);
	v->blocked = false;
	hvm_look_again(v);
	return rc == 0 ? EXIT_NEXT : EXIT_RESUME;
}

static enum verdict exit_xsetbv(struct vcpu *v, const struct vmexit *e)
{
	const uint64_t *g = v->arch.regs.gpr;
	uint64_t value = (uint32_t)g[GPR_RAX] | g[GPR_RDX] << 32;
	if (virt->cpl(&v->arch) != 0 || (uint32_t)g[GPR_RCX] != 0 || (value & ~hvm_xcr0_allowed(v->domain)) != 0 ||
	    xstate_set_xcr0(&v->arch, value) != 0) {
		return hvm_fault_gp(v);
	}
	return EXIT_NEXT;
}

static enum verdict exit_cache(struct vcpu *v, const struct vmexit *e)
{
	/* Guests have no device whose DMA bypasses the caches; Dom0 does. */
	if (v->domain->flags & DOMF_PRIVILEGED) {
		hw_wbinvd();
	}
	return EXIT_NEXT;
}

static enum verdict exit_exception(struct vcpu *v, const struct vmexit *e)
{
	if (e->exception.vector == EXC_MC) {
		return EXIT_RESUME;
	}
	hvm_raise(v, e->exception.vector, e->exception.has_error, e->exception.error, e->exception.cr2);
	return EXIT_FAULT;
}

static enum verdict exit_nothing(struct vcpu *v, const struct vmexit *e)
{
	return EXIT_RESUME;
}

static enum verdict exit_intr_window(struct vcpu *v, const struct vmexit *e)
{
	v->hvm->window_intr = false;
	virt->want_window(&v->arch, WINDOW_INTR, false);
	hvm_look_again(v);
	return EXIT_RESUME;
}

static enum verdict exit_nmi_window(struct vcpu *v, const struct vmexit *e)
{
	hvm_look_again(v);
	return EXIT_RESUME;
}

/*
 * The guest waits for another of its vCPUs. That may be waiting for this very CPU; when nobody does, the processor's own PAUSE
 * gives the other thread of its core (or the emulator's next CPU) the turn.
 */
static enum verdict exit_pause(struct vcpu *v, const struct vmexit *e)
{
	sched_yield();
	hw_pause();
	return EXIT_NEXT;
}

static enum verdict exit_undefined(struct vcpu *v, const struct vmexit *e)
{
	return hvm_fault_ud(v);
}

static enum verdict exit_rdpmc(struct vcpu *v, const struct vmexit *e)
{
	return hvm_fault_gp(v);
}

void hvm_triple_fault(struct vcpu *v)
{
	uint64_t reason = v->domain->hvm_param[HVM_PARAM_TRIPLE_FAULT_REASON];
	if (v->domain->flags & DOMF_PRIVILEGED) {
		guest_crash(v->domain, "vCPU %u: triple fault", v->id);
		return;
	}
	guest_log(v->domain, "vCPU %u: triple fault at %#lx, shutdown reason %u", v->id,
		  (unsigned long)v->arch.regs.rip, (unsigned int)reason);
	virt->dump(&v->arch);
	domain_shutdown(v->domain, (uint8_t)reason);
}

static enum verdict exit_shutdown(struct vcpu *v, const struct vmexit *e)
{
	hvm_triple_fault(v);
	return EXIT_CRASH;
}

static enum verdict exit_failed(struct vcpu *v, const struct vmexit *e)
{
	virt->dump(&v->arch);
	guest_crash(v->domain, "vCPU %u: the processor refused the guest's state", v->id);
	return EXIT_CRASH;
}

/* A trap like INT3's: the handler finds the next instruction. A step that was asked for is over with it. */
static enum verdict exit_icebp(struct vcpu *v, const struct vmexit *e)
{
	hvm_raise(v, EXC_DB, false, 0, 0);
	return EXIT_NEXT;
}

/* The emulator finds the reserved bits and raises #GP. */
static enum verdict exit_cr_refused(struct vcpu *v, const struct vmexit *e)
{
	static const uint8_t mov_to_cr[] = { 0x0f, 0x22 };
	struct virt_code code;
	uint8_t bytes[15];
	virt->get_code(&v->arch, &code);
	uint64_t linear = code.long64 ? v->arch.regs.rip : (uint32_t)(code.cs_base + v->arch.regs.rip);
	unsigned int got = hvm_fetch(v, linear, bytes, sizeof(bytes));
	return emul_match_length(bytes, got, mov_to_cr, sizeof(mov_to_cr), code.long64) != 0 ? hvm_emulate(v)
											     : exit_failed(v, e);
}

static enum verdict exit_other(struct vcpu *v, const struct vmexit *e)
{
	virt->dump(&v->arch);
	guest_crash(v->domain, "vCPU %u: unexpected exit %#lx", v->id, (unsigned long)e->other.code);
	return EXIT_CRASH;
}

static const exit_fn handlers[VMEXIT_KINDS] = {
	[VMEXIT_NONE] = exit_nothing,
	[VMEXIT_PIO] = exit_pio,
	[VMEXIT_NPF] = exit_npf,
	[VMEXIT_CPUID] = exit_cpuid,
	[VMEXIT_MSR] = exit_msr,
	[VMEXIT_CR] = exit_cr,
	[VMEXIT_DR] = exit_dr,
	[VMEXIT_HLT] = exit_hlt,
	[VMEXIT_PAUSE] = exit_pause,
	[VMEXIT_HYPERCALL] = exit_hypercall,
	[VMEXIT_EXCEPTION] = exit_exception,
	[VMEXIT_INTR_WINDOW] = exit_intr_window,
	[VMEXIT_NMI_WINDOW] = exit_nmi_window,
	[VMEXIT_TASK_SWITCH] = exit_task,
	[VMEXIT_INVLPG] = exit_other,
	[VMEXIT_WBINVD] = exit_cache,
	[VMEXIT_XSETBV] = exit_xsetbv,
	[VMEXIT_RDTSC] = exit_other,
	[VMEXIT_RDPMC] = exit_rdpmc,
	[VMEXIT_UNDEFINED] = exit_undefined,
	[VMEXIT_SHUTDOWN] = exit_shutdown,
	[VMEXIT_ICEBP] = exit_icebp,
	[VMEXIT_CR_REFUSED] = exit_cr_refused,
	[VMEXIT_ENTRY_FAILED] = exit_failed,
	[VMEXIT_OTHER] = exit_other,
};

enum verdict hvm_handle_exit(struct vcpu *v, const struct vmexit *e)
{
	return handlers[e->kind](v, e);
}

/* ---- hypercalls ---- */

bool hvm_guest_is_64bit(struct vcpu *v)
{
	struct virt_code code;
	virt->get_code(&v->arch, &code);
	return code.long64;
}

enum verdict exit_hypercall(struct vcpu *v, const struct vmexit *e)
{
	uint64_t rc = (uint64_t)-EPERM;
	if (e->hypercall.kernel) {
		rc = hypercall_dispatch(v, e->hypercall.long64);
	}
	v->arch.regs.gpr[GPR_RAX] = rc;
	return EXIT_NEXT;
}
