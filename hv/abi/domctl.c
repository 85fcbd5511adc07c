/*
 * domctl (36): control of one domain, by Dom0 only.
 *
 * One row per operation: whether it may be aimed at the caller's own domain, whether the target is paused while the
 * handler runs, and whether the structure goes back.
 */
#include "abi/args.h"
#include "abi/cpu_policy.h"
#include "abi/domain_info.h"
#include "abi/domctl_sched.h"
#include "abi/hvm_context.h"
#include "core/time.h"
#include "dom/populate.h"
#include "dom/shared_info.h"
#include "hvm/hvm.h"
#include <xen/domctl.h>
#include <xen/sched.h>

#define CDF_SUPPORTED (XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap | XEN_DOMCTL_CDF_oos_off)
#define KIB_PER_PAGE  (PAGE_SIZE / 1024)

/* ---- life ---- */

static int64_t op_create(struct hc_call *c, struct domain *unused, struct xen_domctl *op)
{
	const struct xen_domctl_createdomain *a = &op->u.createdomain;
	uint32_t version = a->grant_opts & XEN_DOMCTL_GRANT_version_mask;
	struct domain_config config = {
		.id = op->domain,
		.flags = DOMF_HVM,
		.max_vcpus = (uint16_t)MIN(a->max_vcpus, (uint32_t)UINT16_MAX),
		.emulation_flags = a->arch.emulation_flags,
		.max_grant_frames = a->max_grant_frames,
		.max_maptrack_frames = a->max_maptrack_frames,
		.max_evtchn_port = a->max_evtchn_port,
	};
	struct domain *d;
	int rc;

	if ((a->flags & ~CDF_SUPPORTED) || !(a->flags & XEN_DOMCTL_CDF_hvm) || a->iommu_opts != 0 ||
	    (a->arch.emulation_flags & ~XEN_X86_EMU_ALL) || (a->arch.misc_flags & ~XEN_X86_MSR_RELAXED) ||
	    (a->grant_opts & ~XEN_DOMCTL_GRANT_version_mask) || version < 1 || version > 2 || a->vmtrace_size != 0 ||
	    a->cpupool_id != 0) {
		return -EINVAL;
	}
	memcpy(config.handle, a->handle, sizeof(config.handle));
	rc = domain_create(&config, &d);
	if (rc == 0) {
		op->domain = d->id;
	}
	return rc;
}

static int64_t op_destroy(struct hc_call *c, struct domain *d, struct xen_domctl *op)
{
	return domain_destroy(d);
}

static int64_t op_pause(struct hc_call *c, struct domain *d, struct xen_domctl *op)
{
	return domain_pause(d);
}

static int64_t op_unpause(struct hc_call *c, struct domain *d, struct xen_domctl *op)
{
	return domain_unpause(d);
}

static int64_t op_resume(struct hc_call *c, struct domain *d, struct xen_domctl *op)
{
	return domain_resume(d);
}

/* The first domain with this number or a larger one; its number comes back. */
static int64_t op_get_info(struct hc_call *c, struct domain *unused, struct xen_domctl *op)
{
	struct domain *d;

	if (op->domain >= DOMID_FIRST_RESERVED) {
		return -EINVAL;
	}
	d = domain_get_from(op->domain);
	if (d == NULL) {
		return -ESRCH;
	}
	domain_info_fill(d, &op->u.getdomaininfo);
	op->domain = d->id;
	domain_put(d);
	return 0;
}

static int64_t op_set_handle(struct hc_call *c, struct domain *d, struct xen_domctl *op)
{
	spin_lock(&d->lock);
	memcpy(d->handle, op->u.setdomainhandle.handle, sizeof(d->handle));
	spin_unlock(&d->lock);
	return 0;
}

/* ---- limits ---- */

static int64_t op_max_mem(struct hc_call *c, struct domain *d, struct xen_domctl *op)
{
	return populate_set_max(d, op->u.max_mem.max_memkb / KIB_PER_PAGE);
}

