/* Dates (contract in calendar.h; Motorola MC146818A data sheet, "Time, calendar and alarm locations"). */
#include <stdbool.h>
#include "lib/calendar.h"

#define STATUS_B_24H    0x02
#define STATUS_B_BINARY 0x04
#define HOUR_PM         0x80

uint64_t calendar_seconds(unsigned int year, unsigned int month, unsigned int day, unsigned int hour,
			  unsigned int minute, unsigned int second)
{
	uint64_t days;

	/* Count from March, so that the leap day comes last. */
	if (month <= 2) {
		month += 12;
		year--;
	}
	days = 365ull * year + year / 4 - year / 100 + year / 400 + (153 * (month - 3) + 2) / 5 + day - 1;
	/* Days from year 0, March 1st to 1970-01-01. */
	days -= 719468;
	return ((days * 24 + hour) * 60 + minute) * 60 + second;
}

static unsigned int number(uint8_t byte, bool binary)
{
	return binary ? byte : (byte >> 4) * 10u + (byte & 15);
}

uint64_t calendar_from_cmos(const uint8_t bytes[6], uint8_t status_b)
{
	bool binary = status_b & STATUS_B_BINARY, pm = bytes[3] & HOUR_PM;
	unsigned int year = number(bytes[0], binary), hour;

	hour = number(status_b & STATUS_B_24H ? bytes[3] : bytes[3] & ~HOUR_PM, binary);
	if (!(status_b & STATUS_B_24H)) {
		hour = hour % 12 + (pm ? 12 : 0);
	}
	year += year >= 70 ? 1900 : 2000;
	return calendar_seconds(year, number(bytes[1], binary), number(bytes[2], binary), hour,
				number(bytes[4], binary), number(bytes[5], binary));
}
