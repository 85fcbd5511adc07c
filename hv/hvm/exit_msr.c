/*
 * RDMSR and WRMSR: default #GP; a table says what a guest may see (RELIABILITY rule: no host value leaks by omission).
 *
 * The vCPU's own loop, or while the vCPU is off its CPU.
 */
#include "arch/hw.h"
#include "arch/x86.h"
#include "arch/xstate.h"
#include "core/trace.h"
#include "dom/guest_copy.h"
#include "dom/shared_info.h"
#include "hvm/hvm.h"
#include "hvm/hvm_state.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/atomic.h"
#include "lib/nospec.h"

#define MSR_HYPERCALL_PAGE 0x40000000u
#define MSR_X2APIC_FIRST   0x800u
#define X2APIC_REGISTERS   64
#define APIC_BASE_RESERVED 0xffffff0000000200ull

/* ---- EFER ---- */

static int efer_read(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	struct sys_regs s;
	virt->get_sys(&v->arch, &s);
	*value = s.efer;
	return 0;
}

/* Bits that the domain has no feature for. */
static uint64_t efer_off(const struct cpu_features *f)
{
	return (cpu_features_off(f, CPU_WORD_E1D, 11) ? EFER_SCE : 0) |
	       (cpu_features_off(f, CPU_WORD_E1D, 20) ? EFER_NXE : 0) |
	       (cpu_features_off(f, CPU_WORD_E1D, 25) ? EFER_FFXSR : 0) |
	       (cpu_features_off(f, CPU_WORD_E1D, 29) ? EFER_LME : 0);
}

static int efer_write(struct vcpu *v, uint32_t msr, uint64_t value)
{
	struct sys_regs s;
	virt->get_sys(&v->arch, &s);
	uint64_t can_set = virt->efer_bits & ~efer_off(&v->domain->hvm->features);
	if ((value & ~(can_set | EFER_LMA)) != 0) {
		return -EINVAL;
	}
	if (((value ^ s.efer) & EFER_LME) && (s.cr0 & CR0_PG)) {
		return -EINVAL;
	}
	s.efer = (value & can_set) | (s.efer & EFER_LMA);
	virt->set_sys(&v->arch, &s, SYS_EFER);
	return 0;
}

/* ---- time ---- */

static int tsc_read(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	*value = hvm_guest_tsc(v, hw_rdtsc());
	return 0;
}

/* TSC_ADJUST is the sum of all that was ever written, by whichever of the two. */
static void tsc_shift(struct vcpu *v, uint64_t by)
{
	v->hvm->tsc_adjust += by;
	virt->set_tsc_offset(&v->arch, (int64_t)((uint64_t)v->arch.tsc_offset + by));
	shared_info_time_update(v);
	/* A deadline set before comes at another moment now. */
	vlapic_timer_expired(&v->hvm->lapic);
}

static int tsc_write(struct vcpu *v, uint32_t msr, uint64_t value)
{
	tsc_shift(v, value - hvm_guest_tsc(v, hw_rdtsc()));
	return 0;
}

static int tsc_adjust_read(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	*value = v->hvm->tsc_adjust;
	return v->domain->hvm->has_pc ? 0 : -EINVAL;
}

static int tsc_adjust_write(struct vcpu *v, uint32_t msr, uint64_t value)
{
	if (!v->domain->hvm->has_pc) {
		return -EINVAL;                 /* Dom0's TSC is the machine's */
	}
	tsc_shift(v, value - v->hvm->tsc_adjust);
	return 0;
}

static int tsc_aux_read(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	*value = v->arch.tsc_aux;
	return v->arch.tsc_aux_ok ? 0 : -EINVAL;
}

static int tsc_aux_write(struct vcpu *v, uint32_t msr, uint64_t value)
{
	if (!v->arch.tsc_aux_ok || value >> 32 != 0) {
		return -EINVAL;
	}
	v->arch.tsc_aux = value;
	hw_wrmsr(MSR_TSC_AUX, value);
	return 0;
}

/* ---- memory types (kept for the guest; nested paging makes the memory type from its PAT) ---- */

