/*
 * Reading typed values out of the XML tree with exact complaints. Private to config_*.c.
 *
 * A reader remembers the configuration being filled, the messages, and the element it stands on.
 * Every cx_ function that cannot make sense of a value adds an error naming place, path and what
 * would be accepted, and returns false.
 */
#ifndef TOOLSTACK_CONFIG_READ_H
#define TOOLSTACK_CONFIG_READ_H

#include <stdbool.h>
#include <stdint.h>
#include <libxml/tree.h>

#include "toolstack/config.h"
#include "toolstack/xmlpos.h"

#define CX_PATH_MAX 256

struct cx {
	struct guest_config *cfg;
	struct config_diags *diags;
	struct xmlpos pos;
	char path[CX_PATH_MAX];	 /* of the current element: "domain/devices/disk" */
	struct config_disk *disk;	 /* the one whose children are read; NULL outside */
	struct config_nic *nic;
	struct config_chardev *chr;
	bool hyperv_on;
	bool out_of_memory;
	void **kept; /* strings that live until the document is done */
	size_t nr_kept;
};

/* One accepted word. Lists end with word NULL. */
struct cx_word {
	const char *word;
	int value;
};

/* Position of an attribute's value, or of the element itself when `attr` is NULL or absent. */
struct config_pos cx_where(const struct cx *cx, const xmlNode *node, const char *attr);

void cx_say(struct cx *cx, enum config_severity severity, const xmlNode *node, const char *attr,
	    const char *fmt, ...) __attribute__((format(printf, 5, 6)));
#define cx_error(cx, node, attr, ...) cx_say(cx, CONFIG_ERROR, node, attr, __VA_ARGS__)
#define cx_warn(cx, node, attr, ...) cx_say(cx, CONFIG_WARNING, node, attr, __VA_ARGS__)

/* Value of an attribute without namespace; NULL when absent. Lives until the document is done. */
const char *cx_attr(struct cx *cx, const xmlNode *node, const char *attr);
/* The element's text without blanks around it; "" when empty. Lives until the document is done. */
const char *cx_text(struct cx *cx, const xmlNode *node);
/* The same, an error when empty: NULL then. */
const char *cx_text_needed(struct cx *cx, const xmlNode *node);
/* An attribute that must be there: NULL and an error otherwise. */
const char *cx_attr_needed(struct cx *cx, const xmlNode *node, const char *attr);

/* `attr` NULL means the element's text. An absent attribute leaves *out alone and is fine. */
bool cx_enum(struct cx *cx, const xmlNode *node, const char *attr, const struct cx_word *words,
	     int *out);
bool cx_bool(struct cx *cx, const xmlNode *node, const char *attr, bool *out);
bool cx_number(struct cx *cx, const xmlNode *node, const char *attr, int64_t min, int64_t max,
	       int64_t *out);
/* Text with an optional @unit (default KiB), in KiB rounded up. */
bool cx_memory(struct cx *cx, const xmlNode *node, uint64_t *kib);

/* Replace a string of the configuration. NULL text clears it. */
void cx_keep(struct cx *cx, char **dst, const char *text);

void cx_finish(struct cx *cx);

#endif
