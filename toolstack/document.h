/*
 * The saved document of a running guest: what it was created from, brought up to what it is now.
 *
 * What the guest itself can change and the next start shall know: the adjustment of a variable clock. `dumpxml` shows
 * it, a restart begins with it. Owns nothing; the file is build.c's.
 */
#ifndef TOOLSTACK_DOCUMENT_H
#define TOOLSTACK_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "toolstack/lib/hvcall.h"

/*
 * The text of the document in file `path` of domain `domid`, as of now: malloc'd, NUL-terminated. *changed (or NULL):
 * it differs from the file. Result: 0 or -errno. -EINVAL: the file is no document.
 */
int document_now(struct hvcall *hv, uint32_t domid, const char *path, char **text, size_t *len,
		 bool *changed);
/* Write it into the file, if it differs from that; at no time is the file half of one. Result: 0 or -errno. */
int document_update(struct hvcall *hv, uint32_t domid, const char *path);

#endif
