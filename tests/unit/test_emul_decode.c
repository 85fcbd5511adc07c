/* decode.c: lengths in each mode, fetching across pages, the 15-byte limit, emul_match_length(). */
#include <string.h>
#include "fake/emul_env.h"
#include "fake/suite.h"

static void setup(void)
{
	emul_env_reset(ENV_LONG);
}

static unsigned int length(enum env_mode mode, const uint8_t *bytes, unsigned int n)
{
	emul_env_reset(mode);
	memset(env.mem + ENV_CODE, 0xcc, 32);
	memcpy(env.mem + ENV_CODE, bytes, n);
	return emul_insn_length(&env.c);
}

#define LENGTH(mode, ...)                                                           \
	ck_assert_uint_eq(length(mode, (const uint8_t[]){ __VA_ARGS__ },            \
				 sizeof((const uint8_t[]){ __VA_ARGS__ })),         \
			  sizeof((const uint8_t[]){ __VA_ARGS__ }))

START_TEST(test_lengths_long)
{
	LENGTH(ENV_LONG, 0x90);
	LENGTH(ENV_LONG, 0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8);           /* mov $imm64,%rax */
	LENGTH(ENV_LONG, 0x66, 0xb8, 1, 2);                             /* mov $imm16,%ax */
	LENGTH(ENV_LONG, 0x8b, 0x04, 0x25, 1, 2, 3, 4);                 /* mov abs32,%eax */
	LENGTH(ENV_LONG, 0x8b, 0x05, 1, 2, 3, 4);                       /* mov rel(%rip),%eax */
	LENGTH(ENV_LONG, 0x8b, 0x44, 0x24, 8);
	LENGTH(ENV_LONG, 0x8b, 0x84, 0x24, 1, 2, 3, 4);
	LENGTH(ENV_LONG, 0xa1, 1, 2, 3, 4, 5, 6, 7, 8);
	LENGTH(ENV_LONG, 0x67, 0xa1, 1, 2, 3, 4);
	LENGTH(ENV_LONG, 0x48, 0xf7, 0x05, 1, 2, 3, 4, 5, 6, 7, 8);     /* testq $imm32,rel */
	LENGTH(ENV_LONG, 0xf7, 0xd8);                                   /* neg: no immediate */
	LENGTH(ENV_LONG, 0xf6, 0xc1, 1);
	LENGTH(ENV_LONG, 0x66, 0x81, 0x3f, 1, 2);
	LENGTH(ENV_LONG, 0xc8, 1, 2, 3);
	LENGTH(ENV_LONG, 0x0f, 0x01, 0xd9);                             /* vmmcall */
	LENGTH(ENV_LONG, 0x0f, 0x01, 0xc1);                             /* vmcall */
	LENGTH(ENV_LONG, 0x0f, 0xa2);
	LENGTH(ENV_LONG, 0x0f, 0x3a, 0x0f, 0xc1, 4);                    /* palignr */
	LENGTH(ENV_LONG, 0x66, 0x0f, 0x38, 0x00, 0x45, 0x10);           /* pshufb */
	LENGTH(ENV_LONG, 0xc5, 0xfe, 0x6f, 0x06);                       /* vmovdqu */
	LENGTH(ENV_LONG, 0xc4, 0xe2, 0x7d, 0x2a, 0x06);                 /* vmovntdqa */
	LENGTH(ENV_LONG, 0xc4, 0xe3, 0x71, 0x0f, 0xc2, 5);              /* vpalignr */
	LENGTH(ENV_LONG, 0x0f, 0x20, 0x04);                             /* mod is ignored */
	LENGTH(ENV_LONG, 0xf3, 0x0f, 0x1e, 0xfa);                       /* endbr64 */
	LENGTH(ENV_LONG, 0xcd, 0x80);
	LENGTH(ENV_LONG, 0x0f, 0x09);
}
END_TEST

