/* sysctl (35): questions about the machine, by Dom0 only. One row per operation; every structure goes back. */
#include "abi/args.h"
#include "abi/domain_info.h"
#include "core/keyhandler.h"
#include "core/log.h"
#include "core/page_alloc.h"
#include "core/percpu.h"
#include "core/time.h"
#include <xen/sysctl.h>

#define CHUNK        256
#define LIST_MAX     1024
#define KEYS_MAX     16
#define LOCAL_DISTANCE 10

static int64_t op_read_console(struct hc_call *c, struct xen_sysctl *op)
{
	struct xen_sysctl_readconsole *r = &op->u.readconsole;
	uint32_t index = r->incremental ? r->index : 0, done = 0;
	char buf[CHUNK];

	while (done < r->count) {
		size_t n = console_ring_read(buf, MIN(r->count - done, (uint32_t)sizeof(buf)), &index);
		if (n == 0) {
			break;
		}
		if (hc_put_bytes(c, (uintptr_t)r->buffer.p + done, buf, n) != 0) {
			return -EFAULT;
		}
		done += (uint32_t)n;
		if (hc_preempt(c)) {
			return -EINTR;
		}
	}
	if (r->clear) {
		console_ring_clear();
	}
	r->count = done;
	r->index = index;
	return 0;
}

static int64_t op_physinfo(struct hc_call *c, struct xen_sysctl *op)
{
	struct xen_sysctl_physinfo *p = &op->u.physinfo;

	memset(p, 0, sizeof(*p));
	p->threads_per_core = 1;
	p->cores_per_socket = cpu_count;
	p->nr_cpus = cpu_count;
	p->max_cpu_id = cpu_count - 1;
	p->nr_nodes = 1;
	p->cpu_khz = (uint32_t)time_tsc_khz();
	p->capabilities = XEN_SYSCTL_PHYSCAP_hvm | XEN_SYSCTL_PHYSCAP_hap | XEN_SYSCTL_PHYSCAP_gnttab_v1;
	p->total_pages = page_total();
	p->free_pages = page_count_free();
	p->max_mfn = page_total();
	return 0;
}

/* Its weights and caps are those of credit2 (domctl_sched.c). */
static int64_t op_sched_id(struct hc_call *c, struct xen_sysctl *op)
{
	op->u.sched_id.sched_id = XEN_SCHEDULER_CREDIT2;
	return 0;
}

/* Of the machine's own there is only credit2's rate limit, and ours is none: who is to run next runs at once. */
static int64_t op_scheduler(struct hc_call *c, struct xen_sysctl *op)
{
	struct xen_sysctl_scheduler_op *s = &op->u.scheduler_op;

	if (s->cpupool_id != 0) {
		return -ESRCH;
	}
	if (s->sched_id != XEN_SCHEDULER_CREDIT2 ||
	    (s->cmd != XEN_SYSCTL_SCHEDOP_getinfo && s->cmd != XEN_SYSCTL_SCHEDOP_putinfo)) {
		return -EINVAL;
	}
	if (s->cmd == XEN_SYSCTL_SCHEDOP_putinfo) {
		return s->u.sched_credit2.ratelimit_us == 0 ? 0 : -EOPNOTSUPP;
	}
	s->u.sched_credit2.ratelimit_us = 0;
	return 0;
}

static int64_t op_domain_list(struct hc_call *c, struct xen_sysctl *op)
{
	struct xen_sysctl_getdomaininfolist *l = &op->u.getdomaininfolist;
	uint32_t max = MIN(l->max_domains, (uint32_t)LIST_MAX), next = l->first_domain, n = 0;
	struct xen_domctl_getdomaininfo info;

	while (n < max && next < DOMID_FIRST_RESERVED) {
		struct domain *d = domain_get_from((domid_t)next);
		if (d == NULL) {
			break;
		}
		domain_info_fill(d, &info);
		next = d->id + 1u;
		domain_put(d);
		if (hc_put_bytes(c, (uintptr_t)l->buffer.p + n * sizeof(info), &info, sizeof(info)) != 0) {
			return -EFAULT;
		}
		n++;
	}
	l->num_domains = n;
	return 0;
}

static int64_t op_debug_keys(struct hc_call *c, struct xen_sysctl *op)
{
	char keys[KEYS_MAX];
	uint32_t n = op->u.debug_keys.nr_keys;

	if (n > sizeof(keys)) {
		return -E2BIG;
	}
	if (hc_get_bytes(c, (uintptr_t)op->u.debug_keys.keys.p, keys, n) != 0) {
		return -EFAULT;
	}
	for (uint32_t i = 0; i < n; i++) {
		keyhandler_press(keys[i]);
	}
	return 0;
}

static int64_t op_cpuinfo(struct hc_call *c, struct xen_sysctl *op)
{
	struct xen_sysctl_getcpuinfo *g = &op->u.getcpuinfo;
	uint32_t n = MIN(g->max_cpus, cpu_count);

	for (uint32_t i = 0; i < n; i++) {
		struct xen_sysctl_cpuinfo info = { 0 };
		if (cpus[i] != NULL && cpus[i]->idle != NULL) {
			info.idletime = sched_run_time(cpus[i]->idle);
		}
		if (hc_put_bytes(c, (uintptr_t)g->info.p + i * sizeof(info), &info, sizeof(info)) != 0) {
			return -EFAULT;
		}
	}
	g->nr_cpus = n;
	return 0;
}

