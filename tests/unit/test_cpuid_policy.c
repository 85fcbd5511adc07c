/*
 * cpuid_policy.c over a processor that claims to have everything: what passes, what is hidden, the leaves that name the
 * hypervisor, sizes of vector state.
 */
#include <string.h>
#include <xen/arch-x86/cpuid.h>
#include "arch/hw.h"
#include "arch/x86.h"
#include "arch/xstate.h"
#include "core/time.h"
#include "dom/shared_info.h"
#include "fake/fake_vcpu.h"
#include "fake/suite.h"
#include "hvm/hvm.h"
#include "lib/err.h"
#include "lib/pvscale.h"

#define B(n) (1u << (n))
enum { EAX, EBX, ECX, EDX };

static struct vcpu *const v = &fake_vcpu.v;
static uint64_t xcr0_bits;
static uint32_t max_leaf, max_extended, address_sizes;
static uint32_t r[4];

/* x87, SSE, AVX, AVX-512, PKRU as a real processor lays them out; everything else is all ones. */
static void hw_xstate(uint32_t subleaf, struct hw_cpuid_regs *h)
{
	static const uint32_t size[10] = { [2] = 256, [5] = 64, [6] = 512, [7] = 1024, [9] = 8 };
	static const uint32_t offset[10] = { [2] = 576, [5] = 1088, [6] = 1152, [7] = 1664, [9] = 2688 };

	if (subleaf == 0) {
		*h = (struct hw_cpuid_regs){ 0x2ff, 0x340, 0xa88, 0 };
	} else if (subleaf == 1) {
		*h = (struct hw_cpuid_regs){ 0x1f, 0x340, 0x1900, 0xffff };
	} else if (subleaf < 10) {
		*h = (struct hw_cpuid_regs){ size[subleaf], offset[subleaf], subleaf == 5 ? 2 : 0, 0 };
	} else {
		*h = (struct hw_cpuid_regs){ 0xdead, 0xdead, 0xdead, 0xdead };
	}
}

void hw_cpuid(uint32_t leaf, uint32_t subleaf, struct hw_cpuid_regs *h)
{
	*h = (struct hw_cpuid_regs){ ~0u, ~0u, ~0u, ~0u };
	if (leaf == 0) {
		*h = (struct hw_cpuid_regs){ max_leaf, 0x68747541, 0x444d4163, 0x69746e65 };
	} else if (leaf == 0x80000000) {
		h->eax = max_extended;
	} else if (leaf == 0x80000008) {
		h->eax = address_sizes;
	} else if (leaf == 0xd) {
		hw_xstate(subleaf, h);
	}
}

uint64_t xstate_supported(void)
{
	return xcr0_bits;
}

uint64_t time_tsc_khz(void)
{
	return 2345678;
}

void shared_info_tsc_scale(const struct domain *d, struct pvscale *s)
{
	*s = (struct pvscale){ 0x80000000, -1 };
}

static void set_vcpus(uint16_t n)
{
	fake_vcpu.d.max_vcpus = n;
	hvm_topology_default(&fake_vcpu.d);
}

static void setup(void)
{
	fake_vcpu_reset();
	fake_vcpu.hvm.lapic.base = APIC_BASE_ENABLE;
	fake_vcpu.hvm.lapic.id = 6;
	fake_vcpu.hvm.lapic.x2apic_ok = true;
	fake_vcpu.hvm_domain.has_pc = true;
	xcr0_bits = 0x2e7;
	max_leaf = 0x20;
	max_extended = 0x80000028;
	address_sizes = 0x00303028;
	set_vcpus(1);
}

static void leaf(uint32_t n, uint32_t subleaf)
{
	memset(r, 0x5a, sizeof(r));
	hvm_cpuid(v, n, subleaf, r);
}

static void is_zero(uint32_t n, uint32_t subleaf)
{
	leaf(n, subleaf);
	MUST(r[0] == 0 && r[1] == 0 && r[2] == 0 && r[3] == 0);
}

static void is(uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
	ck_assert_uint_eq(r[EAX], a);
	ck_assert_uint_eq(r[EBX], b);
	ck_assert_uint_eq(r[ECX], c);
	ck_assert_uint_eq(r[EDX], d);
}

