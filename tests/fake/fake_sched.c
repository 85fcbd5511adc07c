/* What control tools do to scheduling, kept as told (fake_hv.c has the rest of the fake scheduler). */
#include "core/percpu.h"
#include "fake/fake_hv.h"

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
