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

START_TEST(test_models)
{
	const char *missing = NULL;
	char name[] = "Nehalem";

	ck_assert(cpuid_model_known("Nehalem") && !cpuid_model_known("Neh") && !cpuid_model_known(""));
	ck_assert(cpuid_model_has("Nehalem", "sse4.2") && cpuid_model_has("Nehalem", "fpu"));
	ck_assert(!cpuid_model_has("Nehalem", "avx") && !cpuid_model_has("Nehalem", "sse4"));
	ck_assert(cpuid_model_has(NULL, "x2apic") && !cpuid_model_has(NULL, "avx"));
	ck_assert_ptr_nonnull(strstr(cpuid_model_names(), "qemu64, kvm64"));

	cfg.cpu_model = name;
	ck_assert_int_eq(cpuid_apply(&cfg, leaves, 3, &missing), 0);
	/* pni ssse3 cx16 sse4.1 sse4.2 popcnt, and what no model decides: x2apic tsc-deadline osxsave, the unnamed */
	ck_assert_uint_eq(leaves[0].regs[2], 0x09b82201u | 0x80010800u);
	ck_assert_uint_eq(leaves[1].regs[1] & ((1u << 5) | (1u << 7) | (1u << 1)), 1u << 1);
	ck_assert_uint_eq(leaves[2].regs[3] & ((1u << 29) | (1u << 27)), 1u << 29);
	/* more than the model, less, and what the host may lack */
	setup();
	cfg.cpu_model = name;
	feature("avx", true);
	feature("aes", false);
	leaves[0].regs[2] &= ~(1u << 20);
	ck_assert_int_eq(cpuid_apply(&cfg, leaves, 3, &missing), -ENOENT);
	ck_assert_str_eq(missing, "sse4.2");
	/* with what it lacks taken out of the model, the rest is as wished */
	cfg.cpu_features[1].name = strcpy(names[1], "sse4.2");
	ck_assert_int_eq(cpuid_apply(&cfg, leaves, 3, &missing), 0);
	ck_assert_uint_eq(leaves[0].regs[2] & ((1u << 28) | (1u << 20) | (1u << 19) | (1u << 25)), (1u << 28) | (1u << 19));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_known, test_disable, test_require, test_models, NULL};

	return suite_run("cpuid", setup, tests);
}
