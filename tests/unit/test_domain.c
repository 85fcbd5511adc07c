/* Domains through domctl and sysctl: creation, pause, shutdown, crash, context, destruction, lists. */
#include <stdint.h>
#include <string.h>
#include <xen/domctl.h>
#include <xen/sched.h>
#include <xen/sysctl.h>
#include <xen/hvm/save.h>
#include "abi/ostler_op.h"
#include "arch/vmexit.h"
#include "dom/evtchn.h"
#include "dom/populate.h"
#include "dom/shared_info.h"
#include "fake/fake_hv.h"
#include "fake/suite.h"

static void setup(void)
{
	fake_hv_reset(1);
}

static int64_t domctl(struct xen_domctl *op, uint32_t cmd, domid_t dom)
{
	uint64_t p;
	int64_t rc;

	op->cmd = cmd;
	op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	op->domain = dom;
	p = fake_put(op, sizeof(*op));
	rc = fake_call(__HYPERVISOR_domctl, p, 0, 0);
	fake_get(p, op, sizeof(*op));
	return rc;
}

static struct xen_domctl create_op(void)
{
	struct xen_domctl op;

	memset(&op, 0, sizeof(op));
	op.u.createdomain.flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap;
	op.u.createdomain.max_vcpus = 2;
	op.u.createdomain.max_evtchn_port = 1023;
	op.u.createdomain.max_grant_frames = -1;
	op.u.createdomain.max_maptrack_frames = -1;
	op.u.createdomain.grant_opts = 1;
	op.u.createdomain.arch.emulation_flags = 0x3ff;
	memcpy(op.u.createdomain.handle, "0123456789abcdef", 16);
	return op;
}

static domid_t create(void)
{
	struct xen_domctl op = create_op();

	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_createdomain, 0xffff), 0);
	return op.domain;
}

static uint32_t flags(domid_t id)
{
	struct xen_domctl op;

	memset(&op, 0, sizeof(op));
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_getdomaininfo, id), 0);
	ck_assert_uint_eq(op.domain, id);
	return op.u.getdomaininfo.flags;
}

START_TEST(creation)
{
	struct xen_domctl op = create_op(), bad;
	domid_t id;

	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_createdomain, 0xffff), 0);
	id = op.domain;
	ck_assert_uint_eq(id, 1);
	bad = create_op();
	ck_assert_int_eq(domctl(&bad, XEN_DOMCTL_createdomain, id), -EEXIST);
	bad = create_op();
	ck_assert_int_eq(domctl(&bad, XEN_DOMCTL_createdomain, 40), 0);
	ck_assert_uint_eq(bad.domain, 40);
	bad = create_op();
	bad.u.createdomain.flags = 0;
	ck_assert_int_eq(domctl(&bad, XEN_DOMCTL_createdomain, 0), -EINVAL);
	bad = create_op();
	bad.u.createdomain.flags |= XEN_DOMCTL_CDF_iommu;
	ck_assert_int_eq(domctl(&bad, XEN_DOMCTL_createdomain, 0), -EINVAL);
	bad = create_op();
	bad.u.createdomain.max_vcpus = 129;
	ck_assert_int_eq(domctl(&bad, XEN_DOMCTL_createdomain, 0), -EINVAL);
	bad.u.createdomain.max_vcpus = 0;
	ck_assert_int_eq(domctl(&bad, XEN_DOMCTL_createdomain, 0), -EINVAL);
	bad = create_op();
	bad.u.createdomain.max_grant_frames = 0;
	ck_assert_int_eq(domctl(&bad, XEN_DOMCTL_createdomain, 0), -EINVAL);
	op.u.max_vcpus.max = 2;
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_max_vcpus, id), 0);
	op.u.max_vcpus.max = 1;
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_max_vcpus, id), -EINVAL);
	ck_assert_int_eq(domctl(&op, 999, id), -ENOSYS);
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_getvcpuinfo, 77), -ESRCH);
	op.interface_version = 1;
	ck_assert_int_eq(fake_call(__HYPERVISOR_domctl, FAKE_PUT(op), 0, 0), -EACCES);
	fake_hv_check_leaks();
}
END_TEST

static struct xen_domctl sched_op(uint32_t cmd)
{
	struct xen_domctl op = { 0 };

