/* Segments, stacks and far transfers in real, virtual-8086 and protected mode. */
#include <string.h>
#include "fake/emul_env.h"
#include "fake/suite.h"

static void setup(void)
{
	emul_env_reset(ENV_REAL);
}

START_TEST(test_real_addresses)
{
	env.c.seg[SEG_DS].base = 0x4000;
	env.c.seg[SEG_SS].base = 0x5000;
	env.c.seg[SEG_ES].base = 0x6000;
	REG(RBX) = 0xffff0010;
	REG(RSI) = 0xfff8;
	emul_env_put(0x4008, 0xbeef, 2);
	OK(0x8b, 0x00);                                 /* mov (%bx,%si),%ax wraps at 64 KiB */
	ck_assert_uint_eq(REG(RAX), 0xbeef);
	REG(RBP) = 0x20;
	emul_env_put(0x5020, 0x1234, 2);
	OK(0x8b, 0x46, 0x00);                           /* mov (%bp),%ax is the stack's */
	ck_assert_uint_eq(REG(RAX), 0x1234);
	emul_env_put(0x6020, 0x5678, 2);
	OK(0x26, 0x8b, 0x46, 0x00);
	ck_assert_uint_eq(REG(RAX), 0x5678);
	OK(0xa3, 0x34, 0x12);                           /* moffs */
	ck_assert_uint_eq(emul_env_get(0x5234, 2), 0x5678);
	/* Code may be written through CS in real mode, whatever its type says. */
	OK(0x2e, 0xa3, 0x00, 0x30);
	ck_assert_uint_eq(emul_env_get(0x3000, 2), 0x5678);
}
END_TEST

START_TEST(test_real_limit)
{
	REG(RBX) = 0xffff;
	FAULTS(VEC_GP, 0x8b, 0x07);                     /* a word at FFFFh */
	ck_assert(env.c.fault.has_error && env.c.fault.error == 0);
	REG(RBP) = 0xffff;
	FAULTS(VEC_SS, 0x8b, 0x46, 0x00);
	OK(0x8a, 0x07);
	/* 32-bit addresses reach beyond only in big real mode. */
	REG(RBX) = 0x20000;
	FAULTS(VEC_GP, 0x67, 0x8b, 0x03);
	env.c.seg[SEG_DS].limit = ~0u;
	emul_env_put(0x20000, 0x4321, 2);
	OK(0x67, 0x8b, 0x03);
	ck_assert_uint_eq(REG(RAX), 0x4321);
	/* Loading the register keeps the limit. */
	REG(RAX) = 0x1000;
	OK(0x8e, 0xd8);
	ck_assert_uint_eq(env.c.seg[SEG_DS].base, 0x10000);
	ck_assert_uint_eq(env.c.seg[SEG_DS].sel, 0x1000);
	ck_assert_uint_eq(env.c.seg[SEG_DS].limit, ~0u);
	ck_assert_uint_eq(env.c.segs_changed, 1u << SEG_DS);
	OK(0x90);
	ck_assert_uint_eq(env.c.segs_changed, 0);
}
END_TEST

START_TEST(test_real_stack)
{
	env.c.seg[SEG_SS].base = 0x10000;
	REG(RSP) = 0xabcd0002;
	REG(RAX) = 0x1111;
	OK(0x50);
	OK(0x50);                                       /* SP wraps, upper bits stay */
	ck_assert_uint_eq(REG(RSP), 0xabcdfffe);
	ck_assert_uint_eq(emul_env_get(0x1fffe, 2), 0x1111);
	REG(RSP) = 1;
	FAULTS(VEC_SS, 0x50);
	REG(RSP) = 0x100;
	OK(0x66, 0x50);
	ck_assert_uint_eq(REG(RSP), 0xfc);
	OK(0x60);                                       /* pusha */
	ck_assert_uint_eq(REG(RSP), 0xec);
	ck_assert_uint_eq(emul_env_get(0x100f2, 2), 0xfc);
	OK(0x61);
	ck_assert_uint_eq(REG(RSP), 0xfc);
	OK(0x1e);
	OK(0x07);                                       /* push %ds; pop %es */
	ck_assert_uint_eq(env.c.seg[SEG_ES].sel, env.c.seg[SEG_DS].sel);
	ck_assert(!env.c.shadow_ss);
	OK(0x16);
	OK(0x17);
	ck_assert(env.c.shadow_ss);
}
END_TEST

