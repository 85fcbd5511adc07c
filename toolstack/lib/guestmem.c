/*
 * Guest memory through memory_op and foreign mappings. See guestmem.h.
 */
#include "toolstack/lib/guestmem.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <xen/grant_table.h>
#include <xen/memory.h>

#define GUESTMEM_ORDER_1G 18
#define GUESTMEM_ORDER_2M 9
/* Extents per hypercall: 16 KiB of frame numbers. */
#define GUESTMEM_BATCH 2048
/* Pages mapped at once when writing. */
#define GUESTMEM_WINDOW 256

_Static_assert(sizeof(struct guestmem_e820) == 20, "memory_map entries are packed");

unsigned int guestmem_piece(uint64_t gfn, uint64_t left, unsigned int max_order, uint64_t *extents)
{
	static const unsigned int orders[] = {GUESTMEM_ORDER_1G, GUESTMEM_ORDER_2M, 0};
	uint64_t to_boundary;

	for (unsigned int i = 0; i < 2; i++) {
		uint64_t size = UINT64_C(1) << orders[i];

		if (orders[i] > max_order) {
			continue;
		}
		if ((gfn & (size - 1)) == 0 && left >= size) {
			*extents = left >> orders[i];
			return orders[i];
		}
	}
	/* Small pages up to the next boundary from which a larger piece could start. */
	to_boundary = left;
	if (max_order >= GUESTMEM_ORDER_2M) {
		uint64_t size = UINT64_C(1) << GUESTMEM_ORDER_2M;

		to_boundary = size - (gfn & (size - 1));
	}
	*extents = to_boundary < left ? to_boundary : left;
	return 0;
}

/* How far 2 MiB pieces may go before a 1 GiB one is possible. */
static uint64_t guestmem_cap_2m(uint64_t gfn, uint64_t extents, unsigned int max_order)
{
	const uint64_t gib = UINT64_C(1) << GUESTMEM_ORDER_1G;
	uint64_t to_gib = (gib - (gfn & (gib - 1))) >> GUESTMEM_ORDER_2M;

	return max_order >= GUESTMEM_ORDER_1G && to_gib < extents ? to_gib : extents;
}

/* One populate call. Result: extents done (may be fewer than asked) or -errno. */
static long guestmem_populate_batch(struct hvcall *hv, uint32_t domid, xen_pfn_t *frames,
				    uint64_t gfn, unsigned int order, unsigned int extents)
{
	struct xen_memory_reservation res = {
		.nr_extents = extents,
		.extent_order = order,
		.domid = domid,
	};

	for (unsigned int i = 0; i < extents; i++) {
		frames[i] = gfn + ((uint64_t)i << order);
	}
	set_xen_guest_handle(res.extent_start, frames);
	return hvcall_op(hv, __HYPERVISOR_memory_op, XENMEM_populate_physmap, &res, sizeof(res));
}

int guestmem_populate(struct hvcall *hv, uint32_t domid, const struct guestmem_run *run)
{
	xen_pfn_t *frames = hvcall_buffer(hv, GUESTMEM_BATCH * sizeof(*frames));
	unsigned int max_order = GUESTMEM_ORDER_1G;
	uint64_t gfn = run->gfn;
	uint64_t left = run->count;
	int rc = 0;

	if (frames == NULL) {
		return -ENOMEM;
	}
	while (left != 0) {
		uint64_t extents;
		unsigned int order = guestmem_piece(gfn, left, max_order, &extents);
		long done;

		if (order == GUESTMEM_ORDER_2M) {
			extents = guestmem_cap_2m(gfn, extents, max_order);
		}
		extents = extents < GUESTMEM_BATCH ? extents : GUESTMEM_BATCH;
		done = guestmem_populate_batch(hv, domid, frames, gfn, order, extents);
		if (done > (long)extents || (done < 0 && order == 0)) {
			rc = done < 0 ? (int)done : -EPROTO;
			break;
		}
		done = done < 0 ? 0 : done;
		gfn += (uint64_t)done << order;
		left -= (uint64_t)done << order;
		if ((uint64_t)done == extents) {
			continue;
		}
		if (order == 0) {
			rc = -ENOMEM;
			break;
		}
		/* No large piece left: go on with the next smaller size. */
		max_order = order == GUESTMEM_ORDER_1G ? GUESTMEM_ORDER_2M : 0;
	}
	hvcall_buffer_free(hv, frames);
	return rc;
}

int guestmem_set_map(struct hvcall *hv, uint32_t domid, const struct guestmem_e820 *map,
		     unsigned int nr)
{
	struct xen_foreign_memory_map arg = {.domid = domid, .map = {.nr_entries = nr}};
	void *buf = hvcall_buffer(hv, nr * sizeof(*map));
	int rc;

	if (buf == NULL) {
		return -ENOMEM;
	}
	memcpy(buf, map, nr * sizeof(*map));
	set_xen_guest_handle(arg.map.buffer, buf);
	rc = (int)hvcall_op(hv, __HYPERVISOR_memory_op, XENMEM_set_memory_map, &arg, sizeof(arg));
	hvcall_buffer_free(hv, buf);
	return rc;
}

