/* See hvsched.h. The records are those of the credit2 scheduler. */
#include "toolstack/lib/hvsched.h"

#include <errno.h>
#include <string.h>

/* Both masks of a vCPU in hypercall buffers, in or out. */
static int hvsched_affinity(struct hvcall *hv, uint32_t domid, uint32_t cmd, unsigned int vcpu,
			    uint32_t flags, uint64_t masks[2])
{
	struct xen_domctl op = {.cmd = cmd, .domain = (domid_t)domid};
	struct xen_domctl_vcpuaffinity *a = &op.u.vcpuaffinity;
	uint64_t *buf = hvcall_buffer(hv, 2 * sizeof(*buf));
	int rc;

	if (buf == NULL) {
		return -ENOMEM;
	}
	memcpy(buf, masks, 2 * sizeof(*buf));
	a->vcpu = vcpu;
	a->flags = flags;
	set_xen_guest_handle(a->cpumap_hard.bitmap, (uint8_t *)&buf[0]);
	set_xen_guest_handle(a->cpumap_soft.bitmap, (uint8_t *)&buf[1]);
	a->cpumap_hard.nr_bits = a->cpumap_soft.nr_bits = 64;
	rc = hvcall_domctl(hv, &op);
	memcpy(masks, buf, 2 * sizeof(*buf));
	hvcall_buffer_free(hv, buf);
	return rc;
}

int hvsched_vcpu(struct hvcall *hv, uint32_t domid, unsigned int vcpu, struct hvsched_vcpu *out)
{
	struct xen_domctl op = {.cmd = XEN_DOMCTL_getvcpuinfo, .domain = (domid_t)domid};
	uint64_t masks[2] = {0, 0};
	int rc;

	op.u.getvcpuinfo.vcpu = vcpu;
	rc = hvcall_domctl(hv, &op);
	if (rc != 0) {
		return rc;
	}
	out->online = op.u.getvcpuinfo.online != 0;
	out->blocked = op.u.getvcpuinfo.blocked != 0;
	out->running = op.u.getvcpuinfo.running != 0;
	out->cpu = op.u.getvcpuinfo.cpu;
	out->cpu_time_ns = op.u.getvcpuinfo.cpu_time;
	rc = hvsched_affinity(hv, domid, XEN_DOMCTL_getvcpuaffinity, vcpu,
			      XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT, masks);
	out->hard = masks[0];
	out->soft = masks[1];
	return rc;
}

int hvsched_pin(struct hvcall *hv, uint32_t domid, unsigned int vcpu, const uint64_t *hard,
		const uint64_t *soft)
{
	uint64_t masks[2] = {hard != NULL ? *hard : 0, soft != NULL ? *soft : 0};

	return hvsched_affinity(hv, domid, XEN_DOMCTL_setvcpuaffinity, vcpu,
				(hard != NULL ? XEN_VCPUAFFINITY_HARD : 0) |
					(soft != NULL ? XEN_VCPUAFFINITY_SOFT : 0),
				masks);
}

static struct xen_domctl hvsched_op(uint32_t domid, uint32_t cmd)
{
	struct xen_domctl op = {.cmd = XEN_DOMCTL_scheduler_op, .domain = (domid_t)domid};

	op.u.scheduler_op.sched_id = XEN_SCHEDULER_CREDIT2;
	op.u.scheduler_op.cmd = cmd;
	return op;
}

int hvsched_get(struct hvcall *hv, uint32_t domid, unsigned int *weight, unsigned int *cap)
{
	struct xen_domctl op = hvsched_op(domid, XEN_DOMCTL_SCHEDOP_getinfo);
	int rc = hvcall_domctl(hv, &op);

	*weight = op.u.scheduler_op.u.credit2.weight;
	*cap = op.u.scheduler_op.u.credit2.cap;
	return rc;
}

int hvsched_set(struct hvcall *hv, uint32_t domid, unsigned int weight, unsigned int cap)
{
	struct xen_domctl op = hvsched_op(domid, XEN_DOMCTL_SCHEDOP_putinfo);

	op.u.scheduler_op.u.credit2.weight = (uint16_t)weight;
	op.u.scheduler_op.u.credit2.cap = (uint16_t)cap;
	return hvcall_domctl(hv, &op);
}

static int hvsched_vcpu_op(struct hvcall *hv, uint32_t domid, uint32_t cmd,
			   xen_domctl_schedparam_vcpu_t *param)
{
	struct xen_domctl op = hvsched_op(domid, cmd);
	xen_domctl_schedparam_vcpu_t *buf = hvcall_buffer(hv, sizeof(*buf));
	int rc;

	if (buf == NULL) {
		return -ENOMEM;
	}
	*buf = *param;
	set_xen_guest_handle(op.u.scheduler_op.u.v.vcpus, buf);
	op.u.scheduler_op.u.v.nr_vcpus = 1;
	rc = hvcall_domctl(hv, &op);
	*param = *buf;
	hvcall_buffer_free(hv, buf);
	return rc;
}

int hvsched_vcpu_weight(struct hvcall *hv, uint32_t domid, unsigned int vcpu, unsigned int *weight)
{
	xen_domctl_schedparam_vcpu_t param = {.vcpuid = vcpu};
	int rc = hvsched_vcpu_op(hv, domid, XEN_DOMCTL_SCHEDOP_getvcpuinfo, &param);

	*weight = param.u.credit2.weight;
	return rc;
}

int hvsched_vcpu_set_weight(struct hvcall *hv, uint32_t domid, unsigned int vcpu,
			    unsigned int weight)
{
	xen_domctl_schedparam_vcpu_t param = {.vcpuid = vcpu};

	param.u.credit2.weight = (uint16_t)weight;
	param.u.credit2.cap = HVSCHED_KEEP_CAP;
	return hvsched_vcpu_op(hv, domid, XEN_DOMCTL_SCHEDOP_putvcpuinfo, &param);
}
