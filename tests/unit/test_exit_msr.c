/*
 * exit_msr.c: which registers there are (and that no other is), EFER's rules, memory types, addresses, privilege.
 */
#include <string.h>
#include "arch/hw.h"
#include "arch/x86.h"
#include "core/trace.h"
#include "dom/shared_info.h"
#include "fake/fake_vcpu.h"
#include "fake/suite.h"
#include "hvm/hvm.h"
#include "lib/err.h"

static struct vcpu *const v = &fake_vcpu.v;
static unsigned int time_updates, gp_faults;
static uint64_t host_tsc, last_wrmsr;
static uint32_t last_wrmsr_nr;
static bool host_refuses;
static uint8_t page_bytes[PAGE_SIZE];
static struct page page;
static int width = -1;

uint64_t hw_rdtsc(void) { return host_tsc; }

bool hw_rdmsr_safe(uint32_t msr, uint64_t *value)
{
	*value = 0xabcd1234567890ffull;
	return !host_refuses;
}

void hw_wrmsr(uint32_t msr, uint64_t value)
{
	last_wrmsr_nr = msr;
	last_wrmsr = value;
}

unsigned int hvm_address_bits(void) { return 40; }
uint64_t hvm_guest_tsc(struct vcpu *w, uint64_t tsc) { return tsc + (uint64_t)w->arch.tsc_offset; }
void shared_info_time_update(struct vcpu *w) { time_updates++; }
void shared_info_set_width(struct domain *d, bool wide) { width = wide; }
bool hvm_guest_is_64bit(struct vcpu *w) { return true; }
uint64_t trace(enum trace_id id, uint16_t domain, uint16_t vcpu, uint64_t a, uint64_t b) { return 0; }

enum verdict hvm_fault_gp(struct vcpu *w)
{
	gp_faults++;
	return EXIT_FAULT;
}

int p2m_get_own_page(struct domain *d, gfn_t gfn, bool write, struct page **out)
{
	ck_assert(write);
	if (gfn.v != 0x1234) {
		return -EINVAL;
	}
	page.refs++;
	*out = &page;
	return 0;
}

void *page_virt(const struct page *p) { return page_bytes; }
void page_put(struct page *p) { p->refs--; }

static uint64_t lapic_time(void *ctx) { return 5; }
static void lapic_timer(void *ctx, uint64_t deadline) { }
static void lapic_ipi(void *ctx, const struct apic_msg *m) { }
static void lapic_eoi(void *ctx, uint8_t vector) { }
static void lapic_enabled(void *ctx) { }
static uint64_t lapic_to_ns(void *ctx, uint64_t tsc) { return tsc; }

static const struct vlapic_host lapic_host = { .now_ns = lapic_time, .tsc = lapic_time, .tsc_to_ns = lapic_to_ns,
	.timer_set = lapic_timer, .ipi = lapic_ipi, .eoi = lapic_eoi, .enabled = lapic_enabled };

/* CPUID's words that say which of the speculation controls there are. */
static uint32_t leaf7_edx, leaf_e8_ebx;

void hvm_cpuid(struct vcpu *w, uint32_t leaf, uint32_t subleaf, uint32_t r[4])
{
	memset(r, 0, 4 * sizeof(*r));
	r[3] = leaf == 7 ? leaf7_edx : 0;
	r[1] = leaf == 0x80000008 ? leaf_e8_ebx : 0;
}

static void setup(void)
{
	fake_vcpu_reset();
	fake_vcpu.hvm_domain.has_pc = true;
	leaf7_edx = leaf_e8_ebx = 0;
	vlapic_init(&fake_vcpu.hvm.lapic, &lapic_host, 6, true, true);
	v->arch.tsc_aux_ok = true;
	time_updates = gp_faults = 0;
	host_tsc = 1000;
	host_refuses = false;
	page.refs = 1;
	width = -1;
}

static uint64_t get(uint32_t msr)
{
	uint64_t value = 0x5a5a5a5a5a5a5a5aull;

	ck_assert_msg(hvm_msr_read(v, msr, &value) == 0, "MSR %#x", msr);
	return value;
}

