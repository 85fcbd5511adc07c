/*
 * A hostile guest of several processors that get in each other's way: page-table entries, instruction bytes and memory
 * that change under another processor's emulated access, INIT and start-up in the middle of anything, storms of
 * interrupts in all modes, hypercalls about the same things at once, requests to the device model from everywhere.
 *
 * "seed=N rounds=N end=NAME" on its command line. It lives through its rounds, unless the hypervisor loses something:
 * the first processor counts them, is never restarted, and revives the others. Then the end (end.c).
 */
#include "tests/guest/swarm/swarm.h"

#include <xen/vcpu.h>

#define PAGE_LOW   0x08         /* the trampoline is there and in the next page */
#define CODE_SELECTOR 8u
#define ICR_INIT   0x4500u
#define ICR_START  0x4600u
#define CR4_PAE    0x20u
#define CR4_OSFXSR 0x200u
#define CR0_PG     0x80000000u
#define PTE_2M     0x83u
#define PTE_RW     3u

union stack {
	struct swarm_cpu cpu;
	uint8_t bytes[SWARM_STACK];
} __attribute__((aligned(SWARM_STACK)));

union stack swarm_stacks[SWARM_MAX];
uint8_t swarm_toy[TOYS][4096] __attribute__((aligned(4096)));
unsigned int swarm_cpus;
static uint64_t pdpt[4] __attribute__((aligned(32)));
static uint64_t pd[4][512] __attribute__((aligned(4096)));
volatile uint64_t swarm_pt[512] __attribute__((aligned(4096)));
static const char *line;
static uint32_t rounds;

extern const uint8_t swarm_trampoline[], swarm_trampoline_end[];
extern const char swarm_failed[], swarm_protected[];
void swarm_ap(void);
void swarm_main(void);

/*
 * The trampoline: to protected mode, onto the stack of this APIC ID (IDs are even), to swarm_ap(). swarm_failed is where
 * an exception inside swarm_try() goes on.
 */
__asm__("	.text\n"
	"	.globl swarm_trampoline, swarm_trampoline_end, swarm_protected, swarm_failed, swarm_try\n"
	"	.code16\n"
	"swarm_trampoline:\n"
	"	cli\n"
	"	cld\n"
	"	lgdtl	%cs:3f - swarm_trampoline\n"
	"	mov	$1, %eax\n"
	"	mov	%eax, %cr0\n"
	"	ljmpl	$0x08, $4f\n"
	"	.balign	4\n"
	"3:	.word	23\n"
	"	.long	5f\n"
	"swarm_trampoline_end:\n"
	"	.balign	8\n"
	"5:	.quad	0, 0x00cf9b000000ffff, 0x00cf93000000ffff\n"
	"	.code32\n"
	"swarm_protected:\n"
	"4:	mov	$1, %eax\n"
	"	cpuid\n"
	"	shr	$25, %ebx\n"
	"	inc	%ebx\n"
	"	shl	$14, %ebx\n"
	"	mov	$0x10, %eax\n"
	"	mov	%eax, %ds\n"
	"	mov	%eax, %es\n"
	"	mov	%eax, %fs\n"
	"	mov	%eax, %gs\n"
	"	mov	%eax, %ss\n"
	"	lea	swarm_stacks-16(%ebx), %esp\n"
	"	call	swarm_ap\n"
	"6:	hlt\n"
	"	jmp	6b\n"
	"swarm_try:\n"
	"	pusha\n"
	"	mov	%esp, %eax\n"
	"	and	$-16384, %eax\n"
	"	mov	%esp, (%eax)\n"
	"	mov	36(%esp), %eax\n"
	"	call	*%eax\n"
	"	popa\n"
	"	ret\n"
	"swarm_failed:\n"
	"	mov	$0x10, %eax\n"
	"	mov	%eax, %ds\n"
	"	mov	%eax, %es\n"
	"	mov	%esp, %eax\n"
	"	and	$-16384, %eax\n"
	"	mov	(%eax), %esp\n"
	"	cld\n"
	"	popa\n"
	"	ret\n");

struct swarm_cpu *swarm_self(void)
{
	uint32_t esp;

	__asm__ volatile("mov %%esp, %0" : "=r"(esp));
	return (struct swarm_cpu *)(uintptr_t)(esp & ~(SWARM_STACK - 1));
}

struct swarm_cpu *swarm_cpu(unsigned int number)
{
	return &swarm_stacks[number].cpu;
}

/* xorshift */
uint32_t swarm_below(uint32_t n)
{
	struct swarm_cpu *self = swarm_self();

	self->rng ^= self->rng << 13;
	self->rng ^= self->rng >> 17;
	self->rng ^= self->rng << 5;
	return self->rng % n;
}

static void on_exception(struct rt_frame *f)
{
	swarm_self()->faults++;
	f->eip = (uint32_t)(uintptr_t)swarm_failed;
	f->eflags = 2;
}

static void on_interrupt(struct rt_frame *f)
{
	if (f->vector != 2) {
		mmio_write32(APIC + APIC_EOI, 0);
	}
}

static void paging_on(void)
{
	uint32_t cr0, cr4;

	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	__asm__ volatile("mov %0, %%cr4" : : "r"(cr4 | CR4_PAE | CR4_OSFXSR));
	__asm__ volatile("mov %0, %%cr3" : : "r"(pdpt) : "memory");
	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	__asm__ volatile("mov %0, %%cr0" : : "r"(cr0 | CR0_PG) : "memory");
}

