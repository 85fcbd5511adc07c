/*
 * Guest FPU and vector state (Intel SDM volume 1, "Managing State Using the XSAVE Feature Set").
 *
 * Owns: CR4.OSXSAVE and XCR0 of every CPU. Supervisor components (XSAVES) are not offered to guests.
 */
#include "arch/hw.h"
#include "arch/x86.h"
#include "arch/xstate.h"
#include "core/heap.h"
#include "core/page_alloc.h"
#include "lib/err.h"
#include "lib/mem.h"

#define XCR0_X87    (1ull << 0)
#define XCR0_SSE    (1ull << 1)
#define XCR0_AVX    (1ull << 2)
#define XCR0_BND    (3ull << 3)
#define XCR0_AVX512 (7ull << 5)
#define XCR0_PKRU   (1ull << 9)

#define FCW_OFFSET   0
#define MXCSR_OFFSET 24
#define XMM_OFFSET   160
#define HEADER_OFFSET 512

/* Components that guests may turn on when the processor has them; const after the first CPU. */
static uint64_t supported;
static uint32_t ymm_offset;

uint64_t xstate_supported(void)
{
	return supported;
}

void xstate_init_cpu(void)
{
	struct hw_cpuid_regs r;
	hw_write_cr0((hw_read_cr0() & ~(CR0_EM | CR0_TS)) | CR0_MP | CR0_NE);
	hw_write_cr4(hw_read_cr4() | CR4_OSFXSR | 1ull << 10);
	hw_cpuid(1, 0, &r);
	if (!(r.ecx & 1u << 26)) {
		return;
	}
	hw_write_cr4(hw_read_cr4() | CR4_OSXSAVE);
	hw_cpuid(0xd, 0, &r);
	uint64_t have = (uint64_t)r.edx << 32 | r.eax;
	have &= XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512 | XCR0_PKRU;
	if (!(have & XCR0_AVX)) {
		have &= ~XCR0_AVX512;
	}
	if (r.ecx > XSAVE_AREA_MAX) {
		have &= XCR0_X87 | XCR0_SSE | XCR0_AVX;
	}
	hw_cpuid(0xd, 2, &r);
	ymm_offset = r.ebx;
	supported = have;
	hw_write_xcr0(XCR0_X87 | XCR0_SSE);
}

int xstate_reset(struct arch_vcpu *v)
{
	if (v->xsave == NULL) {
		v->xsave = page_alloc_virt();
		if (v->xsave == NULL) {
			return -ENOMEM;
		}
	}
	memset(v->xsave, 0, XSAVE_AREA_MAX);
	uint16_t fcw = 0x37f;
	uint32_t mxcsr = 0x1f80;
	memcpy(v->xsave + FCW_OFFSET, &fcw, sizeof(fcw));
	memcpy(v->xsave + MXCSR_OFFSET, &mxcsr, sizeof(mxcsr));
	v->xcr0 = XCR0_X87;
	return 0;
}

void xstate_free(struct arch_vcpu *v)
{
	page_free_virt(v->xsave);
	v->xsave = NULL;
}

/* Everything is loaded and saved whatever the guest has turned on, so that a component that it turns on
 * later never holds another guest's values. */
void xstate_load(struct arch_vcpu *v)
{
	if (supported == 0) {
		hw_fxrstor(v->xsave);
		return;
	}
	hw_write_xcr0(supported);
	hw_xrstor(v->xsave, supported);
	hw_write_xcr0(v->xcr0);
}

void xstate_save(struct arch_vcpu *v)
{
	if (supported == 0) {
		hw_fxsave(v->xsave);
		return;
	}
	/* an emulated processor may let the guest's XSETBV through in spite of the intercept */
	v->xcr0 = hw_read_xcr0() & supported;
	hw_write_xcr0(supported);
	hw_xsave(v->xsave, supported);
}

int xstate_set_xcr0(struct arch_vcpu *v, uint64_t value)
{
	uint64_t avx512 = value & XCR0_AVX512;
	if ((value & ~supported) != 0 || !(value & XCR0_X87) ||
	    ((value & XCR0_AVX) && !(value & XCR0_SSE)) ||
	    (avx512 != 0 && (avx512 != XCR0_AVX512 || !(value & XCR0_AVX)))) {
		return -EINVAL;
	}
	v->xcr0 = value;
	hw_write_xcr0(value);
	return 0;
}

uint32_t xstate_pkru(struct arch_vcpu *v)
{
	struct hw_cpuid_regs r;
	uint32_t pkru = 0;
	if (!(supported & XCR0_PKRU)) {
		return 0;
	}
	hw_cpuid(0xd, 9, &r);
	xstate_save(v);
	uint64_t present;
	memcpy(&present, v->xsave + HEADER_OFFSET, sizeof(present));
	if (present & XCR0_PKRU) {
		memcpy(&pkru, v->xsave + r.ebx, sizeof(pkru));
	}
	hw_write_xcr0(v->xcr0);
	return pkru;
}

/* Through the save area: rare (vector moves to device memory), so simple beats fast. Bring the area up to date, then
 * touch it, then reload. */
static uint8_t *vec_area(struct arch_vcpu *v, unsigned int n, unsigned int size, uint8_t **high)
{
	if (n > 15 || (size != 16 && size != 32) || (size == 32 && !(supported & XCR0_AVX))) {
		return NULL;
	}
	xstate_save(v);
	*high = v->xsave + ymm_offset + n * 16;
	return v->xsave + XMM_OFFSET + n * 16;
}

int xstate_read_vec(struct arch_vcpu *v, unsigned int n, void *buf, unsigned int size)
{
	uint8_t *high, *low = vec_area(v, n, size, &high);
	if (low == NULL) {
		return -EINVAL;
	}
	memcpy(buf, low, 16);
	if (size == 32) {
		memcpy((uint8_t *)buf + 16, high, 16);
	}
	xstate_load(v);
	return 0;
}

int xstate_write_vec(struct arch_vcpu *v, unsigned int n, const void *buf, unsigned int size)
{
	uint8_t *high, *low = vec_area(v, n, size, &high);
	if (low == NULL) {
		return -EINVAL;
	}
	memcpy(low, buf, 16);
	if (size == 32) {
		memcpy(high, (const uint8_t *)buf + 16, 16);
	}
	if (supported != 0) {
		v->xsave[HEADER_OFFSET] |= (uint8_t)(size == 32 ? XCR0_SSE | XCR0_AVX : XCR0_SSE);
	}
	xstate_load(v);
	return 0;
}
