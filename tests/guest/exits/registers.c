/* CPUID, MSRs, control and debug registers, XSETBV, hypercalls, and instructions that this guest must find undefined. */
#include "tests/guest/exits/exits.h"

#include <xen/version.h>

#define MSR_APIC_BASE    0x1bu
#define MSR_SYSENTER_EIP 0x176u
#define MSR_PAT          0x277u
#define MSR_MTRR_DEF     0x2ffu
#define MSR_STAR         0xc0000081u
#define MSR_GS_KERNEL    0xc0000102u
#define MSR_NONE         0x4fffff00u

#define DR6_RESET 0xffff0ff0u
#define DR7_RESET 0x400u

/* Else AMD's, which here is QEMU's. */
static bool intel(void)
{
	uint32_t r[4];

	cpuid(0, 0, r);
	return r[2] == 0x6c65746e;
}

static void cpuid_exit(void)
{
	exits_fresh();
	exits_in.eax = rt_xen_leaf();
	exits_run(0x0f, 0xa2);
	exits_want.eax = exits_out.eax;
	exits_want.ebx = 0x566e6558;
	exits_want.ecx = 0x65584d4d;
	exits_want.edx = 0x4d4d566e;
	exits_check("CPUID, hypervisor leaf");
	exits_fresh();
	exits_in.eax = rt_xen_leaf() + 1;
	exits_run_user(0x0f, 0xa2);
	exits_want.eax = 0x00040011;
	exits_want.ebx = exits_want.ecx = exits_want.edx = 0;
	exits_check("CPUID in ring 3");
}

/* Written, then read back, then as it was. */
static void msr_keeps(const char *name, uint32_t msr, uint64_t value)
{
	uint64_t old = rdmsr(msr);

	exits_fresh();
	exits_in.ecx = msr;
	exits_in.eax = (uint32_t)value;
	exits_in.edx = (uint32_t)(value >> 32);
	exits_run(0x0f, 0x30);
	exits_check(name);
	exits_fresh();
	exits_in.ecx = msr;
	exits_run(0x0f, 0x32);
	exits_want.eax = (uint32_t)value;
	exits_want.edx = (uint32_t)(value >> 32);
	exits_check(name);
	wrmsr(msr, old);
}

static void msr_exit(void)
{
	exits_fresh();
	exits_in.ecx = MSR_APIC_BASE;
	exits_run(0x0f, 0x32);
	exits_want.eax = LAPIC | 0x900;
	exits_want.edx = 0;
	exits_check("RDMSR APIC_BASE");
	msr_keeps("MTRR default type", MSR_MTRR_DEF, 0xc06);
	msr_keeps("PAT", MSR_PAT, 0x0606040100070406);
	msr_keeps("SYSENTER_EIP", MSR_SYSENTER_EIP, 0x12345678);
	msr_keeps("STAR", MSR_STAR, 0x1122334455667788);
	msr_keeps("kernel GS base", MSR_GS_KERNEL, 0x00007fff12345000);

	exits_fresh();
	exits_in.ecx = MSR_NONE;
	exits_run(0x0f, 0x32);
	exits_check_fault("RDMSR of none", GP, 0, 0);
	exits_fresh();
	exits_in.ecx = MSR_NONE;
	exits_run(0x0f, 0x30);
	exits_check_fault("WRMSR of none", GP, 0, 0);
	/* QEMU's processor lets a guest's own WRMSR write any address */
	if (intel()) {
		exits_fresh();
		exits_in.ecx = MSR_GS_KERNEL;
		exits_in.edx = 0x00800000;
		exits_run(0x0f, 0x30);
		exits_check_fault("WRMSR, address not canonical", GP, 0, 0);
	}
	exits_fresh();
	exits_in.ecx = MSR_PAT;
	exits_in.eax = 2;
	exits_run(0x0f, 0x30);
	exits_check_fault("WRMSR PAT, type 2", GP, 0, 0);
	exits_fresh();
	exits_in.ecx = MSR_APIC_BASE;
	exits_run_user(0x0f, 0x32);
	exits_check_fault("RDMSR in ring 3", GP, 0, 0);
}

