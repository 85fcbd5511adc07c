/* arch/svm/exit.c: a VMCB image in, struct vmexit out; and the NMI mask that follows IRET. */
#include <string.h>
#include "arch/svm/svm.h"
#include "arch/x86.h"
#include "fake/suite.h"
#include "lib/util.h"

struct svm_caps svm_caps;
static struct vmcb vmcb;
static struct svm_vcpu svm;
static struct arch_vcpu v;
static struct vmexit e;

static bool step_is_own;

bool svm_end_step(struct arch_vcpu *w)
{
	w->svm->stepping = false;
	return step_is_own;
}

static void setup(void)
{
	memset(&vmcb, 0, sizeof(vmcb));
	memset(&svm, 0, sizeof(svm));
	memset(&v, 0, sizeof(v));
	svm.vmcb = &vmcb;
	v.svm = &svm;
	vmcb.rip = 0x1000;
	vmcb.nrip = 0x1003;
	svm_caps = (struct svm_caps){ .nrip = true, .decode = true };
}

/* Every member that the decoder should set holds something else before. */
static void decode(uint64_t code, uint64_t info1, uint64_t info2)
{
	memset(&e, 0xff, sizeof(e));
	vmcb.exitcode = code;
	vmcb.exitinfo1 = info1;
	vmcb.exitinfo2 = info2;
	svm_decode_exit(&v, v.svm, &e);
	ck_assert_uint_eq(e.raw[0], code);
	ck_assert_uint_eq(e.raw[1], info1);
	ck_assert_uint_eq(e.raw[2], info2);
}

