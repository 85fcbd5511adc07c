/*
 * The host's local APICs (contract in lapic.h). (Intel SDM, "Advanced Programmable Interrupt Controller".)
 *
 * Registers of one CPU are touched by that CPU only; sending is done with interrupts off, because the xAPIC command
 * register is two writes.
 */
#include "arch/cpu/lapic.h"
#include "arch/cpu/msr_index.h"
#include "arch/hw.h"
#include "arch/irq.h"
#include "arch/machine.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/percpu.h"
#include "core/time.h"
#include "lib/atomic.h"
#include "lib/util.h"

enum {
	REG_ID = 0x20, REG_TPR = 0x80, REG_EOI = 0xb0, REG_LDR = 0xd0, REG_DFR = 0xe0, REG_SPURIOUS = 0xf0,
	REG_ISR = 0x100, REG_TMR = 0x180, REG_ESR = 0x280, REG_LVT_CMCI = 0x2f0, REG_ICR = 0x300, REG_ICR_HIGH = 0x310,
	REG_LVT_TIMER = 0x320, REG_LVT_THERMAL = 0x330, REG_LVT_PMC = 0x340, REG_LVT_LINT0 = 0x350,
	REG_LVT_LINT1 = 0x360, REG_LVT_ERROR = 0x370, REG_TIMER_INIT = 0x380, REG_TIMER_COUNT = 0x390,
	REG_TIMER_DIVIDE = 0x3e0,
};

#define SPURIOUS_ENABLE    0x100u
#define LVT_MASKED         0x10000u
#define LVT_NMI            0x400u
#define LVT_DEADLINE       0x40000u
#define ICR_BUSY           0x1000u
#define ICR_OTHERS         0xc0000u
#define DIVIDE_BY_1        0xbu
#define DIVIDE_BY_16       0x3u
#define CPUID1_ECX_DEADLINE BIT(24)
#define TIMER_MAX_COUNT    0xffffffffu
/* Deadlines further away are taken as this: a too early interrupt only looks again. Guests name any 64-bit time, and one
 * that overflows on its way to TSC ticks would interrupt at once, for ever. */
#define TIMER_FAR_NS       1000000000u

static volatile uint8_t *regs;          /* const after init; NULL in x2APIC mode */
static bool usable;                     /* const after init */
static bool deadline_mode;              /* const after lapic_timer_init() */
static uint64_t timer_khz;              /* const after lapic_timer_init() */

static uint32_t read(unsigned int reg)
{
	return regs ? hw_mmio_read32(regs + reg) : (uint32_t)hw_rdmsr(MSR_X2APIC + reg / 16);
}

static void write(unsigned int reg, uint32_t value)
{
	if (regs) {
		hw_mmio_write32(regs + reg, value);
	} else {
		hw_wrmsr(MSR_X2APIC + reg / 16, value);
	}
}

void lapic_init(void)
{
	uint64_t base = hw_rdmsr(MSR_APIC_BASE);

	if (!(base & APIC_BASE_ENABLE)) {
		base |= APIC_BASE_ENABLE;
		hw_wrmsr(MSR_APIC_BASE, base);
	}
	if (!(base & APIC_BASE_X2APIC)) {
		regs = machine_map_device(base & 0x000ffffffffff000, 4096);
		BUG_ON(!regs);
	}
	boot_cpu.apic_id = lapic_id();
	usable = true;
}

void lapic_cpu_init(void)
{
	uint64_t base = hw_rdmsr(MSR_APIC_BASE);

	/* All CPUs in the boot CPU's mode. */
	if (!regs && !(base & APIC_BASE_X2APIC)) {
		hw_wrmsr(MSR_APIC_BASE, base | APIC_BASE_ENABLE);
		hw_wrmsr(MSR_APIC_BASE, base | APIC_BASE_ENABLE | APIC_BASE_X2APIC);
	}
	write(REG_SPURIOUS, SPURIOUS_ENABLE | IRQ_VECTOR_SPURIOUS);
	write(REG_TPR, 0);
	write(REG_LVT_TIMER, LVT_MASKED | IRQ_VECTOR_TIMER);
	write(REG_LVT_LINT0, LVT_MASKED);
	write(REG_LVT_LINT1, this_cpu() == &boot_cpu ? LVT_NMI : LVT_MASKED);
	write(REG_LVT_ERROR, IRQ_VECTOR_ERROR);
	lapic_error();
	/* Left over from the firmware: a vector in service would block ours. */
	for (unsigned int i = 0; i < 256; i++) {
		bool served = false;

		for (unsigned int w = 0; w < 8; w++) {
			served |= read(REG_ISR + w * 16) != 0;
		}
		if (!served) {
			break;
		}
		lapic_eoi();
	}
}

