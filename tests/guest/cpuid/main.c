/*
 * CPUID: the hypervisor's leaves, the processor's identity as the ABI fixes it, and what must agree
 * with other registers.
 */
#include "tests/guest/rt/rt.h"

#include <xen/arch-x86/cpuid.h>

#define LAPIC_ID 0xfee00020

static void hypervisor_leaves(void)
{
	uint32_t base = rt_xen_leaf(), r[4];

	RT_CHECK(base != 0);
	cpuid(base, 0, r);
	RT_CHECK(r[0] >= base + 4 && r[0] < base + 0x100);
	cpuid(base + 1, 0, r);
	RT_CHECK(r[0] == 0x00040011);
	cpuid(base + 2, 0, r);
	RT_CHECK(r[0] == 1);
	RT_CHECK(r[1] >> 16 == 0x4000);
	cpuid(base + 4, 0, r);
	/* The virtual CPU's number is told, and is 0 here. */
	if (r[0] & XEN_HVM_CPUID_VCPU_ID_PRESENT) {
		RT_CHECK(r[1] == 0);
	}
}

static void processor(void)
{
	uint32_t r[4], vendor[4], again[4];

	cpuid(0, 0, vendor);
	RT_CHECK(vendor[0] >= 1);
	cpuid(1, 0, r);
	RT_CHECK(r[2] & 1u << 31);              /* under a hypervisor */
	RT_CHECK((r[3] & 0x2278) == 0x2278);    /* PSE, TSC, MSR, PAE, APIC, PGE ... */
	RT_CHECK(r[1] >> 24 == 0);
	RT_CHECK(mmio_read32(LAPIC_ID) >> 24 == 0);
	cpuid(0x80000000, 0, r);
	RT_CHECK(r[0] >= 0x80000008);
	cpuid(0x80000008, 0, r);
	RT_CHECK((r[0] & 0xff) >= 36 && (r[0] & 0xff) <= 52);
	/* No leaf of a virtualisation extension reaches a guest that cannot use it. */
	cpuid(0x80000001, 0, again);
	cpuid(1, 0, r);
	RT_CHECK(!(r[2] & 1u << 5));            /* VMX */
}

static void system_registers(void)
{
	uint64_t apic_base = rdmsr(0x1b);

	RT_CHECK((apic_base & 0xfffff000) == 0xfee00000);
	RT_CHECK(apic_base & 1u << 11);         /* enabled */
	RT_CHECK(apic_base & 1u << 8);          /* this is the boot processor */
	RT_CHECK(rdtsc() < rdtsc());
}

int guest_main(const struct hvm_start_info *info)
{
	(void)info;
	hypervisor_leaves();
	processor();
	system_registers();
	rt_puts("cpuid: OK\n");
	return 0;
}
