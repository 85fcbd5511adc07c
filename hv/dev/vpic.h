/*
 * The 8259A pair and its edge/level control registers (Intel 8259A data sheet; 82371 for ELCR).
 *
 * Ports 20h/21h, A0h/A1h, 4D0h/4D1h. Caller's lock.
 */
#ifndef DEV_VPIC_H
#define DEV_VPIC_H

#include <stdbool.h>
#include <stdint.h>
#include "dev/vdev.h"

struct vpic_chip {
	uint8_t irr, imr, isr, irq_base, elcr, level;   /* level: state of the input wires */
	uint8_t init_state;             /* next ICW expected, 0: operational */
	uint8_t icw1;
	uint8_t read_isr, poll, auto_eoi, rotate_on_aeoi, special_mask, special_fully_nested;
	uint8_t lowest;                 /* input with the lowest priority */
	uint8_t is_master, intr;        /* intr: level of the chip's INT output */
};

struct vpic_host {
	/* The INTR wire of the pair to the CPUs changed. */
	void (*intr)(void *ctx, bool level);
	void *ctx;
};

struct vpic {
	const struct vpic_host *host;
	struct vpic_chip chip[2];
};

void vpic_init(struct vpic *p, const struct vpic_host *host);
void vpic_reset(struct vpic *p);
enum io_result vpic_io(struct vpic *p, struct io_access *a);
/* An input wire changed. Input 2 of the master is the slave's; setting it does nothing. */
void vpic_set_irq(struct vpic *p, unsigned int irq, bool level);
/* Does an unmasked edge on the wire still wait for its acknowledge cycle? */
bool vpic_waiting(const struct vpic *p, unsigned int irq);
/* Is INTR asserted? */
bool vpic_pending(const struct vpic *p);
/* Interrupt acknowledge cycle: the vector (a spurious IRQ 7 or 15 when nothing is left). */
uint8_t vpic_ack(struct vpic *p);

#endif
