/*
 * The element table. See config_rules.h.
 */
#include "toolstack/config_rules.h"

#include <stdio.h>
#include <string.h>

#include "toolstack/config_devices.h"

#define USE(p, a, q, n, f)                                                                         \
	{                                                                                          \
		.path = (p), .kind = CX_USE, .attrs = (a), .quiet = (q), .noted = (n), .enter = (f) \
	}
#define NOTE(p, w)                                                                                 \
	{                                                                                          \
		.path = (p), .kind = CX_NOTE, .why = (w)                                           \
	}
#define QUIET(p)                                                                                   \
	{                                                                                          \
		.path = (p), .kind = CX_QUIET                                                      \
	}
#define REJECT(p, w)                                                                               \
	{                                                                                          \
		.path = (p), .kind = CX_REJECT, .why = (w)                                         \
	}

static const char cx_no_tuning[] = "host resource tuning is not done";
static const char cx_no_dom0_tuning[] = "the device model runs where Dom0 puts it";
static const char cx_no_device[] = "this device is not offered; the guest will not see it";
static const char cx_no_passthrough[] = "host devices cannot be passed through";

static const struct cx_rule cx_rules[] = {
	USE("domain", "type", "id", NULL, config_dom_domain),
	USE("domain/name", NULL, NULL, NULL, config_dom_name),
	USE("domain/uuid", NULL, NULL, NULL, config_dom_uuid),
	USE("domain/title", NULL, NULL, NULL, config_dom_title),
	USE("domain/description", NULL, NULL, NULL, config_dom_description),
	QUIET("domain/metadata"),
	NOTE("domain/genid", "no generation ID is given to the guest"),
	USE("domain/memory", "unit", NULL, "dumpCore", config_dom_memory_max),
	USE("domain/currentMemory", "unit", NULL, NULL, config_dom_memory_current),
	REJECT("domain/maxMemory", "memory cannot be plugged in; say all of it in <memory>"),
	USE("domain/vcpu", "current cpuset", "placement", NULL, config_dom_vcpu),
	NOTE("domain/vcpus", "all vCPUs are alike"),
	REJECT("domain/bootloader", "paravirtual guests are not supported"),
	REJECT("domain/bootloader_args", "paravirtual guests are not supported"),
	NOTE("domain/iothreads", cx_no_tuning),
	NOTE("domain/iothreadids", cx_no_tuning),
	USE("domain/cputune", NULL, NULL, NULL, NULL),
	USE("domain/cputune/shares", NULL, NULL, NULL, config_dom_shares),
	USE("domain/cputune/period", NULL, NULL, NULL, config_dom_period),
	USE("domain/cputune/quota", NULL, NULL, NULL, config_dom_quota),
	USE("domain/cputune/vcpupin", "vcpu cpuset", NULL, NULL, config_dom_vcpupin),
	NOTE("domain/cputune/emulatorpin", cx_no_dom0_tuning),
	NOTE("domain/cputune/emulator_period", cx_no_dom0_tuning),
	NOTE("domain/cputune/emulator_quota", cx_no_dom0_tuning),
	NOTE("domain/cputune/iothreadpin", cx_no_dom0_tuning),
	NOTE("domain/cputune/iothread_period", cx_no_dom0_tuning),
	NOTE("domain/cputune/iothread_quota", cx_no_dom0_tuning),
	NOTE("domain/cputune/iothreadsched", cx_no_dom0_tuning),
	NOTE("domain/cputune/global_period", "limits are per vCPU: period and quota"),
	NOTE("domain/cputune/global_quota", "limits are per vCPU: period and quota"),
	NOTE("domain/cputune/vcpusched", "there is one scheduling class"),
	NOTE("domain/cputune/cachetune", cx_no_tuning),
	NOTE("domain/cputune/memorytune", cx_no_tuning),
	NOTE("domain/numatune", cx_no_tuning),
	NOTE("domain/memtune", cx_no_tuning),
	NOTE("domain/blkiotune", cx_no_tuning),
	NOTE("domain/memoryBacking", cx_no_tuning),
	NOTE("domain/idmap", cx_no_tuning),
	NOTE("domain/perf", cx_no_tuning),
	NOTE("domain/sysinfo", "the SMBIOS tables hold the defaults"),
	NOTE("domain/pm", "the guest's sleep states are always offered"),
	QUIET("domain/resource"),
	QUIET("domain/seclabel"),
	QUIET("domain/keywrap"),
	REJECT("domain/launchSecurity", "memory encryption is not supported"),

	USE("domain/os", "firmware", NULL, NULL, config_dom_os),
	USE("domain/os/type", "arch machine", NULL, NULL, config_dom_os_type),
	USE("domain/os/loader", "type", "readonly secure format", NULL, config_dom_os_loader),
	REJECT("domain/os/nvram", "UEFI firmware is not supported"),
	REJECT("domain/os/firmware", "UEFI firmware is not supported"),
	USE("domain/os/boot", "dev", NULL, NULL, config_dom_os_boot),
	USE("domain/os/bootmenu", "enable", NULL, "timeout", config_dom_os_bootmenu),
	USE("domain/os/kernel", NULL, NULL, NULL, config_dom_os_kernel),
	USE("domain/os/initrd", NULL, NULL, NULL, config_dom_os_initrd),
	USE("domain/os/cmdline", NULL, NULL, NULL, config_dom_os_cmdline),
	NOTE("domain/os/bios", "the BIOS always writes to the serial port it is built for"),
	NOTE("domain/os/smbios", "the SMBIOS tables hold the defaults"),
	NOTE("domain/os/acpi", "no further ACPI tables are given to the guest"),

	USE("domain/features", NULL, NULL, NULL, NULL),
	USE("domain/features/acpi", NULL, NULL, NULL, config_dom_acpi),
	USE("domain/features/apic", NULL, "eoi", NULL, config_dom_apic),
	USE("domain/features/pae", NULL, NULL, NULL, config_dom_pae),
	USE("domain/features/hap", "state", NULL, NULL, config_dom_hap),
	USE("domain/features/viridian", NULL, NULL, NULL, config_dom_viridian),
	USE("domain/features/hyperv", "mode", NULL, NULL, config_dom_hyperv),
	USE("domain/features/hyperv/vapic", "state", NULL, NULL, config_dom_hyperv_bit),
	USE("domain/features/hyperv/vpindex", "state", NULL, NULL, config_dom_hyperv_bit),
	USE("domain/features/hyperv/synic", "state", NULL, NULL, config_dom_hyperv_bit),
	USE("domain/features/hyperv/stimer", "state", NULL, NULL, config_dom_hyperv_bit),
	NOTE("domain/features/hyperv/stimer/direct", "timers post messages"),
	USE("domain/features/hyperv/frequencies", "state", NULL, NULL, config_dom_hyperv_bit),
	USE("domain/features/hyperv/tlbflush", "state", NULL, NULL, config_dom_hyperv_bit),
	USE("domain/features/hyperv/ipi", "state", NULL, NULL, config_dom_hyperv_bit),
	NOTE("domain/features/hyperv/relaxed", "always so"),
	NOTE("domain/features/hyperv/spinlocks", "not offered to the guest"),
	NOTE("domain/features/hyperv/runtime", "not offered to the guest"),
	NOTE("domain/features/hyperv/reset", "not offered to the guest"),
	NOTE("domain/features/hyperv/vendor_id", "the vendor is the hypervisor's own"),
	NOTE("domain/features/hyperv/reenlightenment", "not offered to the guest"),
	NOTE("domain/features/hyperv/evmcs", "not offered to the guest"),
	NOTE("domain/features/hyperv/avic", "not offered to the guest"),
	NOTE("domain/features/xen", "there is no passthrough to tune"),
	NOTE("domain/features/kvm", "this is not KVM"),
	NOTE("domain/features/vmport", "not offered to the guest"),
	NOTE("domain/features/pvspinlock", "the guest's kernel decides"),
	NOTE("domain/features/privnet", "the guest has its own network stack"),
	NOTE("domain/features/pmu", "not offered to the guest"),
	REJECT("domain/features/smm", "system management mode is not supported"),
	NOTE("domain/features/ioapic", "the hypervisor emulates it"),

	USE("domain/clock", "offset adjustment basis", NULL, NULL, config_dom_clock),
	USE("domain/clock/timer", "name present mode tickpolicy frequency", "track", NULL, config_dom_timer),
	NOTE("domain/clock/timer/catchup", "missed ticks come as fast as the guest takes them"),
	USE("domain/on_poweroff", NULL, NULL, NULL, config_dom_on_poweroff),
	USE("domain/on_reboot", NULL, NULL, NULL, config_dom_on_reboot),
	USE("domain/on_crash", NULL, NULL, NULL, config_dom_on_crash),
	NOTE("domain/on_lockfailure", "there is no lock manager"),

	USE("domain/cpu", "mode", "match check migratable", NULL, config_dom_cpu),
	USE("domain/cpu/feature", "policy name", NULL, NULL, config_dom_cpu_feature),
	USE("domain/cpu/model", NULL, "fallback vendor_id", NULL, config_dom_cpu_model),
	NOTE("domain/cpu/vendor", "the guest sees the host's CPU"),
	USE("domain/cpu/topology", "sockets dies cores threads", NULL, NULL, config_dom_cpu_topology),
	NOTE("domain/cpu/numa", "the guest has one memory node"),
	NOTE("domain/cpu/cache", "the guest sees the host's caches"),
	NOTE("domain/cpu/maxphysaddr", "the guest sees the host's address size"),

	USE("domain/devices", NULL, NULL, NULL, NULL),
	USE("domain/devices/emulator", NULL, NULL, NULL, config_dev_emulator),
	USE("domain/devices/disk", "type device", "model snapshot", "rawio sgio", config_dev_disk),
	USE("domain/devices/disk/driver", "name type cache discard",
	    "queues iothread detect_zeroes copy_on_read ats iommu packed", "io error_policy rerror_policy",
	    config_dev_disk_driver),
	USE("domain/devices/disk/source", "file dev", "index", "startupPolicy",
	    config_dev_disk_source),
	QUIET("domain/devices/disk/source/privateData"),
	QUIET("domain/devices/disk/source/seclabel"),
	REJECT("domain/devices/disk/source/encryption", "encrypted images are not supported"),
	REJECT("domain/devices/disk/source/reservations", "SCSI reservations are not supported"),
	REJECT("domain/devices/disk/source/slices", "parts of an image are not supported"),
	USE("domain/devices/disk/target", "dev bus", "rotation_rate tray removable", NULL,
	    config_dev_disk_target),
	USE("domain/devices/disk/readonly", NULL, NULL, NULL, config_dev_disk_readonly),
	USE("domain/devices/disk/shareable", NULL, NULL, NULL, config_dev_disk_shareable),
	USE("domain/devices/disk/serial", NULL, NULL, NULL, config_dev_disk_serial),
	USE("domain/devices/disk/boot", "order", "loadparm", NULL, config_dev_boot),
	QUIET("domain/devices/disk/address"),
	QUIET("domain/devices/disk/alias"),
	QUIET("domain/devices/disk/backingStore"),
	QUIET("domain/devices/disk/mirror"),
	QUIET("domain/devices/disk/privateData"),
	NOTE("domain/devices/disk/iotune", "disk speed is not limited"),
	NOTE("domain/devices/disk/geometry", "the device model chooses the geometry"),
	NOTE("domain/devices/disk/blockio", "sectors have 512 bytes"),
	NOTE("domain/devices/disk/wwn", "not given to the guest"),
	NOTE("domain/devices/disk/vendor", "not given to the guest"),
	NOTE("domain/devices/disk/product", "not given to the guest"),
	REJECT("domain/devices/disk/transient", "changes would be kept, not thrown away"),
	REJECT("domain/devices/disk/encryption", "encrypted images are not supported"),
	REJECT("domain/devices/disk/auth", "network disks are not supported"),

	USE("domain/devices/interface", "type", "managed trustGuestRxFilters", NULL, config_dev_nic),
	USE("domain/devices/interface/mac", "address", "type check", NULL, config_dev_nic_mac),
	USE("domain/devices/interface/source", "bridge network", "portid portgroup", "dev mode",
	    config_dev_nic_source),
	USE("domain/devices/interface/script", "path", NULL, NULL, config_dev_nic_script),
	USE("domain/devices/interface/model", "type", NULL, NULL, config_dev_nic_model),
	USE("domain/devices/interface/target", "dev", NULL, NULL, config_dev_nic_target),
	USE("domain/devices/interface/link", "state", NULL, NULL, config_dev_nic_link),
	USE("domain/devices/interface/boot", "order", "loadparm", NULL, config_dev_boot),
	QUIET("domain/devices/interface/address"),
	QUIET("domain/devices/interface/alias"),
	NOTE("domain/devices/interface/driver", "the device model chooses the packet path"),
	NOTE("domain/devices/interface/backend", "the device model chooses the packet path"),
	NOTE("domain/devices/interface/bandwidth", "network speed is not limited"),
	NOTE("domain/devices/interface/ip", "addresses are the guest's own business"),
	NOTE("domain/devices/interface/mtu", "set it on the bridge"),
	NOTE("domain/devices/interface/coalesce", "not tuned"),
	NOTE("domain/devices/interface/guest", "the guest names its devices"),
	NOTE("domain/devices/interface/rom", "the boot ROM of the card is used"),
	NOTE("domain/devices/interface/tune", "not tuned"),
	REJECT("domain/devices/interface/vlan", "VLAN tags are not set; use a bridge of that VLAN"),
	REJECT("domain/devices/interface/virtualport", "only Linux bridges are supported"),
	REJECT("domain/devices/interface/filterref", "packets are not filtered"),
	REJECT("domain/devices/interface/port", "ports are not isolated"),

	USE("domain/devices/graphics", "type port autoport listen socket passwd keymap",
	    "tlsPort connected sharePolicy", "websocket passwdValidTo powerControl",
	    config_dev_graphics),
	USE("domain/devices/graphics/listen", "type address socket", NULL, NULL, config_dev_listen),
	USE("domain/devices/video", NULL, NULL, NULL, NULL),
	USE("domain/devices/video/model", "type vram", "heads primary ram vgamem vram64 blob", NULL,
	    config_dev_video_model),
	NOTE("domain/devices/video/model/acceleration", "pictures are drawn by the guest"),
	NOTE("domain/devices/video/model/resolution", "the guest chooses the resolution"),
	NOTE("domain/devices/video/driver", "not tuned"),
	QUIET("domain/devices/video/address"),
	QUIET("domain/devices/video/alias"),

#define CHARDEV(p, enter_it)                                                                       \
	USE("domain/devices/" p, "type", "tty", NULL, enter_it),                                   \
	USE("domain/devices/" p "/source", "path host service mode append", "channel tls", NULL,  \
	    config_dev_chr_source),                                                                \
	QUIET("domain/devices/" p "/source/seclabel"),                                             \
	NOTE("domain/devices/" p "/source/reconnect", "a lost connection stays lost"),             \
	USE("domain/devices/" p "/target", "port type", NULL, NULL, config_dev_chr_target),        \
	QUIET("domain/devices/" p "/target/model"),                                                \
	USE("domain/devices/" p "/protocol", "type", NULL, NULL, config_dev_chr_protocol),         \
	NOTE("domain/devices/" p "/log", "use type='file'"),                                       \
	QUIET("domain/devices/" p "/address"),                                                     \
	QUIET("domain/devices/" p "/alias")

	CHARDEV("serial", config_dev_serial),
	CHARDEV("parallel", config_dev_parallel),
	CHARDEV("console", config_dev_console),
	NOTE("domain/devices/channel", cx_no_device),

	USE("domain/devices/input", "type bus", "model", NULL, config_dev_input),
	QUIET("domain/devices/input/address"),
	QUIET("domain/devices/input/alias"),
	NOTE("domain/devices/input/source", cx_no_passthrough),
	USE("domain/devices/controller", "type model", "index ports vectors",
	    "maxGrantFrames maxEventChannels", config_dev_controller),
	QUIET("domain/devices/controller/address"),
	QUIET("domain/devices/controller/alias"),
	QUIET("domain/devices/controller/master"),
	QUIET("domain/devices/controller/target"),
	QUIET("domain/devices/controller/model"),
	NOTE("domain/devices/controller/driver", "not tuned"),
	USE("domain/devices/sound", "model", NULL, NULL, config_dev_sound),
	QUIET("domain/devices/sound/address"),
	QUIET("domain/devices/sound/alias"),
	QUIET("domain/devices/sound/codec"),
	NOTE("domain/devices/audio", "the guest's sound goes nowhere"),
	USE("domain/devices/memballoon", "model", "autodeflate freePageReporting", NULL,
	    config_dev_memballoon),
	QUIET("domain/devices/memballoon/address"),
	QUIET("domain/devices/memballoon/alias"),
	QUIET("domain/devices/memballoon/stats"),
	USE("domain/devices/rng", "model", NULL, NULL, config_dev_rng),
	USE("domain/devices/rng/backend", "model", NULL, NULL, config_dev_rng_backend),
	NOTE("domain/devices/rng/rate", "not limited"),
	NOTE("domain/devices/rng/driver", "not tuned"),
	QUIET("domain/devices/rng/address"),
	QUIET("domain/devices/rng/alias"),
	USE("domain/devices/watchdog", "model action", NULL, NULL, config_dev_watchdog),
	QUIET("domain/devices/watchdog/address"),
	QUIET("domain/devices/watchdog/alias"),
	REJECT("domain/devices/hostdev", cx_no_passthrough),
	REJECT("domain/devices/lease", "there is no lock manager"),
	REJECT("domain/devices/iommu", "the guest has no IOMMU"),
	NOTE("domain/devices/tpm", cx_no_device),
	NOTE("domain/devices/vsock", cx_no_device),
	NOTE("domain/devices/filesystem", cx_no_device),
	NOTE("domain/devices/panic", cx_no_device),
	NOTE("domain/devices/redirdev", cx_no_device),
	NOTE("domain/devices/redirfilter", cx_no_device),
	NOTE("domain/devices/hub", cx_no_device),
	NOTE("domain/devices/smartcard", cx_no_device),
	NOTE("domain/devices/shmem", cx_no_device),
	NOTE("domain/devices/crypto", cx_no_device),
	NOTE("domain/devices/memory", cx_no_device),

	USE("domain/qemu:commandline", NULL, NULL, NULL, NULL),
	USE("domain/qemu:commandline/qemu:arg", "value", NULL, NULL, config_dom_qemu_arg),
	NOTE("domain/qemu:commandline/qemu:env", "the device model's environment is fixed"),
	USE("domain/xen:commandline", NULL, NULL, NULL, NULL),
	USE("domain/xen:commandline/xen:arg", "value", NULL, NULL, config_dom_qemu_arg),
};

#define CX_NR_RULES (sizeof(cx_rules) / sizeof(cx_rules[0]))

const struct cx_rule *config_rule_find(const char *path)
{
	for (size_t i = 0; i < CX_NR_RULES; i++) {
		if (strcmp(cx_rules[i].path, path) == 0) {
			return &cx_rules[i];
		}
	}
	return NULL;
}

void config_rule_children(const char *parent, char *out, size_t size)
{
	size_t len = strlen(parent);
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < CX_NR_RULES && at < size; i++) {
		const char *path = cx_rules[i].path;
		int n;

		if (cx_rules[i].kind == CX_REJECT || strncmp(path, parent, len) != 0 ||
		    path[len] != '/' || strchr(path + len + 1, '/') != NULL) {
			continue;
		}
		n = snprintf(out + at, size - at, "%s%s", at != 0 ? ", " : "", path + len + 1);
		at += n > 0 ? (size_t)n : 0;
	}
	if (at == 0) {
		snprintf(out, size, "none");
	}
}
