/*
 * toolstack/cpuid.c: known names and their bits, features switched off and insisted on.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fake/suite.h"
#include "toolstack/cpuid.h"

static struct guest_config cfg;
static struct cpuid_leaf leaves[3];
static char names[2][32];

static void setup(void)
{
	memset(&cfg, 0, sizeof(cfg));
	for (unsigned int i = 0; i < 3; i++) {
		leaves[i] = (struct cpuid_leaf){.subleaf = CPUID_NO_SUBLEAF,
						.regs = {~0u, ~0u, ~0u, ~0u}};
	}
	leaves[0].leaf = 1;
	leaves[1].leaf = 7;
	leaves[1].subleaf = 0;
	leaves[2].leaf = 0x80000001;
}

static void feature(const char *name, bool enable)
{
	struct config_cpu_feature *f = &cfg.cpu_features[cfg.nr_cpu_features];

	strcpy(names[cfg.nr_cpu_features], name);
	f->name = names[cfg.nr_cpu_features++];
	f->enable = enable;
}

START_TEST(test_known)
{
	ck_assert(cpuid_known("avx"));
	ck_assert(cpuid_known("sse4.2"));
	ck_assert(cpuid_known("pdpe1gb"));
	ck_assert(cpuid_known("invtsc"));
	ck_assert(!cpuid_known("turbo"));
	ck_assert(!cpuid_known(""));
}
END_TEST

START_TEST(test_disable)
{
	const char *missing = NULL;

	feature("avx", false);
	feature("smap", false);
	ck_assert_int_eq(cpuid_apply(&cfg, leaves, 3, &missing), 0);
	ck_assert_uint_eq(leaves[0].regs[2], ~(1u << 28));
	ck_assert_uint_eq(leaves[0].regs[3], ~0u);
	ck_assert_uint_eq(leaves[1].regs[1], ~(1u << 20));
}
END_TEST

START_TEST(test_require)
{
	const char *missing = NULL;

	feature("avx", false);
	feature("nx", true);
	ck_assert_int_eq(cpuid_apply(&cfg, leaves, 3, &missing), 0);
	setup();
	feature("avx", false);
	feature("nx", true);
	leaves[2].regs[3] &= ~(1u << 20);
	ck_assert_int_eq(cpuid_apply(&cfg, leaves, 3, &missing), -ENOENT);
	ck_assert_str_eq(missing, "nx");
	/* Nothing was changed. */
	ck_assert_uint_eq(leaves[0].regs[2], ~0u);
	/* A leaf that is not there has no features: not to be had, easy to do without. */
	setup();
	feature("xsaves", true);
	ck_assert_int_eq(cpuid_apply(&cfg, leaves, 3, &missing), -ENOENT);
	setup();
	feature("xsaves", false);
	ck_assert_int_eq(cpuid_apply(&cfg, leaves, 3, &missing), 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_known, test_disable, test_require, NULL};

	return suite_run("cpuid", setup, tests);
}
