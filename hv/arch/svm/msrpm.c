/*
 * MSR and I/O permission maps (AMD APM volume 2, "MSR Intercepts" and "I/O Intercepts").
 *
 * Everything is intercepted by default. MSRs that the VMCB switches are the guest's own. The maps are
 * built once and shared; there is one I/O map for guests and one for Dom0.
 */
#include "arch/svm/svm.h"
#include "core/page_alloc.h"
#include "lib/err.h"
#include "lib/mem.h"

#define MSRPM_ORDER 1                   /* 8 KiB */
#define IOPM_ORDER  2                   /* 12 KiB and a bit */

static struct page *msrpm_page, *iopm_guest, *iopm_direct;

/* Neither read nor write of these leaves the guest: VMLOAD and VMSAVE carry them. */
static const uint32_t own_msrs[] = {
	0x174, 0x175, 0x176,                                    /* SYSENTER_CS, ESP, EIP */
	0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084,         /* STAR, LSTAR, CSTAR, SFMASK */
	0xc0000100, 0xc0000101, 0xc0000102                      /* FS, GS, kernel GS base */
};

static void msrpm_allow(uint8_t *map, uint32_t msr)
{
	uint32_t base = msr >= 0xc0010000 ? 0x1000 : msr >= 0xc0000000 ? 0x800 : 0;
	uint32_t bit = (msr & 0x1fff) * 2;
	map[base + bit / 8] &= (uint8_t)~(3u << bit % 8);
}

int svm_maps_init(void)
{
	msrpm_page = page_alloc(MSRPM_ORDER);
	iopm_guest = page_alloc(IOPM_ORDER);
	if (msrpm_page == NULL || iopm_guest == NULL) {
		return -ENOMEM;
	}
	memset(page_virt(msrpm_page), 0xff, PAGE_SIZE << MSRPM_ORDER);
	memset(page_virt(iopm_guest), 0xff, PAGE_SIZE << IOPM_ORDER);
	for (unsigned int i = 0; i < ARRAY_SIZE(own_msrs); i++) {
		msrpm_allow(page_virt(msrpm_page), own_msrs[i]);
	}
	return 0;
}

hpa_t svm_msrpm(void)
{
	return mfn_to_hpa(page_mfn(msrpm_page));
}

/* The trapped ranges come from one place (Dom0's builder), so that the first map made serves all its vCPUs. */
hpa_t svm_iopm(bool direct, const uint16_t *trapped)
{
	if (!direct) {
		return mfn_to_hpa(page_mfn(iopm_guest));
	}
	if (iopm_direct == NULL) {
		iopm_direct = page_alloc(IOPM_ORDER);
		if (iopm_direct == NULL) {
			return HPA(0);
		}
		uint8_t *map = page_virt(iopm_direct);
		/* Bits past port FFFFh catch accesses that wrap. */
		memset(map + 0x2000, 0xff, PAGE_SIZE);
		for (; trapped[0] != 0 || trapped[1] != 0; trapped += 2) {
			for (uint32_t p = trapped[0]; p <= trapped[1]; p++) {
				map[p / 8] |= (uint8_t)(1u << p % 8);
			}
		}
	}
	return mfn_to_hpa(page_mfn(iopm_direct));
}
