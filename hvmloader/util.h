/*
 * What every impure file of the firmware uses: messages, the end by a crash, numbers out of text; instructions (cpu.h).
 */
#ifndef HVMLOADER_UTIL_H
#define HVMLOADER_UTIL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hvmloader/cpu.h"
#include "hvmloader/mem.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Conversions: text.h. */
__attribute__((format(printf, 1, 2))) void print(const char *format, ...);

/* Say why and crash the domain; does not return. */
_Noreturn __attribute__((format(printf, 1, 2))) void fatal(const char *format, ...);

/*
 * Decimal, or hexadecimal with 0x; *end (may be NULL) points behind. No digits: 0, and *end = s.
 */
uint64_t parse_number(const char *s, const char **end);

/* A guest-physical address below 4 GiB as a pointer: paging is off. */
static inline void *at_phys(uint32_t address)
{
	return (void *)address;
}

#endif
