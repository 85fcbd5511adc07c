/* arch/cpu/xstate.c over a processor with AVX-512 whose registers are bytes in the layout of its save area. */
#include <errno.h>
#include <string.h>
#include "arch/hw.h"
#include "arch/xstate.h"
#include "core/page_alloc.h"
#include "fake/suite.h"

enum { XMM = 160, HEADER = 512, YMM = 576, MASK = 1088, ZMM_HIGH = 1152, ZMM16 = 1664, PKRU = 2688, SIZE = 2696 };

static uint8_t regs[SIZE];
static uint64_t xcr0, processor;
static struct arch_vcpu v;
static uint8_t area[XSAVE_AREA_MAX];

void *page_alloc_virt(void)
{
	return area;
}

void page_free_virt(void *p)
{
	ck_assert_ptr_eq(p, area);
}

uint64_t hw_read_cr0(void)
{
	return 0x80050033;
}

void hw_write_cr0(uint64_t value)
{
	ck_assert_uint_eq(value & 12, 0);
}

uint64_t hw_read_cr4(void)
{
	return 0x20;
}

void hw_write_cr4(uint64_t value)
{
	ck_assert_uint_eq(value & ~0x40620ull, 0);
}

uint64_t hw_read_xcr0(void)
{
	return xcr0;
}

void hw_write_xcr0(uint64_t value)
{
	ck_assert_uint_eq(value & ~processor, 0);
	xcr0 = value;
}

void hw_fxsave(void *to)
{
	memcpy(to, regs, 512);
}

void hw_fxrstor(const void *from)
{
	memcpy(regs, from, 512);
}

void hw_xsave(void *to, uint64_t mask)
{
	ck_assert_uint_eq(mask & ~xcr0, 0);
	memcpy(to, regs, SIZE);
}

/* What the header calls initial becomes zero. */
void hw_xrstor(const void *from, uint64_t mask)
{
	static const struct {
		uint8_t bit;
		uint16_t at, size;
	} part[] = { { 1, XMM, 256 }, { 2, YMM, 256 }, { 5, MASK, 64 }, { 6, ZMM_HIGH, 512 }, { 7, ZMM16, 1024 }, { 9, PKRU, 8 } };
	uint64_t present;

	ck_assert_uint_eq(mask & ~xcr0, 0);
	memcpy(regs, from, SIZE);
	memcpy(&present, regs + HEADER, sizeof(present));
	for (unsigned int n = 0; n < sizeof(part) / sizeof(part[0]); n++) {
		if (!(present >> part[n].bit & 1)) {
			memset(regs + part[n].at, 0, part[n].size);
		}
	}
}

void hw_cpuid(uint32_t leaf, uint32_t subleaf, struct hw_cpuid_regs *r)
{
	static const uint16_t offset[10] = { [2] = YMM, [5] = MASK, [6] = ZMM_HIGH, [7] = ZMM16, [9] = PKRU };

	*r = (struct hw_cpuid_regs){ 0 };
	if (leaf == 1) {
		r->ecx = processor ? 1u << 26 : 0;
	} else if (subleaf == 0) {
		r->eax = (uint32_t)processor;
		r->ecx = SIZE;
	} else {
		r->ebx = subleaf < 10 ? offset[subleaf] : 0;
	}
}

static void start(uint64_t has)
{
	processor = has;
	xcr0 = has ? 1 : 0;
	v = (struct arch_vcpu){ 0 };
	xstate_init_cpu();
	ck_assert_uint_eq(xstate_supported(), has);
	ck_assert_int_eq(xstate_reset(&v), 0);
	xstate_load(&v);
}

/* What the first CPU has stays: each test, a process of its own, starts with another. */
static void setup(void)
{
}

