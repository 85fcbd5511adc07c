/* Small objects: zeroed memory in size classes; larger than a page comes from page_alloc. */
#ifndef CORE_HEAP_H
#define CORE_HEAP_H

#include <stddef.h>
#include "lib/util.h"

void *heap_alloc(size_t size) MUST_CHECK;       /* NULL: none left. Zeroed, 16-byte aligned */
void heap_free(void *p);                        /* NULL is fine */
#define heap_new(type) ((type *)heap_alloc(sizeof(type)))

#endif
