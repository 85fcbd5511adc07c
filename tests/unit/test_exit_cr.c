/* exit_cr.c: what may be written to control and debug registers, and what a write changes. */
#include <string.h>
#include "arch/hw.h"
#include "arch/x86.h"
#include "fake/fake_vcpu.h"
#include "fake/suite.h"
#include "hvm/exit_cr.h"
#include "hvm/hvm.h"
#include "lib/err.h"

#define LONG_ATTR (1u << 9)

static struct vcpu *const v = &fake_vcpu.v;
static struct sys_regs *const s = &fake_vcpu.sys;
static uint64_t dr[4];

uint64_t hw_read_dr(unsigned int n)
{
	MUST(n < 4);
	return dr[n];
}

void hw_write_dr(unsigned int n, uint64_t value)
{
	MUST(n < 4);
	dr[n] = value;
}

unsigned int hvm_address_bits(void)
{
	return 40;
}

uint64_t hvm_cr4_allowed(const struct domain *d)
{
	return CR4_PSE | CR4_PAE | CR4_PGE | CR4_PCIDE | 1u << 3;
}

static unsigned int emulated, faulted;
static uint64_t memory[4];
static bool no_memory;

enum verdict hvm_emulate(struct vcpu *w)
{
	emulated++;
	return EXIT_RESUME;
}

enum verdict hvm_fault_gp(struct vcpu *w)
{
	faulted = EXC_GP;
	return EXIT_FAULT;
}

enum verdict hvm_fault_ud(struct vcpu *w)
{
	faulted = EXC_UD;
	return EXIT_FAULT;
}

bool hvm_guest_is_64bit(struct vcpu *w)
{
	return fake_vcpu.seg[VSEG_CS].attr & LONG_ATTR;
}

bool p2m_read(struct domain *d, gpa_t gpa, void *buf, unsigned int size)
{
	ck_assert_uint_eq(gpa.v, 0x12340);
	ck_assert_uint_eq(size, sizeof(memory));
	memcpy(buf, memory, size);
	return !no_memory;
}

static void lapic_timer(void *ctx, uint64_t deadline) { }
static uint64_t lapic_time(void *ctx) { return 5; }
static void lapic_event(void *ctx) { }
static void lapic_eoi(void *ctx, uint8_t vector) { }
static void lapic_ipi(void *ctx, const struct apic_msg *m) { }
static const struct vlapic_host lapic_host = { .now_ns = lapic_time, .tsc = lapic_time, .timer_set = lapic_timer,
	.ipi = lapic_ipi, .eoi = lapic_eoi, .enabled = lapic_event };

static void setup(void)
{
	fake_vcpu_reset();
	vlapic_init(&fake_vcpu.hvm.lapic, &lapic_host, 6, true, true);
	memset(dr, 0, sizeof(dr));
	memset(memory, 0, sizeof(memory));
	emulated = faulted = 0;
	no_memory = false;
}

/* 32-bit protected mode without paging. */
static void before_paging(uint64_t efer, uint64_t cr4)
{
	setup();
	s->cr0 = CR0_PE | CR0_ET;
	s->cr4 = cr4;
	s->efer = efer;
	fake_vcpu.seg[VSEG_CS].attr = 0xc9b;
}

START_TEST(test_read)
{
	static const struct {
		unsigned int cr;
		uint64_t value;
	} row[] = { { 0, 0x80010031 }, { 2, 0x22 }, { 3, 0x33000 }, { 4, 0x20 }, { 8, 5 } };
	uint64_t got;

	s->cr2 = 0x22;
	s->cr3 = 0x33000;
	vlapic_set_cr8(&fake_vcpu.hvm.lapic, 5);
	for (unsigned int i = 0; i < ARRAY_SIZE(row); i++) {
		ck_assert_int_eq(hvm_cr_read(v, row[i].cr, &got), 0);
		ck_assert_uint_eq(got, row[i].value);
	}
	for (unsigned int cr = 1; cr < 20; cr++) {
		if (cr != 2 && cr != 3 && cr != 4 && cr != 8) {
			ck_assert_int_eq(hvm_cr_read(v, cr, &got), -ENOENT);
			ck_assert_int_eq(hvm_cr_write(v, cr, 0), -ENOENT);
		}
	}
}
END_TEST