/* MOV to CR0 of the old value with some bits changed; what is read then; back. */
static void cr0_toggle(const char *name, uint32_t bits)
{
	uint32_t old = exits_cr0();

	exits_fresh();
	exits_in.ebx = old ^ bits;
	exits_run(0x0f, 0x22, 0xc3, 0x0f, 0x20, 0xc2);  /* mov %ebx,%cr0; mov %cr0,%edx */
	exits_want.edx = old ^ bits;
	__asm__ volatile("mov %0, %%cr0" : : "r"(old) : "memory");
	exits_check(name);
}

static void cr4_toggle(const char *name, uint32_t bits)
{
	uint32_t old = exits_cr4();

	exits_fresh();
	exits_in.esi = old ^ bits;
	exits_run(0x0f, 0x22, 0xe6, 0x0f, 0x20, 0xe5);  /* mov %esi,%cr4; mov %cr4,%ebp */
	exits_want.ebp = old ^ bits;
	__asm__ volatile("mov %0, %%cr4" : : "r"(old) : "memory");
	exits_check(name);
}

static void cr_moves(void)
{
	uint32_t cr3;

	cr0_toggle("CR0.TS", CR0_TS);
	cr0_toggle("CR0.NE", CR0_NE);
	cr0_toggle("CR0.CD", CR0_CD);
	cr0_toggle("CR0.CD and NW", CR0_CD | CR0_NW);
	cr0_toggle("CR0.AM and WP", CR0_AM | CR0_WP);
	cr4_toggle("CR4.DE", CR4_DE);
	cr4_toggle("CR4.MCE", CR4_MCE);
	cr4_toggle("CR4.PGE", CR4_PGE);
	cr4_toggle("CR4.PSE", CR4_PSE);

	__asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
	exits_fresh();
	exits_in.eax = cr3;
	exits_run(0x0f, 0x22, 0xd8, 0x0f, 0x20, 0xdf);  /* mov %eax,%cr3; mov %cr3,%edi */
	exits_want.edi = cr3;
	exits_check("CR3");
	exits_fresh();
	exits_in.ecx = 0x87654321;
	exits_run(0x0f, 0x22, 0xd1, 0x0f, 0x20, 0xd0);  /* mov %ecx,%cr2; mov %cr2,%eax */
	exits_want.eax = 0x87654321;
	exits_check("CR2");
}

static void cr_special(void)
{
	uint32_t old = exits_cr0();

	exits_fresh();
	exits_in.eax = CR0_TS | 1;
	exits_run(0x0f, 0x01, 0xf0, 0x0f, 0x20, 0xc1);  /* lmsw %ax; mov %cr0,%ecx */
	exits_want.ecx = (old & ~0xeu) | CR0_TS | 1;
	__asm__ volatile("mov %0, %%cr0" : : "r"(old) : "memory");
	exits_check("LMSW");
	exits_fresh();
	exits_in.eax = 0;
	exits_run(0x0f, 0x01, 0xf0, 0x0f, 0x20, 0xc1);
	exits_want.ecx = old & ~0xeu;                   /* PE stays */
	__asm__ volatile("mov %0, %%cr0" : : "r"(old) : "memory");
	exits_check("LMSW of 0");
	__asm__ volatile("mov %0, %%cr0" : : "r"(old | CR0_TS | CR0_MP) : "memory");
	exits_fresh();
	exits_run(0x0f, 0x06, 0x0f, 0x20, 0xc1);        /* clts; mov %cr0,%ecx */
	exits_want.ecx = (old | CR0_MP) & ~CR0_TS;
	__asm__ volatile("mov %0, %%cr0" : : "r"(old) : "memory");
	exits_check("CLTS");
}