START_TEST(test_limits)
{
	leaf(0, 0);
	is(0x1f, 0x68747541, 0x444d4163, 0x69746e65);
	leaf(0x80000000, 0);
	ck_assert_uint_eq(r[EAX], 0x8000001e);
	/* Never more than the machine has. */
	max_leaf = 0xd;
	max_extended = 0x80000004;
	leaf(0, 0);
	ck_assert_uint_eq(r[EAX], 0xd);
	leaf(0x80000000, 0);
	ck_assert_uint_eq(r[EAX], 0x80000004);
}
END_TEST

START_TEST(test_unlisted_leaves)
{
	static const uint32_t zero[] = { 3, 4, 5, 6, 8, 9, 0xa, 0xc, 0xe, 0xf, 0x10, 0x12, 0x14, 0x17, 0x18, 0x19, 0x1a,
		0x20, 0x8000000a, 0x80000009, 0x8000001a, 0x8000001b, 0x8000001f,
		0x80000020, 0x80000021, 0x40000005, 0x400000ff, 0x40000100, 0x3fffffff, 0x7fffffff, 0xffffffff };

	for (unsigned int i = 0; i < ARRAY_SIZE(zero); i++) {
		is_zero(zero[i], 0);
		is_zero(zero[i], 1);
	}
	/* Whatever is asked, an answer, and the same twice: no leaf shows what stood in the caller's registers. */
	for (uint32_t n = 0; n < 0x40; n++) {
		for (uint32_t sub = 0; sub < 70; sub++) {
			uint32_t first[4], second[4];
			memset(first, 0, sizeof(first));
			memset(second, 0xff, sizeof(second));
			hvm_cpuid(v, n, sub, first);
			hvm_cpuid(v, n, sub, second);
			MUST(memcmp(first, second, sizeof(first)) == 0);
		}
	}
}
END_TEST

START_TEST(test_leaf1)
{
	leaf(1, 0);
	/* hidden: DTES64 MONITOR DS-CPL VMX SMX EST TM2 CNXT-ID SDBG xTPR PDCM DCA */
	static const unsigned int hidden[] = { 2, 3, 4, 5, 6, 7, 8, 10, 11, 14, 15, 16, 18 };
	for (unsigned int i = 0; i < ARRAY_SIZE(hidden); i++) {
		ck_assert_uint_eq(r[ECX] & B(hidden[i]), 0);
	}
	/* there: SSE3 CX16 x2APIC deadline timer, AES, XSAVE, AVX, and the hypervisor bit */
	static const unsigned int there[] = { 0, 13, 21, 24, 25, 26, 28, 31 };
	for (unsigned int i = 0; i < ARRAY_SIZE(there); i++) {
		ck_assert_uint_ne(r[ECX] & B(there[i]), 0);
	}
	/* hidden: VME PSN DS ACPI SS TM IA64 PBE; and with one vCPU HTT */
	ck_assert_uint_eq(r[EDX] & (B(1) | B(18) | B(21) | B(22) | B(27) | B(28) | B(29) | B(30) | B(31)), 0);
	ck_assert_uint_eq(r[EDX] & B(9), B(9));
	/* initial APIC ID, no HTT count, CLFLUSH line; no brand index */
	ck_assert_uint_eq(r[EBX], 0x0600ff00);
	set_vcpus(4);
	leaf(1, 0);
	ck_assert_uint_eq(r[EBX], 0x0608ff00);
	ck_assert_uint_eq(r[EDX] & B(28), B(28));
	set_vcpus(128);
	leaf(1, 0);
	ck_assert_uint_eq(r[EBX], 0x06ffff00);
}
END_TEST

START_TEST(test_leaf1_state)
{
	/* OSXSAVE follows CR4. */
	leaf(1, 0);
	ck_assert_uint_eq(r[ECX] & B(27), 0);
	fake_vcpu.sys.cr4 |= CR4_OSXSAVE;
	leaf(1, 0);
	ck_assert_uint_eq(r[ECX] & B(27), B(27));
	/* APIC follows its global enable. */
	fake_vcpu.hvm.lapic.base = 0;
	leaf(1, 0);
	ck_assert_uint_eq(r[EDX] & B(9), 0);
	leaf(0x80000001, 0);
	ck_assert_uint_eq(r[EDX] & B(9), 0);
	/* Dom0: no x2APIC where it cannot be, no deadline timer. */
	fake_vcpu.hvm.lapic.x2apic_ok = false;
	fake_vcpu.hvm_domain.has_pc = false;
	leaf(1, 0);
	ck_assert_uint_eq(r[ECX] & (B(21) | B(24)), 0);
}
END_TEST

