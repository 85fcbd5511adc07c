/*
 * A walk of the guest's own page tables (Intel SDM volume 3, "Paging"; AMD APM volume 2, "Page Translation").
 *
 * Pure: reads table entries through a callback. All modes: none, 32-bit, PAE, 4 and 5 levels.
 */
#ifndef DOM_GUEST_WALK_H
#define DOM_GUEST_WALK_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/addr.h"

struct walk_ops {
	/* Read 4 or 8 bytes of guest-physical memory; false: there is none. */
	bool (*read)(void *arg, gpa_t gpa, void *buf, unsigned int size);
	/* Set bits in an entry of 4 or 8 bytes that was just read as `old` (accessed, dirty); may fail silently
	 * when it changed meanwhile. NULL: leave them alone. */
	void (*set)(void *arg, gpa_t gpa, uint64_t old, uint64_t bits, unsigned int size);
	void *arg;
};

struct walk_regs {
	uint64_t cr0, cr3, cr4, efer, rflags;
	uint32_t pkru;          /* 0 unless CR4.PKE */
};

enum {
	WALK_WRITE = 1, WALK_USER = 2, WALK_FETCH = 4,
	WALK_IMPLICIT = 8,      /* system access: SMAP always counts */
	WALK_UNCHECKED = 16     /* the processor has just used the page itself, so it was allowed: present is enough */
};

struct walk_result {
	gpa_t gpa;              /* of the linear address itself */
	uint32_t error;         /* page-fault error code when the walk fails */
	bool user, writable;    /* what the page allows, for caches */
};

/* 0, or -EFAULT with r->error filled; -EINVAL when a table lies where there is no memory (r->error too). */
int guest_walk(const struct walk_ops *ops, const struct walk_regs *regs, uint64_t linear,
	       unsigned int flags, struct walk_result *r);

#endif
