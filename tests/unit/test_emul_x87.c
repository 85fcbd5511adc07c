/*
 * x87 with memory operands and MMX moves: exec_x87.c and arch/cpu/x87.c over this test's own FPU, which stands for the
 * guest's. What the emulator leaves in memory and registers is compared with the instruction itself.
 */
#include <errno.h>
#include <string.h>
#include "arch/xstate.h"
#include "fake/emul_env.h"
#include "fake/suite.h"

static struct arch_vcpu v;
static uint8_t area[4096] __attribute__((aligned(64)));
static struct emul_ops ops;

uint64_t xstate_supported(void)
{
	return 0;
}

__attribute__((noinline)) void xstate_save(struct arch_vcpu *w)
{
	__asm__ volatile("fxsave64 (%0)" : : "r"(w->xsave) : "memory");
}

__attribute__((noinline)) void xstate_load(struct arch_vcpu *w)
{
	__asm__ volatile("fxrstor64 (%0)" : : "r"(w->xsave) : "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5",
			 "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

static enum emul_result result(struct emul_ctxt *c, int rc)
{
	c->fault = (struct emul_fault){ .vector = 16 };
	return rc == 0 ? EMUL_OK : rc == -EBUSY ? EMUL_FAULT : EMUL_UNHANDLED;
}

static enum emul_result op_x87(struct emul_ctxt *c, struct emul_x87 *x)
{
	return result(c, xstate_x87(&v, x, c->rip));
}

static enum emul_result op_read_vec(struct emul_ctxt *c, unsigned int n, void *buf, unsigned int size)
{
	ck_assert_uint_eq(size, 8);
	return result(c, xstate_mmx(&v, n, buf, false));
}

static enum emul_result op_write_vec(struct emul_ctxt *c, unsigned int n, const void *buf, unsigned int size)
{
	uint8_t copy[8];

	ck_assert_uint_eq(size, 8);
	memcpy(copy, buf, 8);
	return result(c, xstate_mmx(&v, n, copy, true));
}

static void setup(void)
{
	emul_env_reset(ENV_LONG);
	ops = emul_env_ops;
	ops.x87 = op_x87;
	ops.read_vec = op_read_vec;
	ops.write_vec = op_write_vec;
	env.c.ops = &ops;
	v.xsave = area;
	REG(RBX) = ENV_DATA;
	REG(RSI) = ENV_DATA + 64;
	__asm__ volatile("fninit");
}

static uint16_t fsw(void)
{
	uint16_t s;

	__asm__ volatile("fnstsw %0" : "=m"(s));
	return s;
}

/* The copy loop of old programs: any 64 bits survive. */
START_TEST(test_copy)
{
	static const uint64_t value[] = { 0, 1, ~0ull, 0x8000000000000000ull, 0x0123456789abcdefull };

	for (unsigned int n = 0; n < ARRAY_SIZE(value); n++) {
		emul_env_put(ENV_DATA, value[n], 8);
		OK(0xdf, 0x2b);                         /* fildll (%rbx) */
		ck_assert_uint_eq(fsw() >> 11 & 7, 7);
		OK(0xdf, 0x3e);                         /* fistpll (%rsi) */
		ck_assert_uint_eq(fsw() >> 11 & 7, 0);
		ck_assert_uint_eq(emul_env_get(ENV_DATA + 64, 8), value[n]);
	}
}
END_TEST

/* Every form that loads: the state after it is the one after the instruction itself. */
START_TEST(test_loads)
{
	static const uint8_t forms[][2] = {
		{ 0xd8, 0 }, { 0xd8, 1 }, { 0xd8, 3 }, { 0xd8, 6 }, { 0xd9, 0 }, { 0xda, 0 }, { 0xda, 4 }, { 0xdb, 0 },
		{ 0xdb, 5 }, { 0xdc, 0 }, { 0xdc, 7 }, { 0xdd, 0 }, { 0xde, 1 }, { 0xde, 5 }, { 0xdf, 0 }, { 0xdf, 5 },
	};
	uint8_t expect[512] __attribute__((aligned(16))), got[512] __attribute__((aligned(16)));

	for (unsigned int n = 0; n < ARRAY_SIZE(forms); n++) {
		setup();
		memcpy(env.mem + ENV_DATA, "\x12\x34\x56\x78\x9a\xbc\xde\x3f\x00\x40", 10);
		__asm__ volatile("fninit; fld1; fldpi");
		struct emul_x87 x = { .opcode = forms[n][0], .reg = forms[n][1], .size = 10, .buf = env.mem + ENV_DATA };
		ck_assert_int_eq(xstate_x87(&v, &x, 0x4711), 0);
		__asm__ volatile("fxsave64 (%0)" : : "r"(expect) : "memory");
		__asm__ volatile("fninit; fld1; fldpi");
		OK(forms[n][0], (uint8_t)(forms[n][1] << 3 | 3));
		__asm__ volatile("fxsave64 (%0)" : : "r"(got) : "memory");
		ck_assert_mem_eq(expect, got, 8);
		ck_assert_mem_eq(expect + 32, got + 32, 128);
	}
}
END_TEST

START_TEST(test_stores)
{
	__asm__ volatile("fninit; fldpi; fldpi; fldpi; fldpi");
	OK(0xdb, 0x3b);                                 /* fstpt (%rbx) */
	ck_assert_uint_eq(emul_env_get(ENV_DATA, 8), 0xc90fdaa22168c235ull);
	ck_assert_uint_eq(emul_env_get(ENV_DATA + 8, 2), 0x4000);
	OK(0xdd, 0x13);                                 /* fstl: no pop */
	ck_assert_uint_eq(emul_env_get(ENV_DATA, 8), 0x400921fb54442d18ull);
	ck_assert_uint_eq(fsw() >> 11 & 7, 5);
	OK(0xd9, 0x1b);
	ck_assert_uint_eq(emul_env_get(ENV_DATA, 4), 0x40490fdb);
	OK(0xdb, 0x1b);
	ck_assert_uint_eq(emul_env_get(ENV_DATA, 4), 3);
	OK(0xdf, 0x0b);                                 /* fisttps */
	ck_assert_uint_eq(emul_env_get(ENV_DATA, 2), 3);
	OK(0xd9, 0x3b);                                 /* fnstcw */
	ck_assert_uint_eq(emul_env_get(ENV_DATA, 2), 0x37f);
	OK(0xdd, 0x3b);                                 /* fnstsw */
	ck_assert_uint_eq(emul_env_get(ENV_DATA, 2), fsw());
	emul_env_put(ENV_DATA, 0x27f, 2);
	OK(0xd9, 0x2b);                                 /* fldcw */
	OK(0xd9, 0x3e);
	ck_assert_uint_eq(emul_env_get(ENV_DATA + 64, 2), 0x27f);
}
END_TEST

/* The memory faults: nothing has been popped. */
START_TEST(test_fault)
{
	__asm__ volatile("fninit; fldpi");
	env.bad_from = ENV_DATA;
	env.bad_to = ENV_DATA + 1;
	env.bad_result = EMUL_FAULT;
	FAULTS(VEC_PF, 0xdf, 0x3b);
	FAULTS(VEC_PF, 0xdf, 0x2b);
	ck_assert_uint_eq(fsw(), 7u << 11);
	env.c.cr0 |= CR0_TS;
	FAULTS(VEC_NM, 0xdf, 0x2e);
	env.c.cr0 ^= CR0_TS | CR0_EM;
	FAULTS(VEC_NM, 0xdf, 0x3e);
}
END_TEST

/* An unmasked exception: the store is not made, the next instruction reports it, and those that do not wait go on. */
START_TEST(test_exceptions)
{
	const uint16_t unmasked = 0x37e;         /* invalid operation */

	__asm__ volatile("fninit; fldpi");
	emul_env_put(ENV_DATA, 0x1122334455667788ull, 8);
	__asm__ volatile("fldcw %0" : : "m"(unmasked));
	__asm__ volatile("fld %%st(0); fmul %%st(0); fmul %%st(0); fmul %%st(0); fmul %%st(0); fmul %%st(0)\n\t"
			 "fmul %%st(0); fmul %%st(0)" : : : "st");
	OK(0xdf, 0x13);                                 /* fists: does not fit */
	ck_assert_uint_eq(emul_env_get(ENV_DATA, 8), 0x1122334455667788ull);
	ck_assert_uint_eq(fsw() & 0x81, 0x81);
	FAULTS(16, 0xdf, 0x2b);
	FAULTS(16, 0xdf, 0x3b);
	FAULTS(16, 0x0f, 0x6f, 0x03);
	OK(0xdd, 0x3b);
	ck_assert_uint_eq(emul_env_get(ENV_DATA, 2), fsw());
	__asm__ volatile("fninit");
}
END_TEST

/* MMX registers are the x87 registers by number, not by place on the stack; an MMX instruction sets the top to 0. */
START_TEST(test_mmx)
{
	uint64_t mm3;

	__asm__ volatile("fninit; fldpi; fldpi; fldpi");        /* top is 5: registers 7, 6, 5 */
	OK(0x0f, 0x7f, 0x33);                           /* movq %mm6,(%rbx) */
	ck_assert_uint_eq(emul_env_get(ENV_DATA, 8), 0xc90fdaa22168c235ull);
	ck_assert_uint_eq(fsw() >> 11 & 7, 0);
	emul_env_put(ENV_DATA, 0xfeedface12345678ull, 8);
	OK(0x0f, 0x6f, 0x1b);                           /* movq (%rbx),%mm3 */
	__asm__ volatile("movq %%mm3, %0" : "=r"(mm3));
	ck_assert_uint_eq(mm3, 0xfeedface12345678ull);
	__asm__ volatile("fninit");
}
END_TEST

START_TEST(test_others)
{
	UNHANDLED(0xd9, 0x33);                          /* fnstenv */
	UNHANDLED(0xdd, 0x23);                          /* frstor */
	UNHANDLED(0xd9, 0xc0);                          /* register forms */
	ops.x87 = NULL;
	UNHANDLED(0xdf, 0x2b);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_copy, test_loads, test_stores, test_fault, test_exceptions, test_mmx,
		test_others, NULL };

	return suite_run("emul_x87", setup, tests);
}
