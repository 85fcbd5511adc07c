/*
 * MSR and I/O permission maps, and the MSRs that a vCPU brings along (Intel SDM volume 3, "MSR-Bitmap Address",
 * "I/O-Bitmap Addresses").
 *
 * Everything exits by default. What a VMCS switches, and what is switched with the vCPU, is the guest's own. The maps
 * are built once and shared; there is one I/O map for guests and one for Dom0.
 */
#include "arch/hw.h"
#include "arch/vmx/vmx.h"
#include "arch/vmx/vmx_ops.h"
#include "arch/x86.h"
#include "core/page_alloc.h"
#include "lib/err.h"
#include "lib/mem.h"

#define IO_ORDER 1                      /* 8 KiB: bitmaps A and B */
#define MAP_HIGH 0x400                  /* MSRs from C0000000h on */
#define MAP_WRITE 0x800

static struct page *msr_page, *msr_page_x2apic, *io_guest, *io_direct;

/* Order of vmx_vcpu.msr. */
static const uint32_t switched[VMX_SWITCHED_MSRS] = {
	MSR_STAR, MSR_LSTAR, MSR_CSTAR, MSR_SFMASK, MSR_KERNEL_GS_BASE
};

/* Kept in the VMCS. The debug control register is not the guest's to write by itself. */
static const struct {
	uint32_t msr;
	uint32_t field;
	bool own;
} fields[] = {
	{ MSR_SYSENTER_CS, VMCS_GUEST_SYSENTER_CS, true },
	{ MSR_SYSENTER_ESP, VMCS_GUEST_SYSENTER_ESP, true },
	{ MSR_SYSENTER_EIP, VMCS_GUEST_SYSENTER_EIP, true },
	{ MSR_FS_BASE, VMCS_GUEST_BASE + 2 * VSEG_FS, true },
	{ MSR_GS_BASE, VMCS_GUEST_BASE + 2 * VSEG_GS, true },
	{ MSR_PAT, VMCS_GUEST_PAT, false },
	{ MSR_DEBUGCTL, VMCS_GUEST_DEBUGCTL, false },
};

static void allow(uint8_t *map, uint32_t msr)
{
	uint32_t at = (msr >= 0xc0000000 ? MAP_HIGH : 0) + (msr & 0x1fff) / 8;
	uint8_t bit = (uint8_t)(1u << msr % 8);
	map[at] &= (uint8_t)~bit;
	map[at + MAP_WRITE] &= (uint8_t)~bit;
}

int vmx_maps_init(void)
{
	msr_page = page_alloc(0);
	msr_page_x2apic = page_alloc(0);
	io_guest = page_alloc(IO_ORDER);
	if (msr_page == NULL || msr_page_x2apic == NULL || io_guest == NULL) {
		return -ENOMEM;
	}
	memset(page_virt(msr_page), 0xff, PAGE_SIZE);
	memset(page_virt(io_guest), 0xff, PAGE_SIZE << IO_ORDER);
	for (unsigned int i = 0; i < ARRAY_SIZE(switched); i++) {
		allow(page_virt(msr_page), switched[i]);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(fields); i++) {
		if (fields[i].own) {
			allow(page_virt(msr_page), fields[i].msr);
		}
	}
	memcpy(page_virt(msr_page_x2apic), page_virt(msr_page), PAGE_SIZE);
	vmx_apic_map(page_virt(msr_page_x2apic));
	return 0;
}

hpa_t vmx_msr_bitmap(bool x2apic)
{
	return mfn_to_hpa(page_mfn(x2apic ? msr_page_x2apic : msr_page));
}

/* The trapped ranges come from one place (Dom0's builder), so that the first map made serves all its vCPUs. An access
 * that wraps past port FFFFh always exits. */
hpa_t vmx_io_bitmap(bool direct, const uint16_t *trapped)
{
	if (!direct) {
		return mfn_to_hpa(page_mfn(io_guest));
	}
	if (io_direct == NULL) {
		io_direct = page_alloc(IO_ORDER);
		if (io_direct == NULL) {
			return HPA(0);
		}
		uint8_t *map = page_virt(io_direct);
		memset(map, 0, PAGE_SIZE << IO_ORDER);
		for (; trapped[0] != 0 || trapped[1] != 0; trapped += 2) {
			for (uint32_t p = trapped[0]; p <= trapped[1]; p++) {
				map[p / 8] |= (uint8_t)(1u << p % 8);
			}
		}
	}
	return mfn_to_hpa(page_mfn(io_direct));
}

void vmx_msrs_load(const struct vmx_vcpu *s)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(switched); i++) {
		/* a value that this processor refuses can only come from a saved context of another one */
		(void)hw_wrmsr_safe(switched[i], s->msr[i]);
	}
}

void vmx_msrs_save(struct vmx_vcpu *s)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(switched); i++) {
		s->msr[i] = hw_rdmsr(switched[i]);
	}
}

static int switched_index(uint32_t msr)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(switched); i++) {
		if (switched[i] == msr) {
			return (int)i;
		}
	}
	return -ENOENT;
}

static uint32_t field_of(uint32_t msr)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(fields); i++) {
		if (fields[i].msr == msr) {
			return fields[i].field;
		}
	}
	return 0;
}

int vmx_msr_read(const struct arch_vcpu *v, uint32_t msr, uint64_t *value)
{
	int i = switched_index(msr);
	if (i >= 0) {
		*value = vmx_is_loaded(v) ? hw_rdmsr(msr) : v->vmx->msr[i];
		return 0;
	}
	uint32_t field = field_of(msr);
	if (field == 0) {
		return -ENOENT;
	}
	struct vmx_vcpu *before = vmx_open(v);
	*value = vmx_read(field);
	vmx_close(v, before);
	return 0;
}

int vmx_msr_write(struct arch_vcpu *v, uint32_t msr, uint64_t value)
{
	int i = switched_index(msr);
	if (i >= 0) {
		if (vmx_is_loaded(v) && !hw_wrmsr_safe(msr, value)) {
			return -EINVAL;
		}
		v->vmx->msr[i] = value;
		return 0;
	}
	uint32_t field = field_of(msr);
	if (field == 0) {
		return -ENOENT;
	}
	struct vmx_vcpu *before = vmx_open(v);
	vmx_write(field, value);
	vmx_close(v, before);
	return 0;
}