bool lapic_is_x2apic(void)
{
	return !regs;
}

uint32_t lapic_id(void)
{
	return regs ? read(REG_ID) >> 24 : read(REG_ID);
}

void lapic_eoi(void)
{
	write(REG_EOI, 0);
}

bool lapic_in_service(uint8_t vector)
{
	return read(REG_ISR + vector / 32u * 16) >> (vector % 32) & 1;
}

bool lapic_is_level(uint8_t vector)
{
	return read(REG_TMR + vector / 32u * 16) >> (vector % 32) & 1;
}

uint32_t lapic_error(void)
{
	write(REG_ESR, 0);
	return read(REG_ESR);
}

static void wait_sent(void)
{
	for (unsigned int i = 0; i < 100000 && read(REG_ICR) & ICR_BUSY; i++) {
		hw_pause();
	}
}

void lapic_send(uint32_t apic_id, uint32_t command)
{
	uint64_t flags = hw_irq_save();

	if (regs) {
		wait_sent();
		write(REG_ICR_HIGH, apic_id << 24);
		write(REG_ICR, command);
	} else {
		/* The write is not ordered after earlier stores by itself. */
		fence_full();
		hw_wrmsr(MSR_X2APIC + REG_ICR / 16, (uint64_t)apic_id << 32 | command);
	}
	hw_irq_restore(flags);
}

void lapic_send_others(uint32_t command)
{
	if (usable) {
		lapic_send(0, command | ICR_OTHERS);
	}
}

void lapic_set_logical(uint32_t ldr, uint32_t dfr)
{
	if (regs) {
		write(REG_DFR, dfr | 0x0fffffff);
		write(REG_LDR, ldr & 0xff000000);
	}
}

/* The count register falls at the bus clock: count it against the TSC, which is calibrated by now. */
static uint64_t measure_khz(void)
{
	uint64_t best = 0;

	for (unsigned int try = 0; try < 3; try++) {
		uint64_t t0, t1;
		uint32_t left;

		write(REG_TIMER_INIT, TIMER_MAX_COUNT);
		t0 = time_now();
		while (time_now() - t0 < 5000000) {
			hw_pause();
		}
		left = read(REG_TIMER_COUNT);
		t1 = time_now();
		write(REG_TIMER_INIT, 0);
		/* A delay between the two reads makes it look slower, never faster. */
		best = MAX(best, mul_div_u64(TIMER_MAX_COUNT - left, 1000000, t1 - t0));
	}
	return best;
}

void lapic_timer_init(void)
{
	struct hw_cpuid_regs r;

	hw_cpuid(1, 0, &r);
	deadline_mode = r.ecx & CPUID1_ECX_DEADLINE;
	write(REG_TIMER_DIVIDE, DIVIDE_BY_1);
	if (!deadline_mode) {
		timer_khz = measure_khz();
		BUG_ON(timer_khz == 0);
	}
	log_info("local APIC: %s, timer %s%lu kHz", regs ? "xAPIC" : "x2APIC", deadline_mode ? "by TSC deadline, " : "",
		 deadline_mode ? time_tsc_khz() : timer_khz);
}

void lapic_timer_cpu_init(void)
{
	write(REG_TIMER_DIVIDE, DIVIDE_BY_1);
	write(REG_LVT_TIMER, IRQ_VECTOR_TIMER | (deadline_mode ? LVT_DEADLINE : 0));
	/* The mode must be set before the first deadline is written. */
	fence_full();
}

void machine_timer_arm(uint64_t deadline_ns)
{
	uint64_t now = time_now(), count;

	deadline_ns = MIN(deadline_ns, now + TIMER_FAR_NS);
	if (deadline_mode) {
		hw_wrmsr(MSR_TSC_DEADLINE, deadline_ns ? time_to_tsc(deadline_ns) : 0);
		return;
	}
	if (!deadline_ns) {
		write(REG_TIMER_INIT, 0);
		return;
	}
	count = deadline_ns > now ? (deadline_ns - now) * timer_khz / 1000000 : 0;
	write(REG_TIMER_INIT, (uint32_t)MIN(count + 1, TIMER_MAX_COUNT));
}

void machine_send_ipi(unsigned int cpu, uint8_t vector)
{
	lapic_send(cpus[cpu]->apic_id, LAPIC_ICR_FIXED | LAPIC_ICR_ASSERT | vector);
}
