/*
 * Flight recorder: per-CPU rings of 32-byte records, always on, no locks (each CPU writes its own).
 */
#ifndef CORE_TRACE_H
#define CORE_TRACE_H

#include <stdint.h>

enum trace_id { TRC_NONE, TRC_EXIT, TRC_ENTRY_EVENT, TRC_HYPERCALL, TRC_HYPERCALL_DONE, TRC_IOREQ,
	TRC_SWITCH, TRC_WAKE, TRC_IRQ, TRC_CRASH, TRC_MSR, TRC_EMUL, TRC_IDS };

struct trace_record {
	uint64_t tsc;
	uint16_t id;                    /* enum trace_id */
	uint16_t domain, vcpu, cpu;
	uint64_t a, b;
};

void trace(enum trace_id id, uint16_t domain, uint16_t vcpu, uint64_t a, uint64_t b);
/* Print the newest n records of every CPU (panic, guest_crash, debug key); filter: domain or 0xffff. */
void trace_dump(unsigned int n, uint16_t domain);

/* Give a CPU its ring: -ENOMEM. Start-up. */
struct cpu;
int trace_cpu_alloc(struct cpu *c);

#endif
