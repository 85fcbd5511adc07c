/* hvm/cpu_features.c: what is taken away, what goes with it, what is refused. */
#include <errno.h>
#include "arch/x86.h"
#include "fake/suite.h"
#include "hvm/cpu_features.h"
#include "lib/util.h"

#define B(n) (1u << (n))
enum { EAX, EBX, ECX, EDX };

static struct cpu_features f;
static const uint32_t all[4] = { ~0u, ~0u, ~0u, ~0u };

static void setup(void)
{
	f = (struct cpu_features){ 0 };
}

/* Take one bit of a register of a leaf. */
static void take(uint32_t leaf, uint32_t subleaf, unsigned int reg, unsigned int bit)
{
	uint32_t want[4] = { ~0u, ~0u, ~0u, ~0u };

	want[reg] &= ~B(bit);
	ck_assert_int_eq(cpu_features_set(&f, leaf, subleaf, all, want), 0);
	MUST(f.cut);
}

static uint32_t seen(uint32_t leaf, uint32_t subleaf, unsigned int reg)
{
	uint32_t r[4] = { ~0u, ~0u, ~0u, ~0u };

	cpu_features_apply(&f, leaf, subleaf, r);
	return r[reg];
}

START_TEST(test_nothing)
{
	ck_assert_int_eq(cpu_features_set(&f, 1, 0, all, all), 0);
	MUST(!f.cut);
	ck_assert_uint_eq(seen(1, 0, ECX), ~0u);
	ck_assert_uint_eq(cpu_features_xcr0(&f, 0x2e7), 0x2e7);
	ck_assert_uint_eq(cpu_features_cr4_off(&f), 0);
}
END_TEST

START_TEST(test_one)
{
	take(7, 0, ECX, 2);
	ck_assert_uint_eq(seen(7, 0, ECX), ~B(2));
	/* Neither another register, subleaf nor leaf. */
	ck_assert_uint_eq(seen(7, 0, EBX), ~0u);
	ck_assert_uint_eq(seen(7, 1, ECX), ~0u);
	ck_assert_uint_eq(seen(1, 0, ECX), ~0u);
	ck_assert_uint_eq(cpu_features_cr4_off(&f), CR4_UMIP);
	/* What is gone stays gone, though the second list does not mention it. */
	const uint32_t now[4] = { ~0u, ~0u, ~B(2), ~0u };
	ck_assert_int_eq(cpu_features_set(&f, 7, 0, now, now), 0);
	ck_assert_uint_eq(seen(7, 0, ECX), ~B(2));
}
END_TEST

START_TEST(test_refused)
{
	const uint32_t have[4] = { 0, 0, 5, 0 }, want[4] = { 0, 0, 2, 0 }, other[4] = { 1, 2, 5, 0 };

	ck_assert_int_eq(cpu_features_set(&f, 1, 0, have, want), -EINVAL);
	MUST(!f.cut && f.off[CPU_WORD_1C] == 0);
	/* EAX and EBX of leaf 1 are no features, and leaves without any change nothing. */
	ck_assert_int_eq(cpu_features_set(&f, 1, 0, have, other), 0);
	ck_assert_int_eq(cpu_features_set(&f, 0x80000002, 0, have, want), 0);
	MUST(!f.cut);
}
END_TEST

/* AVX away: everything that needs it, the state in XCR0, but not SSE. */
START_TEST(test_avx)
{
	take(1, 0, ECX, 28);
	ck_assert_uint_eq(seen(1, 0, ECX), ~(B(12) | B(28) | B(29)));
	ck_assert_uint_eq(seen(7, 0, EBX) & (B(5) | B(16) | B(17) | B(31)), 0);
	ck_assert_uint_eq(seen(7, 0, ECX) & (B(1) | B(9) | B(10) | B(14)), 0);
	ck_assert_uint_eq(seen(0x80000001, 0, ECX) & (B(11) | B(16)), 0);
	ck_assert_uint_eq(cpu_features_xcr0(&f, 0x2e7), 0x203);
	ck_assert_uint_eq(cpu_features_cr4_off(&f), 0);
	/* The rest of a policy that still has AVX2, which went with it. */
	const uint32_t have[4] = { 0, ~B(5), 0, 0 };
	ck_assert_int_eq(cpu_features_set(&f, 7, 0, have, all), -EINVAL);
	const uint32_t want[4] = { 0, ~0u, 0, 0 };
	ck_assert_int_eq(cpu_features_set(&f, 7, 0, have, want), 0);
	ck_assert_uint_eq(seen(7, 0, EBX) & B(5), 0);
}
END_TEST

START_TEST(test_avx512)
{
	take(7, 0, EBX, 16);
	ck_assert_uint_eq(seen(7, 0, EBX) & (B(17) | B(21) | B(28) | B(30) | B(31)), 0);
	ck_assert_uint_eq(seen(7, 0, EBX) & B(5), B(5));
	ck_assert_uint_eq(cpu_features_xcr0(&f, 0x2e7), 0x207);
}
END_TEST

START_TEST(test_xsave)
{
	take(1, 0, ECX, 26);
	ck_assert_uint_eq(cpu_features_xcr0(&f, 0x2e7), 0);
	ck_assert_uint_eq(seen(0xd, 1, EAX), 0);
	ck_assert_uint_eq(seen(1, 0, ECX) & B(28), 0);
	ck_assert_uint_eq(seen(7, 0, ECX) & B(3), 0);
	ck_assert_uint_eq(cpu_features_cr4_off(&f), CR4_OSXSAVE | CR4_PKE);
}
END_TEST

START_TEST(test_pku_and_copies)
{
	take(7, 0, ECX, 3);
	ck_assert_uint_eq(cpu_features_xcr0(&f, 0x2e7), 0xe7);
	/* AMD's copies follow the originals; SYSCALL, NX and LM are no copies. */
	take(1, 0, EDX, 13);
	ck_assert_uint_eq(seen(0x80000001, 0, EDX), ~B(13));
	take(1, 0, EDX, 11);
	ck_assert_uint_eq(seen(0x80000001, 0, EDX), ~B(13));
	ck_assert_uint_eq(cpu_features_cr4_off(&f), CR4_PKE | CR4_PGE);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_nothing, test_one, test_refused, test_avx, test_avx512, test_xsave,
		test_pku_and_copies, NULL };

	return suite_run("cpu_features", setup, tests);
}
