/*
 * Host-wide hypercalls. See hvhost.h.
 */
#include "toolstack/lib/hvhost.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xen/version.h>

#define HVHOST_LIST_STEP    64
#define HVHOST_CONSOLE_STEP 16384
#define HVHOST_CONSOLE_MAX  (16u << 20)

/* A string answer of xen_version; an older or smaller hypervisor may lack it: empty, no error. */
static void hvhost_version_text(struct hvcall *hv, unsigned int cmd, char *out, size_t size)
{
	if (hvcall_op(hv, __HYPERVISOR_xen_version, cmd, out, size) < 0) {
		out[0] = '\0';
	}
	out[size - 1] = '\0';
}

static void hvhost_compile_info(struct hvcall *hv, struct hvhost_info *info)
{
	struct xen_compile_info ci = {0};

	if (hvcall_op(hv, __HYPERVISOR_xen_version, XENVER_compile_info, &ci, sizeof(ci)) < 0) {
		return;
	}
	memcpy(info->compiler, ci.compiler, sizeof(info->compiler));
	info->compiler[sizeof(info->compiler) - 1] = '\0';
	memcpy(info->compile_date, ci.compile_date, sizeof(info->compile_date));
	info->compile_date[sizeof(info->compile_date) - 1] = '\0';
}

int hvhost_info(struct hvcall *hv, struct hvhost_info *info)
{
	struct xen_sysctl op = {.cmd = XEN_SYSCTL_physinfo};
	const struct xen_sysctl_physinfo *phys = &op.u.physinfo;
	long version;
	int rc;

	memset(info, 0, sizeof(*info));
	version = hvcall_op(hv, __HYPERVISOR_xen_version, XENVER_version, NULL, 0);
	if (version < 0) {
		return (int)version;
	}
	rc = hvcall_sysctl(hv, &op);
	if (rc != 0) {
		return rc;
	}
	info->version_major = (version >> 16) & 0xffff;
	info->version_minor = version & 0xffff;
	info->nr_cpus = phys->nr_cpus;
	info->cores_per_socket = phys->cores_per_socket;
	info->threads_per_core = phys->threads_per_core;
	info->nr_nodes = phys->nr_nodes;
	info->cpu_khz = phys->cpu_khz;
	info->total_pages = phys->total_pages;
	info->free_pages = phys->free_pages;
	info->cap_hvm = (phys->capabilities & XEN_SYSCTL_PHYSCAP_hvm) != 0;
	info->cap_hap = (phys->capabilities & XEN_SYSCTL_PHYSCAP_hap) != 0;
	hvhost_version_text(hv, XENVER_extraversion, info->version_extra,
			    sizeof(info->version_extra));
	hvhost_version_text(hv, XENVER_capabilities, info->capabilities,
			    sizeof(info->capabilities));
	hvhost_version_text(hv, XENVER_commandline, info->commandline, sizeof(info->commandline));
	hvhost_compile_info(hv, info);
	return 0;
}

/* One batch from `first` on, appended to the list. Result: number added or -errno. */
static long hvhost_domains_batch(struct hvcall *hv, uint32_t first, struct hvdom_info **list,
				 size_t nr)
{
	struct xen_sysctl op = {.cmd = XEN_SYSCTL_getdomaininfolist};
	struct xen_domctl_getdomaininfo *raw;
	struct hvdom_info *grown;
	long rc;

	raw = hvcall_buffer(hv, HVHOST_LIST_STEP * sizeof(*raw));
	if (raw == NULL) {
		return -ENOMEM;
	}
	op.u.getdomaininfolist.first_domain = first;
	op.u.getdomaininfolist.max_domains = HVHOST_LIST_STEP;
	set_xen_guest_handle(op.u.getdomaininfolist.buffer, raw);
	rc = hvcall_sysctl(hv, &op);
	if (rc != 0) {
		goto free_raw;
	}
	rc = op.u.getdomaininfolist.num_domains;
	if (rc > HVHOST_LIST_STEP) {
		rc = -EPROTO;
		goto free_raw;
	}
	grown = realloc(*list, (nr + rc + 1) * sizeof(**list));
	if (grown == NULL) {
		rc = -ENOMEM;
		goto free_raw;
	}
	*list = grown;
	for (long i = 0; i < rc; i++) {
		hvdom_info_decode(&raw[i], &grown[nr + i]);
	}
free_raw:
	hvcall_buffer_free(hv, raw);
	return rc;
}

int hvhost_domains(struct hvcall *hv, struct hvdom_info **list, size_t *nr)
{
	uint32_t first = 0;
	long got;

	*list = NULL;
	*nr = 0;
	do {
		got = hvhost_domains_batch(hv, first, list, *nr);
		if (got < 0) {
			free(*list);
			*list = NULL;
			*nr = 0;
			return (int)got;
		}
		*nr += got;
		if (*nr != 0) {
			first = (*list)[*nr - 1].domid + 1;
		}
	} while (got == HVHOST_LIST_STEP);
	return 0;
}

/* Read one step of the ring into `buf`; the index moves on. Result: bytes or -errno. */
static long hvhost_console_step(struct hvcall *hv, char *buf, uint32_t *index, bool clear)
{
	struct xen_sysctl op = {.cmd = XEN_SYSCTL_readconsole};
	int rc;

	op.u.readconsole.clear = clear;
	op.u.readconsole.incremental = 1;
	op.u.readconsole.index = *index;
	op.u.readconsole.count = HVHOST_CONSOLE_STEP;
	set_xen_guest_handle(op.u.readconsole.buffer, buf);
	rc = hvcall_sysctl(hv, &op);
	if (rc != 0) {
		return rc;
	}
	if (op.u.readconsole.count > HVHOST_CONSOLE_STEP) {
		return -EPROTO;
	}
	*index = op.u.readconsole.index;
	return op.u.readconsole.count;
}

int hvhost_console(struct hvcall *hv, bool clear, char **text, size_t *len)
{
	char *buf = hvcall_buffer(hv, HVHOST_CONSOLE_STEP);
	uint32_t index = 0;
	char *grown;
	long got = 0;

	*text = NULL;
	*len = 0;
	if (buf == NULL) {
		return -ENOMEM;
	}
	do {
		grown = realloc(*text, *len + HVHOST_CONSOLE_STEP + 1);
		if (grown == NULL) {
			got = -ENOMEM;
			break;
		}
		*text = grown;
		got = hvhost_console_step(hv, buf, &index, clear);
		if (got > 0) {
			memcpy(*text + *len, buf, got);
			*len += got;
		}
	} while (got > 0 && *len < HVHOST_CONSOLE_MAX);
	hvcall_buffer_free(hv, buf);
	if (got < 0) {
		free(*text);
		*text = NULL;
		*len = 0;
		return (int)got;
	}
	(*text)[*len] = '\0';
	return 0;
}

int hvhost_debug_keys(struct hvcall *hv, const char *keys)
{
	struct xen_sysctl op = {.cmd = XEN_SYSCTL_debug_keys};
	size_t len = strlen(keys);
	char *buf = hvcall_buffer(hv, len + 1);
	int rc;

	if (buf == NULL) {
		return -ENOMEM;
	}
	memcpy(buf, keys, len + 1);
	set_xen_guest_handle(op.u.debug_keys.keys, buf);
	op.u.debug_keys.nr_keys = len;
	rc = hvcall_sysctl(hv, &op);
	hvcall_buffer_free(hv, buf);
	return rc;
}
