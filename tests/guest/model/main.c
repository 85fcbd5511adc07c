/*
 * The model of the processor: what CPUID offers works, and what it does not offer is refused: state components, MSRs,
 * CR4 bits. Prints what there is, for whoever took something away. Intel SDM volume 2, "CPUID"; AMD APM volume 3.
 */
#include "tests/guest/rt/rt.h"

#define MSR_EFER       0xc0000080u
#define MSR_APIC_BASE  0x1bu
#define MSR_TSC        0x10u
#define MSR_TSC_ADJUST 0x3bu
#define MSR_SPEC_CTRL  0x48u
#define MSR_PRED_CMD   0x49u
#define MSR_MTRR_CAP   0xfeu
#define MSR_DEADLINE   0x6e0u
#define EFER_NXE       (1u << 11)
#define X2APIC         (1u << 10)
#define VEC_GP 13

static volatile unsigned int faults;
static uint32_t resume;

static void on_gp(struct rt_frame *frame)
{
	faults++;
	frame->eip = resume;
}

/* Did the write go through? */
static bool try_wrmsr(uint32_t msr, uint64_t value)
{
	unsigned int before = faults;

	__asm__ volatile("movl $1f, %0\n\twrmsr\n1:" : "=m"(resume) : "c"(msr), "A"(value) : "memory");
	return faults == before;
}

static bool try_rdmsr(uint32_t msr, uint64_t *value)
{
	unsigned int before = faults;

	*value = 0;
	__asm__ volatile("movl $1f, %0\n\trdmsr\n1:" : "=m"(resume), "+A"(*value) : "c"(msr) : "memory");
	return faults == before;
}

static bool try_cr4(uint32_t bit)
{
	unsigned int before = faults;
	uint32_t old;

	__asm__ volatile("mov %%cr4, %0" : "=r"(old));
	__asm__ volatile("movl $1f, %0\n\tmov %1, %%cr4\n1:" : "=m"(resume) : "r"(old | bit) : "memory");
	if (faults != before) {
		return false;
	}
	__asm__ volatile("mov %0, %%cr4" : : "r"(old));
	return true;
}

static uint32_t reg(uint32_t leaf, unsigned int n)
{
	uint32_t r[4];

	cpuid(leaf, 0, r);
	return r[n];
}

static bool has(uint32_t leaf, unsigned int n, unsigned int bit)
{
	return reg(leaf, n) >> bit & 1;
}

/* What is offered must be usable. (What is not may be: the processor looks at CR4 by itself.) */
static void control_registers(void)
{
	static const struct {
		uint32_t leaf;
		uint8_t reg, bit, cr4;
	} row[] = {
		{ 7, 1, 7, 20 }, { 7, 1, 20, 21 }, { 7, 2, 2, 11 }, { 7, 2, 3, 22 }, { 7, 1, 0, 16 }, { 1, 2, 26, 18 },
		{ 1, 3, 2, 3 }, { 1, 3, 3, 4 },
	};

	for (unsigned int i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		if (has(row[i].leaf, row[i].reg, row[i].bit)) {
			RT_CHECK(try_cr4(1u << row[i].cr4));
		}
	}
	/* bits that no processor has are refused */
	RT_CHECK(!try_cr4(1u << 30));
}

static void state_components(void)
{
	uint32_t r[4], c[4], size = 576;

	cpuid(0xd, 0, r);
	if (!has(1, 2, 26)) {
		RT_CHECK(r[0] == 0 && r[2] == 0);
		return;
	}
	RT_CHECK((r[0] & 3) == 3);
	RT_CHECK((r[0] >> 2 & 1) == has(1, 2, 28));
	RT_CHECK((r[0] >> 5 & 7) == (has(7, 1, 16) ? 7 : 0));
	RT_CHECK((r[0] >> 9 & 1) == has(7, 2, 3));
	for (unsigned int n = 2; n < 32; n++) {
		cpuid(0xd, n, c);
		RT_CHECK((r[0] >> n & 1) == (c[0] != 0));
		if (c[0] != 0 && c[1] + c[0] > size) {
			size = c[1] + c[0];
		}
	}
	RT_CHECK(r[2] == size);
}

static void registers(void)
{
	uint64_t efer = rdmsr(MSR_EFER), base = rdmsr(MSR_APIC_BASE), v;
	bool x2apic = has(1, 2, 21), nx = has(0x80000001, 3, 20), adjust = has(7, 1, 1);

	RT_CHECK(try_wrmsr(MSR_EFER, efer | EFER_NXE) == nx);
	wrmsr(MSR_EFER, efer);
	RT_CHECK(try_wrmsr(MSR_APIC_BASE, base | X2APIC) == x2apic);
	if (x2apic) {
		/* there is no way straight back */
		wrmsr(MSR_APIC_BASE, base & ~(uint64_t)(1u << 11));
		wrmsr(MSR_APIC_BASE, base);
	}
	if (adjust) {
		RT_CHECK(try_rdmsr(MSR_TSC_ADJUST, &v) && v == 0);
		wrmsr(MSR_TSC, rdtsc() + 0x10000000000ull);
		v = rdmsr(MSR_TSC_ADJUST);
		RT_CHECK(v >= 0xff00000000ull && v <= 0x10000000000ull);
		wrmsr(MSR_TSC_ADJUST, 0);
		RT_CHECK(rdtsc() < 0x10000000000ull);
	} else {
		RT_CHECK(!try_rdmsr(MSR_TSC_ADJUST, &v) && !try_wrmsr(MSR_TSC_ADJUST, 0));
	}
	RT_CHECK(try_rdmsr(MSR_DEADLINE, &v) == has(1, 2, 24));
	RT_CHECK(try_rdmsr(MSR_MTRR_CAP, &v) == has(1, 3, 12));
	bool spec = has(7, 3, 26) || has(7, 3, 31) || has(0x80000008, 1, 14) || has(0x80000008, 1, 24);
	RT_CHECK(try_rdmsr(MSR_SPEC_CTRL, &v) == spec);
	RT_CHECK(try_wrmsr(MSR_PRED_CMD, 1) == (has(7, 3, 26) || has(0x80000008, 1, 12)));
	RT_CHECK(!try_wrmsr(MSR_PRED_CMD, 2));
}

int guest_main(const struct hvm_start_info *info)
{
	(void)info;
	rt_set_handler(VEC_GP, on_gp);
	rt_printf("model: avx %d umip %d smep %d smap %d pku %d x2apic %d nx %d xsave %d\n", has(1, 2, 28), has(7, 2, 2),
		  has(7, 1, 7), has(7, 1, 20), has(7, 2, 3), has(1, 2, 21), has(0x80000001, 3, 20), has(1, 2, 26));
	control_registers();
	state_components();
	registers();
	rt_puts("model: OK\n");
	return 0;
}
