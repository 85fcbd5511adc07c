/*
 * topology.c: APIC IDs and the CPUID leaves about them, with the values that the manuals' algorithms turn back into the
 * grouping that was asked for.
 */
#include <string.h>
#include "fake/suite.h"
#include "hvm/topology.h"

enum { EAX, EBX, ECX, EDX };

static uint32_t r[4];

static void leaf(const struct topology *t, unsigned int vcpu, uint32_t n, uint32_t subleaf)
{
	ck_assert(topology_leaf(t, topology_apic_id(t, vcpu), n, subleaf, r));
}

static void given(uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
	r[EAX] = a;
	r[EBX] = b;
	r[ECX] = c;
	r[EDX] = d;
}

START_TEST(test_apic_ids)
{
	static const struct {
		struct topology t;
		uint32_t core_shift, package_shift, id[9];
	} rows[] = {
		{ { 1, 9, 9, 0, false }, 1, 5, { 0, 2, 4, 6, 8, 10, 12, 14, 16 } },
		{ { 1, 9, 9, 0, true }, 0, 4, { 0, 1, 2, 3, 4, 5, 6, 7, 8 } },
		{ { 2, 2, 9, 0, false }, 1, 2, { 0, 1, 2, 3, 4, 5, 6, 7, 8 } },
		{ { 1, 3, 9, 0, false }, 1, 3, { 0, 2, 4, 8, 10, 12, 16, 18, 20 } },
		{ { 3, 2, 9, 0, false }, 2, 3, { 0, 1, 2, 4, 5, 6, 8, 9, 10 } },
		{ { 1, 1, 9, 0, false }, 1, 1, { 0, 2, 4, 6, 8, 10, 12, 14, 16 } },
	};

	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ck_assert(topology_valid(&rows[i].t));
		ck_assert_uint_eq(topology_core_shift(&rows[i].t), rows[i].core_shift);
		ck_assert_uint_eq(topology_package_shift(&rows[i].t), rows[i].package_shift);
		for (unsigned int v = 0; v < 9; v++) {
			ck_assert_uint_eq(topology_apic_id(&rows[i].t, v), rows[i].id[v]);
		}
	}
}
END_TEST

START_TEST(test_limits)
{
	const struct topology most = { .threads = 1, .cores = 128, .vcpus = 128 };
	const struct topology sockets = { .threads = 1, .cores = 1, .vcpus = 128 };
	/* 26 packages of 5 cores, each on 16 numbers */
	const struct topology sparse = { .threads = 1, .cores = 5, .vcpus = 128 };
	const struct topology none = { .threads = 0, .cores = 1, .vcpus = 1 };
	const struct topology huge = { .threads = 0xffff, .cores = 0xffff, .vcpus = 1 };

	ck_assert(topology_valid(&most));
	ck_assert_uint_eq(topology_apic_id(&most, 127), 0xfe);
	ck_assert(topology_valid(&sockets));
	ck_assert(!topology_valid(&sparse));
	ck_assert(!topology_valid(&none));
	ck_assert(!topology_valid(&huge));
}
END_TEST

/* Intel SDM volume 3: the package by leaf 1 and 4, and by leaf Bh. */
START_TEST(test_intel)
{
	const struct topology t = { .threads = 2, .cores = 4, .vcpus = 16, .vendor = TOPOLOGY_INTEL };

	given(0x306c3, 0x00000800, 0, 0x0f8bfbff);
	leaf(&t, 13, 1, 0);
	ck_assert_uint_eq(r[EBX], 0x0d080800);
	ck_assert_uint_eq(r[EDX], 0x1f8bfbff);
	/* L1: one core's two threads; L3: the whole package; four core numbers */
	given(0xfc004121, 0x01c0003f, 0x3f, 0);
	leaf(&t, 13, 4, 0);
	ck_assert_uint_eq(r[EAX], 3u << 26 | 1u << 14 | 0x121);
	ck_assert_uint_eq(r[EBX], 0x01c0003f);
	given(0xfc1fc163, 0x03c0003f, 0x1fff, 6);
	leaf(&t, 13, 4, 3);
	ck_assert_uint_eq(r[EAX], 3u << 26 | 7u << 14 | 0x163);
	given(0, 0, 0, 0);
	leaf(&t, 13, 4, 4);
	ck_assert_uint_eq(r[EAX], 0);
	for (uint32_t n = 0xb; n <= 0x1f; n += 0x14) {
		leaf(&t, 13, n, 0);
		ck_assert_uint_eq(r[EAX], 1);
		ck_assert_uint_eq(r[EBX], 2);
		ck_assert_uint_eq(r[ECX], 0x100);
		ck_assert_uint_eq(r[EDX], 13);
		leaf(&t, 13, n, 1);
		ck_assert_uint_eq(r[EAX], 3);
		ck_assert_uint_eq(r[EBX], 8);
		ck_assert_uint_eq(r[ECX], 0x201);
		leaf(&t, 13, n, 2);
		ck_assert_uint_eq(r[EAX] | r[EBX], 0);
		ck_assert_uint_eq(r[ECX], 2);
	}
	/* none of AMD's */
	given(0, 0, 0x00400121, 0);
	leaf(&t, 13, 0x80000001, 0);
	ck_assert_uint_eq(r[ECX], 0x121);
	leaf(&t, 13, 0x8000001e, 0);
	ck_assert_uint_eq(r[EAX] | r[EBX] | r[ECX] | r[EDX], 0);
	leaf(&t, 13, 0x80000008, 0);
	ck_assert_uint_eq(r[ECX], 0);
}
END_TEST

