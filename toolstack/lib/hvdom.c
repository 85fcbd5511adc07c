/*
 * Domain control hypercalls. See hvdom.h.
 */
#include "toolstack/lib/hvdom.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xen/event_channel.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/hvm/save.h>
#include <xen/sched.h>

#include "hv/abi/ostler_op.h"

/* Everything of a PC but the PCI config emulation, which is QEMU's. */
#define HVDOM_EMULATION (XEN_X86_EMU_ALL & ~XEN_X86_EMU_VPCI)
/* Hypervisor chooses the id. */
#define HVDOM_ANY_ID     0xffff
#define HVDOM_MAX_EVTCHN 1023

int hvdom_create(struct hvcall *hv, const struct hvdom_create *what, uint32_t *domid)
{
	struct xen_domctl op = {.cmd = XEN_DOMCTL_createdomain, .domain = HVDOM_ANY_ID};
	struct xen_domctl_createdomain *create = &op.u.createdomain;
	int rc;

	memcpy(create->handle, what->uuid, sizeof(create->handle));
	create->flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap;
	create->max_vcpus = what->max_vcpus;
	create->max_evtchn_port = HVDOM_MAX_EVTCHN;
	/* Negative: the hypervisor's own limits. */
	create->max_grant_frames = -1;
	create->max_maptrack_frames = -1;
	create->grant_opts = XEN_DOMCTL_GRANT_version(1);
	create->arch.emulation_flags = HVDOM_EMULATION;
	rc = hvcall_domctl(hv, &op);
	if (rc == 0) {
		*domid = op.domain;
	}
	return rc;
}

static int hvdom_simple(struct hvcall *hv, uint32_t domid, uint32_t cmd)
{
	struct xen_domctl op = {.cmd = cmd, .domain = domid};

	return hvcall_domctl(hv, &op);
}

int hvdom_destroy(struct hvcall *hv, uint32_t domid)
{
	return hvdom_simple(hv, domid, XEN_DOMCTL_destroydomain);
}

int hvdom_pause(struct hvcall *hv, uint32_t domid)
{
	return hvdom_simple(hv, domid, XEN_DOMCTL_pausedomain);
}

int hvdom_unpause(struct hvcall *hv, uint32_t domid)
{
	return hvdom_simple(hv, domid, XEN_DOMCTL_unpausedomain);
}

static enum hvdom_state hvdom_state_of(uint32_t flags)
{
	if (flags & XEN_DOMINF_dying) {
		return HVDOM_DYING;
	}
	if (flags & XEN_DOMINF_shutdown) {
		return HVDOM_SHUTDOWN;
	}
	if (flags & XEN_DOMINF_paused) {
		return HVDOM_PAUSED;
	}
	return (flags & XEN_DOMINF_blocked) != 0 ? HVDOM_IDLE : HVDOM_RUNNING;
}

void hvdom_info_decode(const struct xen_domctl_getdomaininfo *raw, struct hvdom_info *info)
{
	memset(info, 0, sizeof(*info));
	info->domid = raw->domain;
	memcpy(info->uuid, raw->handle, sizeof(info->uuid));
	info->hvm = (raw->flags & XEN_DOMINF_hvm_guest) != 0;
	info->paused = (raw->flags & XEN_DOMINF_paused) != 0;
	info->dying = (raw->flags & XEN_DOMINF_dying) != 0;
	info->shutdown = (raw->flags & XEN_DOMINF_shutdown) != 0;
	info->shutdown_code = (raw->flags >> XEN_DOMINF_shutdownshift) & XEN_DOMINF_shutdownmask;
	info->state = hvdom_state_of(raw->flags);
	info->pages = raw->tot_pages;
	info->max_pages = raw->max_pages;
	info->cpu_time_ns = raw->cpu_time;
	info->online_vcpus = raw->nr_online_vcpus;
	info->max_vcpus = raw->max_vcpu_id == XEN_INVALID_MAX_VCPU_ID ? 0 : raw->max_vcpu_id + 1;
}