static void set(uint32_t msr, uint64_t value)
{
	ck_assert_msg(hvm_msr_write(v, msr, value) == 0, "MSR %#x", msr);
}

static void no_get(uint32_t msr)
{
	uint64_t value;

	ck_assert_msg(hvm_msr_read(v, msr, &value) != 0, "MSR %#x", msr);
}

static void no_set(uint32_t msr, uint64_t value)
{
	ck_assert_msg(hvm_msr_write(v, msr, value) != 0, "MSR %#x", msr);
}

/* All that can be read: the ends of every row, so that one out of order is not found and fails. */
static const struct {
	uint32_t first, last;
} readable[] = {
	{ 0x0, 0x1 }, { 0x10, 0x10 }, { 0x17, 0x17 }, { 0x1b, 0x1b }, { 0x3b, 0x3b }, { 0x8b, 0x8b }, { 0xfe, 0xfe }, { 0x174, 0x176 },
	{ 0x179, 0x17a }, { 0x1a0, 0x1a0 }, { 0x1d9, 0x1d9 }, { 0x200, 0x20f }, { 0x250, 0x250 }, { 0x258, 0x259 },
	{ 0x268, 0x26f }, { 0x277, 0x277 }, { 0x2ff, 0x2ff }, { 0x6e0, 0x6e0 },
	{ 0xc0000080, 0xc0000084 }, { 0xc0000100, 0xc0000103 }, { 0xc0010000, 0xc0010007 },
	{ 0xc0010010, 0xc0010010 }, { 0xc0010015, 0xc0010015 }, { 0xc001001f, 0xc001001f },
	{ 0xc0010055, 0xc0010055 }, { 0xc0010058, 0xc0010058 }, { 0xc0010061, 0xc0010063 },
	{ 0xc0010114, 0xc0010114 }, { 0xc0010140, 0xc0010141 }, { 0xc0011022, 0xc0011023 },
	{ 0xc0011029, 0xc001102a },
};

static bool is_readable(uint32_t msr)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(readable); i++) {
		if (msr >= readable[i].first && msr <= readable[i].last) {
			return true;
		}
	}
	return false;
}

static void check_reads(uint32_t from, uint32_t to)
{
	for (uint32_t msr = from; msr <= to; msr++) {
		uint64_t value = 0;
		int rc = hvm_msr_read(v, msr, &value);

		if ((rc == 0) != is_readable(msr)) {
			ck_abort_msg("read of MSR %#x: %d", msr, rc);
		}
		if (!is_readable(msr) && msr != 0xc0010020 && msr != 0x40000000 && hvm_msr_write(v, msr, 0) == 0) {
			ck_abort_msg("MSR %#x can be written", msr);
		}
	}
}

START_TEST(test_which)
{
	check_reads(0, 0x7ff);
	check_reads(0x840, 0x2000);
	check_reads(0x40000000, 0x40000200);
	check_reads(0xbfffff00, 0xc0002000);
	check_reads(0xc000ff00, 0xc0012000);
	check_reads(0xfffffff0, 0xfffffffe);
	no_get(0xffffffff);
	/* xAPIC mode: none of the x2APIC registers */
	for (uint32_t msr = 0x800; msr < 0x840; msr++) {
		no_get(msr);
		no_set(msr, 0);
	}
	/* read-only, write-only */
	no_set(0x17, 0);
	no_set(0xfe, 0);
	set(0xc0010020, 0x1234);
	no_get(0xc0010020);
	no_get(0x40000000);
}
END_TEST