/* Instructions on vector state that cannot be turned on are not there. */
START_TEST(test_vector_features)
{
	xcr0_bits = 0;
	leaf(1, 0);
	ck_assert_uint_eq(r[ECX] & (B(12) | B(26) | B(27) | B(28) | B(29)), 0);
	leaf(7, 0);
	ck_assert_uint_eq(r[EBX] & (B(5) | 0xd0230000), 0);
	ck_assert_uint_eq(r[ECX] & (B(1) | B(3) | B(6) | B(9) | B(10) | B(11) | B(12) | B(14)), 0);
	leaf(0x80000001, 0);
	ck_assert_uint_eq(r[ECX] & (B(11) | B(16)), 0);
	/* XSAVE without AVX */
	xcr0_bits = 3;
	leaf(1, 0);
	ck_assert_uint_eq(r[ECX] & (B(12) | B(26) | B(28) | B(29)), B(26));
	leaf(7, 0);
	ck_assert_uint_eq(r[EBX] & (B(5) | 0xd0230000), 0);
	/* AVX without AVX-512 */
	xcr0_bits = 7;
	leaf(1, 0);
	ck_assert_uint_eq(r[ECX] & (B(12) | B(26) | B(28) | B(29)), B(12) | B(26) | B(28) | B(29));
	leaf(7, 0);
	ck_assert_uint_eq(r[EBX] & (B(5) | 0xd0230000), B(5));
	ck_assert_uint_eq(r[ECX] & (B(1) | B(3) | B(6) | B(9) | B(10) | B(11) | B(12) | B(14)), B(9) | B(10));
	leaf(0x80000001, 0);
	ck_assert_uint_eq(r[ECX] & (B(11) | B(16)), B(11) | B(16));
	xcr0_bits = 0xe7;
	leaf(7, 0);
	ck_assert_uint_eq(r[EBX] & (B(5) | 0xd0230000), B(5) | 0xd0230000);
}
END_TEST

START_TEST(test_leaf7)
{
	leaf(7, 0);
	ck_assert_uint_eq(r[EAX], 0);
	/* hidden: SGX HLE PQM FDP MPX RTM PQE PT */
	ck_assert_uint_eq(r[EBX] & (B(2) | B(4) | B(6) | B(11) | B(12) | B(13) | B(14) | B(15) | B(22) | B(25)), 0);
	ck_assert_uint_eq(r[EBX] & (B(0) | B(7) | B(20)), B(0) | B(7) | B(20));
	/* hidden: OSPKE (off in CR4) WAITPKG CET-SS TME LA57 MAWAU BUS-LOCK ... */
	ck_assert_uint_eq(r[ECX] & (B(4) | B(5) | B(7) | B(13) | B(16) | 0xff3e0000), 0);
	ck_assert_uint_eq(r[ECX] & B(3), B(3));
	/* FSRM MD_CLEAR SPEC_CTRL STIBP ARCH_CAPABILITIES SSBD; not L1D_FLUSH, CET-IBT, HYBRID ... */
	ck_assert_uint_eq(r[EDX], B(4) | B(10) | B(26) | B(27) | B(29) | B(31));
	/* TSC_ADJUST is made here, for those whose TSC is */
	ck_assert_uint_eq(r[EBX] & B(1), B(1));
	fake_vcpu.hvm_domain.has_pc = false;
	leaf(7, 0);
	fake_vcpu.hvm_domain.has_pc = true;
	fake_vcpu.sys.cr4 |= CR4_PKE;
	leaf(7, 0);
	ck_assert_uint_eq(r[ECX] & (B(3) | B(4)), B(3) | B(4));
	for (uint32_t sub = 1; sub < 4; sub++) {
		is_zero(7, sub);
	}
	xcr0_bits = 7;
	leaf(7, 0);
	ck_assert_uint_eq(r[ECX] & (B(3) | B(4)), 0);
}
END_TEST