static int64_t op_availheap(struct hc_call *c, struct xen_sysctl *op)
{
	op->u.availheap.avail_bytes = page_count_free() * PAGE_SIZE;
	return 0;
}

/* Each CPU counts as a core of one socket on one node. */
static int64_t op_cputopo(struct hc_call *c, struct xen_sysctl *op)
{
	struct xen_sysctl_cputopoinfo *t = &op->u.cputopoinfo;
	uint32_t room = t->num_cpus;

	t->num_cpus = cpu_count;
	for (uint32_t i = 0; t->cputopo.p != NULL && i < MIN(room, cpu_count); i++) {
		struct xen_sysctl_cputopo e = { .core = i };
		if (hc_put_bytes(c, (uintptr_t)t->cputopo.p + i * sizeof(e), &e, sizeof(e)) != 0) {
			return -EFAULT;
		}
	}
	return 0;
}

static int64_t op_numainfo(struct hc_call *c, struct xen_sysctl *op)
{
	struct xen_sysctl_numainfo *n = &op->u.numainfo;
	struct xen_sysctl_meminfo mem = { page_total() * PAGE_SIZE, page_count_free() * PAGE_SIZE };
	uint32_t distance = LOCAL_DISTANCE, room = n->num_nodes;

	n->num_nodes = 1;
	if (room != 0 && n->meminfo.p != NULL && hc_put_bytes(c, (uintptr_t)n->meminfo.p, &mem, sizeof(mem)) != 0) {
		return -EFAULT;
	}
	if (room != 0 && n->distance.p != NULL &&
	    hc_put_bytes(c, (uintptr_t)n->distance.p, &distance, sizeof(distance)) != 0) {
		return -EFAULT;
	}
	return 0;
}

static uint32_t count_domains(void)
{
	uint32_t n = 0, next = 0;
	struct domain *d;

	while (next < DOMID_FIRST_RESERVED && (d = domain_get_from((domid_t)next)) != NULL) {
		next = d->id + 1u;
		domain_put(d);
		n++;
	}
	return n;
}

/* There is one pool, number 0, with all CPUs and all domains in it. */
static int64_t op_cpupool(struct hc_call *c, struct xen_sysctl *op)
{
	struct xen_sysctl_cpupool_op *p = &op->u.cpupool_op;
	bool info = p->op == XEN_SYSCTL_CPUPOOL_OP_INFO;
	uint64_t mask = info ? MASK(cpu_count) : 0;
	uint32_t bytes = MIN((p->cpumap.nr_bits + 7) / 8, (uint32_t)sizeof(mask));

	if (p->op == XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN) {
		return p->cpupool_id == 0 ? 0 : -ENOENT;
	}
	if (!info && p->op != XEN_SYSCTL_CPUPOOL_OP_FREEINFO) {
		return -EOPNOTSUPP;
	}
	if (info && p->cpupool_id != 0) {
		return -ENOENT;
	}
	p->sched_id = XEN_SCHEDULER_CREDIT2;
	p->n_dom = count_domains();
	return p->cpumap.bitmap.p == NULL ? 0 : hc_put_bytes(c, (uintptr_t)p->cpumap.bitmap.p, &mask, bytes);
}

static int64_t (*const ops[])(struct hc_call *c, struct xen_sysctl *op) = {
	[XEN_SYSCTL_readconsole] = op_read_console,
	[XEN_SYSCTL_physinfo] = op_physinfo,
	[XEN_SYSCTL_sched_id] = op_sched_id,
	[XEN_SYSCTL_scheduler_op] = op_scheduler,
	[XEN_SYSCTL_getdomaininfolist] = op_domain_list,
	[XEN_SYSCTL_debug_keys] = op_debug_keys,
	[XEN_SYSCTL_getcpuinfo] = op_cpuinfo,
	[XEN_SYSCTL_availheap] = op_availheap,
	[XEN_SYSCTL_cputopoinfo] = op_cputopo,
	[XEN_SYSCTL_numainfo] = op_numainfo,
	[XEN_SYSCTL_cpupool_op] = op_cpupool,
};

int64_t hc_sysctl(struct hc_call *c)
{
	struct xen_sysctl op;
	int64_t rc;

	if (hc_get(c, c->arg[0], &op) != 0) {
		return -EFAULT;
	}
	if (op.interface_version != XEN_SYSCTL_INTERFACE_VERSION) {
		return -EACCES;
	}
	if (op.cmd >= ARRAY_SIZE(ops) || ops[op.cmd] == NULL) {
		return -ENOSYS;
	}
	rc = ops[op.cmd](c, &op);
	if (rc == 0 && hc_put(c, c->arg[0], &op) != 0) {
		rc = -EFAULT;
	}
	return rc;
}
