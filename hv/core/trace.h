/*
 * Flight recorder: per-CPU rings of 32-byte records, always on, no locks (each CPU writes its own). An exit's
 * record is laid out in abi/ostler_op.h.
 */
#ifndef CORE_TRACE_H
#define CORE_TRACE_H

#include <stdint.h>
#include "core/percpu.h"

enum trace_id { TRC_NONE, TRC_EXIT, TRC_ENTRY_EVENT, TRC_HYPERCALL, TRC_HYPERCALL_DONE, TRC_IOREQ,
	TRC_SWITCH, TRC_WAKE, TRC_IRQ, TRC_CRASH, TRC_MSR, TRC_EMUL, TRC_IDS };

struct trace_record {
	uint64_t tsc;
	union {
		struct {
			uint16_t id;            /* enum trace_id */
			uint16_t domain, vcpu, cpu;
		};
		uint64_t who;                   /* all of them: TRACE_WHO() */
	};
	uint64_t a, b;
};

#define TRACE_WHO(id, domain, vcpu, cpu) \
	((uint64_t)(id) | (uint64_t)(domain) << 16 | (uint64_t)(vcpu) << 32 | (uint64_t)(cpu) << 48)

#define TRACE_RECORDS 2048u             /* power of two */

struct trace_ring {
	uint64_t next;                  /* running count */
	uint64_t who;                   /* const: TRACE_WHO() of this CPU alone */
	struct trace_record record[TRACE_RECORDS];
};

/* Room for the newest record of a CPU whose ring is there. This CPU, interrupts off: for what happens too often for a call. */
static inline struct trace_record *trace_next(const struct cpu *c)
{
	return &c->trace->record[c->trace->next++ & (TRACE_RECORDS - 1)];
}

/* The time that the record carries. */
uint64_t trace(enum trace_id id, uint16_t domain, uint16_t vcpu, uint64_t a, uint64_t b);
/* Copy records of a CPU, from running number *from or the oldest that is left, which *from then is, on. Any CPU; the ring's goes
 * on writing meanwhile. Result: how many. */
unsigned int trace_read(unsigned int cpu, uint64_t *from, struct trace_record *out, unsigned int max);
/* Name of an enum trace_id; NULL: none. */
const char *trace_name(unsigned int id);
/* Print the newest n records of every CPU (panic, guest_crash, debug key); filter: domain or 0xffff. */
void trace_dump(unsigned int n, uint16_t domain);

/* Give a CPU its ring: -ENOMEM. Start-up. */
struct cpu;
int trace_cpu_alloc(struct cpu *c);

#endif
