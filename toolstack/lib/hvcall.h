/*
 * The hypercall transport of the hosted programs: one handle, buffers the hypervisor can reach,
 * and the raw operations. hvdom.h, hvhost.h and guestmem.h give them types and meaning.
 *
 * Owns: the libxencall, libxenforeignmemory and libxendevicemodel handles. Knows no policy.
 * Locking: a struct hvcall is used by one thread at a time.
 *
 * Works on any hypervisor that speaks the Xen 4.17 ABI; only the stable libraries are used.
 * Every function returns 0 (or a count) or -errno; a missing hypervisor is -ENODEV or -ENOENT.
 */
#ifndef TOOLSTACK_LIB_HVCALL_H
#define TOOLSTACK_LIB_HVCALL_H

#include <stddef.h>
#include <stdint.h>
#include <xencall.h>
#include <xendevicemodel.h>
#include <xenforeignmemory.h>
#include <xen/xen.h>
#include <xen/domctl.h>
#include <xen/sysctl.h>

struct hvcall {
	xencall_handle *call;
	xenforeignmemory_handle *fmem;
	xendevicemodel_handle *dm;
};

/* Open the devices of the hypervisor. Result: 0 or -errno; on failure nothing stays open. */
int hvcall_open(struct hvcall *hv);
/* Close what hvcall_open() opened; fine on a zeroed struct. */
void hvcall_close(struct hvcall *hv);

/* Memory that hypercalls may read and write; zeroed. NULL when out of memory. */
void *hvcall_buffer(struct hvcall *hv, size_t size);
void hvcall_buffer_free(struct hvcall *hv, void *buf);

/*
 * XEN_DOMCTL / XEN_SYSCTL: `op` is copied in and, on success, back out; the interface version is
 * filled in here. Pointers inside must come from hvcall_buffer(). Restarts on EAGAIN.
 */
int hvcall_domctl(struct hvcall *hv, struct xen_domctl *op);
int hvcall_sysctl(struct hvcall *hv, struct xen_sysctl *op);

/* A hypercall (number, sub-operation, argument block of `size` bytes copied in and out). */
long hvcall_op(struct hvcall *hv, unsigned int number, unsigned int cmd, void *arg, size_t size);

#endif
