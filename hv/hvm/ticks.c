/*
 * Missed timer ticks of a virtual PC: which chip owes its guest interrupts, when the next one may be raised, and the
 * policy of each timer (HVM_PARAM_TIMER_MODE). The rules are in dev/vtick.h.
 *
 * The parameter: bits 7:0 are the ABI's mode, for all timers. Above them Ostler has one field of four bits a timer:
 * 0 is "as the others", else the mode + 1. A hardware assist that delivers interrupts without an exit keeps this file
 * from seeing them taken: then what is owed is raised by the next tick.
 *
 * Locks: LOCK_HVM around the chips; ticks_owed is also read without it.
 */
#include "hvm/hvm_pc.h"
#include "hvm/hvm_state.h"
#include "lib/atomic.h"
#include "lib/err.h"

#define MODE_MASK    0xffu
#define FIELD_SHIFT  8
#define FIELD_BITS   4
#define FIELD_MASK   0xfu

/* The parameter's fields, from bit 8 upwards. */
enum { FIELD_PIT, FIELD_RTC, FIELD_HPET, FIELD_LAPIC, FIELD_COUNT };

/* ---- was the last one taken? ---- */

static bool pic_reaches_cpu(const struct hvm_domain *h, const struct vlapic *bsp)
{
	struct apic_msg m;
	return vlapic_accepts_pic(bsp) || (vioapic_extint(&h->ioapic, &m) && vlapic_matches(bsp, &m, NULL));
}

static bool vector_waiting(const struct domain *d, uint8_t vector)
{
	for (unsigned int i = 0; i < d->max_vcpus; i++) {
		const struct vcpu *v = READ_ONCE(d->vcpu[i]);
		if (v != NULL && v->hvm != NULL && vlapic_waiting(&v->hvm->lapic, vector)) {
			return true;
		}
	}
	return false;
}

bool hvm_gsi_waiting(struct hvm_domain *h, unsigned int gsi)
{
	/* vCPUs come after the chips, and go before them */
	const struct vcpu *first = h->domain->vcpu != NULL ? READ_ONCE(h->domain->vcpu[0]) : NULL;
	if (first == NULL || first->hvm == NULL) {
		return false;
	}
	if (gsi < 16 && vpic_waiting(&h->pic, gsi) && pic_reaches_cpu(h, &first->hvm->lapic)) {
		return true;
	}
	/* ISA interrupt 0 arrives at pin 2 */
	int vector = vioapic_edge_vector(&h->ioapic, gsi == 0 ? 2 : gsi);
	return vector >= 0 && vector_waiting(h->domain, (uint8_t)vector);
}

bool hvm_msi_waiting(struct hvm_domain *h, uint64_t addr, uint32_t data)
{
	return vector_waiting(h->domain, (uint8_t)data);
}

/* ---- what is owed ---- */

void hvm_ticks_note(struct hvm_domain *h)
{
	uint32_t owed = h->pit.tick.owed | h->rtc.tick.owed | vhpet_owes(&h->hpet);
	WRITE_ONCE(h->ticks_owed, owed != 0);
}

void hvm_ticks_taken(struct hvm_domain *h)
{
	spin_lock(&h->lock);
	if (h->pit.tick.owed != 0) {
		vpit_taken(&h->pit);
	}
	if (h->rtc.tick.owed != 0) {
		vrtc_taken(&h->rtc);
	}
	if (vhpet_owes(&h->hpet)) {
		vhpet_taken(&h->hpet);
	}
	hvm_ticks_note(h);
	spin_unlock(&h->lock);
}

/* ---- policies ---- */

/* The policy of one timer, or -EINVAL. */
static int policy_of(uint64_t param, unsigned int field)
{
	uint64_t own = param >> (FIELD_SHIFT + field * FIELD_BITS) & FIELD_MASK;
	uint64_t mode = own == 0 ? param & MODE_MASK : own - 1;
	return mode < VTICK_POLICIES ? (int)mode : -EINVAL;
}

int hvm_set_timer_mode(struct domain *d, uint64_t param)
{
	struct hvm_domain *h = d->hvm;
	int policy[FIELD_COUNT];
	if (param >> (FIELD_SHIFT + FIELD_COUNT * FIELD_BITS) != 0 || (param & MODE_MASK) >= VTICK_POLICIES) {
		return -EINVAL;
	}
	for (unsigned int i = 0; i < FIELD_COUNT; i++) {
		policy[i] = policy_of(param, i);
		if (policy[i] < 0) {
			return policy[i];
		}
	}
	if (!h->has_pc) {
		return 0;
	}
	spin_lock(&h->lock);
	h->pit.tick.policy = (uint8_t)policy[FIELD_PIT];
	h->rtc.tick.policy = (uint8_t)policy[FIELD_RTC];
	vhpet_set_policy(&h->hpet, policy[FIELD_HPET]);
	h->lapic_policy = (uint8_t)policy[FIELD_LAPIC];
	for (unsigned int i = 0; i < d->max_vcpus; i++) {
		if (d->vcpu[i] != NULL && d->vcpu[i]->hvm != NULL) {
			WRITE_ONCE(d->vcpu[i]->hvm->lapic.tick.policy, h->lapic_policy);
		}
	}
	spin_unlock(&h->lock);
	return 0;
}
