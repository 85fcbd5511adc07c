/*
 * Hypercalls a guest may make, what they answer, and that nonsense gets an error and nothing else.
 */
#include "tests/guest/rt/rt.h"

#include <xen/errno.h>
#include <xen/event_channel.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/version.h>

static long call(unsigned int nr, unsigned long cmd, const void *arg)
{
	return rt_hypercall(nr, cmd, (uintptr_t)arg, 0, 0, 0);
}

static void version(void)
{
	xen_extraversion_t extra;
	xen_domain_handle_t handle;
	struct xen_feature_info features = { .submap_idx = 0 };

	RT_CHECK(call(__HYPERVISOR_xen_version, XENVER_version, NULL) == 0x00040011);
	memset(extra, 0xff, sizeof(extra));
	RT_CHECK(call(__HYPERVISOR_xen_version, XENVER_extraversion, extra) == 0);
	RT_CHECK(strlen(extra) < sizeof(extra));
	RT_CHECK(call(__HYPERVISOR_xen_version, XENVER_guest_handle, handle) == 0);
	RT_CHECK(call(__HYPERVISOR_xen_version, XENVER_get_features, &features) == 0);
	RT_CHECK(call(__HYPERVISOR_xen_version, XENVER_pagesize, NULL) == 4096);
	RT_CHECK(call(__HYPERVISOR_xen_version, 1000, NULL) == -XEN_ENOSYS);
}

static void numbers(void)
{
	RT_CHECK(call(127, 0, NULL) == -XEN_ENOSYS);
	RT_CHECK(call(0, 0, NULL) == -XEN_ENOSYS);  /* set_trap_table: only of a PV guest */
	RT_CHECK(call(__HYPERVISOR_sched_op, 1000, NULL) == -XEN_ENOSYS);
	RT_CHECK(call(__HYPERVISOR_sched_op, SCHEDOP_yield, NULL) == 0);
}

static void params(void)
{
	struct xen_hvm_param p = { .domid = DOMID_SELF, .index = HVM_PARAM_STORE_PFN };

	RT_CHECK(call(__HYPERVISOR_hvm_op, HVMOP_get_param, &p) == 0);
	p.index = 1000;
	RT_CHECK(call(__HYPERVISOR_hvm_op, HVMOP_get_param, &p) == -XEN_EINVAL);
	p.index = HVM_PARAM_STORE_PFN;
	p.value = 1;
	RT_CHECK(call(__HYPERVISOR_hvm_op, HVMOP_set_param, &p) == -XEN_EPERM);
	p.index = HVM_PARAM_ACPI_IOPORTS_LOCATION;
	p.value = 7;
	RT_CHECK(call(__HYPERVISOR_hvm_op, HVMOP_set_param, &p) < 0);
}

static void memory(void)
{
	static struct {
		uint64_t addr, size;
		uint32_t type;
	} __attribute__((packed)) map[128];
	struct xen_memory_map request = { .nr_entries = 128 };
	xen_pfn_t gfn = 0xfc100;
	struct xen_memory_reservation r = { .nr_extents = 1, .domid = DOMID_SELF };
	volatile uint32_t *page = (void *)(uintptr_t)(gfn << 12);

	set_xen_guest_handle(request.buffer, map);
	RT_CHECK(call(__HYPERVISOR_memory_op, XENMEM_memory_map, &request) == 0);
	RT_CHECK(request.nr_entries > 0 && request.nr_entries <= 128);
	RT_CHECK(map[0].type == 1);
	/* A page where there is none: it comes zeroed, holds, and can be given back. */
	set_xen_guest_handle(r.extent_start, &gfn);
	RT_CHECK(call(__HYPERVISOR_memory_op, XENMEM_populate_physmap, &r) == 1);
	RT_CHECK(page[0] == 0 && page[1023] == 0);
	page[0] = 0x12345678;
	RT_CHECK(page[0] == 0x12345678);
	RT_CHECK(call(__HYPERVISOR_memory_op, XENMEM_decrease_reservation, &r) == 1);
	RT_CHECK(call(__HYPERVISOR_memory_op, 1000, NULL) == -XEN_ENOSYS);
}

/* Pointers that lead nowhere. */
static void bad_pointers(void)
{
	void *hole = (void *)0xf8000000;

	RT_CHECK(call(__HYPERVISOR_xen_version, XENVER_extraversion, hole) == -XEN_EFAULT);
	RT_CHECK(call(__HYPERVISOR_hvm_op, HVMOP_get_param, hole) == -XEN_EFAULT);
	RT_CHECK(call(__HYPERVISOR_event_channel_op, EVTCHNOP_send, hole) == -XEN_EFAULT);
}

int guest_main(const struct hvm_start_info *info)
{
	(void)info;
	version();
	numbers();
	params();
	memory();
	bad_pointers();
	rt_puts("hypercalls: OK\n");
	return 0;
}