/* One vCPU: no HTT, no count. */
START_TEST(test_single)
{
	const struct topology t = { .threads = 1, .cores = 1, .vcpus = 1, .vendor = TOPOLOGY_INTEL };

	given(0, 0x00100800, 0, 0x10000000);
	leaf(&t, 0, 1, 0);
	ck_assert_uint_eq(r[EBX], 0x800);
	ck_assert_uint_eq(r[EDX], 0);
	given(0xfc1fc163, 0, 0, 0);
	leaf(&t, 0, 4, 3);
	ck_assert_uint_eq(r[EAX], 0x163);
}
END_TEST

/* AMD APM volume 3, appendix E: 80000008h, 8000001Eh, the cores' threads. */
START_TEST(test_amd)
{
	const struct topology t = { .threads = 2, .cores = 3, .vcpus = 12, .vendor = TOPOLOGY_AMD };

	given(0, 0, 0, 0);
	leaf(&t, 11, 0x80000001, 0);
	ck_assert_uint_eq(r[ECX], 1u << 22 | 1u << 1);
	leaf(&t, 11, 0x80000008, 0);
	ck_assert_uint_eq(r[ECX], 5 | 3 << 12);
	leaf(&t, 11, 0x8000001e, 0);
	ck_assert_uint_eq(r[EAX], 8 + 5);
	ck_assert_uint_eq(r[EBX], 1 << 8 | 2);
	ck_assert_uint_eq(r[ECX], 1);
	given(0x4121, 0, 0, 0);
	leaf(&t, 11, 0x8000001d, 0);
	ck_assert_uint_eq(r[EAX], 1u << 14 | 0x121);
	given(0x163, 0, 0, 0);
	leaf(&t, 11, 0x8000001d, 3);
	ck_assert_uint_eq(r[EAX], 7u << 14 | 0x163);
	ck_assert(!topology_leaf(&t, 0, 0x80000005, 0, r));
	ck_assert(!topology_leaf(&t, 0, 0, 0, r));
}
END_TEST

START_TEST(test_amd_caches)
{
	/* 64 KiB two-way and 32 KiB four-way; 512 KiB 8-way, 16 MiB 16-way, lines of 64 */
	static const uint32_t l1[4] = { 0, 0, 64u << 24 | 2 << 16 | 64, 32u << 24 | 4 << 16 | 64 };
	static const uint32_t l2[4] = { 0, 0, 512u << 16 | 6 << 12 | 64, 32u << 18 | 8 << 12 | 64 };
	static const uint32_t none[4];

	topology_amd_cache(0, l1, l2, r);
	ck_assert_uint_eq(r[EAX], 0x121);
	ck_assert_uint_eq(r[EBX], 1u << 22 | 63);
	ck_assert_uint_eq(r[ECX], 511);
	topology_amd_cache(1, l1, l2, r);
	ck_assert_uint_eq(r[EAX], 0x122);
	ck_assert_uint_eq(r[ECX], 127);
	topology_amd_cache(2, l1, l2, r);
	ck_assert_uint_eq(r[EAX], 0x143);
	ck_assert_uint_eq(r[EBX], 7u << 22 | 63);
	ck_assert_uint_eq(r[ECX], 1023);
	topology_amd_cache(3, l1, l2, r);
	ck_assert_uint_eq(r[EAX], 0x163);
	ck_assert_uint_eq(r[ECX], 16383);
	topology_amd_cache(4, l1, l2, r);
	ck_assert_uint_eq(r[EAX], 0);
	topology_amd_cache(3, l1, none, r);
	ck_assert_uint_eq(r[EAX] | r[EBX] | r[ECX] | r[EDX], 0);
	/* fully associative: one set */
	topology_amd_cache(0, (const uint32_t[4]){ 0, 0, 16u << 24 | 0xff << 16 | 64, 0 }, none, r);
	ck_assert_uint_eq(r[EAX], 0x321);
	ck_assert_uint_eq(r[EBX], 255u << 22 | 63);
	ck_assert_uint_eq(r[ECX], 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_apic_ids, test_limits, test_intel, test_single, test_amd, test_amd_caches, NULL };

	return suite_run("topology", NULL, tests);
}