START_TEST(test_cr0_refused)
{
	uint64_t before = s->cr0;

	ck_assert_int_eq(hvm_cr_write(v, 0, before | 1ull << 32), -EINVAL);
	ck_assert_int_eq(hvm_cr_write(v, 0, before & ~CR0_PE), -EINVAL);
	ck_assert_int_eq(hvm_cr_write(v, 0, before | CR0_NW), -EINVAL);
	ck_assert_uint_eq(s->cr0, before);
	ck_assert_int_eq(hvm_cr_write(v, 0, before | CR0_NW | CR0_CD), 0);
	ck_assert_int_eq(hvm_cr_write(v, 0, before | CR0_CD | CR0_TS), 0);
	ck_assert_uint_eq(s->cr0, before | CR0_CD | CR0_TS);
	ck_assert_uint_eq(s->efer, EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE);
	/* ET cannot be cleared. */
	ck_assert_int_eq(hvm_cr_write(v, 0, before & ~CR0_ET), 0);
	ck_assert_uint_eq(s->cr0, before);
	/* 64-bit code cannot leave paging under itself; nor can anybody with process identifiers on. */
	ck_assert_int_eq(hvm_cr_write(v, 0, before & ~CR0_PG), -EINVAL);
	fake_vcpu.seg[VSEG_CS].attr = 0xc9b;
	s->cr4 |= CR4_PCIDE;
	ck_assert_int_eq(hvm_cr_write(v, 0, before & ~CR0_PG), -EINVAL);
	s->cr4 &= ~CR4_PCIDE;
	ck_assert_int_eq(hvm_cr_write(v, 0, before & ~CR0_PG), 0);
	ck_assert_uint_eq(s->efer, EFER_SCE | EFER_LME | EFER_NXE);
	ck_assert_uint_eq(s->cr0, before & ~CR0_PG);
}
END_TEST

START_TEST(test_cr0_paging)
{
	/* Long mode begins with paging. */
	before_paging(EFER_LME, CR4_PAE);
	ck_assert_int_eq(hvm_cr_write(v, 0, CR0_PE | CR0_PG), 0);
	ck_assert_uint_eq(s->efer, EFER_LME | EFER_LMA);
	ck_assert_uint_eq(s->cr0, CR0_PE | CR0_PG | CR0_ET);
	before_paging(EFER_LME, 0);
	ck_assert_int_eq(hvm_cr_write(v, 0, CR0_PE | CR0_PG), -EINVAL);
	ck_assert_uint_eq(s->efer, EFER_LME);
	before_paging(EFER_LME, CR4_PAE);
	fake_vcpu.seg[VSEG_CS].attr |= LONG_ATTR;
	ck_assert_int_eq(hvm_cr_write(v, 0, CR0_PE | CR0_PG), -EINVAL);
	before_paging(0, 0);
	ck_assert_int_eq(hvm_cr_write(v, 0, CR0_PE | CR0_PG), 0);
	ck_assert_uint_eq(s->efer, 0);
	before_paging(0, CR4_PAE);
	s->cr0 = CR0_ET;
	ck_assert_int_eq(hvm_cr_write(v, 0, CR0_PG), -EINVAL);
	ck_assert_int_eq(hvm_cr_write(v, 0, CR0_PE), 0);
}
END_TEST

START_TEST(test_cr4)
{
	ck_assert_int_eq(hvm_cr_write(v, 4, CR4_PAE | CR4_PGE), 0);
	ck_assert_uint_eq(s->cr4, CR4_PAE | CR4_PGE);
	ck_assert_uint_eq(fake_vcpu.sys_which, SYS_CR4);
	ck_assert_int_eq(hvm_cr_write(v, 4, CR4_PAE | CR4_VMXE), -EINVAL);
	ck_assert_int_eq(hvm_cr_write(v, 4, CR4_PAE | CR4_LA57), -EINVAL);
	ck_assert_int_eq(hvm_cr_write(v, 4, CR4_PAE | 1ull << 32), -EINVAL);
	ck_assert_int_eq(hvm_cr_write(v, 4, CR4_PGE), -EINVAL);
	/* Process identifiers: long mode, and identifier 0 when they are turned on. */
	s->cr3 = 0x1001;
	ck_assert_int_eq(hvm_cr_write(v, 4, CR4_PAE | CR4_PCIDE), -EINVAL);
	s->cr3 = 0x1000;
	ck_assert_int_eq(hvm_cr_write(v, 4, CR4_PAE | CR4_PCIDE), 0);
	s->cr3 = 0x1001;
	ck_assert_int_eq(hvm_cr_write(v, 4, CR4_PAE | CR4_PCIDE | CR4_PGE), 0);
	ck_assert_uint_eq(s->cr4, CR4_PAE | CR4_PCIDE | CR4_PGE);
	before_paging(0, 0);
	ck_assert_int_eq(hvm_cr_write(v, 4, CR4_PCIDE), -EINVAL);
	ck_assert_int_eq(hvm_cr_write(v, 4, CR4_PSE), 0);
	ck_assert_uint_eq(s->cr4, CR4_PSE);
}
END_TEST

