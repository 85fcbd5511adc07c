/* Configuration to QEMU arguments. Contract: qemu_args.h. */
#include "dm-glue/qemu_args.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the vector ---- */

/* Takes ownership of `text`. */
static void push_owned(struct qemu_args *args, char *text)
{
	if (text == NULL || args->nr + 1 >= QEMU_ARGS_MAX) {
		free(text);
		if (!args->failed) {
			snprintf(args->error, sizeof(args->error), "too many QEMU arguments");
		}
		args->failed = true;
		return;
	}
	args->argv[args->nr++] = text;
	args->argv[args->nr] = NULL;
}

__attribute__((format(printf, 2, 3))) static void push(struct qemu_args *args, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0) {
		text = NULL;
	}
	va_end(ap);
	push_owned(args, text);
}

/* Appends to the argument pushed last. */
__attribute__((format(printf, 2, 3))) static void more(struct qemu_args *args, const char *fmt, ...)
{
	char *tail = NULL, *text = NULL;
	va_list ap;

	if (args->failed || args->nr == 0) {
		return;
	}
	va_start(ap, fmt);
	if (vasprintf(&tail, fmt, ap) < 0) {
		tail = NULL;
	}
	va_end(ap);
	char **last = &args->argv[args->nr - 1];
	if (tail == NULL || asprintf(&text, "%s%s", *last, tail) < 0) {
		snprintf(args->error, sizeof(args->error), "out of memory");
		args->failed = true;
	} else {
		free(*last);
		*last = text;
	}
	free(tail);
}

/* Appends ",key=value"; QEMU's option syntax wants commas in a value doubled. */
static void more_value(struct qemu_args *args, const char *key, const char *value)
{
	char *text = malloc(2 * strlen(value) + 1);
	char *to = text;

	if (text == NULL) {
		args->failed = true;
		return;
	}
	for (const char *from = value; *from; from++) {
		*to++ = *from;
		if (*from == ',') {
			*to++ = ',';
		}
	}
	*to = '\0';
	more(args, ",%s=%s", key, text);
	free(text);
}

__attribute__((format(printf, 2, 3))) static void refuse(struct qemu_args *args, const char *fmt, ...)
{
	va_list ap;

	if (args->failed) {
		return;
	}
	va_start(ap, fmt);
	vsnprintf(args->error, sizeof(args->error), fmt, ap);
	va_end(ap);
	args->failed = true;
}

/* ---- the machine ---- */

static void add_monitor(struct qemu_args *args, const char *id, int fd)
{
	if (fd < 0) {
		return;
	}
	push(args, "-chardev");
	push(args, "socket,id=%s,fd=%d,server=on,wait=off", id, fd);
	push(args, "-mon");
	push(args, "chardev=%s,mode=control", id);
}

static void add_head(const struct guest_config *cfg, const struct qemu_args_env *env,
		     struct qemu_args *args)
{
	push(args, "%s", env->emulator);
	push(args, "-xen-domid");
	push(args, "%u", env->domid);
	if (env->domid_restrict) {
		push(args, "-xen-domid-restrict");
	}
	push(args, "-no-shutdown");
	add_monitor(args, "qmp", env->qmp_fd);
	add_monitor(args, "qmp-tools", env->qmp_tools_fd);
	push(args, "-nodefaults");
	push(args, "-no-user-config");
	if (env->sandbox) {
		push(args, "-sandbox");
		push(args, "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
	}
	push(args, "-name");
	push(args, "debug-threads=on");
	more_value(args, "guest", cfg->name);
}

static void add_display(const struct guest_config *cfg, const struct qemu_args_env *env,
			struct qemu_args *args)
{
	push(args, "-display");
	push(args, "none");
	if (cfg->graphics.type == CONFIG_GFX_VNC && env->vnc_socket != NULL) {
		push(args, "-vnc");
		/* A password is the supervisor's business: the socket is one that nobody else sees. */
		push(args, "unix:%s", env->vnc_socket);
		if (cfg->graphics.keymap) {
			push(args, "-k");
			push(args, "%s", cfg->graphics.keymap);
		}
	}
	switch (cfg->video) {
	case CONFIG_VIDEO_VGA:
		push(args, "-device");
		push(args, "VGA,vgamem_mb=%u", cfg->video_ram_kib / 1024);
		break;
	case CONFIG_VIDEO_CIRRUS:
		push(args, "-device");
		push(args, "cirrus-vga,vgamem_mb=%u", cfg->video_ram_kib / 1024);
		break;
	case CONFIG_VIDEO_QXL:
		push(args, "-device");
		push(args, "qxl-vga,vram_size_mb=%u,ram_size_mb=%u", cfg->video_ram_kib / 1024 / 2,
		     cfg->video_ram_kib / 1024 / 2);
		break;
	case CONFIG_VIDEO_NONE:
		break;
	}
}

static void add_boot(const struct guest_config *cfg, const struct qemu_args_env *env,
		     struct qemu_args *args)
{
	static const char letter[] = {
		[CONFIG_BOOT_FLOPPY] = 'a', [CONFIG_BOOT_DISK] = 'c', [CONFIG_BOOT_CDROM] = 'd',
		[CONFIG_BOOT_NETWORK] = 'n',
	};
	char order[CONFIG_MAX_BOOT + 1] = "";

