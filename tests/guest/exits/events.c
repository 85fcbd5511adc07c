/* Exceptions, debug traps, interrupts with their shadows and priorities, NMIs, HLT. */
#include "tests/guest/exits/exits.h"

enum { SOFT = 0x80, LOW = 0x41, HIGH = 0x62, TIMER = 0x73 };
#define UNMAPPED 0xd0000000u            /* main.c leaves it out when there is paging */
#define DR6_RESET 0xffff0ff0u
#define DR7_RESET 0x400u
#define DR6_BS 0x4000u
#define TIMER_SHORT 20000u
#define PAGE_FAULT_WRITE 2u
#define PAGE_FAULT_USER  4u

static uint32_t here(void)
{
	return (uint32_t)(uintptr_t)exits_hole;
}

static uint32_t cr2(void)
{
	uint32_t v;

	__asm__ volatile("mov %%cr2, %0" : "=r"(v));
	return v;
}

static uint32_t dr6(void)
{
	uint32_t v;

	__asm__ volatile("mov %%dr6, %0" : "=r"(v));
	return v;
}

static void set_dr6_dr7(uint32_t six, uint32_t seven)
{
	__asm__ volatile("mov %0, %%dr6; mov %1, %%dr7" : : "r"(six), "r"(seven));
}

static bool intel(void)
{
	uint32_t r[4];

	cpuid(0, 0, r);
	return r[2] == 0x6c65746e;
}

/* ---- exceptions ---- */

static void by_instruction(void)
{
	static const uint32_t bounds[2] = { 0, 1 };

	exits_fresh();
	exits_run(0xcc);
	exits_check_fault("INT3", BP, 0, 1);
	exits_fresh();
	exits_run(0xcd, SOFT);
	exits_check_fault("INT n", SOFT, 0, 2);
	exits_fresh();
	exits_in.eflags |= EFLAGS_OF;
	exits_run(0xce);
	exits_check_fault("INTO", OF, 0, 1);
	exits_fresh();
	exits_in.ecx = 0;
	exits_run(0xf7, 0xf1);
	exits_check_fault("DIV by 0", DE, 0, 0);
	exits_fresh();
	exits_in.esi = (uint32_t)(uintptr_t)bounds;
	exits_in.eax = 7;
	exits_run(0x62, 0x06);
	exits_check_fault("BOUND", BR, 0, 0);
	exits_fresh();
	exits_run_user(0xf4);
	exits_check_fault("HLT in ring 3", GP, 0, 0);
}

static void by_selector(void)
{
	exits_fresh();
	exits_in.eax = 0x1000;
	exits_run(0x8e, 0xe0);
	exits_check_fault("selector outside the table", GP, 0x1000, 0);
	exits_fresh();
	exits_in.eax = ABSENT;
	exits_run(0x8e, 0xe0);
	exits_check_fault("absent segment", NP, ABSENT, 0);
	exits_fresh();
	exits_in.eax = ABSENT;
	exits_run(0x8e, 0xd0);
	exits_check_fault("absent stack segment", SS, ABSENT, 0);
}

static void by_mode(void)
{
	uint32_t old = exits_cr0();

	__asm__ volatile("mov %0, %%cr0" : : "r"(old | CR0_TS));
	exits_new_ambient();
	exits_fresh();
	exits_run(0xd9, 0xd0);
	exits_check_fault("FNOP with CR0.TS", NM, 0, 0);
	__asm__ volatile("mov %0, %%cr0" : : "r"(old | CR0_AM));
	exits_new_ambient();
	exits_fresh();
	exits_in.eflags |= EFLAGS_AC;
	exits_in.esi = (uint32_t)(uintptr_t)&exits_seen + 1;
	exits_run_user(0x8b, 0x06);
	if (exits_taken != 0 || intel()) {      /* QEMU's processor does not check alignment */
		exits_check_fault("alignment", AC, 0, 0);
	}
	__asm__ volatile("mov %0, %%cr0" : : "r"(old));
	exits_new_ambient();
}

