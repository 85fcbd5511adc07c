/*
 * The hardware task switch, which neither vendor's processor does in a guest: by CALL, JMP and IRET, and by task gates
 * for an exception, one with an error code, a software interrupt and an interrupt from outside.
 *
 * The other task stores what it sees, and goes back the way that exits_task_jump says.
 */
#include "tests/guest/exits/exits.h"

#define IRQ 0x44
#define SOFT 0x45
#define GATE_TASK 0x8500u
#define GATE_USER 0x6000u
#define TSS_LIMIT 103

struct tss {
	uint32_t link, esp0, ss0, esp1, ss1, esp2, ss2, cr3, eip, eflags;
	uint32_t eax, ecx, edx, ebx, esp, ebp, esi, edi;
	uint32_t es, cs, ss, ds, fs, gs, ldt, iomap;
};

extern struct tss exits_tss;
struct tss exits_tss;
static struct tss other;
static uint64_t gdt[SELECTORS / 8];

/* What the other task saw: its registers, then TR, CR0 and the word on top of its stack. */
extern uint32_t exits_task_out[12];
uint32_t exits_task_out[12];
extern uint32_t exits_task_jump, exits_task_skip;
uint32_t exits_task_jump, exits_task_skip;
static uint32_t other_stack[64];
extern const char exits_other_task[];

__asm__("	.text\n"
	"exits_other_task:\n"
	"	mov	%eax, exits_task_out+0\n"
	"	mov	%ecx, exits_task_out+4\n"
	"	mov	%edx, exits_task_out+8\n"
	"	mov	%ebx, exits_task_out+12\n"
	"	mov	%esp, exits_task_out+16\n"
	"	mov	%ebp, exits_task_out+20\n"
	"	mov	%esi, exits_task_out+24\n"
	"	mov	%edi, exits_task_out+28\n"
	"	mov	(%esp), %eax\n"
	"	mov	%eax, exits_task_out+44\n"
	"	pushf\n"
	"	pop	exits_task_out+32\n"
	"	xor	%eax, %eax\n"
	"	str	%ax\n"
	"	mov	%eax, exits_task_out+36\n"
	"	mov	%cr0, %eax\n"
	"	mov	%eax, exits_task_out+40\n"
	"	mov	exits_task_skip, %eax\n"
	"	add	%eax, exits_tss+32\n"
	"	cmpl	$0, exits_task_jump\n"
	"	jne	1f\n"
	"	iret\n"
	"1:	ljmp	$0x30, $0\n");

static uint64_t descriptor(uint32_t base, uint32_t limit, uint32_t attributes)
{
	return (uint64_t)(base >> 24 << 24 | attributes << 8 | (base >> 16 & 0xff)) << 32 | base << 16 | limit;
}

void exits_tables(void)
{
	struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) pointer = { sizeof(gdt) - 1, (uint32_t)(uintptr_t)gdt };

	gdt[KERNEL_CODE / 8] = 0x00cf9b000000ffff;
	gdt[KERNEL_DATA / 8] = 0x00cf93000000ffff;
	gdt[USER_CODE / 8] = 0x00cffb000000ffff;
	gdt[USER_DATA / 8] = 0x00cff3000000ffff;
	gdt[ABSENT / 8] = 0x00cf13000000ffff;
	gdt[TSS_MAIN / 8] = descriptor((uint32_t)(uintptr_t)&exits_tss, TSS_LIMIT, 0x89);
	exits_tss.ss0 = KERNEL_DATA;
	exits_tss.iomap = sizeof(exits_tss) << 16;
	__asm__ volatile("lgdt %0; ltr %w1" : : "m"(pointer), "r"(TSS_MAIN));
}

static uint64_t *gate(uint8_t vector)
{
	struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) pointer;

	__asm__ volatile("sidt %0" : "=m"(pointer));
	return (uint64_t *)(uintptr_t)pointer.base + vector;
}

void exits_user_gate(void)
{
	*gate(0x81) |= (uint64_t)GATE_USER << 32;
}

static void prepare(uint32_t skip, bool jump)
{
	uint32_t cr3;

	__asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
	memset(other_stack, 0, sizeof(other_stack));
	other = (struct tss){ .cr3 = cr3, .eip = (uint32_t)(uintptr_t)exits_other_task, .eflags = 2 | EFLAGS_CF,
			      .eax = 0x0a0a0a0a, .ecx = 0x0c0c0c0c, .edx = 0x0d0d0d0d, .ebx = 0x0b0b0b0b,
			      .esp = (uint32_t)(uintptr_t)&other_stack[60], .ebp = 0x0e0e0e0e, .esi = 0x05050505,
			      .edi = 0x0f0f0f0f, .es = KERNEL_DATA, .cs = KERNEL_CODE, .ss = KERNEL_DATA,
			      .ds = KERNEL_DATA, .fs = KERNEL_DATA, .gs = KERNEL_DATA, .iomap = sizeof(other) << 16 };
	gdt[TSS_OTHER / 8] = descriptor((uint32_t)(uintptr_t)&other, TSS_LIMIT, 0x89);
	exits_tss.cr3 = cr3;
	exits_task_skip = skip;
	exits_task_jump = jump;
	memset(exits_task_out, 0, sizeof(exits_task_out));
}

