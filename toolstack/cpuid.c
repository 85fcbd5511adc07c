/*
 * CPU feature names and their application to a policy. See cpuid.h.
 */
#include "toolstack/cpuid.h"

#include <errno.h>
#include <string.h>

enum cpuid_reg {
	CPUID_EAX,
	CPUID_EBX,
	CPUID_ECX,
	CPUID_EDX,
};

/* One register of one leaf, and the names of its bits. */
struct cpuid_row {
	uint32_t leaf;
	uint32_t subleaf;
	enum cpuid_reg reg;
	const char *bits[32];
};

static const struct cpuid_row cpuid_rows[] = {
	{
		.leaf = 0x1,
		.subleaf = CPUID_NO_SUBLEAF,
		.reg = CPUID_ECX,
		.bits = {
			[0] = "pni", [1] = "pclmuldq", [2] = "dtes64", [3] = "monitor",
			[4] = "ds_cpl", [5] = "vmx", [6] = "smx", [7] = "est", [8] = "tm2",
			[9] = "ssse3", [10] = "cid", [12] = "fma", [13] = "cx16", [14] = "xtpr",
			[15] = "pdcm", [17] = "pcid", [18] = "dca", [19] = "sse4.1",
			[20] = "sse4.2", [21] = "x2apic", [22] = "movbe", [23] = "popcnt",
			[24] = "tsc-deadline", [25] = "aes", [26] = "xsave", [27] = "osxsave",
			[28] = "avx", [29] = "f16c", [30] = "rdrand",
		},
	},
	{
		.leaf = 0x1,
		.subleaf = CPUID_NO_SUBLEAF,
		.reg = CPUID_EDX,
		.bits = {
			[0] = "fpu", [1] = "vme", [2] = "de", [3] = "pse", [4] = "tsc",
			[5] = "msr", [6] = "pae", [7] = "mce", [8] = "cx8", [9] = "apic",
			[11] = "sep", [12] = "mtrr", [13] = "pge", [14] = "mca", [15] = "cmov",
			[16] = "pat", [17] = "pse36", [19] = "clflush", [21] = "ds",
			[22] = "acpi", [23] = "mmx", [24] = "fxsr", [25] = "sse", [26] = "sse2",
			[27] = "ss", [28] = "ht", [29] = "tm",
		},
	},
	{
		.leaf = 0x7,
		.subleaf = 0,
		.reg = CPUID_EBX,
		.bits = {
			[0] = "fsgsbase", [1] = "tsc_adjust", [3] = "bmi1", [4] = "hle",
			[5] = "avx2", [7] = "smep", [8] = "bmi2", [9] = "erms", [10] = "invpcid",
			[11] = "rtm", [14] = "mpx", [16] = "avx512f", [17] = "avx512dq",
			[18] = "rdseed", [19] = "adx", [20] = "smap", [21] = "avx512ifma",
			[23] = "clflushopt", [24] = "clwb", [26] = "avx512pf", [27] = "avx512er",
			[28] = "avx512cd", [29] = "sha-ni", [30] = "avx512bw", [31] = "avx512vl",
		},
	},
	{
		.leaf = 0x7,
		.subleaf = 0,
		.reg = CPUID_ECX,
		.bits = {
			[1] = "avx512vbmi", [2] = "umip", [3] = "pku", [4] = "ospke",
			[5] = "waitpkg", [6] = "avx512vbmi2", [8] = "gfni", [9] = "vaes",
			[10] = "vpclmulqdq", [11] = "avx512vnni", [12] = "avx512bitalg",
			[14] = "avx512-vpopcntdq", [16] = "la57", [22] = "rdpid",
			[25] = "cldemote", [27] = "movdiri", [28] = "movdir64b",
		},
	},
	{
		.leaf = 0x7,
		.subleaf = 0,
		.reg = CPUID_EDX,
		.bits = {
			[2] = "avx512-4vnniw", [3] = "avx512-4fmaps", [4] = "fsrm",
			[8] = "avx512-vp2intersect", [10] = "md-clear", [14] = "serialize",
			[26] = "spec-ctrl", [27] = "stibp", [29] = "arch-capabilities",
			[30] = "core-capability", [31] = "ssbd",
		},
	},
	{
		.leaf = 0xd,
		.subleaf = 1,
		.reg = CPUID_EAX,
		.bits = {
			[0] = "xsaveopt", [1] = "xsavec", [2] = "xgetbv1", [3] = "xsaves",
		},
	},
	{
		.leaf = 0x80000001,
		.subleaf = CPUID_NO_SUBLEAF,
		.reg = CPUID_ECX,
		.bits = {
			[0] = "lahf_lm", [1] = "cmp_legacy", [2] = "svm", [3] = "extapic",
			[4] = "cr8legacy", [5] = "abm", [6] = "sse4a", [7] = "misalignsse",
			[8] = "3dnowprefetch", [9] = "osvw", [10] = "ibs", [11] = "xop",
			[12] = "skinit", [13] = "wdt", [15] = "lwp", [16] = "fma4", [17] = "tce",
			[19] = "nodeid_msr", [21] = "tbm", [22] = "topoext",
			[23] = "perfctr_core", [24] = "perfctr_nb",
		},
	},
	{
		.leaf = 0x80000001,
		.subleaf = CPUID_NO_SUBLEAF,
		.reg = CPUID_EDX,
		.bits = {
			[11] = "syscall", [20] = "nx", [22] = "mmxext", [25] = "fxsr_opt",
			[26] = "pdpe1gb", [27] = "rdtscp", [29] = "lm", [30] = "3dnowext",
			[31] = "3dnow",
		},
	},
	{
		.leaf = 0x80000007,
		.subleaf = CPUID_NO_SUBLEAF,
		.reg = CPUID_EDX,
		.bits = {
			[8] = "invtsc",
		},
	},
	{
		.leaf = 0x80000008,
		.subleaf = CPUID_NO_SUBLEAF,
		.reg = CPUID_EBX,
		.bits = {
			[0] = "clzero", [2] = "xsaveerptr", [9] = "wbnoinvd", [12] = "ibpb",
			[15] = "amd-stibp", [24] = "amd-ssbd", [25] = "virt-ssbd",
		},
	},
};

