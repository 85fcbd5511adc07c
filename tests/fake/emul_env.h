/*
 * A small machine for the emulator's tests: 1 MiB of memory at linear 0, ports, registers, and a log.
 *
 * emul_env_reset() puts the context into a mode with flat segments (real mode: base 0, limit FFFFh)
 * and code at ENV_CODE. Every op can be made to fail; what was called is in the log.
 */
#ifndef TESTS_FAKE_EMUL_ENV_H
#define TESTS_FAKE_EMUL_ENV_H

#include <stdbool.h>
#include <stdint.h>
#include "emul/insn.h"

#define ENV_MEM   0x100000u
#define ENV_CODE  0x1000u
#define ENV_DATA  0x2000u
#define ENV_STACK 0x8000u

enum env_mode { ENV_REAL, ENV_VM86, ENV_PROT16, ENV_PROT32, ENV_LONG };

struct env_pio {
	bool write;
	uint16_t port;
	uint8_t size;
	uint32_t data;
};

struct emul_env {
	struct emul_ctxt c;
	uint8_t mem[ENV_MEM];
	/* Accesses that touch [bad_from, bad_to) end in bad_result (EMUL_FAULT: #PF). */
	uint64_t bad_from, bad_to;
	enum emul_result bad_result;
	/* Fetches: lowest and highest linear address asked for, and how many calls. */
	uint64_t fetch_low, fetch_high;
	unsigned int fetches, reads, writes, bulks, cmpxchgs;
	unsigned int lose_races;        /* so many compare-and-exchanges meet another CPU */
	uint64_t bulk_max;              /* elements a bulk op does at most, 0: it declines */
	struct env_pio pio[64];
	unsigned int pios;
	uint32_t pio_in;                /* what ports read, counting up */
	enum emul_result pio_result;
	struct emul_table table[2];     /* GDTR, IDTR */
	uint16_t system_sel[2];         /* LDTR, TR */
	uint64_t cr[16], dr[8];
	uint32_t msr;
	uint64_t msr_value, invlpg;
	uint32_t cpuid_ebx7, cpuid_ecx1, cpuid_ecx_ext;
	enum emul_result system_result; /* of CR, DR, MSR ops */
	uint8_t vec[32][64];
	uint64_t mask[8];
	uint64_t mm[8];
	int pending_after;              /* an interrupt comes after so many looks; -1: never */
};

extern struct emul_env env;
extern const struct emul_ops emul_env_ops, emul_env_bulk_ops;

void emul_env_reset(enum env_mode mode);
/* Put code at CS:RIP and emulate it once. */
enum emul_result emul_env_run(const uint8_t *bytes, unsigned int n);
uint64_t emul_env_get(uint64_t linear, unsigned int size);
void emul_env_put(uint64_t linear, uint64_t v, unsigned int size);

#define RUN(...)                                                    \
	emul_env_run((const uint8_t[]){ __VA_ARGS__ },              \
		     sizeof((const uint8_t[]){ __VA_ARGS__ }))
/* It ran, and the next instruction is the one behind it. */
#define OK(...)                                                                               \
	do {                                                                                  \
		uint64_t at_ = env.c.rip;                                                     \
		ck_assert_int_eq(RUN(__VA_ARGS__), EMUL_OK);                                  \
		ck_assert_uint_eq(env.c.rip, at_ + sizeof((const uint8_t[]){ __VA_ARGS__ })); \
	} while (0)
/* It faulted with this vector, and registers are as before. */
#define FAULTS(vec_, ...)                                                                      \
	do {                                                                                   \
		uint64_t at_ = env.c.rip, g_[GPR_COUNT], f_ = env.c.rflags;                    \
		memcpy(g_, env.c.gpr, sizeof(g_));                                             \
		ck_assert_int_eq(RUN(__VA_ARGS__), EMUL_FAULT);                                \
		ck_assert_uint_eq(env.c.fault.vector, (vec_));                                 \
		ck_assert_uint_eq(env.c.rip, at_);                                             \
		ck_assert_uint_eq(env.c.rflags, f_);                                           \
		ck_assert_mem_eq(g_, env.c.gpr, sizeof(g_));                                   \
	} while (0)
#define UNHANDLED(...) ck_assert_int_eq(RUN(__VA_ARGS__), EMUL_UNHANDLED)
#define REG(n) env.c.gpr[GPR_##n]

#endif