static void make_tables(void)
{
	for (unsigned int i = 0; i < 4; i++) {
		pdpt[i] = (uint32_t)(uintptr_t)pd[i] | 1;
		for (unsigned int j = 0; j < 512; j++) {
			pd[i][j] = ((uint64_t)i << 30 | j << 21) | PTE_2M;
		}
	}
	pd[WINDOW >> 30][0] = (uint32_t)(uintptr_t)swarm_pt | PTE_RW;
}

void swarm_restart(unsigned int number)
{
	mmio_write32(APIC + APIC_ICR_2, number * 2 << 24);
	mmio_write32(APIC + APIC_ICR, ICR_INIT);
	/* Sometimes the second message is left to another CPU. */
	if (swarm_below(8) != 0) {
		mmio_write32(APIC + APIC_ICR_2, number * 2 << 24);
		mmio_write32(APIC + APIC_ICR, ICR_START | (PAGE_LOW + swarm_below(2)));
	}
}

/* Interrupts are let in here only, where an interrupt with the vector of an exception ends the operation too. */
static void open_op(void)
{
	rt_irq_on();
	swarm_op();
	rt_irq_off();
}

static void one_round(void)
{
	swarm_self()->rounds++;
	swarm_try(open_op);
}

/* Another CPU, each time that it is started. */
void swarm_ap(void)
{
	struct swarm_cpu *self = swarm_self();

	paging_on();
	rt_load_idt();
	mmio_write32(APIC + APIC_SPIV, 0x1ff);
	self->starts++;
	for (;;) {
		one_round();
		swarm_join();
	}
}

/*
 * An NMI that comes before a CPU has its own table finds these, at address 0: that of real mode, and a gate, which begin anew.
 * Neither returns, so a second one waits until the CPU has got further.
 */
static void catch_early_nmi(void)
{
	volatile uint32_t *low;
	uint32_t to = (uint32_t)(uintptr_t)swarm_protected;

	__asm__("xor %0, %0" : "=r"(low) : : "cc");
	low[2] = PAGE_LOW << 24;
	low[4] = CODE_SELECTOR << 16 | (to & 0xffff);
	low[5] = (to & 0xffff0000) | 0x8e00;
}

static void start_all(void)
{
	size_t size = (size_t)(swarm_trampoline_end - swarm_trampoline);

	catch_early_nmi();

	for (unsigned int i = 0; i < 2; i++) {
		memcpy((void *)(uintptr_t)((PAGE_LOW + i) << 12), swarm_trampoline, size);
	}
	for (unsigned int i = 1; i < swarm_cpus; i++) {
		swarm_restart(i);
	}
}

/* The text after "NAME=", or NULL. */
static const char *word(const char *name)
{
	size_t n = strlen(name);

	for (const char *p = line; p != NULL && *p != '\0'; p++) {
		if (memcmp(p, name, n) == 0 && p[n] == '=') {
			return p + n + 1;
		}
	}
	return NULL;
}

static uint32_t number(const char *name, uint32_t otherwise)
{
	const char *p = word(name);
	uint32_t value = 0;

	while (p != NULL && *p >= '0' && *p <= '9') {
		value = value * 10 + (uint32_t)(*p++ - '0');
	}
	return p != NULL ? value : otherwise;
}

/* The first CPU, on its own stack of the swarm's kind. */
void swarm_main(void)
{
	make_tables();
	paging_on();
	mmio_write32(APIC + APIC_SPIV, 0x1ff);
	start_all();
	while (swarm_self()->rounds < rounds) {
		one_round();
		if (swarm_self()->rounds % 512 == 0) {
			rt_irq_off();
			rt_printf("swarm: round %u\n", swarm_self()->rounds);
			start_all();
		}
	}
	rt_irq_off();
	for (unsigned int i = 0; i < swarm_cpus; i++) {
		struct swarm_cpu *c = swarm_cpu(i);

		rt_printf("swarm: CPU %u: %u rounds, %u faults, %u starts\n", i, c->rounds, c->faults, c->starts);
		RT_CHECK(c->rounds != 0);
	}
	swarm_end(word("end"));
	rt_puts("swarm: OK\n");
	rt_poweroff();
}

int guest_main(const struct hvm_start_info *info)
{
	line = (const char *)(uintptr_t)info->cmdline_paddr;
	rounds = number("rounds", 3000);
	while (swarm_cpus < SWARM_MAX && rt_hypercall(__HYPERVISOR_vcpu_op, VCPUOP_is_up, swarm_cpus, 0, 0, 0) >= 0) {
		swarm_cpus++;
	}
	RT_CHECK(swarm_cpus > 1);
	for (unsigned int i = 0; i < swarm_cpus; i++) {
		swarm_cpu(i)->number = i;
		swarm_cpu(i)->rng = (number("seed", 1) * 64 + i + 1) * 2654435761u | 1;
	}
	for (unsigned int i = 0; i < 256; i++) {
		rt_set_handler((uint8_t)i, i < 32 && i != 2 ? on_exception : on_interrupt);
	}
	__asm__ volatile("mov %0, %%esp; call swarm_main" : : "r"((uintptr_t)swarm_stacks + SWARM_STACK - 16) : "memory");
	return 1;
}
