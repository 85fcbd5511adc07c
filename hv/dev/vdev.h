/*
 * What a device model may ask of the world, and what the world may ask of a device model.
 *
 * Device models are pure: no machine, no current vCPU, no locks, no allocation after init, no log.
 * The caller holds the device's lock around every call; no call blocks.
 */
#ifndef DEV_VDEV_H
#define DEV_VDEV_H

#include <stdbool.h>
#include <stdint.h>

enum io_space { IO_PIO, IO_MMIO, IO_PCI };

/* One access of a guest, already split to at most 8 bytes. */
struct io_access {
	enum io_space space;
	bool write;
	uint8_t size;           /* 1, 2, 4 or 8 bytes */
	uint64_t addr;          /* port, or guest-physical address, or sbdf<<32|register */
	uint64_t data;          /* write: in, zero-extended; read: out, zero-extended to size */
};

enum io_result { IO_DONE, IO_UNCLAIMED };

struct vdev_host {
	/* The domain's time in ns since it was created. */
	uint64_t (*now_ns)(void *ctx);
	/* Arm (or with 0 disarm) the device's timer; ops->timer(dev, id) is called once at it. */
	void (*timer_set)(void *ctx, unsigned int id, uint64_t deadline_ns);
	/* Drive one wire of this device: a GSI (ISA interrupts 0-15 are GSI 0-15). */
	void (*irq_set)(void *ctx, unsigned int gsi, bool level);
	/* Send a message-signalled interrupt. */
	void (*msi_send)(void *ctx, uint64_t addr, uint32_t data);
	/* Does an edge on the wire, or a message, that was sent before still wait for a processor to take it? */
	bool (*irq_waiting)(void *ctx, unsigned int gsi);
	bool (*msi_waiting)(void *ctx, uint64_t addr, uint32_t data);
	void *ctx;
};

#endif
