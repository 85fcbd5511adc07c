/*
 * Interrupt wires: counts per GSI, so that a wire is active as long as one source holds it.
 *
 * ISA interrupt i and GSI i are one wire with two ends (8259 pin i, I/O APIC pin i), except that
 * ISA interrupt 0 arrives at I/O APIC pin 2; 2 itself is the cascade and cannot be driven.
 */
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/nospec.h"
#include "lib/util.h"
#include "dev/irqline.h"

#define ISA_WIRES      16
#define PCI_DEVICES    32
#define CASCADE        2
#define LEGACY_WIRES   (BIT(0) | BIT(8))

static unsigned int isa_to_gsi(unsigned int isa)
{
	return isa == 0 ? 2 : isa;
}

/* One source of a GSI came or went. */
static void count(struct irqline *l, unsigned int gsi, bool level)
{
	bool before = l->gsi_count[gsi] > 0, after;

	l->gsi_count[gsi] += level ? 1 : -1;
	after = l->gsi_count[gsi] > 0;
	if (before == after) {
		return;
	}
	if (l->ioapic != NULL) {
		vioapic_set_pin(l->ioapic, gsi, after);
	}
	if (l->pic != NULL && gsi < ISA_WIRES) {
		vpic_set_irq(l->pic, gsi == 2 ? 0 : gsi, after);
	}
}

int irqline_set(struct irqline *l, enum irqline_source source, unsigned int gsi, bool level)
{
	bool cut = source == IRQLINE_CHIP && l->legacy_replacement;

	if ((unsigned int)source >= IRQLINE_SOURCES || gsi >= IRQLINE_GSIS || gsi == CASCADE) {
		return -EINVAL;
	}
	gsi = (unsigned int)nospec_index(gsi, IRQLINE_GSIS);
	if (!!(l->source[source] & BIT(gsi)) == level) {
		return 0;
	}
	l->source[source] ^= BIT(gsi);
	if (!cut || !(LEGACY_WIRES & BIT(gsi))) {
		count(l, isa_to_gsi(gsi), level);
	}
	return 0;
}

int irqline_set_isa(struct irqline *l, unsigned int isa, bool level)
{
	return isa < ISA_WIRES ? irqline_set(l, IRQLINE_DM, isa, level) : -EINVAL;
}

int irqline_set_gsi(struct irqline *l, unsigned int gsi, bool level)
{
	return irqline_set(l, IRQLINE_CHIP, gsi, level);
}

void irqline_set_legacy_replacement(struct irqline *l, bool on)
{
	uint64_t held = l->source[IRQLINE_CHIP] & LEGACY_WIRES;

	if (on == l->legacy_replacement) {
		return;
	}
	l->legacy_replacement = on;
	for (unsigned int isa = 0; isa < ISA_WIRES; isa++) {
		if (held & BIT(isa)) {
			count(l, isa_to_gsi(isa), !on);
		}
	}
}

int irqline_set_pci(struct irqline *l, unsigned int dev, unsigned int intx, bool level)
{
	unsigned int wire = (unsigned int)nospec_index_pow2(dev * 4 + intx, PCI_DEVICES * 4);
	unsigned int link = (dev + intx) & 3;
	uint64_t bit = BIT(wire % 64);

	if (dev >= PCI_DEVICES || intx >= 4) {
		return -EINVAL;
	}
	if (!!(l->pci_intx[wire / 64] & bit) == level) {
		return 0;
	}
	l->pci_intx[wire / 64] ^= bit;
	count(l, 16 + ((dev * 4 + dev / 8 + intx) & 31), level);
	l->link_count[link] += level ? 1 : -1;
	if (l->link_isa[link] != 0 && l->link_count[link] == (level ? 1 : 0)) {
		count(l, l->link_isa[link], level);
	}
	return 0;
}

int irqline_set_link(struct irqline *l, unsigned int link, unsigned int isa)
{
	unsigned int old;

	if (link >= 4 || isa >= ISA_WIRES || isa == CASCADE) {
		return -EINVAL;
	}
	link = (unsigned int)nospec_index_pow2(link, 4);
	old = l->link_isa[link];
	if (old == isa) {
		return 0;
	}
	l->link_isa[link] = isa;
	/* An active link takes its request along to the new interrupt. */
	if (l->link_count[link] > 0 && old != 0) {
		count(l, old, false);
	}
	if (l->link_count[link] > 0 && isa != 0) {
		count(l, isa, true);
	}
	return 0;
}

void irqline_init(struct irqline *l, struct vpic *pic, struct vioapic *ioapic)
{
	memset(l, 0, sizeof(*l));
	l->pic = pic;
	l->ioapic = ioapic;
}