	op.u.scheduler_op.sched_id = XEN_SCHEDULER_CREDIT2;
	op.u.scheduler_op.cmd = cmd;
	return op;
}

/* Weight and cap of a domain and of one vCPU, in credit2's records. */
START_TEST(sched_params)
{
	struct xen_domctl_schedparam_vcpu p = { .vcpuid = 1, .u.credit2 = { .weight = 77, .cap = 0xffff } };
	struct xen_domctl op;
	domid_t id = create();
	uint64_t at;

	op = sched_op(XEN_DOMCTL_SCHEDOP_getinfo);
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_scheduler_op, id), 0);
	ck_assert_uint_eq(op.u.scheduler_op.u.credit2.weight, 256);
	ck_assert_uint_eq(op.u.scheduler_op.u.credit2.cap, 0);
	op = sched_op(XEN_DOMCTL_SCHEDOP_putinfo);
	op.u.scheduler_op.u.credit2.weight = 512;
	op.u.scheduler_op.u.credit2.cap = 201;
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_scheduler_op, id), -EINVAL);
	op.u.scheduler_op.u.credit2.cap = 150;
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_scheduler_op, id), 0);
	/* 0 and ~0: as it is. */
	op.u.scheduler_op.u.credit2.weight = 0;
	op.u.scheduler_op.u.credit2.cap = 0xffff;
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_scheduler_op, id), 0);
	op = sched_op(XEN_DOMCTL_SCHEDOP_getinfo);
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_scheduler_op, id), 0);
	ck_assert_uint_eq(op.u.scheduler_op.u.credit2.weight, 512);
	ck_assert_uint_eq(op.u.scheduler_op.u.credit2.cap, 150);
	op.u.scheduler_op.sched_id = XEN_SCHEDULER_CREDIT;
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_scheduler_op, id), -EOPNOTSUPP);
	op = sched_op(9);
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_scheduler_op, id), -EINVAL);

	op = sched_op(XEN_DOMCTL_SCHEDOP_putvcpuinfo);
	at = FAKE_PUT(p);
	op.u.scheduler_op.u.v.vcpus.p = (void *)at;
	op.u.scheduler_op.u.v.nr_vcpus = 1;
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_scheduler_op, id), 0);
	op.u.scheduler_op.cmd = XEN_DOMCTL_SCHEDOP_getvcpuinfo;
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_scheduler_op, id), 0);
	FAKE_GET(at, p);
	ck_assert_uint_eq(p.u.credit2.weight, 77);
	ck_assert_uint_eq(p.u.credit2.cap, 150);
	op.u.scheduler_op.u.v.nr_vcpus = 3;
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_scheduler_op, id), -EINVAL);
	p.vcpuid = 2;
	op.u.scheduler_op.u.v.vcpus.p = (void *)FAKE_PUT(p);
	op.u.scheduler_op.u.v.nr_vcpus = 1;
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_scheduler_op, id), -EINVAL);
	p = (struct xen_domctl_schedparam_vcpu){ .vcpuid = 0, .u.credit2 = { .weight = 1, .cap = 10 } };
	op.u.scheduler_op.cmd = XEN_DOMCTL_SCHEDOP_putvcpuinfo;
	op.u.scheduler_op.u.v.vcpus.p = (void *)FAKE_PUT(p);
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_scheduler_op, id), -EOPNOTSUPP);
	op.u.scheduler_op.u.v.vcpus.p = (void *)FAKE_BAD_PTR;
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_scheduler_op, id), -EFAULT);
	fake_hv_check_leaks();
}
END_TEST