START_TEST(test_real_far)
{
	ck_assert_int_eq(RUN(0xea, 0x34, 0x12, 0x00, 0x20), EMUL_OK);
	ck_assert_uint_eq(env.c.rip, 0x1234);
	ck_assert_uint_eq(env.c.seg[SEG_CS].base, 0x20000);
	ck_assert_int_eq(RUN(0x9a, 0x78, 0x56, 0x00, 0x30), EMUL_OK);
	ck_assert_uint_eq(env.c.rip, 0x5678);
	ck_assert_uint_eq(env.c.seg[SEG_CS].sel, 0x3000);
	ck_assert_uint_eq(emul_env_get(ENV_STACK - 4, 4), 0x20001239);
	ck_assert_int_eq(RUN(0xca, 4, 0), EMUL_OK);     /* lret $4 */
	ck_assert_uint_eq(env.c.rip, 0x1239);
	ck_assert_uint_eq(env.c.seg[SEG_CS].sel, 0x2000);
	ck_assert_uint_eq(REG(RSP), ENV_STACK + 4);
	emul_env_put(ENV_DATA, 0x40000010, 4);
	ck_assert_int_eq(RUN(0xff, 0x2e, 0x00, 0x20), EMUL_OK);  /* ljmp *0x2000 */
	ck_assert_uint_eq(env.c.rip, 0x10);
	ck_assert_uint_eq(env.c.seg[SEG_CS].base, 0x40000);
	/* A 32-bit offset beyond the limit. */
	env.c.seg[SEG_CS].limit = 0xffff;
	FAULTS(VEC_GP, 0x66, 0xea, 0, 0, 1, 0, 0, 0x20);
}
END_TEST

START_TEST(test_real_iret)
{
	emul_env_put(ENV_STACK, 0x1234, 2);
	emul_env_put(ENV_STACK + 2, 0x2000, 2);
	emul_env_put(ENV_STACK + 4, 0x7ed7, 2);         /* every flag of the low word but TF */
	env.c.rflags |= FLAG_VIP;
	ck_assert_int_eq(RUN(0xcf), EMUL_OK);
	ck_assert_uint_eq(env.c.rip, 0x1234);
	ck_assert_uint_eq(env.c.seg[SEG_CS].base, 0x20000);
	ck_assert_uint_eq(env.c.rflags, 0x7ed7 | FLAG_VIP);
	ck_assert_uint_eq(REG(RSP), ENV_STACK + 6);
	emul_env_reset(ENV_PROT32);
	UNHANDLED(0xcf);
	UNHANDLED(0xcb);
	UNHANDLED(0xea, 0, 0, 0, 0, 8, 0);
	emul_env_reset(ENV_LONG);
	FAULTS(VEC_UD, 0xea, 0, 0, 0, 0, 8, 0);
	FAULTS(VEC_UD, 0x9a, 0, 0, 0, 0, 8, 0);
}
END_TEST

START_TEST(test_vm86)
{
	emul_env_reset(ENV_VM86);
	REG(RAX) = 0x3000;
	env.c.seg[SEG_ES].limit = ~0u;
	OK(0x8e, 0xc0);
	ck_assert_uint_eq(env.c.seg[SEG_ES].base, 0x30000);
	ck_assert_uint_eq(env.c.seg[SEG_ES].limit, 0xffff);
	FAULTS(VEC_GP, 0x9c);                           /* pushf at IOPL 0 */
	FAULTS(VEC_GP, 0x9d);
	FAULTS(VEC_GP, 0xfa);
	FAULTS(VEC_GP, 0xf4);
	env.c.rflags |= FLAG_IOPL;
	OK(0x9c);
	ck_assert_uint_eq(emul_env_get(ENV_STACK - 2, 2), FLAG_FIXED | FLAG_IOPL);
	emul_env_put(ENV_STACK - 2, FLAG_IF | FLAG_CF, 2);
	OK(0x9d);                                       /* IF changes, IOPL does not */
	ck_assert_uint_eq(env.c.rflags, FLAG_VM | FLAG_IOPL | FLAG_FIXED | FLAG_IF | FLAG_CF);
	UNHANDLED(0xcf);
	env.c.rflags &= ~FLAG_IOPL;
	env.c.cr4 |= CR4_VME;
	UNHANDLED(0xfb);
	UNHANDLED(0x9c);
	FAULTS(VEC_UD, 0xc5, 0xfe, 0x6f, 0xc1);         /* VEX */
}
END_TEST

