/*
 * Hypercall transport over libxencall: bounce buffers and error conventions. See hvcall.h.
 */
#include "toolstack/lib/hvcall.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static int hvcall_errno(void)
{
	return errno != 0 ? -errno : -EIO;
}

int hvcall_open(struct hvcall *hv)
{
	int rc;

	memset(hv, 0, sizeof(*hv));
	/* The library would print its own complaint. */
	if (access("/dev/xen/privcmd", F_OK) != 0 && access("/proc/xen/privcmd", F_OK) != 0) {
		return -ENODEV;
	}
	errno = 0;
	hv->call = xencall_open(NULL, 0);
	if (hv->call == NULL) {
		return hvcall_errno();
	}
	hv->fmem = xenforeignmemory_open(NULL, 0);
	if (hv->fmem == NULL) {
		goto close;
	}
	hv->dm = xendevicemodel_open(NULL, 0);
	if (hv->dm == NULL) {
		goto close;
	}
	return 0;
close:
	rc = hvcall_errno();
	hvcall_close(hv);
	return rc;
}

void hvcall_close(struct hvcall *hv)
{
	if (hv->dm != NULL) {
		xendevicemodel_close(hv->dm);
	}
	if (hv->fmem != NULL) {
		xenforeignmemory_close(hv->fmem);
	}
	if (hv->call != NULL) {
		xencall_close(hv->call);
	}
	memset(hv, 0, sizeof(*hv));
}

void *hvcall_buffer(struct hvcall *hv, size_t size)
{
	void *buf = xencall_alloc_buffer(hv->call, size != 0 ? size : 1);

	if (buf != NULL) {
		memset(buf, 0, size);
	}
	return buf;
}

void hvcall_buffer_free(struct hvcall *hv, void *buf)
{
	if (buf != NULL) {
		xencall_free_buffer(hv->call, buf);
	}
}

/*
 * One-argument form (domctl, sysctl). The kernel retries hypercalls that the hypervisor preempts;
 * EAGAIN is the hypervisor's own wish to be asked again (a domain that takes long to die).
 */
static int hvcall_control(struct hvcall *hv, unsigned int number, void *op, size_t size)
{
	void *buf = hvcall_buffer(hv, size);
	int rc;

	if (buf == NULL) {
		return -ENOMEM;
	}
	for (;;) {
		memcpy(buf, op, size);
		errno = 0;
		rc = xencall1(hv->call, number, (uintptr_t)buf);
		if (rc >= 0) {
			break;
		}
		rc = hvcall_errno();
		if (rc != -EAGAIN && rc != -EINTR) {
			break;
		}
		usleep(1000);
	}
	if (rc >= 0) {
		memcpy(op, buf, size);
	}
	hvcall_buffer_free(hv, buf);
	return rc < 0 ? rc : 0;
}

int hvcall_domctl(struct hvcall *hv, struct xen_domctl *op)
{
	op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	return hvcall_control(hv, __HYPERVISOR_domctl, op, sizeof(*op));
}

int hvcall_sysctl(struct hvcall *hv, struct xen_sysctl *op)
{
	op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	return hvcall_control(hv, __HYPERVISOR_sysctl, op, sizeof(*op));
}

long hvcall_op(struct hvcall *hv, unsigned int number, unsigned int cmd, void *arg, size_t size)
{
	void *buf = hvcall_buffer(hv, size);
	long rc;

	if (buf == NULL) {
		return -ENOMEM;
	}
	if (size != 0) {
		memcpy(buf, arg, size);
	}
	errno = 0;
	rc = xencall2L(hv->call, number, cmd, (uintptr_t)buf);
	if (rc < 0) {
		rc = hvcall_errno();
	} else if (size != 0) {
		memcpy(arg, buf, size);
	}
	hvcall_buffer_free(hv, buf);
	return rc;
}
