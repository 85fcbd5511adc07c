/*
 * A step of the builder: the new guest's share of the CPUs and where its vCPUs run. Does nothing for a document that says
 * nothing about it, so that every hypervisor will do.
 */
#include "toolstack/build.h"

#include <errno.h>
#include <string.h>

#include "toolstack/cpulist.h"
#include "toolstack/lib/hvsched.h"

/* Quota and period of each vCPU as percent of one CPU for all of them; 0: no cap. */
static unsigned int build_cap(const struct guest_config *cfg)
{
	uint64_t period = cfg->cpu_period_us != 0 ? cfg->cpu_period_us : CONFIG_CPU_PERIOD_US;
	uint64_t cap = (uint64_t)cfg->cpu_quota_us * 100 * cfg->max_vcpus / period;

	if (cfg->cpu_quota_us == 0 || cfg->cpu_quota_us >= period) {
		return 0;
	}
	return cap != 0 ? (unsigned int)cap : 1;
}

int build_sched(struct build *b)
{
	const struct guest_config *cfg = b->cfg;
	unsigned int cap = build_cap(cfg);
	char text[CPULIST_TEXT];
	int rc;

	if (cfg->weight != 0 || cap != 0) {
		rc = hvsched_set(b->hv, b->domid, cfg->weight != 0 ? cfg->weight : HVSCHED_KEEP_WEIGHT,
				 cap != 0 ? cap : HVSCHED_KEEP_CAP);
		if (rc != 0) {
			return build_fail(b, rc, "cannot set weight and cap");
		}
	}
	for (unsigned int v = 0; v < cfg->max_vcpus; v++) {
		uint64_t set = cfg->vcpu_pin[v] != 0 ? cfg->vcpu_pin[v] : cfg->cpuset;

		rc = set != 0 ? hvsched_pin(b->hv, b->domid, v, &set, NULL) : 0;
		if (rc != 0) {
			cpulist_text(set, 0, text, sizeof(text));
			return build_fail(b, rc, "cannot pin vCPU %u to CPUs %s", v, text);
		}
	}
	return 0;
}