static bool memory_type_ok(uint8_t t)
{
	return t == 0 || t == 1 || (t >= 4 && t <= 6);
}

static int pat_write(struct vcpu *v, uint32_t msr, uint64_t value)
{
	for (unsigned int i = 0; i < 8; i++) {
		uint8_t t = (uint8_t)(value >> i * 8);
		if (!memory_type_ok(t) && t != 7) {
			return -EINVAL;
		}
	}
	return virt->msr_write(&v->arch, msr, value);
}

static int pat_read(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	return virt->msr_read(&v->arch, msr, value);
}

static int mtrr_cap_read(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	*value = MTRR_VARIABLE | 1u << 8 | 1u << 10;
	return 0;
}

static uint64_t *mtrr_slot(struct vcpu *v, uint32_t msr)
{
	struct hvm_vcpu *h = v->hvm;
	if (msr >= MSR_MTRR_PHYS_FIRST && msr <= MSR_MTRR_PHYS_LAST) {
		uint64_t n = nospec_index((msr - MSR_MTRR_PHYS_FIRST) / 2, MTRR_VARIABLE);
		return msr & 1 ? &h->mtrr.mask[n] : &h->mtrr.base[n];
	}
	if (msr >= MSR_MTRR_FIX4K_FIRST && msr <= MSR_MTRR_FIX4K_LAST) {
		return &h->mtrr.fixed[3 + nospec_index(msr - MSR_MTRR_FIX4K_FIRST, 8)];
	}
	switch (msr) {
	case MSR_MTRR_FIX64K:
		return &h->mtrr.fixed[0];
	case MSR_MTRR_FIX16K_80000:
		return &h->mtrr.fixed[1];
	case MSR_MTRR_FIX16K_A0000:
		return &h->mtrr.fixed[2];
	case MSR_MTRR_DEF_TYPE:
		return &h->mtrr.def_type;
	default:
		return NULL;
	}
}

static int mtrr_read(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	const uint64_t *slot = mtrr_slot(v, msr);
	if (slot == NULL) {
		return -EINVAL;
	}
	*value = *slot;
	return 0;
}

static bool mtrr_value_ok(uint32_t msr, uint64_t value)
{
	if (msr == MSR_MTRR_DEF_TYPE) {
		return (value & ~0xcffull) == 0 && memory_type_ok((uint8_t)value);
	}
	if (msr >= MSR_MTRR_FIX64K) {
		for (unsigned int i = 0; i < 8; i++) {
			if (!memory_type_ok((uint8_t)(value >> i * 8))) {
				return false;
			}
		}
		return true;
	}
	return msr & 1 ? (value & 0x7ff) == 0 : (value & 0xf00) == 0 && memory_type_ok((uint8_t)value);
}

static int mtrr_write(struct vcpu *v, uint32_t msr, uint64_t value)
{
	uint64_t *slot = mtrr_slot(v, msr);
	if (slot == NULL || !mtrr_value_ok(msr, value)) {
		return -EINVAL;
	}
	*slot = value;
	return 0;
}

/* ---- the rest ---- */

static int vendor_read(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	return virt->msr_read(&v->arch, msr, value);
}

static bool canonical(uint64_t a)
{
	return (int64_t)(a << 16) >> 16 == (int64_t)a;
}

/* Registers that hold addresses refuse what is not one. */
static int vendor_write(struct vcpu *v, uint32_t msr, uint64_t value)
{
	bool address = msr == MSR_LSTAR || msr == MSR_CSTAR || msr == MSR_FS_BASE ||
		       msr == MSR_GS_BASE || msr == MSR_KERNEL_GS_BASE || msr == MSR_SYSENTER_ESP ||
		       msr == MSR_SYSENTER_EIP;
	if (address && !canonical(value)) {
		return -EINVAL;
	}
	return virt->msr_write(&v->arch, msr, value);
}

static int zero_read(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	*value = 0;
	return 0;
}

static int drop_write(struct vcpu *v, uint32_t msr, uint64_t value)
{
	return 0;
}