START_TEST(test_protected_types)
{
	emul_env_reset(ENV_PROT32);
	REG(RBX) = ENV_DATA;
	emul_env_put(ENV_DATA, 0xfeedface, 4);
	OK(0x8b, 0x03);
	env.c.seg[SEG_DS].attr = 0xc91;                 /* read-only data */
	OK(0x8b, 0x03);
	FAULTS(VEC_GP, 0x89, 0x03);
	FAULTS(VEC_GP, 0x01, 0x03);
	FAULTS(VEC_GP, 0x87, 0x03);
	FAULTS(VEC_GP, 0x2e, 0x89, 0x03);               /* code is never written */
	OK(0x2e, 0x8b, 0x0b);
	ck_assert_uint_eq(REG(RCX), 0xfeedface);
	env.c.seg[SEG_CS].attr = 0xc99;                 /* execute-only */
	FAULTS(VEC_GP, 0x2e, 0x8b, 0x0b);
	env.c.seg[SEG_DS].attr = 0;                     /* null */
	FAULTS(VEC_GP, 0x8b, 0x03);
	env.c.seg[SEG_SS].attr = 0xc91;
	FAULTS(VEC_SS, 0x50);
	/* LEA makes no access. */
	OK(0x8d, 0x43, 0x04);
	ck_assert_uint_eq(REG(RAX), ENV_DATA + 4);
	FAULTS(VEC_UD, 0x8d, 0xc0);
}
END_TEST

START_TEST(test_protected_limits)
{
	emul_env_reset(ENV_PROT32);
	env.c.seg[SEG_DS].limit = 0x2003;
	REG(RBX) = 0x2000;
	OK(0x8b, 0x03);
	REG(RBX) = 0x2001;
	FAULTS(VEC_GP, 0x8b, 0x03);
	env.c.seg[SEG_DS].attr = 0xc97;                 /* expand-down: above the limit only */
	FAULTS(VEC_GP, 0x8b, 0x03);
	REG(RBX) = 0x2003;
	FAULTS(VEC_GP, 0x8a, 0x03);
	REG(RBX) = 0x2004;
	OK(0x8b, 0x03);
	env.c.seg[SEG_DS].attr = 0x97;                  /* 16-bit: up to FFFFh */
	REG(RBX) = 0xfffc;
	OK(0x8b, 0x03);
	REG(RBX) = 0xfffd;
	FAULTS(VEC_GP, 0x8b, 0x03);
	/* Offsets do not wrap, linear addresses do. */
	env.c.seg[SEG_DS].attr = 0xc93;
	env.c.seg[SEG_DS].limit = ~0u;
	REG(RBX) = 0xfffffffe;
	FAULTS(VEC_GP, 0x8b, 0x03);
	env.c.seg[SEG_DS].base = ENV_DATA + 0x10;
	REG(RBX) = 0xfffffff0;
	emul_env_put(ENV_DATA, 0x600df00d, 4);
	OK(0x8b, 0x03);
	ck_assert_uint_eq(REG(RAX), 0x600df00d);
}
END_TEST

