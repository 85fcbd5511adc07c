/*
 * Messages: level filter, time stamp, one line per call. A trailing newline in the format is optional.
 * No lock of its own: a line is formatted on the caller's stack and written in one piece.
 */
#include "core/cmdline.h"
#include "core/log.h"
#include "core/symtab.h"
#include "core/time.h"
#include "lib/mem.h"
#include "lib/printf.h"

#define LINE_MAX 480

struct line {
	char *text;
	size_t size, len;
};

static void line_put(void *ctx, const char *text, size_t len)
{
	struct line *l = ctx;
	size_t room = l->size - 1 - l->len;

	if (len > room) {
		len = room;
	}
	memcpy(l->text + l->len, text, len);
	l->len += len;
}

void log_format(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct line l = { .text = buf, .size = size };
	struct printf_sink sink = { .put = line_put, .symbol = symtab_name_of, .ctx = &l };

	printf_to(&sink, fmt, ap);
	buf[l.len] = '\0';
}

static const char *const level_mark[] = {
	[LOG_ERR] = "ERROR: ",
	[LOG_WARN] = "warning: ",
	[LOG_INFO] = "",
	[LOG_DEBUG] = "",
};

void log_vat(enum log_level level, const char *fmt, va_list ap)
{
	char text[LINE_MAX];
	uint64_t us = time_now() / 1000;
	size_t n;

	if (level > cmdline.loglevel) {
		return;
	}
	/* Lines that belong to the one before start with a blank: no mark. */
	n = printf_str(text, sizeof(text), "[%5lu.%06lu] %s", us / 1000000, us % 1000000,
		       fmt[0] == ' ' ? "" : level_mark[level]);
	log_format(text + n, sizeof(text) - n - 1, fmt, ap);
	n += strlen(text + n);
	if (text[n - 1] == '\n') {
		n--;
	}
	text[n++] = '\n';
	console_write(text, n);
}

void log_at(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vat(level, fmt, ap);
	va_end(ap);
}