static void by_paging(void)
{
	if (!(exits_cr0() & CR0_PG)) {
		return;
	}
	exits_fresh();
	exits_in.esi = UNMAPPED + 0x123;
	exits_run(0x8b, 0x06);
	exits_check_fault("load, page absent", PF, 0, 0);
	exits_equal("load, page absent", "CR2", cr2(), UNMAPPED + 0x123);
	exits_fresh();
	exits_in.edi = UNMAPPED + 0x456;
	exits_in.edx = 0x21;
	exits_run(0x6c);
	exits_check_fault("INSB, page absent", PF, PAGE_FAULT_WRITE, 0);
	exits_equal("INSB, page absent", "CR2", cr2(), UNMAPPED + 0x456);
	exits_fresh();
	exits_in.esi = UNMAPPED + 0x789;
	exits_run_user(0x89, 0x06);
	exits_check_fault("store in ring 3, page absent", PF, PAGE_FAULT_WRITE | PAGE_FAULT_USER, 0);
	exits_equal("store in ring 3, page absent", "CR2", cr2(), UNMAPPED + 0x789);
}

/* ---- debug traps ---- */

static uint32_t step_target;
static unsigned int step_hits, step_inside;

/* Every instruction of the probe comes by here; only what happens in the hole counts. */
static void on_step(struct rt_frame *frame)
{
	uint32_t at = frame->eip - here();

	if (at == step_target) {
		step_hits++;
		exits_equal("single step", "DR6.BS", dr6() & DR6_BS, DR6_BS);
	} else if (at > 0 && at < step_target) {
		step_inside++;
	}
	if (at >= 16 && at <= sizeof(exits_hole)) {
		frame->eflags &= ~EFLAGS_TF;
	}
	set_dr6_dr7(DR6_RESET, DR7_RESET);
}

static void single_steps(void)
{
	static const struct {
		const char *name;
		uint8_t code[7], length;
	} rows[] = {
		{ "step over CPUID", { 0x0f, 0xa2 }, 2 }, { "step over RDMSR", { 0x0f, 0x32 }, 2 },
		{ "step over IN", { 0xe4, 0x21 }, 2 }, { "step over OUT", { 0xe6, 0x80 }, 2 },
		{ "step over a device load", { 0x8b, 0x43, APIC_VERSION }, 3 },
		{ "step over a device store", { 0x89, 0xbb, APIC_TPR, 0, 0, 0 }, 6 },
		{ "step over INSB", { 0x6c }, 1 }, { "step over PAUSE", { 0xf3, 0x90 }, 2 },
		{ "step over WBINVD", { 0x0f, 0x09 }, 2 }, { "step over CLTS", { 0x0f, 0x06 }, 2 },
		{ "step over INVLPG", { 0x0f, 0x01, 0x3b }, 3 }, { "step over MOV from CR0", { 0x0f, 0x20, 0xc0 }, 3 },
		{ "step over MOV from DR0", { 0x0f, 0x21, 0xc0 }, 3 },
	};
	static uint8_t target[4];

	exits_handle(DB, on_step);
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].code[0] == 0xf3 && !intel()) {
			continue;               /* QEMU's PAUSE leaves the trap to the next instruction */
		}
		exits_fresh();
		exits_in.ebx = LAPIC;
		exits_in.ecx = 0x1b;
		exits_in.edx = 0x21;
		exits_in.edi = rows[i].code[0] == 0x6c ? (uint32_t)(uintptr_t)target : 0;
		exits_in.eflags |= EFLAGS_TF;
		step_target = rows[i].length;
		step_hits = step_inside = 0;
		exits_run_bytes(rows[i].code, rows[i].length, false);
		exits_equal(rows[i].name, "traps behind it", step_hits, 1);
		exits_equal(rows[i].name, "traps inside it", step_inside, 0);
		exits_equal(rows[i].name, "EFLAGS", exits_out.eflags, exits_in.eflags & ~EFLAGS_TF);
	}
	exits_handle(DB, exits_on_fault);
}

static void breakpoints(void)
{
	static uint32_t watched;

	__asm__ volatile("mov %0, %%dr0; mov %1, %%dr1" : : "r"(here() + 1), "r"(&watched));
	set_dr6_dr7(DR6_RESET, DR7_RESET | 1);
	exits_fresh();
	exits_run(0x90, 0x90);
	set_dr6_dr7(dr6(), DR7_RESET);
	exits_check_fault("breakpoint", DB, 0, 1);
	exits_equal("breakpoint", "DR6", dr6() & 0xe00f, 1);
	set_dr6_dr7(DR6_RESET, DR7_RESET | 4 | 0xdu << 20);
	exits_fresh();
	exits_in.esi = (uint32_t)(uintptr_t)&watched;
	exits_run(0x89, 0x06, 0x90);
	set_dr6_dr7(dr6(), DR7_RESET);
	exits_check_fault("watched store", DB, 0, 2);
	exits_equal("watched store", "DR6", dr6() & 0xe00f, 2);
	set_dr6_dr7(DR6_RESET, DR7_RESET);
}