	/* Under this machine SeaBIOS reads its order from CMOS, which only this option fills. */
	for (unsigned int i = 0; i < cfg->nr_boot && i < CONFIG_MAX_BOOT; i++) {
		order[i] = letter[cfg->boot[i]];
	}
	push(args, "-boot");
	push(args, "order=%s%s", order[0] ? order : "c", cfg->boot_menu ? ",menu=on" : "");
	if (env->kernel == NULL) {
		return;
	}
	push(args, "-kernel");
	push(args, "%s", env->kernel);
	if (env->initrd) {
		push(args, "-initrd");
		push(args, "%s", env->initrd);
	}
	if (cfg->cmdline) {
		push(args, "-append");
		push(args, "%s", cfg->cmdline);
	}
}

static void add_tail(const struct guest_config *cfg, struct qemu_args *args)
{
	uint64_t ram_kib = cfg->memory_kib > cfg->video_ram_kib ?
				   cfg->memory_kib - cfg->video_ram_kib :
				   cfg->memory_kib;

	if (!cfg->acpi) {
		push(args, "-no-acpi");
	}
	if (cfg->max_vcpus > 1) {
		push(args, "-smp");
		push(args, "%u,maxcpus=%u", cfg->vcpus, cfg->max_vcpus);
	}
	for (unsigned int i = 0; i < cfg->nr_qemu_args; i++) {
		push(args, "%s", cfg->qemu_args[i]);
	}
	/* No xen-platform device: a stock kernel keeps the emulated disks and cards it boots from. */
	push(args, "-machine");
	push(args, "pc,accel=xen,suppress-vmdesc=on");
	push(args, "-m");
	push(args, "%llu", (unsigned long long)(ram_kib / 1024));
}

/* ---- disks ---- */

const char *qemu_args_format(enum config_disk_format format)
{
	static const char *const name[] = {
		[CONFIG_FORMAT_RAW] = "raw", [CONFIG_FORMAT_QCOW2] = "qcow2",
		[CONFIG_FORMAT_QED] = "qed", [CONFIG_FORMAT_VPC] = "vpc",
		[CONFIG_FORMAT_VMDK] = "vmdk", [CONFIG_FORMAT_VDI] = "vdi",
	};
	return name[format];
}

static const char *cache_name(enum config_disk_cache cache)
{
	/*
	 * "none" and "directsync" mean direct I/O into guest memory. The kernel cannot do that to the
	 * foreign pages that guest memory is here; the page cache with the same flush rules is next.
	 */
	static const char *const name[] = {
		[CONFIG_CACHE_DEFAULT] = "writeback",	   [CONFIG_CACHE_NONE] = "writeback",
		[CONFIG_CACHE_WRITEBACK] = "writeback",	   [CONFIG_CACHE_WRITETHROUGH] = "writethrough",
		[CONFIG_CACHE_DIRECTSYNC] = "writethrough", [CONFIG_CACHE_UNSAFE] = "unsafe",
	};
	return name[cache];
}

/* The host side of a disk: an open file in a descriptor set of its own. */
static void add_drive(const struct config_disk *disk, const struct qemu_args_env *env,
		      unsigned int i, struct qemu_args *args)
{
	int fd = env->disk_fd[i], ro_fd = env->disk_ro_fd[i];

	push(args, "-add-fd");
	push(args, "fd=%d,set=%d", fd, fd);
	if (ro_fd >= 0) {
		/* QEMU opens a writable image read-only first and wants a descriptor for that too. */
		push(args, "-add-fd");
		push(args, "fd=%d,set=%d", ro_fd, fd);
	}
	push(args, "-drive");
	/* The driver is named: QEMU would judge by the name, which is no longer a device's. */
	push(args, "if=none,id=drive-%s,file.driver=%s,file.filename=/dev/fdset/%d,format=%s,cache=%s",
	     disk->target, env->disk_block[i] ? "host_device" : "file", fd,
	     qemu_args_format(disk->format), cache_name(disk->cache));
	if (disk->readonly) {
		more(args, ",readonly=on");
	}
	if (disk->discard) {
		more(args, ",discard=unmap");
	}
	if (disk->shareable) {
		more(args, ",file.locking=off");
	}
}

/* The device on its bus, named after its target. */
static void add_disk_device(const struct config_disk *disk, struct qemu_args *args)
{
	bool cd = disk->device == CONFIG_DISK_CDROM;

	push(args, "-device");
	switch (disk->bus) {
	case CONFIG_BUS_IDE:
		push(args, "%s,bus=ide.%u,unit=%u", cd ? "ide-cd" : "ide-hd", disk->unit / 2,
		     disk->unit % 2);
		break;
	case CONFIG_BUS_SATA:
		push(args, "%s,bus=ahci0.%u,unit=0", cd ? "ide-cd" : "ide-hd", disk->unit);
		break;
	case CONFIG_BUS_SCSI:
		push(args, "%s,bus=scsi0.0,scsi-id=%u", cd ? "scsi-cd" : "scsi-hd", disk->unit);
		break;
	case CONFIG_BUS_FDC:
		push(args, "floppy,unit=%u", disk->unit);
		break;
	case CONFIG_BUS_VIRTIO:
		push(args, "virtio-blk-pci");
		break;
	case CONFIG_BUS_USB:
		push(args, "usb-storage");
		break;
	}
	more(args, ",id=%s", disk->target);
}

static void add_disk(const struct config_disk *disk, const struct qemu_args_env *env,
		     unsigned int i, struct qemu_args *args)
{
	int fd = env->disk_fd[i];

	if (fd < 0 && (disk->device == CONFIG_DISK_HARD || disk->bus == CONFIG_BUS_VIRTIO ||
		       disk->bus == CONFIG_BUS_USB)) {
		refuse(args, "disk %s: no image", disk->target);
		return;
	}
	if (fd >= 0) {
		add_drive(disk, env, i, args);
	}
	add_disk_device(disk, args);
	if (fd >= 0) {
		more(args, ",drive=drive-%s", disk->target);
	}
	if (disk->serial && disk->bus != CONFIG_BUS_FDC) {
		more_value(args, "serial", disk->serial);
	}
}

static void add_disks(const struct guest_config *cfg, const struct qemu_args_env *env,
		      struct qemu_args *args)
{
	bool sata = false, scsi = false;

