/*
 * Random instructions for test_emul_native.c: what one round consists of, and who makes it.
 *
 * native_make() fills a round from the table in native_forms.c: bytes, register values that let memory
 * operands fall into the scratch memory, and which flags are not to be compared.
 */
#ifndef TESTS_UNIT_NATIVE_MAKE_H
#define TESTS_UNIT_NATIVE_MAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "emul/insn.h"

/* Registers as native_run.S loads and stores them. */
struct native_state {
	uint64_t gpr[16];
	uint64_t rflags, taken, avx;    /* avx: 0, 1, 2: AVX-512 */
	uint64_t mm[8];
	uint64_t mask[8];
	uint8_t zmm[32][64];            /* AVX-512, or AVX's 32 bytes of the first 16, or 16 */
};
_Static_assert(offsetof(struct native_state, rflags) == 128, "see native_run.S");
_Static_assert(offsetof(struct native_state, taken) == 136, "see native_run.S");
_Static_assert(offsetof(struct native_state, avx) == 144, "see native_run.S");
_Static_assert(offsetof(struct native_state, mm) == 152, "see native_run.S");
_Static_assert(offsetof(struct native_state, mask) == 216, "see native_run.S");
_Static_assert(offsetof(struct native_state, zmm) == 280, "see native_run.S");

#define SCRATCH_SIZE 0x10000u
#define TAKEN_STUB   64u        /* where in the code page jumps go */

/* The world the instructions run in. */
struct native_env {
	uint8_t *scratch, *code;        /* both below 2 GiB, with unmapped space around scratch */
	uint64_t gs_base;
	unsigned int avx;               /* 0: none, 1: AVX, 2: AVX-512 */
};

#define FORM_MODRM   0x0001
#define FORM_BYTE    0x0002
#define FORM_IMM8    0x0004
#define FORM_IMMZ    0x0008
#define FORM_IMMV    0x0010
#define FORM_MOFFS   0x0020
#define FORM_STR     0x0040       /* string: RSI and RDI point to memory, REP now and then */
#define FORM_STACK   0x0080
#define FORM_BITOFF  0x0100       /* the register operand is a bit offset */
#define FORM_PFX     0x0200       /* mandatory prefix is in .pfx; no other 66/F2/F3 */
#define FORM_JUMP    0x0400       /* relative: goes to the stub */
#define FORM_IMM16   0x0800
#define FORM_VEX     0x1000       /* also as VEX */
#define FORM_LOCK    0x2000       /* try LOCK often */
#define FORM_D64     0x4000
#define FORM_NO66    0x8000
#define FORM_ENTER   0x10000
#define FORM_INDIR   0x20000      /* r/m holds the target */
#define FORM_SHIFT   0x40000
#define FORM_SHD     0x80000
#define FORM_NZ      0x100000     /* the destination is undefined for a zero source */
#define FORM_MMX     0x200000
#define FORM_EVEX    0x400000     /* only as EVEX, with memory */
#define FORM_W0      0x800000     /* of EVEX */
#define FORM_W1      0x1000000
#define FORM_NOMASK  0x2000000
#define FORM_L0      0x4000000    /* 128 bits only */
#define FORM_SCALAR  0x8000000    /* EVEX: 4 or 8 bytes by W, not the vector length */
#define FORM_MEMONLY 0x10000000
#define FORM_VEXONLY 0x20000000   /* AVX2 among them */

#define UNDEF_MUL   (FLAG_SF | FLAG_ZF | FLAG_AF | FLAG_PF)
#define UNDEF_BT    (FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF)
#define UNDEF_SCAN  (FLAG_CF | FLAG_OF | FLAG_SF | FLAG_AF | FLAG_PF)
#define UNDEF_LOGIC FLAG_AF

struct form {
	uint8_t map;                    /* 0: one byte, 1: 0F, 2: 0F 38, 3: 0F 3A */
	uint8_t op, last;               /* a range of opcodes */
	int8_t ext;                     /* /0../7, -1: any, -2: 0..5 (segments) */
	uint8_t pfx;
	uint32_t flags;
	uint64_t undefined;             /* flags not compared */
};

extern const struct form native_forms[];
extern const unsigned int native_form_count;

struct round {
	const struct form *f;
	struct native_state start, native;
	uint8_t bytes[24];
	unsigned int len;
	uint8_t op, rex, modrm;
	unsigned int count;             /* of a shift */
	uint64_t undefined;             /* flags not compared */
	bool opsize, addr32, lock, vex, evex, gs, mem;
	unsigned int disp_shift;        /* EVEX */
	bool skip;                      /* the manuals leave the result open */
	unsigned int disp_at;           /* RIP-relative displacement to be patched, or 0 */
	uint64_t target;                /* address of the memory operand */
};

/* xorshift: a seed means the same instructions everywhere. */
extern uint64_t native_rng;
static inline uint64_t native_rnd(void)
{
	native_rng ^= native_rng << 13;
	native_rng ^= native_rng >> 7;
	native_rng ^= native_rng << 17;
	return native_rng;
}

void native_make(const struct native_env *env, struct round *r);

#endif
