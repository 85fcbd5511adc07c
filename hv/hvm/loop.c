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
#include "lib/mem.h"
#include "lib/util.h"

#define ODD_LENGTHS_MAX 100             /* exits in a row whose instruction cannot be found */

/* The bytes of an instruction as the processor reads them, in a number, and which of them count. */
#define INSN1(a)       { (a), 0xff, 1 }
#define INSN2(a, b)    { (a) | (b) << 8, 0xffff, 2 }
#define INSN3(a, b, c) { (a) | (b) << 8 | (c) << 16, 0xffffff, 3 }

/* The instruction behind each kind of exit; a second form where there are two. */
static const struct form {
	uint32_t bytes, mask, len;
} insn_of[VMEXIT_KINDS][2] = {
	[VMEXIT_CPUID] = { INSN2(0x0f, 0xa2) },
	[VMEXIT_MSR] = { INSN2(0x0f, 0x32), INSN2(0x0f, 0x30) },
	[VMEXIT_HLT] = { INSN1(0xf4) },
	[VMEXIT_HYPERCALL] = { INSN3(0x0f, 0x01, 0xd9), INSN3(0x0f, 0x01, 0xc1) },
	[VMEXIT_XSETBV] = { INSN3(0x0f, 0x01, 0xd1) },
	[VMEXIT_WBINVD] = { INSN2(0x0f, 0x09), INSN2(0x0f, 0x08) },
	[VMEXIT_RDPMC] = { INSN2(0x0f, 0x33) },
	/* the second: behind its F3, which is passed over like any prefix */
	[VMEXIT_PAUSE] = { INSN2(0xf3, 0x90), INSN1(0x90) },
	[VMEXIT_ICEBP] = { INSN1(0xf1) },
};

/* In any of its forms, with whatever prefixes. */
static unsigned int match_forms(enum vmexit_kind kind, const uint8_t *bytes, unsigned int avail, bool long64)
{
	for (unsigned int i = 0; i < 2 && insn_of[kind][i].len != 0; i++) {
		uint8_t form[4];
		memcpy(form, &insn_of[kind][i].bytes, sizeof(form));
		unsigned int n = emul_match_length(bytes, avail, form, insn_of[kind][i].len, long64);
		if (n != 0) {
			return n;
		}
	}
	return 0;
}

/* Read the bytes through the page tables and remember the page. */
static COLD unsigned int length_slow(struct vcpu *v, const struct vmexit *e)
{
	uint8_t bytes[15];
	unsigned int got = hvm_fetch(v, e->code.linear, bytes, sizeof(bytes));
	unsigned int n = match_forms(e->kind, bytes, got, hvm_guest_is_64bit(v));
	if (n != 0) {
		hvm_code_cache_fill(v, e->code.linear, e->code.cr3);
	}
	return n;
}

/*
 * The length of the instruction that caused an exit, for processors that do not report it. Nearly always it has
 * one of the usual forms, no prefix, and lies in the page of the one before. A stale cache entry is harmless: either the
 * bytes do not match and the slow way is taken, or the guest changed its own code under itself.
 */
static unsigned int insn_length(struct vcpu *v, const struct vmexit *e)
{
	const struct code_cache *c = &v->hvm->code;
	uint64_t linear = e->code.linear, offset = linear & (PAGE_SIZE - 1);
	uint32_t bytes;
	if (c->page != NULL && c->linear == linear - offset && c->cr3 == e->code.cr3 &&
	    c->gen == load_acquire(&v->domain->p2m.gen) && offset <= PAGE_SIZE - sizeof(bytes)) {
		memcpy(&bytes, c->page + offset, sizeof(bytes));
		for (unsigned int i = 0; i < 2; i++) {
			const struct form *f = &insn_of[e->kind][i];
			if (f->len != 0 && (bytes & f->mask) == f->bytes) {
				return f->len;
			}
		}
	}
	return length_slow(v, e);
}