static void cr_refused(void)
{
	static const struct {
		const char *name;
		uint8_t cr;
		uint32_t set, clear;
	} rows[] = {
		{ "CR0: PG without PE", 0, CR0_PG, 1 },
		{ "CR4: reserved bit", 4, 1u << 31, 0 }, { "CR4: VMXE, which CPUID denies", 4, CR4_VMXE, 0 },
	};

	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t old = rows[i].cr == 0 ? exits_cr0() : exits_cr4();

		if (!intel()) {
			continue;               /* QEMU's processor takes it, or ends the guest */
		}
		exits_fresh();
		exits_in.edx = (old | rows[i].set) & ~rows[i].clear;
		exits_run(0x0f, 0x22, (uint8_t)(0xc2 | rows[i].cr << 3));
		exits_check_fault(rows[i].name, GP, 0, 0);
	}
	exits_fresh();
	exits_run(0x0f, 0x20, 0xc8);
	exits_check_fault("CR1", UD, 0, 0);
	exits_fresh();
	exits_run_user(0x0f, 0x20, 0xc0);
	exits_check_fault("CR0 in ring 3", GP, 0, 0);
	exits_fresh();
	exits_run_user(0x0f, 0x06);
	exits_check_fault("CLTS in ring 3", GP, 0, 0);
}

static void dr_moves(void)
{
	static const uint8_t numbers[] = { 0, 1, 2, 3 };
	uint32_t zero = 0;

	for (unsigned int i = 0; i < sizeof(numbers); i++) {
		uint8_t reg = (uint8_t)(0xc3 | i << 3);

		exits_fresh();
		exits_run(0x0f, 0x23, reg, 0x0f, 0x21, (uint8_t)(reg + 3)); /* mov %ebx,%drI; mov %drI,%esi */
		exits_want.esi = exits_in.ebx;
		exits_check("DR0 to DR3");
		__asm__ volatile("mov %0, %%dr0; mov %0, %%dr1; mov %0, %%dr2; mov %0, %%dr3" : : "r"(zero));
	}
	exits_fresh();
	exits_in.eax = 0;
	exits_run(0x0f, 0x23, 0xf0, 0x0f, 0x21, 0xf1, 0x0f, 0x21, 0xe2); /* to DR6; DR6 to ECX, DR4 to EDX */
	exits_want.ecx = exits_want.edx = DR6_RESET;
	exits_check("DR6, also as DR4");
	exits_fresh();
	exits_in.eax = DR7_RESET | 0x20000000;          /* an unused breakpoint's length */
	exits_run(0x0f, 0x23, 0xf8, 0x0f, 0x21, 0xf9);
	exits_want.ecx = DR7_RESET | 0x20000000;
	exits_check("DR7");
	__asm__ volatile("mov %0, %%dr7" : : "r"(DR7_RESET));
	exits_fresh();
	exits_run_user(0x0f, 0x21, 0xf8);
	exits_check_fault("DR7 in ring 3", GP, 0, 0);
}

/* Feature bits follow, so that a system sees what it has switched on. */
static void xsetbv_exit(void)
{
	uint32_t r[4], old = exits_cr4();

	cpuid(1, 0, r);
	if (!(r[2] & 1u << 26)) {
		return;
	}
	exits_fresh();
	exits_in.ecx = 0;
	exits_in.eax = 3;
	exits_in.edx = 0;
	exits_run(0x0f, 0x01, 0xd1);
	exits_check_fault("XSETBV without OSXSAVE", UD, 0, 0);
	__asm__ volatile("mov %0, %%cr4" : : "r"(old | CR4_OSXSAVE));
	exits_new_ambient();
	cpuid(1, 0, r);
	exits_equal("CPUID", "OSXSAVE", r[2] >> 27 & 1, 1);
	exits_fresh();
	exits_in.ecx = 0;
	exits_in.eax = 3;
	exits_in.edx = 0;
	exits_run(0x0f, 0x01, 0xd1, 0x0f, 0x01, 0xd0);  /* xsetbv; xgetbv */
	exits_check("XSETBV");
	exits_fresh();
	exits_in.ecx = 0;
	exits_in.eax = 2;
	exits_in.edx = 0;
	exits_run(0x0f, 0x01, 0xd1);
	exits_check_fault("XSETBV without x87", GP, 0, 0);
	exits_fresh();
	exits_in.ecx = 1;
	exits_run(0x0f, 0x01, 0xd1);
	exits_check_fault("XSETBV of XCR1", GP, 0, 0);
	__asm__ volatile("mov %0, %%cr4" : : "r"(old));
	exits_new_ambient();
}

