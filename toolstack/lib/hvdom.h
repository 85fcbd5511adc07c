/*
 * Control of one domain: the domctl operations, HVM parameters and event channels a toolstack
 * needs.
 * Each function is one hypercall (or two); order and undo belong to the caller.
 * Result everywhere: 0 or -errno; -ESRCH when there is no such domain.
 */
#ifndef TOOLSTACK_LIB_HVDOM_H
#define TOOLSTACK_LIB_HVDOM_H

#include <stdbool.h>
#include <stdint.h>

#include "toolstack/lib/hvcall.h"

struct hvdom_create {
	uint8_t uuid[16];
	unsigned int max_vcpus;
};

/* What a domain is doing, from its getdomaininfo flags. */
enum hvdom_state {
	HVDOM_RUNNING,	/* a vCPU runs now */
	HVDOM_IDLE,	/* all vCPUs wait */
	HVDOM_PAUSED,	/* by a toolstack */
	HVDOM_SHUTDOWN, /* ended by itself; shutdown_code says how */
	HVDOM_DYING,	/* being destroyed */
};

struct hvdom_info {
	uint32_t domid;
	uint8_t uuid[16];
	bool hvm;
	bool paused;
	bool dying;
	bool shutdown;
	unsigned int shutdown_code; /* SHUTDOWN_*, valid when shutdown */
	enum hvdom_state state;
	uint64_t pages;
	uint64_t max_pages;
	uint64_t cpu_time_ns;
	unsigned int online_vcpus;
	unsigned int max_vcpus;
};

/* Create an empty HVM domain with nested paging and the full PC of emulated chips; paused. */
int hvdom_create(struct hvcall *hv, const struct hvdom_create *what, uint32_t *domid);
/* Destroy; returns when the hypervisor has given back what nobody maps any more. */
int hvdom_destroy(struct hvcall *hv, uint32_t domid);
int hvdom_pause(struct hvcall *hv, uint32_t domid);
int hvdom_unpause(struct hvcall *hv, uint32_t domid);
/* Exactly this domain: -ESRCH when it is gone, even if later ones exist. */
int hvdom_info(struct hvcall *hv, uint32_t domid, struct hvdom_info *info);
/* Translate the hypervisor's record. */
void hvdom_info_decode(const struct xen_domctl_getdomaininfo *raw, struct hvdom_info *info);

int hvdom_max_vcpus(struct hvcall *hv, uint32_t domid, unsigned int vcpus);
int hvdom_max_mem(struct hvcall *hv, uint32_t domid, uint64_t kib);
int hvdom_paging_pool(struct hvcall *hv, uint32_t domid, uint64_t bytes);
int hvdom_tsc_mode(struct hvcall *hv, uint32_t domid, uint32_t mode, uint32_t khz);
int hvdom_time_offset(struct hvcall *hv, uint32_t domid, int64_t seconds);
/* By how many seconds the guest has set its RTC forward since then; -ENOSYS on another hypervisor. */
int hvdom_rtc_moved(struct hvcall *hv, uint32_t domid, int64_t *seconds);
/* XEN_DOMCTL_SENDTRIGGER_*: press a button. */
int hvdom_trigger(struct hvcall *hv, uint32_t domid, uint32_t trigger, uint32_t vcpu);
/* End the domain the way the guest itself would: SHUTDOWN_* reason. */
int hvdom_shutdown(struct hvcall *hv, uint32_t domid, unsigned int reason);

int hvdom_param_set(struct hvcall *hv, uint32_t domid, uint32_t index, uint64_t value);
int hvdom_param_get(struct hvcall *hv, uint32_t domid, uint32_t index, uint64_t *value);
/* An event channel in the domain, waiting for domain `remote` to bind. */
int hvdom_evtchn_alloc(struct hvcall *hv, uint32_t domid, uint32_t remote, uint32_t *port);

/*
 * The domain's CPUID policy, as the hypervisor made it: malloc'd array of xen_cpuid_leaf_t. -ENOSYS
 * when the
 * hypervisor does not let it be changed. Setting takes the leaves back; what it refuses is -EINVAL.
 */
int hvdom_cpuid_get(struct hvcall *hv, uint32_t domid, xen_cpuid_leaf_t **leaves, uint32_t *nr);
int hvdom_cpuid_set(struct hvcall *hv, uint32_t domid, const xen_cpuid_leaf_t *leaves, uint32_t nr);

/*
 * Make vCPU 0 start at `entry` in 32-bit protected mode without paging, EBX = `ebx`; the other
 * vCPUs
 * wait for INIT and SIPI. (ABI: start-of-day of PVH and hvmloader.)
 */
int hvdom_start_state(struct hvcall *hv, uint32_t domid, uint32_t entry, uint32_t ebx);

/* "running", "idle", "paused", "shut off", "crashed", "in shutdown" - virsh's words. */
const char *hvdom_state_name(const struct hvdom_info *info);

#endif
