/* exec_string.c: REP in every address size, bulk and single, interrupts, faults, ports. */
#include <string.h>
#include "fake/emul_env.h"
#include "fake/suite.h"

static void setup(void)
{
	emul_env_reset(ENV_LONG);
}

static void aim(uint64_t src, uint64_t dst, uint64_t count)
{
	REG(RSI) = src;
	REG(RDI) = dst;
	REG(RCX) = count;
}

START_TEST(test_single)
{
	emul_env_put(ENV_DATA, 0x1122334455667788, 8);
	aim(ENV_DATA, 0x3000, 7);
	OK(0x48, 0xa5);
	ck_assert_uint_eq(emul_env_get(0x3000, 8), 0x1122334455667788);
	ck_assert_uint_eq(REG(RSI), ENV_DATA + 8);
	ck_assert_uint_eq(REG(RDI), 0x3008);
	ck_assert_uint_eq(REG(RCX), 7);
	env.c.rflags |= FLAG_DF;
	REG(RSI) = ENV_DATA;
	OK(0x66, 0xad);                                 /* lodsw */
	ck_assert_uint_eq(REG(RAX), 0x7788);
	ck_assert_uint_eq(REG(RSI), ENV_DATA - 2);
}
END_TEST

static void check_copy(void)
{
	for (unsigned int n = 0; n < 400; n++) {
		env.mem[ENV_DATA + n] = (uint8_t)(n * 7);
	}
	aim(ENV_DATA, 0x3000, 100);
	OK(0xf3, 0xa5);
	ck_assert_mem_eq(env.mem + ENV_DATA, env.mem + 0x3000, 400);
	ck_assert_uint_eq(env.mem[0x3190], 0);
	ck_assert_uint_eq(REG(RCX), 0);
	ck_assert_uint_eq(REG(RSI), ENV_DATA + 400);
	ck_assert_uint_eq(REG(RDI), 0x3190);
}

START_TEST(test_rep_movs)
{
	check_copy();
	emul_env_reset(ENV_LONG);
	env.c.ops = &emul_env_bulk_ops;
	check_copy();
	ck_assert_uint_eq(env.bulks, 1);
	ck_assert_uint_eq(env.reads, 0);
	emul_env_reset(ENV_PROT32);
	env.c.ops = &emul_env_bulk_ops;
	env.bulk_max = 30;                              /* the op stops at a page, say */
	check_copy();
	ck_assert_uint_eq(env.bulks, 4);
	emul_env_reset(ENV_PROT32);
	env.c.ops = &emul_env_bulk_ops;
	env.bulk_max = 0;
	check_copy();
	ck_assert_uint_eq(env.reads, 100);
}
END_TEST

/* A copy over itself repeats what it has written: never in one piece. */
START_TEST(test_overlap)
{
	env.c.ops = &emul_env_bulk_ops;
	env.mem[ENV_DATA] = 0x5a;
	aim(ENV_DATA, ENV_DATA + 1, 50);
	OK(0xf3, 0xa4);
	ck_assert_uint_eq(env.mem[ENV_DATA + 50], 0x5a);
	ck_assert_uint_eq(env.mem[ENV_DATA + 51], 0);
	ck_assert_uint_eq(env.bulks, 0);
}
END_TEST

START_TEST(test_rep_stos)
{
	env.c.ops = &emul_env_bulk_ops;
	REG(RAX) = 0x1122334455667788;
	aim(0, 0x3000, 5);
	OK(0xf3, 0xab);
	ck_assert_uint_eq(emul_env_get(0x3010, 8), 0x55667788);
	ck_assert_uint_eq(REG(RDI), 0x3014);
	env.c.rflags |= FLAG_DF;
	aim(0, 0x4000, 3);
	OK(0xf3, 0xaa);
	ck_assert_uint_eq(emul_env_get(0x3ffe, 4), 0x00888888);
	ck_assert_uint_eq(REG(RDI), 0x3ffd);
	ck_assert_uint_eq(env.bulks, 2);
}
END_TEST