/* ---- interrupts ---- */

static uint8_t order[4];
static unsigned int irqs;
static uint32_t irq_at[4];

static void on_irq(struct rt_frame *frame)
{
	if (irqs < sizeof(order)) {
		order[irqs] = (uint8_t)frame->vector;
		irq_at[irqs] = frame->eip - here();
	}
	irqs++;
	apic_put(APIC_EOI, 0);
}

static void self(uint8_t vector)
{
	apic_put(APIC_ICR, APIC_SELF | vector);
}

/* After a run with STI at its begin: this many interrupts, the first at this place. */
static void check_irqs(const char *name, unsigned int count, uint8_t first, uint32_t at)
{
	exits_want.eflags |= EFLAGS_IF;
	exits_check(name);
	exits_equal(name, "count of interrupts", irqs, count);
	exits_equal(name, "first vector", order[0], first);
	exits_equal(name, "place of the first", irq_at[0], at);
	irqs = 0;
}

static void interrupts(void)
{
	exits_fresh();
	self(LOW);
	exits_run(0xfb, 0x90, 0x90);
	check_irqs("STI, one instruction, interrupt", 1, LOW, 2);
	exits_fresh();
	self(LOW);
	exits_run(0xfb, 0xfa, 0x90);
	exits_check("STI, CLI");
	exits_equal("STI, CLI", "count of interrupts", irqs, 0);
	exits_fresh();
	self(HIGH);
	exits_run(0xfb, 0x90, 0x90);
	check_irqs("two interrupts", 2, HIGH, 2);
	exits_equal("two interrupts", "second vector", order[1], LOW);
	exits_equal("two interrupts", "place of the second", irq_at[1], 2);
	apic_put(APIC_TPR, 0x50);
	exits_fresh();
	self(LOW);
	exits_in.ebx = LAPIC;
	exits_in.edi = 0;
	exits_run(0xfb, 0x90, 0x90, 0x89, 0xbb, APIC_TPR, 0, 0, 0, 0x90);
	check_irqs("interrupt held back by the task priority", 1, LOW, 9);
}

static void halts(void)
{
	apic_put(APIC_DIVIDE, 0xb);
	apic_put(APIC_LVT_TIMER, TIMER);
	exits_fresh();
	apic_put(APIC_INITIAL, TIMER_SHORT);
	exits_run(0xfb, 0xf4, 0x90);
	check_irqs("HLT until the timer", 1, TIMER, 2);
	exits_fresh();
	self(LOW);
	exits_run(0xfb, 0xf4, 0x90);
	check_irqs("HLT with an interrupt pending", 1, LOW, 2);
	apic_put(APIC_LVT_TIMER, 0x10000);
}

/* ---- NMI ---- */

static unsigned int nmis, nmi_depth;

static void on_nmi(struct rt_frame *frame)
{
	nmi_depth++;
	exits_equal("NMI", "depth", nmi_depth, 1);
	if (nmis == 0 || intel()) {     /* SVM tells of an IRET before it has run: the second comes with the next exit */
		exits_equal("NMI", "place", frame->eip - here(), 6);
	}
	if (nmis++ == 0) {
		/* the next one waits for the IRET of this one */
		apic_put(APIC_ICR, APIC_NMI);
		(void)apic_get(APIC_VERSION);
		cpuid(0, 0, (uint32_t[4]){ 0 });
	}
	nmi_depth--;
}

static void nmi(void)
{
	nmis = 0;
	exits_handle(NMI, on_nmi);
	exits_fresh();
	exits_in.ebx = LAPIC;
	exits_in.edi = APIC_NMI;
	exits_run(0x89, 0xbb, 0x00, 0x03, 0, 0, 0x90);
	exits_check("NMI");
	/* on SVM an exit or two later */
	cpuid(0, 0, (uint32_t[4]){ 0 });
	outb(0x21, 0xff);
	exits_equal("NMI", "count", nmis, 2);
}

void exits_events(void)
{
	exits_handle(SOFT, exits_on_fault);
	exits_handle(LOW, on_irq);
	exits_handle(HIGH, on_irq);
	exits_handle(TIMER, on_irq);
	by_instruction();
	by_selector();
	by_mode();
	by_paging();
	single_steps();
	breakpoints();
	interrupts();
	halts();
	nmi();
}
