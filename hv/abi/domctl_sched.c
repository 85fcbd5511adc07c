/*
 * domctl: where vCPUs run, and what share of the CPUs they have (contract in domctl_sched.h).
 *
 * Weights and caps speak the records of the credit2 scheduler, whose meaning is ours too: a weight per vCPU (256 is usual), a
 * cap in percent of one CPU for the domain. A weight of 0 and a cap of 0xffff leave things as they are.
 */
#include "abi/args.h"
#include "abi/domctl_sched.h"
#include "core/percpu.h"

#define KEEP_WEIGHT 0
#define KEEP_CAP    0xffffu
#define PERCENT     100

_Static_assert(MAX_CPUS <= 64, "a CPU mask is one word");

int64_t domctl_sched_vcpu_info(struct hc_call *c, struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_getvcpuinfo *i = &op->u.getvcpuinfo;
	struct vcpu *v = domain_vcpu(d, i->vcpu);

	if (v == NULL) {
		return -ESRCH;
	}
	i->online = READ_ONCE(v->online);
	i->blocked = READ_ONCE(v->blocked);
	i->running = READ_ONCE(v->unit.state) == SCHED_RUNNING;
	i->cpu_time = sched_run_time(&v->unit);
	i->cpu = READ_ONCE(v->unit.cpu);
	return 0;
}

/* ---- affinity ---- */

/* Write a mask into the caller's bitmap, as many bytes as it has room for. */
static int put_mask(struct hc_call *c, const struct xenctl_bitmap *b, uint64_t mask)
{
	uint32_t bytes = MIN((b->nr_bits + 7) / 8, (uint32_t)sizeof(mask));

	mask &= MASK(cpu_count);
	return b->bitmap.p == NULL ? 0 : hc_put_bytes(c, (uintptr_t)b->bitmap.p, &mask, bytes);
}

static int get_mask(struct hc_call *c, const struct xenctl_bitmap *b, uint64_t *mask)
{
	uint32_t bytes = MIN((b->nr_bits + 7) / 8, (uint32_t)sizeof(*mask));

	*mask = 0;
	return hc_get_bytes(c, (uintptr_t)b->bitmap.p, mask, bytes);
}

static int put_masks(struct hc_call *c, const struct xen_domctl_vcpuaffinity *a, const struct vcpu *v)
{
	uint64_t hard, soft;
	int rc = 0;

	sched_get_affinity(&v->unit, &hard, &soft);
	if (a->flags & XEN_VCPUAFFINITY_HARD) {
		rc = put_mask(c, &a->cpumap_hard, hard);
	}
	if (rc == 0 && (a->flags & XEN_VCPUAFFINITY_SOFT)) {
		rc = put_mask(c, &a->cpumap_soft, soft);
	}
	return rc;
}

int64_t domctl_sched_get_affinity(struct hc_call *c, struct domain *d, struct xen_domctl *op)
{
	struct vcpu *v = domain_vcpu(d, op->u.vcpuaffinity.vcpu);

	return v == NULL ? -ESRCH : put_masks(c, &op->u.vcpuaffinity, v);
}

int64_t domctl_sched_set_affinity(struct hc_call *c, struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_vcpuaffinity *a = &op->u.vcpuaffinity;
	struct vcpu *v = domain_vcpu(d, a->vcpu);
	uint64_t hard, soft;
	int rc;

	if (v == NULL) {
		return -ESRCH;
	}
	if ((a->flags & ~(XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT)) || a->flags == 0) {
		return -EINVAL;
	}
	sched_get_affinity(&v->unit, &hard, &soft);
	if ((a->flags & XEN_VCPUAFFINITY_HARD) && get_mask(c, &a->cpumap_hard, &hard) != 0) {
		return -EFAULT;
	}
	if ((a->flags & XEN_VCPUAFFINITY_SOFT) && get_mask(c, &a->cpumap_soft, &soft) != 0) {
		return -EFAULT;
	}
	rc = sched_set_affinity(&v->unit, hard, soft);
	return rc != 0 ? rc : put_masks(c, a, v);
}

/* ---- weights and caps ---- */

static void get_domain(const struct domain *d, struct xen_domctl_sched_credit2 *p)
{
	p->weight = (uint16_t)READ_ONCE(d->weight);
	p->cap = (uint16_t)READ_ONCE(d->sched.cap);
}

static int put_domain(struct domain *d, const struct xen_domctl_sched_credit2 *p)
{
	if (p->cap != KEEP_CAP) {
		if (p->cap > d->max_vcpus * PERCENT) {
			return -EINVAL;
		}
		sched_set_cap(&d->sched, p->cap);
	}
	if (p->weight != KEEP_WEIGHT) {
		WRITE_ONCE(d->weight, p->weight);
		for (unsigned int i = 0; i < d->max_vcpus; i++) {
			sched_set_weight(&d->vcpu[i]->unit, p->weight);
		}
	}
	return 0;
}

/* One record of the array: read it, do it, write it back. */
static int one_vcpu(struct hc_call *c, struct domain *d, uint64_t at, bool put)
{
	struct xen_domctl_schedparam_vcpu p;
	struct vcpu *v;

	if (hc_get(c, at, &p) != 0) {
		return -EFAULT;
	}
	v = domain_vcpu(d, p.vcpuid);
	if (v == NULL) {
		return -EINVAL;
	}
	if (put) {
		if (p.u.credit2.cap != KEEP_CAP && p.u.credit2.cap != READ_ONCE(d->sched.cap)) {
			return -EOPNOTSUPP;
		}
		if (p.u.credit2.weight != KEEP_WEIGHT) {
			sched_set_weight(&v->unit, p.u.credit2.weight);
		}
		return 0;
	}
	memset(&p.u, 0, sizeof(p.u));
	p.u.credit2.weight = (uint16_t)READ_ONCE(v->unit.weight);
	p.u.credit2.cap = (uint16_t)READ_ONCE(d->sched.cap);
	return hc_put(c, at, &p);
}

static int each_vcpu(struct hc_call *c, struct domain *d, struct xen_domctl_scheduler_op *s, bool put)
{
	uint32_t n = s->u.v.nr_vcpus;
	int rc = 0;

	if (n > d->max_vcpus || s->u.v.padding != 0) {
		return -EINVAL;
	}
	for (s->u.v.nr_vcpus = 0; s->u.v.nr_vcpus < n && rc == 0; s->u.v.nr_vcpus++) {
		rc = one_vcpu(c, d, (uintptr_t)s->u.v.vcpus.p + s->u.v.nr_vcpus * sizeof(*s->u.v.vcpus.p), put);
	}
	return rc;
}

int64_t domctl_sched_params(struct hc_call *c, struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_scheduler_op *s = &op->u.scheduler_op;

	if (s->sched_id != XEN_SCHEDULER_CREDIT2) {
		return -EOPNOTSUPP;
	}
	switch (s->cmd) {
	case XEN_DOMCTL_SCHEDOP_getinfo:
		get_domain(d, &s->u.credit2);
		return 0;
	case XEN_DOMCTL_SCHEDOP_putinfo:
		return put_domain(d, &s->u.credit2);
	case XEN_DOMCTL_SCHEDOP_getvcpuinfo:
		return each_vcpu(c, d, s, false);
	case XEN_DOMCTL_SCHEDOP_putvcpuinfo:
		return each_vcpu(c, d, s, true);
	default:
		return -EINVAL;
	}
}
