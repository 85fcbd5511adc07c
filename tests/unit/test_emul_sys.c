/* Privilege, control state, ports, locked updates, SIMD preconditions, and results of the ops. */
#include <string.h>
#include "fake/emul_env.h"
#include "fake/suite.h"

static void setup(void)
{
	emul_env_reset(ENV_LONG);
}

START_TEST(test_privileged)
{
	static const uint8_t insns[][3] = {
		{ 0xf4 }, { 0x0f, 0x06 }, { 0x0f, 0x30 }, { 0x0f, 0x32 }, { 0x0f, 0x20, 0xc0 },
		{ 0x0f, 0x22, 0xd8 }, { 0x0f, 0x21, 0xf8 }, { 0x0f, 0x23, 0xf8 },
		{ 0x0f, 0x01, 0xf0 }, { 0x0f, 0x01, 0x38 },
	};

	for (unsigned int n = 0; n < ARRAY_SIZE(insns); n++) {
		emul_env_reset(ENV_LONG);
		env.c.cpl = 3;
		ck_assert_int_eq(emul_env_run(insns[n], 3), EMUL_FAULT);
		ck_assert_uint_eq(env.c.fault.vector, VEC_GP);
		ck_assert(env.c.fault.has_error && env.c.fault.error == 0);
		emul_env_reset(ENV_LONG);
		ck_assert_int_eq(emul_env_run(insns[n], 3), EMUL_OK);
	}
}
END_TEST

START_TEST(test_control_registers)
{
	env.cr[3] = 0x123456789000;
	OK(0x0f, 0x20, 0xd9);                           /* mov %cr3,%rcx */
	ck_assert_uint_eq(REG(RCX), 0x123456789000);
	REG(R9) = 5;
	OK(0x45, 0x0f, 0x22, 0xc1);                     /* mov %r9,%cr8 */
	ck_assert_uint_eq(env.cr[8], 5);
	FAULTS(VEC_UD, 0x0f, 0x20, 0xc8);               /* CR1 */
	env.cr[0] = CR0_TS | CR0_PE;
	OK(0x0f, 0x06);
	ck_assert_uint_eq(env.cr[0], CR0_PE);
	REG(RAX) = CR0_TS | CR0_EM | 0xfff0;
	OK(0x0f, 0x01, 0xf0);                           /* lmsw: PE stays, only four bits */
	ck_assert_uint_eq(env.cr[0], CR0_PE | CR0_TS | CR0_EM);
	env.cr[0] |= 0x80050000;
	REG(RBX) = ENV_DATA;
	emul_env_put(ENV_DATA, ~0ull, 8);
	OK(0x0f, 0x01, 0x23);                           /* smsw to memory: 16 bits */
	ck_assert_uint_eq(emul_env_get(ENV_DATA, 4), 0xffff000d);
	OK(0x0f, 0x01, 0xe1);
	ck_assert_uint_eq(REG(RCX), 0x8005000d);
	env.c.cpl = 3;
	OK(0x0f, 0x01, 0xe1);
	env.c.cr4 |= CR4_UMIP;
	FAULTS(VEC_GP, 0x0f, 0x01, 0xe1);
	env.c.cpl = 0;
	env.system_result = EMUL_CRASH;
	ck_assert_int_eq(RUN(0x0f, 0x20, 0xd9), EMUL_CRASH);
	emul_env_reset(ENV_PROT32);
	env.cr[3] = 0x1123456789000;
	REG(RAX) = ~0ull;
	OK(0x66, 0x0f, 0x20, 0xd8);                     /* 32 bits, whatever the prefix */
	ck_assert_uint_eq(REG(RAX), 0x56789000);
}
END_TEST

/* LOCK MOV CR0 is CR8 where CPUID says so. */
START_TEST(test_alternate_cr8)
{
	emul_env_reset(ENV_PROT32);
	env.cr[8] = 9;
	FAULTS(VEC_UD, 0xf0, 0x0f, 0x20, 0xc0);
	env.cpuid_ecx_ext = 1u << 4;
	OK(0xf0, 0x0f, 0x20, 0xc0);
	ck_assert_uint_eq(REG(RAX), 9);
	FAULTS(VEC_UD, 0xf0, 0x0f, 0x20, 0xd8);
	FAULTS(VEC_UD, 0xf0, 0x90);
}
END_TEST

