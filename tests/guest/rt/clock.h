/*
 * Clocks of the virtual PC for micro-guests that compare them: what runs at which rate, and arithmetic
 * without a 64-bit division. The ACPI timer is the reference; it wraps after 1200 seconds.
 */
#ifndef GUEST_CLOCK_H
#define GUEST_CLOCK_H

#include "tests/guest/rt/rt.h"

#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>

#define PM_TIMER 0xb008
#define PM_HZ    3579545u
#define PIT_HZ   1193182u
#define HPET_HZ  62500000u
#define LAPIC_HZ 1000000000u
#define HPET     0xfed00000
#define LAPIC    0xfee00000

enum { HPET_CONFIG = 0x010, HPET_COUNTER = 0x0f0 };
enum { HPET_T_ENABLE = 4, HPET_T_PERIODIC = 8, HPET_T_SET = 0x40, HPET_T_32BIT = 0x100, HPET_T_FSB = 0x4000 };
enum { LAPIC_EOI = 0xb0, LAPIC_SPIV = 0xf0, LAPIC_LVT_TIMER = 0x320, LAPIC_LVT0 = 0x350, LAPIC_INITIAL = 0x380,
       LAPIC_CURRENT = 0x390, LAPIC_DIVIDE = 0x3e0 };
enum { PIC_MASTER = 0x20, PIC_SLAVE = 0xa0 };
#define VECTOR_MASTER 0x40
#define VECTOR_SLAVE  0x48

/* How many ticks of another clock some ticks of the ACPI timer are. */
static inline uint64_t pm_to(uint32_t pm, uint64_t hz)
{
	return div64(pm * hz, PM_HZ, NULL);
}

static inline uint32_t pm_now(void)
{
	return inl(PM_TIMER);
}

static inline void clock_pm_at_b000(void)
{
	struct xen_hvm_param p = { .domid = DOMID_SELF, .index = HVM_PARAM_ACPI_IOPORTS_LOCATION,
				   .value = 1 };

	RT_CHECK(rt_hypercall(__HYPERVISOR_hvm_op, HVMOP_set_param, (uintptr_t)&p, 0, 0, 0) == 0);
}

static inline uint8_t clock_cmos(uint8_t reg)
{
	outb(0x70, reg);
	return inb(0x71);
}

static inline void clock_cmos_set(uint8_t reg, uint8_t value)
{
	outb(0x70, reg);
	outb(0x71, value);
}

/* The 8259 pair at VECTOR_MASTER and VECTOR_SLAVE, into the boot processor through LINT0; IRQ 0 and 8 on. */
static inline void clock_pic_on(void)
{
	static const uint8_t words[] = { 0x11, VECTOR_MASTER, 0x04, 0x01, 0x11, VECTOR_SLAVE, 0x02, 0x01 };

	for (unsigned int i = 0; i < 8; i++) {
		outb((i < 4 ? PIC_MASTER : PIC_SLAVE) + (i % 4 != 0), words[i]);
	}
	outb(PIC_MASTER + 1, 0xfa);
	outb(PIC_SLAVE + 1, 0xfe);
	mmio_write32(LAPIC + LAPIC_SPIV, 0x1ff);
	mmio_write32(LAPIC + LAPIC_LVT0, 0x700);
}

/* 8254 channel 0 as rate generator. */
static inline void clock_pit_ticks(uint16_t count)
{
	outb(0x43, 0x34);
	outb(0x40, (uint8_t)count);
	outb(0x40, (uint8_t)(count >> 8));
}

/* RTC periodic interrupt; rate 6 is 1024 Hz, each step halves it. */
static inline void clock_rtc_ticks(uint8_t rate)
{
	clock_cmos_set(0x0a, 0x20 | rate);
	clock_cmos_set(0x0b, 0x42);
	clock_cmos(0x0c);
}

/* HPET timer 2, periodic, by message. */
static inline void clock_hpet_ticks(uint8_t vector, uint32_t period)
{
	mmio_write32(HPET + 0x150, vector);
	mmio_write32(HPET + 0x154, LAPIC);
	mmio_write32(HPET + 0x140, HPET_T_ENABLE | HPET_T_PERIODIC | HPET_T_SET | HPET_T_32BIT | HPET_T_FSB);
	mmio_write32(HPET + 0x148, mmio_read32(HPET + HPET_COUNTER) + period);
	mmio_write32(HPET + 0x148, period);
	mmio_write32(HPET + HPET_CONFIG, 1);
}

#endif
