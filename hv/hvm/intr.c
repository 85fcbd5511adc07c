/*
 * Virtual interrupts: who gets a message, what is injected next, when to ask for a window, what ends a HLT.
 *
 * Locks: LOCK_HVM around the 8259 pair and the callback wire; local APICs follow vlapic.h.
 */
#include "arch/x86.h"
#include "core/trace.h"
#include "dom/shared_info.h"
#include "hvm/hvm.h"
#include "hvm/hvm_pc.h"
#include "hvm/hvm_state.h"
#include "lib/atomic.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "dev/vmsi.h"

/* ---- messages to local APICs ---- */

/* INIT undoes what was asked for before it. */
static void request_init(struct vcpu *v)
{
	(void)atomic_xchg(&v->hvm->request, (uint32_t)VREQ_INIT);
	vcpu_kick(v);
}

/* Of several start-up messages the first counts: the next ones find a processor that runs. */
static void request_sipi(struct vcpu *v, uint8_t vector)
{
	uint32_t old = load_acquire(&v->hvm->request);
	while (!(old & VREQ_SIPI) &&
	       !atomic_cas(&v->hvm->request, &old, (old & ~0xffu) | VREQ_SIPI | vector)) {
	}
	vcpu_kick(v);
}

static void deliver_fixed(struct vcpu *v, const struct apic_msg *m)
{
	if (m->vector < 16) {
		vlapic_error(&v->hvm->lapic, APIC_ESR_RECEIVE_ILLEGAL);
		vcpu_kick(v);
	} else if (vlapic_set_irq(&v->hvm->lapic, m->vector, m->level)) {
		/* Whoever set it before has kicked, or is about to. */
		vcpu_kick(v);
	}
}

static void deliver_one(struct vcpu *v, const struct apic_msg *m)
{
	switch (m->delivery) {
	case APIC_DM_FIXED:
		deliver_fixed(v, m);
		break;
	case APIC_DM_NMI:
		hvm_inject_nmi(v);
		break;
	case APIC_DM_INIT:
		if (m->assert || !m->level) {
			request_init(v);
		}
		break;
	case APIC_DM_STARTUP:
		request_sipi(v, m->vector);
		break;
	default:
		break;
	}
}

static bool is_for(struct vcpu *v, const struct apic_msg *m, const struct vlapic *from)
{
	return v != NULL && v->hvm != NULL && vlapic_matches(&v->hvm->lapic, m, from);
}

/*
 * Arbitration among those that the message names: the least busy one; equals take turns. What others' registers say is as of
 * some moment, as it is on the bus.
 */
static void deliver_lowest(struct domain *d, const struct apic_msg *m, const struct vlapic *from)
{
	struct vcpu *best = NULL;
	unsigned int least = ~0u, start = READ_ONCE(d->hvm->lowest_turn);
	for (unsigned int n = 0; n < d->max_vcpus; n++) {
		struct vcpu *v = READ_ONCE(d->vcpu[(start + n) % d->max_vcpus]);
		if (is_for(v, m, from) && vlapic_sw_enabled(&v->hvm->lapic) &&
		    vlapic_apr(&v->hvm->lapic) < least) {
			least = vlapic_apr(&v->hvm->lapic);
			best = v;
		}
	}
	if (best != NULL) {
		WRITE_ONCE(d->hvm->lowest_turn, best->id + 1);
		deliver_fixed(best, m);
	}
}

void hvm_deliver(struct domain *d, const struct apic_msg *m, struct vcpu *source)
{
	const struct vlapic *from = source != NULL ? &source->hvm->lapic : NULL;
	if (m->delivery == APIC_DM_LOWEST) {
		deliver_lowest(d, m, from);
		return;
	}
	for (unsigned int i = 0; i < d->max_vcpus; i++) {
		struct vcpu *v = READ_ONCE(d->vcpu[i]);
		if (is_for(v, m, from)) {
			deliver_one(v, m);
		}
	}
}

int hvm_inject_nmi(struct vcpu *v)
{
	WRITE_ONCE(v->hvm->nmi_pending, true);
	vcpu_kick(v);
	return 0;
}

