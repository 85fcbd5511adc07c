/*
 * Trace records to sense: exits in order with what each cost, and a summary by kind. Pure.
 *
 * An exit's cost, from leaving the guest to entering it again, stands in the vCPU's next exit record; so records are fed in order
 * of time and come out one later for each vCPU.
 */
#ifndef TOOLSTACK_TRACEVIEW_H
#define TOOLSTACK_TRACEVIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hv/abi/ostler_op.h"

struct traceview_kind {
	uint64_t count;
	uint64_t costed; /* those of them whose cost is known */
	uint64_t total;	 /* ticks, of those */
	uint64_t min;
	uint64_t max;
};

struct traceview {
	struct traceview_kind kind[OSTLER_OP_EXIT_KINDS];
};

#define TRACEVIEW_UNKNOWN UINT64_MAX

/* Oldest first. */
void traceview_sort(struct ostler_trace_record *records, size_t nr);
/*
 * cost[i]: ticks that the exit of record i cost, TRACEVIEW_UNKNOWN when it is no exit or its successor is not there. Sums go
 * into `view`, of exits only. `records` are in order.
 */
void traceview_costs(const struct ostler_trace_record *records, size_t nr, uint64_t *cost,
		     struct traceview *view);
/* Ticks to nanoseconds. */
uint64_t traceview_ns(uint64_t ticks, uint64_t khz);

#endif
