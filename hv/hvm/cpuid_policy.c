/*
 * What CPUID says to a guest: the machine's features cut by a table, plus the leaves that name the hypervisor.
 *
 * Default deny: a leaf that is not listed reads zero. Intel SDM volume 2, "CPUID"; AMD APM volume 3, appendix E; Xen's
 * public header arch-x86/cpuid.h.
 */
#include <stddef.h>
#include <stdint.h>
#include <xen/arch-x86/cpuid.h>
#include "arch/hw.h"
#include "arch/x86.h"
#include "arch/xstate.h"
#include "core/time.h"
#include "dom/shared_info.h"
#include "hvm/hvm.h"
#include "hvm/hvm_state.h"
#include "hvm/topology.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/pvscale.h"

enum { EAX, EBX, ECX, EDX };

#define B(n) (1u << (n))

/* Features that pass when the processor has them. */
#define F1_ECX (B(0) | B(1) | B(9) | B(12) | B(13) | B(17) | B(19) | B(20) | B(22) | B(23) | B(25) | B(26) | \
		B(28) | B(29) | B(30))
#define F1_EDX (B(0) | B(2) | B(3) | B(4) | B(5) | B(6) | B(8) | B(9) | B(11) | B(12) | B(13) | B(15) | B(16) | \
		B(17) | B(19) | B(23) | B(24) | B(25) | B(26) | B(7) | B(14))
/* FSGSBASE BMI1 AVX2 SMEP BMI2 ERMS INVPCID AVX512F DQ RDSEED ADX SMAP IFMA CLFLUSHOPT CLWB CD SHA BW VL */
#define F7_EBX (B(0) | B(3) | B(5) | B(7) | B(8) | B(9) | B(10) | B(16) | B(17) | B(18) | B(19) | B(20) | B(21) | \
		B(23) | B(24) | B(28) | B(29) | B(30) | B(31))
/* VBMI UMIP PKU VBMI2 GFNI VAES VPCLMUL VNNI BITALG VPOPCNTDQ RDPID */
#define F7_ECX (B(1) | B(2) | B(3) | B(6) | B(8) | B(9) | B(10) | B(11) | B(12) | B(14) | B(22))
/* FSRM MD_CLEAR; SPEC_CTRL STIBP ARCH_CAPABILITIES SSBD */
#define F7_EDX (B(4) | B(10) | B(26) | B(27) | B(29) | B(31))
/* CLZERO WBNOINVD; IBPB IBRS STIBP SSBD */
#define FE8_EBX (B(0) | B(9) | B(12) | B(14) | B(15) | B(24))
/* LAHF64 ABM SSE4A MISALIGN 3DNOWPREFETCH XOP FMA4 TBM and the legacy CMP and extended APIC space bits not */
#define FE1_ECX (B(0) | B(5) | B(6) | B(7) | B(8) | B(11) | B(16) | B(21))
/* The copies of leaf 1's bits, which hide the same (VME), and SYSCALL NX MMXEXT FFXSR 1G RDTSCP LM */
#define FE1_EDX (0x0183f3fdu | B(11) | B(20) | B(22) | B(25) | B(26) | B(27) | B(29))

struct policy_row {
	uint32_t leaf;
	bool has_subleaf;       /* only subleaf 0 is described by this row */
	uint32_t mask[4];
};

static const struct policy_row rows[] = {
	{ 0x1, false, { ~0u, 0x0000ff00, F1_ECX, F1_EDX } },
	{ 0x2, false, { ~0u, ~0u, ~0u, ~0u } },
	{ 0x7, true, { 0, F7_EBX, F7_ECX, F7_EDX } },
	{ 0x15, false, { ~0u, ~0u, ~0u, 0 } },
	{ 0x16, false, { ~0u, ~0u, ~0u, 0 } },
	{ 0x80000001, false, { ~0u, ~0u, FE1_ECX, FE1_EDX } },
	{ 0x80000002, false, { ~0u, ~0u, ~0u, ~0u } },
	{ 0x80000003, false, { ~0u, ~0u, ~0u, ~0u } },
	{ 0x80000004, false, { ~0u, ~0u, ~0u, ~0u } },
	{ 0x80000005, false, { ~0u, ~0u, ~0u, ~0u } },
	{ 0x80000006, false, { ~0u, ~0u, ~0u, ~0u } },
	{ 0x80000007, false, { 0, 0, 0, B(8) } },
	{ 0x80000008, false, { 0xffff, FE8_EBX, 0, 0 } },
};

