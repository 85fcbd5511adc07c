/*
 * The formatter: printf's formats into a callback. Pure.
 *
 * Understood: flags "0", "-", "+", " ", "#"; width and precision, also "*"; h hh l ll z t j;
 * d i u x X o p s c %. And %pS: an address as symbol+offset, when the sink can name it. No floating point.
 */
#ifndef LIB_PRINTF_H
#define LIB_PRINTF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/util.h"

struct printf_sink {
	void (*put)(void *ctx, const char *text, size_t len);
	/* Write the name of a code address to buf (terminated); false: unknown. NULL: no symbols. */
	bool (*symbol)(uint64_t addr, char *buf, size_t size);
	void *ctx;
};

void printf_to(const struct printf_sink *sink, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);
/* As snprintf: always terminated (size > 0); returns the length the whole text would have. */
size_t printf_str(char *buf, size_t size, const char *fmt, ...) PRINTF_LIKE(3, 4);
size_t printf_vstr(char *buf, size_t size, const char *fmt, va_list ap) PRINTF_LIKE(3, 0);

#endif
