/*
 * Memory and string functions that pure code may use.
 *
 * Hosted (tests, tools) they are libc's; freestanding they are lib/mem.c's. All follow ISO C.
 * str_copy() is the only one of our own: bounded and always NUL-terminated.
 */
#ifndef LIB_MEM_H
#define LIB_MEM_H

#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

#if __STDC_HOSTED__
#include <string.h>
#else
void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
/* Small copies of a known size become moves; -ffreestanding alone would call a function for each. */
#define memcpy(dst, src, n)  __builtin_memcpy((dst), (src), (n))
#define memset(dst, byte, n) __builtin_memset((dst), (byte), (n))
#define memcmp(a, b, n)      __builtin_memcmp((a), (b), (n))
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strstr(const char *hay, const char *needle);
#endif

/* Copy at most size-1 characters and terminate; returns false when the text was cut. size > 0. */
bool str_copy(char *dst, const char *src, size_t size);

/* Parse an unsigned number (decimal, 0x hex); *end points past it. False: no digit, or overflow. */
bool str_to_u64(const char *s, const char **end, uint64_t *value);

#endif