/* Instructions that work on vector state: there only when guests can turn that state on in XCR0. */
static const struct {
	uint64_t xcr0;
	uint32_t leaf;
	uint8_t reg;
	uint32_t bits;
} state_rows[] = {
	{ 1, 0x1, ECX, B(26) },                                         /* XSAVE */
	{ 1 << 2, 0x1, ECX, B(12) | B(28) | B(29) },                    /* FMA AVX F16C */
	{ 1 << 2, 0x7, EBX, B(5) },                                     /* AVX2 */
	{ 1 << 2, 0x7, ECX, B(9) | B(10) },                             /* VAES VPCLMUL */
	{ 1 << 2, 0x80000001, ECX, B(11) | B(16) },                     /* XOP FMA4 */
	{ 7 << 5, 0x7, EBX, B(16) | B(17) | B(21) | B(28) | B(30) | B(31) }, /* AVX-512 */
	{ 7 << 5, 0x7, ECX, B(1) | B(6) | B(11) | B(12) | B(14) },
	{ 1 << 9, 0x7, ECX, B(3) },                                     /* PKU */
};

#define LEAF_MAX          0x1fu
#define LEAF_EXTENDED_MAX 0x8000001eu

static void host(uint32_t leaf, uint32_t subleaf, uint32_t r[4])
{
	struct hw_cpuid_regs h;
	hw_cpuid(leaf, subleaf, &h);
	r[EAX] = h.eax;
	r[EBX] = h.ebx;
	r[ECX] = h.ecx;
	r[EDX] = h.edx;
}

uint64_t hvm_cr4_allowed(const struct domain *d)
{
	/* everything up to SMAP and PKE but the two that start nested virtualisation, and five-level paging */
	return 0x7fffffull & ~(CR4_VMXE | CR4_LA57 | 1ull << 14 | 1ull << 15 | 1ull << 19) &
	       ~cpu_features_cr4_off(&d->hvm->features);
}

unsigned int hvm_address_bits(void)
{
	uint32_t r[4];
	host(0x80000000, 0, r);
	if (r[EAX] < 0x80000008) {
		return 36;
	}
	host(0x80000008, 0, r);
	return r[EAX] & 0xff;
}

uint64_t hvm_xcr0_allowed(const struct domain *d)
{
	return cpu_features_xcr0(&d->hvm->features, xstate_supported());
}

static void hide_disabled_apic(const struct vcpu *v, uint32_t r[4])
{
	if (!(v->hvm->lapic.base & APIC_BASE_ENABLE)) {
		r[EDX] &= ~B(9);
	}
}

static void adjust_leaf1(struct vcpu *v, uint32_t r[4])
{
	struct sys_regs s;
	virt->get_sys(&v->arch, &s);
	r[ECX] |= B(31);
	r[ECX] |= v->hvm->lapic.x2apic_ok ? B(21) : 0;
	r[ECX] |= v->domain->hvm->has_pc ? B(24) : 0;
	if ((r[ECX] & B(26)) && (s.cr4 & CR4_OSXSAVE)) {
		r[ECX] |= B(27);
	}
	hide_disabled_apic(v, r);
}

/* Protection keys are on for the guest's programs when it says so in CR4. */
static void adjust_leaf7(struct vcpu *v, uint32_t r[4])
{
	struct sys_regs s;
	virt->get_sys(&v->arch, &s);
	if ((r[ECX] & B(3)) && (s.cr4 & CR4_PKE)) {
		r[ECX] |= B(4);
	}
	r[EBX] |= v->domain->hvm->has_pc ? B(1) : 0;    /* TSC_ADJUST; Dom0's TSC is the machine's */
}

