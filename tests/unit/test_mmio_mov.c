/* mmio_mov.c: what a plain MOV to a device register does, and what is left to the emulator. */
#include <string.h>
#include "arch/x86.h"
#include "fake/fake_vcpu.h"
#include "fake/suite.h"

#define APIC_EOI 0xfee000b0
#define HPET     0xfed00000

static struct vcpu *const v = &fake_vcpu.v;
static uint8_t code[15];
static bool code_there;
static struct io_access saw;
static unsigned int ios;
static enum io_route route;

const uint8_t *hvm_code_at(struct vcpu *w, uint64_t linear, unsigned int *n)
{
	ck_assert_uint_eq(linear, 0x4000);
	ck_assert_uint_eq(w->hvm->walk.cr3, fake_vcpu.sys.cr3);
	*n = sizeof(code);
	return code_there ? code : NULL;
}

enum io_route hvm_io(struct vcpu *w, struct io_access *a)
{
	ios++;
	saw = *a;
	if (!a->write) {
		a->data = 0x1122334455667788;
	}
	return route;
}

static void setup(void)
{
	fake_vcpu_reset();
	v->arch.regs.rip = 0x4000;
	code_there = true;
	ios = 0;
	route = ROUTE_DONE;
}

/* The verdict, or -1: the emulator's. */
static int touch(uint64_t gpa, bool write, const uint8_t *bytes, unsigned int n)
{
	struct vmexit *e = &v->hvm->exit;
	enum verdict verdict;

	*e = (struct vmexit){ .kind = VMEXIT_NPF, .interrupted = e->interrupted };
	e->npf.gpa = GPA(gpa);
	e->npf.write = write;
	memset(code, 0, sizeof(code));
	memcpy(code, bytes, n);
	return hvm_mmio_mov(v, e, &verdict) ? (int)verdict : -1;
}

#define TOUCH(gpa, write, ...) \
	touch(gpa, write, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

START_TEST(test_read_write)
{
	v->arch.regs.gpr[GPR_RDI] = 0xffff888000000000;
	/* mov 0xb0(%rdi),%edx: 32 bits clear the upper half */
	ck_assert_int_eq(TOUCH(APIC_EOI, false, 0x8b, 0x97, 0xb0, 0, 0, 0), EXIT_NEXT);
	ck_assert(saw.space == IO_MMIO && !saw.write && saw.size == 4 && saw.addr == APIC_EOI);
	ck_assert_uint_eq(v->arch.regs.gpr[GPR_RDX], 0x55667788);
	ck_assert_uint_eq(v->hvm->exit.insn_len, 6);
	ck_assert_uint_eq(v->arch.regs.rip, 0x4000);            /* loop.c's to move */
	/* mov (%rdi),%rax */
	ck_assert_int_eq(TOUCH(HPET, false, 0x48, 0x8b, 0x07), EXIT_NEXT);
	ck_assert(saw.size == 8 && v->arch.regs.gpr[GPR_RAX] == 0x1122334455667788);
	/* mov %eax,0xb0(%rdi); movl $-2,0xb0(%rdi) */
	ck_assert_int_eq(TOUCH(APIC_EOI, true, 0x89, 0x87, 0xb0, 0, 0, 0), EXIT_NEXT);
	ck_assert(saw.write && saw.data == 0x55667788);
	ck_assert_int_eq(TOUCH(APIC_EOI, true, 0xc7, 0x87, 0xb0, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff), EXIT_NEXT);
	ck_assert(saw.write && saw.data == 0xfffffffe && v->hvm->exit.insn_len == 10);
	route = ROUTE_CRASH;
	ck_assert_int_eq(TOUCH(APIC_EOI, true, 0x89, 0x87, 0xb0, 0, 0, 0), EXIT_CRASH);
}
END_TEST

START_TEST(test_not_sure)
{
	v->arch.regs.gpr[GPR_RDI] = 0xffff888000000ffe;
	/* it crosses into the page: the operand began two bytes before */
	ck_assert_int_eq(TOUCH(HPET, false, 0x8b, 0x07), -1);
	/* not aligned, the other direction, not the form, no code to be read */
	ck_assert_int_eq(TOUCH(HPET + 0xf2, false, 0x8b, 0x07), -1);
	ck_assert_int_eq(TOUCH(HPET + 0xf4, false, 0x48, 0x8b, 0x07), -1);
	ck_assert_int_eq(TOUCH(HPET + 0xf0, true, 0x8b, 0x07), -1);
	ck_assert_int_eq(TOUCH(HPET + 0xf0, true, 0xf0, 0x89, 0x07), -1);
	ck_assert_int_eq(TOUCH(HPET + 0xf0, true, 0xff, 0x07), -1);
	/* the access of an event that was being delivered */
	v->hvm->exit.interrupted.valid = true;
	ck_assert_int_eq(TOUCH(HPET + 0xf0, false, 0x8b, 0x07), -1);
	v->hvm->exit.interrupted.valid = false;
	code_there = false;
	ck_assert_int_eq(TOUCH(HPET + 0xf0, false, 0x8b, 0x07), -1);
	ck_assert_uint_eq(ios, 0);
}
END_TEST

START_TEST(test_32bit)
{
	fake_vcpu.sys.efer = 0;
	fake_vcpu.seg[VSEG_CS].attr = 0xc9b;
	ck_assert_int_eq(TOUCH(HPET, false, 0xa1, 0, 0, 0xd0, 0xfe), EXIT_NEXT);
	ck_assert(v->arch.regs.gpr[GPR_RAX] == 0x55667788 && v->hvm->exit.insn_len == 5);
	/* a segment that begins between: at a page's start nothing is sure */
	fake_vcpu.seg[VSEG_DS].base = 2;
	ck_assert_int_eq(TOUCH(HPET, false, 0xa1, 0, 0, 0xd0, 0xfe), -1);
	/* but it is the operand's segment that counts */
	v->arch.regs.gpr[GPR_RBP] = HPET;
	ck_assert_int_eq(TOUCH(HPET, false, 0x8b, 0x45, 0), EXIT_NEXT);
	fake_vcpu.seg[VSEG_SS].base = 2;
	ck_assert_int_eq(TOUCH(HPET, false, 0x8b, 0x45, 0), -1);
	/* 16-bit code */
	fake_vcpu.seg[VSEG_DS].base = 0;
	fake_vcpu.seg[VSEG_CS].attr = 0x9b;
	ck_assert_int_eq(TOUCH(HPET, false, 0xa1, 0, 0, 0xd0, 0xfe), -1);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_read_write, test_not_sure, test_32bit, NULL };

	return suite_run("mmio_mov", setup, tests);
}
