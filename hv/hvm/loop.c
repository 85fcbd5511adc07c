/*
 * A vCPU's life: prepare, enter, handle, apply the verdict. The only writer of RIP after an exit.
 *
 * Runs on the vCPU's own stack; blocks in place. Locks: none held across an entry.
 */
#include "arch/hw.h"
#include "arch/x86.h"
#include "core/log.h"
#include "core/percpu.h"
#include "core/trace.h"
#include "dom/shared_info.h"
#include "hvm/hvm.h"
#include "hvm/hvm_state.h"
#include "lib/atomic.h"

#define ODD_LENGTHS_MAX 100             /* exits in a row whose instruction cannot be found */

/* The bytes of the instruction behind each kind of exit; a second form where there are two. */
static const struct {
	uint8_t form[2][3];
	uint8_t len[2];
} insn_of[VMEXIT_KINDS] = {
	[VMEXIT_CPUID] = { { { 0x0f, 0xa2 } }, { 2 } },
	[VMEXIT_MSR] = { { { 0x0f, 0x32 }, { 0x0f, 0x30 } }, { 2, 2 } },
	[VMEXIT_HLT] = { { { 0xf4 } }, { 1 } },
	[VMEXIT_HYPERCALL] = { { { 0x0f, 0x01, 0xd9 }, { 0x0f, 0x01, 0xc1 } }, { 3, 3 } },
	[VMEXIT_XSETBV] = { { { 0x0f, 0x01, 0xd1 } }, { 3 } },
	[VMEXIT_WBINVD] = { { { 0x0f, 0x09 }, { 0x0f, 0x08 } }, { 2, 2 } },
	[VMEXIT_RDPMC] = { { { 0x0f, 0x33 } }, { 2 } },
	/* behind its F3, which is passed over like any prefix */
	[VMEXIT_PAUSE] = { { { 0x90 } }, { 1 } },
	[VMEXIT_ICEBP] = { { { 0xf1 } }, { 1 } },
};

static unsigned int match_forms(enum vmexit_kind kind, const uint8_t *bytes, unsigned int avail,
				bool long64)
{
	for (unsigned int i = 0; i < 2 && insn_of[kind].len[i] != 0; i++) {
		unsigned int n = emul_match_length(bytes, avail, insn_of[kind].form[i],
						   insn_of[kind].len[i], long64);
		if (n != 0) {
			return n;
		}
	}
	return 0;
}

static const uint8_t *cached_code(const struct vcpu *v, uint64_t linear, uint64_t cr3)
{
	const struct code_cache *c = &v->hvm->code;
	if (c->page != NULL && c->linear == (linear & PAGE_MASK) && c->cr3 == cr3 &&
	    c->gen == load_acquire(&v->domain->p2m.gen)) {
		return c->page + (linear & (PAGE_SIZE - 1));
	}
	return NULL;
}

/* Read the bytes through the page tables and remember the page. */
static unsigned int length_slow(struct vcpu *v, uint64_t linear, const struct virt_code *code,
				enum vmexit_kind kind)
{
	uint8_t bytes[15];
	unsigned int got = hvm_fetch(v, linear, bytes, sizeof(bytes));
	unsigned int n = match_forms(kind, bytes, got, code->long64);
	if (n != 0) {
		hvm_code_cache_fill(v, linear, code->cr3);
	}
	return n;
}

/*
 * The length of the instruction that caused an exit, for processors that do not report it. A stale cache entry is
 * harmless: either the bytes do not match and the slow way is taken, or the guest changed its own code under itself.
 */
static unsigned int insn_length(struct vcpu *v, enum vmexit_kind kind, const struct virt_code *code)
{
	uint64_t rip = v->arch.regs.rip;
	uint64_t linear = code->long64 ? rip : (uint32_t)(code->cs_base + rip);
	unsigned int left = PAGE_SIZE - (linear & (PAGE_SIZE - 1));
	const uint8_t *bytes = cached_code(v, linear, code->cr3);
	if (bytes != NULL) {
		/* nearly always the first form without a prefix */
		unsigned int len = insn_of[kind].len[0];
		if (left >= 3 && bytes[0] == insn_of[kind].form[0][0] &&
		    (len < 2 || bytes[1] == insn_of[kind].form[0][1]) &&
		    (len < 3 || bytes[2] == insn_of[kind].form[0][2])) {
			return len;
		}
		len = match_forms(kind, bytes, MIN(left, 15u), code->long64);
		if (len != 0) {
			return len;
		}
	}
	return length_slow(v, linear, code, kind);
}

/*
 * What stands there now is not what caused the exit: another vCPU has changed the code meanwhile. The guest goes on with that. Only
 * if it is so again and again at the same place is it an instruction that is not known here.
 */
static void length_unknown(struct vcpu *v, const struct vmexit *e)
{
	struct hvm_vcpu *h = v->hvm;
	uint64_t exits = h->stats.exits[e->kind];
	bool again = h->odd.rip == v->arch.regs.rip && h->odd.exits + 1 == exits;
	h->odd.count = again ? h->odd.count + 1 : 0;
	h->odd.rip = v->arch.regs.rip;
	h->odd.exits = exits;
	if (h->odd.count >= ODD_LENGTHS_MAX) {
		guest_crash(v->domain, "vCPU %u: exit %u at %#lx: cannot tell the instruction's length",
			    v->id, e->kind, (unsigned long)v->arch.regs.rip);
	}
}

