/*
 * Features taken away from a domain. Contract in cpu_features.h.
 *
 * Intel SDM volume 2, "CPUID"; volume 1, "Enabling the XSAVE Feature Set"; AMD APM volume 3, appendix E.
 */
#include "hvm/cpu_features.h"
#include "arch/x86.h"
#include "lib/err.h"
#include "lib/util.h"

enum { EAX, EBX, ECX, EDX };

#define B(n) (1u << (n))

static const struct {
	uint32_t leaf, subleaf;
	uint8_t reg;
	bool any_subleaf;
} words[CPU_WORDS] = {
	[CPU_WORD_1C] = { 0x1, 0, ECX, true },
	[CPU_WORD_1D] = { 0x1, 0, EDX, true },
	[CPU_WORD_7B] = { 0x7, 0, EBX, false },
	[CPU_WORD_7C] = { 0x7, 0, ECX, false },
	[CPU_WORD_7D] = { 0x7, 0, EDX, false },
	[CPU_WORD_D1A] = { 0xd, 1, EAX, false },
	[CPU_WORD_E1C] = { 0x80000001, 0, ECX, true },
	[CPU_WORD_E1D] = { 0x80000001, 0, EDX, true },
	[CPU_WORD_E7D] = { 0x80000007, 0, EDX, true },
	[CPU_WORD_E8B] = { 0x80000008, 0, EBX, true },
};

/* What is of no use without a bit of another word. Rows in order: a later one sees what an earlier one took. */
static const struct {
	enum cpu_word word;
	uint8_t bit;
	enum cpu_word other;
	uint32_t bits;
} needs[] = {
	{ CPU_WORD_1D, 26, CPU_WORD_1C, B(0) | B(1) | B(9) | B(19) | B(20) | B(25) },   /* SSE2: SSE3 .. AES */
	{ CPU_WORD_1D, 26, CPU_WORD_7B, B(29) },                                        /* SHA */
	{ CPU_WORD_1D, 26, CPU_WORD_7C, B(8) },                                         /* GFNI */
	{ CPU_WORD_1C, 26, CPU_WORD_1C, B(12) | B(27) | B(28) | B(29) },                /* XSAVE: FMA OSXSAVE AVX F16C */
	{ CPU_WORD_1C, 26, CPU_WORD_D1A, ~0u },
	{ CPU_WORD_1C, 26, CPU_WORD_7C, B(3) },                                         /* PKU */
	{ CPU_WORD_1C, 28, CPU_WORD_1C, B(12) | B(29) },                                /* AVX: FMA F16C */
	{ CPU_WORD_1C, 28, CPU_WORD_7B, B(5) | B(16) },                                 /* AVX2 AVX512F */
	{ CPU_WORD_1C, 28, CPU_WORD_7C, B(9) | B(10) },                                 /* VAES VPCLMUL */
	{ CPU_WORD_1C, 28, CPU_WORD_E1C, B(11) | B(16) },                               /* XOP FMA4 */
	{ CPU_WORD_7B, 16, CPU_WORD_7B, B(17) | B(21) | B(26) | B(27) | B(28) | B(30) | B(31) },
	{ CPU_WORD_7B, 16, CPU_WORD_7C, B(1) | B(6) | B(11) | B(12) | B(14) },
	{ CPU_WORD_7B, 16, CPU_WORD_7D, B(2) | B(3) | B(8) },
	{ CPU_WORD_7C, 3, CPU_WORD_7C, B(4) },                                          /* PKU: OSPKE */
	{ CPU_WORD_1C, 17, CPU_WORD_7B, B(10) },                                        /* PCID: INVPCID */
};

/* The bits that leaf 8000_0001h repeats from leaf 1. */
#define COPIES 0x0183f3ffu

static void close_over(struct cpu_features *f)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(needs); i++) {
		if (cpu_features_off(f, needs[i].word, needs[i].bit)) {
			f->off[needs[i].other] |= needs[i].bits;
		}
	}
	f->off[CPU_WORD_E1D] |= f->off[CPU_WORD_1D] & COPIES;
}

static bool is_word(unsigned int w, uint32_t leaf, uint32_t subleaf)
{
	return words[w].leaf == leaf && (words[w].any_subleaf || words[w].subleaf == subleaf);
}

void cpu_features_apply(const struct cpu_features *f, uint32_t leaf, uint32_t subleaf, uint32_t r[4])
{
	for (unsigned int w = 0; f->cut && w < CPU_WORDS; w++) {
		if (is_word(w, leaf, subleaf)) {
			r[words[w].reg] &= ~f->off[w];
		}
	}
}

