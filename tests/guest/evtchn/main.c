/*
 * Event channels of one guest with itself: allocate, bind, send, poll with and without a deadline,
 * status, close.
 */
#include "tests/guest/rt/rt.h"

#include <xen/errno.h>
#include <xen/event_channel.h>
#include <xen/memory.h>
#include <xen/sched.h>

static uint8_t page[4096] __attribute__((aligned(4096)));
static struct shared_info *const shared = (void *)page;

static long op(unsigned int cmd, void *arg)
{
	return rt_hypercall(__HYPERVISOR_event_channel_op, cmd, (uintptr_t)arg, 0, 0, 0);
}

static bool pending(uint32_t port)
{
	return __atomic_load_n(&shared->evtchn_pending[port / 32], __ATOMIC_SEQ_CST) >> port % 32 & 1;
}

static void clear(uint32_t port)
{
	__atomic_fetch_and(&shared->evtchn_pending[port / 32], ~(1ul << port % 32), __ATOMIC_SEQ_CST);
}

static void map_shared_info(void)
{
	struct xen_add_to_physmap map = { .domid = DOMID_SELF, .space = XENMAPSPACE_shared_info,
					  .gpfn = (uintptr_t)page >> 12 };

	RT_CHECK(rt_hypercall(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, (uintptr_t)&map, 0, 0,
			      0) == 0);
}

static uint64_t now(void)
{
	const volatile struct vcpu_time_info *t = &shared->vcpu_info[0].time;
	uint64_t delta = rdtsc() - t->tsc_timestamp;

	delta = t->tsc_shift >= 0 ? delta << t->tsc_shift : delta >> -t->tsc_shift;
	return t->system_time + (delta >> 32) * t->tsc_to_system_mul +
	       (((delta & 0xffffffff) * t->tsc_to_system_mul) >> 32);
}

static long poll(evtchn_port_t port, uint64_t timeout)
{
	struct sched_poll p = { .nr_ports = 1, .timeout = timeout };

	set_xen_guest_handle(p.ports, &port);
	return rt_hypercall(__HYPERVISOR_sched_op, SCHEDOP_poll, (uintptr_t)&p, 0, 0, 0);
}

static void loopback(void)
{
	struct evtchn_alloc_unbound a = { .dom = DOMID_SELF, .remote_dom = DOMID_SELF };
	struct evtchn_bind_interdomain b = { .remote_dom = DOMID_SELF };
	struct evtchn_send send;
	struct evtchn_status status = { .dom = DOMID_SELF };
	struct evtchn_close close;
	uint64_t start;

	RT_CHECK(op(EVTCHNOP_alloc_unbound, &a) == 0 && a.port != 0);
	b.remote_port = a.port;
	RT_CHECK(op(EVTCHNOP_bind_interdomain, &b) == 0 && b.local_port != a.port);
	clear(a.port);
	clear(b.local_port);
	send.port = b.local_port;
	RT_CHECK(op(EVTCHNOP_send, &send) == 0);
	RT_CHECK(pending(a.port) && !pending(b.local_port));
	/* Pending already: returns at once. */
	RT_CHECK(poll(a.port, 0) == 0);
	clear(a.port);
	/* Nothing will come: the deadline ends it. */
	start = now();
	RT_CHECK(poll(a.port, start + 20000000) == 0);
	RT_CHECK(now() >= start + 20000000 && now() < start + 5000000000ull);
	RT_CHECK(!pending(a.port));
	status.port = a.port;
	RT_CHECK(op(EVTCHNOP_status, &status) == 0);
	RT_CHECK(status.status == EVTCHNSTAT_interdomain && status.u.interdomain.port == b.local_port);
	close.port = a.port;
	RT_CHECK(op(EVTCHNOP_close, &close) == 0);
	status.port = b.local_port;
	RT_CHECK(op(EVTCHNOP_status, &status) == 0);
	RT_CHECK(status.status == EVTCHNSTAT_unbound);
	close.port = b.local_port;
	RT_CHECK(op(EVTCHNOP_close, &close) == 0);
	RT_CHECK(op(EVTCHNOP_close, &close) == -XEN_EINVAL);
}

static void errors(void)
{
	struct evtchn_send send = { .port = 0 };
	struct evtchn_bind_virq virq = { .virq = 1000 };

	RT_CHECK(op(EVTCHNOP_send, &send) == -XEN_EINVAL);
	send.port = 0xffffffff;
	RT_CHECK(op(EVTCHNOP_send, &send) == -XEN_EINVAL);
	RT_CHECK(op(EVTCHNOP_bind_virq, &virq) == -XEN_EINVAL);
	RT_CHECK(op(1000, &send) == -XEN_ENOSYS);
}

int guest_main(const struct hvm_start_info *info)
{
	(void)info;
	map_shared_info();
	loopback();
	errors();
	rt_puts("evtchn: OK\n");
	return 0;
}
