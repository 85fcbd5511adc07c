/* Short forms of a guest's accesses for the tests of the chips. */
#ifndef TESTS_FAKE_IO_H
#define TESTS_FAKE_IO_H

#include <check.h>
#include "dev/vdev.h"

typedef enum io_result (*fake_io_fn)(void *dev, struct io_access *a);

static inline uint64_t io_read(fake_io_fn fn, void *dev, uint64_t addr, uint8_t size)
{
	struct io_access a = { .size = size, .addr = addr, .data = 0x5a5a5a5a5a5a5a5aull };

	ck_assert_int_eq(fn(dev, &a), IO_DONE);
	return a.data;
}

static inline void io_write(fake_io_fn fn, void *dev, uint64_t addr, uint8_t size, uint64_t data)
{
	struct io_access a = { .write = true, .size = size, .addr = addr, .data = data };

	ck_assert_int_eq(fn(dev, &a), IO_DONE);
}

static inline enum io_result io_result(fake_io_fn fn, void *dev, bool write, uint64_t addr,
				       uint8_t size, uint64_t data)
{
	struct io_access a = { .write = write, .size = size, .addr = addr, .data = data };

	return fn(dev, &a);
}

#endif
