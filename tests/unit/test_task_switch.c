/* task_switch.c: the four ways in, both TSS layouts, and every fault on its own side of the commit. */
#include <string.h>
#include "emul/task_switch.h"
#include "fake/emul_env.h"
#include "fake/suite.h"

#define GDT      0x10000u
#define LDT      0x10800u
#define TSS_A    0x11000u
#define TSS_B    0x12000u
#define SEL_CODE 0x08u
#define SEL_DATA 0x10u
#define SEL_A    0x18u
#define SEL_B    0x20u
#define SEL_LDT  0x28u
#define SEL_CODE3 0x33u
#define SEL_DATA3 0x3bu

static struct task_switch t;

static void put_descriptor(uint64_t table, uint16_t sel, uint32_t base, uint32_t limit, uint16_t attr)
{
	uint64_t d = (limit & 0xffff) | (uint64_t)(base & 0xffffff) << 16 |
		     (uint64_t)(attr & 0xff) << 40 | (uint64_t)(limit >> 16 & 0xf) << 48 |
		     (uint64_t)(attr >> 8) << 52 | (uint64_t)(base >> 24) << 56;

	emul_env_put(table + (sel & ~7u), d, 8);
}

static uint8_t type_of(uint16_t sel)
{
	return env.mem[GDT + (sel & ~7u) + 5] & 0xf;
}

/* Task B as the tests find it: every register has a value of its own. */
static void fill_b(void)
{
	static const uint16_t segs[6] = { SEL_DATA, SEL_CODE, SEL_DATA, SEL_DATA, 0, SEL_DATA };

	emul_env_put(TSS_B + 0x1c, 0x5000, 4);
	emul_env_put(TSS_B + 0x20, 0x3000, 4);
	emul_env_put(TSS_B + 0x24, FLAG_FIXED | FLAG_CF, 4);
	for (unsigned int n = 0; n < 8; n++) {
		emul_env_put(TSS_B + 0x28 + 4 * n, 0xb0000000 + n, 4);
	}
	emul_env_put(TSS_B + 0x28 + 4 * GPR_RSP, 0x7000, 4);
	for (unsigned int n = 0; n < 6; n++) {
		emul_env_put(TSS_B + 0x48 + 4 * n, segs[n], 4);
	}
	emul_env_put(TSS_B + 0x60, SEL_LDT, 4);
}

static void setup(void)
{
	emul_env_reset(ENV_PROT32);
	memset(&t, 0, sizeof(t));
	t.gdt_base = GDT;
	t.gdt_limit = 0x3f;
	t.sel = SEL_B;
	put_descriptor(GDT, SEL_CODE, 0, 0xfffff, 0xc9a);
	put_descriptor(GDT, SEL_DATA, 0, 0xfffff, 0xc92);
	put_descriptor(GDT, SEL_A, TSS_A, 0x67, 0x8b);
	put_descriptor(GDT, SEL_B, TSS_B, 0x67, 0x89);
	put_descriptor(GDT, SEL_LDT, LDT, 0x17, 0x82);
	put_descriptor(GDT, SEL_CODE3, 0, 0xfffff, 0xcfa);
	put_descriptor(GDT, SEL_DATA3, 0, 0xfffff, 0xcf2);
	env.c.tr = (struct emul_segment){ .sel = SEL_A, .attr = 0x8b, .base = TSS_A, .limit = 0x67 };
	env.c.cr0 |= BIT(31);
	env.c.seg[SEG_CS].sel = SEL_CODE;
	env.c.seg[SEG_SS].sel = env.c.seg[SEG_DS].sel = env.c.seg[SEG_ES].sel = SEL_DATA;
	env.dr[7] = 0x7ff;
	for (unsigned int n = 0; n < 8; n++) {
		if (n != GPR_RSP) {
			env.c.gpr[n] = 0xa0000000 + n;
		}
	}
	fill_b();
}

static enum emul_result go(enum task_source source)
{
	t.source = source;
	return task_switch(&env.c, &t);
}