START_TEST(test_values)
{
	ck_assert_uint_eq(get(MSR_MTRR_CAP), 8 | 1 << 8 | 1 << 10);
	ck_assert_uint_eq(get(MSR_MCG_CAP), 0);
	ck_assert_uint_eq(get(MSR_AMD_VM_CR), 0x18);
	ck_assert_uint_eq(get(MSR_AMD_HWCR), 1ull << 24);
	/* Only whether LFENCE serialises */
	ck_assert_uint_eq(get(MSR_AMD_DE_CFG), 2);
	ck_assert_uint_eq(get(MSR_UCODE_REV), 0xabcd1234567890ffull);
	host_refuses = true;
	ck_assert_uint_eq(get(MSR_AMD_DE_CFG), 0);
	ck_assert_uint_eq(get(MSR_UCODE_REV), 0);
	set(MSR_MISC_ENABLE, ~0ull);
	ck_assert_uint_eq(get(MSR_MISC_ENABLE), 0x400c50809 | 0x1800);
	/* Writes that are dropped */
	static const uint32_t dropped[] = { 0, 1, 0x8b, 0x179, 0x17a, 0xc0010000, 0xc0010007, 0xc0010010,
		0xc0010114, 0xc0010141, 0xc0011022, 0xc001102a };
	for (unsigned int i = 0; i < ARRAY_SIZE(dropped); i++) {
		uint64_t before = get(dropped[i]);
		set(dropped[i], ~before);
		ck_assert_uint_eq(get(dropped[i]), before);
	}
}
END_TEST

START_TEST(test_efer)
{
	uint64_t now = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE;

	ck_assert_uint_eq(get(MSR_EFER), now);
	set(MSR_EFER, now & ~EFER_NXE);
	ck_assert_uint_eq(fake_vcpu.sys.efer, now & ~EFER_NXE);
	ck_assert_uint_eq(fake_vcpu.sys_which, SYS_EFER);
	/* LMA is the processor's, not the guest's. */
	set(MSR_EFER, EFER_LME);
	ck_assert_uint_eq(fake_vcpu.sys.efer, EFER_LME | EFER_LMA);
	/* LME stays while paging is on. */
	no_set(MSR_EFER, EFER_SCE | EFER_LMA);
	ck_assert_uint_eq(fake_vcpu.sys.efer, EFER_LME | EFER_LMA);
	fake_vcpu.sys.cr0 &= ~CR0_PG;
	fake_vcpu.sys.efer = 0;
	set(MSR_EFER, EFER_LME | EFER_LMA);
	ck_assert_uint_eq(fake_vcpu.sys.efer, EFER_LME);
	fake_vcpu.sys.cr0 |= CR0_PG;
	fake_vcpu.sys.efer = 0;
	no_set(MSR_EFER, EFER_LME);
	/* Never nested virtualisation, nor what nobody knows. */
	for (unsigned int bit = 0; bit < 64; bit++) {
		uint64_t b = 1ull << bit;
		if (b != EFER_SCE && b != EFER_LME && b != EFER_LMA && b != EFER_NXE && b != EFER_FFXSR) {
			no_set(MSR_EFER, b);
		}
	}
	ck_assert_uint_eq(fake_vcpu.sys.efer, 0);
	set(MSR_EFER, EFER_FFXSR);
	ck_assert_uint_eq(fake_vcpu.sys.efer, EFER_FFXSR);
}
END_TEST

START_TEST(test_tsc)
{
	set(MSR_TSC, 5000);
	ck_assert_int_eq(fake_vcpu.tsc_offset, 4000);
	ck_assert_uint_eq(time_updates, 1);
	host_tsc = 1234;
	ck_assert_uint_eq(get(MSR_TSC), 5234);
	set(MSR_TSC, 0);
	ck_assert_int_eq(fake_vcpu.tsc_offset, -1234);
	set(MSR_TSC_AUX, 0xfedcba98);
	ck_assert_uint_eq(get(MSR_TSC_AUX), 0xfedcba98);
	ck_assert_uint_eq(last_wrmsr_nr, MSR_TSC_AUX);
	ck_assert_uint_eq(last_wrmsr, 0xfedcba98);
	no_set(MSR_TSC_AUX, 1ull << 32);
	ck_assert_uint_eq(get(MSR_TSC_AUX), 0xfedcba98);
	last_wrmsr_nr = 0;
	v->arch.tsc_aux_ok = false;
	no_get(MSR_TSC_AUX);
	no_set(MSR_TSC_AUX, 1);
	ck_assert_uint_eq(last_wrmsr_nr, 0);
}
END_TEST

