/*
 * emul_cpu.c: segment loads over every descriptor type and privilege, against the manual's rules written down a second
 * time; and how refused control registers and MSRs become faults.
 */
#include <string.h>
#include "arch/x86.h"
#include "fake/fake_vcpu.h"
#include "fake/suite.h"
#include "hvm/emul_cpu.h"
#include "hvm/exit_cr.h"
#include "lib/err.h"

#define GDT 0x4000u
#define LDT 0x5000u

static struct emul_ctxt c;
static uint8_t memory[0x8000];
static unsigned int reads, writes;
static int answer;              /* of the register functions below */
static uint64_t written;

/* ---- what emul_cpu.c calls ---- */

int hvm_cr_read(struct vcpu *v, unsigned int cr, uint64_t *value) { *value = 0x1000 + cr; return answer; }
int hvm_cr_write(struct vcpu *v, unsigned int cr, uint64_t value) { written = value; return answer; }
int hvm_dr_read(struct vcpu *v, unsigned int dr, uint64_t *value) { *value = 0x2000 + dr; return answer; }
int hvm_dr_write(struct vcpu *v, unsigned int dr, uint64_t value) { written = value; return answer; }
int hvm_msr_read(struct vcpu *v, uint32_t msr, uint64_t *value) { *value = 0x3000 + msr; return answer; }
int hvm_msr_write(struct vcpu *v, uint32_t msr, uint64_t value) { written = value; return answer; }

void hvm_cpuid(struct vcpu *v, uint32_t leaf, uint32_t subleaf, uint32_t r[4])
{
	r[0] = leaf + 1;
	r[1] = subleaf + 2;
	r[2] = 3;
	r[3] = 4;
}

static enum emul_result mem_fault(uint64_t linear)
{
	c.fault = (struct emul_fault){ EXC_PF, true, 2, linear };
	return EMUL_FAULT;
}

static enum emul_result mem_read(struct emul_ctxt *ctxt, uint64_t linear, void *buf, unsigned int size,
				 enum emul_access acc)
{
	MUST(acc == EMUL_ACC_SYSTEM && size == 8);
	reads++;
	if (linear + size > sizeof(memory)) {
		return mem_fault(linear);
	}
	memcpy(buf, memory + linear, size);
	return EMUL_OK;
}

static bool write_fails;

static enum emul_result mem_write(struct emul_ctxt *ctxt, uint64_t linear, const void *buf, unsigned int size,
				  enum emul_access acc)
{
	MUST(acc == EMUL_ACC_SYSTEM && size == 1);
	writes++;
	if (write_fails) {
		return mem_fault(linear);
	}
	memcpy(memory + linear, buf, size);
	return EMUL_OK;
}

static const struct emul_ops ops = { .read = mem_read, .write = mem_write };

/* A 32-bit kernel with a GDT of 16 entries and no LDT. */
static void setup(void)
{
	fake_vcpu_reset();
	memset(memory, 0, sizeof(memory));
	memset(&c, 0, sizeof(c));
	c.ops = &ops;
	c.opaque = &fake_vcpu.v;
	c.cr0 = CR0_PE | CR0_PG;
	fake_vcpu.sys.gdt_base = GDT;
	fake_vcpu.sys.gdt_limit = 16 * 8 - 1;
	fake_vcpu.seg[VSEG_CS].attr = c.seg[SEG_CS].attr = 0xc9b;
	reads = writes = 0;
	answer = 0;
	write_fails = false;
}

/* attr as in the VMCB: type and S 4:0, DPL 6:5, P 7, AVL L D G 11:8 */
static void put_desc(unsigned int at, uint64_t base, uint32_t limit, uint32_t attr)
{
	uint64_t d = (limit & 0xffff) | (base & 0xffffff) << 16 | (uint64_t)(attr & 0xff) << 40 |
		     (uint64_t)(limit >> 16 & 15) << 48 | (uint64_t)(attr >> 8 & 15) << 52 |
		     (base >> 24 & 0xff) << 56;

	memcpy(memory + at, &d, 8);
}

static void faults(enum emul_seg seg, uint16_t sel, uint8_t vector, uint32_t error)
{
	struct emul_segment before = c.seg[seg];
	unsigned int sets = fake_vcpu.set_seg_calls;

	MUST(emul_cpu_load_seg(&c, seg, sel) == EMUL_FAULT);
	MUST(c.fault.vector == vector && c.fault.has_error && c.fault.error == error);
	MUST(fake_vcpu.set_seg_calls == sets);
	c.seg[seg] = before;
}