START_TEST(affinity)
{
	struct xen_domctl op = { 0 };
	struct xen_domctl_vcpuaffinity *a = &op.u.vcpuaffinity;
	domid_t id = create();
	uint64_t mask = 1, got;

	a->vcpu = 1;
	a->flags = XEN_VCPUAFFINITY_HARD;
	a->cpumap_hard.nr_bits = 64;
	a->cpumap_hard.bitmap.p = (void *)FAKE_PUT(mask);
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_setvcpuaffinity, id), 0);
	mask = 6;
	a->cpumap_hard.bitmap.p = (void *)FAKE_PUT(mask);
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_setvcpuaffinity, id), -EINVAL);
	a->flags = XEN_VCPUAFFINITY_SOFT;
	a->cpumap_soft = a->cpumap_hard;
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_setvcpuaffinity, id), 0);
	a->flags = XEN_VCPUAFFINITY_HARD;
	got = FAKE_PUT(mask);
	a->cpumap_hard.bitmap.p = (void *)got;
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_getvcpuaffinity, id), 0);
	FAKE_GET(got, mask);
	ck_assert_uint_eq(mask, 1);
	a->flags = 0;
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_setvcpuaffinity, id), -EINVAL);
	a->flags = XEN_VCPUAFFINITY_HARD;
	a->cpumap_hard.bitmap.p = (void *)FAKE_BAD_PTR;
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_setvcpuaffinity, id), -EFAULT);
	a->vcpu = 2;
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_setvcpuaffinity, id), -ESRCH);
	fake_hv_check_leaks();
}
END_TEST

static int64_t ostler_op(uint64_t op, uint64_t at)
{
	return fake_call(OSTLER_OP_NUMBER, op, at, 0);
}

/* The tools' own hypercall: names, statistics, the trace ring. */
START_TEST(ostler_ops)
{
	struct ostler_name name = { .index = 0 };
	struct ostler_stats stats = { .domain = create(), .vcpu = OSTLER_STATS_ALL };
	struct ostler_rtc rtc = { .domain = stats.domain };
	struct ostler_trace_record got[4];
	struct ostler_trace t = { .count = 4 };
	uint64_t at = FAKE_PUT(name), records;
	struct domain *d;

	ck_assert_int_eq(ostler_op(OSTLER_OP_EXIT_NAME, at), 0);
	FAKE_GET(at, name);
	ck_assert_str_eq(name.name, "a-name-that-is-longer-than-");
	name.index = 1;
	ck_assert_int_eq(ostler_op(OSTLER_OP_EXIT_NAME, FAKE_PUT(name)), -ENOENT);
	ck_assert_int_eq(ostler_op(OSTLER_OP_EVENT_NAME, FAKE_PUT(name)), 0);
	ck_assert_int_eq(ostler_op(0, at), -ENOSYS);
	ck_assert_int_eq(ostler_op(6, at), -ENOSYS);
	ck_assert_int_eq(ostler_op(1ull << 40, at), -ENOSYS);
	at = FAKE_PUT(stats);
	ck_assert_int_eq(ostler_op(OSTLER_OP_STATS, at), 0);
	FAKE_GET(at, stats);
	ck_assert_uint_eq(stats.exits[VMEXIT_PIO], 3);
	ck_assert_uint_eq(stats.ticks[VMEXIT_PIO], 200);
	ck_assert_uint_eq(stats.ioreqs, 2);
	stats.vcpu = 1;
	at = FAKE_PUT(stats);
	ck_assert_int_eq(ostler_op(OSTLER_OP_STATS, at), 0);
	FAKE_GET(at, stats);
	ck_assert_uint_eq(stats.exits[VMEXIT_PIO], 2);
	stats.vcpu = 2;
	ck_assert_int_eq(ostler_op(OSTLER_OP_STATS, FAKE_PUT(stats)), -ESRCH);
	stats.domain = 0x10001;
	ck_assert_int_eq(ostler_op(OSTLER_OP_STATS, FAKE_PUT(stats)), -ESRCH);

	fake_rtc_moved = -86400;
	at = FAKE_PUT(rtc);
	ck_assert_int_eq(ostler_op(OSTLER_OP_RTC, at), 0);
	FAKE_GET(at, rtc);
	ck_assert_int_eq(rtc.moved, -86400);
	rtc.domain = 0x10001;
	ck_assert_int_eq(ostler_op(OSTLER_OP_RTC, FAKE_PUT(rtc)), -ESRCH);
	ck_assert_int_eq(ostler_op(OSTLER_OP_RTC, UINT64_MAX / 2), -EFAULT);

	records = FAKE_PUT(got);
	t.records = records;
	at = FAKE_PUT(t);
	ck_assert_int_eq(ostler_op(OSTLER_OP_TRACE, at), 0);
	FAKE_GET(at, t);
	ck_assert_uint_eq(t.count, 3);
	ck_assert_uint_eq(t.from, 100);
	FAKE_GET(records, got);
	ck_assert_uint_eq(got[1].tsc, 20);
	ck_assert_uint_eq(OSTLER_TRACE_KIND(got[0].a), 0x7d);
	t.from = 102;
	t.count = 4;
	at = FAKE_PUT(t);
	ck_assert_int_eq(ostler_op(OSTLER_OP_TRACE, at), 0);
	FAKE_GET(at, t);
	ck_assert_uint_eq(t.count, 1);
	t.records = FAKE_BAD_PTR;
	ck_assert_int_eq(ostler_op(OSTLER_OP_TRACE, FAKE_PUT(t)), -EFAULT);
	t.cpu = 1;
	ck_assert_int_eq(ostler_op(OSTLER_OP_TRACE, FAKE_PUT(t)), -ENOENT);
	ck_assert_int_eq(ostler_op(OSTLER_OP_TRACE, FAKE_BAD_PTR), -EFAULT);
	/* Not for guests. */
	d = fake_guest(1, 16);
	fake_run_on(d->vcpu[0]);
	ck_assert_int_eq(ostler_op(OSTLER_OP_EXIT_NAME, at), -EPERM);
	fake_run_on(dom0->vcpu[0]);
	fake_hv_check_leaks();
}
END_TEST

