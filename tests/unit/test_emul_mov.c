/* The short decoder of MOV against encodings worked out by hand, and against the emulator on random ones. */
#include <stdlib.h>
#include <string.h>
#include "emul/mov.h"
#include "fake/emul_env.h"
#include "fake/suite.h"

static struct emul_mov m;

static bool decode(bool long64, const uint8_t *bytes, unsigned int n)
{
	uint8_t padded[15] = { 0 };

	memcpy(padded, bytes, n);
	return emul_mov_decode(padded, sizeof(padded), long64, env.c.gpr, 0x1000, &m);
}

#define DECODE(long64, ...) \
	decode(long64, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void setup(void)
{
	emul_env_reset(ENV_LONG);
	for (unsigned int i = 0; i < GPR_COUNT; i++) {
		env.c.gpr[i] = 0x100 * (i + 1);
	}
}

START_TEST(test_forms)
{
	/* mov 0xffffffffff5fc020,%eax, as Linux reads its local APIC */
	ck_assert(DECODE(true, 0x8b, 0x04, 0x25, 0x20, 0xc0, 0x5f, 0xff));
	ck_assert(m.length == 7 && m.size == 4 && !m.write && m.reg == GPR_RAX && m.address == 0xffffffffff5fc020);
	/* mov %r9,0xf0(%rdi) */
	ck_assert(DECODE(true, 0x4c, 0x89, 0x8f, 0xf0, 0, 0, 0));
	ck_assert(m.length == 7 && m.size == 8 && m.write && !m.immediate && m.reg == GPR_R9 && m.address == 0x8f0);
	/* movl $0x1,-0x10(%r12,%r13,4) */
	ck_assert(DECODE(true, 0x43, 0xc7, 0x44, 0xac, 0xf0, 1, 0, 0, 0));
	ck_assert(m.length == 9 && m.size == 4 && m.write && m.immediate && m.value == 1);
	ck_assert_uint_eq(m.address, 0xd00 + 4 * 0xe00 - 0x10);
	/* mov 0x10(%rip),%ecx */
	ck_assert(DECODE(true, 0x8b, 0x0d, 0x10, 0, 0, 0));
	ck_assert(m.length == 6 && m.reg == GPR_RCX && m.address == 0x1016);
	/* 32-bit code: absolute, and the accumulator's short forms */
	ck_assert(DECODE(false, 0x8b, 0x15, 0x30, 0, 0xe0, 0xfe));
	ck_assert(m.length == 6 && m.reg == GPR_RDX && (uint32_t)m.address == 0xfee00030);
	ck_assert(DECODE(false, 0xa1, 0xf0, 0, 0xd0, 0xfe));
	ck_assert(m.length == 5 && !m.write && (uint32_t)m.address == 0xfed000f0);
	ck_assert(DECODE(false, 0xa3, 0xb0, 0, 0xe0, 0xfe));
	ck_assert(m.length == 5 && m.write && m.reg == GPR_RAX && !m.stack);
}
END_TEST

START_TEST(test_segment)
{
	static const struct {
		uint8_t bytes[7];
		bool stack;
	} row[] = {
		{ { 0x8b, 0x00 }, false },                      /* (%eax) */
		{ { 0x8b, 0x45, 4 }, true },                    /* 4(%ebp) */
		{ { 0x8b, 0x85, 4, 0, 0, 0 }, true },           /* 4(%ebp), 32 bits */
		{ { 0x8b, 0x05, 4, 0, 0, 0 }, false },          /* an address alone */
		{ { 0x8b, 0x04, 0x24 }, true },                 /* (%esp) */
		{ { 0x8b, 0x04, 0x28 }, false },                /* (%eax,%ebp) */
		{ { 0x8b, 0x44, 0x05, 0 }, true },              /* 0(%ebp,%eax) */
		{ { 0x8b, 0x04, 0x05, 4, 0, 0, 0 }, false },    /* 4(,%eax) */
	};

	for (unsigned int i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		uint8_t bytes[15] = { 0 };
		memcpy(bytes, row[i].bytes, sizeof(row[i].bytes));
		ck_assert(emul_mov_decode(bytes, sizeof(bytes), false, env.c.gpr, 0, &m));
		ck_assert_int_eq(m.stack, row[i].stack);
	}
}
END_TEST

START_TEST(test_not_these)
{
	ck_assert(!DECODE(true, 0x8b, 0xc1));                   /* registers only */
	ck_assert(!DECODE(true, 0x66, 0x8b, 0x00));             /* 16 bits */
	ck_assert(!DECODE(true, 0x8a, 0x00));                   /* 8 bits */
	ck_assert(!DECODE(true, 0xc7, 0x08, 0, 0, 0, 0));       /* not /0 */
	ck_assert(!DECODE(true, 0xa1, 0, 0, 0, 0));             /* 64-bit offset */
	ck_assert(!DECODE(true, 0x65, 0x8b, 0x00));             /* a segment of its own */
	ck_assert(!DECODE(false, 0x48, 0x8b, 0x00));            /* DEC there */
	ck_assert(!DECODE(true, 0xf0, 0x89, 0x00));             /* LOCK faults */
	ck_assert(!emul_mov_decode((const uint8_t[11]){ 0x8b }, 11, true, env.c.gpr, 0, &m));
}
END_TEST

/* Whatever it takes, the emulator takes the same way: length, address, register, width. */
START_TEST(test_against_emulator)
{
	static const uint8_t opcodes[] = { 0x8b, 0x89, 0xc7, 0xa1, 0xa3 };
	unsigned int taken = 0;

	srandom(1);
	for (unsigned int round = 0; round < 20000; round++) {
		bool long64 = round % 2, rex = long64 && random() % 2;
		uint8_t code[15];
		uint64_t before[GPR_COUNT], at, old;

		emul_env_reset(long64 ? ENV_LONG : ENV_PROT32);
		for (unsigned int i = 0; i < GPR_COUNT; i++) {
			before[i] = env.c.gpr[i] = 0x20000 + (unsigned long)random() % 0x8000;
		}
		for (unsigned int i = 0; i < sizeof(code); i++) {
			code[i] = (uint8_t)random();
		}
		if (rex) {
			code[0] = (uint8_t)(0x40 | random() % 16);
		}
		code[rex] = opcodes[(unsigned long)random() % sizeof(opcodes)];
		if (!emul_mov_decode(code, sizeof(code), long64, env.c.gpr, env.c.rip, &m)) {
			continue;
		}
		at = long64 ? m.address : (uint32_t)m.address;
		if (at >= ENV_MEM - 8 || (at + 8 > ENV_CODE && at < ENV_CODE + 32)) {
			continue;
		}
		old = 0x1122334455667788;
		emul_env_put(at, old, 8);
		uint64_t rip = env.c.rip;
		ck_assert_int_eq(emul_env_run(code, sizeof(code)), EMUL_OK);
		ck_assert_uint_eq(env.c.rip - rip, m.length);
		if (m.write) {
			uint64_t v = m.immediate ? m.value : before[m.reg];
			uint64_t mask = m.size == 8 ? ~0ull : 0xffffffff;
			ck_assert_uint_eq(emul_env_get(at, 8), (old & ~mask) | (v & mask));
		} else {
			before[m.reg] = m.size == 8 ? old : (uint32_t)old;
		}
		ck_assert_mem_eq(env.c.gpr, before, sizeof(before));
		taken++;
	}
	ck_assert_uint_gt(taken, 1000);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_forms, test_segment, test_not_these, test_against_emulator, NULL };

	return suite_run("emul_mov", setup, tests);
}
