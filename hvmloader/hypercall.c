/*
 * Hypercall page and the calls of the firmware.
 *
 * Owns: the page at LAYOUT_HYPERCALL_PAGE. Pointers passed are physical addresses: paging is off.
 * One CPU calls at a time.
 */
#include "hvmloader/hypercall.h"

#include <xen/arch-x86/cpuid.h>
#include <xen/event_channel.h>
#include <xen/hvm/hvm_op.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/version.h>

#include "hvmloader/layout.h"
#include "hvmloader/util.h"

#define LEAF_STEP    0x100
#define LEAF_END     0x40010000
#define STUB_SIZE    32
#define CPUID1_ECX_HYPERVISOR (1u << 31)

static bool page_valid;

static uint32_t ptr(const void *p)
{
	return (uint32_t)p;
}

static uint32_t find_leaf(void)
{
	uint32_t r[4];

	for (uint32_t leaf = XEN_CPUID_FIRST_LEAF; leaf < LEAF_END; leaf += LEAF_STEP) {
		cpuid(leaf, 0, r);
		if (r[1] == XEN_CPUID_SIGNATURE_EBX && r[2] == XEN_CPUID_SIGNATURE_ECX &&
		    r[3] == XEN_CPUID_SIGNATURE_EDX && r[0] - leaf >= 2) {
			return leaf;
		}
	}
	return 0;
}

void hypercall_init(void)
{
	uint32_t leaf = find_leaf(), version[4], r[4];

	if (leaf == 0) {
		fatal("no hypervisor found by CPUID");
	}
	cpuid(leaf + 1, 0, version);
	cpuid(leaf + 2, 0, r);
	if (r[0] == 0 || r[0] > (LAYOUT_HVM_INFO - LAYOUT_HYPERCALL_PAGE) / PAGE_SIZE) {
		fatal("the hypervisor wants %u hypercall pages", r[0]);
	}
	for (uint32_t i = 0; i < r[0]; i++) {
		wrmsr(r[1], LAYOUT_HYPERCALL_PAGE + i * PAGE_SIZE + i);
	}
	page_valid = true;
	print("hypervisor interface %u.%u at CPUID %08x, hypercall page at %05x\n",
	      version[0] >> 16, version[0] & 0xffff, leaf, LAYOUT_HYPERCALL_PAGE);
}

long hypercall(unsigned int nr, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t a4, uint32_t a5)
{
	long result;

	__asm__ volatile("call *%[stub]"
			 : "=a"(result), "+b"(a1), "+c"(a2), "+d"(a3), "+S"(a4), "+D"(a5)
			 : [stub] "0"(LAYOUT_HYPERCALL_PAGE + nr * STUB_SIZE)
			 : "memory", "cc");
	return result;
}

void hypercall_crash(void)
{
	struct sched_shutdown request = { .reason = SHUTDOWN_crash };

	if (page_valid) {
		(void)hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown, ptr(&request), 0, 0, 0);
	}
	for (;;) {
		__asm__ volatile("cli; hlt");
	}
}

uint64_t hypercall_get_param(uint32_t index)
{
	struct xen_hvm_param p = { .domid = DOMID_SELF, .index = index };

	if (hypercall(__HYPERVISOR_hvm_op, HVMOP_get_param, ptr(&p), 0, 0, 0) != 0) {
		return 0;
	}
	return p.value;
}

bool hypercall_set_param(uint32_t index, uint64_t value)
{
	struct xen_hvm_param p = { .domid = DOMID_SELF, .index = index, .value = value };
	long rc = hypercall(__HYPERVISOR_hvm_op, HVMOP_set_param, ptr(&p), 0, 0, 0);

	if (rc != 0) {
		print("setting HVM parameter %u failed: %d\n", index, (int)rc);
	}
	return rc == 0;
}

static char *append_number(char *text, uint32_t value)
{
	char digits[12];
	unsigned int n = 0;

	do {
		digits[n++] = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	while (n > 0) {
		*text++ = digits[--n];
	}
	return text;
}

void hypercall_version(char *text)
{
	xen_extraversion_t extra = "";
	long version = hypercall(__HYPERVISOR_xen_version, XENVER_version, 0, 0, 0, 0);

	if (version < 0) {
		fatal("the hypervisor does not tell its version (%d)", (int)version);
	}
	if (hypercall(__HYPERVISOR_xen_version, XENVER_extraversion, ptr(extra), 0, 0, 0) < 0) {
		extra[0] = '\0';
	}
	extra[sizeof(extra) - 1] = '\0';
	text = append_number(text, (uint32_t)version >> 16);
	*text++ = '.';
	text = append_number(text, (uint32_t)version & 0xffff);
	memcpy(text, extra, strlen(extra) + 1);
}

void hypercall_uuid(uint8_t uuid[16])
{
	xen_domain_handle_t handle = { 0 };

	if (hypercall(__HYPERVISOR_xen_version, XENVER_guest_handle, ptr(handle), 0, 0, 0) != 0) {
		print("the hypervisor does not tell the guest's UUID\n");
	}
	memcpy(uuid, handle, 16);
}

bool hypercall_populate(uint32_t gfn)
{
	xen_pfn_t frame = gfn;
	struct xen_memory_reservation r = { .nr_extents = 1, .domid = DOMID_SELF };

	set_xen_guest_handle(r.extent_start, &frame);
	return hypercall(__HYPERVISOR_memory_op, XENMEM_populate_physmap, ptr(&r), 0, 0, 0) == 1;
}

static bool add_to_physmap(uint32_t space, uint32_t index, uint32_t gfn, uint16_t size)
{
	struct xen_add_to_physmap a = { .domid = DOMID_SELF, .size = size, .space = space,
					.idx = index, .gpfn = gfn };

	return hypercall(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, ptr(&a), 0, 0, 0) == 0;
}

bool hypercall_move_pages(uint32_t from_gfn, uint32_t to_gfn, uint16_t pages)
{
	if (pages == 1) {
		return add_to_physmap(XENMAPSPACE_gmfn, from_gfn, to_gfn, 0);
	}
	return add_to_physmap(XENMAPSPACE_gmfn_range, from_gfn, to_gfn, pages);
}

bool hypercall_map_shared_info(uint32_t gfn)
{
	return add_to_physmap(XENMAPSPACE_shared_info, 0, gfn, 0);
}

void hypercall_notify(uint32_t port)
{
	struct evtchn_send send = { .port = port };

	(void)hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_send, ptr(&send), 0, 0, 0);
}

void hypercall_poll(uint32_t port, uint64_t deadline)
{
	evtchn_port_t ports = port;
	struct sched_poll poll = { .nr_ports = 1, .timeout = deadline };

	set_xen_guest_handle(poll.ports, &ports);
	(void)hypercall(__HYPERVISOR_sched_op, SCHEDOP_poll, ptr(&poll), 0, 0, 0);
}

void hypercall_yield(void)
{
	(void)hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0, 0, 0);
}
