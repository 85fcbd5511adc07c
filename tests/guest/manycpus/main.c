/*
 * As many CPUs as a guest is promised (64): every one starts, has the APIC ID that CPUID says, gets what is sent to all and
 * what is sent to it alone.
 */
#include "tests/guest/rt/smp.h"

static void check_id(void *arg)
{
	unsigned int cpu = *(unsigned int *)arg;
	uint32_t r[4];

	RT_CHECK(lapic_get(LAPIC_ID) >> 24 == smp_apic_id(cpu));
	cpuid(0xb, 0, r);
	RT_CHECK(r[3] == smp_apic_id(cpu));
}

int guest_main(const struct hvm_start_info *info)
{
	unsigned int cpus = smp_init();

	(void)info;
	RT_CHECK(cpus == SMP_MAX);
	for (unsigned int i = 1; i < cpus; i++) {
		smp_start(i, SMP_PAGE);
	}
	smp_forget();
	for (unsigned int i = 1; i < cpus; i++) {
		smp_call(i, check_id, &i);
		RT_CHECK(smp_starts(i) == 1);
	}
	smp_forget();
	rt_puts("manycpus: OK\n");
	return 0;
}
