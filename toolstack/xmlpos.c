/*
 * Positions in an XML text. See xmlpos.h.
 */
#include "toolstack/xmlpos.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The reading head. */
struct xmlpos_head {
	const char *at;
	const char *end;
	struct xmlpos_point point;
};

static void xmlpos_step(struct xmlpos_head *h)
{
	if (*h->at == '\n') {
		h->point.line++;
		h->point.column = 1;
	} else {
		h->point.column++;
	}
	h->at++;
}

static void xmlpos_skip(struct xmlpos_head *h, size_t n)
{
	while (n-- != 0 && h->at < h->end) {
		xmlpos_step(h);
	}
}

static bool xmlpos_is(const struct xmlpos_head *h, const char *what)
{
	size_t n = strlen(what);

	return (size_t)(h->end - h->at) >= n && memcmp(h->at, what, n) == 0;
}

static bool xmlpos_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void xmlpos_skip_blank(struct xmlpos_head *h)
{
	while (h->at < h->end && xmlpos_blank(*h->at)) {
		xmlpos_step(h);
	}
}

/* Go behind the next `what`; to the end when there is none. */
static void xmlpos_skip_past(struct xmlpos_head *h, const char *what)
{
	while (h->at < h->end && !xmlpos_is(h, what)) {
		xmlpos_step(h);
	}
	xmlpos_skip(h, strlen(what));
}

static void *xmlpos_grow(void *table, size_t nr, size_t *room, size_t size)
{
	size_t want;
	void *grown;

	if (nr < *room) {
		return table;
	}
	want = *room == 0 ? 64 : *room * 2;
	grown = reallocarray(table, want, size);
	if (grown != NULL) {
		*room = want;
	}
	return grown;
}

static struct xmlpos_attr *xmlpos_new_attr(struct xmlpos *pos)
{
	struct xmlpos_attr *grown =
		xmlpos_grow(pos->attrs, pos->nr_attrs, &pos->room_attrs, sizeof(*grown));

	if (grown == NULL) {
		return NULL;
	}
	pos->attrs = grown;
	return &grown[pos->nr_attrs++];
}

static struct xmlpos_element *xmlpos_new_element(struct xmlpos *pos)
{
	struct xmlpos_element *grown =
		xmlpos_grow(pos->elements, pos->nr_elements, &pos->room_elements, sizeof(*grown));

	if (grown == NULL) {
		return NULL;
	}
	pos->elements = grown;
	return &grown[pos->nr_elements++];
}

static bool xmlpos_name_end(char c)
{
	return xmlpos_blank(c) || c == '=' || c == '/' || c == '>';
}

/* name = "value"; the head stands on the name. */
static int xmlpos_scan_attr(struct xmlpos_head *h, struct xmlpos *pos)
{
	struct xmlpos_attr *attr = xmlpos_new_attr(pos);
	char quote;

	if (attr == NULL) {
		return -ENOMEM;
	}
	attr->name = h->at;
	attr->name_at = h->point;
	while (h->at < h->end && !xmlpos_name_end(*h->at)) {
		xmlpos_step(h);
	}
	attr->name_len = (size_t)(h->at - attr->name);
	xmlpos_skip_blank(h);
	if (h->at == h->end || *h->at != '=') {
		return -EINVAL;
	}
	xmlpos_step(h);
	xmlpos_skip_blank(h);
	if (h->at == h->end || (*h->at != '"' && *h->at != '\'')) {
		return -EINVAL;
	}
	quote = *h->at;
	xmlpos_step(h);
	attr->value_at = h->point;
	while (h->at < h->end && *h->at != quote) {
		xmlpos_step(h);
	}
	if (h->at == h->end) {
		return -EINVAL;
	}
	xmlpos_step(h);
	return 0;
}

/* A start tag; the head stands on the '<'. */
static int xmlpos_scan_tag(struct xmlpos_head *h, struct xmlpos *pos)
{
	struct xmlpos_element *element = xmlpos_new_element(pos);
	size_t nr = 0;
	int rc;

	if (element == NULL) {
		return -ENOMEM;
	}
	element->at = h->point;
	element->first_attr = pos->nr_attrs;
	xmlpos_step(h);
	while (h->at < h->end && !xmlpos_name_end(*h->at)) {
		xmlpos_step(h);
	}
	for (;;) {
		xmlpos_skip_blank(h);
		if (h->at == h->end) {
			return -EINVAL;
		}
		if (*h->at == '>' || *h->at == '/') {
			break;
		}
		rc = xmlpos_scan_attr(h, pos);
		if (rc != 0) {
			return rc;
		}
		nr++;
	}
	xmlpos_skip_past(h, ">");
	element->nr_attrs = nr;
	element->body = h->at;
	xmlpos_skip_blank(h);
	element->text_at = h->point;
	return 0;
}

/* Whatever begins at '<'. */
static int xmlpos_scan_markup(struct xmlpos_head *h, struct xmlpos *pos)
{
	if (xmlpos_is(h, "<!--")) {
		xmlpos_skip(h, 4);
		xmlpos_skip_past(h, "-->");
	} else if (xmlpos_is(h, "<![CDATA[")) {
		xmlpos_skip_past(h, "]]>");
	} else if (xmlpos_is(h, "<?")) {
		xmlpos_skip_past(h, "?>");
	} else if (xmlpos_is(h, "</") || xmlpos_is(h, "<!")) {
		xmlpos_skip_past(h, ">");
	} else {
		return xmlpos_scan_tag(h, pos);
	}
	return 0;
}

int xmlpos_scan(const char *text, size_t len, struct xmlpos *pos)
{
	struct xmlpos_head h = {.at = text, .end = text + len, .point = {1, 1}};
	int rc;

	memset(pos, 0, sizeof(*pos));
	while (h.at < h.end) {
		if (*h.at != '<') {
			xmlpos_step(&h);
			continue;
		}
		rc = xmlpos_scan_markup(&h, pos);
		if (rc != 0) {
			xmlpos_free(pos);
			return rc;
		}
	}
	return 0;
}

void xmlpos_free(struct xmlpos *pos)
{
	free(pos->elements);
	free(pos->attrs);
	memset(pos, 0, sizeof(*pos));
}

const struct xmlpos_attr *xmlpos_attr(const struct xmlpos *pos, size_t element, const char *name)
{
	const struct xmlpos_element *e;
	size_t len = strlen(name);

	if (element >= pos->nr_elements) {
		return NULL;
	}
	e = &pos->elements[element];
	for (size_t i = e->first_attr; i < e->first_attr + e->nr_attrs; i++) {
		if (pos->attrs[i].name_len == len && memcmp(pos->attrs[i].name, name, len) == 0) {
			return &pos->attrs[i];
		}
	}
	return NULL;
}