int hvdom_info(struct hvcall *hv, uint32_t domid, struct hvdom_info *info)
{
	struct xen_domctl op = {.cmd = XEN_DOMCTL_getdomaininfo, .domain = domid};
	int rc = hvcall_domctl(hv, &op);

	if (rc != 0) {
		return rc;
	}
	/* The hypervisor answers with the first domain at or after the one asked for. */
	if (op.domain != domid) {
		return -ESRCH;
	}
	hvdom_info_decode(&op.u.getdomaininfo, info);
	return 0;
}

int hvdom_max_vcpus(struct hvcall *hv, uint32_t domid, unsigned int vcpus)
{
	struct xen_domctl op = {.cmd = XEN_DOMCTL_max_vcpus, .domain = domid};

	op.u.max_vcpus.max = vcpus;
	return hvcall_domctl(hv, &op);
}

int hvdom_max_mem(struct hvcall *hv, uint32_t domid, uint64_t kib)
{
	struct xen_domctl op = {.cmd = XEN_DOMCTL_max_mem, .domain = domid};

	op.u.max_mem.max_memkb = kib;
	return hvcall_domctl(hv, &op);
}

int hvdom_paging_pool(struct hvcall *hv, uint32_t domid, uint64_t bytes)
{
	struct xen_domctl op = {.cmd = XEN_DOMCTL_set_paging_mempool_size, .domain = domid};

	op.u.paging_mempool.size = bytes;
	return hvcall_domctl(hv, &op);
}

int hvdom_tsc_mode(struct hvcall *hv, uint32_t domid, uint32_t mode, uint32_t khz)
{
	struct xen_domctl op = {.cmd = XEN_DOMCTL_settscinfo, .domain = domid};

	op.u.tsc_info.tsc_mode = mode;
	op.u.tsc_info.gtsc_khz = khz;
	return hvcall_domctl(hv, &op);
}

int hvdom_time_offset(struct hvcall *hv, uint32_t domid, int64_t seconds)
{
	struct xen_domctl op = {.cmd = XEN_DOMCTL_settimeoffset, .domain = domid};

	op.u.settimeoffset.time_offset_seconds = seconds;
	return hvcall_domctl(hv, &op);
}

int hvdom_rtc_moved(struct hvcall *hv, uint32_t domid, int64_t *seconds)
{
	struct ostler_rtc rtc = {.domain = domid};
	int rc = (int)hvcall_op(hv, OSTLER_OP_NUMBER, OSTLER_OP_RTC, &rtc, sizeof(rtc));

	*seconds = rc == 0 ? rtc.moved : 0;
	return rc;
}

int hvdom_trigger(struct hvcall *hv, uint32_t domid, uint32_t trigger, uint32_t vcpu)
{
	struct xen_domctl op = {.cmd = XEN_DOMCTL_sendtrigger, .domain = domid};

	op.u.sendtrigger.trigger = trigger;
	op.u.sendtrigger.vcpu = vcpu;
	return hvcall_domctl(hv, &op);
}

int hvdom_shutdown(struct hvcall *hv, uint32_t domid, unsigned int reason)
{
	errno = 0;
	return xendevicemodel_shutdown(hv->dm, domid, reason) == 0 ? 0 : -errno;
}

int hvdom_param_set(struct hvcall *hv, uint32_t domid, uint32_t index, uint64_t value)
{
	struct xen_hvm_param arg = {.domid = domid, .index = index, .value = value};

	return (int)hvcall_op(hv, __HYPERVISOR_hvm_op, HVMOP_set_param, &arg, sizeof(arg));
}

int hvdom_param_get(struct hvcall *hv, uint32_t domid, uint32_t index, uint64_t *value)
{
	struct xen_hvm_param arg = {.domid = domid, .index = index};
	int rc = (int)hvcall_op(hv, __HYPERVISOR_hvm_op, HVMOP_get_param, &arg, sizeof(arg));

	if (rc == 0) {
		*value = arg.value;
	}
	return rc;
}