START_TEST(test_debug_registers)
{
	REG(RAX) = 0x400;
	OK(0x0f, 0x23, 0xf8);
	ck_assert_uint_eq(env.dr[7], 0x400);
	OK(0x0f, 0x21, 0xe9);                           /* DR5 is DR7 */
	ck_assert_uint_eq(REG(RCX), 0x400);
	env.c.cr4 |= BIT(3);
	FAULTS(VEC_UD, 0x0f, 0x21, 0xe9);
	FAULTS(VEC_UD, 0x44, 0x0f, 0x21, 0xc1);         /* DR8 */
}
END_TEST

START_TEST(test_msr_cpuid_hlt)
{
	REG(RCX) = 0xffff0000c0000080;
	env.msr_value = 0x1122334455667788;
	REG(RAX) = REG(RDX) = ~0ull;
	OK(0x0f, 0x32);
	ck_assert_uint_eq(env.msr, 0xc0000080);
	ck_assert_uint_eq(REG(RAX), 0x55667788);
	ck_assert_uint_eq(REG(RDX), 0x11223344);
	REG(RAX) = 0xffffffff00000001;
	REG(RDX) = 0xffffffff00000002;
	OK(0x0f, 0x30);
	ck_assert_uint_eq(env.msr_value, 0x200000001);
	env.msr_value = 77;
	OK(0x0f, 0x31);
	ck_assert_uint_eq(env.msr, 0x10);
	ck_assert_uint_eq(REG(RAX), 77);
	env.c.cpl = 3;
	env.c.cr4 |= CR4_TSD;
	FAULTS(VEC_GP, 0x0f, 0x31);
	REG(RCX) = 0x1234;
	OK(0x0f, 0xa2);
	ck_assert_uint_eq(REG(RBX), 0xb0b0b0b0);
	ck_assert_uint_eq(REG(RCX), 0x1234);
	env.c.cpl = 0;
	OK(0xf4);
	ck_assert(env.c.hlt);
	OK(0x90);
	ck_assert(!env.c.hlt);
	REG(RBX) = 0x345678;
	OK(0x0f, 0x01, 0x3b);
	ck_assert_uint_eq(env.invlpg, 0x345678);
	REG(RBX) = 0x800000000000;
	OK(0x0f, 0x01, 0x3b);                           /* not canonical: nothing */
	ck_assert_uint_eq(env.invlpg, 0x345678);
	UNHANDLED(0x0f, 0x01, 0xf8);                    /* swapgs */
	REG(RBX) = 0x1000;
	env.c.seg[SEG_GS].base = 0x500000;
	OK(0x65, 0x0f, 0x01, 0x3b);
	ck_assert_uint_eq(env.invlpg, 0x501000);
	emul_env_reset(ENV_PROT32);
	REG(RBX) = 0xfffff000;
	env.c.seg[SEG_DS].base = 0x3000;
	OK(0x0f, 0x01, 0x3b);
	ck_assert_uint_eq(env.invlpg, 0x2000);
}
END_TEST

START_TEST(test_fences_and_flushes)
{
	OK(0x0f, 0xae, 0xf8);                           /* sfence */
	OK(0x0f, 0xae, 0xf0);
	OK(0x0f, 0xae, 0xe8);
	REG(RBX) = ENV_DATA;
	OK(0x0f, 0xae, 0x3b);                           /* clflush */
	UNHANDLED(0x0f, 0xae, 0x33);                    /* xsaveopt */
	UNHANDLED(0x0f, 0xae, 0x03);                    /* fxsave */
	REG(RBX) = 0x800000000000;
	FAULTS(VEC_GP, 0x0f, 0xae, 0x3b);
	OK(0x0f, 0x18, 0x0b);                           /* prefetch never faults */
	OK(0xf3, 0x90);
	OK(0xf3, 0x0f, 0x1e, 0xfa);
	OK(0x0f, 0x1f, 0x44, 0x00, 0x00);
	ck_assert_uint_eq(env.reads + env.writes, 0);
}
END_TEST

