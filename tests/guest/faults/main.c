/*
 * Exceptions inside a guest: vector, error code, address; what must fault and what must not; page
 * faults under 4 MiB paging. Manual: "Intel 64 and IA-32 Architectures Software Developer's Manual",
 * interrupt and exception handling.
 */
#include "tests/guest/rt/rt.h"

enum { DE = 0, DB = 1, BP = 3, UD = 6, GP = 13, PF = 14 };
#define NO_SUCH_MSR  0x4fffff00
#define HOLE         0xd0000000
#define CR0_PG       0x80000000u
#define CR0_WP       0x00010000u
#define CR4_PSE      0x10u
#define EFLAGS_TF    0x100u

static volatile unsigned int count;
static uint32_t seen_error, seen_cr2, skip;
static uint32_t directory[1024] __attribute__((aligned(4096)));

static void on_fault(struct rt_frame *frame)
{
	count++;
	seen_error = frame->error;
	__asm__ volatile("mov %%cr2, %0" : "=r"(seen_cr2));
	frame->eip += skip;
	frame->eflags &= ~EFLAGS_TF;
}

/* One fault, and the instruction that made it has the given length (0: it is a trap). */
#define EXPECT(vector, length, ...)                      \
	do {                                             \
		rt_set_handler(vector, on_fault);        \
		count = 0;                               \
		skip = length;                           \
		__asm__ volatile(__VA_ARGS__);           \
		RT_CHECK(count == 1);                    \
		rt_set_handler(vector, NULL);            \
	} while (0)

static void instructions(void)
{
	EXPECT(UD, 2, "ud2");
	EXPECT(BP, 0, "int3");
	EXPECT(DE, 2, "div %%ecx" : : "a"(1), "d"(0), "c"(0));
	EXPECT(GP, 2, "rdmsr" : : "c"(NO_SUCH_MSR) : "eax", "edx");
	RT_CHECK(seen_error == 0);
	EXPECT(GP, 2, "wrmsr" : : "c"(NO_SUCH_MSR), "a"(0), "d"(0));
	/* A selector outside the table: the error code names it. */
	EXPECT(GP, 2, "mov %0, %%fs" : : "r"(0x1000));
	RT_CHECK(seen_error == 0x1000);
	/* A privileged and a far away instruction that must not fault. */
	__asm__ volatile("wbinvd; clts; invlpg (%0)" : : "r"(directory) : "memory");
}

/* A single step after an emulated instruction: the trap comes behind it. */
static void single_step(void)
{
	rt_set_handler(DB, on_fault);
	count = 0;
	skip = 0;
	__asm__ volatile("pushf; orl $0x100, (%%esp); popf; inb $0x61, %%al; nop" : : : "eax", "cc");
	RT_CHECK(count == 1);
	rt_set_handler(DB, NULL);
}

static void paging(void)
{
	uint32_t cr0, cr4;

	for (uint32_t i = 0; i < 1024; i++) {
		directory[i] = i << 22 | 0x83;  /* present, writable, 4 MiB */
	}
	directory[HOLE >> 22] = 0;
	directory[(HOLE >> 22) + 1] = 0x81;     /* read-only window on the first 4 MiB */
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	__asm__ volatile("mov %0, %%cr4" : : "r"(cr4 | CR4_PSE));
	__asm__ volatile("mov %0, %%cr3" : : "r"(directory) : "memory");
	__asm__ volatile("mov %0, %%cr0" : : "r"(cr0 | CR0_PG | CR0_WP) : "memory");

	EXPECT(PF, 2, "movb (%0), %%al" : : "r"(HOLE + 0x123) : "eax");
	RT_CHECK(seen_cr2 == HOLE + 0x123 && seen_error == 0);
	EXPECT(PF, 2, "movb %%al, (%0)" : : "r"(HOLE + 0x400000) : "memory");
	RT_CHECK(seen_cr2 == HOLE + 0x400000 && seen_error == 3);
	/* Port input into memory that is not there: the fault is the guest's own. */
	EXPECT(PF, 1, "insb" : : "D"(HOLE + 0x10), "d"(0x71) : "memory");
	RT_CHECK(seen_cr2 == HOLE + 0x10 && (seen_error & 3) == 2);
	/* Device memory is still reached, and a hypercall takes linear addresses. */
	RT_CHECK((mmio_read32(0xfee00030) & 0xff) >= 0x10);
	RT_CHECK(rt_hypercall(__HYPERVISOR_xen_version, 1, HOLE, 0, 0, 0) == -14);

	__asm__ volatile("mov %0, %%cr0" : : "r"(cr0) : "memory");
	__asm__ volatile("mov %0, %%cr4" : : "r"(cr4));
}

int guest_main(const struct hvm_start_info *info)
{
	(void)info;
	instructions();
	single_step();
	paging();
	rt_puts("faults: OK\n");
	return 0;
}