/* A long REP comes in pieces: rip stays, registers tell how far it is. */
START_TEST(test_budget)
{
	aim(0, 0x10000, 10000);
	ck_assert_int_eq(RUN(0xf3, 0xaa), EMUL_OK);
	ck_assert_uint_eq(env.c.rip, ENV_CODE);
	ck_assert_uint_eq(REG(RCX), 10000 - 4096);
	ck_assert_uint_eq(REG(RDI), 0x11000);
	ck_assert_int_eq(RUN(0xf3, 0xaa), EMUL_OK);
	ck_assert_int_eq(RUN(0xf3, 0xaa), EMUL_OK);
	ck_assert_uint_eq(env.c.rip, ENV_CODE + 2);
	ck_assert_uint_eq(REG(RCX), 0);
}
END_TEST

START_TEST(test_interrupt_and_trap)
{
	env.pending_after = 2;
	aim(0, 0x10000, 100);
	ck_assert_int_eq(RUN(0xf3, 0xaa), EMUL_OK);
	ck_assert_uint_eq(env.c.rip, ENV_CODE);
	ck_assert_uint_eq(REG(RCX), 97);
	/* With TF each iteration is a trap. */
	env.c.rflags |= FLAG_TF;
	ck_assert_int_eq(RUN(0xf3, 0xaa), EMUL_OK);
	ck_assert(env.c.singlestep);
	ck_assert_uint_eq(REG(RCX), 96);
	ck_assert_uint_eq(env.c.rip, ENV_CODE);
	/* The last iteration needs no stop. */
	env.c.rflags &= ~FLAG_TF;
	env.pending_after = 0;
	REG(RCX) = 1;
	OK(0xf3, 0xaa);
}
END_TEST

START_TEST(test_fault_in_the_middle)
{
	aim(ENV_DATA, 0x2ff8, 20);
	env.bad_from = 0x3000;
	env.bad_to = 0x4000;
	ck_assert_int_eq(RUN(0xf3, 0xa5), EMUL_FAULT);
	ck_assert_uint_eq(env.c.fault.vector, VEC_PF);
	ck_assert_uint_eq(env.c.fault.cr2, 0x3000);
	ck_assert_uint_eq(env.c.rip, ENV_CODE);
	ck_assert_uint_eq(REG(RCX), 18);
	ck_assert_uint_eq(REG(RSI), ENV_DATA + 8);
	ck_assert_uint_eq(REG(RDI), 0x3000);
	/* Back to the guest with work done is progress, without it is a retry. */
	env.bad_result = EMUL_RETRY;
	aim(ENV_DATA, 0x2ff8, 20);
	ck_assert_int_eq(RUN(0xf3, 0xa5), EMUL_OK);
	ck_assert_uint_eq(env.c.rip, ENV_CODE);
	ck_assert_uint_eq(REG(RCX), 18);
	ck_assert_int_eq(RUN(0xf3, 0xa5), EMUL_RETRY);
	ck_assert_uint_eq(REG(RCX), 18);
}
END_TEST

START_TEST(test_compare)
{
	memcpy(env.mem + ENV_DATA, "abcdefgh", 8);
	memcpy(env.mem + 0x3000, "abcdeFgh", 8);
	aim(ENV_DATA, 0x3000, 8);
	OK(0xf3, 0xa6);                                 /* repe cmpsb */
	ck_assert_uint_eq(REG(RCX), 2);
	ck_assert(!(env.c.rflags & FLAG_ZF));
	ck_assert(!(env.c.rflags & FLAG_CF));           /* 'f' > 'F' */
	aim(0, ENV_DATA, 100);
	REG(RAX) = 'd';
	OK(0xf2, 0xae);                                 /* repne scasb */
	ck_assert_uint_eq(REG(RCX), 96);
	ck_assert_uint_eq(REG(RDI), ENV_DATA + 4);
	ck_assert(env.c.rflags & FLAG_ZF);
}
END_TEST

