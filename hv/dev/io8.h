/*
 * Byte-wide chips: an access of any size becomes bytes, lowest address first, as the bus does it.
 */
#ifndef DEV_IO8_H
#define DEV_IO8_H

#include "dev/vdev.h"
#include "lib/util.h"

/* One byte at addr; a read fills *value. IO_UNCLAIMED: the chip has nothing there. */
typedef enum io_result (*io8_fn)(void *dev, uint64_t addr, bool write, uint8_t *value);

/* Rare. */
static COLD UNUSED enum io_result io8_run_wide(void *dev, struct io_access *a, io8_fn fn)
{
	enum io_result result = IO_UNCLAIMED;
	uint64_t data = 0;

	for (unsigned int i = 0; i < a->size && i < 8; i++) {
		uint8_t value = a->write ? a->data >> (i * 8) : 0xff;

		if (fn(dev, a->addr + i, a->write, &value) == IO_DONE) {
			result = IO_DONE;
		} else {
			value = 0xff;
		}
		data |= (uint64_t)value << (i * 8);
	}
	if (!a->write && result == IO_DONE) {
		a->data = data;
	}
	return result;
}

/* IO_DONE when at least one byte was claimed; the others read as all ones and drop writes. */
static APART UNUSED enum io_result io8_run(void *dev, struct io_access *a, io8_fn fn)
{
	uint8_t value = a->write ? (uint8_t)a->data : 0xff;
	enum io_result result;

	if (a->size != 1) {
		return io8_run_wide(dev, a, fn);
	}
	result = fn(dev, a->addr, a->write, &value);
	if (!a->write && result == IO_DONE) {
		a->data = value;
	}
	return result;
}

#endif