/* vCPUs are made with the domain. */
static int64_t op_max_vcpus(struct hc_call *c, struct domain *d, struct xen_domctl *op)
{
	return op->u.max_vcpus.max == d->max_vcpus ? 0 : -EINVAL;
}

/* Page tables come from the hypervisor's own memory; the figure is kept because the tools read it back. */
static int64_t op_get_mempool(struct hc_call *c, struct domain *d, struct xen_domctl *op)
{
	op->u.paging_mempool.size = READ_ONCE(d->mempool_bytes);
	return 0;
}

static int64_t op_set_mempool(struct hc_call *c, struct domain *d, struct xen_domctl *op)
{
	if (op->u.paging_mempool.size & (PAGE_SIZE - 1)) {
		return -EINVAL;
	}
	WRITE_ONCE(d->mempool_bytes, op->u.paging_mempool.size);
	return 0;
}

/* ---- state and time ---- */

static int64_t op_get_context(struct hc_call *c, struct domain *d, struct xen_domctl *op)
{
	return hvm_context_get(c, d, &op->u.hvmcontext);
}

static int64_t op_set_context(struct hc_call *c, struct domain *d, struct xen_domctl *op)
{
	return hvm_context_set(c, d, &op->u.hvmcontext);
}

static int64_t op_get_cpu_policy(struct hc_call *c, struct domain *d, struct xen_domctl *op)
{
	return cpu_policy_get(c, d, &op->u.cpu_policy);
}

static int64_t op_set_cpu_policy(struct hc_call *c, struct domain *d, struct xen_domctl *op)
{
	return cpu_policy_set(c, d, &op->u.cpu_policy);
}

static int64_t op_time_offset(struct hc_call *c, struct domain *d, struct xen_domctl *op)
{
	int64_t seconds = op->u.settimeoffset.time_offset_seconds;

	if (seconds > INT32_MAX || seconds < INT32_MIN) {
		return -EINVAL;
	}
	WRITE_ONCE(d->time_offset, (int32_t)seconds);
	shared_info_wallclock_update(d);
	hvm_time_offset_changed(d);
	return 0;
}

static int64_t op_get_tsc(struct hc_call *c, struct domain *d, struct xen_domctl *op)
{
	memset(&op->u.tsc_info, 0, sizeof(op->u.tsc_info));
	op->u.tsc_info.gtsc_khz = hvm_tsc_khz(d);
	op->u.tsc_info.elapsed_nsec = time_now() - d->created_ns;
	return 0;
}

/* Mode 0, the processor's own counter, is what there is; where the processor can, at another rate (0: its own). */
static int64_t op_set_tsc(struct hc_call *c, struct domain *d, struct xen_domctl *op)
{
	return op->u.tsc_info.tsc_mode == 0 ? hvm_set_tsc_khz(d, op->u.tsc_info.gtsc_khz) : -EOPNOTSUPP;
}

static int64_t op_trigger(struct hc_call *c, struct domain *d, struct xen_domctl *op)
{
	struct vcpu *v = domain_vcpu(d, op->u.sendtrigger.vcpu);

	switch (op->u.sendtrigger.trigger) {
	case XEN_DOMCTL_SENDTRIGGER_POWER:
		return hvm_power_button(d);
	case XEN_DOMCTL_SENDTRIGGER_SLEEP:
		return hvm_sleep_button(d);
	case XEN_DOMCTL_SENDTRIGGER_RESET:
		domain_shutdown(d, SHUTDOWN_reboot);
		return 0;
	case XEN_DOMCTL_SENDTRIGGER_NMI:
		return v != NULL ? hvm_inject_nmi(v) : -ESRCH;
	default:
		return -ENOSYS;
	}
}

/* ---- the table ---- */

enum { NO_TARGET = 1, NOT_SELF = 2, PAUSED = 4, OUT = 8, OUT_ERROR = 16 /* and when it failed */ };

