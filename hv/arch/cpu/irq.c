/*
 * Host interrupts (contract in arch/irq.h): who gets which vector, and when each is acknowledged.
 *
 * Device vectors are Dom0's. An edge interrupt is acknowledged at once; a level one stays in service, so that it
 * cannot come again before Dom0 has looked after its device, until irq_ack_level().
 */
#include "arch/acpi.h"
#include "arch/cpu/irq_dispatch.h"
#include "arch/cpu/lapic.h"
#include "arch/hw.h"
#include "arch/irq.h"
#include "arch/machine.h"
#include "core/counters.h"
#include "core/log.h"
#include "core/percpu.h"
#include "core/smp.h"
#include "core/softirq.h"
#include "core/trace.h"
#include "lib/bitmap.h"

#define IOAPIC_REG_VERSION 1
#define IOAPIC_REG_PINS    0x10
#define IOAPIC_PIN_MASKED  0x10000u

/* Level interrupts in service on a CPU, lowest priority first: only a higher one can arrive meanwhile. The EOI register
 * ends the highest one, so an acknowledgement of a lower one waits until it is the highest. */
struct in_service {
	uint8_t vector[16];
	unsigned int count;
	uint64_t acked[4];
};

static struct in_service in_service[MAX_CPUS];  /* [own CPU, interrupts off] */

void (*irq_dom0_hook)(uint8_t vector, bool level);

/* A vector of a device: Dom0's, or nobody's yet. */
static void device(uint8_t vector)
{
	struct in_service *s = &in_service[this_cpu()->id];
	bool level = lapic_is_level(vector);

	counter_add(COUNTER_IRQ_DEVICE, 1);
	if (!level || !irq_dom0_hook || s->count == sizeof(s->vector)) {
		lapic_eoi();
	} else {
		s->vector[s->count++] = vector;
	}
	if (irq_dom0_hook) {
		irq_dom0_hook(vector, level);
	}
}

static void own(uint8_t vector)
{
	switch (vector) {
	case IRQ_VECTOR_KICK:
		counter_add(COUNTER_IRQ_KICK, 1);
		lapic_eoi();
		break;
	case IRQ_VECTOR_CALL:
		counter_add(COUNTER_IRQ_CALL, 1);
		lapic_eoi();
		smp_handle_call();
		break;
	case IRQ_VECTOR_TIMER:
		counter_add(COUNTER_IRQ_TIMER, 1);
		lapic_eoi();
		softirq_raise(SOFTIRQ_TIMER);
		break;
	case IRQ_VECTOR_ERROR:
		log_warn("local APIC error %x on CPU %u", lapic_error(), this_cpu()->id);
		lapic_eoi();
		break;
	case IRQ_VECTOR_SPURIOUS:
		/* Not in service: never acknowledged. */
		break;
	default:
		lapic_eoi();
		log_warn("unexpected interrupt %x on CPU %u", vector, this_cpu()->id);
		break;
	}
}

void irq_dispatch(uint8_t vector)
{
	struct cpu *c = this_cpu();

	c->irq_depth++;
	trace(TRC_IRQ, 0xffff, 0xffff, vector, 0);
	if (vector <= IRQ_VECTOR_LAST_DEVICE) {
		device(vector);
	} else {
		own(vector);
	}
	c->irq_depth--;
}

bool irq_in_service(uint8_t vector)
{
	return lapic_in_service(vector);
}

void irq_ack_level(uint8_t vector)
{
	struct in_service *s = &in_service[this_cpu()->id];
	uint64_t flags = hw_irq_save();

	for (unsigned int i = 0; i < s->count; i++) {
		if (s->vector[i] == vector) {
			bitmap_set(s->acked, vector);
		}
	}
	while (s->count && bitmap_test(s->acked, s->vector[s->count - 1])) {
		bitmap_clear(s->acked, s->vector[--s->count]);
		lapic_eoi();
	}
	hw_irq_restore(flags);
}

void irq_set_logical_dest(uint32_t ldr, uint32_t dfr)
{
	lapic_set_logical(ldr, dfr);
}

static void mask_ioapic(const struct acpi_ioapic *io)
{
	volatile uint8_t *p = machine_map_device(io->addr.v, 4096);
	unsigned int pins;

	if (!p) {
		return;
	}
	hw_mmio_write32(p, IOAPIC_REG_VERSION);
	pins = (hw_mmio_read32(p + 0x10) >> 16 & 0xff) + 1;
	for (unsigned int i = 0; i < pins; i++) {
		hw_mmio_write32(p, IOAPIC_REG_PINS + 2 * i);
		hw_mmio_write32(p + 0x10, IOAPIC_PIN_MASKED);
	}
	log_info("I/O APIC %u at %lx: GSI %u-%u", io->id, io->addr.v, io->gsi_base, io->gsi_base + pins - 1);
}

void irq_mask_legacy(void)
{
	/* The 8259s: initialised so that a spurious one has a harmless vector, then masked. */
	static const uint8_t init[][2] = { { 0x20, 0x11 }, { 0xa0, 0x11 }, { 0x21, 0x20 }, { 0xa1, 0x28 },
					   { 0x21, 4 },    { 0xa1, 2 },    { 0x21, 1 },    { 0xa1, 1 },
					   { 0x21, 0xff }, { 0xa1, 0xff } };

	for (unsigned int i = 0; i < sizeof(init) / sizeof(init[0]); i++) {
		hw_out8(init[i][0], init[i][1]);
	}
}

void irq_init(void)
{
	for (unsigned int i = 0; i < acpi_info.ioapics; i++) {
		mask_ioapic(&acpi_info.ioapic[i]);
	}
}