START_TEST(test_stack_sizes)
{
	emul_env_reset(ENV_PROT32);
	env.c.seg[SEG_SS].attr = 0x93;                  /* a 16-bit stack under 32-bit code */
	REG(RSP) = 0x77770000 | ENV_STACK;
	OK(0x50);
	ck_assert_uint_eq(REG(RSP), 0x77770000 | (ENV_STACK - 4));
	env.c.seg[SEG_SS].attr = 0xc93;
	FAULTS(VEC_PF, 0x50);
	emul_env_reset(ENV_PROT16);
	REG(RSP) = ENV_STACK;
	REG(RAX) = 0xaaaabbbb;
	OK(0x66, 0x50);
	ck_assert_uint_eq(emul_env_get(ENV_STACK - 4, 4), 0xaaaabbbb);
	emul_env_reset(ENV_LONG);
	OK(0x6a, 0xff);
	ck_assert_uint_eq(REG(RSP), ENV_STACK - 8);
	ck_assert_uint_eq(emul_env_get(ENV_STACK - 8, 8), ~0ull);
	OK(0x66, 0x6a, 0xff);
	ck_assert_uint_eq(REG(RSP), ENV_STACK - 10);
	FAULTS(VEC_UD, 0x06);
	FAULTS(VEC_UD, 0x60);
	REG(RSP) = 0x800000000000;
	FAULTS(VEC_SS, 0x58);
	ck_assert(env.c.fault.has_error);
}
END_TEST

START_TEST(test_pop_memory)
{
	emul_env_reset(ENV_PROT32);
	emul_env_put(ENV_STACK, 0x01020304, 4);
	OK(0x8f, 0x04, 0x24);                           /* pop (%esp): the address after the pop */
	ck_assert_uint_eq(emul_env_get(ENV_STACK + 4, 4), 0x01020304);
	ck_assert_uint_eq(REG(RSP), ENV_STACK + 4);
	env.c.seg[SEG_DS].attr = 0xc91;
	REG(RBX) = ENV_DATA;
	FAULTS(VEC_GP, 0x8f, 0x03);
	OK(0x5c);                                       /* pop %esp */
	ck_assert_uint_eq(REG(RSP), 0x01020304);
	FAULTS(VEC_UD, 0xf0, 0x8f, 0x00);
}
END_TEST

START_TEST(test_load_segments)
{
	emul_env_reset(ENV_PROT32);
	REG(RAX) = 0x10;
	OK(0x8e, 0xe0);
	ck_assert_uint_eq(env.c.seg[SEG_FS].sel, 0x10);
	REG(RAX) = 0x14;
	FAULTS(VEC_NP, 0x8e, 0xe0);
	FAULTS(VEC_UD, 0x8e, 0xc8);                     /* mov to %cs */
	FAULTS(VEC_UD, 0x8e, 0xf0);                     /* segment 6 */
	FAULTS(VEC_UD, 0x8c, 0xf8);
	REG(RAX) = 0x18;
	OK(0x8e, 0xd0);
	ck_assert(env.c.shadow_ss);
	OK(0x8c, 0xd1);
	ck_assert_uint_eq(REG(RCX), 0x18);
	emul_env_put(ENV_DATA, 0x0020deadbeef, 6);
	OK(0xc4, 0x1d, 0, 0x20, 0, 0);                  /* les */
	ck_assert_uint_eq(REG(RBX), 0xdeadbeef);
	ck_assert_uint_eq(env.c.seg[SEG_ES].sel, 0x20);
	emul_env_put(ENV_STACK, 0x24, 4);
	FAULTS(VEC_NP, 0x1f);
	emul_env_put(ENV_STACK, 0x28, 4);
	OK(0x1f);
	ck_assert_uint_eq(REG(RSP), ENV_STACK + 4);
	ck_assert_uint_eq(env.c.seg[SEG_DS].sel, 0x28);
}
END_TEST

