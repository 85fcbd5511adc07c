/* Event channels through the hypercall front: every operation, its errors, delivery in both layouts, and poll. */
#include <stdint.h>
#include <string.h>
#include <xen/event_channel.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include "dom/evtchn.h"
#include "dom/shared_info.h"
#include "fake/fake_hv.h"
#include "fake/suite.h"

static struct domain *g;

static void setup(void)
{
	fake_hv_reset(2);
	g = fake_guest(2, 16);
}

static int64_t op(uint32_t cmd, uint64_t arg)
{
	return fake_call(__HYPERVISOR_event_channel_op, cmd, arg, 0);
}

static int64_t alloc_unbound(domid_t dom, domid_t remote, evtchn_port_t *port)
{
	struct evtchn_alloc_unbound a = { .dom = dom, .remote_dom = remote };
	uint64_t p = FAKE_PUT(a);
	int64_t rc = op(EVTCHNOP_alloc_unbound, p);

	FAKE_GET(p, a);
	*port = a.port;
	return rc;
}

static int64_t bind_interdomain(domid_t remote, evtchn_port_t remote_port, evtchn_port_t *port)
{
	struct evtchn_bind_interdomain b = { .remote_dom = remote, .remote_port = remote_port };
	uint64_t p = FAKE_PUT(b);
	int64_t rc = op(EVTCHNOP_bind_interdomain, p);

	FAKE_GET(p, b);
	*port = b.local_port;
	return rc;
}

static int64_t bind_virq(uint32_t virq, uint32_t vcpu, evtchn_port_t *port)
{
	struct evtchn_bind_virq b = { .virq = virq, .vcpu = vcpu };
	uint64_t p = FAKE_PUT(b);
	int64_t rc = op(EVTCHNOP_bind_virq, p);

	FAKE_GET(p, b);
	*port = b.port;
	return rc;
}

static int64_t bind_ipi(uint32_t vcpu, evtchn_port_t *port)
{
	struct evtchn_bind_ipi b = { .vcpu = vcpu };
	uint64_t p = FAKE_PUT(b);
	int64_t rc = op(EVTCHNOP_bind_ipi, p);

	FAKE_GET(p, b);
	*port = b.port;
	return rc;
}

static int64_t port_op(uint32_t cmd, evtchn_port_t port)
{
	struct evtchn_close e = { .port = port };

	return op(cmd, FAKE_PUT(e));
}

static int64_t status(domid_t dom, evtchn_port_t port, struct evtchn_status *s)
{
	uint64_t p;
	int64_t rc;

	memset(s, 0xff, sizeof(*s));
	s->dom = dom;
	s->port = port;
	p = FAKE_PUT(*s);
	rc = op(EVTCHNOP_status, p);
	FAKE_GET(p, *s);
	return rc;
}

static struct vcpu_info *info(struct vcpu *v)
{
	return v->info;
}

static struct shared_info *shared(struct domain *d)
{
	return page_virt(mfn_page(shared_info_mfn(d)));
}

START_TEST(self_binding)
{
	evtchn_port_t a, b;
	struct evtchn_status s;

	ck_assert_int_eq(alloc_unbound(DOMID_SELF, DOMID_SELF, &a), 0);
	ck_assert_int_eq(status(DOMID_SELF, a, &s), 0);
	ck_assert_uint_eq(s.status, EVTCHNSTAT_unbound);
	ck_assert_uint_eq(s.u.unbound.dom, 0);
	ck_assert_int_eq(bind_interdomain(0, a, &b), 0);
	ck_assert_uint_ne(a, b);
	ck_assert(shared_info_is_pending(dom0, b));
	ck_assert_int_eq(status(DOMID_SELF, a, &s), 0);
	ck_assert_uint_eq(s.status, EVTCHNSTAT_interdomain);
	ck_assert_uint_eq(s.u.interdomain.port, b);
	/* Bound already. */
	ck_assert_int_eq(bind_interdomain(0, a, &b), -EINVAL);
	ck_assert_int_eq(port_op(EVTCHNOP_send, s.u.interdomain.port), 0);
	ck_assert(shared_info_is_pending(dom0, a));
	ck_assert_int_eq(port_op(EVTCHNOP_close, a), 0);
	ck_assert_int_eq(status(DOMID_SELF, s.u.interdomain.port, &s), 0);
	ck_assert_uint_eq(s.status, EVTCHNSTAT_unbound);
	ck_assert_int_eq(port_op(EVTCHNOP_close, a), -EINVAL);
	fake_hv_check_leaks();
}
END_TEST

