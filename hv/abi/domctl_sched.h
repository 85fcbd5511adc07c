/* The domctl operations about a domain's CPUs and their scheduling; rows of domctl.c's table. */
#ifndef ABI_DOMCTL_SCHED_H
#define ABI_DOMCTL_SCHED_H

#include "abi/hypercall.h"
#include <xen/domctl.h>

int64_t domctl_sched_vcpu_info(struct hc_call *c, struct domain *d, struct xen_domctl *op);
int64_t domctl_sched_get_affinity(struct hc_call *c, struct domain *d, struct xen_domctl *op);
/* Masks that exist on this machine come back. -EINVAL: no CPU left; -EBUSY: Dom0's vCPUs stay where they are. */
int64_t domctl_sched_set_affinity(struct hc_call *c, struct domain *d, struct xen_domctl *op);
/* Weights and the cap, with the credit2 records. -EOPNOTSUPP: another scheduler's, or a cap for one vCPU. */
int64_t domctl_sched_params(struct hc_call *c, struct domain *d, struct xen_domctl *op);

#endif