static bool host_has_topoext(void)
{
	uint32_t r[4];
	host(0x80000000, 0, r);
	if (r[EAX] < 0x8000001d) {
		return false;
	}
	host(0x80000001, 0, r);
	return r[ECX] & B(22);
}

/* Caches: Intel's leaf 4, AMD's 8000001Dh; topology.c says who shares them. */
static void leaf_caches(const struct vcpu *v, uint32_t leaf, uint32_t subleaf, uint32_t r[4])
{
	uint32_t l1[4], l2[4], of_vendor = v->domain->hvm->topology.vendor == TOPOLOGY_AMD ? 0x8000001d : 4;
	memset(r, 0, 16);
	if (leaf != of_vendor || subleaf >= 8) {
		return;
	}
	if (leaf == 4 || host_has_topoext()) {
		host(leaf, subleaf, r);
		return;
	}
	host(0x80000005, 0, l1);
	host(0x80000006, 0, l2);
	topology_amd_cache(subleaf, l1, l2, r);
}

/* Size of the compacted form for what is turned on: some processors (emulated ones) report the other form's. */
static uint32_t compacted_size(uint64_t xcr0)
{
	uint32_t size = 576;
	for (unsigned int i = 2; i < 63; i++) {
		uint32_t c[4];
		if (xcr0 >> i & 1) {
			host(0xd, i, c);
			size = (c[ECX] & 2 ? (size + 63) & ~63u : size) + c[EAX];
		}
	}
	return size;
}

/* State components: what guests may enable; sizes follow the processor's own layout. */
static void leaf_xstate(const struct vcpu *v, uint32_t subleaf, uint32_t r[4])
{
	uint64_t have = hvm_xcr0_allowed(v->domain);
	if (have == 0) {
		memset(r, 0, 16);
		return;
	}
	host(0xd, subleaf, r);
	if (subleaf == 0) {
		uint32_t size = 576;
		for (unsigned int i = 2; i < 63; i++) {
			uint32_t c[4];
			if (have >> i & 1) {
				host(0xd, i, c);
				size = MAX(size, c[EAX] + c[EBX]);
			}
		}
		r[EAX] = (uint32_t)have;
		r[EDX] = (uint32_t)(have >> 32);
		r[ECX] = size;
	} else if (subleaf == 1) {
		r[EAX] &= 7;            /* XSAVEOPT, XSAVEC, XGETBV with ECX 1; no XSAVES */
		r[ECX] = r[EDX] = 0;
		r[EBX] = r[EAX] & 2 ? compacted_size(v->arch.xcr0) : r[EBX];
	} else if (subleaf >= 64 || !(have >> subleaf & 1)) {
		memset(r, 0, 16);
	}
}

static void leaf_xen(struct vcpu *v, uint32_t leaf, uint32_t subleaf, uint32_t r[4])
{
	memset(r, 0, 16);
	switch (leaf - XEN_CPUID_FIRST_LEAF) {
	case 0:
		r[EAX] = XEN_CPUID_FIRST_LEAF + 4;
		r[EBX] = XEN_CPUID_SIGNATURE_EBX;
		r[ECX] = XEN_CPUID_SIGNATURE_ECX;
		r[EDX] = XEN_CPUID_SIGNATURE_EDX;
		break;
	case 1:
		r[EAX] = 4u << 16 | 17;
		break;
	case 2:
		r[EAX] = 1;
		r[EBX] = 0x40000000;
		break;
	case 3:
		if (subleaf == 0) {
			r[EAX] = B(1);
			r[ECX] = hvm_tsc_khz(v->domain);
		} else if (subleaf == 1) {
			struct pvscale scale;
			shared_info_tsc_scale(v->domain, &scale);
			uint64_t offset = pvscale_apply(&scale, (uint64_t)-v->arch.tsc_offset);
			r[EAX] = (uint32_t)offset;
			r[EBX] = (uint32_t)(offset >> 32);
			r[ECX] = scale.mul;
			r[EDX] = (uint32_t)(int32_t)scale.shift;
		} else if (subleaf == 2) {
			r[EAX] = (uint32_t)time_tsc_khz();      /* the machine's */
		}
		break;
	case 4:
		/* without the upcall-vector bit guests take event channels by a callback vector, which needs no EOI:
		 * an exit less per event */
		r[EAX] = XEN_HVM_CPUID_VCPU_ID_PRESENT | XEN_HVM_CPUID_DOMID_PRESENT;
		r[EBX] = v->id;
		r[ECX] = v->domain->id;
		break;
	default:
		break;
	}
}