START_TEST(interdomain)
{
	evtchn_port_t far, near, other;
	struct evtchn_status s;

	/* Dom0 makes a port in the guest for itself and binds to it. */
	ck_assert_int_eq(alloc_unbound(g->id, 0, &far), 0);
	ck_assert_int_eq(bind_interdomain(g->id, far, &near), 0);
	ck_assert_int_eq(bind_interdomain(g->id, far + 1, &other), -EINVAL);
	ck_assert_int_eq(bind_interdomain(77, far, &other), -ESRCH);
	fake_counts.upcalls = 0;
	ck_assert_int_eq(port_op(EVTCHNOP_send, near), 0);
	ck_assert_uint_eq(fake_counts.upcalls, 1);
	ck_assert(shared_info_is_pending(g, far));
	ck_assert_uint_eq(info(g->vcpu[0])->evtchn_upcall_pending, 1);
	ck_assert_uint_eq(info(g->vcpu[0])->evtchn_pending_sel, 1ul << (far / 64));
	/* Already pending: no second upcall. */
	ck_assert_int_eq(port_op(EVTCHNOP_send, near), 0);
	ck_assert_uint_eq(fake_counts.upcalls, 1);
	ck_assert_int_eq(status(g->id, far, &s), 0);
	ck_assert_uint_eq(s.u.interdomain.dom, 0);
	/* A guest may not look at or make ports elsewhere, nor bind what waits for another. */
	fake_run_on(g->vcpu[0]);
	ck_assert_int_eq(status(0, near, &s), -EPERM);
	ck_assert_int_eq(alloc_unbound(0, g->id, &other), -EPERM);
	ck_assert_int_eq(alloc_unbound(DOMID_SELF, 5, &other), 0);
	ck_assert_int_eq(bind_interdomain(DOMID_SELF, other, &near), -EINVAL);
	/* The domain goes: Dom0's end waits again. */
	fake_run_on(dom0->vcpu[0]);
	ck_assert_int_eq(domain_destroy(g), 0);
	ck_assert_int_eq(status(DOMID_SELF, 1, &s), 0);
	ck_assert_uint_eq(s.status, EVTCHNSTAT_unbound);
	ck_assert_int_eq(port_op(EVTCHNOP_send, 1), 0);
	fake_hv_check_leaks();
}
END_TEST

START_TEST(virqs)
{
	evtchn_port_t p, q;
	struct evtchn_status s;
	struct evtchn_bind_vcpu b;

	ck_assert_int_eq(bind_virq(24, 0, &p), -EINVAL);
	ck_assert_int_eq(bind_virq(VIRQ_DOM_EXC, 1, &p), -EINVAL);
	ck_assert_int_eq(bind_virq(VIRQ_TIMER, 2, &p), -ENOENT);
	ck_assert_int_eq(bind_virq(VIRQ_TIMER, 1, &p), 0);
	ck_assert_int_eq(bind_virq(VIRQ_TIMER, 1, &q), -EEXIST);
	ck_assert_int_eq(bind_virq(VIRQ_DOM_EXC, 0, &q), 0);
	ck_assert_int_eq(port_op(EVTCHNOP_send, p), -EINVAL);
	ck_assert_int_eq(status(DOMID_SELF, p, &s), 0);
	ck_assert_uint_eq(s.status, EVTCHNSTAT_virq);
	ck_assert_uint_eq(s.vcpu, 1);
	ck_assert_uint_eq(s.u.virq, VIRQ_TIMER);
	/* Per-vCPU ones stay; global ones move. */
	b = (struct evtchn_bind_vcpu){ .port = p, .vcpu = 0 };
	ck_assert_int_eq(op(EVTCHNOP_bind_vcpu, FAKE_PUT(b)), -EINVAL);
	b = (struct evtchn_bind_vcpu){ .port = q, .vcpu = 1 };
	ck_assert_int_eq(op(EVTCHNOP_bind_vcpu, FAKE_PUT(b)), 0);
	b.vcpu = 2;
	ck_assert_int_eq(op(EVTCHNOP_bind_vcpu, FAKE_PUT(b)), -ENOENT);
	evtchn_global_virq(VIRQ_DOM_EXC);
	ck_assert_uint_eq(fake_counts.upcall_vcpu, 1);
	ck_assert(shared_info_is_pending(dom0, q));
	/* Closed and bound again, although it was delivered elsewhere. */
	ck_assert_int_eq(port_op(EVTCHNOP_close, q), 0);
	ck_assert_int_eq(bind_virq(VIRQ_DOM_EXC, 0, &q), 0);
	ck_assert(!shared_info_is_pending(dom0, q));
	ck_assert_int_eq(bind_ipi(2, &p), -ENOENT);
	ck_assert_int_eq(bind_ipi(1, &p), 0);
	ck_assert_int_eq(port_op(EVTCHNOP_send, p), 0);
	ck_assert_uint_eq(info(dom0->vcpu[1])->evtchn_upcall_pending, 1);
	fake_hv_check_leaks();
}
END_TEST