START_TEST(test_cr2_cr3_cr8)
{
	ck_assert_int_eq(hvm_cr_write(v, 2, ~0ull), 0);
	ck_assert_uint_eq(s->cr2, ~0ull);
	ck_assert_uint_eq(fake_vcpu.sys_which, SYS_CR2);
	ck_assert_int_eq(hvm_cr_write(v, 3, 0x5018), 0);
	ck_assert_uint_eq(s->cr3, 0x5018);
	ck_assert_uint_eq(fake_vcpu.sys_which, SYS_CR2 | SYS_CR3);
	/* The processor refuses to run with these bits set; 63 means "no flush" with process identifiers only. */
	for (unsigned int bit = 52; bit < 64; bit++) {
		ck_assert_int_eq(hvm_cr_write(v, 3, 0x6000 | 1ull << bit), -EINVAL);
	}
	/* In 64-bit mode so are those beyond the physical addresses; what PAE ignores, it does. */
	s->efer |= EFER_LMA;
	ck_assert_int_eq(hvm_cr_write(v, 3, 1ull << 40), -EINVAL);
	ck_assert_int_eq(hvm_cr_write(v, 3, 1ull << 39), 0);
	ck_assert_int_eq(hvm_cr_write(v, 3, 0x5018), 0);
	ck_assert_uint_eq(s->cr3, 0x5018);
	s->cr4 |= CR4_PCIDE;
	ck_assert_int_eq(hvm_cr_write(v, 3, 0x7001 | 1ull << 63), 0);
	ck_assert_uint_eq(s->cr3, 0x7001);
	ck_assert_int_eq(hvm_cr_write(v, 3, 0x7001 | 1ull << 62), -EINVAL);
	for (uint64_t n = 0; n < 16; n++) {
		ck_assert_int_eq(hvm_cr_write(v, 8, n), 0);
		ck_assert_uint_eq(fake_vcpu.hvm.lapic.tpr, n << 4);
	}
	ck_assert_int_eq(hvm_cr_write(v, 8, 16), -EINVAL);
	ck_assert_int_eq(hvm_cr_write(v, 8, 1ull << 32), -EINVAL);
	ck_assert_uint_eq(fake_vcpu.hvm.lapic.tpr, 0xf0);
}
END_TEST

START_TEST(test_debug)
{
	uint64_t got;

	for (unsigned int n = 0; n < 4; n++) {
		ck_assert_int_eq(hvm_dr_write(v, n, 0xfedcba9876543210ull + n), 0);
		ck_assert_uint_eq(dr[n], 0xfedcba9876543210ull + n);
		ck_assert_int_eq(hvm_dr_read(v, n, &got), 0);
		ck_assert_uint_eq(got, 0xfedcba9876543210ull + n);
	}
	ck_assert_uint_eq(fake_vcpu.set_sys_calls, 0);
	/* Fixed bits stay as they are. */
	ck_assert_int_eq(hvm_dr_write(v, 6, 0), 0);
	ck_assert_uint_eq(s->dr6, 0xffff0ff0);
	ck_assert_int_eq(hvm_dr_write(v, 6, 0xffffffff), 0);
	ck_assert_uint_eq(s->dr6, 0xffffefff);
	ck_assert_int_eq(hvm_dr_write(v, 7, 0), 0);
	ck_assert_uint_eq(s->dr7, 0x400);
	ck_assert_int_eq(hvm_dr_write(v, 7, 0xffffffff), 0);
	ck_assert_uint_eq(s->dr7, 0xffff2fff);
	ck_assert_int_eq(hvm_dr_write(v, 6, 1ull << 32), -EINVAL);
	ck_assert_int_eq(hvm_dr_write(v, 7, 1ull << 63), -EINVAL);
	ck_assert_uint_eq(fake_vcpu.sys_which, SYS_DR);
	/* 4 and 5 are 6 and 7 until CR4.DE. */
	ck_assert_int_eq(hvm_dr_read(v, 4, &got), 0);
	ck_assert_uint_eq(got, 0xffffefff);
	ck_assert_int_eq(hvm_dr_write(v, 5, 1), 0);
	ck_assert_uint_eq(s->dr7, 0x401);
	s->cr4 |= 1u << 3;
	ck_assert_int_eq(hvm_dr_read(v, 4, &got), -ENOENT);
	ck_assert_int_eq(hvm_dr_write(v, 5, 1), -ENOENT);
	ck_assert_int_eq(hvm_dr_read(v, 7, &got), 0);
	for (unsigned int n = 8; n < 20; n++) {
		ck_assert_int_eq(hvm_dr_read(v, n, &got), -ENOENT);
		ck_assert_int_eq(hvm_dr_write(v, n, 0), -ENOENT);
	}
}
END_TEST

