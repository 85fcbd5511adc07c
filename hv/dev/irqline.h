/*
 * The interrupt wires of one virtual PC: from devices to 8259 pair, I/O APIC and callbacks.
 *
 * Owns: the level of every GSI and PCI INTx wire (wire-OR counts), PCI links to ISA interrupts.
 * Routing is the one of the Xen HVM machine: PCI (dev, intx) -> GSI 16+((dev*4+dev/8+intx)&31),
 * level; and through link (dev+intx)&3 to the ISA interrupt that set_pci_link_route() named.
 * ISA interrupt i -> 8259 pin i and GSI i, except 0 -> GSI 2.
 * Locking: the domain's interrupt lock, held by the caller for every call.
 */
#ifndef DEV_IRQLINE_H
#define DEV_IRQLINE_H

#include <stdbool.h>
#include <stdint.h>
#include "dev/vpic.h"
#include "dev/vioapic.h"

#define IRQLINE_GSIS 48

/* Who drives a wire: each source has its own level on each wire, the wire is the OR of them. */
enum irqline_source {
	IRQLINE_DM,             /* the device model */
	IRQLINE_CHIP,           /* 8254, RTC, PM1a; HPET legacy replacement cuts off IRQ 0 and 8 */
	IRQLINE_HPET,
	IRQLINE_CALLBACK,       /* event-channel callback of type GSI */
	IRQLINE_SOURCES
};

struct irqline {
	struct vpic *pic;               /* NULL: the machine has none */
	struct vioapic *ioapic;         /* NULL: the machine has none */
	uint64_t pci_intx[2];           /* 32 devices x 4 wires: level of each */
	uint64_t source[IRQLINE_SOURCES]; /* level of each source; bits 0-15 are ISA interrupts */
	bool legacy_replacement;
	uint8_t link_isa[4];            /* PCI link -> ISA interrupt, 0: none */
	uint8_t link_count[4];
	uint8_t gsi_count[IRQLINE_GSIS];
};

void irqline_init(struct irqline *l, struct vpic *pic, struct vioapic *ioapic);
/*
 * -EINVAL for a source, device, wire, link or interrupt out of range; repeats of a level are
 * no-ops.
 */
int irqline_set(struct irqline *l, enum irqline_source source, unsigned int gsi, bool level);
int irqline_set_pci(struct irqline *l, unsigned int dev, unsigned int intx, bool level);
int irqline_set_link(struct irqline *l, unsigned int link, unsigned int isa);
/* irqline_set() by the device model on an ISA interrupt, and by a chip on any wire. */
int irqline_set_isa(struct irqline *l, unsigned int isa, bool level);
int irqline_set_gsi(struct irqline *l, unsigned int gsi, bool level);
/* HPET legacy replacement was switched: the chips' wires on IRQ 0 and 8 are cut or joined again. */
void irqline_set_legacy_replacement(struct irqline *l, bool on);

#endif