/* Fast strings, thermal control, SpeedStep, MONITOR, CPUID limit, xTPR, XD; no branch trace, no PEBS. */
#define MISC_ENABLE_KEPT  0x400c50809ull
#define MISC_ENABLE_FIXED 0x1800ull

static int misc_enable_read(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	*value = v->hvm->misc_enable;
	return 0;
}

static int misc_enable_write(struct vcpu *v, uint32_t msr, uint64_t value)
{
	/* thermal and power bits have nothing to act on here; they are kept for whoever reads them back */
	v->hvm->misc_enable = (value & MISC_ENABLE_KEPT) | MISC_ENABLE_FIXED;
	return 0;
}

/* ---- speculation ---- */

#define ARCH_CAPS_PASSED 0x1ebu         /* RDCL_NO IBRS_ALL SKIP_L1DFL MDS_NO PSCHANGE_MC_NO TSX_CTRL_NO TAA_NO */

static uint32_t cpuid_word(struct vcpu *v, uint32_t leaf, unsigned int reg)
{
	uint32_t r[4];
	hvm_cpuid(v, leaf, 0, r);
	return r[reg];
}

/* IBRS, STIBP and SSBD, as Intel and as AMD announce them. */
static uint64_t spec_ctrl_bits(struct vcpu *v)
{
	uint32_t intel = cpuid_word(v, 7, 3), amd = cpuid_word(v, 0x80000008, 1);
	return (intel >> 26 & 1 || amd >> 14 & 1 ? 1 : 0) | (intel >> 27 & 1 || amd >> 15 & 1 ? 2 : 0) |
	       (intel >> 31 & 1 || amd >> 24 & 1 ? 4 : 0);
}

static int spec_ctrl_read(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	*value = v->hvm->spec_ctrl;
	return spec_ctrl_bits(v) != 0 ? 0 : -EINVAL;
}

static int spec_ctrl_write(struct vcpu *v, uint32_t msr, uint64_t value)
{
	uint64_t bits = spec_ctrl_bits(v);
	if (bits == 0 || (value & ~bits) != 0) {
		return -EINVAL;
	}
	v->hvm->spec_ctrl = value;
	hw_wrmsr(MSR_SPEC_CTRL, value);
	return 0;
}

/* The barrier is done at once: the vCPU is on its CPU, and nobody else's branches are meant. */
static int pred_cmd_write(struct vcpu *v, uint32_t msr, uint64_t value)
{
	bool has = cpuid_word(v, 7, 3) >> 26 & 1 || cpuid_word(v, 0x80000008, 1) >> 12 & 1;
	if (!has || (value & ~1ull) != 0) {
		return -EINVAL;
	}
	if (value != 0) {
		hw_wrmsr(MSR_PRED_CMD, value);
	}
	return 0;
}

static int arch_caps_read(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	if (!(cpuid_word(v, 7, 3) >> 29 & 1) || !hw_rdmsr_safe(msr, value)) {
		return -EINVAL;
	}
	*value &= ARCH_CAPS_PASSED;
	return 0;
}

static int ucode_read(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	return hw_rdmsr_safe(msr, value) ? 0 : zero_read(v, msr, value);
}

/* LFENCE is dispatch serialising for the guest too when the machine says so. */
static int de_cfg_read(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	if (!hw_rdmsr_safe(msr, value)) {
		*value = 0;
	}
	*value &= 2;
	return 0;
}

static int hwcr_read(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	*value = 1ull << 24;                    /* TSC counts at the rate of P0 */
	return 0;
}

static int vm_cr_read(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	*value = 1ull << 4 | 1ull << 3;         /* SVM disabled and locked */
	return 0;
}

