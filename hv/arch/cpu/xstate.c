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
#define XCR0_ZMM_HIGH (1ull << 6)
#define XCR0_HI16     (1ull << 7)
#define XCR0_PKRU   (1ull << 9)

#define FCW_OFFSET   0
#define MXCSR_OFFSET 24
#define XMM_OFFSET   160
#define HEADER_OFFSET 512

/* Components that guests may turn on when the processor has them; const after the first CPU. */
static uint64_t supported;
static uint32_t ymm_offset, mask_offset, zmm_high_offset, zmm16_offset;

uint64_t xstate_supported(void)
{
	return supported;
}

static uint32_t component_offset(unsigned int n)
{
	struct hw_cpuid_regs r;
	hw_cpuid(0xd, n, &r);
	return r.ebx;
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
	ymm_offset = component_offset(2);
	mask_offset = component_offset(5);
	zmm_high_offset = component_offset(6);
	zmm16_offset = component_offset(7);
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

/* Where a register's bytes lie in the area: 0..15, 16..31, 32..63. */
struct vec_place {
	uint8_t *low, *high, *zmm;
	uint64_t components;
};

static bool vec_exists(const struct arch_vcpu *v, unsigned int n, unsigned int size)
{
	switch (size) {
	case 16:
		return n < 16;
	case 32:
		return n < 16 && (supported & XCR0_AVX);
	case 64:
		return n < 32 && (v->xcr0 & XCR0_AVX512);
	default:
		return false;
	}
}

static struct vec_place vec_place(const struct arch_vcpu *v, unsigned int n)
{
	if (n > 15) {
		uint8_t *at = v->xsave + zmm16_offset + (n - 16) * 64;
		return (struct vec_place){ at, at + 16, at + 32, XCR0_HI16 };
	}
	return (struct vec_place){ v->xsave + XMM_OFFSET + n * 16, v->xsave + ymm_offset + n * 16,
				   v->xsave + zmm_high_offset + n * 32, XCR0_SSE | XCR0_AVX | XCR0_ZMM_HIGH };
}

int xstate_read_vec(struct arch_vcpu *v, unsigned int n, void *buf, unsigned int size)
{
	if (!vec_exists(v, n, size)) {
		return -EINVAL;
	}
	struct vec_place p = vec_place(v, n);
	uint8_t *b = buf;
	xstate_save(v);
	memcpy(b, p.low, 16);
	if (size >= 32) {
		memcpy(b + 16, p.high, 16);
	}
	if (size == 64) {
		memcpy(b + 32, p.zmm, 32);
	}
	xstate_load(v);
	return 0;
}

int xstate_write_vec(struct arch_vcpu *v, unsigned int n, const void *buf, unsigned int size)
{
	if (!vec_exists(v, n, size)) {
		return -EINVAL;
	}
	struct vec_place p = vec_place(v, n);
	const uint8_t *b = buf;
	xstate_save(v);
	memcpy(p.low, b, 16);
	if (size >= 32) {
		memcpy(p.high, b + 16, 16);
	}
	if (size == 64) {
		memcpy(p.zmm, b + 32, 32);
	} else if (size == 32 && (supported & XCR0_ZMM_HIGH)) {
		memset(p.zmm, 0, 32);
	}
	if (supported != 0) {
		uint64_t used = size == 16 ? XCR0_SSE : p.components & supported;
		v->xsave[HEADER_OFFSET] |= (uint8_t)used;
	}
	xstate_load(v);
	return 0;
}

int xstate_read_mask(struct arch_vcpu *v, unsigned int n, uint64_t *value)
{
	if (n > 7 || !(v->xcr0 & XCR0_AVX512)) {
		return -EINVAL;
	}
	xstate_save(v);
	memcpy(value, v->xsave + mask_offset + n * 8, sizeof(*value));
	xstate_load(v);
	return 0;
}
