/* What a CPU of the swarm does in a round: see main.c. Nothing here ends the guest by itself. */
#include "tests/guest/swarm/swarm.h"

#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#define PTE_RW     3u
#define PTE_RO     1u
#define PORTS      64u          /* event channels that are fought over */
#define SPARE_GFN  0x2000u      /* nothing is there: for what is moved about */

static uint8_t scratch[WINDOW_PAGES][4096] __attribute__((aligned(4096)));
/* Instructions of four bytes, changed as a whole: what exits and what is decoded may differ. */
static volatile uint32_t code[8] __attribute__((aligned(64)));

static uint32_t below(uint32_t n)
{
	return swarm_below(n);
}

static uint32_t window_at(void)
{
	return WINDOW + below(WINDOW_PAGES) * 4096 + (below(2) ? below(1024) : 4096 - below(16));
}

static uint32_t toy(void)
{
	return (uint32_t)(uintptr_t)swarm_toy[below(TOYS)];
}

/* ---- memory ---- */

static void op_flip_page(void)
{
	const uint32_t to[] = { HPET, HOLE, VGA, 0xfff00000u, 0xc0000u, toy(), (uint32_t)(uintptr_t)scratch[below(WINDOW_PAGES)] };
	unsigned int page = below(WINDOW_PAGES);

	for (unsigned int i = below(16); i != 0; i--) {
		swarm_pt[page] = below(8) == 0 ? 0 : to[below(ARRAY_SIZE(to))] | (below(4) == 0 ? PTE_RO : PTE_RW);
		if (below(2)) {
			__asm__ volatile("invlpg (%0)" : : "r"(WINDOW + page * 4096) : "memory");
		}
		rt_pause();
	}
}

static void op_window(void)
{
	uint32_t at = window_at(), to = window_at(), count = below(40), value = below(256);

	switch (below(9)) {
	case 0:
		(void)mmio_read32(at);
		break;
	case 1:
		mmio_write32(at, value);
		break;
	case 2:
		__asm__ volatile("lock incl (%0)" : : "r"(at) : "memory", "cc");
		break;
	case 3:
		__asm__ volatile("rep movsb" : "+S"(at), "+D"(to), "+c"(count) : : "memory");
		break;
	case 4:
		__asm__ volatile("rep movsl" : "+S"(at), "+D"(to), "+c"(count) : : "memory");
		break;
	case 5:
		__asm__ volatile("rep stosw" : "+D"(to), "+c"(count) : "a"(value) : "memory");
		break;
	case 6:
		__asm__ volatile("rep insb" : "+D"(to), "+c"(count) : "d"(0x1f1) : "memory");
		break;
	case 7:
		__asm__ volatile("rep outsb" : "+S"(at), "+c"(count) : "d"(0x80) : "memory");
		break;
	default:
		__asm__ volatile("lock cmpxchg8b (%0)" : : "r"(at), "a"(0), "d"(0), "b"(1), "c"(2) : "memory", "cc");
		break;
	}
}

static const uint8_t forms[][4] = {
	{ 0x8b, 0x03, 0xc3 }, { 0x89, 0x03, 0xc3 }, { 0xa4, 0xc3 },             { 0xf3, 0xa4, 0xc3 },
	{ 0xe4, 0x80, 0xc3 }, { 0xe6, 0x80, 0xc3 }, { 0x6c, 0xc3 },             { 0x6e, 0xc3 },
	{ 0x0f, 0xa2, 0xc3 }, { 0x0f, 0x31, 0xc3 }, { 0xf0, 0x01, 0x03, 0xc3 }, { 0x86, 0x03, 0xc3 },
	{ 0xff, 0x03, 0xc3 }, { 0x66, 0xed, 0xc3 }, { 0x0f, 0x20, 0xc0, 0xc3 }, { 0x0f, 0x32, 0xc3 },
	{ 0x0f, 0x0b },       { 0xc3 },             { 0x66, 0xa5, 0xc3 },       { 0x0f, 0x01, 0xd9, 0xc3 },
	{ 0xf3, 0xab, 0xc3 }, { 0xff, 0x33, 0x58, 0xc3 }, { 0x0f, 0xc1, 0x03, 0xc3 }, { 0x0f, 0xb6, 0x03, 0xc3 },
};

static void op_flip_code(void)
{
	for (unsigned int i = below(32); i != 0; i--) {
		uint32_t form;

		memcpy(&form, forms[below(ARRAY_SIZE(forms))], 4);
		code[below(ARRAY_SIZE(code))] = form;
		rt_pause();
	}
}

static void op_run_code(void)
{
	for (unsigned int i = below(16); i != 0; i--) {
		uint32_t a = __HYPERVISOR_xen_version, b = window_at(), c = below(30), d = 0x80, s = window_at(), t = window_at();

		__asm__ volatile("call *%6"
				 : "+a"(a), "+b"(b), "+c"(c), "+d"(d), "+S"(s), "+D"(t)
				 : "m"((uint32_t){ (uint32_t)(uintptr_t)&code[below(ARRAY_SIZE(code))] })
				 : "memory", "cc");
	}
}