START_TEST(test_call_and_return)
{
	ck_assert_int_eq(go(TASK_CALL), EMUL_OK);
	ck_assert(t.switched && !t.debug_trap);
	/* The old task is in its TSS, and still busy. */
	ck_assert_uint_eq(emul_env_get(TSS_A + 0x20, 4), ENV_CODE);
	ck_assert_uint_eq(emul_env_get(TSS_A + 0x24, 4), FLAG_FIXED);
	ck_assert_uint_eq(emul_env_get(TSS_A + 0x28, 4), 0xa0000000);
	ck_assert_uint_eq(emul_env_get(TSS_A + 0x44, 4), 0xa0000007);
	ck_assert_uint_eq(emul_env_get(TSS_A + 0x4c, 4), SEL_CODE);
	ck_assert_uint_eq(type_of(SEL_A), 11);
	/* The new one is running. */
	ck_assert_uint_eq(type_of(SEL_B), 11);
	ck_assert_uint_eq(emul_env_get(TSS_B, 2), SEL_A);
	ck_assert_uint_eq(env.c.tr.sel, SEL_B);
	ck_assert_uint_eq(env.c.tr.attr, 0x8b);
	ck_assert_uint_eq(env.c.rip, 0x3000);
	ck_assert_uint_eq(env.c.rflags, FLAG_FIXED | FLAG_CF | FLAG_NT);
	ck_assert_uint_eq(REG(RDI), 0xb0000007);
	ck_assert_uint_eq(REG(RSP), 0x7000);
	ck_assert_uint_eq(env.c.seg[SEG_CS].attr, 0xc9b);
	ck_assert_uint_eq(env.c.seg[SEG_SS].limit, ~0u);
	ck_assert_uint_eq(env.c.seg[SEG_FS].attr, 0);
	ck_assert_uint_eq(t.ldtr.base, LDT);
	ck_assert_uint_eq(env.cr[3], 0x5000);
	ck_assert(env.cr[0] & CR0_TS);
	ck_assert_uint_eq(env.dr[7], 0x7ff & ~0x155u);
	/* And back. */
	t.sel = SEL_A;
	ck_assert_int_eq(go(TASK_IRET), EMUL_OK);
	ck_assert_uint_eq(env.c.rip, ENV_CODE);
	ck_assert_uint_eq(env.c.rflags, FLAG_FIXED);
	ck_assert_uint_eq(REG(RBX), 0xa0000003);
	ck_assert_uint_eq(type_of(SEL_A), 11);
	ck_assert_uint_eq(type_of(SEL_B), 9);
	ck_assert_uint_eq(emul_env_get(TSS_B + 0x24, 4), FLAG_FIXED | FLAG_CF);
	ck_assert_uint_eq(t.ldtr.attr, 0);
}
END_TEST

START_TEST(test_jump)
{
	ck_assert_int_eq(go(TASK_JMP), EMUL_OK);
	ck_assert_uint_eq(type_of(SEL_A), 9);
	ck_assert_uint_eq(type_of(SEL_B), 11);
	ck_assert_uint_eq(emul_env_get(TSS_B, 2), 0);
	ck_assert(!(env.c.rflags & FLAG_NT));
}
END_TEST

START_TEST(test_gate_with_error)
{
	t.has_error = true;
	t.error = 0x1234;
	env.mem[TSS_B + 0x64] = 1;
	ck_assert_int_eq(go(TASK_GATE), EMUL_OK);
	ck_assert_uint_eq(REG(RSP), 0x6ffc);
	ck_assert_uint_eq(emul_env_get(0x6ffc, 4), 0x1234);
	ck_assert(t.debug_trap);
	ck_assert_uint_eq(emul_env_get(TSS_B, 2), SEL_A);
}
END_TEST

