/* arch/vmx/exit.c: VMCS fields in, struct vmexit out. */
#include <string.h>
#include "arch/x86.h"
#include "fake/suite.h"
#include "fake/vmx_fake.h"
#include "lib/util.h"

static struct vmexit e;
static uint64_t *const f = vmx_fake.field;
static struct arch_vcpu *const v = &vmx_fake_vcpu;

static unsigned int nmis, mces;

void vmx_host_nmi(void)
{
	nmis++;
}

void vmx_host_mce(void)
{
	mces++;
}

static void setup(void)
{
	nmis = mces = 0;
	vmx_fake_reset();
	f[VMCS_EXIT_INSN_LEN] = 3;
}

/* Every member that the decoder should set holds something else before. */
static void decode(uint32_t reason, uint64_t qualification)
{
	memset(&e, 0xff, sizeof(e));
	vmx_fake_state.last_reason = reason;
	f[VMCS_QUALIFICATION] = qualification;
	vmx_decode_exit(v, v->vmx, &e);
	ck_assert_uint_eq(e.raw[0], reason);
	ck_assert_uint_eq(e.raw[1], qualification);
}

START_TEST(test_kinds)
{
	static const struct {
		uint32_t reason;
		enum vmexit_kind kind;
		unsigned int len;
	} row[] = {
		{ 1, VMEXIT_NONE, 0 }, { 2, VMEXIT_SHUTDOWN, 0 }, { 3, VMEXIT_NONE, 0 }, { 6, VMEXIT_NONE, 0 },
		{ 7, VMEXIT_INTR_WINDOW, 0 }, { 8, VMEXIT_NMI_WINDOW, 0 }, { 10, VMEXIT_CPUID, 3 },
		{ 11, VMEXIT_UNDEFINED, 3 }, { 12, VMEXIT_HLT, 3 }, { 13, VMEXIT_WBINVD, 3 },
		{ 15, VMEXIT_RDPMC, 3 }, { 18, VMEXIT_HYPERCALL, 3 }, { 19, VMEXIT_UNDEFINED, 3 },
		{ 27, VMEXIT_UNDEFINED, 3 }, { 36, VMEXIT_UNDEFINED, 3 }, { 39, VMEXIT_UNDEFINED, 3 },
		{ 40, VMEXIT_PAUSE, 3 }, { 43, VMEXIT_NONE, 0 }, { 52, VMEXIT_NONE, 0 }, { 50, VMEXIT_UNDEFINED, 3 },
		{ 53, VMEXIT_UNDEFINED, 3 }, { 54, VMEXIT_WBINVD, 3 }, { 55, VMEXIT_XSETBV, 3 },
		{ 59, VMEXIT_UNDEFINED, 3 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(row); i++) {
		decode(row[i].reason, 0);
		ck_assert_int_eq(e.kind, row[i].kind);
		ck_assert_uint_eq(e.insn_len, row[i].len);
		ck_assert(!e.interrupted.valid);
	}
}
END_TEST

/* The host's own events go to the host at once; a machine check can come out of an entry as well. */
START_TEST(test_host_events)
{
	f[VMCS_EXIT_EVENT] = 0x80000202;
	decode(0, 0);
	ck_assert(e.kind == VMEXIT_NONE && nmis == 1 && mces == 0);
	f[VMCS_EXIT_EVENT] = 0x80000312;
	decode(0, 0);
	ck_assert(e.kind == VMEXIT_NONE && nmis == 1 && mces == 1);
	decode(41 | 1u << 31, 0);
	ck_assert(e.kind == VMEXIT_ENTRY_FAILED && nmis == 1 && mces == 2);
	decode(33 | 1u << 31, 0);
	f[VMCS_EXIT_EVENT] = 0x8000030d;
	decode(0, 0);
	ck_assert(e.kind == VMEXIT_EXCEPTION && nmis == 1 && mces == 2);
}
END_TEST

/* What was never asked for says so, with its number; no reason reads past the table. */
START_TEST(test_others)
{
	static const uint32_t other[] = { 4, 16, 35, 37, 38, 42, 44, 46, 47, 49, 51, 56, 57, 60, 61, 64, 0xffff };

	for (unsigned int i = 0; i < ARRAY_SIZE(other); i++) {
		decode(other[i], 0);
		ck_assert_int_eq(e.kind, VMEXIT_OTHER);
		ck_assert_uint_eq(e.other.code, other[i]);
	}
	for (uint32_t r = 33; r <= 34; r++) {
		decode(r | REASON_ENTRY_FAILED, 0);
		ck_assert_int_eq(e.kind, VMEXIT_ENTRY_FAILED);
		ck_assert_uint_eq(e.other.code, r | REASON_ENTRY_FAILED);
		decode(r, 0);
		ck_assert_int_eq(e.kind, VMEXIT_OTHER);
	}
	decode(41 | REASON_ENTRY_FAILED, 0);
	ck_assert_int_eq(e.kind, VMEXIT_ENTRY_FAILED);
	decode(10 | REASON_ENTRY_FAILED, 0);
	ck_assert_int_eq(e.kind, VMEXIT_ENTRY_FAILED);
	for (uint32_t r = 0; r < 0x10000; r++) {
		decode(r, ~0ull);
		MUST(e.kind < VMEXIT_KINDS);
	}
}
END_TEST

START_TEST(test_io)
{
	/* in al, 3F8h; rep outsd, port FFFFh; out 40h, ax */
	decode(30, 0x03f80000 | 1 << 3);
	ck_assert_int_eq(e.kind, VMEXIT_PIO);
	ck_assert_uint_eq(e.pio.port, 0x3f8);
	ck_assert_uint_eq(e.pio.size, 1);
	ck_assert(!e.pio.write && !e.pio.string && !e.pio.rep);
	ck_assert_uint_eq(e.insn_len, 3);
	decode(30, 0xffff0033);
	ck_assert_uint_eq(e.pio.port, 0xffff);
	ck_assert_uint_eq(e.pio.size, 4);
	ck_assert(e.pio.write && e.pio.string && e.pio.rep);
	decode(30, 0x00400001);
	ck_assert_uint_eq(e.pio.size, 2);
	ck_assert(e.pio.write && !e.pio.string);
}
END_TEST

START_TEST(test_msr)
{
	v->regs.gpr[GPR_RCX] = 0xdeadbeefc0000080ull;
	decode(31, 0);
	ck_assert_int_eq(e.kind, VMEXIT_MSR);
	ck_assert_uint_eq(e.msr.index, 0xc0000080);
	ck_assert(!e.msr.write);
	decode(32, 0);
	ck_assert(e.msr.write);
	ck_assert_uint_eq(e.insn_len, 3);
}
END_TEST

START_TEST(test_hypercall)
{
	f[VMCS_GUEST_AR + 2 * VSEG_CS] = AR_L;
	decode(18, 0);
	ck_assert(e.hypercall.kernel && !e.hypercall.long64 && !e.shadow);
	vmx_fake_state.efer = EFER_LMA;
	f[VMCS_GUEST_AR + 2 * VSEG_SS] = 3 << 5;
	f[VMCS_GUEST_SHADOW] = SHADOW_MOVSS;
	decode(18, 0);
	ck_assert(!e.hypercall.kernel && e.hypercall.long64 && e.shadow);
}
END_TEST

START_TEST(test_npf)
{
	static const struct {
		uint64_t q;
		bool present, write, fetch, walk;
	} row[] = {
		{ 0x181, false, false, false, false }, { 0x182, false, true, false, false },
		{ 0x18a, true, true, false, false }, { 0x19c, true, false, true, false },
		{ 0x82, false, true, false, true }, { 0x1, false, false, false, false },
	};

	f[VMCS_GUEST_PHYSICAL] = 0x123456789abcull;
	for (unsigned int i = 0; i < ARRAY_SIZE(row); i++) {
		decode(48, row[i].q);
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

/* An IRET that faulted after it had unblocked NMIs will run again. */
START_TEST(test_iret)
{
	decode(48, 0x181 | 1 << 12);
	ck_assert_uint_eq(f[VMCS_GUEST_SHADOW], SHADOW_NMI);
	f[VMCS_GUEST_SHADOW] = 0;
	f[VMCS_VECTORING_EVENT] = 0x80000030;
	decode(48, 0x181 | 1 << 12);
	ck_assert_uint_eq(f[VMCS_GUEST_SHADOW], 0);
	f[VMCS_VECTORING_EVENT] = 0;
	f[VMCS_EXIT_EVENT] = 0x80001b00 | EXC_AC;
	decode(0, 0);
	ck_assert_uint_eq(f[VMCS_GUEST_SHADOW], SHADOW_NMI);
}
END_TEST

START_TEST(test_cr_dr)
{
	for (unsigned int n = 0; n < 16; n++) {
		decode(28, n | 9 << 8);
		ck_assert_int_eq(e.kind, VMEXIT_CR);
		ck_assert_uint_eq(e.cr.cr, n);
		ck_assert(e.cr.write && e.cr.decoded && !e.cr.clts && !e.cr.lmsw);
		ck_assert_uint_eq(e.cr.gpr, 9);
		ck_assert_uint_eq(e.insn_len, 3);
		decode(28, n | 1 << 4 | 15 << 8);
		ck_assert(!e.cr.write);
		ck_assert_uint_eq(e.cr.gpr, 15);
	}
	decode(28, 2 << 4);
	ck_assert(e.cr.clts && e.cr.write && !e.cr.lmsw);
	decode(28, 3 << 4 | 0xabcd0000ull);
	ck_assert(e.cr.lmsw && e.cr.write && !e.cr.clts);
	ck_assert_uint_eq(e.cr.lmsw_source, 0xabcd);
	decode(29, 7 | 1 << 4);
	ck_assert_int_eq(e.kind, VMEXIT_DR);
	ck_assert_uint_eq(e.dr.dr, 7);
	ck_assert(!e.dr.write);
	decode(29, 6);
	ck_assert(e.dr.write);
}
END_TEST

START_TEST(test_exception)
{
	vmx_fake.dr6 = 0xffff0ff0;
	f[VMCS_EXIT_EVENT] = 0x80000300 | EXC_DB;
	decode(0, 0x4002);
	ck_assert_int_eq(e.kind, VMEXIT_EXCEPTION);
	ck_assert_uint_eq(e.exception.vector, EXC_DB);
	ck_assert(!e.exception.has_error);
	ck_assert_uint_eq(vmx_fake.dr6, 0xffff4ff2);
	f[VMCS_EXIT_EVENT] = 0x80000b00 | EXC_AC;
	f[VMCS_EXIT_ERROR] = 5;
	decode(0, 0);
	ck_assert(e.exception.has_error);
	ck_assert_uint_eq(e.exception.error, 5);
	ck_assert_uint_eq(e.insn_len, 0);
	/* INT1 is to be stepped over, and is no change of DR6 */
	f[VMCS_EXIT_EVENT] = 0x80000500 | EXC_DB;
	f[VMCS_EXIT_INSN_LEN] = 1;
	vmx_fake.dr6 = 0xffff0ff0;
	decode(0, 0);
	ck_assert_int_eq(e.kind, VMEXIT_ICEBP);
	ck_assert_uint_eq(e.insn_len, 1);
	ck_assert_uint_eq(vmx_fake.dr6, 0xffff0ff0);
	/* an NMI and a machine check are the host's */
	f[VMCS_EXIT_EVENT] = 0x80000202;
	decode(0, 0);
	ck_assert_int_eq(e.kind, VMEXIT_NONE);
	f[VMCS_EXIT_EVENT] = 0x80000300 | EXC_MC;
	decode(0, 0);
	ck_assert_int_eq(e.kind, VMEXIT_NONE);
}
END_TEST

START_TEST(test_interrupted)
{
	static const struct {
		uint32_t field;
		enum vm_event_type type;
	} row[] = {
		{ 0x800000ec, EVENT_EXTINT }, { 0x80000202, EVENT_NMI }, { 0x8000030d, EVENT_EXCEPTION },
		{ 0x80000480, EVENT_SOFTINT }, { 0x80000501, EVENT_SOFTINT }, { 0x80000603, EVENT_EXCEPTION },
	};

	vmx_fake_state.cr2 = 0x5555;
	f[VMCS_VECTORING_ERROR] = 0x77;
	for (unsigned int i = 0; i < ARRAY_SIZE(row); i++) {
		f[VMCS_VECTORING_EVENT] = row[i].field;
		decode(48, 0x182);
		ck_assert(e.interrupted.valid && !e.interrupted.has_error);
		ck_assert_uint_eq(e.interrupted.type, row[i].type);
		ck_assert_uint_eq(e.interrupted.vector, row[i].field & 0xff);
		ck_assert_uint_eq(e.interrupted.error, 0);
		ck_assert_uint_eq(e.interrupted.cr2, 0x5555);
	}
	f[VMCS_VECTORING_EVENT] = 0x80000b0e;
	decode(9, 3ull << 30 | 0x28);
	ck_assert(e.interrupted.has_error);
	ck_assert_uint_eq(e.interrupted.error, 0x77);
	ck_assert_int_eq(e.kind, VMEXIT_TASK_SWITCH);
	ck_assert_uint_eq(e.task.selector, 0x28);
	ck_assert_uint_eq(e.task.source, 3);
	ck_assert(e.task.has_error);
	ck_assert_uint_eq(e.task.error, 0x77);
	decode(9, 2ull << 30 | 0x30);
	ck_assert_uint_eq(e.task.source, 2);
	ck_assert(!e.task.has_error);
}
END_TEST

START_TEST(test_nmi_window)
{
	vmx_fake_state.proc = PROC_NMI_WINDOW | 0x80;
	decode(8, 0);
	ck_assert_uint_eq(f[VMCS_PROC_CONTROLS], 0x80);
	ck_assert_uint_eq(vmx_fake_state.proc, 0x80);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_kinds, test_host_events, test_others, test_io, test_msr, test_hypercall, test_npf, test_iret, test_cr_dr,
		test_exception, test_interrupted, test_nmi_window, NULL };

	return suite_run("vmx_exit", setup, tests);
}
