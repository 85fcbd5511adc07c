/*
 * The smallest micro-guest: says that it runs and what it was given, and powers off.
 *
 * Needs only guest entry, port E9h, CPUID, the hypercall page and SCHEDOP_shutdown.
 */
#include "tests/guest/rt/rt.h"

#include <xen/version.h>

int guest_main(const struct hvm_start_info *info)
{
	const struct hvm_modlist_entry *module = (const void *)(uintptr_t)info->modlist_paddr;
	long version = rt_hypercall(__HYPERVISOR_xen_version, XENVER_version, 0, 0, 0, 0);

	rt_printf("hello: running, start info version %u\n", info->version);
	for (uint32_t i = 0; i < info->nr_modules; i++) {
		rt_printf("hello: module %u at %llx, %llu bytes\n", i, module[i].paddr,
			  module[i].size);
	}
	RT_CHECK(version > 0);
	rt_printf("hello: hypervisor version %u.%u\n", (unsigned int)version >> 16,
		  (unsigned int)version & 0xffff);
	rt_puts("hello: OK\n");
	return 0;
}
