/* arch/svm/inject.c, state.c and msrpm.c: event fields, windows, segments, registers, permission bitmaps. */
#include <errno.h>
#include <string.h>
#include "arch/svm/svm.h"
#include "arch/x86.h"
#include "core/log.h"
#include "fake/fake_pages.h"
#include "fake/suite.h"
#include "lib/util.h"

struct svm_caps svm_caps;

static struct vmcb vmcb;
static struct svm_vcpu svm;
static struct arch_vcpu v;
static unsigned int flushes;

void svm_flush(struct arch_vcpu *a)
{
	flushes++;
}

void log_at(enum log_level level, const char *fmt, ...)
{
}

static void setup(void)
{
	memset(&vmcb, 0, sizeof(vmcb));
	memset(&svm, 0, sizeof(svm));
	memset(&v, 0, sizeof(v));
	svm.vmcb = &vmcb;
	v.svm = &svm;
	flushes = 0;
	memset(&svm_caps, 0, sizeof(svm_caps));
	fake_pages_reset();
}

START_TEST(test_inject)
{
	static const struct {
		struct vm_event event;
		uint64_t field;
	} row[] = {
		{ { .type = EVENT_EXTINT, .vector = 0xec }, 0x800000ec },
		{ { .type = EVENT_EXCEPTION, .vector = EXC_UD }, 0x80000306 },
		{ { .type = EVENT_EXCEPTION, .vector = EXC_GP, .has_error = true, .error = 0x1234 },
		  0x0000123480000b0dull },
		{ { .type = EVENT_EXCEPTION, .vector = EXC_GP, .error = 0x1234 }, 0x8000030d },
		{ { .type = EVENT_SOFTINT, .vector = 0x80 }, 0x80000480 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(row); i++) {
		vmcb.cr2 = 0x111;
		svm_inject(&v, &row[i].event);
		ck_assert_uint_eq(vmcb.eventinj, row[i].field);
		ck_assert_uint_eq(vmcb.cr2, 0x111);
		ck_assert(!svm.nmi_masked);
	}
	struct vm_event pf = { .type = EVENT_EXCEPTION, .vector = EXC_PF, .has_error = true,
			       .error = 0xffffffff, .cr2 = 0xfedcba9876543210ull };
	svm_inject(&v, &pf);
	ck_assert_uint_eq(vmcb.eventinj, 0xffffffff80000b0eull);
	ck_assert_uint_eq(vmcb.cr2, 0xfedcba9876543210ull);
}
END_TEST

/* Where EVENTINJ repeats interrupts they go as virtual ones, and what was not taken comes back. */
START_TEST(test_virtual_interrupt)
{
	const struct vm_event irq = { .valid = true, .type = EVENT_EXTINT, .vector = 0xf3 };
	struct vmexit e = { .kind = VMEXIT_NONE };

	svm_caps.eventinj_repeats = true;
	v.regs.rflags = RFLAGS_IF;
	vmcb.intercept1 = SVM_I1_VINTR;
	vmcb.vintr = VINTR_MASKING | 0x55ull << VINTR_VECTOR_SHIFT;
	svm_inject(&v, &irq);
	ck_assert_uint_eq(vmcb.eventinj, 0);
	ck_assert_uint_eq(vmcb.vintr, VINTR_MASKING | VINTR_IRQ | VINTR_IGNORE_TPR | 0xf3ull << VINTR_VECTOR_SHIFT);
	ck_assert_uint_eq(vmcb.intercept1 & SVM_I1_VINTR, 0);
	ck_assert(svm.virq && !svm_can_take(&v, WINDOW_INTR));
	/* no window: the one on its way stays */
	svm_want_window(&v, WINDOW_INTR, false);
	ck_assert(vmcb.vintr & VINTR_IRQ);
	/* not taken */
	svm_collect_virq(&svm, &e);
	ck_assert(e.interrupted.valid && e.interrupted.vector == 0xf3 && e.interrupted.type == EVENT_EXTINT);
	ck_assert(!svm.virq && !(vmcb.vintr & VINTR_IRQ));
	/* taken */
	e.interrupted.valid = false;
	svm_inject(&v, &irq);
	vmcb.vintr &= ~VINTR_IRQ;
	svm_collect_virq(&svm, &e);
	ck_assert(!e.interrupted.valid && svm_can_take(&v, WINDOW_INTR));
	/* a window behind it */
	svm_inject(&v, &irq);
	svm_want_window(&v, WINDOW_INTR, true);
	ck_assert_uint_eq(vmcb.eventinj, 0x800000f3);
	ck_assert(!svm.virq && svm.leave_soon && (vmcb.intercept1 & SVM_I1_VINTR));
	/* an interrupted one comes again with interrupts off */
	vmcb.eventinj = 0;
	svm.leave_soon = false;
	v.regs.rflags = 0;
	svm_inject(&v, &irq);
	ck_assert_uint_eq(vmcb.eventinj, 0x800000f3);
	ck_assert(svm.leave_soon && !svm.virq);
}
END_TEST

START_TEST(test_nmi)
{
	struct vm_event nmi = { .type = EVENT_NMI, .vector = EXC_NMI };

	ck_assert(svm_can_take(&v, WINDOW_NMI));
	svm_inject(&v, &nmi);
	ck_assert_uint_eq(vmcb.eventinj, 0x80000202);
	ck_assert(svm.nmi_masked && (vmcb.intercept1 & SVM_I1_IRET));
	vmcb.eventinj = 0;
	ck_assert(!svm_can_take(&v, WINDOW_NMI));
	/* Its window is the IRET that is watched anyway. */
	vmcb.vintr = VINTR_MASKING;
	svm_want_window(&v, WINDOW_NMI, true);
	ck_assert_uint_eq(vmcb.vintr, VINTR_MASKING);
	/* Interrupts are not masked by an NMI. */
	v.regs.rflags = RFLAGS_IF;
	ck_assert(svm_can_take(&v, WINDOW_INTR));
}
END_TEST

/* A second NMI comes right behind the IRET of the first one's handler: the guest makes one step. */
START_TEST(test_nmi_step)
{
	svm.nmi_masked = true;
	svm_want_window(&v, WINDOW_NMI, true);
	ck_assert(!svm.stepping);               /* the IRET is not next */
	svm.iret_seen = true;
	svm.iret_rip = vmcb.rip = 0x2000;
	vmcb.eventinj = 0x80000b0d;
	svm_want_window(&v, WINDOW_NMI, true);
	ck_assert(!svm.stepping);               /* an event goes in first */
	vmcb.eventinj = 0;
	v.regs.rflags = 2;
	svm_want_window(&v, WINDOW_NMI, true);
	ck_assert(svm.stepping && !svm.step_trap);
	ck_assert_uint_eq(v.regs.rflags, RFLAGS_TF | 2);
	/* Something else made the guest leave before it. */
	vmcb.exitcode = SVM_EXIT_INTR;
	ck_assert(!svm_end_step(&v));
	ck_assert(!svm.stepping);
	ck_assert_uint_eq(v.regs.rflags, 2);
	/* IRET has run, and loaded flags of its own; the step is not the guest's. */
	svm_want_window(&v, WINDOW_NMI, true);
	v.regs.rflags = RFLAGS_TF | 0x46;
	vmcb.rip = 0x1234;
	vmcb.exitcode = SVM_EXIT_EXCEPTION + EXC_DB;
	vmcb.dr6 = 0xffff4ff0;
	ck_assert(svm_end_step(&v));
	ck_assert_uint_eq(v.regs.rflags, RFLAGS_TF | 0x46);
	ck_assert_uint_eq(vmcb.dr6, 0xffff0ff0);
	/* A breakpoint on the way is the guest's. */
	svm.iret_rip = vmcb.rip;
	v.regs.rflags = 2;
	svm_want_window(&v, WINDOW_NMI, true);
	vmcb.rip = 0x1235;
	vmcb.dr6 = 0xffff4ff1;
	ck_assert(!svm_end_step(&v));
	ck_assert_uint_eq(vmcb.dr6, 0xffff0ff1);
	/* So is a step that it asked for itself. */
	svm.iret_rip = vmcb.rip;
	v.regs.rflags = RFLAGS_TF | 2;
	svm_want_window(&v, WINDOW_NMI, true);
	vmcb.rip = 0x1236;
	vmcb.dr6 = 0xffff4ff0;
	ck_assert(!svm_end_step(&v));
	ck_assert_uint_eq(vmcb.dr6, 0xffff4ff0);
}
END_TEST

START_TEST(test_can_take)
{
	ck_assert(!svm_can_take(&v, WINDOW_INTR));
	v.regs.rflags = RFLAGS_IF;
	ck_assert(svm_can_take(&v, WINDOW_INTR));
	svm_set_shadow(&v, true);
	ck_assert(svm_get_shadow(&v));
	ck_assert(!svm_can_take(&v, WINDOW_INTR) && !svm_can_take(&v, WINDOW_NMI));
	vmcb.shadow |= 2;
	svm_set_shadow(&v, false);
	ck_assert_uint_eq(vmcb.shadow, 2);
	ck_assert(!svm_get_shadow(&v) && svm_can_take(&v, WINDOW_INTR));
	/* One event an entry. */
	vmcb.eventinj = 0x80000306;
	ck_assert(!svm_can_take(&v, WINDOW_INTR) && !svm_can_take(&v, WINDOW_NMI));
}
END_TEST

START_TEST(test_windows)
{
	vmcb.vintr = VINTR_MASKING | 5;
	vmcb.intercept1 = SVM_I1_HLT;
	svm_want_window(&v, WINDOW_INTR, true);
	ck_assert_uint_eq(vmcb.vintr, VINTR_MASKING | 5 | VINTR_IRQ | VINTR_IGNORE_TPR);
	ck_assert_uint_eq(vmcb.intercept1, SVM_I1_HLT | SVM_I1_VINTR);
	svm_want_window(&v, WINDOW_INTR, true);
	svm_want_window(&v, WINDOW_INTR, false);
	ck_assert_uint_eq(vmcb.vintr, VINTR_MASKING | 5);
	ck_assert_uint_eq(vmcb.intercept1, SVM_I1_HLT);
	vmcb.cr_write = 1;
	svm_want_window(&v, WINDOW_TPR, true);
	ck_assert_uint_eq(vmcb.cr_write, 0x101);
	svm_want_window(&v, WINDOW_TPR, false);
	ck_assert_uint_eq(vmcb.cr_write, 1);
	ck_assert_uint_eq(vmcb.vintr, VINTR_MASKING | 5);
}
END_TEST

START_TEST(test_segments)
{
	struct vmcb_seg *const where[VSEG_COUNT] = { &vmcb.es, &vmcb.cs, &vmcb.ss, &vmcb.ds, &vmcb.fs, &vmcb.gs,
		&vmcb.ldtr, &vmcb.tr };

	for (unsigned int i = 0; i < VSEG_COUNT; i++) {
		struct emul_segment s = { (uint16_t)(0x10 + i), 0xfc93, 0xffff0000 + i, 0x100000000ull * i }, got;

		svm_set_seg(&v, i, &s);
		ck_assert_uint_eq(where[i]->sel, 0x10 + i);
		/* 12 bits are attributes; the rest must be zero */
		ck_assert_uint_eq(where[i]->attr, 0xc93);
		ck_assert_uint_eq(where[i]->limit, 0xffff0000 + i);
		ck_assert_uint_eq(where[i]->base, 0x100000000ull * i);
		svm_get_seg(&v, i, &got);
		ck_assert_uint_eq(got.sel, s.sel);
		ck_assert_uint_eq(got.attr, 0xc93);
		ck_assert_uint_eq(got.limit, s.limit);
		ck_assert_uint_eq(got.base, s.base);
	}
	ck_assert_uint_eq(svm_cpl(&v), 0);
	svm_set_seg(&v, VSEG_SS, &(struct emul_segment){ 0x2b, 0xcf3, ~0u, 0 });
	ck_assert_uint_eq(svm_cpl(&v), 3);
	svm_set_seg(&v, VSEG_CS, &(struct emul_segment){ 0x10, 0xa9b, ~0u, 0 });
	ck_assert_uint_eq(svm_cpl(&v), 3);
	svm_set_seg(&v, VSEG_SS, &(struct emul_segment){ 0x18, 0xc93, ~0u, 0 });
	ck_assert_uint_eq(svm_cpl(&v), 0);
}
END_TEST

START_TEST(test_sys)
{
	const struct sys_regs all = { 1, 2, 3, 4, 0xd01, 6, 7, 8, 9, 10, 11 };
	struct sys_regs got;

	svm_set_sys(&v, &all, SYS_ALL);
	/* The processor insists on EFER.SVME; the guest does not see it. ET is always set. */
	ck_assert_uint_eq(vmcb.efer, 0xd01 | EFER_SVME);
	ck_assert_uint_eq(vmcb.cr0, 1 | CR0_ET);
	svm_get_sys(&v, &got);
	ck_assert_uint_eq(got.efer, 0xd01);
	ck_assert(got.cr2 == 2 && got.cr3 == 3 && got.cr4 == 4 && got.dr6 == 6 && got.dr7 == 7);
	ck_assert(got.gdt_base == 8 && got.idt_base == 9 && got.gdt_limit == 10 && got.idt_limit == 11);
	static const struct {
		unsigned int which, flush;
	} row[] = { { SYS_CR0, 1 }, { SYS_CR2, 0 }, { SYS_CR3, 1 }, { SYS_CR4, 1 }, { SYS_EFER, 1 }, { SYS_DR, 0 },
		    { SYS_DT, 0 } };
	for (unsigned int i = 0; i < ARRAY_SIZE(row); i++) {
		static const struct sys_regs other = { 0x21, 0x22, 0x23, 0x24, 0x100, 0x26, 0x27, 0x28, 0x29, 0x2a,
			0x2b };
		unsigned int w = row[i].which;

		svm_set_sys(&v, &all, SYS_ALL);
		flushes = 0;
		svm_set_sys(&v, &other, w);
		ck_assert_uint_eq(flushes, row[i].flush);
		svm_get_sys(&v, &got);
		ck_assert_uint_eq(got.cr0, w == SYS_CR0 ? 0x31 : 0x11);
		ck_assert_uint_eq(got.cr2, w == SYS_CR2 ? 0x22 : 2);
		ck_assert_uint_eq(got.cr3, w == SYS_CR3 ? 0x23 : 3);
		ck_assert_uint_eq(got.cr4, w == SYS_CR4 ? 0x24 : 4);
		ck_assert_uint_eq(got.efer, w == SYS_EFER ? 0x100 : 0xd01);
		ck_assert_uint_eq(got.dr6, w == SYS_DR ? 0x26 : 6);
		ck_assert_uint_eq(got.dr7, w == SYS_DR ? 0x27 : 7);
		ck_assert_uint_eq(got.gdt_base, w == SYS_DT ? 0x28 : 8);
		ck_assert_uint_eq(got.idt_limit, w == SYS_DT ? 0x2b : 11);
	}
}
END_TEST

/* Each MSR at its offset of the VMCB (AMD APM volume 2, "VMCB Layout, State Save Area"). */
START_TEST(test_msrs)
{
	static const struct {
		uint32_t msr;
		unsigned int offset;
	} row[] = {
		{ 0xc0000081, 0x600 }, { 0xc0000082, 0x608 }, { 0xc0000083, 0x610 }, { 0xc0000084, 0x618 },
		{ 0xc0000102, 0x620 }, { 0x174, 0x628 }, { 0x175, 0x630 }, { 0x176, 0x638 }, { 0x277, 0x668 },
		{ 0x1d9, 0x670 }, { 0xc0000100, 0x448 }, { 0xc0000101, 0x458 },
	};
	uint64_t got, at;

	for (unsigned int i = 0; i < ARRAY_SIZE(row); i++) {
		ck_assert_int_eq(svm_msr_write(&v, row[i].msr, 0x1122334455667700ull + i), 0);
		memcpy(&at, (char *)&vmcb + row[i].offset, 8);
		ck_assert_uint_eq(at, 0x1122334455667700ull + i);
		ck_assert_int_eq(svm_msr_read(&v, row[i].msr, &got), 0);
		ck_assert_uint_eq(got, at);
	}
	ck_assert_int_eq(svm_msr_read(&v, 0x10, &got), -ENOENT);
	ck_assert_int_eq(svm_msr_write(&v, 0xc0000080, 0), -ENOENT);
}
END_TEST

/* Bit positions by the manual: two bits an MSR, three ranges of 8192 MSRs, 2 KiB each. */
static unsigned int msr_bits(const uint8_t *map, uint32_t msr)
{
	uint32_t bit = msr < 0x2000 ? msr * 2
		       : msr < 0xc0002000 ? 0x800 * 8 + (msr - 0xc0000000) * 2
					  : 0x1000 * 8 + (msr - 0xc0010000) * 2;

	return map[bit / 8] >> bit % 8 & 3;
}

START_TEST(test_msrpm)
{
	static const uint32_t open[] = { 0x174, 0x175, 0x176, 0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084,
		0xc0000100, 0xc0000101, 0xc0000102 };
	unsigned int zero = 0;

	ck_assert_int_eq(svm_maps_init(), 0);
	const uint8_t *map = hpa_virt(svm_msrpm());
	for (unsigned int i = 0; i < ARRAY_SIZE(open); i++) {
		ck_assert_uint_eq(msr_bits(map, open[i]), 0);
	}
	/* and nothing else */
	for (unsigned int i = 0; i < 0x2000 * 8; i++) {
		zero += !(map[i / 8] >> i % 8 & 1);
	}
	ck_assert_uint_eq(zero, 2 * ARRAY_SIZE(open));
	static const uint32_t shut[] = { 0, 0x10, 0x1b, 0x173, 0x177, 0x277, 0x1fff, 0xc0000080, 0xc0000085,
		0xc00000ff, 0xc0000103, 0xc0010000, 0xc0010114, 0xc0011fff };
	for (unsigned int i = 0; i < ARRAY_SIZE(shut); i++) {
		ck_assert_uint_eq(msr_bits(map, shut[i]), 3);
	}
}
END_TEST

START_TEST(test_iopm)
{
	static const uint16_t trapped[] = { 0x20, 0x21, 0xcf8, 0xcff, 0xffff, 0xffff, 0, 0 };

	ck_assert_int_eq(svm_maps_init(), 0);
	const uint8_t *guest = hpa_virt(svm_iopm(false, NULL));
	for (unsigned int i = 0; i < 0x3000; i++) {
		MUST(guest[i] == 0xff);
	}
	const uint8_t *direct = hpa_virt(svm_iopm(true, trapped));
	for (unsigned int port = 0; port < 0x10000; port++) {
		bool want = port == 0x20 || port == 0x21 || (port >= 0xcf8 && port <= 0xcff) || port == 0xffff;
		MUST((direct[port / 8] >> port % 8 & 1) == want);
	}
	/* An access of several bytes at the last port looks at the bits behind it. */
	ck_assert_uint_eq(direct[0x2000], 0xff);
	ck_assert_uint_eq(svm_iopm(true, trapped).v, svm_iopm(true, trapped).v);
	ck_assert_uint_ne(svm_iopm(true, trapped).v, svm_iopm(false, trapped).v);
}
END_TEST

START_TEST(test_no_memory)
{
	static const uint16_t none[] = { 0, 0 };

	fake_pages.fail_at = 1;
	ck_assert_int_eq(svm_maps_init(), -ENOMEM);
	fake_pages.fail_at = 2;
	ck_assert_int_eq(svm_maps_init(), -ENOMEM);
	fake_pages_reset();
	ck_assert_int_eq(svm_maps_init(), 0);
	fake_pages.fail_at = 3;
	ck_assert_uint_eq(svm_iopm(true, none).v, 0);
	fake_pages.fail_at = 0;
	ck_assert_uint_ne(svm_iopm(true, none).v, 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_inject, test_virtual_interrupt, test_nmi, test_nmi_step, test_can_take, test_windows,
		test_segments, test_sys, test_msrs, test_msrpm, test_iopm, test_no_memory, NULL };

	return suite_run("svm_state", setup, tests);
}