START_TEST(test_near_targets)
{
	emul_env_reset(ENV_PROT32);
	env.c.seg[SEG_CS].limit = 0x1fff;
	FAULTS(VEC_GP, 0xe9, 0, 0x10, 0, 0);
	FAULTS(VEC_GP, 0xe8, 0, 0x10, 0, 0);
	ck_assert_uint_eq(env.writes, 0);
	ck_assert_int_eq(RUN(0x66, 0xe9, 0x00, 0x00), EMUL_OK);
	env.c.rip = ENV_CODE;
	REG(RAX) = 0x12345678;
	FAULTS(VEC_GP, 0xff, 0xe0);
	REG(RAX) = 0x1ffff;
	FAULTS(VEC_GP, 0x66, 0xff, 0xe0);               /* 16 bits of it: FFFFh */
	emul_env_reset(ENV_LONG);
	REG(RAX) = 0x800000000000;
	FAULTS(VEC_GP, 0xff, 0xe0);
	FAULTS(VEC_GP, 0xff, 0xd0);
	emul_env_put(ENV_STACK, 0x800000000000, 8);
	FAULTS(VEC_GP, 0xc3);
	UNHANDLED(0x66, 0xe9, 0, 0, 0, 0);
	emul_env_reset(ENV_REAL);
	ck_assert_int_eq(RUN(0xe9, 0x00, 0xf0), EMUL_OK);       /* wraps in 64 KiB */
	ck_assert_uint_eq(env.c.rip, 0x0003);
}
END_TEST

START_TEST(test_loops)
{
	REG(RCX) = 0x10001;
	ck_assert_int_eq(RUN(0xe2, 0xfe), EMUL_OK);     /* CX 1 -> 0: falls through */
	ck_assert_uint_eq(env.c.rip, ENV_CODE + 2);
	ck_assert_uint_eq(REG(RCX), 0x10000);
	ck_assert_int_eq(RUN(0xe3, 0x10), EMUL_OK);     /* jcxz */
	ck_assert_uint_eq(env.c.rip, ENV_CODE + 0x14);
	env.c.rip = ENV_CODE;
	ck_assert_int_eq(RUN(0x67, 0xe2, 0xfd), EMUL_OK);
	ck_assert_uint_eq(env.c.rip, ENV_CODE);
	ck_assert_uint_eq(REG(RCX), 0xffff);
	ck_assert_int_eq(RUN(0xe1, 0xfe), EMUL_OK);     /* loope without ZF */
	ck_assert_uint_eq(env.c.rip, ENV_CODE + 2);
}
END_TEST

/* Every 16-bit ModRM form: base, index, displacement, default segment, wrap at 64 KiB. */
START_TEST(test_modrm16)
{
	static const struct {
		uint16_t sum;           /* of the registers */
		bool stack;
	} form[8] = {
		{ 0x1000 + 0x0300, false }, { 0x1000 + 0x0040, false },
		{ 0x2000 + 0x0300, true },  { 0x2000 + 0x0040, true },
		{ 0x0300, false },          { 0x0040, false },
		{ 0x2000, true },           { 0x1000, false },
	};

	for (unsigned int n = 0; n < 24; n++) {
		unsigned int mod = n / 8, rm = n % 8;
		uint8_t insn[4] = { 0x8b, (uint8_t)(mod << 6 | 1 << 3 | rm), 0x85, 0xf0 };
		uint16_t disp = mod == 0 ? 0 : mod == 1 ? 0xff85 : 0xf085;
		bool direct = mod == 0 && rm == 6;
		uint16_t at = direct ? 0xf085 : (uint16_t)(form[rm].sum + disp);
		bool stack = form[rm].stack && !direct;

		emul_env_reset(ENV_REAL);
		REG(RBX) = 0xabcd1000;
		REG(RBP) = 0xabcd2000;
		REG(RSI) = 0xabcd0300;
		REG(RDI) = 0xabcd0040;
		env.c.seg[SEG_DS].base = 0x40000;
		env.c.seg[SEG_SS].base = 0x60000;
		emul_env_put((stack ? 0x60000 : 0x40000) + at, 0x1234 + n, 2);
		ck_assert_int_eq(emul_env_run(insn, 4), EMUL_OK);
		ck_assert_uint_eq(REG(RCX), 0x1234 + n);
		ck_assert_uint_eq(env.c.rip, ENV_CODE + 2 + (direct ? 2 : mod));
	}
}
END_TEST

