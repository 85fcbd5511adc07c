/*
 * Whatever a virtual CPU has in its registers stays its own while another guest with another pattern shares the
 * processor: x87, SSE and all further components of XCR0 (AVX, AVX-512, protection keys), debug registers. Two of these
 * have to run at the same time to find anything. Intel SDM volume 1, "Managing State Using the XSAVE Feature Set".
 */
#include "tests/guest/rt/rt.h"

#include <xen/sched.h>

#define PM_TIMER    0x1f48
#define PM_HZ       3579545u
#define SECONDS     2u
#define AREA        8192u
#define CR4_OSFXSR  (3u << 9)
#define CR4_OSXSAVE (1u << 18)
#define CR4_PKE     (1u << 22)
#define X87_SSE     3u

static uint8_t pattern[AREA] __attribute__((aligned(64))), found[AREA] __attribute__((aligned(64)));
static uint8_t mask[AREA];              /* which bytes are compared */
static uint32_t xcr0, seed;
static bool has_xsave;

static uint8_t next_byte(void)
{
	seed = seed * 1103515245u + 12345u;
	return (uint8_t)(seed >> 16);
}

/* Bytes of both areas that hold the guest's own values. */
static void fill(unsigned int at, unsigned int size)
{
	for (unsigned int i = at; i < at + size; i++) {
		pattern[i] = next_byte();
		mask[i] = 0xff;
	}
}

static void set_cr4(uint32_t bits)
{
	uint32_t cr4;

	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	__asm__ volatile("mov %0, %%cr4" : : "r"(cr4 | bits));
}

static void set_xcr0(uint32_t value)
{
	__asm__ volatile("xsetbv" : : "a"(value), "d"(0), "c"(0) : "memory");
}

static void turn_on(void)
{
	uint32_t r[4], leaf7[4];

	set_cr4(CR4_OSFXSR);
	cpuid(1, 0, r);
	has_xsave = r[2] & 1u << 26;
	xcr0 = X87_SSE;
	if (!has_xsave) {
		return;
	}
	set_cr4(CR4_OSXSAVE);
	cpuid(7, 0, leaf7);
	if (leaf7[2] & 1u << 3) {
		set_cr4(CR4_PKE);
	}
	cpuid(0xd, 0, r);
	xcr0 = r[0];
	set_xcr0(xcr0);
	cpuid(0xd, 0, r);
	RT_CHECK(r[1] <= r[2] && r[2] <= AREA);
}

/* A value of each component that the processor takes as it is. */
static void make_pattern(void)
{
	uint32_t r[4];
	const uint16_t fcw = (uint16_t)(0x37f & ~(next_byte() & 0x3f) & ~(next_byte() % 4 << 10));
	const uint32_t mxcsr = 0x1f80u | (uint32_t)(next_byte() & 0x3f) | (uint32_t)(next_byte() % 4) << 13;

	memcpy(pattern, &fcw, 2);
	memset(mask, 0xff, 2);
	pattern[4] = mask[4] = 0xff;            /* all registers in use */
	memcpy(pattern + 24, &mxcsr, 4);
	memset(mask + 24, 0xff, 4);
	for (unsigned int i = 0; i < 8; i++) {
		fill(32 + i * 16, 10);
		fill(160 + i * 16, 16);
	}
	memcpy(pattern + 512, &xcr0, 4);
	for (unsigned int n = 2; n < 32; n++) {
		if (xcr0 >> n & 1) {
			cpuid(0xd, n, r);
			RT_CHECK(r[1] >= 576 && r[1] + r[0] <= AREA);
			/* outside of 64-bit mode only half of the vector registers are there: half of AVX and
			 * ZMM_Hi256, nothing of Hi16_ZMM; PKRU is 4 bytes */
			fill(r[1], n == 9 ? 4 : n == 7 ? 0 : n == 5 ? r[0] : r[0] / 2);
		}
	}
}

static void load(void)
{
	if (has_xsave) {
		__asm__ volatile("xrstor %0" : : "m"(pattern), "a"(xcr0), "d"(0) : "memory");
	} else {
		__asm__ volatile("fxrstor %0" : : "m"(pattern) : "memory");
	}
}

static void compare(const char *when)
{
	memset(found, 0, AREA);
	if (has_xsave) {
		__asm__ volatile("xsave %0" : : "m"(found), "a"(xcr0), "d"(0) : "memory");
	} else {
		__asm__ volatile("fxsave %0" : : "m"(found) : "memory");
	}
	for (unsigned int i = 0; i < AREA; i++) {
		if ((found[i] ^ pattern[i]) & mask[i]) {
			rt_printf("vector: %s: byte %u is %02x, was %02x\n", when, i, found[i], pattern[i]);
			RT_CHECK(!"the registers have changed");
		}
	}
}

/* What is turned off for a while comes back as it was, or as nothing: never as somebody else's. */
static void off_and_on(void)
{
	if (has_xsave && xcr0 != X87_SSE) {
		set_xcr0(X87_SSE);
		(void)rt_hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0, 0, 0);
		set_xcr0(xcr0);
	}
}

static uint32_t debug_address(unsigned int n)
{
	uint32_t v;

	switch (n) {
	case 0:
		__asm__ volatile("mov %%dr0, %0" : "=r"(v));
		return v;
	case 1:
		__asm__ volatile("mov %%dr1, %0" : "=r"(v));
		return v;
	case 2:
		__asm__ volatile("mov %%dr2, %0" : "=r"(v));
		return v;
	default:
		__asm__ volatile("mov %%dr3, %0" : "=r"(v));
		return v;
	}
}

static void debug_load(uint32_t v)
{
	__asm__ volatile("mov %0, %%dr0; mov %1, %%dr1; mov %2, %%dr2; mov %3, %%dr3"
			 : : "r"(v), "r"(v + 1), "r"(v + 2), "r"(v + 3));
}

int guest_main(const struct hvm_start_info *info)
{
	uint32_t r[4], start = inl(PM_TIMER), debug;
	unsigned long rounds = 0;

	(void)info;
	cpuid(rt_xen_leaf() + 4, 0, r);
	seed = r[2] * 2654435761u + (uint32_t)rdtsc();
	turn_on();
	make_pattern();
	debug = seed;
	debug_load(debug);
	load();
	while (((inl(PM_TIMER) - start) & 0xffffff) < SECONDS * PM_HZ) {
		compare("running");
		for (unsigned int n = 0; n < 4; n++) {
			RT_CHECK(debug_address(n) == debug + n);
		}
		if (rounds % 8 == 7) {
			off_and_on();
			compare("off and on");
		}
		if (rounds % 4 == 3) {
			(void)rt_hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0, 0, 0);
		}
		rounds++;
	}
	rt_printf("vector: XCR0 %x, %lu rounds\n", has_xsave ? xcr0 : 0u, rounds);
	rt_puts("vector: OK\n");
	return 0;
}
