/* The CPUID policy of a domain for the tests of abi/: two leaves. */
#include <stdint.h>
#include <xen/xen.h>
#include "fake/fake_hv.h"
#include "hvm/hvm.h"
#include "lib/err.h"

int hvm_cpu_policy_leaf(struct domain *d, unsigned int i, uint32_t *leaf, uint32_t *subleaf, uint32_t r[4])
{
	if (i >= 2) {
		return -ENOENT;
	}
	*leaf = i;
	*subleaf = XEN_CPUID_NO_SUBLEAF;
	r[0] = i + 10;
	r[1] = r[2] = 0;
	r[3] = fake_counts.cpu_policy;
	return 0;
}

int hvm_cpu_policy_set(struct domain *d, uint32_t leaf, uint32_t subleaf, const uint32_t want[4])
{
	if (want[3] & ~fake_counts.cpu_policy) {
		return -EINVAL;
	}
	fake_counts.cpu_policy = leaf == 1 ? want[3] : fake_counts.cpu_policy;
	return 0;
}