START_TEST(test_pat)
{
	for (unsigned int t = 0; t < 256; t++) {
		bool ok = t == 0 || t == 1 || (t >= 4 && t <= 7);
		for (unsigned int i = 0; i < 8; i++) {
			uint64_t value = (0x0606060606060606ull & ~(0xffull << i * 8)) | (uint64_t)t << i * 8;
			MUST((hvm_msr_write(v, MSR_PAT, value) == 0) == ok);
			MUST(!ok || get(MSR_PAT) == value);
		}
	}
}
END_TEST

START_TEST(test_mtrr)
{
	for (unsigned int t = 0; t < 256; t++) {
		bool ok = t == 0 || t == 1 || (t >= 4 && t <= 6);
		MUST((hvm_msr_write(v, MSR_MTRR_DEF_TYPE, t) == 0) == ok);
		MUST((hvm_msr_write(v, 0x200, 0x80000000 | t) == 0) == ok);
		for (unsigned int i = 0; i < 8; i++) {
			MUST((hvm_msr_write(v, 0x250, (uint64_t)t << i * 8) == 0) == ok);
			MUST((hvm_msr_write(v, 0x26f, (uint64_t)t << i * 8) == 0) == ok);
		}
	}
	set(MSR_MTRR_DEF_TYPE, 0xc06);
	ck_assert_uint_eq(get(MSR_MTRR_DEF_TYPE), 0xc06);
	no_set(MSR_MTRR_DEF_TYPE, 0x106);
	no_set(MSR_MTRR_DEF_TYPE, 0x1006);
	no_set(MSR_MTRR_DEF_TYPE, 1ull << 32);
	ck_assert_uint_eq(get(MSR_MTRR_DEF_TYPE), 0xc06);
	no_set(0x20e, 0x100);
	no_set(0x20f, 0x400);
	set(0x20f, 0xfff80000800);
	/* Each register is its own. */
	for (uint32_t i = 0; i < 16; i++) {
		set(0x200 + i, i & 1 ? 0x10000000ull * i | 0x800 : 0x20000000ull * i | 6);
	}
	static const uint32_t fixed[] = { 0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f };
	for (unsigned int i = 0; i < ARRAY_SIZE(fixed); i++) {
		set(fixed[i], i & 1 ? 0x0101010101010101ull : 0x0606060606060600ull);
	}
	set(0x26f, 0x0405060001000405ull);
	for (uint32_t i = 0; i < 16; i++) {
		ck_assert_uint_eq(get(0x200 + i), i & 1 ? 0x10000000ull * i | 0x800 : 0x20000000ull * i | 6);
	}
	for (unsigned int i = 0; i + 1 < ARRAY_SIZE(fixed); i++) {
		ck_assert_uint_eq(get(fixed[i]), i & 1 ? 0x0101010101010101ull : 0x0606060606060600ull);
	}
	ck_assert_uint_eq(get(0x26f), 0x0405060001000405ull);
}
END_TEST

START_TEST(test_addresses)
{
	static const uint32_t msrs[] = { MSR_LSTAR, MSR_CSTAR, MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE,
		MSR_SYSENTER_ESP, MSR_SYSENTER_EIP };

	for (unsigned int i = 0; i < ARRAY_SIZE(msrs); i++) {
		set(msrs[i], 0x00007fffffffffffull);
		set(msrs[i], 0xffff800000000000ull);
		no_set(msrs[i], 0x0000800000000000ull);
		no_set(msrs[i], 0xffff7fffffffffffull);
		no_set(msrs[i], 1ull << 63);
		ck_assert_uint_eq(get(msrs[i]), 0xffff800000000000ull);
	}
	/* Others may hold anything. */
	set(MSR_STAR, 0x0000800000000000ull);
	set(MSR_SFMASK, ~0ull);
	set(MSR_SYSENTER_CS, 0x10);
	ck_assert_uint_eq(get(MSR_STAR), 0x0000800000000000ull);
	/* What the vendor does not have is not there. */
	fake_vcpu.msr[0].msr = 1;
	no_get(MSR_STAR);
	no_set(MSR_STAR, 0);
}
END_TEST

