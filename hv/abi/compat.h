/*
 * Layouts of hypercall arguments as 32-bit callers pass them (hvmloader, SeaBIOS, 32-bit guests): handles and frame
 * numbers are 4 bytes, and 64-bit members are aligned to 4. Only the structures that differ are here; the native ones
 * come from the system's <xen/...> headers.
 */
#ifndef ABI_COMPAT_H
#define ABI_COMPAT_H

#include <stddef.h>
#include <stdint.h>
#include <xen/xen.h>

struct compat_multicall_entry {
	uint32_t op, result;
	uint32_t args[6];
};

struct compat_memory_reservation {
	uint32_t extent_start;
	uint32_t nr_extents;
	uint32_t extent_order;
	uint32_t mem_flags;
	domid_t domid;
	uint16_t pad;
};

struct compat_add_to_physmap {
	domid_t domid;
	uint16_t size;
	uint32_t space;
	uint32_t idx;
	uint32_t gpfn;
};

struct compat_remove_from_physmap {
	domid_t domid;
	uint16_t pad;
	uint32_t gpfn;
};

struct compat_memory_map {
	uint32_t nr_entries;
	uint32_t buffer;
};

struct compat_sched_poll {
	uint32_t ports;
	uint32_t nr_ports;
	uint64_t timeout;
} __attribute__((packed, aligned(4)));

struct compat_gnttab_setup_table {
	domid_t dom;
	uint16_t pad;
	uint32_t nr_frames;
	int16_t status;
	uint16_t pad1;
	uint32_t frame_list;
};

struct compat_gnttab_copy_end {
	uint32_t u;
	domid_t domid;
	uint16_t offset;
};

struct compat_gnttab_copy {
	struct compat_gnttab_copy_end source, dest;
	uint16_t len;
	uint16_t flags;
	int16_t status;
	uint16_t pad;
};

struct compat_dm_op_buf {
	uint32_t h;
	uint32_t size;
};

#endif