START_TEST(test_extended)
{
	leaf(0x80000001, 0);
	/* hidden: SVM EXTAPIC CR8LEGACY IBS OSVW SKINIT WDT LWP TCE NODEID PERFCTR ... MWAITX; TOPOEXT is ours */
	ck_assert_uint_eq(r[ECX], B(0) | B(5) | B(6) | B(7) | B(8) | B(11) | B(16) | B(21) | B(22));
	/* as leaf 1: no VME; SYSCALL NX MMXEXT FFXSR 1G RDTSCP LM; 3DNow not */
	ck_assert_uint_eq(r[EDX] & B(1), 0);
	ck_assert_uint_eq(r[EDX], 0x0183f3fdu | B(11) | B(20) | B(22) | B(25) | B(26) | B(27) | B(29));
	leaf(0x80000007, 0);
	is(0, 0, 0, B(8));
	leaf(0x80000008, 0);
	is(0x3028, B(0) | B(9) | B(12) | B(14) | B(15) | B(24), 0x1000, 0);
	/* Five-level paging is not offered: linear addresses have 48 bits. */
	address_sizes = 0x00003934;
	leaf(0x80000008, 0);
	ck_assert_uint_eq(r[EAX], 0x3034);
	is_zero(0x8000000a, 0);
	is_zero(0x8000001f, 0);
}
END_TEST

START_TEST(test_topology)
{
	static const struct {
		uint16_t vcpus;
		uint32_t shift;
	} row[] = { { 1, 1 }, { 2, 2 }, { 3, 3 }, { 4, 3 }, { 5, 4 }, { 8, 4 }, { 128, 8 } };

	for (unsigned int i = 0; i < ARRAY_SIZE(row); i++) {
		set_vcpus(row[i].vcpus);
		leaf(0xb, 0);
		is(1, 1, 0x100, 6);
		leaf(0xb, 1);
		is(row[i].shift, row[i].vcpus, 0x201, 6);
		leaf(0xb, 2);
		is(0, 0, 2, 6);
	}
}
END_TEST

START_TEST(test_xstate)
{
	leaf(0xd, 0);
	/* EBX is the size for what is on now, as the processor says it. */
	is(0x2e7, 0x340, 2696, 0);
	/* Subleaf 1: the compacted size, computed; component 5 begins on a multiple of 64. */
	fake_vcpu.v.arch.xcr0 = 7;
	leaf(0xd, 1);
	is(7, 832, 0, 0);
	fake_vcpu.v.arch.xcr0 = 0x227;
	leaf(0xd, 1);
	is(7, 832 + 64 + 8, 0, 0);
	leaf(0xd, 2);
	is(256, 576, 0, 0);
	leaf(0xd, 5);
	is(64, 1088, 2, 0);
	leaf(0xd, 9);
	is(8, 2688, 0, 0);
	/* not offered, or nonsense */
	is_zero(0xd, 3);
	is_zero(0xd, 4);
	is_zero(0xd, 8);
	is_zero(0xd, 10);
	is_zero(0xd, 63);
	is_zero(0xd, 64);
	is_zero(0xd, 66);
	is_zero(0xd, ~0u);
	xcr0_bits = 7;
	leaf(0xd, 0);
	is(7, 0x340, 832, 0);
	is_zero(0xd, 5);
	xcr0_bits = 3;
	leaf(0xd, 0);
	ck_assert_uint_eq(r[ECX], 576);
	xcr0_bits = 0;
	for (uint32_t sub = 0; sub < 10; sub++) {
		is_zero(0xd, sub);
	}
}
END_TEST

START_TEST(test_xen_leaves)
{
	leaf(0x40000000, 0);
	is(0x40000004, 0x566e6558, 0x65584d4d, 0x4d4d566e);
	leaf(0x40000001, 0);
	is(4u << 16 | 17, 0, 0, 0);
	leaf(0x40000002, 0);
	is(1, 0x40000000, 0, 0);
	leaf(0x40000003, 0);
	is(B(1), 0, 2345678, 0);
	v->arch.tsc_offset = -0x246800000000;
	leaf(0x40000003, 1);
	is(0, 0x91a, 0x80000000, (uint32_t)-1);
	leaf(0x40000003, 2);
	is(2345678, 0, 0, 0);
	is_zero(0x40000003, 3);
	/* another rate is the guest's, not the machine's */
	v->domain->tsc_khz = 1000000;
	leaf(0x40000003, 0);
	is(B(1), 0, 1000000, 0);
	leaf(0x40000003, 2);
	is(2345678, 0, 0, 0);
	v->id = 3;
	leaf(0x40000004, 0);
	is(B(3) | B(4), 3, 7, 0);
	is_zero(0x40000005, 0);
}
END_TEST