/* Fill the page with one stub per hypercall: mov eax, nr; vmmcall; ret. */
static int hypercall_page_write(struct vcpu *v, uint32_t msr, uint64_t value)
{
	struct page *page;
	if ((value & (PAGE_SIZE - 1)) != 0 ||
	    p2m_get_own_page(v->domain, GFN(value >> PAGE_SHIFT), true, &page) != 0) {
		return -EINVAL;
	}
	uint8_t *p = page_virt(page);
	memset(p, 0xcc, PAGE_SIZE);
	for (uint32_t i = 0; i < PAGE_SIZE / 32; i++, p += 32) {
		p[0] = 0xb8;
		memcpy(p + 1, &i, sizeof(i));
		memcpy(p + 5, virt->hypercall_insn, 3);
		p[8] = 0xc3;
	}
	/* number 23 is IRET, which only a paravirtual guest has */
	memcpy((uint8_t *)page_virt(page) + 23 * 32, "\x0f\x0b", 2);
	page_put(page);
	shared_info_set_width(v->domain, hvm_guest_is_64bit(v));
	return 0;
}

static const struct msr_row {
	uint32_t first, last;
	int (*read)(struct vcpu *v, uint32_t msr, uint64_t *value);     /* NULL: #GP */
	int (*write)(struct vcpu *v, uint32_t msr, uint64_t value);     /* NULL: #GP */
} rows[] = {
	/* sorted by number */
	{ 0x0, 0x1, zero_read, drop_write },                            /* P5 machine check */
	{ MSR_TSC, MSR_TSC, tsc_read, tsc_write },
	{ 0x17, 0x17, zero_read, NULL },                                /* platform id */
	{ MSR_TSC_ADJUST, MSR_TSC_ADJUST, tsc_adjust_read, tsc_adjust_write },
	{ MSR_SPEC_CTRL, MSR_SPEC_CTRL, spec_ctrl_read, spec_ctrl_write },
	{ MSR_PRED_CMD, MSR_PRED_CMD, NULL, pred_cmd_write },
	{ MSR_UCODE_REV, MSR_UCODE_REV, ucode_read, drop_write },
	{ MSR_MTRR_CAP, MSR_MTRR_CAP, mtrr_cap_read, NULL },
	{ MSR_ARCH_CAPS, MSR_ARCH_CAPS, arch_caps_read, NULL },
	{ MSR_SYSENTER_CS, MSR_SYSENTER_EIP, vendor_read, vendor_write },
	{ MSR_MCG_CAP, MSR_MCG_STATUS, zero_read, drop_write },
	{ MSR_MISC_ENABLE, MSR_MISC_ENABLE, misc_enable_read, misc_enable_write },
	{ MSR_DEBUGCTL, MSR_DEBUGCTL, vendor_read, drop_write },
	{ MSR_MTRR_PHYS_FIRST, MSR_MTRR_PHYS_LAST, mtrr_read, mtrr_write },
	{ MSR_MTRR_FIX64K, MSR_MTRR_FIX64K, mtrr_read, mtrr_write },
	{ MSR_MTRR_FIX16K_80000, MSR_MTRR_FIX16K_A0000, mtrr_read, mtrr_write },
	{ MSR_MTRR_FIX4K_FIRST, MSR_MTRR_FIX4K_LAST, mtrr_read, mtrr_write },
	{ MSR_PAT, MSR_PAT, pat_read, pat_write },
	{ MSR_MTRR_DEF_TYPE, MSR_MTRR_DEF_TYPE, mtrr_read, mtrr_write },
	{ MSR_HYPERCALL_PAGE, MSR_HYPERCALL_PAGE, NULL, hypercall_page_write },
	{ MSR_EFER, MSR_EFER, efer_read, efer_write },
	{ MSR_STAR, MSR_SFMASK, vendor_read, vendor_write },
	{ MSR_FS_BASE, MSR_KERNEL_GS_BASE, vendor_read, vendor_write },
	{ MSR_TSC_AUX, MSR_TSC_AUX, tsc_aux_read, tsc_aux_write },
	{ 0xc0010000, 0xc0010007, zero_read, drop_write },              /* K7 performance counters */
	{ MSR_AMD_SYSCFG, MSR_AMD_SYSCFG, zero_read, drop_write },
	{ MSR_AMD_HWCR, MSR_AMD_HWCR, hwcr_read, drop_write },
	{ 0xc001001f, 0xc001001f, zero_read, drop_write },              /* northbridge configuration */
	{ MSR_AMD_PATCH, MSR_AMD_PATCH, NULL, drop_write },
	{ 0xc0010055, 0xc0010055, zero_read, drop_write },              /* interrupt pending message */
	{ 0xc0010058, 0xc0010058, zero_read, drop_write },              /* MMCONFIG base: none */
	{ 0xc0010061, 0xc0010063, zero_read, drop_write },              /* P-states */
	{ MSR_AMD_VM_CR, MSR_AMD_VM_CR, vm_cr_read, drop_write },
	{ MSR_AMD_OSVW_LEN, MSR_AMD_OSVW, zero_read, drop_write },
	{ 0xc0011022, 0xc0011023, zero_read, drop_write },              /* cache configuration */
	{ MSR_AMD_DE_CFG, MSR_AMD_DE_CFG, de_cfg_read, drop_write },
	{ 0xc001102a, 0xc001102a, zero_read, drop_write },              /* bus unit configuration 2 */
};