START_TEST(test_sizes)
{
	uint8_t in[64], out[64];

	start(0x2e7);
	for (unsigned int n = 0; n < sizeof(in); n++) {
		in[n] = (uint8_t)(n + 1);
	}
	/* Not turned on: not there, whatever the processor could. */
	ck_assert_int_eq(xstate_write_vec(&v, 3, in, 64), -EINVAL);
	ck_assert_int_eq(xstate_set_xcr0(&v, 0xe7), 0);
	ck_assert_int_eq(xstate_write_vec(&v, 3, in, 64), 0);
	ck_assert_mem_eq(regs + XMM + 48, in, 16);
	ck_assert_mem_eq(regs + YMM + 48, in + 16, 16);
	ck_assert_mem_eq(regs + ZMM_HIGH + 96, in + 32, 32);
	ck_assert_int_eq(xstate_read_vec(&v, 3, out, 64), 0);
	ck_assert_mem_eq(in, out, 64);
	/* 16 bytes leave the rest, 32 clear it. */
	memset(in, 0x55, 16);
	ck_assert_int_eq(xstate_write_vec(&v, 3, in, 16), 0);
	ck_assert_uint_eq(regs[YMM + 48], 17);
	ck_assert_uint_eq(regs[ZMM_HIGH + 96], 33);
	ck_assert_int_eq(xstate_write_vec(&v, 3, in, 32), 0);
	ck_assert_uint_eq(regs[YMM + 48], 17);
	ck_assert_uint_eq(regs[ZMM_HIGH + 96], 0);
	ck_assert_int_eq(xstate_write_vec(&v, 16, in, 32), -EINVAL);
	ck_assert_int_eq(xstate_write_vec(&v, 32, in, 64), -EINVAL);
	ck_assert_int_eq(xstate_write_vec(&v, 0, in, 8), -EINVAL);
	ck_assert_uint_eq(xcr0, 0xe7);
}
END_TEST

START_TEST(test_upper_registers)
{
	uint8_t in[64], out[64];
	uint64_t mask;

	start(0x2e7);
	memset(in, 0x77, sizeof(in));
	ck_assert_int_eq(xstate_read_mask(&v, 1, &mask), -EINVAL);
	ck_assert_int_eq(xstate_set_xcr0(&v, 0xe7), 0);
	ck_assert_int_eq(xstate_write_vec(&v, 17, in, 64), 0);
	ck_assert_mem_eq(regs + ZMM16 + 64, in, 64);
	ck_assert_int_eq(xstate_read_vec(&v, 17, out, 64), 0);
	ck_assert_mem_eq(in, out, 64);
	regs[HEADER] |= 0x20;
	regs[MASK + 56] = 0xab;
	ck_assert_int_eq(xstate_read_mask(&v, 7, &mask), 0);
	ck_assert_uint_eq(mask, 0xab);
	ck_assert_int_eq(xstate_read_mask(&v, 8, &mask), -EINVAL);
}
END_TEST

START_TEST(test_lesser_processors)
{
	uint8_t in[64] = { 1 };

	start(7);
	ck_assert_int_eq(xstate_set_xcr0(&v, 7), 0);
	ck_assert_int_eq(xstate_set_xcr0(&v, 0xe7), -EINVAL);
	ck_assert_int_eq(xstate_write_vec(&v, 0, in, 32), 0);
	ck_assert_int_eq(xstate_write_vec(&v, 0, in, 64), -EINVAL);
	ck_assert_uint_eq(xstate_pkru(&v), 0);
}
END_TEST

START_TEST(test_no_xsave)
{
	uint8_t in[64] = { 1 };

	start(0);
	ck_assert_int_eq(xstate_write_vec(&v, 0, in, 16), 0);
	ck_assert_uint_eq(regs[XMM], 1);
	ck_assert_int_eq(xstate_write_vec(&v, 0, in, 32), -EINVAL);
}
END_TEST

START_TEST(test_xcr0)
{
	start(0x2e7);
	ck_assert_int_eq(xstate_set_xcr0(&v, 0x2e6), -EINVAL);          /* x87 is always on */
	ck_assert_int_eq(xstate_set_xcr0(&v, 5), -EINVAL);              /* AVX without SSE */
	ck_assert_int_eq(xstate_set_xcr0(&v, 0x67), -EINVAL);           /* a part of AVX-512 */
	ck_assert_int_eq(xstate_set_xcr0(&v, 0xe3), -EINVAL);           /* AVX-512 without AVX */
	ck_assert_int_eq(xstate_set_xcr0(&v, 0x1f), -EINVAL);           /* MPX, which guests do not get */
	ck_assert_int_eq(xstate_set_xcr0(&v, 0x203), 0);
	regs[HEADER + 1] |= 2;
	regs[PKRU] = 0x54;
	ck_assert_uint_eq(xstate_pkru(&v), 0x54);
	ck_assert_uint_eq(xcr0, 0x203);
	xstate_free(&v);
	ck_assert_ptr_null(v.xsave);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_sizes, test_upper_registers, test_lesser_processors, test_no_xsave, test_xcr0, NULL };

	return suite_run("xstate", setup, tests);
}