START_TEST(test_exit)
{
	struct vmexit e = { .kind = VMEXIT_CPUID };
	uint64_t *g = v->arch.regs.gpr;

	/* The upper halves of the inputs are ignored, those of the results zero. */
	g[GPR_RAX] = 0xffffffff40000000ull;
	g[GPR_RCX] = 0xffffffff00000000ull;
	g[GPR_RBX] = g[GPR_RDX] = ~0ull;
	g[GPR_RSI] = 0x77;
	ck_assert_int_eq(exit_cpuid(v, &e), EXIT_NEXT);
	ck_assert_uint_eq(g[GPR_RAX], 0x40000004);
	ck_assert_uint_eq(g[GPR_RBX], 0x566e6558);
	ck_assert_uint_eq(g[GPR_RCX], 0x65584d4d);
	ck_assert_uint_eq(g[GPR_RDX], 0x4d4d566e);
	ck_assert_uint_eq(g[GPR_RSI], 0x77);
}
END_TEST

START_TEST(test_cr4)
{
	uint64_t a = hvm_cr4_allowed(v->domain);

	ck_assert_uint_eq(a & (CR4_VMXE | CR4_LA57 | 1ull << 14 | 1ull << 15 | 1ull << 19 | ~0x7fffffull), 0);
	ck_assert_uint_eq(a & (CR4_PSE | CR4_PAE | CR4_PGE | CR4_SMEP | CR4_SMAP | CR4_PKE | CR4_PCIDE | CR4_OSXSAVE),
			  CR4_PSE | CR4_PAE | CR4_PGE | CR4_SMEP | CR4_SMAP | CR4_PKE | CR4_PCIDE | CR4_OSXSAVE);
}
END_TEST

/* The list for the toolstack, and what becomes of features that it takes away. */
START_TEST(test_policy_list)
{
	uint32_t n, sub, want[4];
	unsigned int count = 0;

	struct vcpu *all[1] = { v };

	fake_vcpu.d.vcpu = all;
	fake_vcpu.d.max_vcpus = 1;
	while (hvm_cpu_policy_leaf(&fake_vcpu.d, count, &n, &sub, r) == 0) {
		hvm_cpuid(v, n, sub == XEN_CPUID_NO_SUBLEAF ? 0 : sub, want);
		ck_assert_mem_eq(r, want, sizeof(want));
		ck_assert_int_eq(hvm_cpu_policy_set(&fake_vcpu.d, n, sub, want), 0);
		count++;
	}
	ck_assert_uint_gt(count, 20);
	MUST(!fake_vcpu.hvm_domain.features.cut);
	leaf(1, 0);
	memcpy(want, r, sizeof(want));
	want[ECX] &= ~(B(21) | B(26));
	ck_assert_int_eq(hvm_cpu_policy_set(&fake_vcpu.d, 1, XEN_CPUID_NO_SUBLEAF, want), 0);
	MUST(!fake_vcpu.hvm.lapic.x2apic_ok);
	leaf(1, 0);
	ck_assert_uint_eq(r[ECX] & (B(21) | B(26) | B(28)), 0);
	is_zero(0xd, 0);
	is_zero(0xd, 1);
	ck_assert_uint_eq(hvm_xcr0_allowed(&fake_vcpu.d), 0);
	ck_assert_uint_eq(hvm_cr4_allowed(&fake_vcpu.d) & (CR4_OSXSAVE | CR4_SMEP), CR4_SMEP);
	/* What is gone may be named, and stays gone; what never was may not. */
	want[ECX] |= B(26);
	ck_assert_int_eq(hvm_cpu_policy_set(&fake_vcpu.d, 1, XEN_CPUID_NO_SUBLEAF, want), 0);
	leaf(1, 0);
	ck_assert_uint_eq(r[ECX] & B(26), 0);
	want[ECX] |= B(5);
	ck_assert_int_eq(hvm_cpu_policy_set(&fake_vcpu.d, 1, XEN_CPUID_NO_SUBLEAF, want), -EINVAL);
	all[0] = NULL;
	ck_assert_int_eq(hvm_cpu_policy_leaf(&fake_vcpu.d, 0, &n, &sub, r), -EINVAL);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_limits, test_unlisted_leaves, test_leaf1, test_leaf1_state,
		test_vector_features, test_leaf7, test_extended, test_topology, test_xstate, test_xen_leaves,
		test_exit, test_cr4, test_policy_list, NULL };

	return suite_run("cpuid_policy", setup, tests);
}