/* Nothing of the old task may have changed. */
static void refused(enum task_source source, uint8_t vector, uint16_t error)
{
	struct emul_ctxt old = env.c;

	ck_assert_int_eq(go(source), EMUL_FAULT);
	ck_assert(!t.switched);
	ck_assert_uint_eq(env.c.fault.vector, vector);
	ck_assert_uint_eq(env.c.fault.error, error);
	ck_assert_mem_eq(old.gpr, env.c.gpr, sizeof(old.gpr));
	ck_assert_mem_eq(old.seg, env.c.seg, sizeof(old.seg));
	ck_assert_uint_eq(old.rip, env.c.rip);
	ck_assert_uint_eq(old.tr.sel, env.c.tr.sel);
	setup();
}

START_TEST(test_refused)
{
	t.sel = SEL_A;                                  /* busy */
	refused(TASK_CALL, VEC_GP, SEL_A);
	refused(TASK_IRET, VEC_TS, SEL_B);              /* not busy */
	t.sel = SEL_B | 4;
	refused(TASK_JMP, VEC_GP, SEL_B | 4);
	t.sel = 0x48;
	refused(TASK_JMP, VEC_GP, 0x48);
	t.sel = SEL_CODE;
	refused(TASK_GATE, VEC_GP, SEL_CODE);
	put_descriptor(GDT, SEL_B, TSS_B, 0x67, 0x09);
	refused(TASK_CALL, VEC_NP, SEL_B);
	put_descriptor(GDT, SEL_B, TSS_B, 0x66, 0x89);
	refused(TASK_CALL, VEC_TS, SEL_B);
	env.bad_from = TSS_B + 0x44;
	env.bad_to = TSS_B + 0x48;
	refused(TASK_CALL, VEC_PF, 0);
	env.bad_from = TSS_A + 0x40;
	env.bad_to = TSS_A + 0x44;
	refused(TASK_CALL, VEC_PF, 0);
	env.c.efer = EFER_LMA;
	ck_assert_int_eq(go(TASK_CALL), EMUL_UNHANDLED);
}
END_TEST

/* The switch has happened, and the new task has a fault. */
static void arrives_with(uint8_t vector, uint16_t error)
{
	ck_assert_int_eq(go(TASK_CALL), EMUL_FAULT);
	ck_assert(t.switched);
	ck_assert_uint_eq(env.c.fault.vector, vector);
	ck_assert_uint_eq(env.c.fault.error, error);
	ck_assert_uint_eq(env.c.rip, 0x3000);
	ck_assert_uint_eq(env.c.tr.sel, SEL_B);
	/* What a fault is delivered from must be a state that processors enter. */
	ck_assert_uint_eq(env.c.seg[SEG_CS].attr & 0x9b, 0x9b);
	setup();
}

START_TEST(test_new_task_faults)
{
	emul_env_put(TSS_B + 0x60, SEL_CODE, 2);
	arrives_with(VEC_TS, SEL_CODE);
	emul_env_put(TSS_B + 0x4c, 0, 2);
	arrives_with(VEC_TS, 0);
	emul_env_put(TSS_B + 0x4c, SEL_DATA, 2);
	arrives_with(VEC_TS, SEL_DATA);
	put_descriptor(GDT, SEL_CODE, 0, 0xfffff, 0xc1a);
	arrives_with(VEC_NP, SEL_CODE);
	emul_env_put(TSS_B + 0x50, SEL_DATA3, 2);       /* SS of ring 3 in ring 0 */
	arrives_with(VEC_TS, SEL_DATA3 & ~3u);
	put_descriptor(GDT, SEL_DATA, 0, 0xfffff, 0xc12);
	arrives_with(VEC_SS, SEL_DATA);
	emul_env_put(TSS_B + 0x54, 0x2c, 2);            /* DS beyond the LDT */
	arrives_with(VEC_TS, 0x2c);
	put_descriptor(GDT, SEL_CODE, 0, 0x2fff, 0x49a);
	arrives_with(VEC_GP, 0);                        /* EIP beyond CS */
	env.bad_from = 0x6000;
	env.bad_to = 0x7000;
	t.has_error = true;
	arrives_with(VEC_PF, 0);
}
END_TEST