int cpu_features_set(struct cpu_features *f, uint32_t leaf, uint32_t subleaf, const uint32_t have[4],
		     const uint32_t want[4])
{
	for (unsigned int w = 0; w < CPU_WORDS; w++) {
		if (is_word(w, leaf, subleaf) && (want[words[w].reg] & ~have[words[w].reg] & ~f->off[w]) != 0) {
			return -EINVAL;
		}
	}
	for (unsigned int w = 0; w < CPU_WORDS; w++) {
		if (is_word(w, leaf, subleaf)) {
			uint32_t off = have[words[w].reg] & ~want[words[w].reg];
			f->off[w] |= off;
			f->cut = f->cut || off != 0;
		}
	}
	close_over(f);
	return 0;
}

uint64_t cpu_features_xcr0(const struct cpu_features *f, uint64_t have)
{
	static const struct {
		enum cpu_word word;
		uint8_t bit;
		uint64_t xcr0;
	} row[] = {
		{ CPU_WORD_1C, 26, ~0ull }, { CPU_WORD_1C, 28, 0xe4 }, { CPU_WORD_7B, 16, 0xe0 }, { CPU_WORD_7C, 3, 0x200 },
	};
	for (unsigned int i = 0; i < ARRAY_SIZE(row); i++) {
		have &= cpu_features_off(f, row[i].word, row[i].bit) ? ~row[i].xcr0 : ~0ull;
	}
	return have;
}

/* Only registers whose accesses leave the guest on every processor; the speculation registers look at CPUID themselves. */
bool cpu_features_msr_off(const struct cpu_features *f, uint32_t msr)
{
	static const struct {
		uint32_t first, last;
		enum cpu_word word;
		uint8_t bit;
		enum cpu_word or_word;          /* another feature that has it, too */
		uint8_t or_bit;
	} row[] = {
		{ MSR_TSC_ADJUST, MSR_TSC_ADJUST, CPU_WORD_7B, 1, CPU_WORD_7B, 1 },
		{ MSR_MTRR_CAP, MSR_MTRR_CAP, CPU_WORD_1D, 12, CPU_WORD_1D, 12 },
		{ MSR_MTRR_PHYS_FIRST, MSR_MTRR_FIX4K_LAST, CPU_WORD_1D, 12, CPU_WORD_1D, 12 },
		{ MSR_MTRR_DEF_TYPE, MSR_MTRR_DEF_TYPE, CPU_WORD_1D, 12, CPU_WORD_1D, 12 },
		{ MSR_MCG_CAP, MSR_MCG_STATUS, CPU_WORD_1D, 14, CPU_WORD_1D, 14 },
		{ MSR_TSC_DEADLINE, MSR_TSC_DEADLINE, CPU_WORD_1C, 24, CPU_WORD_1C, 24 },
		{ MSR_TSC_AUX, MSR_TSC_AUX, CPU_WORD_E1D, 27, CPU_WORD_7C, 22 },
	};
	for (unsigned int i = 0; i < ARRAY_SIZE(row); i++) {
		if (msr >= row[i].first && msr <= row[i].last) {
			return cpu_features_off(f, row[i].word, row[i].bit) &&
			       cpu_features_off(f, row[i].or_word, row[i].or_bit);
		}
	}
	return false;
}

uint64_t cpu_features_cr4_off(const struct cpu_features *f)
{
	static const struct {
		enum cpu_word word;
		uint8_t bit;
		uint64_t cr4;
	} row[] = {
		{ CPU_WORD_1D, 1, CR4_VME | 2 }, { CPU_WORD_1D, 2, 8 }, { CPU_WORD_1D, 3, CR4_PSE },
		{ CPU_WORD_1D, 13, CR4_PGE }, { CPU_WORD_1C, 17, CR4_PCIDE }, { CPU_WORD_1C, 26, CR4_OSXSAVE },
		{ CPU_WORD_7B, 0, CR4_FSGSBASE }, { CPU_WORD_7B, 7, CR4_SMEP }, { CPU_WORD_7B, 20, CR4_SMAP },
		{ CPU_WORD_7C, 2, CR4_UMIP }, { CPU_WORD_7C, 3, CR4_PKE },
	};
	uint64_t off = 0;
	for (unsigned int i = 0; f->cut && i < ARRAY_SIZE(row); i++) {
		off |= cpu_features_off(f, row[i].word, row[i].bit) ? row[i].cr4 : 0;
	}
	return off;
}
