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
#define APIC_EOI       0xfee000b0u
#define APIC_SPURIOUS  0xfee000f0u
#define APIC_ICR       0xfee00300u
#define IOAPIC_SELECT  0xfec00000u
#define HPET_COUNTER   0xfed000f0u
#define VGA_WINDOW     0x000a0000u
#define MSR_APIC_BASE  0x1bu
#define MSR_X2APIC_EOI 0x80bu
#define MSR_X2APIC_SELF_IPI 0x83fu
#define X2APIC_ENABLE  0x400u
#define ICR_SELF       0x40000u
#define SELF_VECTOR    0x40u
#define WARM_UP        100u             /* turns of a device model: until its Dom0 has ended what started this guest */
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

/* To itself with interrupts on: it is taken before the next instruction's end, and acknowledged in the handler. */
static void op_self_ipi(void)
{
	mmio_write32(APIC_ICR, ICR_SELF | SELF_VECTOR);
}

static void op_self_ipi_x2apic(void)
{
	wrmsr(MSR_X2APIC_SELF_IPI, SELF_VECTOR);
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

/* ---- what a row needs before it ---- */

static void taken(struct rt_frame *frame)
{
	(void)frame;
	mmio_write32(APIC_EOI, 0);
}

static void taken_x2apic(struct rt_frame *frame)
{
	(void)frame;
	wrmsr(MSR_X2APIC_EOI, 0);
}

static void with_interrupts(void)
{
	mmio_write32(APIC_SPURIOUS, 0x1ff);
	rt_set_handler(SELF_VECTOR, taken);
	rt_irq_on();
}

/* The mode stays: no row after it touches the local APIC's page. */
static void with_x2apic(void)
{
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | X2APIC_ENABLE);
	rt_set_handler(SELF_VECTOR, taken_x2apic);
	rt_irq_on();
}

static const struct {
	const char *name;
	void (*op)(void);
	unsigned int turns;
	bool device_model;
	void (*before)(void);
} rows[] = {
	{ "cpuid", op_cpuid, 1000, false, NULL },
	{ "hypercall", op_hypercall, 1000, false, NULL },
	{ "rdmsr", op_rdmsr, 1000, false, NULL },
	{ "pit", op_pit, 1000, false, NULL },
	{ "pic", op_pic, 1000, false, NULL },
	{ "pmtimer", op_pm_timer, 1000, false, NULL },
	{ "lapic", op_lapic, 1000, false, NULL },
	{ "ioapic", op_ioapic, 1000, false, NULL },
	{ "hpet", op_hpet, 1000, false, NULL },
	{ "self-ipi", op_self_ipi, 1000, false, with_interrupts },
	{ "self-ipi-x2apic", op_self_ipi_x2apic, 1000, false, with_x2apic },
	{ "qemu-port", op_ide, 200, true, NULL },
	{ "qemu-pci", op_pci, 200, true, NULL },
	{ "qemu-mmio", op_vga, 200, true, NULL },
};

/* The best of some batches: on a machine whose time is short the host's own interrupts fall into the others. */
static uint32_t measure(void (*op)(void), unsigned int turns, unsigned int warm_up)
{
	unsigned int batch = turns / BATCHES;
	uint32_t best = UINT32_MAX;

	for (unsigned int i = 0; i <= warm_up; i++) {
		op();
	}
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
	uint32_t base = measure(op_nothing, 1000, 0);
	bool dm = has_device_model();

	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].device_model && !dm) {
			continue;
		}
		if (rows[i].before != NULL) {
			rows[i].before();
		}
		uint32_t ticks = measure(rows[i].op, rows[i].turns, rows[i].device_model ? WARM_UP : 0);

		rt_irq_off();
		rt_printf("bench: %s %u\n", rows[i].name, ticks > base ? ticks - base : 0);
	}
	rt_puts("bench: OK\n");
	return 0;
}