#define CPUID_NR_ROWS (sizeof(cpuid_rows) / sizeof(cpuid_rows[0]))

/* The row and bit of a name; NULL when there is none. */
static const struct cpuid_row *cpuid_find(const char *name, unsigned int *bit)
{
	for (size_t r = 0; r < CPUID_NR_ROWS; r++) {
		for (unsigned int b = 0; b < 32; b++) {
			const char *known = cpuid_rows[r].bits[b];

			if (known != NULL && strcmp(known, name) == 0) {
				*bit = b;
				return &cpuid_rows[r];
			}
		}
	}
	return NULL;
}

bool cpuid_known(const char *name)
{
	unsigned int bit;

	return cpuid_find(name, &bit) != NULL;
}

/* The register of the policy that holds a row's bits; NULL when the policy ends before it. */
static uint32_t *cpuid_register(const struct cpuid_row *row, struct cpuid_leaf *leaves, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		if (leaves[i].leaf == row->leaf && leaves[i].subleaf == row->subleaf) {
			return &leaves[i].regs[row->reg];
		}
	}
	return NULL;
}

/* What the document says of a feature by name; NULL: nothing. */
static const struct config_cpu_feature *cpuid_said(const struct guest_config *cfg, const char *name)
{
	const struct config_cpu_feature *said = NULL;

	for (unsigned int i = 0; i < cfg->nr_cpu_features; i++) {
		if (strcmp(cfg->cpu_features[i].name, name) == 0) {
			said = &cfg->cpu_features[i];
		}
	}
	return said;
}

enum cpuid_wish {
	CPUID_OFF,
	CPUID_AS_IS,
	CPUID_ON,
};

static enum cpuid_wish cpuid_wish(const struct guest_config *cfg, const char *name)
{
	const struct config_cpu_feature *said = cpuid_said(cfg, name);

	if (said != NULL && !said->optional) {
		return said->enable ? CPUID_ON : CPUID_OFF;
	}
	if (said != NULL || cfg->cpu_model == NULL || cpuid_model_has(NULL, name)) {
		return CPUID_AS_IS;
	}
	return cpuid_model_has(cfg->cpu_model, name) ? CPUID_ON : CPUID_OFF;
}

/* One register's bits: *missing is set when a wanted one is not there. */
static void cpuid_apply_row(const struct guest_config *cfg, const struct cpuid_row *row, uint32_t *reg,
			    const char **missing)
{
	for (unsigned int b = 0; b < 32; b++) {
		const char *name = row->bits[b];
		enum cpuid_wish wish = name != NULL ? cpuid_wish(cfg, name) : CPUID_AS_IS;

		if (wish == CPUID_ON && (*reg >> b & 1) == 0 && *missing == NULL) {
			*missing = name;
		} else if (wish == CPUID_OFF) {
			*reg &= ~(UINT32_C(1) << b);
		}
	}
}

int cpuid_apply(const struct guest_config *cfg, struct cpuid_leaf *leaves, size_t nr,
		const char **missing)
{
	uint32_t regs[CPUID_NR_ROWS];

	*missing = NULL;
	for (size_t r = 0; r < CPUID_NR_ROWS; r++) {
		const uint32_t *reg = cpuid_register(&cpuid_rows[r], leaves, nr);

		regs[r] = reg != NULL ? *reg : 0;
		cpuid_apply_row(cfg, &cpuid_rows[r], &regs[r], missing);
	}
	if (*missing != NULL) {
		return -ENOENT;
	}
	for (size_t r = 0; r < CPUID_NR_ROWS; r++) {
		uint32_t *reg = cpuid_register(&cpuid_rows[r], leaves, nr);

		if (reg != NULL) {
			*reg = regs[r];
		}
	}
	return 0;
}
