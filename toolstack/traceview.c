/* See traceview.h. */
#include "toolstack/traceview.h"

#include <stdlib.h>

/* Stable enough: two records of one CPU never have the same time, and of two CPUs either order will do. */
static int traceview_compare(const void *a, const void *b)
{
	const struct ostler_trace_record *x = a;
	const struct ostler_trace_record *y = b;

	if (x->tsc != y->tsc) {
		return x->tsc < y->tsc ? -1 : 1;
	}
	return (int)x->cpu - (int)y->cpu;
}

void traceview_sort(struct ostler_trace_record *records, size_t nr)
{
	qsort(records, nr, sizeof(*records), traceview_compare);
}

static bool traceview_same_vcpu(const struct ostler_trace_record *a,
				const struct ostler_trace_record *b)
{
	return a->domain == b->domain && a->vcpu == b->vcpu;
}

/* From the exit to the entry that `next` tells of. A gap of 2^32 ticks is too long to tell. */
static uint64_t traceview_cost(const struct ostler_trace_record *exit,
			       const struct ostler_trace_record *next)
{
	uint64_t cost = (uint32_t)(OSTLER_TRACE_ENTERED(next->a) - (uint32_t)exit->tsc);

	if (next->tsc - exit->tsc > UINT32_MAX || cost > next->tsc - exit->tsc) {
		return TRACEVIEW_UNKNOWN;
	}
	return cost;
}

static void traceview_add(struct traceview_kind *k, uint64_t cost)
{
	k->count++;
	if (cost == TRACEVIEW_UNKNOWN) {
		return;
	}
	k->min = k->costed == 0 || cost < k->min ? cost : k->min;
	k->max = cost > k->max ? cost : k->max;
	k->total += cost;
	k->costed++;
}

/* The next exit of the same vCPU; few records lie between. NULL: none. */
static const struct ostler_trace_record *traceview_next(const struct ostler_trace_record *records,
							size_t nr, size_t i)
{
	for (size_t j = i + 1; j < nr; j++) {
		if (records[j].event == OSTLER_TRACE_EXIT &&
		    traceview_same_vcpu(&records[j], &records[i])) {
			return &records[j];
		}
	}
	return NULL;
}

void traceview_costs(const struct ostler_trace_record *records, size_t nr, uint64_t *cost,
		     struct traceview *view)
{
	for (size_t i = 0; i < nr; i++) {
		const struct ostler_trace_record *next = NULL;

		cost[i] = TRACEVIEW_UNKNOWN;
		if (records[i].event != OSTLER_TRACE_EXIT) {
			continue;
		}
		next = traceview_next(records, nr, i);
		if (next != NULL) {
			cost[i] = traceview_cost(&records[i], next);
		}
		traceview_add(&view->kind[OSTLER_TRACE_KIND(records[i].a) % OSTLER_OP_EXIT_KINDS],
			      cost[i]);
	}
}

uint64_t traceview_ns(uint64_t ticks, uint64_t khz)
{
	if (khz == 0) {
		return 0;
	}
	return (uint64_t)((unsigned __int128)ticks * 1000000 / khz);
}