START_TEST(pause_and_info)
{
	struct xen_domctl op;
	domid_t id = create();
	uint32_t f = flags(id);

	memset(&op, 0, sizeof(op));
	ck_assert_uint_eq(f & (XEN_DOMINF_paused | XEN_DOMINF_hvm_guest | XEN_DOMINF_hap), f & ~XEN_DOMINF_blocked);
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_pausedomain, id), 0);
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_unpausedomain, id), 0);
	ck_assert_uint_ne(flags(id) & XEN_DOMINF_paused, 0);
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_unpausedomain, id), 0);
	ck_assert_uint_eq(flags(id) & XEN_DOMINF_paused, 0);
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_unpausedomain, id), -EINVAL);
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_pausedomain, 0), -EINVAL);
	/* The first at or after; none. */
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_getdomaininfo, 0), 0);
	ck_assert_uint_eq(op.domain, 0);
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_getdomaininfo, 2), -ESRCH);
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_getdomaininfo, 0x7ff0), -EINVAL);
	op.u.max_mem.max_memkb = 4096;
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_max_mem, id), 0);
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_getdomaininfo, id), 0);
	ck_assert_uint_eq(op.u.getdomaininfo.max_pages, 1024);
	ck_assert_mem_eq(op.u.getdomaininfo.handle, "0123456789abcdef", 16);
	op.u.paging_mempool.size = 4095;
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_set_paging_mempool_size, id), -EINVAL);
	op.u.paging_mempool.size = 8192;
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_set_paging_mempool_size, id), 0);
	op.u.paging_mempool.size = 0;
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_get_paging_mempool_size, id), 0);
	ck_assert_uint_eq(op.u.paging_mempool.size, 8192);
	op.u.sendtrigger.trigger = XEN_DOMCTL_SENDTRIGGER_POWER;
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_sendtrigger, id), 0);
	ck_assert_uint_eq(fake_counts.power, 1);
	fake_hv_check_leaks();
}
END_TEST

