/*
 * I/O APIC, Intel 82093AA register model with the EOI register of its successors (version 20h says so), 48 pins.
 *
 * Messages leave through host->send; remote IRR clears through vioapic_eoi(). Caller's lock.
 */
#ifndef DEV_VIOAPIC_H
#define DEV_VIOAPIC_H

#include <stdbool.h>
#include <stdint.h>
#include "dev/vdev.h"
#include "dev/vlapic.h"

#define VIOAPIC_PINS 48
#define VIOAPIC_BASE 0xfec00000ull

struct vioapic_host {
	void (*send)(void *ctx, const struct apic_msg *msg);
	void *ctx;
};

struct vioapic {
	const struct vioapic_host *host;
	uint8_t select, id, reset_id;
	uint64_t rte[VIOAPIC_PINS];
	uint64_t level;                 /* bit per pin: wire is high */
};

void vioapic_init(struct vioapic *v, const struct vioapic_host *host, uint8_t id);
void vioapic_reset(struct vioapic *v);
/* IOREGSEL at +0, IOWIN at +10h, EOI at +40h; a->addr absolute. */
enum io_result vioapic_mmio(struct vioapic *v, struct io_access *a);
/* The wire of a pin is active or not; polarity is not modelled. Pins out of range are ignored. */
void vioapic_set_pin(struct vioapic *v, unsigned int pin, bool level);
/* The vector of an unmasked pin that sends edges to local APICs, or -1. */
int vioapic_edge_vector(const struct vioapic *v, unsigned int pin);
/* EOI broadcast of a local APIC. */
void vioapic_eoi(struct vioapic *v, uint8_t vector);
/*
 * Pin 0 carries the 8259 pair's INTR. When it is unmasked with delivery mode ExtINT this is true
 * and *msg names the local APICs that take INTR (besides those where vlapic_accepts_pic()).
 */
bool vioapic_extint(const struct vioapic *v, struct apic_msg *msg);

#endif