START_TEST(mask_and_unmask)
{
	evtchn_port_t p;

	ck_assert_int_eq(bind_ipi(0, &p), 0);
	shared(dom0)->evtchn_mask[p / 64] |= 1ul << (p % 64);
	ck_assert_int_eq(port_op(EVTCHNOP_send, p), 0);
	ck_assert_uint_eq(fake_counts.upcalls, 0);
	ck_assert(shared_info_is_masked(dom0, p));
	ck_assert_int_eq(port_op(EVTCHNOP_unmask, p), 0);
	ck_assert_uint_eq(fake_counts.upcalls, 1);
	ck_assert(!shared_info_is_masked(dom0, p));
	/* Unmasking what is not masked raises nothing. */
	info(dom0->vcpu[0])->evtchn_upcall_pending = 0;
	info(dom0->vcpu[0])->evtchn_pending_sel = 0;
	ck_assert_int_eq(port_op(EVTCHNOP_unmask, p), 0);
	ck_assert_uint_eq(fake_counts.upcalls, 1);
	ck_assert_int_eq(port_op(EVTCHNOP_unmask, 0), -EINVAL);
	ck_assert_int_eq(port_op(EVTCHNOP_unmask, 5000), -EINVAL);
	fake_hv_check_leaks();
}
END_TEST

START_TEST(limits_and_reset)
{
	struct evtchn_reset r = { .dom = DOMID_SELF };
	struct evtchn_status s;
	evtchn_port_t p = 0, last = 0;
	int64_t rc;

	fake_run_on(g->vcpu[0]);
	while ((rc = alloc_unbound(DOMID_SELF, 0, &p)) == 0) {
		last = p;
	}
	ck_assert_int_eq(rc, -ENOSPC);
	ck_assert_uint_eq(last, 1023);
	ck_assert_int_eq(op(EVTCHNOP_reset, FAKE_PUT(r)), 0);
	ck_assert_int_eq(status(DOMID_SELF, last, &s), 0);
	ck_assert_uint_eq(s.status, EVTCHNSTAT_closed);
	ck_assert_int_eq(alloc_unbound(DOMID_SELF, 0, &p), 0);
	ck_assert_uint_eq(p, 1);
	ck_assert_int_eq(status(DOMID_SELF, 4096, &s), -EINVAL);
	/* What is not offered. */
	ck_assert_int_eq(op(EVTCHNOP_init_control, FAKE_PUT(r)), -ENOSYS);
	ck_assert_int_eq(op(EVTCHNOP_expand_array, FAKE_PUT(r)), -ENOSYS);
	ck_assert_int_eq(op(EVTCHNOP_set_priority, FAKE_PUT(r)), -ENOSYS);
	ck_assert_int_eq(op(EVTCHNOP_bind_pirq, FAKE_PUT(r)), -EINVAL);
	ck_assert_int_eq(op(99, FAKE_PUT(r)), -ENOSYS);
	ck_assert_int_eq(op(EVTCHNOP_send, FAKE_BAD_PTR), -EFAULT);
	fake_hv_check_leaks();
}
END_TEST

