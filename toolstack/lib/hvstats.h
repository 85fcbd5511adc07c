/*
 * What guests did: exits by kind, requests to device models, mappings, and the trace rings. Ostler's own hypercall
 * (hv/abi/ostler_op.h). Result everywhere: 0 or a count, or -errno; -ENOSYS on another hypervisor.
 */
#ifndef TOOLSTACK_LIB_HVSTATS_H
#define TOOLSTACK_LIB_HVSTATS_H

#include <stdbool.h>
#include <stdint.h>

#include "hv/abi/ostler_op.h"
#include "toolstack/lib/hvcall.h"

#define HVSTATS_EVENTS 32

/* The hypervisor's names of numbers; unused ones are "". */
struct hvstats_names {
	char exit[OSTLER_OP_EXIT_KINDS][28];
	char event[HVSTATS_EVENTS][28];
	unsigned int nr_exits;
	unsigned int nr_events;
};

int hvstats_names(struct hvcall *hv, struct hvstats_names *names);
/* `vcpu`: a number or OSTLER_STATS_ALL. */
int hvstats_get(struct hvcall *hv, uint32_t domid, uint32_t vcpu, struct ostler_stats *stats);
/*
 * Records of one CPU from *from on into out[max]; *from becomes the number after the last. *lost grows by those that
 * were overwritten. Result: how many; -ENOENT: no such CPU.
 */
int hvstats_trace(struct hvcall *hv, unsigned int cpu, uint64_t *from,
		  struct ostler_trace_record *out, unsigned int max, uint64_t *lost);

#endif