START_TEST(test_interrupt_flag)
{
	OK(0xfb);
	ck_assert(env.c.shadow_sti);
	ck_assert(env.c.rflags & FLAG_IF);
	OK(0xfb);                                       /* already set: no shadow */
	ck_assert(!env.c.shadow_sti);
	OK(0xfa);
	ck_assert(!(env.c.rflags & FLAG_IF));
	env.c.cpl = 3;
	FAULTS(VEC_GP, 0xfa);
	FAULTS(VEC_GP, 0xfb);
	emul_env_put(ENV_STACK, FLAG_IF | FLAG_IOPL | FLAG_ZF | FLAG_AC, 8);
	OK(0x9d);                                       /* popf: IF and IOPL stay */
	ck_assert_uint_eq(env.c.rflags, FLAG_FIXED | FLAG_ZF | FLAG_AC);
	env.c.cr4 |= CR4_PVI;
	UNHANDLED(0xfa);
	env.c.rflags |= FLAG_IOPL;
	OK(0xfb);
	env.c.cpl = 0;
	REG(RSP) = ENV_STACK;
	emul_env_put(ENV_STACK, FLAG_VM | FLAG_RF | FLAG_VIP | FLAG_ID, 8);
	OK(0x9d);
	ck_assert_uint_eq(env.c.rflags, FLAG_FIXED | FLAG_ID);
}
END_TEST

START_TEST(test_ports)
{
	REG(RDX) = 0x13f8;
	REG(RAX) = 0x1122334455667788;
	OK(0xee);
	ck_assert_uint_eq(env.pio[0].port, 0x13f8);
	ck_assert_uint_eq(env.pio[0].size, 1);
	ck_assert_uint_eq(env.pio[0].data, 0x88);
	OK(0x48, 0xe7, 0x80);                           /* REX.W means nothing here */
	ck_assert_uint_eq(env.pio[1].port, 0x80);
	ck_assert_uint_eq(env.pio[1].size, 4);
	ck_assert_uint_eq(env.pio[1].data, 0x55667788);
	env.pio_in = 0x12345678;
	OK(0xec);
	ck_assert_uint_eq(REG(RAX), 0x1122334455667778);
	OK(0xed);
	ck_assert_uint_eq(REG(RAX), 0x12345679);
	OK(0xe4, 0xff);
	ck_assert_uint_eq(env.pio[4].port, 0xff);
	env.pio_result = EMUL_RETRY;
	ck_assert_int_eq(RUN(0xed), EMUL_RETRY);
}
END_TEST

/* The I/O permission bitmap, when CPL is above IOPL. */
START_TEST(test_port_bitmap)
{
	env.c.cpl = 3;
	REG(RDX) = 0x3f8;
	FAULTS(VEC_GP, 0xec);                           /* no TSS */
	env.c.tr = (struct emul_segment){ .attr = 0x8b, .base = 0x5000, .limit = 0x67 + 0x2000 };
	emul_env_put(0x5066, 0x68, 2);
	OK(0xec);
	emul_env_put(0x5068 + 0x7f, 2, 1);              /* 3F9h is not for us */
	OK(0xec);
	FAULTS(VEC_GP, 0x66, 0xed);
	FAULTS(VEC_GP, 0x66, 0x6d);
	REG(RDX) = 0xffff;
	env.c.tr.limit = 0x68 + 0x1fff;                 /* the byte behind the map is missing */
	FAULTS(VEC_GP, 0xec);
	env.c.tr.limit++;
	OK(0xec);
	env.c.tr.attr = 0x83;                           /* a 16-bit TSS has none */
	FAULTS(VEC_GP, 0xec);
	env.c.rflags |= FLAG_IOPL;
	OK(0xec);
	emul_env_reset(ENV_VM86);
	env.c.rflags |= FLAG_IOPL;                      /* does not help here */
	FAULTS(VEC_GP, 0xec);
}
END_TEST

