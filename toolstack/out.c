/*
 * Output formats. See out.h.
 */
#include "toolstack/out.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

void out_json_start(struct out_json *json, FILE *to, enum out_json_mode mode)
{
	*json = (struct out_json){.to = to, .mode = mode, .first = true};
}

static void out_json_escaped(FILE *to, const char *text)
{
	fputc('"', to);
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\') {
			fprintf(to, "\\%c", *p);
		} else if (*p == '\n') {
			fputs("\\n", to);
		} else if (*p == '\t') {
			fputs("\\t", to);
		} else if (*p < 0x20 || *p == 0x7f) {
			fprintf(to, "\\u%04x", *p);
		} else {
			fputc(*p, to);
		}
	}
	fputc('"', to);
}

/* Before any value: the comma, the line, the key. */
static void out_json_lead(struct out_json *json, const char *key)
{
	if (!json->first) {
		fputc(',', json->to);
	}
	if (json->mode == OUT_JSON_PRETTY && json->depth != 0) {
		fputc('\n', json->to);
		for (unsigned int i = 0; i < json->depth; i++) {
			fputs("  ", json->to);
		}
	}
	if (key != NULL) {
		out_json_escaped(json->to, key);
		fputs(json->mode == OUT_JSON_PRETTY ? ": " : ":", json->to);
	}
	json->first = false;
}

static void out_json_open(struct out_json *json, const char *key, char bracket)
{
	out_json_lead(json, key);
	fputc(bracket, json->to);
	json->depth++;
	json->first = true;
}

static void out_json_close(struct out_json *json, char bracket)
{
	bool empty = json->first;

	json->depth--;
	json->first = false;
	if (json->mode == OUT_JSON_PRETTY && !empty) {
		fputc('\n', json->to);
		for (unsigned int i = 0; i < json->depth; i++) {
			fputs("  ", json->to);
		}
	}
	fputc(bracket, json->to);
}

void out_json_object(struct out_json *json, const char *key)
{
	out_json_open(json, key, '{');
}

void out_json_array(struct out_json *json, const char *key)
{
	/* In lines mode the outermost list is the lines themselves. */
	if (json->mode == OUT_JSON_LINES && json->depth == 0) {
		return;
	}
	out_json_open(json, key, '[');
}

void out_json_close_object(struct out_json *json)
{
	out_json_close(json, '}');
	if (json->mode == OUT_JSON_LINES && json->depth == 0) {
		fputc('\n', json->to);
		json->first = true;
	}
}

void out_json_close_array(struct out_json *json)
{
	if (json->mode == OUT_JSON_LINES && json->depth == 0) {
		return;
	}
	out_json_close(json, ']');
}

void out_json_string(struct out_json *json, const char *key, const char *value)
{
	out_json_lead(json, key);
	if (value == NULL) {
		fputs("null", json->to);
	} else {
		out_json_escaped(json->to, value);
	}
}

void out_json_number(struct out_json *json, const char *key, uint64_t value)
{
	out_json_lead(json, key);
	fprintf(json->to, "%" PRIu64, value);
}

void out_json_bool(struct out_json *json, const char *key, bool value)
{
	out_json_lead(json, key);
	fputs(value ? "true" : "false", json->to);
}

void out_json_end(struct out_json *json)
{
	if (json->mode == OUT_JSON_PRETTY) {
		fputc('\n', json->to);
	}
}

static void out_table_row(const char *const *cells, const size_t *widths, size_t columns)
{
	for (size_t c = 0; c < columns; c++) {
		bool last = c + 1 == columns;

		printf("%s%-*s", c == 0 ? " " : "   ", last ? 0 : (int)widths[c], cells[c]);
	}
	putchar('\n');
}

void out_table(const char *const *header, size_t columns, char *const *cells, size_t nr)
{
	size_t widths[OUT_MAX_COLUMNS] = {0};
	size_t total = 0;

	columns = columns < OUT_MAX_COLUMNS ? columns : OUT_MAX_COLUMNS;
	for (size_t c = 0; c < columns; c++) {
		widths[c] = strlen(header[c]);
		for (size_t r = 0; r < nr; r++) {
			size_t len = strlen(cells[r * columns + c]);

			widths[c] = len > widths[c] ? len : widths[c];
		}
		/* virsh counts the blank before a column and two behind it. */
		total += widths[c] + 3;
	}
	out_table_row(header, widths, columns);
	for (size_t i = 0; i < total; i++) {
		putchar('-');
	}
	putchar('\n');
	for (size_t r = 0; r < nr; r++) {
		out_table_row((const char *const *)cells + r * columns, widths, columns);
	}
}

void out_pair(const char *key, const char *fmt, ...)
{
	va_list args;

	printf("%s:%*s ", key, (int)(14 - strlen(key)) > 0 ? (int)(14 - strlen(key)) : 0, "");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
}

void out_progress(unsigned int step, unsigned int steps, const char *what)
{
	if (isatty(STDERR_FILENO)) {
		fprintf(stderr, "\r\033[K[%2u/%u] %s", step + 1, steps, what);
	}
}

void out_progress_end(void)
{
	if (isatty(STDERR_FILENO)) {
		fputs("\r\033[K", stderr);
	}
}