/* Only as much of the registers is used, and written, as the address size says. */
START_TEST(test_address_sizes)
{
	emul_env_reset(ENV_REAL);
	aim(0, 0xaaaa3000, 0xbbbb0000);
	OK(0xf3, 0xaa);                                 /* CX is 0: nothing */
	ck_assert_uint_eq(env.writes, 0);
	ck_assert_uint_eq(REG(RCX), 0xbbbb0000);
	REG(RCX) = 0xbbbb0003;
	OK(0xf3, 0xaa);
	ck_assert_uint_eq(REG(RCX), 0xbbbb0000);
	ck_assert_uint_eq(REG(RDI), 0xaaaa3003);
	/* DI wraps inside the segment. */
	env.c.ops = &emul_env_bulk_ops;
	REG(RAX) = 0x77;
	REG(RDI) = 0xfffe;
	REG(RCX) = 4;
	OK(0xf3, 0xaa);
	ck_assert_uint_eq(REG(RDI) & 0xffff, 2);
	ck_assert_uint_eq(env.mem[0xffff], 0x77);
	ck_assert_uint_eq(env.mem[1], 0x77);
	ck_assert_uint_eq(env.mem[0x10000], 0);
	/* A word across the end is a fault after the words before it. */
	REG(RDI) = 0xfffd;
	REG(RCX) = 4;
	ck_assert_int_eq(RUN(0xf3, 0xab), EMUL_FAULT);
	ck_assert_uint_eq(env.c.fault.vector, VEC_GP);
	ck_assert_uint_eq(REG(RCX), 3);
	ck_assert_uint_eq(REG(RDI) & 0xffff, 0xffff);
	emul_env_reset(ENV_LONG);
	aim(0xdead00000000, 0xdead00003000, 0xdead00000002);
	OK(0x67, 0xf3, 0xaa);
	ck_assert_uint_eq(REG(RCX), 0);
	ck_assert_uint_eq(REG(RDI), 0x3002);
}
END_TEST

START_TEST(test_ports)
{
	emul_env_reset(ENV_PROT32);
	env.pio_in = 0x11;
	REG(RDX) = 0x1f0;
	aim(0, 0x3000, 3);
	OK(0xf3, 0x66, 0x6d);                           /* rep insw */
	ck_assert_uint_eq(env.pios, 3);
	ck_assert_uint_eq(env.pio[2].port, 0x1f0);
	ck_assert_uint_eq(env.pio[2].size, 2);
	ck_assert_uint_eq(emul_env_get(0x3000, 8), 0x001300120011);
	memcpy(env.mem + ENV_DATA, "xyz", 3);
	env.c.ops = &emul_env_bulk_ops;
	aim(ENV_DATA, 0, 3);
	REG(RDX) = 0xe9;
	OK(0xf3, 0x6e);
	ck_assert_uint_eq(env.bulks, 1);
	ck_assert_uint_eq(env.pios, 6);
	ck_assert_uint_eq(env.pio[4].data, 'y');
	ck_assert(env.pio[4].write);
	OK(0x6f);                                       /* outsl, no REP: the op sees it too */
	ck_assert_uint_eq(env.bulks, 2);
	env.c.ops = &emul_env_ops;
	REG(RSI) = ENV_DATA;
	OK(0x6e);
	ck_assert_uint_eq(env.bulks, 2);
	ck_assert_uint_eq(env.pio[7].data, 'x');
	ck_assert_uint_eq(REG(RSI), ENV_DATA + 1);
	/* No place to go, no port read. */
	env.pios = 0;
	env.c.seg[SEG_ES].limit = 0x3001;
	REG(RDI) = 0x3000;
	FAULTS(VEC_GP, 0x6d);
	ck_assert_uint_eq(env.pios, 0);
	env.pio_result = EMUL_RETRY;
	REG(RDI) = 0x2000;
	ck_assert_int_eq(RUN(0x6d), EMUL_RETRY);
	ck_assert_uint_eq(REG(RDI), 0x2000);
}
END_TEST

START_TEST(test_source_segment)
{
	emul_env_reset(ENV_REAL);
	env.c.seg[SEG_ES].base = 0x40000;
	env.c.seg[SEG_FS].base = 0x50000;
	env.mem[0x50010] = 0x99;
	aim(0x10, 0x20, 0);
	OK(0x64, 0xa4);                                 /* movsb %fs:(%si),%es:(%di) */
	ck_assert_uint_eq(env.mem[0x40020], 0x99);
	env.c.seg[SEG_FS].limit = 0;
	FAULTS(VEC_GP, 0x64, 0xa4);
	FAULTS(VEC_UD, 0xf0, 0xa4);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_single, test_rep_movs, test_overlap, test_rep_stos, test_budget,
		test_interrupt_and_trap, test_fault_in_the_middle, test_compare, test_address_sizes,
		test_ports, test_source_segment, NULL
	};

	return suite_run("emul string", setup, tests);
}