static long memory_op(unsigned int op, uint32_t address)
{
	xen_pfn_t gfn = address >> 12;
	struct xen_memory_reservation r = { .nr_extents = 1, .domid = DOMID_SELF };

	set_xen_guest_handle(r.extent_start, &gfn);
	return rt_hypercall(__HYPERVISOR_memory_op, op, (uintptr_t)&r, 0, 0, 0);
}

/* A page goes while another CPU reads or writes it, or has it as the buffer of string I/O. */
static void op_balloon(void)
{
	uint32_t at = toy();

	(void)memory_op(XENMEM_decrease_reservation, at);
	for (unsigned int i = below(8); i != 0; i--) {
		rt_pause();
	}
	if (below(4) != 0) {
		(void)memory_op(XENMEM_populate_physmap, at);
	}
}

static void op_toy(void)
{
	uint32_t at = toy() + 4096 - below(64), other = toy(), count = below(100);

	switch (below(5)) {
	case 0:
		__asm__ volatile("rep insw" : "+D"(other), "+c"(count) : "d"(0x1f0) : "memory");
		break;
	case 1:
		__asm__ volatile("rep outsb" : "+S"(at), "+c"(count) : "d"(0x80) : "memory");
		break;
	case 2:
		__asm__ volatile("rep movsb" : "+S"(at), "+D"(other), "+c"(count) : : "memory");
		break;
	case 3:
		(void)rt_hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_status, at, 0, 0, 0);
		break;
	default:
		(void)rt_hypercall(__HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, below(swarm_cpus), other, 0, 0);
		break;
	}
}

/* Special pages that move from frame to frame, over toys and over nothing. */
static void op_move(void)
{
	static const uint16_t spaces[] = { XENMAPSPACE_shared_info, XENMAPSPACE_grant_table };
	struct xen_add_to_physmap x = { .domid = DOMID_SELF, .space = spaces[below(2)], .idx = below(3),
					.gpfn = below(3) ? SPARE_GFN + below(4) : toy() >> 12 };
	struct xen_remove_from_physmap r = { .domid = DOMID_SELF, .gpfn = SPARE_GFN + below(4) };

	if (below(3) != 0) {
		(void)rt_hypercall(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, (uintptr_t)&x, 0, 0, 0);
	} else {
		(void)rt_hypercall(__HYPERVISOR_memory_op, XENMEM_remove_from_physmap, (uintptr_t)&r, 0, 0, 0);
	}
}

/* ---- interrupts and processors ---- */

/* All but INIT and start-up, which would reach the first CPU. */
static void op_ipi(void)
{
	static const uint32_t modes[] = { 0, 0x100, 0x200, 0x400, 0x300, 0x700 };

	for (unsigned int i = below(24); i != 0; i--) {
		uint32_t vector = below(4) ? 0x20 + below(0xe0) : below(256), shorthand = below(2) ? below(4) << 18 : 0;

		mmio_write32(APIC + APIC_ICR_2, (below(2) ? below(16) : below(256)) << 24);
		mmio_write32(APIC + APIC_ICR, modes[below(ARRAY_SIZE(modes))] | vector | shorthand | (below(2) << 11) | 0x4000 |
						      (below(4) == 0 ? 0x8000 : 0));
	}
}

static void op_restart(void)
{
	swarm_restart(1 + below(swarm_cpus - 1));
}

static void op_timers(void)
{
	struct vcpu_set_singleshot_timer t = { .timeout_abs_ns = below(2000) * 1000 };

	/* A period that is shorter than what a tick costs would leave time for nothing else. */
	bool periodic = below(2);

	mmio_write32(APIC + 0x3e0, below(2) ? 0xb : 0);
	mmio_write32(APIC + 0x320, 0x30 + below(200) + (periodic << 17));
	mmio_write32(APIC + 0x380, (periodic ? 5000000 : 0) + below(1u << (8 + below(12))));
	mmio_write32(APIC + 0x0e0, below(2) ? 0xffffffff : 0x0fffffff);
	mmio_write32(APIC + 0x0d0, below(256) << 24);
	mmio_write32(APIC + 0x080, below(4) ? 0 : below(256));
	(void)rt_hypercall(__HYPERVISOR_vcpu_op, below(2) ? VCPUOP_set_singleshot_timer : VCPUOP_stop_singleshot_timer,
			   below(swarm_cpus), (uintptr_t)&t, 0, 0);
}

static void op_vcpu(void)
{
	static const uint8_t ops[] = { VCPUOP_up, VCPUOP_down, VCPUOP_is_up, VCPUOP_get_runstate_info, VCPUOP_send_nmi,
				       VCPUOP_initialise };
	uint32_t where[16] = { toy() };

	(void)rt_hypercall(__HYPERVISOR_vcpu_op, ops[below(ARRAY_SIZE(ops))], 1 + below(swarm_cpus - 1), (uintptr_t)where, 0, 0);
}

