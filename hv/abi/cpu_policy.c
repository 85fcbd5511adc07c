/* A domain's CPUID policy for its toolstack. Contract in cpu_policy.h. */
#include "abi/cpu_policy.h"
#include "abi/args.h"
#include "hvm/hvm.h"
#include "lib/err.h"
#include <xen/domctl.h>

#define MAX_LEAVES 512u                 /* more than any policy has: what a caller may make us read */

int cpu_policy_get(struct hc_call *c, struct domain *d, struct xen_domctl_cpu_policy *p)
{
	uint64_t array = (uintptr_t)p->leaves.p;
	uint32_t n = 0;
	for (;; n++) {
		xen_cpuid_leaf_t leaf;
		uint32_t r[4];
		int rc = hvm_cpu_policy_leaf(d, n, &leaf.leaf, &leaf.subleaf, r);
		if (rc == -ENOENT) {
			break;
		}
		if (rc != 0) {
			return rc;
		}
		if (array == 0) {
			continue;
		}
		if (n >= p->nr_leaves) {
			return -ENOBUFS;
		}
		leaf.a = r[0];
		leaf.b = r[1];
		leaf.c = r[2];
		leaf.d = r[3];
		if (hc_put(c, array + n * sizeof(leaf), &leaf) != 0) {
			return -EFAULT;
		}
	}
	p->nr_leaves = n;
	p->nr_msrs = 0;
	return 0;
}

int cpu_policy_set(struct hc_call *c, struct domain *d, struct xen_domctl_cpu_policy *p)
{
	uint64_t array = (uintptr_t)p->leaves.p;
	p->err_leaf = p->err_subleaf = p->err_msr = ~0u;
	if (p->nr_leaves > MAX_LEAVES || p->nr_msrs != 0) {
		return -EINVAL;
	}
	for (uint32_t i = 0; i < p->nr_leaves; i++) {
		xen_cpuid_leaf_t leaf;
		if (hc_get(c, array + i * sizeof(leaf), &leaf) != 0) {
			return -EFAULT;
		}
		const uint32_t want[4] = { leaf.a, leaf.b, leaf.c, leaf.d };
		int rc = hvm_cpu_policy_set(d, leaf.leaf, leaf.subleaf, want);
		if (rc != 0) {
			p->err_leaf = leaf.leaf;
			p->err_subleaf = leaf.subleaf;
			return rc;
		}
	}
	return 0;
}