START_TEST(test_locked)
{
	REG(RBX) = ENV_DATA;
	REG(RCX) = 0x10;
	emul_env_put(ENV_DATA, 0x20, 8);
	env.lose_races = 3;
	OK(0xf0, 0x48, 0x01, 0x0b);                     /* lock add: three others came first */
	ck_assert_uint_eq(emul_env_get(ENV_DATA, 8), 0x33);
	ck_assert_uint_eq(env.cmpxchgs, 4);
	ck_assert_uint_eq(env.writes, 0);
	OK(0x48, 0x87, 0x0b);                           /* xchg is locked by itself */
	ck_assert_uint_eq(REG(RCX), 0x33);
	ck_assert_uint_eq(env.cmpxchgs, 5);
	env.lose_races = 1000;
	ck_assert_int_eq(RUN(0xf0, 0x48, 0x01, 0x0b), EMUL_RETRY);
	env.lose_races = 0;
	emul_env_put(ENV_DATA, 0x44, 8);
	REG(RAX) = 0x44;
	OK(0xf0, 0x0f, 0xb1, 0x0b);
	ck_assert(env.c.rflags & FLAG_ZF);
	ck_assert_uint_eq(emul_env_get(ENV_DATA, 8), 0x33);
	OK(0xf0, 0x0f, 0xb1, 0x0b);
	ck_assert(!(env.c.rflags & FLAG_ZF));
	ck_assert_uint_eq(REG(RAX), 0x33);
	FAULTS(VEC_UD, 0xf0, 0x01, 0xc8);               /* register */
	FAULTS(VEC_UD, 0xf0, 0x89, 0x0b);               /* mov */
	FAULTS(VEC_UD, 0xf0, 0x39, 0x0b);               /* cmp */
	FAULTS(VEC_UD, 0xf0, 0x03, 0x0b);               /* memory is the source */
	FAULTS(VEC_UD, 0xf0, 0x83, 0x3b, 1);
	FAULTS(VEC_UD, 0xf0, 0x0f, 0xa3, 0x0b);         /* bt */
}
END_TEST

START_TEST(test_wide_cmpxchg)
{
	REG(RBX) = 0x1111;
	REG(RCX) = 0x2222;
	REG(RAX) = 0x10;
	REG(RDX) = 0x20;
	REG(RSI) = ENV_DATA;
	emul_env_put(ENV_DATA, 0x2000000010, 8);
	OK(0x0f, 0xc7, 0x0e);
	ck_assert(env.c.rflags & FLAG_ZF);
	ck_assert_uint_eq(emul_env_get(ENV_DATA, 8), 0x222200001111);
	OK(0x48, 0x0f, 0xc7, 0x0e);
	ck_assert(!(env.c.rflags & FLAG_ZF));
	ck_assert_uint_eq(REG(RAX), 0x222200001111);
	ck_assert_uint_eq(REG(RDX), 0);
	OK(0x48, 0x0f, 0xc7, 0x0e);
	ck_assert(env.c.rflags & FLAG_ZF);
	ck_assert_uint_eq(emul_env_get(ENV_DATA + 8, 8), 0x2222);
	REG(RSI)++;
	FAULTS(VEC_GP, 0x48, 0x0f, 0xc7, 0x0e);
	FAULTS(VEC_UD, 0x0f, 0xc7, 0xce);
}
END_TEST

/* Whatever an op answers is the answer, and nothing has changed. */
START_TEST(test_op_results)
{
	static const enum emul_result results[] = { EMUL_FAULT, EMUL_RETRY, EMUL_UNHANDLED,
						    EMUL_CRASH };
	static const uint8_t insns[][4] = {
		{ 0x8b, 0x03 }, { 0x89, 0x03 }, { 0x01, 0x0b }, { 0x87, 0x0b }, { 0x8f, 0x03 },
		{ 0xff, 0x33 }, { 0xff, 0x13 }, { 0xff, 0x23 }, { 0xf7, 0x33 }, { 0xd3, 0x03 },
		{ 0x0f, 0xc1, 0x0b }, { 0x0f, 0xb1, 0x0b }, { 0x0f, 0xab, 0x03 }, { 0x0f, 0xa5, 0x0b },
		{ 0x0f, 0x28, 0x03 }, { 0x0f, 0x29, 0x03 }, { 0x0f, 0xb6, 0x03 }, { 0xf0, 0xff, 0x03 },
		{ 0x0f, 0x38, 0xf1, 0x03 }, { 0x0f, 0xc3, 0x0b }, { 0x0f, 0x44, 0x03 }, { 0x0f, 0x94, 0x03 },
	};

	for (unsigned int n = 0; n < ARRAY_SIZE(insns) * ARRAY_SIZE(results); n++) {
		struct emul_ctxt old;
		emul_env_reset(ENV_LONG);
		REG(RBX) = ENV_DATA;
		REG(RCX) = 1;
		env.bad_from = ENV_DATA;
		env.bad_to = ENV_DATA + 64;
		env.bad_result = results[n % ARRAY_SIZE(results)];
		old = env.c;
		ck_assert_int_eq(emul_env_run(insns[n / ARRAY_SIZE(results)], 4), env.bad_result);
		ck_assert_mem_eq(old.gpr, env.c.gpr, sizeof(old.gpr));
		ck_assert_uint_eq(old.rip, env.c.rip);
		ck_assert_uint_eq(old.rflags, env.c.rflags);
	}
}
END_TEST