START_TEST(test_lengths_old_modes)
{
	LENGTH(ENV_REAL, 0xb8, 1, 2);
	LENGTH(ENV_REAL, 0x66, 0xb8, 1, 2, 3, 4);
	LENGTH(ENV_REAL, 0x8b, 0x06, 1, 2);                             /* mov disp16,%ax */
	LENGTH(ENV_REAL, 0x8b, 0x46, 1);
	LENGTH(ENV_REAL, 0x8b, 0x87, 1, 2);
	LENGTH(ENV_REAL, 0x67, 0x8b, 0x04, 0x25, 1, 2, 3, 4);
	LENGTH(ENV_REAL, 0xea, 1, 2, 3, 4);                             /* ljmp */
	LENGTH(ENV_REAL, 0x66, 0xea, 1, 2, 3, 4, 5, 6);
	LENGTH(ENV_REAL, 0xe8, 1, 2);
	LENGTH(ENV_REAL, 0x0f, 0x84, 1, 2);
	LENGTH(ENV_PROT32, 0x0f, 0x84, 1, 2, 3, 4);
	LENGTH(ENV_PROT32, 0x66, 0x0f, 0x84, 1, 2);
	LENGTH(ENV_PROT32, 0x40);                                       /* inc, not REX */
	LENGTH(ENV_PROT32, 0xc5, 0x06);                                 /* lds, not VEX */
	LENGTH(ENV_PROT32, 0xc5, 0xfe, 0x6f, 0x06);
	LENGTH(ENV_PROT32, 0x67, 0x8b, 0x06, 1, 2);
	LENGTH(ENV_PROT32, 0xa1, 1, 2, 3, 4);
	LENGTH(ENV_PROT32, 0x9a, 1, 2, 3, 4, 5, 6);
	LENGTH(ENV_PROT16, 0x68, 1, 2);
	LENGTH(ENV_PROT16, 0x66, 0x68, 1, 2, 3, 4);
}
END_TEST

START_TEST(test_unknown)
{
	ck_assert_uint_eq(length(ENV_LONG, (const uint8_t[]){ 0x0f, 0x04 }, 2), 0);
	ck_assert_uint_eq(length(ENV_LONG, (const uint8_t[]){ 0x62, 0xf1 }, 2), 0);
	ck_assert_uint_eq(length(ENV_LONG, (const uint8_t[]){ 0xff, 0xf8 }, 2), 0);
	UNHANDLED(0x0f, 0x04);
	UNHANDLED(0xcc);
	UNHANDLED(0x0f, 0x01, 0xd9);
	UNHANDLED(0xd9, 0x00);
	/* VEX forms of what has none. */
	UNHANDLED(0xc5, 0xf8, 0x6e, 0xc0);
	UNHANDLED(0xc5, 0xf8, 0xa2);
}
END_TEST

START_TEST(test_too_long)
{
	uint8_t bytes[16];

	memset(bytes, 0x66, sizeof(bytes));
	bytes[14] = 0x90;
	ck_assert_int_eq(emul_env_run(bytes, 15), EMUL_OK);
	ck_assert_uint_eq(env.c.rip, ENV_CODE + 15);
	env.c.rip = ENV_CODE;
	bytes[14] = 0x66;
	bytes[15] = 0x90;
	ck_assert_int_eq(emul_env_run(bytes, 16), EMUL_FAULT);
	ck_assert_uint_eq(env.c.fault.vector, VEC_GP);
	ck_assert(env.c.fault.has_error && env.c.fault.error == 0);
}
END_TEST

/* The next page is read only when the instruction needs it. */
START_TEST(test_fetch_page)
{
	env.bad_from = 0x3000;
	env.bad_to = 0x4000;
	env.c.rip = 0x2ffe;
	OK(0x89, 0xc8);
	ck_assert_uint_eq(env.fetch_high, 0x2fff);
	ck_assert_uint_eq(env.fetches, 1);
	env.c.rip = 0x2ffd;
	FAULTS(VEC_PF, 0xb8, 1, 2, 3, 4);
	ck_assert_uint_eq(env.c.fault.cr2, 0x3000);
	env.bad_to = 0;
	env.c.rip = 0x2ffd;
	OK(0xb8, 0x44, 0x33, 0x22, 0x11);
	ck_assert_uint_eq(REG(RAX), 0x11223344);
}
END_TEST

/* Bytes that the processor has given are used, and only the missing ones fetched. */
START_TEST(test_given_bytes)
{
	static const uint8_t mov[] = { 0xb8, 0x44, 0x33, 0x22, 0x11 };

	memcpy(env.c.insn, mov, 5);
	env.c.insn_len = 5;
	memset(env.mem + ENV_CODE, 0xf4, 16);
	ck_assert_int_eq(emul_one(&env.c), EMUL_OK);
	ck_assert_uint_eq(env.fetches, 0);
	ck_assert_uint_eq(REG(RAX), 0x11223344);
	ck_assert_uint_eq(env.c.decoded.length, 5);
	ck_assert_uint_eq(env.c.decoded.opcode[0], 0xb8);
	env.c.rip = ENV_CODE;
	env.c.insn_len = 2;
	memcpy(env.mem + ENV_CODE, mov, 5);
	ck_assert_int_eq(emul_one(&env.c), EMUL_OK);
	ck_assert_uint_eq(env.fetch_low, ENV_CODE + 2);
	ck_assert_uint_eq(REG(RAX), 0x11223344);
}
END_TEST

