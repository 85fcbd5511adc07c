/*
 * The hypercall of Ostler's own tools: what there is to see that the Xen ABI has no operation for. Included by the hypervisor and by
 * toolstack/; only fixed-width types, the same for 32-bit and 64-bit callers.
 *
 * Number __HYPERVISOR_arch_7 (55), for Dom0 only: arguments are an operation and the address of its structure. A hypervisor without it,
 * as Xen, answers -ENOSYS. Reading does not stop or slow what is read: totals of a running vCPU may be a moment old.
 */
#ifndef ABI_OSTLER_OP_H
#define ABI_OSTLER_OP_H

#include <stdint.h>

#define OSTLER_OP_NUMBER 55
#define OSTLER_OP_EXIT_KINDS 32         /* room; how many there are is found by asking for their names */

enum ostler_op {
	OSTLER_OP_EXIT_NAME = 1,        /* struct ostler_name: of a kind of exit */
	OSTLER_OP_EVENT_NAME,           /* struct ostler_name: of a kind of trace record */
	OSTLER_OP_STATS,                /* struct ostler_stats */
	OSTLER_OP_TRACE,                /* struct ostler_trace */
	OSTLER_OP_RTC,                  /* struct ostler_rtc */
};

/* -ENOENT: there are not so many. */
struct ostler_name {
	uint32_t index;                 /* in */
	char name[28];
};

#define OSTLER_STATS_ALL 0xffffffffu

/* What a domain, or one of its vCPUs, has done and has. Times are in TSC ticks. */
struct ostler_stats {
	uint32_t domain;                /* in. -ESRCH */
	uint32_t vcpu;                  /* in: number, or OSTLER_STATS_ALL for their sum. -ESRCH */
	uint64_t ioreqs;                /* requests to device models */
	uint64_t exits[OSTLER_OP_EXIT_KINDS];
	uint64_t ticks[OSTLER_OP_EXIT_KINDS]; /* from such an exit to the next entry: answering, waiting, not having the CPU */
	uint64_t leaves[3];             /* mappings of 4 KiB, 2 MiB, 1 GiB in the guest-physical map; of the domain */
	uint64_t tables;                /* frames that the map is made of; of the domain */
};

struct ostler_trace_record {
	uint64_t tsc;
	uint16_t event, domain, vcpu, cpu; /* domain 0xffff: none */
	uint64_t a, b;                  /* of an exit: see below; of others: as the event likes */
};

/* An exit's `a`: the vendor's number, the kind, and the low half of the TSC when the guest had been entered: minus the time of the
 * vCPU's exit before, that is what that one cost. Its `b` is the guest's instruction pointer. */
#define OSTLER_TRACE_EXIT    1          /* event */
#define OSTLER_TRACE_RAW(a)  ((uint32_t)(a) & 0xffff)
#define OSTLER_TRACE_KIND(a) ((uint32_t)((a) >> 16) & 0xff)
#define OSTLER_TRACE_ENTERED(a) ((uint32_t)((a) >> 32))

/* A part of one CPU's ring of records. */
struct ostler_trace {
	uint32_t cpu;                   /* in. -ENOENT: no such CPU */
	uint32_t count;                 /* in: room; out: records copied */
	uint64_t from;                  /* in: running number of the first wanted; out: of the first copied, more if some were lost */
	uint64_t records;               /* in: address of struct ostler_trace_record[count] */
};

/* What the guest has done to its real-time clock: the next start may want to go on from there. */
struct ostler_rtc {
	uint32_t domain;                /* in. -ESRCH */
	uint32_t unused;
	int64_t moved;                  /* seconds by which the guest has set it forward since its time offset was set */
};

#endif