START_TEST(test_simd_conditions)
{
	REG(RBX) = ENV_DATA;
	env.c.cr0 |= CR0_TS;
	FAULTS(VEC_NM, 0x0f, 0x28, 0x03);
	ck_assert(!env.c.fault.has_error);
	FAULTS(VEC_NM, 0x0f, 0x6f, 0x03);
	FAULTS(VEC_NM, 0xc5, 0xf8, 0x28, 0x03);
	OK(0x0f, 0xc3, 0x03);                           /* movnti uses no FPU state */
	env.c.cr0 |= CR0_EM;
	FAULTS(VEC_UD, 0x0f, 0x28, 0x03);
	FAULTS(VEC_UD, 0x0f, 0x6f, 0x03);
	FAULTS(VEC_NM, 0xc5, 0xf8, 0x28, 0x03);
	env.c.cr0 &= ~(CR0_EM | CR0_TS);
	env.c.cr4 &= ~CR4_OSFXSR;
	FAULTS(VEC_UD, 0x0f, 0x28, 0x03);
	OK(0x0f, 0x6f, 0x03);
	OK(0xc5, 0xf8, 0x28, 0x03);
	env.c.cr4 &= ~CR4_OSXSAVE;
	FAULTS(VEC_UD, 0xc5, 0xf8, 0x28, 0x03);
	env.c.cr4 |= CR4_OSFXSR | CR4_OSXSAVE;
	REG(RBX)++;
	FAULTS(VEC_GP, 0x0f, 0x28, 0x03);
	OK(0x0f, 0x10, 0x03);
	FAULTS(VEC_UD, 0xc5, 0x70, 0x10, 0x03);         /* vvvv without a use */
	FAULTS(VEC_UD, 0x66, 0xc5, 0xf8, 0x10, 0x03);   /* VEX behind 66 */
	FAULTS(VEC_UD, 0xc5, 0xfd, 0x7e, 0xc0);         /* vmovd with L */
}
END_TEST

START_TEST(test_simd_moves)
{
	for (unsigned int n = 0; n < 64; n++) {
		env.mem[ENV_DATA + n] = (uint8_t)(n + 1);
	}
	REG(RBX) = ENV_DATA;
	memset(env.vec, 0xee, sizeof(env.vec));
	OK(0x0f, 0x28, 0x0b);                           /* movaps: the upper half stays */
	ck_assert_mem_eq(env.vec[1], env.mem + ENV_DATA, 16);
	ck_assert_uint_eq(env.vec[1][16], 0xee);
	OK(0xc5, 0xf8, 0x28, 0x13);                     /* vmovaps: it is cleared */
	ck_assert_uint_eq(env.vec[2][15], 16);
	ck_assert_uint_eq(env.vec[2][16], 0);
	OK(0xc5, 0xfe, 0x6f, 0x1b);
	ck_assert_mem_eq(env.vec[3], env.mem + ENV_DATA, 32);
	OK(0xc5, 0xfd, 0xe7, 0x5b, 0x20);               /* vmovntdq */
	ck_assert_mem_eq(env.mem + ENV_DATA + 32, env.vec[3], 32);
	OK(0x66, 0x48, 0x0f, 0x6e, 0xc3);               /* movq %rbx,%xmm0 */
	ck_assert_mem_eq(env.vec[0], &REG(RBX), 8);
	ck_assert_uint_eq(env.vec[0][8], 0);
	OK(0x0f, 0x6f, 0x2b);
	OK(0x0f, 0xe7, 0x6b, 0x30);                     /* movntq %mm5 */
	ck_assert_mem_eq(env.mem + ENV_DATA + 0x30, env.mem + ENV_DATA, 8);
	/* A 128-bit access is one access. */
	env.reads = env.writes = 0;
	OK(0x0f, 0x11, 0x4b, 0x01);
	ck_assert_uint_eq(env.writes, 1);
}
END_TEST