static const struct msr_row *find_row(uint32_t msr)
{
	unsigned int low = 0, high = ARRAY_SIZE(rows);
	while (low < high) {
		unsigned int mid = (low + high) / 2;
		if (msr > rows[mid].last) {
			low = mid + 1;
		} else {
			high = mid;
		}
	}
	return low < ARRAY_SIZE(rows) && msr >= rows[low].first ? &rows[low] : NULL;
}

/* Few domains have lost a feature. */
static inline bool taken_away(const struct vcpu *v, uint32_t msr)
{
	const struct cpu_features *f = &v->domain->hvm->features;
	return __builtin_expect(f->cut, 0) && cpu_features_msr_off(f, msr);
}

int hvm_msr_read(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	if (taken_away(v, msr)) {
		return -EINVAL;
	}
	if (vlapic_owns_msr(msr)) {
		return vlapic_msr_read(&v->hvm->lapic, msr, value);
	}
	const struct msr_row *row = find_row(msr);
	return row == NULL || row->read == NULL ? -EINVAL : row->read(v, msr, value);
}

void hvm_apic_changed(struct vcpu *v)
{
	uint32_t reg[X2APIC_REGISTERS] = { 0 };
	if (!v->arch.apic_registers) {
		return;
	}
	for (uint32_t i = 0; i < X2APIC_REGISTERS; i++) {
		uint64_t value;
		/* the others cannot be read */
		if (vlapic_msr_read(&v->hvm->lapic, MSR_X2APIC_FIRST + i, &value) == 0) {
			reg[i] = (uint32_t)value;
		}
	}
	virt->set_apic(&v->arch, v->hvm->lapic.base & APIC_BASE_X2APIC ? reg : NULL);
}

int hvm_msr_write(struct vcpu *v, uint32_t msr, uint64_t value)
{
	if (taken_away(v, msr)) {
		return -EINVAL;
	}
	if (vlapic_owns_msr(msr)) {
		hvm_look_again(v);
		if (msr == MSR_APIC_BASE && value >> hvm_address_bits() != 0) {
			return -EINVAL;
		}
		int rc = vlapic_msr_write(&v->hvm->lapic, msr, value);
		hvm_apic_changed(v);
		return rc;
	}
	const struct msr_row *row = find_row(msr);
	return row == NULL || row->write == NULL ? -EINVAL : row->write(v, msr, value);
}

enum verdict exit_msr(struct vcpu *v, const struct vmexit *e)
{
	uint64_t *g = v->arch.regs.gpr;
	uint64_t value = (uint32_t)g[GPR_RAX] | g[GPR_RDX] << 32;
	int rc = !e->msr.kernel ? -EPERM
		 : e->msr.write ? hvm_msr_write(v, e->msr.index, value)
				: hvm_msr_read(v, e->msr.index, &value);
	if (rc != 0) {
		trace(TRC_MSR, v->domain->id, (uint16_t)v->id, e->msr.index, e->msr.write);
		return hvm_fault_gp(v);
	}
	if (!e->msr.write) {
		g[GPR_RAX] = (uint32_t)value;
		g[GPR_RDX] = value >> 32;
	}
	return EXIT_NEXT;
}
