/* Small hypercalls: xen_version, console_io, vm_assist, set_timer_op, physdev_op. */
#include "abi/args.h"
#include "core/cmdline.h"
#include "core/log.h"
#include "core/time.h"
#include <xen/features.h>
#include <xen/physdev.h>
#include <xen/version.h>
#include <xen/vcpu.h>

#ifndef OSTLER_VERSION
#define OSTLER_VERSION "test"
#endif

/* The ABI level: the stock tools for exactly this version are the ones that run in Dom0. */
#define REPORTED_VERSION 0x00040011u
#define IO_CHUNK         128

/* ---- xen_version ---- */

static int64_t put_text(struct hc_call *c, const char *text, size_t size)
{
	char buf[1024];

	memset(buf, 0, sizeof(buf));
	(void)str_copy(buf, text, size);
	return hc_put_bytes(c, c->arg[1], buf, size);
}

static int64_t put_compile_info(struct hc_call *c)
{
	struct xen_compile_info info;

	memset(&info, 0, sizeof(info));
	(void)str_copy(info.compiler, __VERSION__, sizeof(info.compiler));
	(void)str_copy(info.compile_by, "ostler", sizeof(info.compile_by));
	(void)str_copy(info.compile_domain, "localdomain", sizeof(info.compile_domain));
	(void)str_copy(info.compile_date, "-", sizeof(info.compile_date));
	return hc_put(c, c->arg[1], &info);
}

static int64_t put_features(struct hc_call *c)
{
	struct xen_feature_info info;

	if (hc_get(c, c->arg[1], &info) != 0) {
		return -EFAULT;
	}
	if (info.submap_idx != 0) {
		return -EINVAL;
	}
	/* Not hvm_pirqs: guests then use their I/O APIC and MSIs directly. */
	info.submap = BIT(XENFEAT_writable_page_tables) | BIT(XENFEAT_auto_translated_physmap) |
		      BIT(XENFEAT_hvm_callback_vector) | BIT(XENFEAT_hvm_safe_pvclock) |
		      BIT(XENFEAT_memory_op_vnode_supported) | BIT(XENFEAT_not_direct_mapped);
	if (access_privileged(c->d)) {
		info.submap |= BIT(XENFEAT_dom0);
	}
	return hc_put(c, c->arg[1], &info);
}

static int64_t put_platform_parameters(struct hc_call *c)
{
	uint64_t virt_start = 0; /* no part of a guest's address space is ours */

	return hc_put_bytes(c, c->arg[1], &virt_start, c->compat ? 4 : 8);
}

int64_t hc_xen_version(struct hc_call *c)
{
	switch ((uint32_t)c->arg[0]) {
	case XENVER_version:
		return REPORTED_VERSION;
	case XENVER_extraversion:
		return put_text(c, ".7-ostler", sizeof(xen_extraversion_t));
	case XENVER_compile_info:
		return put_compile_info(c);
	case XENVER_capabilities:
		return put_text(c, "hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 ",
				sizeof(xen_capabilities_info_t));
	case XENVER_changeset:
		return put_text(c, "ostler " OSTLER_VERSION, sizeof(xen_changeset_info_t));
	case XENVER_platform_parameters:
		return put_platform_parameters(c);
	case XENVER_get_features:
		return put_features(c);
	case XENVER_pagesize:
		return PAGE_SIZE;
	case XENVER_guest_handle:
		return hc_put(c, c->arg[1], &c->d->handle);
	case XENVER_commandline:
		/* How the machine was started is Dom0's business only. */
		return put_text(c, access_privileged(c->d) ? cmdline.text : "", sizeof(xen_commandline_t));
	case XENVER_build_id:
		return -ENODATA;
	default:
		return -ENOSYS;
	}
}

/* ---- console_io ---- */

/* A guest's text goes to the log in lines, with nothing in it that moves a terminal's cursor. */
static void write_guest_text(struct domain *d, char *buf, size_t len)
{
	size_t start = 0;

	for (size_t i = 0; i <= len; i++) {
		if (i == len || buf[i] == '\n' || buf[i] == '\0') {
			if (i > start) {
				buf[i] = '\0';
				guest_text(d, buf + start);
			}
			start = i + 1;
		} else if ((unsigned char)buf[i] < ' ' || (unsigned char)buf[i] > '~') {
			buf[i] = buf[i] == '\t' ? ' ' : '?';
		}
	}
}