/* Until the timer comes, which is set with interrupts off so that it cannot have come before. */
static void op_halt(void)
{
	rt_irq_off();
	mmio_write32(APIC + 0x080, 0);
	mmio_write32(APIC + 0x320, 0x31);
	mmio_write32(APIC + 0x380, 1000 + below(100000));
	__asm__ volatile("sti; hlt");
}

/* ---- the hypervisor's own things ---- */

static void op_events(void)
{
	struct evtchn_alloc_unbound unbound = { .dom = DOMID_SELF, .remote_dom = DOMID_SELF };
	struct evtchn_bind_interdomain pair = { .remote_dom = DOMID_SELF, .remote_port = below(PORTS) };
	struct evtchn_bind_ipi ipi = { .vcpu = below(swarm_cpus) };
	struct evtchn_bind_virq virq = { .virq = below(3), .vcpu = below(swarm_cpus) };
	struct evtchn_bind_vcpu home = { .port = below(PORTS), .vcpu = below(swarm_cpus) };
	uint32_t port = below(PORTS);
	evtchn_port_t ports[2] = { port, below(PORTS) };
	struct sched_poll poll = { .nr_ports = 2, .timeout = 1 };
	const struct {
		uint32_t op;
		void *argument;
	} calls[] = {
		{ EVTCHNOP_alloc_unbound, &unbound }, { EVTCHNOP_bind_interdomain, &pair }, { EVTCHNOP_bind_ipi, &ipi },
		{ EVTCHNOP_bind_virq, &virq },        { EVTCHNOP_bind_vcpu, &home },        { EVTCHNOP_send, &port },
		{ EVTCHNOP_send, &port },             { EVTCHNOP_unmask, &port },           { EVTCHNOP_close, &port },
	};

	for (unsigned int i = below(12); i != 0; i--) {
		unsigned int n = below(ARRAY_SIZE(calls));

		port = below(PORTS);
		(void)rt_hypercall(__HYPERVISOR_event_channel_op, calls[n].op, (uintptr_t)calls[n].argument, 0, 0, 0);
	}
	set_xen_guest_handle(poll.ports, ports);
	if (below(8) == 0) {
		(void)rt_hypercall(__HYPERVISOR_sched_op, SCHEDOP_poll, (uintptr_t)&poll, 0, 0, 0);
	}
}

static void op_parameters(void)
{
	static const uint64_t values[] = { 0, 0x0200000000000000ull | 0xf3, 0x0200000000000000ull | 0xf4, 0x0100000000000000ull | 10,
					   9, 0x020000000000000full };
	struct xen_hvm_param p = { .domid = DOMID_SELF, .index = HVM_PARAM_CALLBACK_IRQ, .value = values[below(ARRAY_SIZE(values))] };
	xen_hvm_evtchn_upcall_vector_t u = { .vcpu = below(swarm_cpus), .vector = (uint8_t)(0x20 + below(200)) };

	if (below(2)) {
		(void)rt_hypercall(__HYPERVISOR_hvm_op, HVMOP_set_param, (uintptr_t)&p, 0, 0, 0);
	} else {
		(void)rt_hypercall(__HYPERVISOR_hvm_op, HVMOP_set_evtchn_upcall_vector, (uintptr_t)&u, 0, 0, 0);
	}
}

static void op_areas(void)
{
	struct vcpu_register_vcpu_info info = { .mfn = toy() >> 12, .offset = below(64) * 64 };
	struct vcpu_register_time_memory_area area = { .addr.p = below(2) ? window_at() & ~7u : toy() };

	if (below(2)) {
		(void)rt_hypercall(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, below(swarm_cpus), (uintptr_t)&info, 0, 0);
	} else {
		(void)rt_hypercall(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_time_memory_area, below(swarm_cpus),
				   (uintptr_t)&area, 0, 0);
	}
}

/* The device model, if there is one, and the chips in the hypervisor: everybody at once. */
static void op_devices(void)
{
	static const uint16_t ports[] = { 0x1f1, 0x1f7, 0x3f6, 0x3c4, 0x3c5, 0x3d4, 0x3f4, 0x60, 0x40, 0x42, 0x43, 0x61,
					  0x20, 0x21, 0xa1, 0x70, 0x71, 0x80, 0xcfc, 0x4d0 };

	for (unsigned int i = below(12); i != 0; i--) {
		uint16_t port = ports[below(ARRAY_SIZE(ports))];

		if (below(2) || port == 0xcfc) {
			(void)inb(port);
		} else {
			outb(port, (uint8_t)below(256));
		}
	}
	if (below(2)) {
		mmio_write32(HPET + (below(0x160) & ~3u), below(1u << 20));
		(void)mmio_read32(VGA + (below(4096) & ~3u));
	}
}

void swarm_op(void)
{
	static void (*const ops[])(void) = {
		op_flip_page, op_window,  op_window, op_flip_code, op_run_code,   op_run_code, op_balloon, op_toy,
		op_move,      op_ipi,     op_ipi,    op_restart,   op_timers,     op_vcpu,     op_halt,    op_events,
		op_events,    op_parameters, op_areas, op_devices, op_devices,
	};

	ops[below(ARRAY_SIZE(ops))]();
}
