/*
 * Messages and numbers of the firmware. Contracts in util.h.
 */
#include "hvmloader/util.h"

#include "hvmloader/hypercall.h"
#include "hvmloader/text.h"

static unsigned int digit_value(char c)
{
	if (c >= '0' && c <= '9') {
		return (unsigned int)(c - '0');
	}
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? (unsigned int)(c - 'a') + 10 : 16;
}

uint64_t parse_number(const char *s, const char **end)
{
	unsigned int base = 10;
	uint64_t value = 0;

	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X') && digit_value(s[2]) < 16) {
		base = 16;
		s += 2;
	}
	while (digit_value(*s) < base) {
		value = value * base + digit_value(*s++);
	}
	if (end != NULL) {
		*end = s;
	}
	return value;
}

void print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	text_format(format, &args);
	va_end(args);
}

void fatal(const char *format, ...)
{
	va_list args;

	text_string("hvmloader: fatal: ");
	va_start(args, format);
	text_format(format, &args);
	va_end(args);
	text_char('\n');
	hypercall_crash();
}