static const struct {
	int64_t (*fn)(struct hc_call *c, struct domain *d, struct xen_domctl *op);
	uint8_t flags;
} ops[] = {
	[XEN_DOMCTL_createdomain] = { op_create, NO_TARGET | OUT },
	[XEN_DOMCTL_destroydomain] = { op_destroy, NOT_SELF },
	[XEN_DOMCTL_pausedomain] = { op_pause, NOT_SELF },
	[XEN_DOMCTL_unpausedomain] = { op_unpause, NOT_SELF },
	[XEN_DOMCTL_resumedomain] = { op_resume, NOT_SELF },
	[XEN_DOMCTL_getdomaininfo] = { op_get_info, NO_TARGET | OUT },
	[XEN_DOMCTL_setdomainhandle] = { op_set_handle, 0 },
	[XEN_DOMCTL_max_mem] = { op_max_mem, 0 },
	[XEN_DOMCTL_max_vcpus] = { op_max_vcpus, 0 },
	[XEN_DOMCTL_get_paging_mempool_size] = { op_get_mempool, OUT },
	[XEN_DOMCTL_set_paging_mempool_size] = { op_set_mempool, 0 },
	[XEN_DOMCTL_gethvmcontext] = { op_get_context, NOT_SELF | PAUSED | OUT },
	[XEN_DOMCTL_sethvmcontext] = { op_set_context, NOT_SELF | PAUSED },
	[XEN_DOMCTL_settimeoffset] = { op_time_offset, 0 },
	[XEN_DOMCTL_gettscinfo] = { op_get_tsc, OUT },
	[XEN_DOMCTL_settscinfo] = { op_set_tsc, NOT_SELF },
	[XEN_DOMCTL_sendtrigger] = { op_trigger, 0 },
	[XEN_DOMCTL_getvcpuinfo] = { domctl_sched_vcpu_info, OUT },
	[XEN_DOMCTL_getvcpuaffinity] = { domctl_sched_get_affinity, OUT },
	[XEN_DOMCTL_setvcpuaffinity] = { domctl_sched_set_affinity, OUT },
	[XEN_DOMCTL_scheduler_op] = { domctl_sched_params, OUT },
	[XEN_DOMCTL_get_cpu_policy] = { op_get_cpu_policy, NOT_SELF | PAUSED | OUT },
	[XEN_DOMCTL_set_cpu_policy] = { op_set_cpu_policy, NOT_SELF | PAUSED | OUT | OUT_ERROR },
};

static int64_t run_on_target(struct hc_call *c, struct xen_domctl *op)
{
	uint8_t flags = ops[op->cmd].flags;
	struct domain *d;
	int64_t rc;

	if (flags & NO_TARGET) {
		return ops[op->cmd].fn(c, NULL, op);
	}
	d = domain_get(op->domain);
	if (d == NULL) {
		return -ESRCH;
	}
	rc = (flags & NOT_SELF) && d == c->d ? -EINVAL : 0;
	if (rc == 0 && (flags & PAUSED)) {
		rc = domain_pause(d);
	}
	if (rc == 0) {
		rc = ops[op->cmd].fn(c, d, op);
		if (flags & PAUSED) {
			(void)domain_unpause(d);
		}
	}
	domain_put(d);
	return rc;
}

int64_t hc_domctl(struct hc_call *c)
{
	struct xen_domctl op;
	int64_t rc;

	if (hc_get(c, c->arg[0], &op) != 0) {
		return -EFAULT;
	}
	if (op.interface_version != XEN_DOMCTL_INTERFACE_VERSION) {
		return -EACCES;
	}
	if (op.cmd >= ARRAY_SIZE(ops) || ops[op.cmd].fn == NULL) {
		return -ENOSYS;
	}
	rc = run_on_target(c, &op);
	bool out = ops[op.cmd].flags & (rc == 0 ? OUT : OUT_ERROR);
	if (out && hc_put(c, c->arg[0], &op) != 0) {
		rc = -EFAULT;
	}
	return rc;
}
