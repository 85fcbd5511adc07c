/*
 * Counts what each kind of exit costs: time-stamp ticks per operation, less the cost of the loop itself.
 *
 * Under exact instruction counting a tick is an instruction, and the figures repeat to the digit. Runs on any
 * hypervisor that starts a firmware image and has the Xen hypercall page. Rows that need a device model are left out
 * when no IDE controller answers.
 */
#include "tests/guest/rt/rt.h"

#include <xen/version.h>

#define APIC_VERSION   0xfee00030u
#define IOAPIC_SELECT  0xfec00000u
#define HPET_COUNTER   0xfed000f0u
#define VGA_WINDOW     0x000a0000u
#define MSR_APIC_BASE  0x1bu
#define PM_TIMER_RESET 0x1f48u          /* before the firmware moves it */
#define BATCHES        10u

static void op_nothing(void)
{
	__asm__ volatile("" : : : "memory");
}

static void op_cpuid(void)
{
	uint32_t r[4];

	cpuid(0, 0, r);
}

static void op_hypercall(void)
{
	(void)rt_hypercall(__HYPERVISOR_xen_version, XENVER_version, 0, 0, 0, 0);
}

static void op_rdmsr(void)
{
	(void)rdmsr(MSR_APIC_BASE);
}

static void op_pit(void)
{
	(void)inb(0x40);
}

static void op_pic(void)
{
	(void)inb(0x21);
}

static void op_pm_timer(void)
{
	(void)inl(PM_TIMER_RESET);
}

static void op_lapic(void)
{
	(void)mmio_read32(APIC_VERSION);
}

static void op_ioapic(void)
{
	(void)mmio_read32(IOAPIC_SELECT);
}

static void op_hpet(void)
{
	(void)mmio_read32(HPET_COUNTER);
}

static void op_ide(void)
{
	(void)inb(0x1f7);
}

static void op_pci(void)
{
	outl(0xcf8, 0x80000000);
	(void)inl(0xcfc);
}

static void op_vga(void)
{
	(void)*(volatile uint8_t *)VGA_WINDOW;
}

static const struct {
	const char *name;
	void (*op)(void);
	unsigned int turns;
	bool device_model;
} rows[] = {
	{ "cpuid", op_cpuid, 1000, false },
	{ "hypercall", op_hypercall, 1000, false },
	{ "rdmsr", op_rdmsr, 1000, false },
	{ "pit", op_pit, 1000, false },
	{ "pic", op_pic, 1000, false },
	{ "pmtimer", op_pm_timer, 1000, false },
	{ "lapic", op_lapic, 1000, false },
	{ "ioapic", op_ioapic, 1000, false },
	{ "hpet", op_hpet, 1000, false },
	{ "qemu-port", op_ide, 200, true },
	{ "qemu-pci", op_pci, 200, true },
	{ "qemu-mmio", op_vga, 200, true },
};

/* The best of some batches: on a machine whose time is short the host's own interrupts fall into the others. */
static uint32_t measure(void (*op)(void), unsigned int turns)
{
	unsigned int batch = turns / BATCHES;
	uint32_t best = UINT32_MAX;

	op();
	for (unsigned int n = 0; n < BATCHES; n++) {
		uint64_t start = rdtsc();

		for (unsigned int i = 0; i < batch; i++) {
			op();
		}
		uint32_t ticks = (uint32_t)(rdtsc() - start) / batch;

		best = ticks < best ? ticks : best;
	}
	return best;
}

/* The host bridge of the device model's machine. */
static bool has_device_model(void)
{
	outl(0xcf8, 0x80000000);
	return inl(0xcfc) != 0xffffffff;
}

int guest_main(const struct hvm_start_info *info)
{
	uint32_t base = measure(op_nothing, 1000);
	bool dm = has_device_model();

	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].device_model && !dm) {
			continue;
		}
		uint32_t ticks = measure(rows[i].op, rows[i].turns);

		rt_printf("bench: %s %u\n", rows[i].name, ticks > base ? ticks - base : 0);
	}
	rt_puts("bench: OK\n");
	return 0;
}