int hvm_inject_msi(struct domain *d, uint64_t addr, uint32_t data)
{
	struct apic_msg m;
	int rc = vmsi_decode(addr, data, &m);
	/* The de-assertion of a level message tells nobody anything. */
	if (rc == 0 && (m.assert || !m.level)) {
		hvm_deliver(d, &m, NULL);
	}
	return rc;
}

/* ---- the event-channel upcall ---- */

/* Drive the callback wire: high while vCPU 0 has an upcall pending. [LOCK_HVM] */
static void callback_wire(struct hvm_domain *h, bool level)
{
	if (h->callback_level == level) {
		return;
	}
	h->callback_level = level;
	if (h->callback_kind == CALLBACK_GSI) {
		(void)irqline_set(&h->irq, IRQLINE_CALLBACK, h->callback_gsi, level);
	} else if (h->callback_kind == CALLBACK_PCI) {
		(void)irqline_set_pci(&h->irq, h->callback_dev, h->callback_intx, level);
	}
}

void hvm_callback_update(struct domain *d)
{
	struct hvm_domain *h = d->hvm;
	if (!h->has_pc || d->vcpu[0] == NULL || d->vcpu[0]->hvm->upcall_vector != 0 ||
	    (h->callback_kind != CALLBACK_GSI && h->callback_kind != CALLBACK_PCI)) {
		return;
	}
	bool pending = shared_info_upcall_pending(d->vcpu[0]);
	spin_lock(&h->lock);
	callback_wire(h, pending);
	spin_unlock(&h->lock);
}

/* domain_ops.upcall: may be called with LOCK_EVTCHN held, so it only leaves a message for the vCPU's loop. */
void hvm_upcall(struct vcpu *v)
{
	if (v->hvm == NULL) {
		return;
	}
	WRITE_ONCE(v->hvm->callback_due, true);
	if (v->hvm->upcall_vector != 0 && vlapic_sw_enabled(&v->hvm->lapic)) {
		vlapic_set_irq(&v->hvm->lapic, v->hvm->upcall_vector, false);
	}
	vcpu_kick(v);
}

/* Does a vector callback (not through the local APIC) wait? Once for each time that upcall_pending rises. */
static bool callback_pending(struct vcpu *v)
{
	return v->domain->hvm->callback_kind == CALLBACK_VECTOR && READ_ONCE(v->hvm->callback_due) &&
	       v->hvm->upcall_vector == 0 && shared_info_upcall_pending(v);
}

/* ---- what to inject ---- */

static bool pic_pending(struct vcpu *v)
{
	const struct hvm_domain *h = v->domain->hvm;
	struct apic_msg m;
	if (!h->has_pc || v->id != 0 || !vpic_pending(&h->pic)) {
		return false;
	}
	/* INTR is wired to LINT0 and to pin 0 of the I/O APIC */
	return vlapic_accepts_pic(&v->hvm->lapic) ||
	       (vioapic_extint(&h->ioapic, &m) && vlapic_matches(&v->hvm->lapic, &m, NULL));
}

/* Who has an interrupt for the vCPU that it must be given: the local APIC's own the processor may deliver by itself. */
enum source { FROM_NOBODY, FROM_CALLBACK, FROM_PIC, FROM_LAPIC };

static enum source next_source(struct vcpu *v)
{
	if (callback_pending(v)) {
		return FROM_CALLBACK;
	}
	if (pic_pending(v)) {
		return FROM_PIC;
	}
	return !v->arch.apic_delivery && vlapic_pending(&v->hvm->lapic) >= 0 ? FROM_LAPIC : FROM_NOBODY;
}

/* Acknowledge what next_source() has just found; the vector. */
static uint8_t take(struct vcpu *v, enum source from)
{
	struct hvm_domain *h = v->domain->hvm;
	int vector;
	if (from == FROM_CALLBACK) {
		WRITE_ONCE(v->hvm->callback_due, false);
		return h->callback_vector;
	}
	if (from == FROM_PIC) {
		spin_lock(&h->lock);
		vector = vpic_ack(&h->pic);
		spin_unlock(&h->lock);
		return (uint8_t)vector;
	}
	vector = vlapic_pending(&v->hvm->lapic);
	vlapic_ack(&v->hvm->lapic, (uint8_t)vector);
	return (uint8_t)vector;
}