static const struct policy_row *find(uint32_t leaf)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].leaf == leaf) {
			return &rows[i];
		}
	}
	return NULL;
}

static void by_table(uint32_t leaf, uint32_t subleaf, uint32_t r[4])
{
	const struct policy_row *row = find(leaf);
	if (row == NULL || (row->has_subleaf && subleaf != 0)) {
		memset(r, 0, 16);
		return;
	}
	host(leaf, 0, r);
	for (unsigned int i = 0; i < 4; i++) {
		r[i] &= row->mask[i];
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(state_rows); i++) {
		if (state_rows[i].leaf == leaf &&
		    (xstate_supported() & state_rows[i].xcr0) != state_rows[i].xcr0) {
			r[state_rows[i].reg] &= ~state_rows[i].bits;
		}
	}
}

void hvm_topology_default(struct domain *d)
{
	uint32_t r[4];
	host(0, 0, r);
	d->hvm->topology = (struct topology){
		.threads = 1, .cores = d->max_vcpus, .vcpus = d->max_vcpus, .dense = !d->hvm->has_pc,
		/* AuthenticAMD, HygonGenuine */
		.vendor = r[EBX] == 0x68747541 || r[EBX] == 0x6f677948 ? TOPOLOGY_AMD : TOPOLOGY_INTEL,
	};
}

/* Leaves with features that the domain may have lost. */
static void cut(const struct vcpu *v, uint32_t leaf, uint32_t subleaf, uint32_t r[4])
{
	cpu_features_apply(&v->domain->hvm->features, leaf, subleaf, r);
}

/* Out of line, so that the leaf which programs ask for only to wait for the processor pays for no other. */
static __attribute__((noinline)) void by_policy(struct vcpu *v, uint32_t leaf, uint32_t subleaf, uint32_t r[4])
{
	switch (leaf) {
	case 1:
		by_table(leaf, subleaf, r);
		adjust_leaf1(v, r);
		cut(v, leaf, subleaf, r);
		return;
	case 7:
		by_table(leaf, subleaf, r);
		if (subleaf == 0) {
			adjust_leaf7(v, r);
		}
		cut(v, leaf, subleaf, r);
		return;
	case 4:
	case 0x8000001d:
		leaf_caches(v, leaf, subleaf, r);
		return;
	case 0xd:
		leaf_xstate(v, subleaf, r);
		cut(v, leaf, subleaf, r);
		return;
	case 0x80000000:
		host(leaf, 0, r);
		r[EAX] = MIN(r[EAX], LEAF_EXTENDED_MAX);
		return;
	case 0x80000001:
		by_table(leaf, subleaf, r);
		hide_disabled_apic(v, r);
		cut(v, leaf, subleaf, r);
		return;
	case 0x80000007:
		by_table(leaf, subleaf, r);
		cut(v, leaf, subleaf, r);
		return;
	case 0x80000008:
		/* Four levels of paging make 48 bits of linear address, whatever the processor could do. */
		by_table(leaf, subleaf, r);
		r[EAX] = (r[EAX] & 0xff) | MIN(r[EAX] >> 8 & 0xff, 48u) << 8;
		cut(v, leaf, subleaf, r);
		return;
	default:
		break;
	}
	if (leaf >= XEN_CPUID_FIRST_LEAF && leaf <= XEN_CPUID_FIRST_LEAF + 4) {
		leaf_xen(v, leaf, subleaf, r);
		return;
	}
	by_table(leaf, subleaf, r);
}