static void hypercall_exit(void)
{
	uint8_t ours = intel() ? 0xc1 : 0xd9, theirs = intel() ? 0xd9 : 0xc1;

	exits_fresh();
	exits_in.eax = __HYPERVISOR_xen_version;
	exits_in.ebx = XENVER_version;
	exits_run(0x0f, 0x01, ours);
	exits_want.eax = 0x00040011;
	exits_check("hypercall");
	exits_fresh();
	exits_in.eax = __HYPERVISOR_xen_version;
	exits_run_user(0x0f, 0x01, ours);
	exits_want.eax = (uint32_t)-1;                  /* EPERM */
	exits_check("hypercall in ring 3");
	exits_fresh();
	exits_run(0x0f, 0x01, theirs);
	exits_check_fault("the other vendor's hypercall", UD, 0, 0);
}

/* Changes nothing. */
static void quiet(void)
{
	exits_fresh();
	exits_run(0xf3, 0x90);
	exits_check("PAUSE");
	exits_fresh();
	exits_in.eax = LAPIC;
	exits_run(0x0f, 0x01, 0x38);
	exits_check("INVLPG");
	exits_fresh();
	exits_run(0x0f, 0x09);
	exits_check("WBINVD");
	exits_fresh();
	exits_run(0x0f, 0x31);
	exits_want.eax = exits_out.eax;
	exits_want.edx = exits_out.edx;
	exits_check("RDTSC");
}

static void undefined(void)
{
	static const struct {
		const char *name;
		uint8_t code[5], length, vector;
	} rows[] = {
		{ "VMXON", { 0xf3, 0x0f, 0xc7, 0x75, 0x00 }, 5, UD }, { "VMCLEAR", { 0x66, 0x0f, 0xc7, 0x75, 0x00 }, 5, UD },
		{ "VMLAUNCH", { 0x0f, 0x01, 0xc2 }, 3, UD }, { "VMRESUME", { 0x0f, 0x01, 0xc3 }, 3, UD },
		{ "VMXOFF", { 0x0f, 0x01, 0xc4 }, 3, UD }, { "VMREAD", { 0x0f, 0x78, 0xc0 }, 3, UD },
		{ "VMRUN", { 0x0f, 0x01, 0xd8 }, 3, UD }, { "VMLOAD", { 0x0f, 0x01, 0xda }, 3, UD },
		{ "STGI", { 0x0f, 0x01, 0xdc }, 3, UD }, { "INVLPGA", { 0x0f, 0x01, 0xdf }, 3, UD },
		{ "MONITOR", { 0x0f, 0x01, 0xc8 }, 3, UD }, { "MWAIT", { 0x0f, 0x01, 0xc9 }, 3, UD },
		{ "RSM", { 0x0f, 0xaa }, 2, UD }, { "UD2", { 0x0f, 0x0b }, 2, UD }, { "RDPMC", { 0x0f, 0x33 }, 2, GP },
	};

	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		exits_fresh();
		exits_in.ebp = (uint32_t)(uintptr_t)exits_hole + 24;
		exits_in.ecx = 0;               /* MONITOR's extensions, RDPMC's counter */
		exits_in.eax = 0;               /* VMRUN's address */
		exits_run_bytes(rows[i].code, rows[i].length, false);
		exits_check_fault(rows[i].name, rows[i].vector, 0, 0);
	}
}

void exits_registers(void)
{
	cpuid_exit();
	msr_exit();
	cr_moves();
	cr_special();
	cr_refused();
	dr_moves();
	xsetbv_exit();
	hypercall_exit();
	quiet();
	undefined();
}