START_TEST(test_lapic)
{
	ck_assert_uint_eq(get(MSR_APIC_BASE), 0xfee00000 | APIC_BASE_ENABLE | APIC_BASE_BSP);
	no_set(MSR_APIC_BASE, 1ull << 40 | 0xfee00000 | APIC_BASE_ENABLE | APIC_BASE_BSP);
	set(MSR_APIC_BASE, 0xfee00000 | APIC_BASE_ENABLE | APIC_BASE_X2APIC | APIC_BASE_BSP);
	ck_assert_uint_eq(get(0x802), 6);
	no_set(0x802, 0);
	set(0x80f, 0x1ff);
	ck_assert_uint_eq(get(0x80f), 0x1ff);
}
END_TEST

START_TEST(test_hypercall_page)
{
	static const uint8_t stub[] = { 0xb8, 0x0b, 0, 0, 0, 0x0f, 0x01, 0xd9, 0xc3, 0xcc };

	memset(page_bytes, 0, sizeof(page_bytes));
	set(0x40000000, 0x1234000);
	ck_assert_mem_eq(page_bytes + 11 * 32, stub, sizeof(stub));
	ck_assert_uint_eq(page_bytes[127 * 32 + 1], 127);
	ck_assert_uint_eq(page_bytes[127 * 32 + 31], 0xcc);
	/* IRET is not for these guests. */
	ck_assert_uint_eq(page_bytes[23 * 32], 0x0f);
	ck_assert_uint_eq(page_bytes[23 * 32 + 1], 0x0b);
	ck_assert_uint_eq(page.refs, 1);
	ck_assert_int_eq(width, 1);
	no_set(0x40000000, 0x1234001);
	no_set(0x40000000, 0x5678000);
	no_set(0x40000000, ~0xfffull);
	ck_assert_uint_eq(page.refs, 1);
}
END_TEST

START_TEST(test_exit)
{
	struct vmexit e = { .kind = VMEXIT_MSR, .msr = { MSR_KERNEL_GS_BASE, true, true } };
	uint64_t *g = v->arch.regs.gpr;

	/* Only the lower halves of RAX and RDX count; a read clears the upper ones. */
	g[GPR_RAX] = 0xdeadbeef12345678ull;
	g[GPR_RDX] = 0xdeadbeef00007fffull;
	ck_assert_int_eq(exit_msr(v, &e), EXIT_NEXT);
	ck_assert_uint_eq(get(MSR_KERNEL_GS_BASE), 0x00007fff12345678ull);
	g[GPR_RAX] = g[GPR_RDX] = ~0ull;
	e.msr.write = false;
	ck_assert_int_eq(exit_msr(v, &e), EXIT_NEXT);
	ck_assert_uint_eq(g[GPR_RAX], 0x12345678);
	ck_assert_uint_eq(g[GPR_RDX], 0x7fff);
	/* Refused: #GP, and the registers are as they were. */
	e.msr.index = 0xdead;
	ck_assert_int_eq(exit_msr(v, &e), EXIT_FAULT);
	ck_assert_uint_eq(gp_faults, 1);
	ck_assert_uint_eq(g[GPR_RAX], 0x12345678);
	e.msr.index = MSR_KERNEL_GS_BASE;
	e.msr.kernel = false;
	g[GPR_RAX] = 5;
	ck_assert_int_eq(exit_msr(v, &e), EXIT_FAULT);
	e.msr.write = true;
	ck_assert_int_eq(exit_msr(v, &e), EXIT_FAULT);
	ck_assert_uint_eq(gp_faults, 3);
	ck_assert_uint_eq(g[GPR_RAX], 5);
	ck_assert_uint_eq(get(MSR_KERNEL_GS_BASE), 0x00007fff12345678ull);
}
END_TEST