static int64_t console_out(struct hc_call *c, uint64_t ptr, uint32_t count)
{
	char buf[IO_CHUNK + 1];

	while (count > 0) {
		uint32_t n = MIN(count, (uint32_t)IO_CHUNK);
		if (hc_get_bytes(c, ptr, buf, n) != 0) {
			return -EFAULT;
		}
		if (access_privileged(c->d)) {
			console_write(buf, n);
		} else {
			write_guest_text(c->d, buf, n);
		}
		ptr += n;
		count -= n;
		if (count > 0 && hc_preempt(c)) {
			return -EINTR;
		}
	}
	return 0;
}

static int64_t console_in(struct hc_call *c, uint64_t ptr, uint32_t count)
{
	char buf[IO_CHUNK];
	uint32_t done = 0;

	if (!access_privileged(c->d)) {
		return -EPERM;
	}
	if (count > INT32_MAX) {
		return -E2BIG;
	}
	while (done < count) {
		size_t n = console_read(buf, MIN(count - done, (uint32_t)sizeof(buf)));
		if (n == 0) {
			break;
		}
		if (hc_put_bytes(c, ptr + done, buf, n) != 0) {
			return -EFAULT;
		}
		done += (uint32_t)n;
	}
	return done;
}

int64_t hc_console_io(struct hc_call *c)
{
	switch ((uint32_t)c->arg[0]) {
	case CONSOLEIO_write:
		return console_out(c, c->arg[2], (uint32_t)c->arg[1]);
	case CONSOLEIO_read:
		return console_in(c, c->arg[2], (uint32_t)c->arg[1]);
	default:
		return -ENOSYS;
	}
}

/* ---- vm_assist, set_timer_op ---- */

int64_t hc_vm_assist(struct hc_call *c)
{
	uint32_t cmd = (uint32_t)c->arg[0];
	uint32_t bit = (uint32_t)BIT(VMASST_TYPE_runstate_update_flag);

	if (cmd != VMASST_CMD_enable && cmd != VMASST_CMD_disable) {
		return -ENOSYS;
	}
	if ((uint32_t)c->arg[1] != VMASST_TYPE_runstate_update_flag) {
		return -EINVAL;
	}
	if (cmd == VMASST_CMD_enable) {
		atomic_or(&c->d->vm_assist, bit);
	} else {
		atomic_and(&c->d->vm_assist, ~bit);
	}
	return 0;
}

int64_t hc_set_timer(struct hc_call *c)
{
	uint64_t deadline = c->compat ? c->arg[0] | c->arg[1] << 32 : c->arg[0];

	vcpu_set_singleshot(c->v, deadline);
	return 0;
}

/* ---- physdev_op ---- */

/*
 * Dom0 tells what PCI devices and configuration windows it found. Devices are Dom0's own, their interrupts and DMA
 * need nothing from us as long as there is no IOMMU: the answer is that we took note.
 */
int64_t hc_physdev(struct hc_call *c)
{
	struct physdev_pci_mmcfg_reserved window;
	struct physdev_pci_device device;

	if (!access_privileged(c->d)) {
		return -ENOSYS;
	}
	switch ((uint32_t)c->arg[0]) {
	case PHYSDEVOP_pci_mmcfg_reserved:
		if (hc_get(c, c->arg[1], &window) != 0) {
			return -EFAULT;
		}
		log_debug("PCI configuration window %#lx, segment %u, buses %u-%u\n", (unsigned long)window.address,
			  window.segment, window.start_bus, window.end_bus);
		return 0;
	case PHYSDEVOP_pci_device_add:
	case PHYSDEVOP_pci_device_remove:
		if (hc_get(c, c->arg[1], &device) != 0) {
			return -EFAULT;
		}
		log_debug("PCI device %04x:%02x:%02x.%u %s\n", device.seg, device.bus, device.devfn >> 3,
			  device.devfn & 7, c->arg[0] == PHYSDEVOP_pci_device_add ? "found" : "gone");
		return 0;
	default:
		return -ENOSYS;
	}
}
