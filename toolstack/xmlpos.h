/*
 * Where things stand in an XML text: line and column of every start tag, attribute value and text.
 *
 * libxml2's tree knows only lines. This scanner walks the same bytes and lists the start tags in
 * document order, so that element number n of the tree is entry n here. It checks nothing: the
 * caller has the text parsed by libxml2 first and throws it away when it is not well-formed or has
 * a
 * document type declaration. Pure but for the memory of the tables.
 */
#ifndef TOOLSTACK_XMLPOS_H
#define TOOLSTACK_XMLPOS_H

#include <stddef.h>

struct xmlpos_point {
	unsigned int line;
	unsigned int column; /* in bytes, from 1 */
};

struct xmlpos_attr {
	const char *name; /* into the text, with its prefix */
	size_t name_len;
	struct xmlpos_point name_at;
	struct xmlpos_point value_at; /* first byte inside the quotes */
};

struct xmlpos_element {
	struct xmlpos_point at;	     /* of the '<' */
	struct xmlpos_point text_at; /* first byte after the tag that is not white space */
	const char *body; /* first byte after the tag, in the text */
	size_t first_attr;
	size_t nr_attrs;
};

struct xmlpos {
	struct xmlpos_element *elements;
	size_t nr_elements;
	struct xmlpos_attr *attrs;
	size_t nr_attrs;
	/* private: room in the two tables */
	size_t room_elements;
	size_t room_attrs;
};

/* Scan `len` bytes. Result: 0, -ENOMEM, or -EINVAL when the text ends inside a tag. */
int xmlpos_scan(const char *text, size_t len, struct xmlpos *pos);
void xmlpos_free(struct xmlpos *pos);
/* The entry of an attribute of element `element` by its name with prefix, or NULL. */
const struct xmlpos_attr *xmlpos_attr(const struct xmlpos *pos, size_t element, const char *name);

#endif