	for (unsigned int i = 0; i < cfg->nr_disks; i++) {
		const struct config_disk *disk = &cfg->disks[i];

		if (disk->bus == CONFIG_BUS_SATA && !sata) {
			sata = true;
			push(args, "-device");
			push(args, "ahci,id=ahci0");
		}
		if (disk->bus == CONFIG_BUS_SCSI && !scsi) {
			scsi = true;
			push(args, "-device");
			push(args, "lsi53c895a,id=scsi0");
		}
		add_disk(disk, env, i, args);
	}
}

/* ---- network cards ---- */

static bool boots_from_network(const struct guest_config *cfg)
{
	for (unsigned int i = 0; i < cfg->nr_boot; i++) {
		if (cfg->boot[i] == CONFIG_BOOT_NETWORK) {
			return true;
		}
	}
	return cfg->boot_menu;
}

static void add_nic(const struct guest_config *cfg, unsigned int i, int fd, struct qemu_args *args)
{
	static const char *const model[] = {
		[CONFIG_NIC_E1000] = "e1000", [CONFIG_NIC_E1000E] = "e1000e",
		[CONFIG_NIC_RTL8139] = "rtl8139", [CONFIG_NIC_VIRTIO] = "virtio-net-pci",
		[CONFIG_NIC_VMXNET3] = "vmxnet3", [CONFIG_NIC_PCNET] = "pcnet",
		[CONFIG_NIC_NE2K_PCI] = "ne2k_pci",
	};
	const struct config_nic *nic = &cfg->nics[i];
	const uint8_t *mac = nic->mac;

	if (nic->type != CONFIG_NIC_NONE && fd < 0) {
		refuse(args, "network card %u: nothing to plug it into", i);
		return;
	}
	if (nic->type == CONFIG_NIC_USER) {
		push(args, "-netdev");
		push(args, "stream,id=net%u,server=off,addr.type=fd,addr.str=%d", i, fd);
	} else if (nic->type == CONFIG_NIC_BRIDGE) {
		push(args, "-netdev");
		push(args, "tap,id=net%u,fd=%d", i, fd);
	}
	push(args, "-device");
	push(args, "%s,id=nic%u,mac=%02x:%02x:%02x:%02x:%02x:%02x", model[nic->model], i, mac[0],
	     mac[1], mac[2], mac[3], mac[4], mac[5]);
	if (nic->type != CONFIG_NIC_NONE) {
		more(args, ",netdev=net%u", i);
	}
	if (!boots_from_network(cfg)) {
		/* Without its boot ROM the card needs no guest memory and no time at boot. */
		more(args, ",romfile=");
	}
}

/* ---- character devices ---- */

/* A backend that needs an inherited descriptor. False: there is none, and that was said. */
static bool chardev_fd(const struct config_chardev *chr, const char *id, int fd,
		       struct qemu_args *args)
{
	if (fd < 0) {
		refuse(args, "%s: %s could not be handed to QEMU", id, chr->path ? chr->path : "it");
		return false;
	}
	return true;
}

static void add_chardev_inet(const struct config_chardev *chr, const char *id, struct qemu_args *args)
{
	push(args, "-chardev");
	if (chr->type == CONFIG_CHR_UDP) {
		push(args, "udp,id=%s", id);
		more_value(args, "host", chr->host ? chr->host : "127.0.0.1");
		more_value(args, "port", chr->service ? chr->service : "0");
		if (chr->local_service) {
			more_value(args, "localaddr", chr->local_host ? chr->local_host : "0.0.0.0");
			more_value(args, "localport", chr->local_service);
		}
		return;
	}
	push(args, "socket,id=%s", id);
	more_value(args, "host", chr->host ? chr->host : "127.0.0.1");
	more_value(args, "port", chr->service ? chr->service : "0");
	more(args, "%s", chr->listen ? ",server=on,wait=off" : ",reconnect=1");
	if (chr->telnet) {
		more(args, ",telnet=on");
	}
}

/* The host side of a serial or parallel port. False: nothing was added. */
static bool add_chardev(const struct config_chardev *chr, const char *id, int fd,
			struct qemu_args *args)
{
	switch (chr->type) {
	case CONFIG_CHR_NULL:
	case CONFIG_CHR_PTY:
	case CONFIG_CHR_VC:
		push(args, "-chardev");
		push(args, "%s,id=%s",
		     chr->type == CONFIG_CHR_PTY ? "pty" :
		     chr->type == CONFIG_CHR_VC	 ? "vc" :
						   "null",
		     id);
		return true;
	case CONFIG_CHR_FILE:
	case CONFIG_CHR_DEV:
		if (!chardev_fd(chr, id, fd, args)) {
			return false;
		}
		push(args, "-add-fd");
		push(args, "fd=%d,set=%d", fd, fd);
		push(args, "-chardev");
		/* Never truncated by QEMU: the descriptor is a pipe whose other end caps the file. */
		push(args, "%s,id=%s,path=/dev/fdset/%d%s",
		     chr->type == CONFIG_CHR_FILE ? "file" : "serial", id, fd,
		     chr->type == CONFIG_CHR_FILE ? ",append=on" : "");
		return true;
	case CONFIG_CHR_UNIX:
		if (!chardev_fd(chr, id, fd, args)) {
			return false;
		}
		push(args, "-chardev");
		push(args, "socket,id=%s,fd=%d%s", id, fd,
		     chr->listen ? ",server=on,wait=off" : "");
		return true;
	case CONFIG_CHR_TCP:
	case CONFIG_CHR_UDP:
		add_chardev_inet(chr, id, args);
		return true;
	case CONFIG_CHR_PIPE:
	case CONFIG_CHR_STDIO:
		break;
	}
	refuse(args, "%s: %s is not supported for a guest that runs in the background", id,
	       chr->type == CONFIG_CHR_PIPE ? "pipe" : "stdio");
	return false;
}

static void add_ports(const struct config_chardev *list, unsigned int nr, const int *fd,
		      const char *device, const char *stem, struct qemu_args *args)
{
	for (unsigned int i = 0; i < nr; i++) {
		char id[24];

		snprintf(id, sizeof(id), "%s%u", stem, list[i].port);
		if (add_chardev(&list[i], id, fd[i], args)) {
			push(args, "-device");
			push(args, "%s,index=%u,chardev=%s", device, list[i].port, id);
		}
	}
}

/* ---- the rest ---- */

static void add_usb(const struct guest_config *cfg, struct qemu_args *args)
{
	static const char *const ehci[] = {
		"ich9-usb-ehci1,id=usb,addr=1d.7,multifunction=on",
		"ich9-usb-uhci1,masterbus=usb.0,firstport=0,addr=1d.0,multifunction=on",
		"ich9-usb-uhci2,masterbus=usb.0,firstport=2,addr=1d.1,multifunction=on",
		"ich9-usb-uhci3,masterbus=usb.0,firstport=4,addr=1d.2,multifunction=on",
	};
	bool wanted = cfg->usb_tablet || cfg->usb_mouse || cfg->usb_keyboard;

	for (unsigned int i = 0; i < cfg->nr_disks; i++) {
		wanted |= cfg->disks[i].bus == CONFIG_BUS_USB;
	}
	if (cfg->usb == CONFIG_USB_UHCI || (cfg->usb == CONFIG_USB_NONE && wanted)) {
		push(args, "-usb");
	} else if (cfg->usb == CONFIG_USB_XHCI) {
		push(args, "-device");
		push(args, "nec-usb-xhci,id=usb");
	} else if (cfg->usb == CONFIG_USB_EHCI) {
		for (unsigned int i = 0; i < sizeof(ehci) / sizeof(ehci[0]); i++) {
			push(args, "-device");
			push(args, "%s", ehci[i]);
		}
	}
	const struct {
		bool on;
		const char *device;
	} input[] = {
		{ cfg->usb_tablet, "usb-tablet" },
		{ cfg->usb_mouse, "usb-mouse" },
		{ cfg->usb_keyboard, "usb-kbd" },
	};
	for (unsigned int i = 0; i < sizeof(input) / sizeof(input[0]); i++) {
		if (input[i].on) {
			push(args, "-device");
			push(args, "%s", input[i].device);
		}
	}
}

static void add_extras(const struct guest_config *cfg, struct qemu_args *args)
{
	static const char *const sound[][2] = {
		[CONFIG_SOUND_NONE] = { NULL, NULL },
		[CONFIG_SOUND_SB16] = { "sb16,audiodev=audio0", NULL },
		[CONFIG_SOUND_ES1370] = { "ES1370,audiodev=audio0", NULL },
		[CONFIG_SOUND_AC97] = { "AC97,audiodev=audio0", NULL },
		[CONFIG_SOUND_HDA] = { "intel-hda", "hda-duplex,audiodev=audio0" },
	};
	static const char *const action[] = {
		[CONFIG_WATCHDOG_ABSENT] = NULL,	 [CONFIG_WATCHDOG_RESET] = "reset",
		[CONFIG_WATCHDOG_SHUTDOWN] = "shutdown", [CONFIG_WATCHDOG_POWEROFF] = "poweroff",
		[CONFIG_WATCHDOG_PAUSE] = "pause",	 [CONFIG_WATCHDOG_NONE] = "none",
	};

	if (sound[cfg->sound][0]) {
		push(args, "-audiodev");
		push(args, "none,id=audio0");
	}
	for (unsigned int i = 0; i < 2 && sound[cfg->sound][i]; i++) {
		push(args, "-device");
		push(args, "%s", sound[cfg->sound][i]);
	}
	if (action[cfg->watchdog]) {
		push(args, "-device");
		push(args, "i6300esb");
		push(args, "-action");
		push(args, "watchdog=%s", action[cfg->watchdog]);
	}
	if (cfg->rng) {
		push(args, "-object");
		push(args, "rng-random,id=rng0,filename=/dev/urandom");
		push(args, "-device");
		push(args, "virtio-rng-pci,rng=rng0");
	}
}

bool qemu_args_needs_network(const struct guest_config *cfg)
{
	for (unsigned int i = 0; i < cfg->nr_serials; i++) {
		if (cfg->serials[i].type == CONFIG_CHR_TCP || cfg->serials[i].type == CONFIG_CHR_UDP) {
			return true;
		}
	}
	for (unsigned int i = 0; i < cfg->nr_parallels; i++) {
		if (cfg->parallels[i].type == CONFIG_CHR_TCP ||
		    cfg->parallels[i].type == CONFIG_CHR_UDP) {
			return true;
		}
	}
	return false;
}

void qemu_args_env_init(struct qemu_args_env *env)
{
	*env = (struct qemu_args_env){ .qmp_fd = -1, .qmp_tools_fd = -1 };
	/* All-ones in every byte is -1. */
	memset(env->disk_fd, 0xff, sizeof(env->disk_fd));
	memset(env->disk_ro_fd, 0xff, sizeof(env->disk_ro_fd));
	memset(env->nic_fd, 0xff, sizeof(env->nic_fd));
	memset(env->serial_fd, 0xff, sizeof(env->serial_fd));
	memset(env->parallel_fd, 0xff, sizeof(env->parallel_fd));
}

int qemu_args_build(const struct guest_config *cfg, const struct qemu_args_env *env,
		    struct qemu_args *args)
{
	*args = (struct qemu_args){ .argv = calloc(QEMU_ARGS_MAX, sizeof(char *)) };
	if (args->argv == NULL) {
		snprintf(args->error, sizeof(args->error), "out of memory");
		return -ENOMEM;
	}
	add_head(cfg, env, args);
	add_display(cfg, env, args);
	add_ports(cfg->serials, cfg->nr_serials, env->serial_fd, "isa-serial", "serial", args);
	add_ports(cfg->parallels, cfg->nr_parallels, env->parallel_fd, "isa-parallel", "parallel",
		  args);
	add_boot(cfg, env, args);
	add_usb(cfg, args);
	add_extras(cfg, args);
	for (unsigned int i = 0; i < cfg->nr_nics; i++) {
		add_nic(cfg, i, env->nic_fd[i], args);
	}
	add_disks(cfg, env, args);
	add_tail(cfg, args);
	return args->failed ? -ENOTSUP : 0;
}

void qemu_args_free(struct qemu_args *args)
{
	for (size_t i = 0; args->argv != NULL && i < args->nr; i++) {
		free(args->argv[i]);
	}
	free(args->argv);
	args->argv = NULL;
	args->nr = 0;
}
