/*
 * A domain of this layer: its virtual PC (or none, for Dom0) and what dom/ calls in hvm/.
 *
 * Locking: hvm_state.h says it by member.
 */
#include <stddef.h>
#include <stdint.h>
#include <xen/hvm/params.h>
#include <xen/sched.h>
#include "core/heap.h"
#include "core/time.h"
#include "dom/domain.h"
#include "hvm/hvm.h"
#include "hvm/hvm_pc.h"
#include "hvm/hvm_state.h"
#include "lib/atomic.h"
#include "lib/err.h"

uint64_t hvm_now(const struct domain *d)
{
	return time_now() - d->created_ns;
}

int hvm_domain_init(struct domain *d)
{
	struct hvm_domain *h = heap_new(struct hvm_domain);
	if (h == NULL) {
		return -ENOMEM;
	}
	d->hvm = h;
	h->domain = d;
	spin_init(&h->lock, LOCK_HVM);
	h->has_pc = !(d->flags & DOMF_PRIVILEGED);
	h->lapic_policy = h->has_pc ? VTICK_DELAY : VTICK_MERGE;        /* until the parameter is set */
	hvm_topology_default(d);
	d->hvm_param[HVM_PARAM_TRIPLE_FAULT_REASON] = SHUTDOWN_reboot;
	return h->has_pc ? hvm_pc_init(h) : 0;
}

void hvm_domain_free(struct domain *d)
{
	if (d->hvm != NULL) {
		if (d->hvm->has_pc) {
			hvm_pc_stop(d->hvm);
		}
		heap_free(d->hvm);
		d->hvm = NULL;
	}
}

void hvm_mapcache_invalidate(struct domain *d)
{
	if (!d->hvm->has_pc) {
		return;
	}
	atomic_add(&d->hvm->invalidate_gen, 1u);
	for (unsigned int i = 0; i < d->max_vcpus; i++) {
		struct vcpu *v = READ_ONCE(d->vcpu[i]);
		if (v != NULL) {
			atomic_or(&v->kicked, (uint32_t)VCPU_CHORES);
		}
	}
}

static const struct domain_ops ops = {
	.domain_init = hvm_domain_init,
	.domain_free = hvm_domain_free,
	.vcpu_init = hvm_vcpu_init,
	.vcpu_free = hvm_vcpu_free,
	.upcall = hvm_upcall,
	.vcpu_loop = hvm_vcpu_loop,
};

void hvm_start(void)
{
	domain_ops = &ops;
}
