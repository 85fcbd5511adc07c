/* struct xen_domctl_getdomaininfo, for domctl and sysctl alike. */
#include "abi/domain_info.h"
#include "lib/mem.h"
#include "dom/domain.h"
#include "dom/shared_info.h"
#include <xen/domctl.h>

#define GPADDR_BITS 52

static uint32_t run_flags(struct domain *d, uint32_t *online)
{
	uint32_t flags = XEN_DOMINF_blocked;

	*online = 0;
	for (unsigned int i = 0; i < d->max_vcpus; i++) {
		struct vcpu *v = d->vcpu[i];
		if (!READ_ONCE(v->online)) {
			continue;
		}
		++*online;
		if (!READ_ONCE(v->blocked)) {
			flags &= ~XEN_DOMINF_blocked;
		}
		if (READ_ONCE(v->unit.state) == SCHED_RUNNING) {
			flags |= XEN_DOMINF_running;
		}
	}
	return flags;
}

void domain_info_fill(struct domain *d, struct xen_domctl_getdomaininfo *info)
{
	memset(info, 0, sizeof(*info));
	info->domain = d->id;
	info->flags = run_flags(d, &info->nr_online_vcpus) | XEN_DOMINF_hvm_guest | XEN_DOMINF_hap;
	info->max_vcpu_id = d->max_vcpus - 1u;
	info->cpu_time = domain_run_time(d);
	info->tot_pages = READ_ONCE(d->tot_pages);
	info->max_pages = READ_ONCE(d->max_pages);
	info->shared_info_frame = shared_info_gfn(d).v;
	info->gpaddr_bits = GPADDR_BITS;
	info->arch_config.emulation_flags = d->emulation_flags;
	spin_lock(&d->lock);
	if (d->dying) {
		info->flags |= XEN_DOMINF_dying;
	}
	if (d->shutdown) {
		info->flags |= XEN_DOMINF_shutdown | (uint32_t)d->shutdown_code << XEN_DOMINF_shutdownshift;
	}
	if (d->pause_count != 0) {
		info->flags |= XEN_DOMINF_paused;
	}
	memcpy(info->handle, d->handle, sizeof(info->handle));
	spin_unlock(&d->lock);
}
