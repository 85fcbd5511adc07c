/*
 * Level-triggered interrupts through the I/O APIC, from the HPET's first timer: remote IRR, the EOI broadcast and its
 * suppression, the EOI register, and the trip to edge mode that ends an interrupt where there is none. Manuals:
 * "82093AA I/O Advanced Programmable Interrupt Controller"; Intel SDM, "EOI register" and "Suppressing EOI broadcasts".
 */
#include "tests/guest/rt/rt.h"

#define IOAPIC 0xfec00000
#define LAPIC  0xfee00000
#define HPET   0xfed00000
#define PIN    20u
#define VECTOR 0x71
enum { ID_VERSION = 1, RTE = 0x10 + 2 * PIN };
enum { LEVEL = 0x8000, REMOTE_IRR = 0x4000, MASKED = 0x10000 };
enum { VERSION = 0x30, EOI = 0xb0, SPIV = 0xf0, TMR = 0x180, IRR = 0x200 };
enum { SPIV_ON = 0x1ff, SPIV_SUPPRESS = 0x1000, CAN_SUPPRESS = 1 << 24 };
enum { H_CONFIG = 0x10, H_STATUS = 0x20, H_COUNTER = 0xf0, H_T0 = 0x100, H_T0_COMPARE = 0x108 };
enum { T_LEVEL = 2, T_ENABLE = 4, T_32BIT = 0x100 };

static unsigned int taken, quiet_at;

static uint32_t ioapic_get(uint32_t reg)
{
	mmio_write32(IOAPIC, reg);
	return mmio_read32(IOAPIC + 0x10);
}

static void ioapic_put(uint32_t reg, uint32_t value)
{
	mmio_write32(IOAPIC, reg);
	mmio_write32(IOAPIC + 0x10, value);
}

static bool remote_irr(void)
{
	return ioapic_get(RTE) & REMOTE_IRR;
}

/* Is the vector's bit set in the IRR or TMR group? */
static bool bit(uint32_t group)
{
	return mmio_read32(LAPIC + group + VECTOR / 32 * 16) >> VECTOR % 32 & 1;
}

static void quiet(void)
{
	mmio_write32(HPET + H_STATUS, 1);
}

static void on_level(struct rt_frame *frame)
{
	(void)frame;
	taken++;
	RT_CHECK(remote_irr());
	if (taken == quiet_at) {
		quiet();
	}
	mmio_write32(LAPIC + EOI, 0);
}

/* Let the timer match once and wait until its wire is active. */
static void fire(void)
{
	mmio_write32(HPET + H_T0_COMPARE, mmio_read32(HPET + H_COUNTER) + 20000);
	while (!(mmio_read32(HPET + H_STATUS) & 1)) {
	}
}

static void take(void)
{
	rt_irq_on();
	__asm__ volatile("nop; nop; nop");
	rt_irq_off();
}

static void broadcast(void)
{
	ioapic_put(RTE + 1, 0);
	ioapic_put(RTE, LEVEL | VECTOR);
	fire();
	RT_CHECK(bit(IRR) && bit(TMR) && remote_irr());
	/* Active for as long as the source is not quiet: each EOI brings the next. */
	quiet_at = 3;
	while (taken < quiet_at) {
		take();
	}
	take();
	RT_CHECK(taken == 3 && !bit(IRR) && !remote_irr());
	/* Masked it does not come; the level is looked at again when the mask goes. */
	ioapic_put(RTE, MASKED | LEVEL | VECTOR);
	fire();
	RT_CHECK(!bit(IRR) && !remote_irr());
	ioapic_put(RTE, LEVEL | VECTOR);
	RT_CHECK(bit(IRR) && remote_irr());
	quiet_at = 4;
	take();
	RT_CHECK(taken == 4 && !remote_irr());
}

static void suppressed(void)
{
	mmio_write32(LAPIC + SPIV, SPIV_ON | SPIV_SUPPRESS);
	RT_CHECK((ioapic_get(ID_VERSION) & 0xff) >= 0x20);
	quiet_at = 6;
	fire();
	take();
	RT_CHECK(taken == 5 && !bit(IRR) && remote_irr());
	/* Another vector's EOI is not this one's. */
	mmio_write32(IOAPIC + 0x40, VECTOR + 1);
	RT_CHECK(!bit(IRR) && remote_irr());
	mmio_write32(IOAPIC + 0x40, VECTOR);
	RT_CHECK(bit(IRR) && remote_irr());
	take();
	RT_CHECK(taken == 6 && remote_irr());
	mmio_write32(IOAPIC + 0x40, VECTOR);
	RT_CHECK(!bit(IRR) && !remote_irr());
	/* The old way. */
	quiet_at = 7;
	fire();
	take();
	RT_CHECK(taken == 7 && remote_irr());
	ioapic_put(RTE, MASKED | VECTOR);
	ioapic_put(RTE, LEVEL | VECTOR);
	RT_CHECK(!remote_irr() && !bit(IRR));
	mmio_write32(LAPIC + SPIV, SPIV_ON);
}

int guest_main(const struct hvm_start_info *info)
{
	(void)info;
	rt_set_handler(VECTOR, on_level);
	mmio_write32(LAPIC + SPIV, SPIV_ON);
	mmio_write32(HPET + H_T0, PIN << 9 | T_LEVEL | T_ENABLE | T_32BIT);
	mmio_write32(HPET + H_CONFIG, 1);
	broadcast();
	if (mmio_read32(LAPIC + VERSION) & CAN_SUPPRESS) {
		suppressed();
	}
	rt_puts("level: OK\n");
	return 0;
}