/* What the other task found, and what was saved of this one. `at`: where this task was left. */
static void check_task(const char *name, uint32_t at, uint32_t nt, uint32_t pushed)
{
	static const char *const names[] = { "task's EAX", "task's ECX", "task's EDX", "task's EBX", "task's ESP",
		"task's EBP", "task's ESI", "task's EDI", "task's EFLAGS", "task's TR", "task's CR0.TS", "error code" };
	uint32_t top = (uint32_t)(uintptr_t)&other_stack[60] - (pushed != 0 ? 4u : 0);
	const uint32_t want[] = { 0x0a0a0a0a, 0x0c0c0c0c, 0x0d0d0d0d, 0x0b0b0b0b, top, 0x0e0e0e0e, 0x05050505,
				  0x0f0f0f0f, 2 | EFLAGS_CF | nt, TSS_OTHER, CR0_TS, pushed };

	__asm__ volatile("clts");
	exits_task_out[10] &= CR0_TS;
	for (unsigned int i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		exits_equal(name, names[i], exits_task_out[i], want[i]);
	}
	exits_equal(name, "back link", other.link & 0xffff, nt != 0 ? TSS_MAIN : 0);
	exits_equal(name, "saved EIP", exits_tss.eip - (uint32_t)(uintptr_t)exits_hole - exits_task_skip, at);
	exits_equal(name, "saved EAX", exits_tss.eax, exits_in.eax);
	exits_equal(name, "saved EDI", exits_tss.edi, exits_in.edi);
	exits_equal(name, "saved ESP", exits_tss.esp, exits_in.esp);
	exits_equal(name, "this task's descriptor", (uint32_t)(gdt[TSS_MAIN / 8] >> 40) & 0xff, 0x8b);
	exits_equal(name, "other task's descriptor", (uint32_t)(gdt[TSS_OTHER / 8] >> 40) & 0xff, 0x89);
}

static void by_instruction(void)
{
	exits_fresh();
	prepare(0, false);
	exits_run(0x9a, 0, 0, 0, 0, TSS_OTHER, 0);
	check_task("CALL of a task", 7, EFLAGS_NT, 0);
	exits_check("CALL of a task");
	exits_fresh();
	prepare(0, true);
	exits_run(0xea, 0, 0, 0, 0, TSS_OTHER, 0);
	check_task("JMP to a task", 7, 0, 0);
	exits_check("JMP to a task");
}

/* A vector's gate leads to the task while the code runs. */
static void through_gate(const char *name, uint8_t vector, const uint8_t *code, unsigned int length, uint32_t skip,
			 uint32_t at)
{
	uint64_t old = *gate(vector);

	exits_fresh();
	exits_in.ecx = 0x1b0000;
	prepare(skip, false);
	*gate(vector) = (uint64_t)GATE_TASK << 32 | TSS_OTHER << 16;
	exits_run_bytes(code, length, false);
	*gate(vector) = old;
	check_task(name, at, EFLAGS_NT, 0);
}

static void by_gate(void)
{
	through_gate("task gate, UD2", UD, CODE(0x0f, 0x0b), 2, 0);
	exits_check("task gate, UD2");
	through_gate("task gate, INT n", SOFT, CODE(0xcd, SOFT), 0, 2);
	exits_check("task gate, INT n");
	apic_put(APIC_ICR, APIC_SELF | IRQ);
	through_gate("task gate, interrupt", IRQ, CODE(0xfb, 0x90, 0x90), 0, 2);
	exits_want.eflags |= EFLAGS_IF;
	exits_check("task gate, interrupt");
	apic_put(APIC_EOI, 0);
}

/* The error code is on the other task's stack; its IRET must find the stack as it was. */
static void with_error(void)
{
	uint64_t old = *gate(NP);

	exits_fresh();
	exits_in.eax = ABSENT;
	prepare(2, false);
	*gate(NP) = (uint64_t)GATE_TASK << 32 | TSS_OTHER << 16;
	exits_run(0x8e, 0xe0);
	*gate(NP) = old;
	check_task("task gate, absent segment", 0, EFLAGS_NT, ABSENT);
	exits_check("task gate, absent segment");
}

void exits_tasks(void)
{
	by_instruction();
	by_gate();
	with_error();
}
