/*
 * What we rely on in the system's ABI headers, checked at build time: a changed header is a build error here and not a
 * guest that crashes. Compat layouts are ours and checked too.
 */
#include <stddef.h>
#include <stdint.h>
#include <xen/xen.h>
#include <xen/domctl.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/physdev.h>
#include <xen/platform.h>
#include <xen/sched.h>
#include <xen/sysctl.h>
#include <xen/vcpu.h>
#include <xen/version.h>
#include <xen/hvm/dm_op.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/ioreq.h>
#include <xen/hvm/params.h>
#include <xen/hvm/save.h>
#include "abi/compat.h"

#define SIZE(type, n)        _Static_assert(sizeof(type) == (n), "size of " #type)
#define AT(type, member, n)  _Static_assert(offsetof(type, member) == (n), "offset of " #member " in " #type)
#define VALUE(name, n)       _Static_assert((name) == (n), "value of " #name)

VALUE(XEN_DOMCTL_INTERFACE_VERSION, 0x15);
VALUE(XEN_SYSCTL_INTERFACE_VERSION, 0x15);
VALUE(XENPF_INTERFACE_VERSION, 0x03000001);
VALUE(DOMID_SELF, 0x7ff0);
VALUE(__HYPERVISOR_dm_op, 41);
VALUE(NR_VIRQS, 24);

SIZE(struct shared_info, 3136);
AT(struct shared_info, evtchn_mask, 0xa00);
AT(struct shared_info, wc_version, 0xc00);
AT(struct shared_info, wc_sec_hi, 0xc0c);
SIZE(struct vcpu_info, 64);
AT(struct vcpu_info, evtchn_pending_sel, 8);
AT(struct vcpu_info, time, 0x20);
SIZE(struct vcpu_time_info, 32);
AT(struct vcpu_time_info, tsc_to_system_mul, 0x18);
AT(struct vcpu_time_info, flags, 0x1d);
SIZE(struct vcpu_runstate_info, 48);
SIZE(struct multicall_entry, 64);

SIZE(struct evtchn_status, 24);
SIZE(struct evtchn_bind_interdomain, 12);
SIZE(struct evtchn_alloc_unbound, 8);

SIZE(struct grant_entry_v1, 8);
SIZE(struct gnttab_map_grant_ref, 32);
AT(struct gnttab_map_grant_ref, status, 0x12);
AT(struct gnttab_map_grant_ref, handle, 0x14);
AT(struct gnttab_map_grant_ref, dev_bus_addr, 0x18);
SIZE(struct gnttab_unmap_grant_ref, 24);
AT(struct gnttab_unmap_grant_ref, status, 0x14);
SIZE(struct gnttab_copy, 40);
SIZE(struct gnttab_query_size, 16);

SIZE(struct xen_memory_reservation, 32);
AT(struct xen_memory_reservation, extent_order, 0x10);
AT(struct xen_memory_reservation, domid, 0x18);
SIZE(struct xen_add_to_physmap, 24);
SIZE(struct xen_add_to_physmap_batch, 32);
AT(struct xen_add_to_physmap_batch, u, 6);
SIZE(struct xen_remove_from_physmap, 16);
SIZE(struct xen_memory_map, 16);
SIZE(struct xen_foreign_memory_map, 24);
SIZE(struct xen_mem_acquire_resource, 32);
AT(struct xen_mem_acquire_resource, frame, 0x10);

SIZE(struct xen_dm_op, 32);
AT(struct xen_dm_op, u, 8);
SIZE(struct ioreq, 32);
SIZE(struct xen_hvm_param, 16);
AT(struct xen_hvm_param, value, 8);
VALUE(HVM_NR_PARAMS, 39);
SIZE(struct hvm_hw_cpu, 1032);
SIZE(struct hvm_save_header, 24);
SIZE(struct sched_poll, 24);

SIZE(struct xen_domctl_createdomain, 64);
SIZE(struct xen_domctl_getdomaininfo, 112);
AT(struct xen_domctl, u, 0x10);
SIZE(struct xen_domctl_vcpuaffinity, 40);
SIZE(struct xen_sysctl_physinfo, 112);
AT(struct xen_sysctl, u, 8);
SIZE(struct xenpf_pcpuinfo, 20);
AT(struct xen_platform_op, u, 8);
SIZE(struct physdev_pci_mmcfg_reserved, 16);

/* 32-bit callers */
SIZE(struct compat_multicall_entry, 32);
SIZE(struct compat_memory_reservation, 20);
SIZE(struct compat_add_to_physmap, 16);
SIZE(struct compat_remove_from_physmap, 8);
SIZE(struct compat_memory_map, 8);
SIZE(struct compat_sched_poll, 16);
SIZE(struct compat_gnttab_setup_table, 16);
SIZE(struct compat_gnttab_copy, 24);
SIZE(struct compat_dm_op_buf, 8);