/* 32-bit PAE paging: four entries are read and checked whenever a control register is written. */
START_TEST(test_pdptes)
{
	before_paging(0, CR4_PAE);
	memory[0] = 0x1001;
	memory[3] = 0xffe;              /* not present: nothing is checked */
	s->cr3 = 0x12345;               /* bits 4:0 are flags */
	ck_assert_int_eq(hvm_cr_write(v, 0, CR0_PE | CR0_PG), 0);
	ck_assert_uint_eq(fake_vcpu.set_pdptes_calls, 1);
	ck_assert_uint_eq(fake_vcpu.pdpte[0], 0x1001);
	memory[1] = 0x2003;             /* writable is reserved here */
	ck_assert_int_eq(hvm_cr_write(v, 4, CR4_PAE | CR4_PGE), -EINVAL);
	ck_assert_uint_eq(s->cr4, CR4_PAE);
	memory[1] = 0x2001;
	ck_assert_int_eq(hvm_cr_write(v, 4, CR4_PAE | CR4_PGE), 0);
	ck_assert_uint_eq(fake_vcpu.pdpte[1], 0x2001);
	no_memory = true;
	ck_assert_int_eq(hvm_cr_write(v, 3, 0x12340), -EINVAL);
	ck_assert_uint_eq(s->cr3, 0x12345);
	/* long mode has no such entries */
	setup();
	no_memory = true;
	ck_assert_int_eq(hvm_cr_write(v, 3, 0x12340), 0);
	ck_assert_uint_eq(fake_vcpu.set_pdptes_calls, 0);
}
END_TEST

/* Exits that say all of it are served without the emulator. */
START_TEST(test_decoded)
{
	struct vmexit e = { .kind = VMEXIT_CR, .insn_len = 3, .cr = { .cr = 0, .write = true, .decoded = true, .gpr = GPR_RBX } };
	uint64_t cr0 = s->cr0;

	v->arch.regs.gpr[GPR_RBX] = cr0 | CR0_TS;
	ck_assert_int_eq(exit_cr(v, &e), EXIT_NEXT);
	ck_assert_uint_eq(s->cr0, cr0 | CR0_TS);
	e.cr.clts = true;
	ck_assert_int_eq(exit_cr(v, &e), EXIT_NEXT);
	ck_assert_uint_eq(s->cr0, cr0);
	e.cr.clts = false;
	e.cr.lmsw = true;
	e.cr.lmsw_source = 0xfff8;      /* cannot clear PE, cannot reach above bit 3 */
	ck_assert_int_eq(exit_cr(v, &e), EXIT_NEXT);
	ck_assert_uint_eq(s->cr0, (cr0 & ~(CR0_MP | CR0_EM)) | CR0_TS);
	e.cr.lmsw = false;
	v->arch.regs.gpr[GPR_RBX] = 1ull << 40;
	ck_assert_int_eq(exit_cr(v, &e), EXIT_FAULT);
	ck_assert_uint_eq(faulted, EXC_GP);
	e.cr.cr = 5;
	ck_assert_int_eq(exit_cr(v, &e), EXIT_FAULT);
	ck_assert_uint_eq(faulted, EXC_UD);
	e.cr.cr = 8;
	e.cr.write = false;
	e.cr.gpr = GPR_RSI;
	vlapic_set_cr8(&fake_vcpu.hvm.lapic, 7);
	ck_assert_int_eq(exit_cr(v, &e), EXIT_NEXT);
	ck_assert_uint_eq(v->arch.regs.gpr[GPR_RSI], 7);
	ck_assert_uint_eq(emulated, 0);
	fake_vcpu.cpl = 3;
	ck_assert_int_eq(exit_cr(v, &e), EXIT_RESUME);
	fake_vcpu.cpl = 0;
	e.insn_len = 0;
	ck_assert_int_eq(exit_cr(v, &e), EXIT_RESUME);
	e.insn_len = 3;
	e.cr.decoded = false;
	ck_assert_int_eq(exit_cr(v, &e), EXIT_RESUME);
	ck_assert_uint_eq(emulated, 3);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_read, test_cr0_refused, test_cr0_paging, test_cr4, test_cr2_cr3_cr8,
		test_debug, test_pdptes, test_decoded, NULL };

	return suite_run("exit_cr", setup, tests);
}
