/*
 * Memory and string functions for the freestanding build; hosted code uses libc's. Pure.
 *
 * The bulk ones (memcpy, memmove, memset) are in arch/cpu/mem.S. Contracts: ISO C.
 */
#include "lib/mem.h"

/* the function itself, not the compiler's idea of it */
#undef memcmp

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;

	for (size_t i = 0; i < n; i++) {
		if (x[i] != y[i]) {
			return x[i] < y[i] ? -1 : 1;
		}
	}
	return 0;
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n]) {
		n++;
	}
	return n;
}

size_t strlen(const char *s)
{
	return strnlen(s, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (a[i] != b[i]) {
			return (unsigned char)a[i] < (unsigned char)b[i] ? -1 : 1;
		}
		if (!a[i]) {
			break;
		}
	}
	return 0;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c) {
			return (char *)(uintptr_t)s;
		}
		if (!*s) {
			return NULL;
		}
	}
}

char *strstr(const char *hay, const char *needle)
{
	size_t n = strlen(needle);

	for (; *hay || !n; hay++) {
		if (strncmp(hay, needle, n) == 0) {
			return (char *)(uintptr_t)hay;
		}
	}
	return NULL;
}
