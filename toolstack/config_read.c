/*
 * Typed values from the XML tree. See config_read.h.
 */
#include "toolstack/config_read.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CX_LIST_MAX 512

struct config_pos cx_where(const struct cx *cx, const xmlNode *node, const char *attr)
{
	const struct xmlpos_element *e = node->_private;
	const struct xmlpos_attr *a;
	struct config_pos pos = {0, 0};

	if (e == NULL) {
		pos.line = (unsigned int)xmlGetLineNo(node);
		pos.column = 1;
		return pos;
	}
	pos.line = e->at.line;
	pos.column = e->at.column;
	if (attr != NULL) {
		a = xmlpos_attr(&cx->pos, (size_t)(e - cx->pos.elements), attr);
		if (a != NULL) {
			pos.line = a->value_at.line;
			pos.column = a->value_at.column;
		}
	}
	return pos;
}

/* Where the text of an element begins; the element itself when it has none. */
static struct config_pos cx_where_text(const struct cx *cx, const xmlNode *node)
{
	const struct xmlpos_element *e = node->_private;

	if (e == NULL || node->children == NULL) {
		return cx_where(cx, node, NULL);
	}
	return (struct config_pos){e->text_at.line, e->text_at.column};
}

static void cx_vsay(struct cx *cx, enum config_severity severity, struct config_pos pos,
		    const char *attr, const char *fmt, va_list args)
{
	char path[CX_PATH_MAX + 64];
	char *text = NULL;

	snprintf(path, sizeof(path), "%s%s%s", cx->path, attr != NULL ? "@" : "",
		 attr != NULL ? attr : "");
	if (vasprintf(&text, fmt, args) < 0) {
		cx->out_of_memory = true;
		return;
	}
	config_diag_add(cx->diags, severity, pos, path[0] != '\0' ? path : NULL, "%s", text);
	free(text);
}

void cx_say(struct cx *cx, enum config_severity severity, const xmlNode *node, const char *attr,
	    const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	cx_vsay(cx, severity, cx_where(cx, node, attr), attr, fmt, args);
	va_end(args);
}