bool hvm_wake_event(struct vcpu *v)
{
	struct hvm_vcpu *h = v->hvm;
	if (READ_ONCE(h->lapic_fired)) {
		h->lapic_fired = false;
		vlapic_timer_expired(&h->lapic);
	}
	hvm_callback_update(v->domain);
	return READ_ONCE(h->nmi_pending) || load_acquire(&h->request) != 0 || h->pending.valid ||
	       next_source(v) != FROM_NOBODY || (v->arch.apic_delivery && vlapic_pending(&h->lapic) >= 0);
}

static void want(struct vcpu *v, bool *have, enum virt_window w, bool on)
{
	if (*have != on) {
		*have = on;
		virt->want_window(&v->arch, w, on);
	}
}

/* An event goes in, and the window that was asked for is over: a vendor may use one piece of hardware for both. */
static void put_in(struct vcpu *v, const struct vm_event *e)
{
	want(v, &v->hvm->window_intr, WINDOW_INTR, false);
	virt->inject(&v->arch, e);
}

void hvm_intr_prepare(struct vcpu *v)
{
	struct hvm_vcpu *h = v->hvm;
	enum source from;
	if (READ_ONCE(h->lapic_fired)) {
		h->lapic_fired = false;
		vlapic_timer_expired(&h->lapic);
	}
	if (v->id == 0) {
		hvm_callback_update(v->domain);
	}
	from = next_source(v);
	if (h->pending.valid) {
		put_in(v, &h->pending);
		h->pending.valid = false;
	} else if (READ_ONCE(h->nmi_pending) && virt->can_take(&v->arch, WINDOW_NMI)) {
		WRITE_ONCE(h->nmi_pending, false);
		put_in(v, &(struct vm_event){ .valid = true, .type = EVENT_NMI,
							   .vector = EXC_NMI });
	} else if (from != FROM_NOBODY && virt->can_take(&v->arch, WINDOW_INTR)) {
		uint8_t vector = take(v, from);
		put_in(v, &(struct vm_event){ .valid = true, .type = EVENT_EXTINT, .vector = vector });
		trace(TRC_ENTRY_EVENT, v->domain->id, (uint16_t)v->id, vector, 0);
		if (READ_ONCE(v->domain->hvm->ticks_owed)) {
			hvm_ticks_taken(v->domain->hvm);
		}
		from = next_source(v);
	}
	/* Whatever still waits needs an exit as soon as the guest can take it. */
	want(v, &h->window_intr, WINDOW_INTR, from != FROM_NOBODY);
	want(v, &h->window_tpr, WINDOW_TPR, !v->arch.apic_delivery && vlapic_blocked_by_tpr(&h->lapic));
	if (READ_ONCE(h->nmi_pending)) {
		virt->want_window(&v->arch, WINDOW_NMI, true);
	}
}

/* ---- a processor that delivers by itself ---- */

void hvm_apic_lend(struct vcpu *v)
{
	struct vlapic_run r;
	struct virt_apic a;
	vlapic_run_lend(&v->hvm->lapic, &r);
	memcpy(a.irr, r.irr, sizeof(a.irr));
	memcpy(a.isr, r.isr, sizeof(a.isr));
	memcpy(a.eoi_exit, r.level, sizeof(a.eoi_exit));
	a.tpr = r.tpr;
	virt->lend_apic(&v->arch, &a);
	v->arch.cr8 |= CR8_APIC_LENT;
}

void hvm_apic_return(struct vcpu *v)
{
	struct vlapic_run r;
	struct virt_apic a;
	virt->return_apic(&v->arch, &a);
	memcpy(r.irr, a.irr, sizeof(r.irr));
	memcpy(r.isr, a.isr, sizeof(r.isr));
	r.tpr = a.tpr;
	v->arch.cr8 = a.tpr >> 4;
	bool taken = vlapic_run_back(&v->hvm->lapic, &r, a.ended);
	if (taken && READ_ONCE(v->domain->hvm->ticks_owed)) {
		hvm_ticks_taken(v->domain->hvm);
	}
	/* the next entry needs it lent again */
	hvm_look_again(v);
}
