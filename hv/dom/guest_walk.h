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

/* A walk that was made, with the entries it read (guest_copy.c). */
#define WALK_MEMOS 8
#define WALK_MEMO_LEVELS 5
struct walk_memo {
	uint64_t epoch;                         /* of the map (p2m.near_epoch): in another one the pointers mean nothing */
	uint64_t page;                          /* linear address | WALK_* */
	struct walk_regs regs;
	unsigned int levels;                    /* 0: nothing is here */
	const uint64_t *at[WALK_MEMO_LEVELS];   /* the entries, where they are, and what they were */
	uint64_t entry[WALK_MEMO_LEVELS];
	char *bytes;                            /* the page */
};

/* 0, or -EFAULT with r->error filled; -EINVAL when a table lies where there is no memory (r->error too). */
int guest_walk(const struct walk_ops *ops, const struct walk_regs *regs, uint64_t linear,
	       unsigned int flags, struct walk_result *r);

#endif