START_TEST(test_ring3_and_vm86)
{
	static const uint16_t segs[6] = { 0, SEL_CODE3, SEL_DATA3, SEL_DATA3, 0, 0 };

	for (unsigned int n = 0; n < 6; n++) {
		emul_env_put(TSS_B + 0x48 + 4 * n, segs[n], 4);
	}
	ck_assert_int_eq(go(TASK_CALL), EMUL_OK);
	ck_assert_uint_eq(env.c.cpl, 3);
	ck_assert_uint_eq(env.c.seg[SEG_CS].attr, 0xcfb);
	ck_assert_uint_eq(env.mem[GDT + (SEL_CODE3 & ~7u) + 5], 0xfb);  /* accessed */
	setup();
	emul_env_put(TSS_B + 0x24, FLAG_VM | FLAG_FIXED, 4);
	emul_env_put(TSS_B + 0x4c, 0x1234, 2);
	emul_env_put(TSS_B + 0x20, 0x10, 4);
	ck_assert_int_eq(go(TASK_CALL), EMUL_OK);
	ck_assert_uint_eq(env.c.cpl, 3);
	ck_assert_uint_eq(env.c.seg[SEG_CS].base, 0x12340);
	ck_assert_uint_eq(env.c.seg[SEG_CS].attr, 0xf3);
	/* with an LDT that is none: the fault comes from a state that processors enter, all six segments made */
	setup();
	memset(env.mem + TSS_B + 0x20, 0xff, 0x44);
	emul_env_put(TSS_B + 0x24, FLAG_VM | FLAG_FIXED, 4);
	ck_assert_int_eq(go(TASK_CALL), EMUL_FAULT);
	ck_assert(t.switched && env.c.fault.vector == VEC_TS && env.c.fault.error == 0xfffc);
	for (unsigned int n = 0; n < 6; n++) {
		ck_assert(env.c.seg[n].sel == 0xffff && env.c.seg[n].base == 0xffff0);
		ck_assert(env.c.seg[n].attr == 0xf3 && env.c.seg[n].limit == 0xffff);
	}
}
END_TEST

START_TEST(test_16_bit)
{
	put_descriptor(GDT, SEL_B, TSS_B, 0x2b, 0x81);
	memset(env.mem + TSS_B, 0, 0x2c);
	emul_env_put(TSS_B + 0x0e, 0x3000, 2);
	emul_env_put(TSS_B + 0x10, FLAG_IF, 2);
	emul_env_put(TSS_B + 0x12, 0xbeef, 2);
	emul_env_put(TSS_B + 0x1a, 0x7000, 2);
	emul_env_put(TSS_B + 0x24, SEL_CODE, 2);
	emul_env_put(TSS_B + 0x26, SEL_DATA, 2);
	t.has_error = true;
	t.error = 7;
	ck_assert_int_eq(go(TASK_GATE), EMUL_OK);
	ck_assert_uint_eq(REG(RAX), 0xbeef);
	ck_assert_uint_eq(REG(RSP), 0x6ffe);
	ck_assert_uint_eq(emul_env_get(0x6ffe, 2), 7);
	ck_assert_uint_eq(env.c.rflags, FLAG_IF | FLAG_FIXED | FLAG_NT);
	ck_assert_uint_eq(type_of(SEL_B), 3);
	ck_assert_uint_eq(env.cr[3], 0);                /* it has none */
	ck_assert_uint_eq(env.c.seg[SEG_GS].sel, 0);
	/* Back into the 32-bit task; the 16-bit TSS takes what it can. */
	t.has_error = false;
	t.sel = SEL_A;
	REG(RAX) = 0x12345678;
	ck_assert_int_eq(go(TASK_IRET), EMUL_OK);
	ck_assert_uint_eq(emul_env_get(TSS_B + 0x12, 4) & 0xffff, 0x5678);
	ck_assert_uint_eq(type_of(SEL_B), 1);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_call_and_return, test_jump, test_gate_with_error, test_refused,
		test_new_task_faults, test_ring3_and_vm86, test_16_bit, NULL
	};

	return suite_run("task switch", setup, tests);
}
