/*
 * Interrupts between CPUs in xAPIC mode: every destination, shorthand and delivery mode, and who gets each.
 * Manual: "Intel 64 and IA-32 Architectures Software Developer's Manual", issuing interprocessor interrupts.
 */
#include "tests/guest/rt/smp.h"

#define FLAT    0xffffffffu
#define CLUSTER 0x0fffffffu
#define MOST    8               /* as many as have a bit of their own in flat mode */

static unsigned int cpus;
static uint32_t everybody;

/* ---- set up by each CPU for itself ---- */

struct dest {
	uint32_t ldr, dfr, tpr;
};

static void set_dest(void *arg)
{
	const struct dest *d = arg;

	lapic_put(LAPIC_DFR, d->dfr);
	lapic_put(LAPIC_LDR, d->ldr);
	lapic_put(LAPIC_TPR, d->tpr);
	RT_CHECK(lapic_get(LAPIC_LDR) == d->ldr && lapic_get(LAPIC_DFR) == d->dfr);
}

static void on_each(uint32_t dfr, const uint8_t *logical, const uint8_t *tpr)
{
	for (unsigned int i = 0; i < cpus; i++) {
		struct dest d = { (uint32_t)logical[i] << 24, dfr, tpr[i] };

		if (i == 0) {
			set_dest(&d);
		} else {
			smp_call(i, set_dest, &d);
		}
	}
}

static const uint8_t no_tpr[MOST];
static const uint8_t flat_ids[MOST] = { 0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80 };
/* CPUs 0 and 1 in cluster 0, 2 and 3 in cluster 1, the others in cluster 2. */
static const uint8_t cluster_ids[MOST] = { 0x01, 0x02, 0x11, 0x12, 0x21, 0x22, 0x24, 0x28 };

static void sent(uint32_t dest, uint32_t command, uint32_t mask)
{
	lapic_send(dest, command | SMP_VECTOR);
	smp_expect(mask & everybody);
}

/* ---- the tests ---- */

static void physical(void)
{
	for (unsigned int i = 0; i < cpus; i++) {
		sent(smp_apic_id(i), 0, 1u << i);
	}
	sent(0xf1, 0, 0);
	sent(0xff, 0, ~0u);
}

static void shorthands(void)
{
	sent(0x55, ICR_SELF, 1);
	sent(0x55, ICR_ALL, ~0u);
	sent(0x55, ICR_OTHERS, ~1u);
}

static void flat(void)
{
	on_each(FLAT, flat_ids, no_tpr);
	for (uint32_t mask = 0; mask <= everybody; mask++) {
		sent(mask, ICR_LOGICAL, mask);
	}
	sent(0xff, ICR_LOGICAL, ~0u);
}

static void cluster(void)
{
	on_each(CLUSTER, cluster_ids, no_tpr);
	sent(0x01, ICR_LOGICAL, 1);
	sent(0x03, ICR_LOGICAL, 3);
	sent(0x13, ICR_LOGICAL, 0xc);
	sent(0x12, ICR_LOGICAL, 8);
	sent(0x0c, ICR_LOGICAL, 0);
	sent(0x31, ICR_LOGICAL, 0);
	sent(0xff, ICR_LOGICAL, ~0u);
}

/* Exactly one of those named; when one is less busy than the others, that one. */
static void lowest(void)
{
	uint32_t seen = 0;

	on_each(FLAT, flat_ids, no_tpr);
	for (unsigned int i = 0; i < 4 * cpus; i++) {
		uint32_t got;

		lapic_send(everybody & ~1u, ICR_LOGICAL | ICR_LOWEST | SMP_VECTOR);
		got = smp_got();
		RT_CHECK(got != 0 && (got & (got - 1)) == 0 && (got & ~everybody) == 0 && !(got & 1));
		seen |= got;
		smp_forget();
	}
	RT_CHECK(seen == (everybody & ~1u));
	for (unsigned int i = 0; i < cpus; i++) {
		uint8_t tpr[MOST];

		memset(tpr, 0x20, sizeof(tpr));
		tpr[i] = 0;
		on_each(FLAT, flat_ids, tpr);
		sent(everybody, ICR_LOGICAL | ICR_LOWEST, 1u << i);
	}
	on_each(FLAT, flat_ids, no_tpr);
	sent(smp_apic_id(1), ICR_LOWEST, 2);
}

static void nmi(uint32_t dest, uint32_t command, uint32_t mask)
{
	uint32_t got;

	lapic_send(dest, command | ICR_NMI);
	for (unsigned int i = 0; i < cpus; i++) {
		if (mask & everybody & 1u << i) {
			smp_wait_nmi(i);
		}
	}
	got = smp_got_nmi();
	RT_CHECK(got == (mask & everybody));
	RT_CHECK(smp_got() == 0);
	smp_forget();
}

static void nmis(void)
{
	for (unsigned int i = 0; i < cpus; i++) {
		nmi(smp_apic_id(i), 0, 1u << i);
	}
	nmi(0x06, ICR_LOGICAL, 6);
	nmi(0, ICR_OTHERS, ~1u);
}

/* Vectors below 16 are not sent, and noted. */
static void illegal(void)
{
	lapic_put(LAPIC_ESR, 0);
	lapic_send(smp_apic_id(1), 0x0f);
	lapic_send(0, ICR_SELF | 0x0e);
	lapic_put(LAPIC_ESR, 0);
	RT_CHECK(lapic_get(LAPIC_ESR) & 0x20);
	lapic_put(LAPIC_ESR, 0);
	RT_CHECK(lapic_get(LAPIC_ESR) == 0);
	sent(smp_apic_id(1), 0, 2);
}

int guest_main(const struct hvm_start_info *info)
{
	(void)info;
	cpus = smp_init();
	RT_CHECK(cpus > 1 && cpus <= MOST);
	everybody = (1u << cpus) - 1;
	for (unsigned int i = 1; i < cpus; i++) {
		smp_start(i, SMP_PAGE);
	}
	smp_forget();
	physical();
	shorthands();
	flat();
	cluster();
	lowest();
	nmis();
	illegal();
	rt_puts("ipi: OK\n");
	return 0;
}