START_TEST(test_unpack)
{
	put_desc(GDT + 8, 0xfedcba98, 0xabcde, 0x493);
	ck_assert_int_eq(emul_cpu_load_seg(&c, SEG_DS, 8), EMUL_OK);
	ck_assert_uint_eq(c.seg[SEG_DS].sel, 8);
	ck_assert_uint_eq(c.seg[SEG_DS].base, 0xfedcba98);
	ck_assert_uint_eq(c.seg[SEG_DS].limit, 0xabcde);
	ck_assert_uint_eq(c.seg[SEG_DS].attr, 0x493);
	ck_assert_mem_eq(&c.seg[SEG_DS], &fake_vcpu.seg[VSEG_DS], sizeof(struct emul_segment));
	/* it was accessed already */
	ck_assert_uint_eq(writes, 0);
	put_desc(GDT + 8, 0, 0xfffff, 0xc93);
	ck_assert_int_eq(emul_cpu_load_seg(&c, SEG_ES, 8), EMUL_OK);
	ck_assert_uint_eq(c.seg[SEG_ES].limit, 0xffffffff);
	put_desc(GDT + 8, 0, 0, 0x893);
	ck_assert_int_eq(emul_cpu_load_seg(&c, SEG_FS, 8), EMUL_OK);
	ck_assert_uint_eq(c.seg[SEG_FS].limit, 0xfff);
	/* CS is loaded by jumps only. */
	ck_assert_int_eq(emul_cpu_load_seg(&c, SEG_CS, 8), EMUL_UNHANDLED);
}
END_TEST

START_TEST(test_accessed)
{
	put_desc(GDT + 0x10, 0x1000, 0xffff, 0x092);
	ck_assert_int_eq(emul_cpu_load_seg(&c, SEG_GS, 0x10), EMUL_OK);
	ck_assert_uint_eq(writes, 1);
	ck_assert_uint_eq(memory[GDT + 0x15], 0x93);
	ck_assert_uint_eq(c.seg[SEG_GS].attr, 0x093);
	ck_assert_int_eq(emul_cpu_load_seg(&c, SEG_GS, 0x10), EMUL_OK);
	ck_assert_uint_eq(writes, 1);
	/* The table cannot be written: the fault is the write's, and nothing is loaded. */
	put_desc(GDT + 0x18, 0x2000, 0xffff, 0x092);
	write_fails = true;
	ck_assert_int_eq(emul_cpu_load_seg(&c, SEG_GS, 0x18), EMUL_FAULT);
	ck_assert_uint_eq(c.fault.vector, EXC_PF);
	ck_assert_uint_eq(c.fault.cr2, GDT + 0x1d);
	ck_assert_uint_eq(fake_vcpu.seg[VSEG_GS].sel, 0x10);
	ck_assert_uint_eq(c.seg[SEG_GS].sel, 0x10);
}
END_TEST

static void jump_faults(uint16_t sel, uint8_t vector, uint32_t error)
{
	struct emul_segment s;

	MUST(emul_cpu_code_seg(&c, sel, &s) == EMUL_FAULT);
	MUST(c.fault.vector == vector && c.fault.has_error && c.fault.error == error);
}

START_TEST(test_code_seg)
{
	struct emul_segment s;

	jump_faults(3, EXC_GP, 0);
	jump_faults(0x80, EXC_GP, 0x80);                        /* beyond the table */
	put_desc(GDT + 8, 0x5000, 0xfffff, 0xc9a);
	ck_assert_int_eq(emul_cpu_code_seg(&c, 8, &s), EMUL_OK);
	ck_assert_uint_eq(s.base, 0x5000);
	ck_assert_uint_eq(s.attr, 0xc9b);
	ck_assert_uint_eq(s.limit, ~0u);
	ck_assert_uint_eq(memory[GDT + 13], 0x9b);              /* accessed */
	ck_assert_uint_eq(fake_vcpu.set_seg_calls, 0);
	/* Of our own privilege only, and so is what asks; from a lower one, a conforming segment keeps that. */
	jump_faults(9, EXC_GP, 8);
	c.cpl = 3;
	jump_faults(0xb, EXC_GP, 8);
	put_desc(GDT + 8, 0, 0xfffff, 0xc9f);
	ck_assert_int_eq(emul_cpu_code_seg(&c, 8, &s), EMUL_OK);
	ck_assert_uint_eq(s.sel, 0xb);
	c.cpl = 0;
	put_desc(GDT + 8, 0, 0xfffff, 0xcff);
	jump_faults(8, EXC_GP, 8);
	put_desc(GDT + 8, 0, 0xfffff, 0xc1b);
	jump_faults(8, EXC_NP, 8);
	put_desc(GDT + 8, 0, 0xfffff, 0xc93);                   /* data */
	jump_faults(8, EXC_GP, 8);
	put_desc(GDT + 8, 0, 0xfffff, 0xe9b);                   /* L and D */
	ck_assert_int_eq(emul_cpu_code_seg(&c, 8, &s), EMUL_OK);
	c.efer = EFER_LMA;
	jump_faults(8, EXC_GP, 8);
	put_desc(GDT + 8, 0, 0xfffff, 0x08c);                   /* a call gate */
	ck_assert_int_eq(emul_cpu_code_seg(&c, 8, &s), EMUL_UNHANDLED);
}
END_TEST