START_TEST(narrow_layout)
{
	evtchn_port_t p;
	uint32_t *page;

	fake_run_on(g->vcpu[0]);
	shared_info_set_width(g, false);
	for (unsigned int i = 0; i < 40; i++) {
		ck_assert_int_eq(bind_ipi(0, &p), 0);
	}
	ck_assert_uint_eq(p, 40);
	ck_assert_int_eq(port_op(EVTCHNOP_send, p), 0);
	page = (uint32_t *)shared(g);
	ck_assert_uint_eq(page[0x800 / 4 + 1], 1u << 8);        /* port 40: word 1, bit 8 */
	ck_assert_uint_eq(page[1], 2);                          /* selector: word 1 */
	ck_assert_uint_eq(page[0] & 0xff, 1);
	/* Mask at 0x880. */
	page[0x880 / 4 + 1] |= 1u << 7;
	ck_assert(shared_info_is_masked(g, 39));
	ck_assert_uint_eq(page[0x924 / 4], 0x12);               /* high part of the wall clock */
	ck_assert_uint_eq(page[0x904 / 4], 0x34567890);
	fake_hv_check_leaks();
}
END_TEST

START_TEST(vcpu_info_moves)
{
	struct vcpu_register_vcpu_info r = { .mfn = 5, .offset = 64 };
	uint64_t gfn = 5, list = FAKE_PUT(gfn);
	struct xen_memory_reservation m = { .nr_extents = 1, .domid = g->id };
	struct vcpu_info *i;
	evtchn_port_t p;

	m.extent_start.p = (xen_pfn_t *)list;
	ck_assert_int_eq(fake_call(__HYPERVISOR_memory_op, XENMEM_populate_physmap, FAKE_PUT(m), 0), 1);
	fake_run_on(g->vcpu[0]);
	ck_assert_int_eq(bind_ipi(0, &p), 0);
	r.offset = 4096 - 63;
	ck_assert_int_eq(fake_call(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 0, FAKE_PUT(r)), -ENXIO);
	r.offset = 3;
	ck_assert_int_eq(fake_call(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 0, FAKE_PUT(r)), -ENXIO);
	r.offset = 4032;
	r.mfn = 6;
	ck_assert_int_eq(fake_call(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 0, FAKE_PUT(r)), -EINVAL);
	r.mfn = 5;
	ck_assert_int_eq(fake_call(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 7, FAKE_PUT(r)), -ENOENT);
	ck_assert_int_eq(fake_call(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 0, FAKE_PUT(r)), 0);
	ck_assert_int_eq(fake_call(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 0, FAKE_PUT(r)), -EINVAL);
	i = (struct vcpu_info *)((char *)fake_page_at(g, GFN(5)) + 4032);
	ck_assert_uint_eq(i->evtchn_upcall_pending, 1);
	ck_assert_uint_eq(i->evtchn_pending_sel, ~0ul);
	ck_assert_uint_eq(i->time.tsc_to_system_mul, 0x80000000u);
	ck_assert_uint_eq(i->time.version & 1, 0);
	ck_assert_uint_eq(fake_counts.upcalls, 1);
	ck_assert_uint_eq(fake_page_refs(GFN(5), g), 2);
	/* An offline vCPU's may be registered by another; an online one's not. */
	r.offset = 0;
	ck_assert_int_eq(fake_call(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 1, FAKE_PUT(r)), 0);
	i->evtchn_upcall_pending = 0;
	i->evtchn_pending_sel = 0;
	ck_assert_int_eq(port_op(EVTCHNOP_send, p), 0);
	ck_assert_uint_eq(i->evtchn_upcall_pending, 1);
	fake_hv_check_leaks();
}
END_TEST

/* ---- poll ---- */

static evtchn_port_t poll_port;
static unsigned int poll_blocks;

static int64_t poll(evtchn_port_t port, uint64_t timeout)
{
	struct sched_poll s = { .nr_ports = 1, .timeout = timeout };

	s.ports.p = (evtchn_port_t *)FAKE_PUT(port);
	return fake_call(__HYPERVISOR_sched_op, SCHEDOP_poll, FAKE_PUT(s), 0);
}

static void send_while_blocked(void)
{
	poll_blocks++;
	ck_assert_int_eq(evtchn_send(g, poll_port), 0);
}

static void time_passes(void)
{
	poll_blocks++;
	fake_advance(1000);
}

static void domain_dies(void)
{
	WRITE_ONCE(g->dying, true);
}

