/*
 * Text on port E9h. Contract in text.h.
 *
 * Owns: the port. One CPU prints; the others stay silent.
 */
#include "hvmloader/text.h"

#include <stdbool.h>

#include "hvmloader/cpu.h"
#include "hvmloader/layout.h"

void text_char(char c)
{
	outb(PORT_DEBUG, (uint8_t)c);
}

void text_string(const char *text)
{
	while (*text != '\0') {
		text_char(*text++);
	}
}

static void put_number(uint64_t value, uint32_t base, unsigned int width, char pad)
{
	char digits[24];
	unsigned int n = 0;
	uint32_t digit;

	do {
		value = div64(value, base, &digit);
		digits[n++] = "0123456789abcdef"[digit];
	} while (value != 0);
	for (unsigned int i = n; i < width; i++) {
		text_char(pad);
	}
	while (n > 0) {
		text_char(digits[--n]);
	}
}

static void put_signed(int64_t value)
{
	if (value < 0) {
		text_char('-');
		value = -value;
	}
	put_number((uint64_t)value, 10, 0, ' ');
}

/* One conversion behind its '%'; the list is passed by address because its type may be an array. */
static const char *put_conversion(const char *p, va_list *args)
{
	char pad = *p == '0' ? '0' : ' ';
	unsigned int width = 0;
	bool wide = false;

	for (; *p >= '0' && *p <= '9'; p++) {
		width = width * 10 + (unsigned int)(*p - '0');
	}
	for (; *p == 'l'; p++) {
		wide = p[-1] == 'l';
	}
	switch (*p) {
	case 's':
		text_string(va_arg(*args, const char *));
		break;
	case 'c':
		text_char((char)va_arg(*args, int));
		break;
	case 'd':
		put_signed(wide ? va_arg(*args, int64_t) : va_arg(*args, int));
		break;
	case 'u':
	case 'x':
	case 'p':
		put_number(wide ? va_arg(*args, uint64_t) : va_arg(*args, unsigned int),
			   *p == 'u' ? 10 : 16, width, pad);
		break;
	default:
		text_char(*p);
		break;
	}
	return p + 1;
}

void text_format(const char *format, va_list *args)
{
	while (*format != '\0') {
		if (*format == '%' && format[1] != '\0') {
			format = put_conversion(format + 1, args);
		} else {
			text_char(*format++);
		}
	}
}