START_TEST(test_evex_moves)
{
	for (unsigned int n = 0; n < 64; n++) {
		env.mem[ENV_DATA + n] = (uint8_t)(n + 1);
	}
	REG(RBX) = ENV_DATA;
	memset(env.vec, 0xee, sizeof(env.vec));
	OK(0x62, 0xe1, 0xfe, 0x48, 0x6f, 0x0b);                 /* vmovdqu64 (%rbx),%zmm17 */
	ck_assert_mem_eq(env.vec[17], env.mem + ENV_DATA, 64);
	OK(0x62, 0xe1, 0xfe, 0x28, 0x6f, 0x0b);                 /* with a ymm the rest is cleared */
	ck_assert_mem_eq(env.vec[17], env.mem + ENV_DATA, 32);
	ck_assert_uint_eq(env.vec[17][32], 0);
	/* The displacement of 8 bits counts in operands; one write. */
	env.writes = 0;
	OK(0x62, 0xf1, 0xfd, 0x48, 0x7f, 0x4b, 0x01);           /* vmovdqa64 %zmm1,64(%rbx) */
	ck_assert_uint_eq(env.writes, 1);
	ck_assert_uint_eq(env.mem[ENV_DATA + 64], 0xee);
	ck_assert_uint_eq(env.mem[ENV_DATA + 127], 0xee);
	/* Masked elements are not touched: two pieces of memory, and the old register between them. */
	env.mask[2] = 0x9;
	env.reads = 0;
	OK(0x62, 0xf1, 0x7c, 0x0a, 0x10, 0x1b);                 /* vmovups (%rbx),%xmm3{%k2} */
	ck_assert_uint_eq(env.reads, 2);
	ck_assert_mem_eq(env.vec[3], env.mem + ENV_DATA, 4);
	ck_assert_uint_eq(env.vec[3][4], 0xee);
	ck_assert_mem_eq(env.vec[3] + 12, env.mem + ENV_DATA + 12, 4);
	ck_assert_uint_eq(env.vec[3][16], 0);
	OK(0x62, 0xf1, 0x7c, 0x8a, 0x10, 0x1b);                 /* {%k2}{z} */
	ck_assert_uint_eq(env.vec[3][4], 0);
}
END_TEST

START_TEST(test_evex_refused)
{
	REG(RBX) = ENV_DATA;
	env.mask[1] = 0;
	UNHANDLED(0x62, 0xf1, 0xfe, 0x48, 0x6f, 0xc3);     /* between registers */
	UNHANDLED(0x62, 0xf1, 0xfe, 0x68, 0x6f, 0x03);     /* a length of 3 */
	UNHANDLED(0x62, 0xf1, 0xfc, 0x48, 0x10, 0x03);     /* vmovups with W */
	FAULTS(VEC_UD, 0x66, 0x62, 0xf1, 0xfe, 0x48, 0x6f, 0x03);
	FAULTS(VEC_UD, 0x62, 0xf1, 0xfa, 0x48, 0x6f, 0x03);             /* a bit that is always 1 */
	FAULTS(VEC_UD, 0x62, 0xf1, 0xfe, 0xc9, 0x7f, 0x03);             /* memory is not zeroed */
	FAULTS(VEC_UD, 0x62, 0xf1, 0x7d, 0x49, 0xe7, 0x03);             /* vmovntdq with a mask */
	REG(RBX)++;
	OK(0x62, 0xf1, 0xfd, 0x49, 0x6f, 0x03);                         /* no element, no alignment */
	env.mask[1] = 1;
	FAULTS(VEC_GP, 0x62, 0xf1, 0xfd, 0x49, 0x6f, 0x03);
	env.c.cr0 |= CR0_TS;
	FAULTS(VEC_NM, 0x62, 0xf1, 0xfe, 0x48, 0x6f, 0x03);
	env.c.cr4 &= ~CR4_OSXSAVE;
	FAULTS(VEC_UD, 0x62, 0xf1, 0xfe, 0x48, 0x6f, 0x03);
}
END_TEST

