/* What control tools do to scheduling, kept as told, and what they read (fake_hv.c has the rest). */
#include "core/percpu.h"
#include "core/trace.h"
#include "fake/fake_hv.h"
#include "hvm/stats.h"
#include "lib/bug.h"

int sched_set_affinity(struct sched_unit *u, uint64_t hard, uint64_t soft)
{
	if ((hard & MASK(cpu_count)) == 0) {
		return -EINVAL;
	}
	u->hard = hard;
	u->soft = soft;
	return 0;
}

void sched_get_affinity(const struct sched_unit *u, uint64_t *hard, uint64_t *soft)
{
	*hard = u->hard;
	*soft = u->soft;
}

void sched_set_weight(struct sched_unit *u, uint32_t weight) { u->weight = weight; }

void sched_join(struct sched_unit *u, struct sched_group *group)
{
	u->group = group;
	u->weight = 256;
	u->hard = u->soft = SCHED_ANY_CPU;
}

void sched_set_cap(struct sched_group *group, uint32_t percent) { group->cap = percent; }

/* ---- what tools read ---- */

static const struct trace_record fake_records[] = { { .tsc = 10, .id = TRC_EXIT, .domain = 1, .a = 0x7d0072 },
	{ .tsc = 20, .id = TRC_IRQ, .domain = 0xffff }, { .tsc = 30, .id = TRC_EXIT, .domain = 1, .vcpu = 1 } };

/* Three records are left of CPU 0's ring: numbers 100 to 102. */
unsigned int trace_read(unsigned int cpu, uint64_t *from, struct trace_record *out, unsigned int max)
{
	unsigned int n = 0;

	BUG_ON(cpu >= cpu_count);
	*from = MAX(*from, 100u);
	while (n < max && *from + n < 103) {
		out[n] = fake_records[*from + n - 100];
		n++;
	}
	return n;
}

const char *trace_name(unsigned int id) { return id == TRC_EXIT ? "exit" : NULL; }
const char *hvm_stats_kind_name(unsigned int kind) { return kind == 0 ? "a-name-that-is-longer-than-its-room" : NULL; }

void hvm_stats_add(const struct vcpu *v, uint64_t *exits, uint64_t *ticks, uint64_t *ioreqs)
{
	exits[VMEXIT_PIO] += v->id + 1;
	ticks[VMEXIT_PIO] += 100;
	*ioreqs += 1;
}
