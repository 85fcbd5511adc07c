/* String helpers that libc does not have; hosted and freestanding. Pure. */
#include "lib/mem.h"
#include "lib/checked.h"

bool str_copy(char *dst, const char *src, size_t size)
{
	size_t n = strnlen(src, size);
	bool fits = n < size;

	if (!fits) {
		n = size - 1;
	}
	memcpy(dst, src, n);
	dst[n] = '\0';
	return fits;
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

bool str_to_u64(const char *s, const char **end, uint64_t *value)
{
	uint64_t v = 0;
	int base = 10;

	if (s[0] == '0' && (s[1] | 0x20) == 'x') {
		base = 16;
		s += 2;
	}
	if (digit_value(*s) >= base) {
		return false;
	}
	for (; digit_value(*s) < base; s++) {
		if (mul_overflows(v, (uint64_t)base, &v) || add_overflows(v, (uint64_t)digit_value(*s), &v)) {
			return false;
		}
	}
	*value = v;
	if (end) {
		*end = s;
	}
	return true;
}