/* With F3, BSF is TZCNT only where CPUID says so. */
START_TEST(test_features)
{
	REG(RCX) = 0;
	REG(RAX) = 7;
	OK(0xf3, 0x0f, 0xbc, 0xc1);
	ck_assert_uint_eq(REG(RAX), 7);
	ck_assert(env.c.rflags & FLAG_ZF);
	env.cpuid_ebx7 = 1u << 3;
	OK(0xf3, 0x0f, 0xbc, 0xc1);
	ck_assert_uint_eq(REG(RAX), 32);
	ck_assert(env.c.rflags & FLAG_CF);
	FAULTS(VEC_UD, 0xf3, 0x0f, 0xb8, 0xc1);
	env.cpuid_ecx1 = 1u << 23;
	REG(RCX) = 0xff00ff;
	OK(0xf3, 0x0f, 0xb8, 0xc1);
	ck_assert_uint_eq(REG(RAX), 16);
}
END_TEST

START_TEST(test_division)
{
	REG(RAX) = 0;
	REG(RDX) = 1;
	REG(RCX) = 1;
	FAULTS(VEC_DE, 0x48, 0xf7, 0xf1);               /* 2^64 / 1 */
	ck_assert(!env.c.fault.has_error);
	REG(RCX) = 3;
	OK(0x48, 0xf7, 0xf1);
	ck_assert_uint_eq(REG(RAX), 0x5555555555555555);
	ck_assert_uint_eq(REG(RDX), 1);
	REG(RCX) = 0;
	FAULTS(VEC_DE, 0xf6, 0xf1);
	REG(RAX) = 0x8000000000000000;
	REG(RDX) = ~0ull;
	REG(RCX) = ~0ull;
	FAULTS(VEC_DE, 0x48, 0xf7, 0xf9);               /* the most negative / -1 */
	REG(RAX) = 0xff80;
	REG(RCX) = 1;
	OK(0xf6, 0xf9);                                 /* -128 / 1 fits */
	ck_assert_uint_eq(REG(RAX), 0x0080);
}
END_TEST

START_TEST(test_tables)
{
	env.table[0] = (struct emul_table){ 0xfffff00012345678ull, 0x7f };
	env.table[1] = (struct emul_table){ 0x1234, 0xfff };
	REG(RBX) = ENV_DATA;
	OK(0x0f, 0x01, 0x03);                           /* sgdt (%rbx) */
	ck_assert_uint_eq(emul_env_get(ENV_DATA, 2), 0x7f);
	ck_assert_uint_eq(emul_env_get(ENV_DATA + 2, 8), 0xfffff00012345678ull);
	OK(0x0f, 0x01, 0x1b);                           /* lidt */
	ck_assert_uint_eq(env.table[1].base, 0xfffff00012345678ull);
	ck_assert_uint_eq(env.table[1].limit, 0x7f);
	emul_env_put(ENV_DATA + 2, 0x8000000000000000ull, 8);
	FAULTS(VEC_GP, 0x0f, 0x01, 0x13);               /* lgdt: not canonical */
	UNHANDLED(0x0f, 0x01, 0xc1);
	env.c.cpl = 3;
	OK(0x0f, 0x01, 0x0b);                           /* sidt: programs may */
	FAULTS(VEC_GP, 0x0f, 0x01, 0x1b);
	env.c.cr4 |= CR4_UMIP;
	FAULTS(VEC_GP, 0x0f, 0x01, 0x0b);
	/* 16-bit operands: three bytes of base are loaded, four are stored */
	emul_env_reset(ENV_PROT16);
	emul_env_put(ENV_DATA, 0xfedcba980123ull, 8);
	REG(RBX) = ENV_DATA;
	OK(0x0f, 0x01, 0x17);                           /* lgdt (%bx) */
	ck_assert_uint_eq(env.table[0].base, 0xdcba98);
	ck_assert_uint_eq(env.table[0].limit, 0x0123);
	OK(0x66, 0x0f, 0x01, 0x17);
	ck_assert_uint_eq(env.table[0].base, 0xfedcba98);
	OK(0x0f, 0x01, 0x07);
	ck_assert_uint_eq(emul_env_get(ENV_DATA, 6), 0xfedcba980123ull);
}
END_TEST

