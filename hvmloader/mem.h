/*
 * Memory functions of the pure files: the host's in a unit test, mem.c's in the firmware and the micro-guests.
 */
#ifndef HVMLOADER_MEM_H
#define HVMLOADER_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if __STDC_HOSTED__
#include <string.h>
#else
void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
#endif

/* Sum of n bytes, modulo 256. A table with a checksum byte sums to 0. */
static inline uint8_t mem_sum(const void *data, size_t n)
{
	const uint8_t *bytes = data;
	uint8_t sum = 0;

	for (size_t i = 0; i < n; i++) {
		sum = (uint8_t)(sum + bytes[i]);
	}
	return sum;
}

#endif