START_TEST(test_kinds)
{
	static const struct {
		uint64_t code;
		enum vmexit_kind kind;
		unsigned int len;
	} row[] = {
		{ 0x60, VMEXIT_NONE, 0 }, { 0x61, VMEXIT_NONE, 0 }, { 0x62, VMEXIT_NONE, 0 },
		{ 0x63, VMEXIT_NONE, 0 }, { 0x7e, VMEXIT_NONE, 0 }, { 0x64, VMEXIT_INTR_WINDOW, 0 },
		{ 0x74, VMEXIT_NMI_WINDOW, 0 }, { 0x6f, VMEXIT_RDPMC, 3 }, { 0x72, VMEXIT_CPUID, 3 },
		{ 0x76, VMEXIT_WBINVD, 3 }, { 0x89, VMEXIT_WBINVD, 3 }, { 0x77, VMEXIT_PAUSE, 3 },
		{ 0x78, VMEXIT_HLT, 3 }, { 0x79, VMEXIT_INVLPG, 3 }, { 0x7f, VMEXIT_SHUTDOWN, 0 },
		{ 0x81, VMEXIT_HYPERCALL, 3 }, { 0x8d, VMEXIT_XSETBV, 3 }, { 0x73, VMEXIT_UNDEFINED, 0 },
		{ 0x7a, VMEXIT_UNDEFINED, 0 }, { 0x80, VMEXIT_UNDEFINED, 0 }, { 0x82, VMEXIT_UNDEFINED, 0 },
		{ 0x83, VMEXIT_UNDEFINED, 0 }, { 0x84, VMEXIT_UNDEFINED, 0 }, { 0x85, VMEXIT_UNDEFINED, 0 },
		{ 0x86, VMEXIT_UNDEFINED, 0 }, { 0x8a, VMEXIT_UNDEFINED, 0 }, { 0x8b, VMEXIT_UNDEFINED, 0 },
		{ 0x8e, VMEXIT_UNDEFINED, 0 }, { 0x88, VMEXIT_ICEBP, 3 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(row); i++) {
		decode(row[i].code, 0, 0);
		ck_assert_int_eq(e.kind, row[i].kind);
		ck_assert_uint_eq(e.insn_len, row[i].len);
		ck_assert(!e.interrupted.valid);
	}
}
END_TEST

/* What was never asked for says so, with its code; no code reads past the table. */
START_TEST(test_others)
{
	static const uint64_t code[] = { 0x65, 0x6a, 0x6e, 0x70, 0x71, 0x75, 0x87, 0x8c, 0x8f, 0x90, 0x91, 0xa3,
		0x3ff, 0x401, 0x403, 0xffff, 0xfffffffe, 1ull << 32, ~0ull - 1 };

	for (unsigned int i = 0; i < ARRAY_SIZE(code); i++) {
		decode(code[i], 1, 2);
		ck_assert_int_eq(e.kind, VMEXIT_OTHER);
		ck_assert_uint_eq(e.other.code, code[i]);
	}
	decode(0xffffffff, 0, 0);
	ck_assert_int_eq(e.kind, VMEXIT_CR_REFUSED);
	decode(~0ull, 0, 0);
	ck_assert_int_eq(e.kind, VMEXIT_ENTRY_FAILED);
	for (uint64_t c = 0; c < 0x500; c++) {
		decode(c, 0, 0);
		MUST(e.kind < VMEXIT_KINDS);
	}
}
END_TEST

START_TEST(test_length)
{
	/* 1 to 15 bytes are an instruction; anything else is "unknown". */
	for (uint64_t len = 0; len < 20; len++) {
		vmcb.nrip = vmcb.rip + len;
		decode(0x72, 0, 0);
		ck_assert_uint_eq(e.insn_len, len <= 15 ? len : 0);
	}
	vmcb.nrip = vmcb.rip - 1;
	decode(0x72, 0, 0);
	ck_assert_uint_eq(e.insn_len, 0);
	vmcb.nrip = 0;
	decode(0x72, 0, 0);
	ck_assert_uint_eq(e.insn_len, 0);
	svm_caps.nrip = false;
	vmcb.nrip = vmcb.rip + 2;
	decode(0x72, 0, 0);
	ck_assert_uint_eq(e.insn_len, 0);
}
END_TEST

/* Without next-RIP save the decoder says where the instruction is: in 64-bit code RIP, else with CS's base, 32 bits wide. */
START_TEST(test_code)
{
	svm_caps.nrip = false;
	vmcb.rip = 0xfffffff0;
	vmcb.cs.base = 0x20;
	vmcb.cr3 = 0x5000;
	decode(0x72, 0, 0);
	ck_assert_uint_eq(e.insn_len, 0);
	ck_assert_uint_eq(e.code.linear, 0x10);
	ck_assert_uint_eq(e.code.cr3, 0x5000);
	vmcb.cs.attr = VMCB_ATTR_L;
	decode(0x81, 0, 0);
	ck_assert_uint_eq(e.code.linear, 0x10);
	ck_assert(e.hypercall.kernel && !e.hypercall.long64);
	vmcb.efer = EFER_LMA;
	vmcb.cpl = 3;
	decode(0x81, 0, 0);
	ck_assert_uint_eq(e.code.linear, 0xfffffff0);
	ck_assert(!e.hypercall.kernel && e.hypercall.long64);
	decode(0x7c, 1, 0);
	ck_assert(!e.msr.kernel && e.msr.write);
	vmcb.cpl = 0;
	vmcb.shadow = 2;
	decode(0x7c, 0, 0);
	ck_assert(e.msr.kernel && !e.msr.write && !e.shadow);
	vmcb.shadow = 1;
	decode(0x400, 0, 0);
	ck_assert(e.shadow);
}
END_TEST

START_TEST(test_ioio)
{
	/* in al, dx at port 3F8h; then rep outsd, 16-bit port FFFFh */
	decode(0x7b, 0x03f80011 | 1 << 8, 0x1001);
	ck_assert_int_eq(e.kind, VMEXIT_PIO);
	ck_assert_uint_eq(e.pio.port, 0x3f8);
	ck_assert_uint_eq(e.pio.size, 1);
	ck_assert(!e.pio.write && !e.pio.string && !e.pio.rep);
	ck_assert_uint_eq(e.insn_len, 1);
	decode(0x7b, 0xffff004c, 0x1002);
	ck_assert_uint_eq(e.pio.port, 0xffff);
	ck_assert_uint_eq(e.pio.size, 4);
	ck_assert(e.pio.write && e.pio.string && e.pio.rep);
	ck_assert_uint_eq(e.insn_len, 2);
	decode(0x7b, 0x00400025, 0x1002);
	ck_assert_uint_eq(e.pio.port, 0x40);
	ck_assert_uint_eq(e.pio.size, 2);
	ck_assert(!e.pio.write && e.pio.string && !e.pio.rep);
	/* The next instruction is in EXITINFO2 also without next-RIP save. */
	svm_caps.nrip = false;
	decode(0x7b, 0x00400011, 0x1002);
	ck_assert_uint_eq(e.insn_len, 2);
	decode(0x7b, 0x00400011, 0);
	ck_assert_uint_eq(e.insn_len, 0);
	svm_caps.nrip = true;
	decode(0x7b, 0x00400011, 0);
	ck_assert_uint_eq(e.insn_len, 3);
}
END_TEST

START_TEST(test_msr)
{
	v.regs.gpr[GPR_RCX] = 0xdeadbeefc0000080ull;
	decode(0x7c, 0, 0);
	ck_assert_int_eq(e.kind, VMEXIT_MSR);
	ck_assert_uint_eq(e.msr.index, 0xc0000080);
	ck_assert(!e.msr.write);
	ck_assert_uint_eq(e.insn_len, 3);
	decode(0x7c, 1, 0);
	ck_assert(e.msr.write);
}
END_TEST

START_TEST(test_npf)
{
	static const struct {
		uint64_t info1;
		bool present, write, fetch, walk;
	} row[] = {
		{ 1ull << 32 | 4, false, false, false, false },
		{ 1ull << 32 | 6, false, true, false, false },
		{ 1ull << 32 | 7, true, true, false, false },
		{ 1ull << 32 | 0x15, true, false, true, false },
		{ 1ull << 33 | 6, false, true, false, true },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(row); i++) {
		decode(0x400, row[i].info1, 0x123456789abcull);
		ck_assert_int_eq(e.kind, VMEXIT_NPF);
		ck_assert_uint_eq(e.npf.gpa.v, 0x123456789abcull);
		ck_assert_int_eq(e.npf.present, row[i].present);
		ck_assert_int_eq(e.npf.write, row[i].write);
		ck_assert_int_eq(e.npf.fetch, row[i].fetch);
		ck_assert_int_eq(e.npf.table_walk, row[i].walk);
		ck_assert_uint_eq(e.insn_len, 0);
	}
}
END_TEST

START_TEST(test_cr_dr)
{
	for (unsigned int n = 0; n < 16; n++) {
		decode(n, 1ull << 63 | 9, 0);
		ck_assert_int_eq(e.kind, VMEXIT_CR);
		ck_assert_uint_eq(e.cr.cr, n);
		ck_assert(!e.cr.write && e.cr.decoded && !e.cr.clts && !e.cr.lmsw);
		ck_assert_uint_eq(e.cr.gpr, 9);
		ck_assert_uint_eq(e.insn_len, 3);
		decode(0x10 + n, 1ull << 63 | 4, 0);
		ck_assert_int_eq(e.kind, VMEXIT_CR);
		ck_assert_uint_eq(e.cr.cr, n);
		ck_assert(e.cr.write);
		decode(0x20 + n, 0, 0);
		ck_assert_int_eq(e.kind, VMEXIT_DR);
		ck_assert_uint_eq(e.dr.dr, n);
		ck_assert(!e.dr.write);
		decode(0x30 + n, 0, 0);
		ck_assert_int_eq(e.kind, VMEXIT_DR);
		ck_assert_uint_eq(e.dr.dr, n);
		ck_assert(e.dr.write);
	}
	/* LMSW, CLTS, SMSW and processors without decode assists: the emulator looks. */
	decode(0x10, 9, 0);
	ck_assert(!e.cr.decoded);
	svm_caps.decode = false;
	decode(0x10, 1ull << 63 | 9, 0);
	ck_assert(!e.cr.decoded);
}
END_TEST

START_TEST(test_exception)
{
	decode(0x40 + EXC_DB, 0, 0);
	ck_assert_int_eq(e.kind, VMEXIT_EXCEPTION);
	ck_assert_uint_eq(e.exception.vector, EXC_DB);
	ck_assert(!e.exception.has_error);
	decode(0x40 + EXC_AC, 0, 0);
	ck_assert_uint_eq(e.exception.vector, EXC_AC);
	ck_assert(e.exception.has_error);
	ck_assert_uint_eq(e.exception.error, 0);
	decode(0x40 + EXC_MC, 0x55, 0);
	ck_assert_uint_eq(e.exception.vector, EXC_MC);
	ck_assert(!e.exception.has_error);
}
END_TEST

START_TEST(test_task)
{
	static const struct {
		uint64_t info2, intinfo;
		uint8_t source;
	} row[] = {
		{ 0, 0, 0 },                                    /* CALL */
		{ 1ull << 36, 0, 1 },                           /* IRET */
		{ 1ull << 38, 0, 2 },                           /* JMP */
		{ 0, 0x80000000ull | 3 << 8 | EXC_DF, 3 },      /* through a gate of the IDT */
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(row); i++) {
		vmcb.exitintinfo = row[i].intinfo;
		decode(0x7d, 0xabcd0038, row[i].info2);
		ck_assert_int_eq(e.kind, VMEXIT_TASK_SWITCH);
		ck_assert_uint_eq(e.task.selector, 0x38);
		ck_assert_uint_eq(e.task.source, row[i].source);
		ck_assert(!e.task.has_error);
	}
	decode(0x7d, 0x38, 1ull << 44 | 0x1234);
	ck_assert(e.task.has_error);
	ck_assert_uint_eq(e.task.error, 0x1234);
}
END_TEST

START_TEST(test_interrupted)
{
	vmcb.cr2 = 0x7fff12345000;
	vmcb.exitintinfo = 0x80000b0eull | 0x6ull << 32;        /* #PF with error 6 */
	decode(0x400, 0, 0x1000);
	ck_assert(e.interrupted.valid && e.interrupted.has_error);
	ck_assert_uint_eq(e.interrupted.type, EVENT_EXCEPTION);
	ck_assert_uint_eq(e.interrupted.vector, EXC_PF);
	ck_assert_uint_eq(e.interrupted.error, 6);
	ck_assert_uint_eq(e.interrupted.cr2, 0x7fff12345000);
	vmcb.exitintinfo = 0x800000ecull;
	decode(0x400, 0, 0x1000);
	ck_assert(e.interrupted.valid && !e.interrupted.has_error);
	ck_assert_uint_eq(e.interrupted.type, EVENT_EXTINT);
	ck_assert_uint_eq(e.interrupted.vector, 0xec);
	vmcb.exitintinfo = 0x80000202ull;
	decode(0x400, 0, 0x1000);
	ck_assert_uint_eq(e.interrupted.type, EVENT_NMI);
	vmcb.exitintinfo = 0x80000480ull;
	decode(0x400, 0, 0x1000);
	ck_assert_uint_eq(e.interrupted.type, EVENT_SOFTINT);
	ck_assert_uint_eq(e.interrupted.vector, 0x80);
	vmcb.exitintinfo = 0x7fffffffull;
	decode(0x400, 0, 0x1000);
	ck_assert(!e.interrupted.valid);
}
END_TEST

START_TEST(test_nmi_mask)
{
	/* Unmasked: nothing to follow. */
	decode(0x78, 0, 0);
	ck_assert(!svm.nmi_masked);
	svm.nmi_masked = true;
	vmcb.intercept1 = SVM_I1_IRET | SVM_I1_HLT;
	decode(0x78, 0, 0);
	ck_assert(svm.nmi_masked && !svm.iret_seen);
	/* The exit comes before IRET has run: still masked, but the next one is not intercepted. */
	vmcb.rip = 0x2000;
	decode(0x74, 0, 0);
	ck_assert(svm.nmi_masked && svm.iret_seen);
	ck_assert_uint_eq(vmcb.intercept1, SVM_I1_HLT);
	/* IRET faulted on memory: it is not done yet. */
	decode(0x400, 0, 0x5000);
	ck_assert(svm.nmi_masked);
	vmcb.rip = 0x1234;
	decode(0x60, 0, 0);
	ck_assert(!svm.nmi_masked && !svm.iret_seen);
	/* Stepped over: the step's own exception is nobody's, another one is the guest's. */
	for (unsigned int own = 0; own < 2; own++) {
		svm.nmi_masked = svm.iret_seen = svm.stepping = true;
		step_is_own = own;
		decode(0x41, 0, 0);
		ck_assert_int_eq(e.kind, own ? VMEXIT_NONE : VMEXIT_EXCEPTION);
		ck_assert(!svm.stepping);
		decode(0x41, 0, 0);
		ck_assert_int_eq(e.kind, VMEXIT_EXCEPTION);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_kinds, test_others, test_length, test_code, test_ioio, test_msr, test_npf,
		test_cr_dr, test_exception, test_task, test_interrupted, test_nmi_mask, NULL };

	return suite_run("svm_exit", setup, tests);
}