/* RFLAGS.RF holds for one instruction, and a step was asked for when it began. */
static COLD void after_insn(struct vcpu *v, const struct vmexit *e)
{
	v->arch.regs.rflags &= ~RFLAGS_RF;
	if ((v->arch.regs.rflags & RFLAGS_TF) && e->kind != VMEXIT_ICEBP) {
		hvm_raise_step(v);
	}
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
	unsigned int len = e->insn_len != 0 ? e->insn_len : insn_length(v, e);
	if (len == 0) {
		length_unknown(v, e);
		return;
	}
	v->arch.regs.rip += len;
	if (v->arch.regs.rip >> 32 != 0 && !hvm_guest_is_64bit(v)) {
		v->arch.regs.rip &= 0xffffffff;
	}
	if (e->shadow) {
		virt->set_shadow(&v->arch, false);
	}
	if (v->arch.regs.rflags & (RFLAGS_TF | RFLAGS_RF)) {
		after_insn(v, e);
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
static APART void wait_runnable(struct vcpu *v)
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

/*
 * What keeps a vCPU from entering the guest: its CPU has other work, somebody kicked (a new interrupt came, or the guest
 * touched a controller), or something still waits to be delivered. Then interrupts are looked at again.
 */
static APART void before_entry(struct vcpu *v)
{
	struct hvm_vcpu *h = v->hvm;
	sched_check();
	uint32_t why = load_acquire(&v->kicked) != 0 ? atomic_xchg(&v->kicked, 0u) : 0;
	if (why == 0) {
		return;
	}
	if (why & VCPU_LOOK) {
		wait_runnable(v);
	}
	if (load_acquire(&v->areas_dirty) != 0) {
		vcpu_flush_areas(v);
	}
	if (h->invalidate_seen != load_acquire(&v->domain->hvm->invalidate_gen)) {
		hvm_ioreq_invalidate(v);
	}
	if (why & VCPU_LOOK) {
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

/* Count and record an exit; its layout in the ring is abi/ostler_op.h's. Interrupts are off. */
static void account_exit(const struct cpu *cpu, const struct vcpu *v, const struct vmexit *e)
{
	struct hvm_stats *s = &v->hvm->stats;
	struct trace_record *r = trace_next(cpu);

	s->left_tsc = hw_rdtsc();
	s->exits[e->kind]++;
	*r = (struct trace_record){
		.tsc = s->left_tsc, .who = s->who | cpu->trace->who,
		.a = (uint16_t)e->raw[0] | (uint32_t)e->kind << 16 | (uint64_t)s->entered << 32,
		.b = v->arch.regs.rip,
	};
}

static void left_guest(struct cpu *cpu)
{
	WRITE_ONCE(cpu->in_guest, 0);
	WRITE_ONCE(cpu->exits, cpu->exits + 1);
	hw_irq_enable();
}

/* False: something turned up meanwhile. Interrupts are on at the end in any case. */
static bool enter_once(struct vcpu *v, struct vmexit *e)
{
	struct cpu *cpu = this_cpu();
	hw_irq_disable();
	WRITE_ONCE(cpu->in_guest, 1);
	fence_full();
	if (READ_ONCE(cpu->softirq_pending) != 0 || load_acquire(&v->kicked) != 0) {
		left_guest(cpu);
		return false;
	}
	account_entry(&v->hvm->stats, e->kind);
	virt->enter(&v->arch, e);
	account_exit(cpu, v, e);
	left_guest(cpu);
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

/* What is to be done about the guest's events and interrupts before its exit is looked at. */
static void collect(struct vcpu *v, const struct vmexit *e, uint8_t entered_cr8)
{
	if (v->arch.cr8 != entered_cr8) {
		apic_changed(v, entered_cr8);
	}
	if (e->interrupted.valid) {
		hvm_requeue(v, &e->interrupted);
	}
	/* its window may open without an exit of its own: SVM's does, behind the IRET */
	if (READ_ONCE(v->hvm->nmi_pending)) {
		hvm_look_again(v);
	}
}

void hvm_vcpu_loop(void *vcpu)
{
	struct vcpu *v = vcpu;
	struct vmexit *e = &v->hvm->exit;
	wait_runnable(v);
	hvm_look_again(v);
	v->hvm->stats.who = TRACE_WHO(TRC_EXIT, v->domain->id, v->id, 0);
	v->hvm->stats.left_tsc = hw_rdtsc();
	for (;;) {
		uint8_t cr8 = v->arch.cr8;
		if (!enter_once(v, e)) {
			apic_changed(v, cr8);
			before_entry(v);
			continue;
		}
		collect(v, e, cr8);
		if (e->kind != VMEXIT_NONE) {
			apply(v, e, hvm_handle_exit(v, e));
		}
	}
}