START_TEST(test_system_selectors)
{
	REG(RBX) = ENV_DATA;
	emul_env_put(ENV_DATA, 0xffff0028, 4);
	OK(0x0f, 0x00, 0x13);                           /* lldt (%rbx) */
	OK(0x0f, 0x00, 0xdb);                           /* ltr %bx */
	ck_assert_uint_eq(env.system_sel[0], 0x28);
	ck_assert_uint_eq(env.system_sel[1], ENV_DATA);
	OK(0x0f, 0x00, 0x0b);                           /* str: two bytes to memory */
	ck_assert_uint_eq(emul_env_get(ENV_DATA, 4), 0xffff0000u | ENV_DATA);
	REG(RAX) = ~0ull;
	OK(0x0f, 0x00, 0xc0);                           /* sldt %eax */
	ck_assert_uint_eq(REG(RAX), 0x28);
	REG(RCX) = 0x2c;
	FAULTS(VEC_GP, 0x0f, 0x00, 0xd1);
	env.c.cpl = 3;
	FAULTS(VEC_GP, 0x0f, 0x00, 0x13);
	OK(0x0f, 0x00, 0x03);
	emul_env_reset(ENV_REAL);
	FAULTS(VEC_UD, 0x0f, 0x00, 0x07);
}
END_TEST

static struct emul_segment real[SEG_COUNT + 1];
static unsigned int fetched;

static void fetch(struct emul_ctxt *c, unsigned int seg)
{
	ck_assert(!(fetched >> seg & 1));
	fetched |= 1u << seg;
	*(seg == SEG_COUNT ? &c->tr : &c->seg[seg]) = real[seg];
}

/* Everything but CS is missing, and what stands in its place is wrong. */
static void lose_segments(void)
{
	static struct emul_ops ops;

	emul_env_reset(ENV_PROT32);
	ops = *env.c.ops;
	ops.fetch_seg = fetch;
	env.c.ops = &ops;
	memcpy(real, env.c.seg, sizeof(env.c.seg));
	real[SEG_COUNT] = env.c.tr;
	for (unsigned int i = 0; i < SEG_COUNT; i++) {
		if (i != SEG_CS) {
			env.c.seg[i] = (struct emul_segment){ .sel = 0xdead };
		}
	}
	env.c.segs_missing = ((1u << (SEG_COUNT + 1)) - 1) & ~(1u << SEG_CS);
	fetched = 0;
}

START_TEST(test_fetched_segments)
{
	lose_segments();
	emul_env_put(ENV_DATA, 0x12345678, 4);
	REG(RBX) = ENV_DATA;
	OK(0x8b, 0x03);                                 /* mov (%ebx),%eax */
	ck_assert_uint_eq(REG(RAX), 0x12345678);
	ck_assert_uint_eq(fetched, 1u << SEG_DS);
	REG(RSP) = ENV_STACK;
	OK(0xff, 0x33);                                 /* pushl (%ebx): DS is there already */
	ck_assert_uint_eq(emul_env_get(ENV_STACK - 4, 4), 0x12345678);
	ck_assert_uint_eq(fetched, 1u << SEG_DS | 1u << SEG_SS);
	OK(0x64, 0x8b, 0x0b);                           /* mov %fs:(%ebx),%ecx */
	ck_assert_uint_eq(REG(RCX), 0x12345678);
	OK(0x8c, 0xc2);                                 /* mov %es,%edx */
	ck_assert_uint_eq(REG(RDX), real[SEG_ES].sel);
	ck_assert_uint_eq(fetched, 1u << SEG_DS | 1u << SEG_SS | 1u << SEG_FS | 1u << SEG_ES);
	env.c.cpl = 3;
	real[SEG_COUNT] = (struct emul_segment){ .attr = 0x8b, .limit = 0x67, .base = ENV_DATA };
	emul_env_put(ENV_DATA + 0x66, 0x68, 2);
	FAULTS(VEC_GP, 0xe4, 0x21);                     /* the task register, for its bitmap */
	ck_assert(fetched >> SEG_COUNT & 1);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_privileged, test_control_registers, test_alternate_cr8, test_debug_registers,
		test_msr_cpuid_hlt, test_fences_and_flushes, test_interrupt_flag, test_ports,
		test_port_bitmap, test_locked,
		test_wide_cmpxchg, test_op_results, test_simd_conditions, test_simd_moves,
		test_evex_moves, test_evex_refused, test_features, test_division, test_fetched_segments,
		test_tables, test_system_selectors, NULL
	};

	return suite_run("emul sys", setup, tests);
}
