/*
 * Text, memory functions and arithmetic of the firmware. Contracts in util.h and mem.h.
 *
 * Owns: port E9h. One CPU prints; the others stay silent.
 */
#include "hvmloader/util.h"

#include "hvmloader/hypercall.h"
#include "hvmloader/layout.h"

void *memcpy(void *dst, const void *src, size_t n)
{
	void *d = dst;

	__asm__ volatile("rep movsb" : "+D"(d), "+S"(src), "+c"(n) : : "memory");
	return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
	char *d = dst;
	const char *s = src;

	if (d <= s || d >= s + n) {
		return memcpy(dst, src, n);
	}
	while (n-- > 0) {
		d[n] = s[n];
	}
	return dst;
}

void *memset(void *dst, int byte, size_t n)
{
	void *d = dst;

	__asm__ volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(byte) : "memory");
	return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;

	for (size_t i = 0; i < n; i++) {
		if (x[i] != y[i]) {
			return x[i] - y[i];
		}
	}
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n] != '\0') {
		n++;
	}
	return n;
}

int strcmp(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return (unsigned char)*a - (unsigned char)*b;
}

uint64_t div64(uint64_t value, uint32_t by, uint32_t *remainder)
{
	uint32_t high = (uint32_t)(value >> 32), low = (uint32_t)value;
	uint32_t quotient_high = high / by, rest = high % by;

	__asm__("divl %2" : "+a"(low), "+d"(rest) : "rm"(by));
	if (remainder != NULL) {
		*remainder = rest;
	}
	return ((uint64_t)quotient_high << 32) | low;
}

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

static void put_char(char c)
{
	outb(PORT_DEBUG, (uint8_t)c);
}

static void put_string(const char *text)
{
	while (*text != '\0') {
		put_char(*text++);
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
		put_char(pad);
	}
	while (n > 0) {
		put_char(digits[--n]);
	}
}

static void put_signed(int64_t value)
{
	if (value < 0) {
		put_char('-');
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
		put_string(va_arg(*args, const char *));
		break;
	case 'c':
		put_char((char)va_arg(*args, int));
		break;
	case 'd':
		put_signed(wide ? va_arg(*args, int64_t) : va_arg(*args, int));
		break;
	case 'u':
	case 'x':
		put_number(wide ? va_arg(*args, uint64_t) : va_arg(*args, unsigned int),
			   *p == 'x' ? 16 : 10, width, pad);
		break;
	default:
		put_char(*p);
		break;
	}
	return p + 1;
}

static void put_format(const char *format, va_list *args)
{
	while (*format != '\0') {
		if (*format == '%' && format[1] != '\0') {
			format = put_conversion(format + 1, args);
		} else {
			put_char(*format++);
		}
	}
}

void print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put_format(format, &args);
	va_end(args);
}

void fatal(const char *format, ...)
{
	va_list args;

	put_string("hvmloader: fatal: ");
	va_start(args, format);
	put_format(format, &args);
	va_end(args);
	put_char('\n');
	hypercall_crash();
}
