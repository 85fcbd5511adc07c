/*
 * Flight recorder (contract in trace.h). Each CPU writes its own ring with interrupts as they are: a handler that
 * traces in the middle of a record takes the next slot.
 */
#include "core/heap.h"
#include "core/log.h"
#include "core/percpu.h"
#include "core/trace.h"
#include "arch/hw.h"
#include "lib/atomic.h"
#include "lib/err.h"
#include "lib/util.h"

static const char *const names[TRC_IDS] = {
	[TRC_EXIT] = "exit",
	[TRC_ENTRY_EVENT] = "entry-event",
	[TRC_HYPERCALL] = "hypercall",
	[TRC_HYPERCALL_DONE] = "hypercall-done",
	[TRC_IOREQ] = "ioreq",
	[TRC_SWITCH] = "switch",
	[TRC_WAKE] = "wake",
	[TRC_IRQ] = "irq",
	[TRC_CRASH] = "crash",
	[TRC_MSR] = "msr",
	[TRC_EMUL] = "emul",
};

int trace_cpu_alloc(struct cpu *c)
{
	c->trace = heap_new(struct trace_ring);
	if (!c->trace) {
		return -ENOMEM;
	}
	c->trace->who = TRACE_WHO(0, 0, 0, c->id);
	return 0;
}

uint64_t trace(enum trace_id id, uint16_t domain, uint16_t vcpu, uint64_t a, uint64_t b)
{
	struct cpu *c = hw_cpu_base();
	struct trace_ring *ring = c->trace;
	struct trace_record *r;

	if (!ring) {
		return 0;
	}
	r = &ring->record[ring->next++ & (TRACE_RECORDS - 1)];
	r->tsc = hw_rdtsc();
	r->id = (uint16_t)id;
	r->domain = domain;
	r->vcpu = vcpu;
	r->cpu = (uint16_t)c->id;
	r->a = a;
	r->b = b;
	return r->tsc;
}

const char *trace_name(unsigned int id)
{
	return id != TRC_NONE && id < TRC_IDS ? names[id] : NULL;
}

/* One record is always being written, and counts as lost. */
static uint64_t oldest(uint64_t next)
{
	return next < TRACE_RECORDS ? 0 : next - TRACE_RECORDS + 1;
}

unsigned int trace_read(unsigned int cpu, uint64_t *from, struct trace_record *out, unsigned int max)
{
	const struct trace_ring *ring = cpus[cpu]->trace;
	uint64_t end = load_acquire(&ring->next), at = MAX(*from, oldest(end)), keep;
	unsigned int n = at < end ? (unsigned int)MIN(end - at, (uint64_t)max) : 0, lost;

	for (unsigned int i = 0; i < n; i++) {
		out[i] = ring->record[(at + i) & (TRACE_RECORDS - 1)];
	}
	fence_acquire();
	/* What was overwritten while it was copied is dropped. */
	keep = oldest(READ_ONCE(ring->next));
	lost = keep > at ? (unsigned int)MIN(keep - at, (uint64_t)n) : 0;
	for (unsigned int i = lost; i < n && lost != 0; i++) {
		out[i - lost] = out[i];
	}
	*from = MIN(at + lost, end);
	return n - lost;
}

static void show(const struct trace_record *r)
{
	const char *name = r->id < TRC_IDS && names[r->id] ? names[r->id] : "?";

	if (r->domain == 0xffff) {
		log_err(" %19lu cpu%u %-14s %016lx %016lx", r->tsc, r->cpu, name, r->a, r->b);
	} else {
		log_err(" %19lu cpu%u %-14s %016lx %016lx d%uv%u", r->tsc, r->cpu, name, r->a, r->b, r->domain, r->vcpu);
	}
}

/* The newest n of one CPU that the filter lets through, oldest of them first. */
static void dump_cpu(const struct trace_ring *ring, unsigned int n, uint16_t domain)
{
	uint64_t end = READ_ONCE(ring->next), kept = MIN(end, (uint64_t)TRACE_RECORDS), at = end;
	unsigned int found = 0;

	while (kept-- && found < n) {
		at--;
		found += domain == 0xffff || ring->record[at % TRACE_RECORDS].domain == domain;
	}
	for (; at != end; at++) {
		if (domain == 0xffff || ring->record[at % TRACE_RECORDS].domain == domain) {
			show(&ring->record[at % TRACE_RECORDS]);
		}
	}
}

void trace_dump(unsigned int n, uint16_t domain)
{
	for (unsigned int i = 0; i < MAX_CPUS && cpus[i]; i++) {
		if (cpus[i]->trace) {
			dump_cpu(cpus[i]->trace, n, domain);
		}
	}
}