int hvdom_evtchn_alloc(struct hvcall *hv, uint32_t domid, uint32_t remote, uint32_t *port)
{
	struct evtchn_alloc_unbound arg = {.dom = domid, .remote_dom = remote};
	int rc = (int)hvcall_op(hv, __HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, &arg,
				sizeof(arg));

	if (rc == 0) {
		*port = arg.port;
	}
	return rc;
}

/* More leaves, and more MSRs, than any policy has. */
#define HVDOM_MAX_LEAVES 512
#define HVDOM_MAX_MSRS   16

int hvdom_cpuid_get(struct hvcall *hv, uint32_t domid, xen_cpuid_leaf_t **leaves, uint32_t *nr)
{
	struct xen_domctl op = {.cmd = XEN_DOMCTL_get_cpu_policy, .domain = domid};
	xen_cpuid_leaf_t *buf = hvcall_buffer(hv, HVDOM_MAX_LEAVES * sizeof(*buf));
	xen_msr_entry_t *msrs = hvcall_buffer(hv, HVDOM_MAX_MSRS * sizeof(*msrs));
	int rc = -ENOMEM;

	if (buf == NULL || msrs == NULL) {
		goto free_buffers;
	}
	op.u.cpu_policy.nr_leaves = HVDOM_MAX_LEAVES;
	op.u.cpu_policy.nr_msrs = HVDOM_MAX_MSRS;
	set_xen_guest_handle(op.u.cpu_policy.leaves, buf);
	set_xen_guest_handle(op.u.cpu_policy.msrs, msrs);
	rc = hvcall_domctl(hv, &op);
	if (rc != 0) {
		goto free_buffers;
	}
	*nr = op.u.cpu_policy.nr_leaves;
	*leaves = *nr <= HVDOM_MAX_LEAVES ? malloc((*nr + 1) * sizeof(**leaves)) : NULL;
	if (*leaves == NULL) {
		rc = -ENOMEM;
		goto free_buffers;
	}
	memcpy(*leaves, buf, *nr * sizeof(**leaves));
free_buffers:
	hvcall_buffer_free(hv, buf);
	hvcall_buffer_free(hv, msrs);
	return rc;
}

int hvdom_cpuid_set(struct hvcall *hv, uint32_t domid, const xen_cpuid_leaf_t *leaves, uint32_t nr)
{
	struct xen_domctl op = {.cmd = XEN_DOMCTL_set_cpu_policy, .domain = domid};
	xen_cpuid_leaf_t *buf = hvcall_buffer(hv, nr * sizeof(*buf));
	int rc;

	if (buf == NULL) {
		return -ENOMEM;
	}
	memcpy(buf, leaves, nr * sizeof(*buf));
	op.u.cpu_policy.nr_leaves = nr;
	set_xen_guest_handle(op.u.cpu_policy.leaves, buf);
	rc = hvcall_domctl(hv, &op);
	hvcall_buffer_free(hv, buf);
	return rc;
}

/* get (`buf` NULL: ask for the size) or set the domain's saved state. */
static int hvdom_hvmcontext(struct hvcall *hv, uint32_t domid, uint32_t cmd, void *buf,
			    uint32_t *size)
{
	struct xen_domctl op = {.cmd = cmd, .domain = domid};
	int rc;

	op.u.hvmcontext.size = *size;
	set_xen_guest_handle(op.u.hvmcontext.buffer, buf);
	rc = hvcall_domctl(hv, &op);
	if (rc == 0) {
		*size = op.u.hvmcontext.size;
	}
	return rc;
}

/* One record of the state stream. */
static size_t hvdom_put_record(uint8_t *at, uint16_t type, const void *body, uint32_t length)
{
	struct hvm_save_descriptor desc = {.typecode = type, .instance = 0, .length = length};

	memcpy(at, &desc, sizeof(desc));
	if (length != 0) {
		memcpy(at + sizeof(desc), body, length);
	}
	return sizeof(desc) + length;
}