void hvm_cpuid(struct vcpu *v, uint32_t leaf, uint32_t subleaf, uint32_t r[4])
{
	if (leaf == 0) {
		host(0, 0, r);
		r[EAX] = MIN(r[EAX], LEAF_MAX);
		return;
	}
	by_policy(v, leaf, subleaf, r);
	(void)topology_leaf(&v->domain->hvm->topology, v->hvm->lapic.id, leaf, subleaf, r);
}

enum verdict exit_cpuid(struct vcpu *v, const struct vmexit *e)
{
	uint64_t *g = v->arch.regs.gpr;
	uint32_t r[4];
	hvm_cpuid(v, (uint32_t)g[GPR_RAX], (uint32_t)g[GPR_RCX], r);
	g[GPR_RAX] = r[EAX];
	g[GPR_RBX] = r[EBX];
	g[GPR_RCX] = r[ECX];
	g[GPR_RDX] = r[EDX];
	return EXIT_NEXT;
}

/* ---- the policy as a list, for the toolstack ---- */

static const struct {
	uint32_t leaf, subleaf;
} listed[] = {
	{ 0x0, XEN_CPUID_NO_SUBLEAF }, { 0x1, XEN_CPUID_NO_SUBLEAF }, { 0x2, XEN_CPUID_NO_SUBLEAF }, { 0x7, 0 },
	{ 0xb, 0 }, { 0xb, 1 }, { 0xd, 0 }, { 0xd, 1 }, { 0xd, 2 }, { 0xd, 5 }, { 0xd, 6 }, { 0xd, 7 }, { 0xd, 9 },
	{ 0x15, XEN_CPUID_NO_SUBLEAF }, { 0x16, XEN_CPUID_NO_SUBLEAF }, { 0x80000000, XEN_CPUID_NO_SUBLEAF },
	{ 0x80000001, XEN_CPUID_NO_SUBLEAF }, { 0x80000002, XEN_CPUID_NO_SUBLEAF },
	{ 0x80000003, XEN_CPUID_NO_SUBLEAF }, { 0x80000004, XEN_CPUID_NO_SUBLEAF },
	{ 0x80000005, XEN_CPUID_NO_SUBLEAF }, { 0x80000006, XEN_CPUID_NO_SUBLEAF },
	{ 0x80000007, XEN_CPUID_NO_SUBLEAF }, { 0x80000008, XEN_CPUID_NO_SUBLEAF },
};

int hvm_cpu_policy_leaf(struct domain *d, unsigned int i, uint32_t *leaf, uint32_t *subleaf, uint32_t r[4])
{
	if (i >= ARRAY_SIZE(listed)) {
		return -ENOENT;
	}
	if (d->vcpu[0] == NULL || d->vcpu[0]->hvm == NULL) {
		return -EINVAL;
	}
	*leaf = listed[i].leaf;
	*subleaf = listed[i].subleaf;
	hvm_cpuid(d->vcpu[0], *leaf, *subleaf == XEN_CPUID_NO_SUBLEAF ? 0 : *subleaf, r);
	return 0;
}

int hvm_cpu_policy_set(struct domain *d, uint32_t leaf, uint32_t subleaf, const uint32_t want[4])
{
	uint32_t have[4];
	if (d->vcpu[0] == NULL || d->vcpu[0]->hvm == NULL) {
		return -EINVAL;
	}
	hvm_cpuid(d->vcpu[0], leaf, subleaf == XEN_CPUID_NO_SUBLEAF ? 0 : subleaf, have);
	int rc = cpu_features_set(&d->hvm->features, leaf, subleaf == XEN_CPUID_NO_SUBLEAF ? 0 : subleaf, have, want);
	for (unsigned int i = 0; rc == 0 && i < d->max_vcpus; i++) {
		if (d->vcpu[i] != NULL && d->vcpu[i]->hvm != NULL &&
		    cpu_features_off(&d->hvm->features, CPU_WORD_1C, 21)) {
			d->vcpu[i]->hvm->lapic.x2apic_ok = false;
		}
	}
	return rc;
}
