/* platform_op (7): what Dom0 tells and asks about the machine. */
#include "abi/args.h"
#include "arch/acpi.h"
#include "core/percpu.h"
#include "core/time.h"
#include "dom/shared_info.h"
#include <xen/platform.h>

static void update_all_wallclocks(void)
{
	struct domain *d = domain_get_from(0);

	while (d != NULL) {
		uint32_t next = d->id + 1u;
		shared_info_wallclock_update(d);
		domain_put(d);
		d = next < DOMID_FIRST_RESERVED ? domain_get_from((domid_t)next) : NULL;
	}
}

static int64_t settime64(struct hc_call *c, struct xen_platform_op *op)
{
	if (op->u.settime64.mbz != 0 || op->u.settime64.nsecs >= 1000000000u) {
		return -EINVAL;
	}
	time_set_wallclock(op->u.settime64.secs, op->u.settime64.nsecs, op->u.settime64.system_time);
	update_all_wallclocks();
	return 0;
}

static int64_t settime32(struct hc_call *c, struct xen_platform_op *op)
{
	if (op->u.settime32.nsecs >= 1000000000u) {
		return -EINVAL;
	}
	time_set_wallclock(op->u.settime32.secs, op->u.settime32.nsecs, op->u.settime32.system_time);
	update_all_wallclocks();
	return 0;
}

static int64_t get_cpuinfo(struct hc_call *c, struct xen_platform_op *op)
{
	struct xenpf_pcpuinfo *info = &op->u.pcpu_info;

	info->max_present = cpu_count - 1;
	info->flags = XEN_PCPU_FLAGS_INVALID;
	info->apic_id = info->acpi_id = 0;
	if (info->xen_cpuid < cpu_count && cpus[info->xen_cpuid] != NULL) {
		info->flags = cpus[info->xen_cpuid]->online ? XEN_PCPU_FLAGS_ONLINE : 0;
		info->apic_id = cpus[info->xen_cpuid]->apic_id;
		for (unsigned int i = 0; i < acpi_info.cpus; i++) {
			if (acpi_info.apic_id[i] == info->apic_id) {
				info->acpi_id = acpi_info.acpi_uid[i];
			}
		}
	}
	return hc_put(c, c->arg[0], op);
}

/* The firmware's data: none is passed on, so Dom0 boots as on a machine without EFI run-time services. */
static int64_t firmware_info(struct hc_call *c, struct xen_platform_op *op)
{
	return -EINVAL;
}

static const struct {
	uint32_t cmd;
	int64_t (*fn)(struct hc_call *c, struct xen_platform_op *op);
} ops[] = {
	{ XENPF_settime32, settime32 },
	{ XENPF_settime64, settime64 },
	{ XENPF_get_cpuinfo, get_cpuinfo },
	{ XENPF_firmware_info, firmware_info },
};

int64_t hc_platform(struct hc_call *c)
{
	struct xen_platform_op op;

	if (hc_get(c, c->arg[0], &op) != 0) {
		return -EFAULT;
	}
	if (op.interface_version != XENPF_INTERFACE_VERSION) {
		return -EACCES;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++) {
		if (ops[i].cmd == op.cmd) {
			return ops[i].fn(c, &op);
		}
	}
	return -ENOSYS;
}
