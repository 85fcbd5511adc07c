/*
 * domctl get_cpu_policy and set_cpu_policy: what CPUID tells a domain, as a list of leaves. MSRs have no policy here.
 */
#ifndef ABI_CPU_POLICY_H
#define ABI_CPU_POLICY_H

#include "abi/hypercall.h"

struct xen_domctl_cpu_policy;

/* -ENOBUFS: the caller's array is too small; a null array asks for the size. */
int cpu_policy_get(struct hc_call *c, struct domain *d, struct xen_domctl_cpu_policy *p);
/* The domain is paused and has not run. -EINVAL: a leaf with a feature that the domain may not have (err_leaf and
 * err_subleaf tell), or MSRs. Leaves before that one have taken effect: such a domain is no good any more. That it has not
 * run is the caller's to see to; only its being paused is checked. */
int cpu_policy_set(struct hc_call *c, struct domain *d, struct xen_domctl_cpu_policy *p);

#endif
