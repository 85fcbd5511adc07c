/* Dates. Pure. */
#ifndef LIB_CALENDAR_H
#define LIB_CALENDAR_H

#include <stdint.h>

/* Seconds from 1970-01-01 to this UTC date (year with century, month and day from 1). */
uint64_t calendar_seconds(unsigned int year, unsigned int month, unsigned int day, unsigned int hour,
			  unsigned int minute, unsigned int second);
/* The same from the bytes of a CMOS clock: year, month, day, hour, minute, second, and status register B. */
uint64_t calendar_from_cmos(const uint8_t bytes[6], uint8_t status_b);

#endif