START_TEST(test_tables)
{
	for (unsigned int i = 0; i < 16; i++) {
		put_desc(GDT + i * 8, i, 0xffff, 0x0f3);
	}
	ck_assert_int_eq(emul_cpu_load_seg(&c, SEG_DS, 15 * 8), EMUL_OK);
	ck_assert_uint_eq(c.seg[SEG_DS].base, 15);
	/* past the limit, also by a byte */
	faults(SEG_DS, 16 * 8, EXC_GP, 16 * 8);
	faults(SEG_DS, 0xfff8 | 3, EXC_GP, 0xfff8);
	fake_vcpu.sys.gdt_limit--;
	faults(SEG_DS, 15 * 8 + 3, EXC_GP, 15 * 8);
	/* no LDT */
	faults(SEG_DS, 0x0c, EXC_GP, 0x0c);
	ck_assert_uint_eq(reads, 1);
	fake_vcpu.seg[VSEG_LDTR] = (struct emul_segment){ 0x28, 0x82, 0x17, LDT };
	put_desc(LDT + 8, 0x77, 0xffff, 0x0f3);
	put_desc(LDT, 0x66, 0xffff, 0x0f3);
	ck_assert_int_eq(emul_cpu_load_seg(&c, SEG_DS, 0x0c), EMUL_OK);
	ck_assert_uint_eq(c.seg[SEG_DS].base, 0x77);
	/* entry 0 of an LDT is as good as any */
	ck_assert_int_eq(emul_cpu_load_seg(&c, SEG_DS, 4), EMUL_OK);
	ck_assert_uint_eq(c.seg[SEG_DS].base, 0x66);
	faults(SEG_DS, 0x1c, EXC_GP, 0x1c);
	/* a table that is not mapped */
	fake_vcpu.sys.gdt_base = 0x100000;
	ck_assert_int_eq(emul_cpu_load_seg(&c, SEG_DS, 8), EMUL_FAULT);
	ck_assert_uint_eq(c.fault.vector, EXC_PF);
}
END_TEST

START_TEST(test_null)
{
	static const uint16_t nulls[] = { 0, 1, 2, 3 };

	for (unsigned int i = 0; i < 4; i++) {
		fake_vcpu.seg[VSEG_DS] = (struct emul_segment){ 0x10, 0xc93, ~0u, 0 };
		ck_assert_int_eq(emul_cpu_load_seg(&c, SEG_DS, nulls[i]), EMUL_OK);
		ck_assert_uint_eq(c.seg[SEG_DS].sel, nulls[i]);
		ck_assert_uint_eq(c.seg[SEG_DS].attr & 0x80, 0);
		faults(SEG_SS, nulls[i], EXC_GP, 0);
	}
	ck_assert_uint_eq(reads, 0);
	/* 64-bit code has a null stack segment of its own privilege, except programs. */
	c.efer = EFER_LMA;
	c.seg[SEG_CS].attr = 0xa9b;
	ck_assert_int_eq(emul_cpu_load_seg(&c, SEG_SS, 0), EMUL_OK);
	ck_assert_uint_eq(c.seg[SEG_SS].attr >> 5 & 3, 0);
	faults(SEG_SS, 1, EXC_GP, 0);
	c.cpl = 1;
	ck_assert_int_eq(emul_cpu_load_seg(&c, SEG_SS, 1), EMUL_OK);
	ck_assert_uint_eq(c.seg[SEG_SS].attr >> 5 & 3, 1);
	c.cpl = 3;
	faults(SEG_SS, 3, EXC_GP, 0);
}
END_TEST