/* 32-bit SIB: no index, no base, scales, and the stack segment for EBP and ESP. */
START_TEST(test_sib32)
{
	emul_env_reset(ENV_PROT32);
	env.c.seg[SEG_DS].base = 0x40000;
	env.c.seg[SEG_SS].base = 0x60000;
	REG(RBX) = 0x100;
	REG(RBP) = 0x200;
	REG(RSI) = 0x10;
	emul_env_put(0x40000 + 0x100 + 0x40, 0xa1, 4);
	OK(0x8b, 0x04, 0xb3);                           /* (%ebx,%esi,4) */
	ck_assert_uint_eq(REG(RAX), 0xa1);
	emul_env_put(0x60000 + 0x200 + 0x80 + 8, 0xa2, 4);
	OK(0x8b, 0x44, 0xf5, 0x08);                     /* 8(%ebp,%esi,8) */
	ck_assert_uint_eq(REG(RAX), 0xa2);
	emul_env_put(0x40000 + 0x300 + 0x20, 0xa3, 4);
	OK(0x8b, 0x04, 0x75, 0x00, 0x03, 0, 0);         /* 0x300(,%esi,2) */
	ck_assert_uint_eq(REG(RAX), 0xa3);
	emul_env_put(0x60000 + ENV_STACK, 0xa4, 4);
	OK(0x8b, 0x04, 0x24);                           /* (%esp) */
	ck_assert_uint_eq(REG(RAX), 0xa4);
	emul_env_put(0x40000 + 0x210, 0xa5, 4);
	OK(0x3e, 0x8b, 0x45, 0x10);                     /* %ds:16(%ebp) */
	ck_assert_uint_eq(REG(RAX), 0xa5);
	emul_env_put(0x40000 + 0x500, 0xa6, 4);
	OK(0x8b, 0x05, 0x00, 0x05, 0, 0);               /* disp32 alone: not RIP-relative */
	ck_assert_uint_eq(REG(RAX), 0xa6);
}
END_TEST

static struct emul_segment code_seg;

static enum emul_result op_code_seg(struct emul_ctxt *c, uint16_t sel, struct emul_segment *s)
{
	*s = code_seg;
	s->sel = sel;
	return sel == 0x10 ? EMUL_OK : EMUL_UNHANDLED;
}

/* A far JMP to a code segment; the descriptor's checks are the caller's. */
START_TEST(test_protected_far)
{
	struct emul_ops ops = emul_env_ops;

	ops.code_seg = op_code_seg;
	emul_env_reset(ENV_PROT32);
	env.c.ops = &ops;
	code_seg = (struct emul_segment){ .attr = 0x49b, .limit = 0xffff, .base = 0x1000 };
	FAULTS(VEC_GP, 0xea, 0, 0, 1, 0, 0x10, 0);              /* beyond its limit */
	UNHANDLED(0xea, 0, 0, 0, 0, 0x18, 0);
	ck_assert_int_eq(RUN(0xea, 0x34, 0x12, 0, 0, 0x10, 0), EMUL_OK);
	ck_assert_uint_eq(env.c.rip, 0x1234);
	ck_assert_uint_eq(env.c.seg[SEG_CS].base, 0x1000);
	ck_assert_uint_eq(env.c.segs_changed, 1u << SEG_CS);
	emul_env_reset(ENV_LONG);
	env.c.ops = &ops;
	code_seg = (struct emul_segment){ .attr = 0x29b };
	REG(RBX) = ENV_DATA;
	emul_env_put(ENV_DATA, 0x123456789abc, 8);
	emul_env_put(ENV_DATA + 8, 0x10, 2);
	ck_assert_int_eq(RUN(0x48, 0xff, 0x2b), EMUL_OK);       /* rex64 ljmp *(%rbx) */
	ck_assert_uint_eq(env.c.rip, 0x123456789abc);
	emul_env_reset(ENV_LONG);
	env.c.ops = &ops;
	REG(RBX) = ENV_DATA;
	emul_env_put(ENV_DATA, 0x8123456789abcdef, 8);
	emul_env_put(ENV_DATA + 8, 0x10, 2);
	FAULTS(VEC_GP, 0x48, 0xff, 0x2b);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_real_addresses, test_real_limit, test_real_stack, test_real_far, test_real_iret,
		test_vm86, test_protected_types, test_protected_limits, test_stack_sizes,
		test_pop_memory, test_load_segments, test_near_targets, test_loops,
		test_modrm16, test_sib32, test_protected_far, NULL
	};

	return suite_run("emul modes", setup, tests);
}