START_TEST(poll_ends)
{
	fake_run_on(g->vcpu[0]);
	ck_assert_int_eq(bind_ipi(0, &poll_port), 0);
	shared(g)->evtchn_mask[0] = ~0ul;
	ck_assert_int_eq(poll(0, 0), -EINVAL);
	ck_assert_int_eq(poll(1024, 0), -EINVAL);
	/* Pending already, although masked. */
	ck_assert_int_eq(port_op(EVTCHNOP_send, poll_port), 0);
	ck_assert_int_eq(poll(poll_port, 0), 0);
	shared(g)->evtchn_pending[0] = 0;
	fake_block_hook = send_while_blocked;
	ck_assert_int_eq(poll(poll_port, 0), 0);
	ck_assert_uint_eq(poll_blocks, 1);
	shared(g)->evtchn_pending[0] = 0;
	fake_block_hook = time_passes;
	poll_blocks = 0;
	ck_assert_int_eq(poll(poll_port, fake_now + 3500), 0);
	ck_assert_uint_eq(poll_blocks, 4);
	/* Something else wants the vCPU. */
	fake_block_hook = NULL;
	vcpu_kick(g->vcpu[0]);
	ck_assert_int_eq(poll(poll_port, 0), 0);
	g->vcpu[0]->kicked = 0;
	g->vcpu[0]->unit.wake_pending = false;
	fake_block_hook = domain_dies;
	ck_assert_int_eq(poll(poll_port, 0), -EINTR);
	WRITE_ONCE(g->dying, false);
	ck_assert(!g->vcpu[0]->blocked);
	fake_hv_check_leaks();
}
END_TEST

START_TEST(poll_from_32_bits)
{
	struct { uint32_t ports, nr, timeout_lo, timeout_hi; } s = { .nr = 1 };
	evtchn_port_t p;

	fake_run_on(g->vcpu[0]);
	ck_assert_int_eq(bind_ipi(0, &p), 0);
	ck_assert_int_eq(port_op(EVTCHNOP_send, p), 0);
	fake_wide = false;
	s.ports = (uint32_t)FAKE_PUT(p);
	ck_assert_int_eq(fake_call(__HYPERVISOR_sched_op, SCHEDOP_poll, FAKE_PUT(s), 0), 0);
	s.nr = 129;
	ck_assert_int_eq(fake_call(__HYPERVISOR_sched_op, SCHEDOP_poll, FAKE_PUT(s), 0), -EINVAL);
	fake_hv_check_leaks();
}
END_TEST

START_TEST(timer)
{
	struct vcpu_set_singleshot_timer t = { .timeout_abs_ns = fake_now + 500 };
	evtchn_port_t p;

	ck_assert_int_eq(bind_virq(VIRQ_TIMER, 0, &p), 0);
	ck_assert_int_eq(fake_call(__HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, 0, FAKE_PUT(t)), 0);
	ck_assert_int_eq(fake_call(__HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, 1, FAKE_PUT(t)), -EINVAL);
	fake_advance(499);
	ck_assert(!shared_info_is_pending(dom0, p));
	fake_advance(1);
	ck_assert(shared_info_is_pending(dom0, p));
	/* A time in the past fires. */
	shared_info_clear_pending(dom0, p);
	t.timeout_abs_ns = 0;
	ck_assert_int_eq(fake_call(__HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, 0, FAKE_PUT(t)), 0);
	fake_advance(0);
	ck_assert(shared_info_is_pending(dom0, p));
	shared_info_clear_pending(dom0, p);
	ck_assert_int_eq(fake_call(__HYPERVISOR_set_timer_op, fake_now + 10, 0, 0), 0);
	ck_assert_int_eq(fake_call(__HYPERVISOR_set_timer_op, 0, 0, 0), 0);
	fake_advance(100);
	ck_assert(!shared_info_is_pending(dom0, p));
	ck_assert_int_eq(fake_call(__HYPERVISOR_vcpu_op, VCPUOP_stop_periodic_timer, 0, 0), 0);
	fake_hv_check_leaks();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { self_binding, interdomain, virqs, mask_and_unmask, limits_and_reset,
		narrow_layout, vcpu_info_moves, poll_ends, poll_from_32_bits, timer, NULL };

	return suite_run("evtchn", setup, tests);
}