/* The MOV to segment register description of Intel SDM volume 2, in its own order. */
static uint8_t manual_says(enum emul_seg seg, unsigned int attr, unsigned int rpl, unsigned int cpl)
{
	unsigned int dpl = attr >> 5 & 3;
	bool segment = attr & 0x10, code = segment && (attr & 8), data = segment && !(attr & 8);
	bool writable_data = data && (attr & 2), readable_code = code && (attr & 2), conforming = code && (attr & 4);

	if (seg == SEG_SS) {
		if (rpl != cpl || !writable_data || dpl != cpl) {
			return EXC_GP;
		}
		return attr & 0x80 ? 0 : EXC_SS;
	}
	if (!data && !readable_code) {
		return EXC_GP;
	}
	if ((data || !conforming) && (rpl > dpl || cpl > dpl)) {
		return EXC_GP;
	}
	return attr & 0x80 ? 0 : EXC_NP;
}

START_TEST(test_rules)
{
	for (unsigned int attr = 0; attr < 256; attr++) {
		for (unsigned int n = 0; n < 32; n++) {
			enum emul_seg seg = n & 16 ? SEG_SS : SEG_DS;
			unsigned int rpl = n & 3;
			c.cpl = n >> 2 & 3;
			put_desc(GDT + 0x20, 0x1234, 0xffff, attr);
			uint8_t vector = manual_says(seg, attr, rpl, c.cpl);
			if (vector != 0) {
				faults(seg, (uint16_t)(0x20 | rpl), vector, 0x20);
				MUST(memory[GDT + 0x25] == attr);
			} else {
				MUST(emul_cpu_load_seg(&c, seg, (uint16_t)(0x20 | rpl)) == EMUL_OK);
				MUST(c.seg[seg].sel == (0x20 | rpl) && c.seg[seg].attr == (attr | 1));
				MUST(memory[GDT + 0x25] == (attr | 1));
			}
		}
	}
}
END_TEST

START_TEST(test_real)
{
	c.cr0 = 0;
	fake_vcpu.seg[VSEG_DS] = (struct emul_segment){ 0x10, 0xc93, ~0u, 0x100000 };
	ck_assert_int_eq(emul_cpu_load_seg(&c, SEG_DS, 0xf123), EMUL_OK);
	ck_assert_uint_eq(c.seg[SEG_DS].base, 0xf1230);
	ck_assert_uint_eq(c.seg[SEG_DS].sel, 0xf123);
	/* Limit and attributes stay ("unreal" mode). */
	ck_assert_uint_eq(c.seg[SEG_DS].limit, ~0u);
	ck_assert_uint_eq(c.seg[SEG_DS].attr, 0xc93);
	c.cr0 = CR0_PE;
	c.rflags = RFLAGS_VM;
	ck_assert_int_eq(emul_cpu_load_seg(&c, SEG_SS, 3), EMUL_OK);
	ck_assert_uint_eq(c.seg[SEG_SS].base, 0x30);
	ck_assert_uint_eq(reads, 0);
}
END_TEST

static void is_fault(enum emul_result rc, uint8_t vector)
{
	ck_assert_int_eq(rc, EMUL_FAULT);
	ck_assert_uint_eq(c.fault.vector, vector);
	ck_assert_int_eq(c.fault.has_error, vector == EXC_GP);
	ck_assert_uint_eq(c.fault.error, 0);
}