static void advance(struct vcpu *v, const struct vmexit *e)
{
	struct virt_code code;
	unsigned int len = e->insn_len;
	if (len == 0) {
		virt->get_code(&v->arch, &code);
		len = insn_length(v, e->kind, &code);
	}
	if (len == 0) {
		length_unknown(v, e);
		return;
	}
	v->arch.regs.rip += len;
	if (v->arch.regs.rip >> 32 != 0) {
		virt->get_code(&v->arch, &code);
		v->arch.regs.rip &= code.long64 ? ~0ull : 0xffffffff;
	}
	virt->set_shadow(&v->arch, false);
	if (v->arch.regs.rflags & (RFLAGS_TF | RFLAGS_RF)) {
		/* RF holds for one instruction, and a step was asked for when it began */
		v->arch.regs.rflags &= ~RFLAGS_RF;
		if ((v->arch.regs.rflags & RFLAGS_TF) && e->kind != VMEXIT_ICEBP) {
			hvm_raise_step(v);
		}
	}
}

static void apply(struct vcpu *v, const struct vmexit *e, enum verdict verdict)
{
	switch (verdict) {
	case EXIT_NEXT:
		advance(v, e);
		break;
	case EXIT_RESUME:
	case EXIT_FAULT:
	case EXIT_CRASH:
		break;
	}
}

/* Not started, parked, or its domain dies: stay here. */
static void wait_runnable(struct vcpu *v)
{
	if (v->domain->dying) {
		sched_exit();
	}
	hvm_serve_requests(v);
	while (!load_acquire(&v->online)) {
		sched_block();
		sched_check();
		if (v->domain->dying) {
			sched_exit();
		}
		hvm_serve_requests(v);
	}
}

/* Interrupts are looked at again only when somebody kicked (a new one came, or the guest touched a controller), or
 * when something still waits to be delivered. */
static void before_entry(struct vcpu *v)
{
	struct hvm_vcpu *h = v->hvm;
	bool kicked = load_acquire(&v->kicked) != 0;
	if (kicked) {
		store_release(&v->kicked, 0u);
		fence_full();
		wait_runnable(v);
	}
	if (load_acquire(&v->areas_dirty) != 0) {
		vcpu_flush_areas(v);
	}
	if (h->invalidate_seen != load_acquire(&v->domain->hvm->invalidate_gen)) {
		hvm_ioreq_invalidate(v);
	}
	/* an NMI's window may open without an exit of its own: SVM's does, behind the IRET */
	if (kicked || h->pending.valid || READ_ONCE(h->nmi_pending)) {
		hvm_intr_prepare(v);
		v->arch.cr8 = (uint8_t)vlapic_get_cr8(&h->lapic);
		if (v->arch.apic_delivery) {
			hvm_apic_lend(v);
		}
	}
}

/* What the last exit cost, from then until now. */
static void account_entry(struct hvm_stats *s, enum vmexit_kind last)
{
	uint64_t now = hw_rdtsc();

	s->ticks[last] += now - s->left_tsc;
	s->entered = (uint32_t)now;
}

/* Count and record an exit; its layout in the ring is abi/ostler_op.h's. */
static void account_exit(struct vcpu *v, const struct vmexit *e)
{
	struct hvm_stats *s = &v->hvm->stats;

	s->exits[e->kind]++;
	s->left_tsc = trace(TRC_EXIT, v->domain->id, (uint16_t)v->id,
			    (uint16_t)e->raw[0] | (uint32_t)e->kind << 16 | (uint64_t)s->entered << 32, v->arch.regs.rip);
}

/* False: something turned up meanwhile. Interrupts are on at the end in any case. */
static bool enter_once(struct vcpu *v, struct vmexit *e)
{
	struct cpu *cpu = this_cpu();
	hw_irq_disable();
	WRITE_ONCE(cpu->in_guest, 1);
	fence_full();
	if (READ_ONCE(cpu->softirq_pending) != 0 || load_acquire(&v->kicked) != 0) {
		WRITE_ONCE(cpu->in_guest, 0);
		WRITE_ONCE(cpu->exits, cpu->exits + 1);
		hw_irq_enable();
		sched_check();
		return false;
	}
	account_entry(&v->hvm->stats, e->kind);
	virt->enter(&v->arch, e);
	WRITE_ONCE(cpu->in_guest, 0);
	WRITE_ONCE(cpu->exits, cpu->exits + 1);
	hw_irq_enable();
	return true;
}

/* cr8 as it was before the entry: the guest has changed its task priority, or what was lent for the entry comes back. */
static void apic_changed(struct vcpu *v, uint8_t cr8)
{
	if (cr8 & CR8_APIC_LENT) {
		hvm_apic_return(v);
	} else if (v->arch.cr8 != cr8) {
		vlapic_set_cr8(&v->hvm->lapic, v->arch.cr8);
		hvm_look_again(v);
	}
}

void hvm_vcpu_loop(void *vcpu)
{
	struct vcpu *v = vcpu;
	struct vmexit *e = &v->hvm->exit;
	wait_runnable(v);
	hvm_look_again(v);
	v->hvm->stats.left_tsc = hw_rdtsc();
	for (;;) {
		before_entry(v);
		uint8_t cr8 = v->arch.cr8;
		if (!enter_once(v, e)) {
			apic_changed(v, cr8);
			continue;
		}
		if (v->arch.cr8 != cr8) {
			apic_changed(v, cr8);
		}
		account_exit(v, e);
		if (e->interrupted.valid) {
			hvm_requeue(v, &e->interrupted);
		}
		if (e->kind != VMEXIT_NONE) {
			apply(v, e, hvm_handle_exit(v, e));
		}
	}
}