/* A complaint about a value: the attribute's, or the element's text. */
static void cx_bad_value(struct cx *cx, const xmlNode *node, const char *attr, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void cx_bad_value(struct cx *cx, const xmlNode *node, const char *attr, const char *fmt, ...)
{
	struct config_pos pos = attr != NULL ? cx_where(cx, node, attr) : cx_where_text(cx, node);
	va_list args;

	va_start(args, fmt);
	cx_vsay(cx, CONFIG_ERROR, pos, attr, fmt, args);
	va_end(args);
}

/* Take charge of a libxml2 string until cx_finish(). */
static const char *cx_own(struct cx *cx, xmlChar *text)
{
	void **grown;

	if (text == NULL) {
		cx->out_of_memory = true;
		return "";
	}
	grown = reallocarray(cx->kept, cx->nr_kept + 1, sizeof(*grown));
	if (grown == NULL) {
		xmlFree(text);
		cx->out_of_memory = true;
		return "";
	}
	cx->kept = grown;
	grown[cx->nr_kept++] = text;
	return (const char *)text;
}

void cx_finish(struct cx *cx)
{
	for (size_t i = 0; i < cx->nr_kept; i++) {
		xmlFree(cx->kept[i]);
	}
	free(cx->kept);
	xmlpos_free(&cx->pos);
	cx->kept = NULL;
	cx->nr_kept = 0;
}

const char *cx_attr(struct cx *cx, const xmlNode *node, const char *attr)
{
	if (xmlHasNsProp(node, (const xmlChar *)attr, NULL) == NULL) {
		return NULL;
	}
	return cx_own(cx, xmlGetNoNsProp(node, (const xmlChar *)attr));
}

const char *cx_text(struct cx *cx, const xmlNode *node)
{
	const char *owned = cx_own(cx, xmlNodeGetContent(node));
	char *text = (char *)(uintptr_t)owned;
	size_t len = strlen(text);

	while (len != 0 && isspace((unsigned char)text[len - 1])) {
		text[--len] = '\0';
	}
	while (isspace((unsigned char)*text)) {
		text++;
	}
	return text;
}

const char *cx_text_needed(struct cx *cx, const xmlNode *node)
{
	const char *text = cx_text(cx, node);

	if (*text == '\0') {
		cx_error(cx, node, NULL, "must not be empty");
		return NULL;
	}
	return text;
}

const char *cx_attr_needed(struct cx *cx, const xmlNode *node, const char *attr)
{
	const char *value = cx_attr(cx, node, attr);

	if (value == NULL || *value == '\0') {
		cx_error(cx, node, attr, "the attribute %s is needed here", attr);
		return NULL;
	}
	return value;
}

/* NULL: the attribute is absent. */
static const char *cx_value(struct cx *cx, const xmlNode *node, const char *attr)
{
	return attr != NULL ? cx_attr(cx, node, attr) : cx_text(cx, node);
}

static void cx_join_words(const struct cx_word *words, char *out, size_t size)
{
	size_t at = 0;

	out[0] = '\0';
	for (; words->word != NULL && at < size; words++) {
		int n = snprintf(out + at, size - at, "%s%s", at != 0 ? ", " : "", words->word);

		at += n > 0 ? (size_t)n : 0;
	}
}

bool cx_enum(struct cx *cx, const xmlNode *node, const char *attr, const struct cx_word *words,
	     int *out)
{
	const char *value = cx_value(cx, node, attr);
	char accepted[CX_LIST_MAX];

	if (value == NULL) {
		return true;
	}
	for (const struct cx_word *w = words; w->word != NULL; w++) {
		if (strcmp(w->word, value) == 0) {
			*out = w->value;
			return true;
		}
	}
	cx_join_words(words, accepted, sizeof(accepted));
	cx_bad_value(cx, node, attr, "'%s' is not supported; accepted: %s", value, accepted);
	return false;
}

bool cx_bool(struct cx *cx, const xmlNode *node, const char *attr, bool *out)
{
	static const struct cx_word words[] = {{"yes", 1}, {"no", 0}, {"on", 1}, {"off", 0}, {0}};
	int value = *out;

	if (!cx_enum(cx, node, attr, words, &value)) {
		return false;
	}
	*out = value != 0;
	return true;
}

bool cx_number(struct cx *cx, const xmlNode *node, const char *attr, int64_t min, int64_t max,
	       int64_t *out)
{
	const char *value = cx_value(cx, node, attr);
	char *end;
	long long number;

	if (value == NULL) {
		return true;
	}
	errno = 0;
	number = strtoll(value, &end, 10);
	if (end == value || *end != '\0' || errno != 0 || number < min || number > max) {
		cx_bad_value(cx, node, attr, "'%s' is not a whole number from %lld to %lld", value,
			     (long long)min, (long long)max);
		return false;
	}
	*out = number;
	return true;
}

struct cx_unit {
	const char *name;
	uint64_t bytes;
};

static const struct cx_unit cx_units[] = {
	{"b", 1},
	{"bytes", 1},
	{"KB", 1000},
	{"k", UINT64_C(1) << 10},
	{"KiB", UINT64_C(1) << 10},
	{"MB", UINT64_C(1000000)},
	{"M", UINT64_C(1) << 20},
	{"MiB", UINT64_C(1) << 20},
	{"GB", UINT64_C(1000000000)},
	{"G", UINT64_C(1) << 30},
	{"GiB", UINT64_C(1) << 30},
	{"TB", UINT64_C(1000000000000)},
	{"T", UINT64_C(1) << 40},
	{"TiB", UINT64_C(1) << 40},
};

/* Size of the element's unit in bytes; 0 after an error. */
static uint64_t cx_unit_bytes(struct cx *cx, const xmlNode *node)
{
	const char *unit = cx_attr(cx, node, "unit");

	if (unit == NULL) {
		return UINT64_C(1) << 10;
	}
	for (size_t i = 0; i < sizeof(cx_units) / sizeof(cx_units[0]); i++) {
		if (strcasecmp(cx_units[i].name, unit) == 0) {
			return cx_units[i].bytes;
		}
	}
	cx_bad_value(cx, node, "unit",
		     "'%s' is not a unit; accepted: b, bytes, KB, k, KiB, MB, M, MiB, GB, G, GiB, "
		     "TB, T, TiB",
		     unit);
	return 0;
}

bool cx_memory(struct cx *cx, const xmlNode *node, uint64_t *kib)
{
	uint64_t unit = cx_unit_bytes(cx, node);
	const char *text = cx_text(cx, node);
	unsigned long long number;
	uint64_t bytes;
	char *end;

	if (unit == 0) {
		return false;
	}
	errno = 0;
	number = strtoull(text, &end, 10);
	if (end == text || *end != '\0' || *text == '-' || errno != 0) {
		cx_bad_value(cx, node, NULL, "'%s' is not a whole number", text);
		return false;
	}
	if (__builtin_mul_overflow(number, unit, &bytes) || bytes > UINT64_MAX - 1023) {
		cx_bad_value(cx, node, NULL, "'%s' is too large", text);
		return false;
	}
	*kib = (bytes + 1023) / 1024;
	return true;
}

void cx_keep(struct cx *cx, char **dst, const char *text)
{
	free(*dst);
	*dst = NULL;
	if (text != NULL) {
		*dst = strdup(text);
		if (*dst == NULL) {
			cx->out_of_memory = true;
		}
	}
}