START_TEST(test_registers)
{
	uint64_t value;
	uint32_t r[4] = { 0x10, 0xff, 0x20, 0xff };

	ck_assert_int_eq(emul_cpu_read_cr(&c, 3, &value), EMUL_OK);
	ck_assert_uint_eq(value, 0x1003);
	ck_assert_int_eq(emul_cpu_write_cr(&c, 3, 0x77), EMUL_OK);
	ck_assert_uint_eq(written, 0x77);
	ck_assert_int_eq(emul_cpu_read_dr(&c, 7, &value), EMUL_OK);
	ck_assert_uint_eq(value, 0x2007);
	ck_assert_int_eq(emul_cpu_write_dr(&c, 7, 0x78), EMUL_OK);
	ck_assert_int_eq(emul_cpu_read_msr(&c, 0x10, &value), EMUL_OK);
	ck_assert_uint_eq(value, 0x3010);
	ck_assert_int_eq(emul_cpu_write_msr(&c, 0x10, 0x79), EMUL_OK);
	ck_assert_uint_eq(written, 0x79);
	ck_assert_int_eq(emul_cpu_cpuid(&c, r), EMUL_OK);
	ck_assert(r[0] == 0x11 && r[1] == 0x22 && r[2] == 3 && r[3] == 4);
	/* No such register: #UD. */
	answer = -ENOENT;
	is_fault(emul_cpu_read_cr(&c, 1, &value), EXC_UD);
	is_fault(emul_cpu_write_cr(&c, 1, 0), EXC_UD);
	is_fault(emul_cpu_read_dr(&c, 4, &value), EXC_UD);
	is_fault(emul_cpu_write_dr(&c, 4, 0), EXC_UD);
	is_fault(emul_cpu_read_msr(&c, 1, &value), EXC_GP);
	/* A value that is refused: #GP(0). */
	answer = -EINVAL;
	is_fault(emul_cpu_write_cr(&c, 0, 0), EXC_GP);
	is_fault(emul_cpu_write_dr(&c, 7, 1ull << 32), EXC_GP);
	is_fault(emul_cpu_read_msr(&c, 1, &value), EXC_GP);
	is_fault(emul_cpu_write_msr(&c, 1, 0), EXC_GP);
}
END_TEST

static void system_faults(bool task, uint16_t sel, uint8_t vector, uint32_t error)
{
	unsigned int sets = fake_vcpu.set_seg_calls;

	MUST(emul_cpu_load_system(&c, task, sel) == EMUL_FAULT);
	MUST(c.fault.vector == vector && c.fault.has_error && c.fault.error == error);
	MUST(fake_vcpu.set_seg_calls == sets);
}

START_TEST(test_system)
{
	uint16_t sel;
	struct emul_table t = { 0x1234, 0x77 }, back;

	/* LDT: type 2; null turns it off; not from an LDT; present */
	put_desc(GDT + 8, 0x5000, 0x17, 0x082);
	ck_assert_int_eq(emul_cpu_load_system(&c, false, 8), EMUL_OK);
	ck_assert_uint_eq(fake_vcpu.seg[VSEG_LDTR].base, 0x5000);
	ck_assert_int_eq(emul_cpu_read_system(&c, false, &sel), EMUL_OK);
	ck_assert_uint_eq(sel, 8);
	system_faults(false, 0x0c, EXC_GP, 0x0c);
	put_desc(GDT + 8, 0x5000, 0x17, 0x002);
	system_faults(false, 8, EXC_NP, 8);
	put_desc(GDT + 8, 0x5000, 0x67, 0x089);
	system_faults(false, 8, EXC_GP, 8);
	ck_assert_int_eq(emul_cpu_load_system(&c, false, 0), EMUL_OK);
	ck_assert_uint_eq(fake_vcpu.seg[VSEG_LDTR].attr & 0x80, 0);
	/* TSS: available, becomes busy in its table */
	system_faults(true, 0, EXC_GP, 0);
	ck_assert_int_eq(emul_cpu_load_system(&c, true, 8), EMUL_OK);
	ck_assert_uint_eq(memory[GDT + 8 + 5], 0x8b);
	ck_assert_uint_eq(fake_vcpu.seg[VSEG_TR].attr & 0xff, 0x8b);
	system_faults(true, 8, EXC_GP, 8);
	/* 16 bytes where addresses have 64 bits */
	c.efer = EFER_LMA;
	put_desc(GDT + 0x10, 0x5000, 0x67, 0x089);
	put_desc(GDT + 0x18, 0, 0, 0);
	memcpy(memory + GDT + 0x18, "\x80\xff\xff\xff", 4);
	ck_assert_int_eq(emul_cpu_load_system(&c, true, 0x10), EMUL_OK);
	ck_assert_uint_eq(fake_vcpu.seg[VSEG_TR].base, 0xffffff8000005000ull);
	put_desc(GDT + 0x10, 0x5000, 0x67, 0x089);
	memory[GDT + 0x18 + 5] = 1;
	system_faults(true, 0x10, EXC_GP, 0x10);

	ck_assert_int_eq(emul_cpu_write_table(&c, true, &t), EMUL_OK);
	ck_assert_uint_eq(fake_vcpu.sys.idt_base, 0x1234);
	ck_assert_int_eq(emul_cpu_read_table(&c, true, &back), EMUL_OK);
	MUST(back.base == t.base && back.limit == t.limit);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_unpack, test_accessed, test_code_seg, test_tables, test_null, test_rules, test_real,
		test_registers, test_system, NULL };

	return suite_run("emul_cpu", setup, tests);
}
