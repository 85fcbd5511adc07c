/*
 * Linear to physical for the layers that emulate: guest_copy.c's translation with the current paging mode of v
 * (running here or off its CPU). flags: WALK_*. 0, -EFAULT (r->error is the page-fault code) or -EINVAL.
 */
#ifndef DOM_GUEST_MEM_H
#define DOM_GUEST_MEM_H

#include "dom/guest_walk.h"

struct vcpu;

/* The same with registers that the caller has read already. */
int guest_translate_with(struct vcpu *v, const struct walk_regs *regs, uint64_t linear, unsigned int flags,
			 struct walk_result *r);
int guest_translate(struct vcpu *v, uint64_t linear, unsigned int flags, struct walk_result *r);

#endif