/* Map `pages` frames from `gfn` on; NULL with *rc = -errno when one of them cannot be mapped. */
static void *guestmem_map(struct hvcall *hv, uint32_t domid, uint64_t gfn, size_t pages, int prot,
			  int *rc)
{
	xen_pfn_t frames[GUESTMEM_WINDOW];
	int errs[GUESTMEM_WINDOW] = {0};
	void *at;

	for (size_t i = 0; i < pages; i++) {
		frames[i] = gfn + i;
	}
	errno = 0;
	at = xenforeignmemory_map(hv->fmem, domid, prot, pages, frames, errs);
	if (at == NULL) {
		*rc = errno != 0 ? -errno : -EIO;
		return NULL;
	}
	for (size_t i = 0; i < pages; i++) {
		if (errs[i] != 0) {
			xenforeignmemory_unmap(hv->fmem, at, pages);
			*rc = errs[i] < 0 ? errs[i] : -errs[i];
			return NULL;
		}
	}
	*rc = 0;
	return at;
}

enum guestmem_dir {
	GUESTMEM_WRITE,
	GUESTMEM_READ,
	GUESTMEM_ZERO,
};

/* Move `len` bytes between guest memory and `data`, one window of pages at a time. */
static int guestmem_move(struct hvcall *hv, uint32_t domid, uint64_t gpa, void *data, size_t len,
			 enum guestmem_dir dir)
{
	uint8_t *bytes = data;
	int prot = dir == GUESTMEM_READ ? PROT_READ : PROT_READ | PROT_WRITE;
	int rc = 0;

	while (len != 0) {
		size_t offset = gpa % GUESTMEM_PAGE_SIZE;
		size_t chunk = (size_t)GUESTMEM_WINDOW * GUESTMEM_PAGE_SIZE - offset;
		size_t pages;
		uint8_t *at;

		chunk = chunk < len ? chunk : len;
		pages = (offset + chunk + GUESTMEM_PAGE_SIZE - 1) / GUESTMEM_PAGE_SIZE;
		at = guestmem_map(hv, domid, gpa >> GUESTMEM_PAGE_SHIFT, pages, prot, &rc);
		if (at == NULL) {
			return rc;
		}
		if (dir == GUESTMEM_ZERO) {
			memset(at + offset, 0, chunk);
		} else if (dir == GUESTMEM_WRITE) {
			memcpy(at + offset, bytes, chunk);
		} else {
			memcpy(bytes, at + offset, chunk);
		}
		xenforeignmemory_unmap(hv->fmem, at, pages);
		gpa += chunk;
		len -= chunk;
		bytes = bytes != NULL ? bytes + chunk : NULL;
	}
	return 0;
}

int guestmem_write(struct hvcall *hv, uint32_t domid, uint64_t gpa, const void *data, size_t len)
{
	return guestmem_move(hv, domid, gpa, (void *)(uintptr_t)data, len, GUESTMEM_WRITE);
}

int guestmem_read(struct hvcall *hv, uint32_t domid, uint64_t gpa, void *data, size_t len)
{
	return guestmem_move(hv, domid, gpa, data, len, GUESTMEM_READ);
}

int guestmem_clear(struct hvcall *hv, uint32_t domid, uint64_t gfn, uint64_t count)
{
	return guestmem_move(hv, domid, gfn << GUESTMEM_PAGE_SHIFT, NULL,
			     count << GUESTMEM_PAGE_SHIFT, GUESTMEM_ZERO);
}

int guestmem_grant(struct hvcall *hv, uint32_t domid, uint32_t ref, uint32_t to, uint64_t gfn)
{
	xenforeignmemory_resource_handle *res;
	grant_entry_v1_t *table = NULL;
	void *at = NULL;

	if (ref >= GUESTMEM_PAGE_SIZE / sizeof(*table) || gfn > UINT32_MAX) {
		return -EINVAL;
	}
	errno = 0;
	res = xenforeignmemory_map_resource(hv->fmem, domid, XENMEM_resource_grant_table,
					    XENMEM_resource_grant_table_id_shared, 0, 1, &at,
					    PROT_READ | PROT_WRITE, 0);
	if (res == NULL) {
		return errno != 0 ? -errno : -EIO;
	}
	table = at;
	table[ref].frame = (uint32_t)gfn;
	table[ref].domid = (domid_t)to;
	/* The flags make the entry valid: last. */
	__atomic_store_n(&table[ref].flags, GTF_permit_access, __ATOMIC_RELEASE);
	xenforeignmemory_unmap_resource(hv->fmem, res);
	return 0;
}
