/*
 * Output: tables in virsh's shape, "key: value" lists, JSON, progress.
 *
 * JSON is written as it is said: open, fields, close. A value is an object per line in "lines"
 * mode.
 * Locking: none; writes to stdout (progress: stderr).
 */
#ifndef TOOLSTACK_OUT_H
#define TOOLSTACK_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum out_json_mode {
	OUT_JSON_OFF,
	OUT_JSON_PRETTY, /* one document, indented */
	OUT_JSON_LINES,	 /* one object per line, no array around them */
};

struct out_json {
	FILE *to;
	enum out_json_mode mode;
	unsigned int depth;
	bool first;
};

void out_json_start(struct out_json *json, FILE *to, enum out_json_mode mode);
/* `key` NULL inside arrays and at the top. */
void out_json_object(struct out_json *json, const char *key);
void out_json_array(struct out_json *json, const char *key);
void out_json_close_object(struct out_json *json);
void out_json_close_array(struct out_json *json);
void out_json_string(struct out_json *json, const char *key, const char *value);
void out_json_number(struct out_json *json, const char *key, uint64_t value);
void out_json_bool(struct out_json *json, const char *key, bool value);
void out_json_end(struct out_json *json);

#define OUT_MAX_COLUMNS 8

/*
 * Print rows as virsh does: a header, dashes as wide as the widest row, columns 3 blanks apart.
 * `cells`: nr rows of `columns` strings each, one after the other.
 */
void out_table(const char *const *header, size_t columns, char *const *cells, size_t nr);

/* One line of virsh's dominfo: the key padded to 15, a blank, the value. */
void out_pair(const char *key, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A step of a long command, on a terminal only: "[ 3/14] what", overwritten by the next. */
void out_progress(unsigned int step, unsigned int steps, const char *what);
void out_progress_end(void);

#endif
