/* Per-CPU areas (contract in percpu.h). Filled at start-up by the boot CPU, const afterwards. */
#include "core/heap.h"
#include "core/page_alloc.h"
#include "core/percpu.h"
#include "core/sched.h"
#include "core/timer.h"
#include "core/trace.h"
#include "lib/err.h"

struct cpu boot_cpu;
struct cpu *cpus[MAX_CPUS] = { &boot_cpu };
unsigned int cpu_count = 1;

int percpu_fill(struct cpu *c)
{
	int rc = timer_cpu_alloc(c);

	if (!rc) {
		rc = trace_cpu_alloc(c);
	}
	return rc ? rc : sched_cpu_alloc(c);
}

struct cpu *percpu_new(uint32_t apic_id)
{
	struct page *stack;
	struct cpu *c;

	if (cpu_count == MAX_CPUS) {
		return NULL;
	}
	c = heap_new(struct cpu);
	stack = page_alloc(SCHED_STACK_ORDER);
	if (!c || !stack) {
		return NULL;
	}
	c->self = c;
	c->id = cpu_count;
	c->apic_id = apic_id;
	c->stack_top = (uint64_t)page_virt(stack) + (PAGE_SIZE << SCHED_STACK_ORDER);
	cpus[c->id] = c;
	return percpu_fill(c) ? NULL : c;
}

void percpu_commit(void)
{
	cpu_count++;
}