START_TEST(context)
{
	struct xen_domctl op;
	uint8_t stream[3000];
	struct hvm_save_descriptor *h;
	domid_t id = create();
	struct domain *d = domain_get(id);
	uint64_t p;
	uint32_t used;

	memset(&op, 0, sizeof(op));
	d->vcpu[0]->arch.regs.rip = 0x100000;
	d->vcpu[0]->online = true;
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_gethvmcontext, id), 0);
	ck_assert_uint_ge(op.u.hvmcontext.size, 32 + 2 * 1040 + 8);
	op.u.hvmcontext.size = 10;
	p = fake_put(NULL, sizeof(stream));
	op.u.hvmcontext.buffer.p = (void *)p;
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_gethvmcontext, id), -ENOSPC);
	op.u.hvmcontext.size = sizeof(stream);
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_gethvmcontext, id), 0);
	used = op.u.hvmcontext.size;
	fake_get(p, stream, sizeof(stream));
	d->vcpu[0]->arch.regs.rip = 0;
	d->vcpu[0]->online = false;
	op.u.hvmcontext.buffer.p = (void *)fake_put(stream, used);
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_sethvmcontext, id), 0);
	ck_assert_uint_eq(d->vcpu[0]->arch.regs.rip, 0x100000);
	ck_assert(d->vcpu[0]->online && !d->vcpu[1]->online);
	/* Cut off, a wrong magic, a vCPU that is not there. */
	op.u.hvmcontext.size = used - 1;
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_sethvmcontext, id), -EINVAL);
	h = (struct hvm_save_descriptor *)(stream + 32);
	ck_assert_uint_eq(h->typecode, 2);
	h->instance = 2;
	op.u.hvmcontext.size = used;
	op.u.hvmcontext.buffer.p = (void *)fake_put(stream, used);
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_sethvmcontext, id), -EINVAL);
	stream[8] ^= 1;
	op.u.hvmcontext.buffer.p = (void *)fake_put(stream, used);
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_sethvmcontext, id), -EINVAL);
	op.u.hvmcontext.size = ~0u;
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_sethvmcontext, id), -E2BIG);
	domain_put(d);
	fake_hv_check_leaks();
}
END_TEST

START_TEST(crash_and_destroy)
{
	struct domain *g = fake_guest(2, 64);
	struct xen_domctl op;
	evtchn_port_t p;
	uint64_t before;
	domid_t id = g->id;

	memset(&op, 0, sizeof(op));
	ck_assert_int_eq(evtchn_bind_virq(dom0, VIRQ_DOM_EXC, 0, &p), 0);
	ck_assert_int_eq(populate_add(g, GFN(512), 9), -ENOMEM);
	ck_assert_int_eq(populate_add(g, GFN(1), 0), 0);
	before = page_count_free();
	fake_run_on(g->vcpu[1]);
	guest_crash(g, "because of %u", 5);
	guest_crash(g, "twice");
	fake_run_on(dom0->vcpu[0]);
	ck_assert_ptr_nonnull(strstr(fake_log, "d1v1: CRASH: because of 5 (rip"));
	ck_assert_ptr_null(strstr(fake_log, "twice"));
	ck_assert(shared_info_is_pending(dom0, p));
	ck_assert_uint_eq(flags(id) >> 16, SHUTDOWN_crash);
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_resumedomain, id), -EINVAL);
	shared_info_clear_pending(dom0, p);
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_pausedomain, id), 0);
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_destroydomain, 0), -EINVAL);
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_destroydomain, id), 0);
	ck_assert(shared_info_is_pending(dom0, p));
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_destroydomain, id), -ESRCH);
	ck_assert_uint_eq(page_count_free(), before + 3);
	fake_hv_check_leaks();
}
END_TEST

START_TEST(park_all)
{
	struct domain *g = fake_guest(2, 64);

	vcpu_start(g->vcpu[1]);
	vcpu_park(g->vcpu[0]);
	ck_assert(!g->shutdown);
	vcpu_park(g->vcpu[1]);
	ck_assert(g->shutdown);
	ck_assert_uint_eq(g->shutdown_code, SHUTDOWN_poweroff);
	ck_assert_int_eq(domain_resume(g), 0);
	ck_assert_uint_eq(g->vcpu[0]->unit.pause_count, 0);
	fake_hv_check_leaks();
}
END_TEST

/* Every allocation of a creation fails once: it says so and leaves nothing behind. */
START_TEST(creation_without_memory)
{
	struct xen_domctl op;
	unsigned int n = 0;
	int64_t rc;

	do {
		op = create_op();
		fake_fail_nth(++n);
		rc = domctl(&op, XEN_DOMCTL_createdomain, 0xffff);
		ck_assert(rc == 0 || rc == -ENOMEM);
		ck_assert(rc == 0 || fake_failed());
		ck_assert(rc != 0 || !fake_failed());
		fake_fail_nth(0);
		fake_hv_check_leaks();
	} while (rc != 0);
	ck_assert_uint_gt(n, 12);
}
END_TEST

