/*
 * A domain's vCPUs: what they do, where they may run, their share of the CPUs. Reads and changes at run time.
 * Result everywhere: 0 or -errno; -ESRCH when there is no such domain or vCPU.
 */
#ifndef TOOLSTACK_LIB_HVSCHED_H
#define TOOLSTACK_LIB_HVSCHED_H

#include <stdbool.h>
#include <stdint.h>

#include "toolstack/lib/hvcall.h"

struct hvsched_vcpu {
	bool online;
	bool blocked;
	bool running;
	unsigned int cpu;
	uint64_t cpu_time_ns;
	uint64_t hard; /* sets of CPUs that exist */
	uint64_t soft;
};

int hvsched_vcpu(struct hvcall *hv, uint32_t domid, unsigned int vcpu, struct hvsched_vcpu *out);
/* NULL: as it is. -EINVAL: no CPU of this machine in the set; -EBUSY: this vCPU stays where it is. */
int hvsched_pin(struct hvcall *hv, uint32_t domid, unsigned int vcpu, const uint64_t *hard,
		const uint64_t *soft);

#define HVSCHED_KEEP_WEIGHT 0
#define HVSCHED_KEEP_CAP    0xffffu
#define HVSCHED_MAX_WEIGHT  65535

/* The domain's weight (256 is usual) and cap (percent of one CPU, 0: none). */
int hvsched_get(struct hvcall *hv, uint32_t domid, unsigned int *weight, unsigned int *cap);
/* The weight goes to every vCPU. */
int hvsched_set(struct hvcall *hv, uint32_t domid, unsigned int weight, unsigned int cap);
int hvsched_vcpu_weight(struct hvcall *hv, uint32_t domid, unsigned int vcpu, unsigned int *weight);
int hvsched_vcpu_set_weight(struct hvcall *hv, uint32_t domid, unsigned int vcpu,
			    unsigned int weight);

#endif