/* Flat 32-bit segments, paging off: what hardware calls the state after "mov cr0" with PE set. */
static void hvdom_flat_cpu(struct hvm_hw_cpu *cpu, uint32_t entry, uint32_t ebx)
{
	const uint32_t code = 0xc9b;
	const uint32_t data = 0xc93;
	const uint32_t tss = 0x8b;

	memset(cpu, 0, sizeof(*cpu));
	cpu->rip = entry;
	cpu->rbx = ebx;
	cpu->rflags = 0x2;
	cpu->cr0 = 0x11; /* PE, ET */
	cpu->dr6 = 0xffff0ff0;
	cpu->dr7 = 0x400;
	cpu->cs_limit = cpu->ds_limit = cpu->es_limit = cpu->ss_limit = UINT32_MAX;
	cpu->fs_limit = cpu->gs_limit = UINT32_MAX;
	cpu->tr_limit = 0x67;
	cpu->cs_arbytes = code;
	cpu->ds_arbytes = cpu->es_arbytes = cpu->ss_arbytes = data;
	cpu->fs_arbytes = cpu->gs_arbytes = data;
	cpu->tr_arbytes = tss;
}

/* Fetch the stream header: set wants back the one that this hypervisor writes. */
static int hvdom_stream_header(struct hvcall *hv, uint32_t domid, struct hvm_save_header *header)
{
	struct hvm_save_descriptor desc;
	uint32_t size = 0;
	uint8_t *buf;
	int rc;

	rc = hvdom_hvmcontext(hv, domid, XEN_DOMCTL_gethvmcontext, NULL, &size);
	if (rc != 0) {
		return rc;
	}
	buf = hvcall_buffer(hv, size);
	if (buf == NULL) {
		return -ENOMEM;
	}
	rc = hvdom_hvmcontext(hv, domid, XEN_DOMCTL_gethvmcontext, buf, &size);
	if (rc == 0 && size < sizeof(desc) + sizeof(*header)) {
		rc = -EPROTO;
	}
	if (rc == 0) {
		memcpy(&desc, buf, sizeof(desc));
		memcpy(header, buf + sizeof(desc), sizeof(*header));
		if (desc.typecode != HVM_SAVE_CODE(HEADER) || desc.length != sizeof(*header)) {
			rc = -EPROTO;
		}
	}
	hvcall_buffer_free(hv, buf);
	return rc;
}

int hvdom_start_state(struct hvcall *hv, uint32_t domid, uint32_t entry, uint32_t ebx)
{
	struct hvm_save_header header;
	struct hvm_hw_cpu cpu;
	uint32_t size;
	uint8_t *buf;
	size_t at = 0;
	int rc;

	rc = hvdom_stream_header(hv, domid, &header);
	if (rc != 0) {
		return rc;
	}
	hvdom_flat_cpu(&cpu, entry, ebx);
	size = 3 * sizeof(struct hvm_save_descriptor) + sizeof(header) + sizeof(cpu);
	buf = hvcall_buffer(hv, size);
	if (buf == NULL) {
		return -ENOMEM;
	}
	at += hvdom_put_record(buf + at, HVM_SAVE_CODE(HEADER), &header, sizeof(header));
	at += hvdom_put_record(buf + at, HVM_SAVE_CODE(CPU), &cpu, sizeof(cpu));
	at += hvdom_put_record(buf + at, HVM_SAVE_CODE(END), NULL, 0);
	rc = hvdom_hvmcontext(hv, domid, XEN_DOMCTL_sethvmcontext, buf, &size);
	hvcall_buffer_free(hv, buf);
	return rc;
}

const char *hvdom_state_name(const struct hvdom_info *info)
{
	switch (info->state) {
	case HVDOM_RUNNING:
		return "running";
	case HVDOM_IDLE:
		return "idle";
	case HVDOM_PAUSED:
		return "paused";
	case HVDOM_SHUTDOWN:
		return info->shutdown_code == SHUTDOWN_crash ? "crashed" : "shut off";
	case HVDOM_DYING:
		break;
	}
	return "in shutdown";
}