START_TEST(machine)
{
	struct xen_sysctl op;
	struct xen_domctl_getdomaininfo list[3];
	uint64_t buf, p;

	memset(&op, 0, sizeof(op));
	(void)create();
	op.cmd = XEN_SYSCTL_getdomaininfolist;
	op.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	op.u.getdomaininfolist.max_domains = 3;
	buf = fake_put(NULL, sizeof(list));
	op.u.getdomaininfolist.buffer.p = (void *)buf;
	p = FAKE_PUT(op);
	ck_assert_int_eq(fake_call(__HYPERVISOR_sysctl, p, 0, 0), 0);
	FAKE_GET(p, op);
	ck_assert_uint_eq(op.u.getdomaininfolist.num_domains, 2);
	FAKE_GET(buf, list);
	ck_assert_uint_eq(list[1].domain, 1);
	op.cmd = XEN_SYSCTL_physinfo;
	p = FAKE_PUT(op);
	ck_assert_int_eq(fake_call(__HYPERVISOR_sysctl, p, 0, 0), 0);
	FAKE_GET(p, op);
	ck_assert_uint_eq(op.u.physinfo.nr_cpus, 1);
	ck_assert_uint_eq(op.u.physinfo.free_pages, page_count_free());
	op.cmd = XEN_SYSCTL_cpupool_op;
	memset(&op.u, 0, sizeof(op.u));
	op.u.cpupool_op.op = XEN_SYSCTL_CPUPOOL_OP_INFO;
	ck_assert_int_eq(fake_call(__HYPERVISOR_sysctl, FAKE_PUT(op), 0, 0), 0);
	op.u.cpupool_op.cpupool_id = 1;
	ck_assert_int_eq(fake_call(__HYPERVISOR_sysctl, FAKE_PUT(op), 0, 0), -ENOENT);
	op.cmd = 200;
	ck_assert_int_eq(fake_call(__HYPERVISOR_sysctl, FAKE_PUT(op), 0, 0), -ENOSYS);
	fake_hv_check_leaks();
}
END_TEST

START_TEST(cpu_policy)
{
	domid_t id = create();
	xen_cpuid_leaf_t leaf[2] = { 0 };
	uint64_t array = FAKE_PUT(leaf);
	struct xen_domctl op = { 0 };

	fake_counts.cpu_policy = 0xff;
	/* the size; too small; the list */
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_get_cpu_policy, id), 0);
	ck_assert_uint_eq(op.u.cpu_policy.nr_leaves, 2);
	op.u.cpu_policy.leaves.p = (void *)(uintptr_t)array;
	op.u.cpu_policy.nr_leaves = 1;
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_get_cpu_policy, id), -ENOBUFS);
	op.u.cpu_policy.nr_leaves = 5;
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_get_cpu_policy, id), 0);
	ck_assert_uint_eq(op.u.cpu_policy.nr_leaves, 2);
	ck_assert_uint_eq(op.u.cpu_policy.nr_msrs, 0);
	FAKE_GET(array, leaf);
	MUST(leaf[1].leaf == 1 && leaf[1].subleaf == XEN_CPUID_NO_SUBLEAF && leaf[1].a == 11 && leaf[1].d == 0xff);
	/* less is taken over; more is refused with its place */
	leaf[1].d = 0x7f;
	op.u.cpu_policy.leaves.p = (void *)(uintptr_t)FAKE_PUT(leaf);
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_set_cpu_policy, id), 0);
	ck_assert_uint_eq(fake_counts.cpu_policy, 0x7f);
	leaf[0].d = 0;
	leaf[1].d = 0x80;
	op.u.cpu_policy.leaves.p = (void *)(uintptr_t)FAKE_PUT(leaf);
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_set_cpu_policy, id), -EINVAL);
	ck_assert_uint_eq(op.u.cpu_policy.err_leaf, 1);
	ck_assert_uint_eq(fake_counts.cpu_policy, 0x7f);
	/* MSRs have no policy; a list without end is not read */
	op.u.cpu_policy.nr_msrs = 1;
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_set_cpu_policy, id), -EINVAL);
	op.u.cpu_policy.nr_msrs = 0;
	op.u.cpu_policy.nr_leaves = ~0u;
	ck_assert_int_eq(domctl(&op, XEN_DOMCTL_set_cpu_policy, id), -EINVAL);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { creation, sched_params, affinity, ostler_ops, pause_and_info, context, crash_and_destroy, park_all,
		creation_without_memory, machine, cpu_policy, NULL };

	return suite_run("domain", setup, tests);
}
