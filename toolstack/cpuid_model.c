/*
 * CPU models by libvirt's names: which features each has. See cpuid.h. Family, model number and name of the processor stay
 * the host's: what a guest may use is told by features.
 */
#include "toolstack/cpuid.h"

#include <string.h>

/* A model has its own features and those of the one it builds on. */
static const struct cpuid_model {
	const char *name, *base, *features;
} cpuid_models[] = {
	{"qemu64", NULL,
	 "fpu de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2 pni cx16 "
	 "syscall nx lm lahf_lm"},
	{"kvm64", "qemu64", ""},
	{"Conroe", "qemu64", "ssse3"},
	{"Penryn", "Conroe", "sse4.1"},
	{"Nehalem", "Penryn", "sse4.2 popcnt"},
	{"Westmere", "Nehalem", "aes pclmuldq"},
	{"SandyBridge", "Westmere", "avx xsave xsaveopt rdtscp"},
	{"IvyBridge", "SandyBridge", "f16c rdrand fsgsbase smep erms"},
	{"Haswell-noTSX", "IvyBridge", "avx2 bmi1 bmi2 fma movbe pcid invpcid abm"},
	{"Broadwell-noTSX", "Haswell-noTSX", "3dnowprefetch rdseed adx smap"},
	{"Skylake-Client-noTSX-IBRS", "Broadwell-noTSX", "clflushopt xsavec xgetbv1"},
	{"Skylake-Server-noTSX-IBRS", "Skylake-Client-noTSX-IBRS",
	 "avx512f avx512dq avx512cd avx512bw avx512vl clwb pku pdpe1gb"},
	{"EPYC", "SandyBridge",
	 "f16c rdrand fsgsbase smep avx2 bmi1 bmi2 fma movbe abm 3dnowprefetch rdseed adx smap clflushopt xsavec "
	 "xgetbv1 sha-ni sse4a misalignsse mmxext fxsr_opt pdpe1gb"},
	{"EPYC-Rome", "EPYC", "clwb umip rdpid wbnoinvd"},
};

#define CPUID_NR_MODELS (sizeof(cpuid_models) / sizeof(cpuid_models[0]))

/* Made by the hypervisor, following other state, or about speculation: not a question of the model. */
static const char cpuid_of_no_model[] =
	"x2apic tsc-deadline tsc_adjust osxsave ospke ht invtsc spec-ctrl stibp ssbd arch-capabilities md-clear ibpb "
	"amd-stibp amd-ssbd virt-ssbd";

static const struct cpuid_model *cpuid_model_find(const char *name)
{
	for (size_t i = 0; i < CPUID_NR_MODELS; i++) {
		if (strcmp(cpuid_models[i].name, name) == 0) {
			return &cpuid_models[i];
		}
	}
	return NULL;
}

static bool cpuid_has_word(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = strstr(words, word); at != NULL; at = strstr(at + 1, word)) {
		if ((at == words || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0')) {
			return true;
		}
	}
	return false;
}

bool cpuid_model_known(const char *model)
{
	return cpuid_model_find(model) != NULL;
}

bool cpuid_model_has(const char *model, const char *feature)
{
	if (model == NULL) {
		return cpuid_has_word(cpuid_of_no_model, feature);
	}
	for (const struct cpuid_model *m = cpuid_model_find(model); m != NULL;
	     m = m->base != NULL ? cpuid_model_find(m->base) : NULL) {
		if (cpuid_has_word(m->features, feature)) {
			return true;
		}
	}
	return false;
}

const char *cpuid_model_names(void)
{
	static char names[512];

	names[0] = '\0';
	for (size_t i = 0; i < CPUID_NR_MODELS; i++) {
		strcat(names, i != 0 ? ", " : "");
		strcat(names, cpuid_models[i].name);
	}
	return names;
}
