/*
 * Interrupts between CPUs in x2APIC mode: IDs, physical and logical destinations, the SELF IPI register, INIT and start-up.
 * Manual: "Intel 64 and IA-32 Architectures Software Developer's Manual", extended XAPIC (x2APIC).
 */
#include "tests/guest/rt/smp.h"

#define FEATURE_X2APIC (1u << 21)

static unsigned int cpus;
static uint32_t everybody;

static void enter_x2apic(void *arg)
{
	uint32_t id, levels[4];

	(void)arg;
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_X2);
	id = lapic_get(LAPIC_ID);
	cpuid(0xb, 0, levels);
	RT_CHECK(id == levels[3]);
	/* the logical ID follows from the ID */
	RT_CHECK(lapic_get(LAPIC_LDR) == (id >> 4 << 16 | 1u << (id & 15)));
	RT_CHECK((rdmsr(MSR_APIC_BASE) & APIC_BASE_X2) == APIC_BASE_X2);
}

static uint32_t logical_of(unsigned int cpu)
{
	uint32_t id = smp_apic_id(cpu);

	return id >> 4 << 16 | 1u << (id & 15);
}

static void sent(uint32_t dest, uint32_t command, uint32_t mask)
{
	lapic_send(dest, command | SMP_VECTOR);
	smp_expect(mask & everybody);
}

static void physical(void)
{
	for (unsigned int i = 0; i < cpus; i++) {
		sent(smp_apic_id(i), 0, 1u << i);
	}
	/* 32 bits count: FFh is nobody, nor is an ID with something above it */
	sent(0xff, 0, 0);
	sent(0x100 | smp_apic_id(1), 0, 0);
	sent(0xffffffff, 0, ~0u);
}

/* APIC IDs are below 16 for so few CPUs: one cluster. */
static void logical(void)
{
	for (uint32_t mask = 0; mask <= everybody; mask++) {
		uint32_t dest = 0;

		for (unsigned int i = 0; i < cpus; i++) {
			dest |= mask >> i & 1 ? logical_of(i) : 0;
		}
		sent(dest, ICR_LOGICAL, mask);
	}
	sent(0x10000 | logical_of(1), ICR_LOGICAL, 0);
	sent(0xffffffff, ICR_LOGICAL, ~0u);
	lapic_send(logical_of(0) | logical_of(1), ICR_LOGICAL | ICR_LOWEST | SMP_VECTOR);
	uint32_t got = smp_got();
	RT_CHECK(got == 1 || got == 2);
	smp_forget();
}

static void itself(void)
{
	wrmsr(0x83f, SMP_VECTOR);
	smp_expect(1);
	sent(0, ICR_SELF, 1);
	sent(0, ICR_ALL, ~0u);
	sent(0, ICR_OTHERS, ~1u);
}

static void nmis(void)
{
	lapic_send(smp_apic_id(1), ICR_NMI);
	smp_wait_nmi(1);
	RT_CHECK(smp_got_nmi() == 2);
	smp_forget();
	lapic_send(0, ICR_OTHERS | ICR_NMI);
	for (unsigned int i = 1; i < cpus; i++) {
		smp_wait_nmi(i);
	}
	RT_CHECK(smp_got_nmi() == (everybody & ~1u));
	smp_forget();
}

static void still_x2apic(void *arg)
{
	(void)arg;
	RT_CHECK((rdmsr(MSR_APIC_BASE) & APIC_BASE_X2) == APIC_BASE_X2);
}

/* INIT leaves the mode as it is. */
static void init(void)
{
	for (unsigned int i = 1; i < cpus; i++) {
		lapic_send(smp_apic_id(i), ICR_ASSERT | ICR_INIT);
		RT_CHECK(smp_dead(i));
		smp_start(i, SMP_OTHER_PAGE);
		smp_call(i, still_x2apic, NULL);
	}
	physical();
}

int guest_main(const struct hvm_start_info *info)
{
	uint32_t r[4];

	(void)info;
	cpuid(1, 0, r);
	RT_CHECK(r[2] & FEATURE_X2APIC);
	cpus = smp_init();
	RT_CHECK(cpus > 1);
	everybody = (1u << cpus) - 1;
	for (unsigned int i = 1; i < cpus; i++) {
		smp_start(i, SMP_PAGE);
		smp_call(i, enter_x2apic, NULL);
	}
	enter_x2apic(NULL);
	smp_forget();
	physical();
	logical();
	itself();
	nmis();
	init();
	rt_puts("x2ipi: OK\n");
	return 0;
}