START_TEST(test_code_limit)
{
	emul_env_reset(ENV_PROT32);
	env.c.seg[SEG_CS].limit = ENV_CODE + 3;
	FAULTS(VEC_GP, 0xb8, 1, 2, 3, 4);
	env.c.seg[SEG_CS].limit = ENV_CODE + 4;
	OK(0xb8, 1, 2, 3, 4);
	/* Given bytes do not get around it. */
	env.c.rip = ENV_CODE;
	env.c.seg[SEG_CS].limit = ENV_CODE + 3;
	env.c.insn_len = 5;
	memcpy(env.c.insn, env.mem + ENV_CODE, 5);
	ck_assert_int_eq(emul_one(&env.c), EMUL_FAULT);
	emul_env_reset(ENV_LONG);
	env.c.rip = 0x800000000000;
	ck_assert_int_eq(emul_one(&env.c), EMUL_FAULT);
	ck_assert_uint_eq(env.c.fault.vector, VEC_GP);
	/* With five levels it is an address like any other. */
	env.c.cr4 |= CR4_LA57;
	ck_assert_int_eq(emul_one(&env.c), EMUL_FAULT);
	ck_assert_uint_eq(env.c.fault.vector, VEC_PF);
}
END_TEST

START_TEST(test_rip_wrap)
{
	emul_env_reset(ENV_PROT32);
	env.c.seg[SEG_CS].base = ENV_CODE + 4;
	env.c.rip = 0xfffffffe;
	memcpy(env.mem + ENV_CODE + 2, "\x89\xc8", 2);
	ck_assert_int_eq(emul_one(&env.c), EMUL_OK);
	ck_assert_uint_eq(env.c.rip, 0);
}
END_TEST

START_TEST(test_match)
{
	static const uint8_t cpuid[] = { 0x0f, 0xa2 }, hlt[] = { 0xf4 };
	static const uint8_t prefixed[] = { 0x66, 0x2e, 0x48, 0x0f, 0xa2, 0 };

	ck_assert_uint_eq(emul_match_length(cpuid, 2, cpuid, 2, true), 2);
	ck_assert_uint_eq(emul_match_length(cpuid, 1, cpuid, 2, true), 0);
	ck_assert_uint_eq(emul_match_length(prefixed, 6, cpuid, 2, true), 5);
	ck_assert_uint_eq(emul_match_length(prefixed, 6, cpuid, 2, false), 0);
	ck_assert_uint_eq(emul_match_length(prefixed, 4, cpuid, 2, true), 0);
	ck_assert_uint_eq(emul_match_length(prefixed, 6, hlt, 1, true), 0);
	ck_assert_uint_eq(emul_match_length(prefixed, 0, hlt, 1, true), 0);
}
END_TEST

/* Groups, REX before a legacy prefix, and address formation. */
START_TEST(test_addresses)
{
	emul_env_put(ENV_DATA, 0x1122334455667788, 8);
	REG(RBX) = ENV_DATA - 0x10;
	REG(RCX) = 4;
	OK(0x48, 0x8b, 0x44, 0x8b, 0x00);                       /* mov 0(%rbx,%rcx,4),%rax */
	ck_assert_uint_eq(REG(RAX), 0x1122334455667788);
	OK(0x48, 0x66, 0x8b, 0x44, 0x8b, 0x00);                 /* the REX is void */
	ck_assert_uint_eq(REG(RAX), 0x1122334455667788);
	REG(RAX) = ~0ull;
	OK(0x8b, 0x43, 0x10);                                   /* 32 bits clear the upper half */
	ck_assert_uint_eq(REG(RAX), 0x55667788);
	REG(RBX) |= 0xdead00000000;
	OK(0x67, 0x8a, 0x63, 0x13);                             /* mov 0x13(%ebx),%ah */
	ck_assert_uint_eq(REG(RAX), 0x55665588);
	OK(0x67, 0x40, 0x8a, 0x63, 0x13);                       /* with REX it is %spl */
	ck_assert_uint_eq(REG(RSP), (ENV_STACK & ~0xffull) | 0x55);
	env.c.rip = ENV_DATA - 0x10;
	OK(0x8b, 0x0d, 0x0a, 0, 0, 0);                          /* mov 0xa(%rip),%ecx */
	ck_assert_uint_eq(REG(RCX), 0x55667788);
	env.c.rip = ENV_DATA - 0x10;
	OK(0x81, 0x35, 6, 0, 0, 0, 0x88, 0x77, 0x66, 0x55);     /* xorl $imm,6(%rip) */
	ck_assert_uint_eq(emul_env_get(ENV_DATA, 8), 0x1122334400000000);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_lengths_long, test_lengths_old_modes, test_unknown, test_too_long,
		test_fetch_page, test_given_bytes, test_code_limit, test_rip_wrap, test_match,
		test_addresses, NULL
	};

	return suite_run("emul decode", setup, tests);
}
