/*
 * L7: start-up. The only place that knows the order.
 */
#include "abi/hypercall.h"
#include "arch/boot/early.h"
#include "arch/bootinfo.h"
#include "arch/cpu/acpi_init.h"
#include "arch/cpu/desc.h"
#include "arch/cpu/identify.h"
#include "arch/cpu/irq_dispatch.h"
#include "arch/cpu/lapic.h"
#include "arch/cpu/nmi_mce.h"
#include "arch/cpu/smp_boot.h"
#include "arch/cpu/time_init.h"
#include "arch/cpu/uart.h"
#include "arch/cpu/vga.h"
#include "arch/hw.h"
#include "core/cmdline.h"
#include "core/console.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/percpu.h"
#include "core/sched.h"
#include "core/selftest.h"
#include "core/smp.h"
#include "core/spinlock.h"
#include "core/time.h"
#include "core/timer.h"
#include "lib/atomic.h"
#include "lib/mem.h"
#include "start.h"

#define CONSOLE_POLL_NS 30000000ull

/* Up-call of arch/boot/head.S: the loader's magic number and the physical address of its information. */
_Noreturn void hv_start(uint32_t magic, uint32_t info);

static struct timer console_timer;
static bool started;                    /* the other CPUs may go to work */

static void poll_console(void *arg)
{
	console_poll();
	timer_set(&console_timer, time_now() + CONSOLE_POLL_NS);
}

static bool console_wanted(const char *name)
{
	return strstr(cmdline.console, name) != NULL;
}

static void add_console(const struct console_device *dev)
{
	if (dev) {
		console_add(dev);
	}
}

/* The first serial line speaks from the start; what the command line says comes later. */
static void start_early_console(void)
{
	add_console(e9_init());
	add_console(uart_init(1));
}

/* A device that comes later gets what was said before it was there. */
static void start_console(void)
{
	if (!console_wanted("com1")) {
		console_remove("com");
		add_console(console_wanted("com2") ? uart_init(2) : NULL);
	}
	if (console_wanted("vga") && !bootinfo.efi_systab) {
		add_console(vga_init());
	}
}

static void start_console_input(void)
{
	if (console_has_input()) {
		timer_init(&console_timer, poll_console, NULL);
		timer_set(&console_timer, time_now() + CONSOLE_POLL_NS);
	}
}

static void parse_cmdline(void)
{
	cmdline_parse(bootinfo.cmdline);
}

static void start_tables(void)
{
	BUG_ON(desc_alloc(&boot_cpu));
	desc_load();
}

static void fill_boot_cpu(void)
{
	BUG_ON(percpu_fill(&boot_cpu));
	boot_cpu.online = true;
}

static void start_vendor(void)
{
	if (virt_init() || virt_cpu_up()) {
		panic_refuse("this machine cannot run guests");
	}
}

static void start_interrupts(void)
{
	hw_irq_enable();
}

static void start_others(void)
{
	log_info("CPUs: %u running", smp_boot_all(cmdline.max_cpus));
}

static void run_selftests(void)
{
	if (cmdline.selftest) {
		selftest_run();
	}
}

static void start_dom0(void)
{
	if (dom0_build()) {
		panic_refuse("Dom0 could not be built");
	}
}

static void panic_on_request(void)
{
	static struct spinlock low = SPINLOCK_INIT(LOCK_DOMCTL), high = SPINLOCK_INIT(LOCK_PAGES);

	if (strcmp(cmdline.panic, "write") == 0) {
		*(volatile uint8_t *)(uintptr_t)hv_start = 0;
	} else if (strcmp(cmdline.panic, "lock") == 0) {
		spin_lock(&high);
		spin_lock(&low);
	} else if (cmdline.panic[0]) {
		panic("asked for on the command line");
	}
}

struct step {
	const char *name;
	void (*fn)(void);
};

static const struct step steps[] = {
	{ "command line", parse_cmdline },
	{ "console", start_console },
	{ "processor", identify_boot },
	{ "processor registers", identify_cpu_init },
	{ "memory", early_memory },
	{ "ACPI", acpi_init },
	/* the 8259s go quiet while LINT0 still listens: a request left pending behind a masked LINT0 would come as an
	 * interrupt without a vector */
	{ "8259s", irq_mask_legacy },
	{ "I/O APICs", irq_init },
	{ "local APIC", lapic_init },
	{ "local APIC registers", lapic_cpu_init },
	{ "machine check", mce_init },
	{ "time", time_init },
	{ "APIC timer", lapic_timer_init },
	{ "APIC timer registers", lapic_timer_cpu_init },
	{ "per-CPU areas", fill_boot_cpu },
	{ "interrupts", start_interrupts },
	{ "vendor", start_vendor },
	{ "other CPUs", start_others },
	{ "self tests", run_selftests },
	{ "hypercalls", hypercall_init },
	{ "console input", start_console_input },
	{ "panic on request", panic_on_request },
	{ "Dom0", start_dom0 },
};

void hv_start(uint32_t magic, uint32_t info)
{
	start_early_console();
	log_info("Ostler %s (%s%s)", OSTLER_VERSION, __VERSION__, DEBUG ? ", debug" : "");
	start_tables();
	early_parse(magic, info);
	for (unsigned int i = 0; i < ARRAY_SIZE(steps); i++) {
		log_debug("start-up: %s", steps[i].name);
		steps[i].fn();
	}
	store_release(&started, true);
	for (unsigned int i = 1; i < cpu_count; i++) {
		smp_kick(i);
	}
	log_info("start-up complete");
	sched_start_cpu();
}

void hv_start_cpu(void)
{
	identify_cpu_init();
	mce_init();
	if (virt_cpu_up() || !smp_boot_report()) {
		hw_stop();
	}
	hw_irq_enable();
	/* Interrupts are served, deferred work waits. */
	while (!load_acquire(&started)) {
		hw_irq_disable();
		if (load_acquire(&started)) {
			break;
		}
		hw_idle();
	}
	hw_irq_enable();
	sched_start_cpu();
}