START_TEST(test_tsc_adjust)
{
	ck_assert_uint_eq(get(MSR_TSC_ADJUST), 0);
	set(MSR_TSC_ADJUST, 300);
	ck_assert_int_eq(fake_vcpu.tsc_offset, 300);
	ck_assert_uint_eq(get(MSR_TSC), 1300);
	/* Each sees what was written to the other. */
	set(MSR_TSC, 5000);
	ck_assert_uint_eq(get(MSR_TSC_ADJUST), 4000);
	set(MSR_TSC_ADJUST, 0);
	ck_assert_uint_eq(get(MSR_TSC), 1000);
	ck_assert_uint_eq(time_updates, 3);
	fake_vcpu.hvm_domain.has_pc = false;
	no_get(MSR_TSC_ADJUST);
	no_set(MSR_TSC_ADJUST, 0);
}
END_TEST

/* Registers go with their features. */
START_TEST(test_taken_away)
{
	static const struct {
		uint32_t msr;
		enum cpu_word word;
		uint8_t bit;
	} row[] = {
		{ MSR_TSC_ADJUST, CPU_WORD_7B, 1 }, { MSR_MTRR_CAP, CPU_WORD_1D, 12 }, { MSR_MTRR_FIX64K, CPU_WORD_1D, 12 },
		{ MSR_MTRR_DEF_TYPE, CPU_WORD_1D, 12 }, { MSR_MCG_CAP, CPU_WORD_1D, 14 },
		{ MSR_TSC_DEADLINE, CPU_WORD_1C, 24 },
	};
	struct cpu_features *f = &fake_vcpu.d.hvm->features;

	for (unsigned int i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		*f = (struct cpu_features){ .cut = true };
		(void)get(row[i].msr);
		f->off[row[i].word] = 1u << row[i].bit;
		no_get(row[i].msr);
		no_set(row[i].msr, 0);
		(void)get(MSR_TSC);
		(void)get(MSR_APIC_BASE);
	}
	/* TSC_AUX is RDTSCP's and RDPID's. */
	*f = (struct cpu_features){ .cut = true, .off[CPU_WORD_E1D] = 1u << 27 };
	v->arch.tsc_aux_ok = true;
	(void)get(MSR_TSC_AUX);
	f->off[CPU_WORD_7C] = 1u << 22;
	no_get(MSR_TSC_AUX);
	no_set(MSR_TSC_AUX, 0);
}
END_TEST

START_TEST(test_speculation)
{
	no_get(MSR_SPEC_CTRL);
	no_set(MSR_SPEC_CTRL, 0);
	no_set(MSR_PRED_CMD, 1);
	no_get(MSR_ARCH_CAPS);
	leaf7_edx = 1u << 26;
	set(MSR_SPEC_CTRL, 1);
	ck_assert_uint_eq(get(MSR_SPEC_CTRL), 1);
	MUST(last_wrmsr_nr == MSR_SPEC_CTRL && last_wrmsr == 1);
	no_set(MSR_SPEC_CTRL, 2);
	no_set(MSR_SPEC_CTRL, 8);
	last_wrmsr_nr = 0;
	set(MSR_PRED_CMD, 0);
	ck_assert_uint_eq(last_wrmsr_nr, 0);
	set(MSR_PRED_CMD, 1);
	ck_assert_uint_eq(last_wrmsr_nr, MSR_PRED_CMD);
	no_set(MSR_PRED_CMD, 2);
	no_get(MSR_PRED_CMD);
	leaf7_edx |= 1u << 27 | 1u << 31 | 1u << 29;
	set(MSR_SPEC_CTRL, 7);
	ck_assert_uint_eq(get(MSR_ARCH_CAPS) & ~0x1ebull, 0);
	no_set(MSR_ARCH_CAPS, 0);
	/* AMD announces each by itself. */
	leaf7_edx = 0;
	leaf_e8_ebx = 1u << 12;
	no_set(MSR_SPEC_CTRL, 0);
	set(MSR_PRED_CMD, 1);
	leaf_e8_ebx = 1u << 14 | 1u << 15;
	set(MSR_SPEC_CTRL, 3);
	no_set(MSR_SPEC_CTRL, 4);
	no_set(MSR_PRED_CMD, 1);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_which, test_values, test_efer, test_tsc, test_pat, test_mtrr,
		test_addresses, test_lapic, test_hypercall_page, test_exit, test_tsc_adjust,
		test_speculation, test_taken_away, NULL };

	return suite_run("exit_msr", setup, tests);
}
