/*
 * Which of the features that a domain could see have been taken away from it, and what goes with them.
 *
 * Pure. One struct a domain; written while its vCPUs have not run. Features are named by their place in CPUID.
 */
#ifndef HVM_CPU_FEATURES_H
#define HVM_CPU_FEATURES_H

#include <stdbool.h>
#include <stdint.h>

/* The registers of CPUID that hold features. */
enum cpu_word {
	CPU_WORD_1C, CPU_WORD_1D, CPU_WORD_7B, CPU_WORD_7C, CPU_WORD_7D, CPU_WORD_D1A, CPU_WORD_E1C, CPU_WORD_E1D,
	CPU_WORD_E7D, CPU_WORD_E8B, CPU_WORDS
};

struct cpu_features {
	bool cut;                       /* anything at all */
	uint32_t off[CPU_WORDS];
};

/* Clear what was taken away from the registers (EAX, EBX, ECX, EDX) of a leaf. */
void cpu_features_apply(const struct cpu_features *f, uint32_t leaf, uint32_t subleaf, uint32_t r[4]);
/* Keep of a leaf only what `want` has of `have`, and take away what cannot be without that. Leaves without features
 * change nothing. What has been taken away stays away if want has it: whoever sends a whole policy, leaf after leaf, need
 * not know what goes with what. -EINVAL: want has another feature that have has not; nothing is changed. */
int cpu_features_set(struct cpu_features *f, uint32_t leaf, uint32_t subleaf, const uint32_t have[4],
		     const uint32_t want[4]);
static inline bool cpu_features_off(const struct cpu_features *f, enum cpu_word word, unsigned int bit)
{
	return f->off[word] >> bit & 1;
}
/* What is left of a set of state components (XCR0 bits). */
uint64_t cpu_features_xcr0(const struct cpu_features *f, uint64_t have);
/* Is there an MSR that exists only with a feature which was taken away? */
bool cpu_features_msr_off(const struct cpu_features *f, uint32_t msr);
/* CR4 bits that may not be set for want of their feature. */
uint64_t cpu_features_cr4_off(const struct cpu_features *f);

#endif
