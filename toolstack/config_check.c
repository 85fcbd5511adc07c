/*
 * Rules between elements, and values derived from several of them. Pure: reads and completes the
 * configuration, asks nothing of the machine it runs on. See config.h.
 */
#include "toolstack/config.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define CHECK_NAME_MAX   64
#define CHECK_MIB        1024u
#define CHECK_MIN_MEMORY (2 * CHECK_MIB)
/* 16 TiB less a little: frame numbers of the grant table and of hvm_info_table have 32 bits. */
#define CHECK_MAX_MEMORY  (UINT64_C(1) << 34)
#define CHECK_VIDEO_VGA   (16 * CHECK_MIB)
#define CHECK_VIDEO_QXL   (128 * CHECK_MIB)
#define CHECK_VIDEO_SMALL (8 * CHECK_MIB)

struct check_bus {
	const char *name;
	unsigned int units;
};

static const struct check_bus check_buses[] = {
	[CONFIG_BUS_IDE] = {"ide", 4},
	[CONFIG_BUS_SATA] = {"sata", 6},
	[CONFIG_BUS_SCSI] = {"scsi", 7},
	[CONFIG_BUS_FDC] = {"fdc", 2},
	[CONFIG_BUS_VIRTIO] = {"virtio", CONFIG_MAX_DISKS},
	[CONFIG_BUS_USB] = {"usb", CONFIG_MAX_DISKS},
};

#define check_error(diags, pos, path, ...)                                                         \
	config_diag_add(diags, CONFIG_ERROR, pos, path, __VA_ARGS__)
#define check_warn(diags, pos, path, ...)                                                          \
	config_diag_add(diags, CONFIG_WARNING, pos, path, __VA_ARGS__)

static void check_name(const struct guest_config *cfg, struct config_diags *diags)
{
	const char *name = cfg->name;

	if (name == NULL) {
		if (cfg->where.name.line == 0) {
			check_error(diags, (struct config_pos){0, 0}, "domain/name",
				    "the guest needs a name");
		}
		return;
	}
	if (strlen(name) > CHECK_NAME_MAX) {
		check_error(diags, cfg->where.name, "domain/name", "longer than %d bytes",
			    CHECK_NAME_MAX);
	}
	if (*name == '-' || *name == '.' || isdigit((unsigned char)*name)) {
		/* A number would be taken for a domain id, '-' for an option, '.' for a path. */
		bool all_digits = strspn(name, "0123456789") == strlen(name);

		if (!isdigit((unsigned char)*name) || all_digits) {
			check_error(diags, cfg->where.name, "domain/name",
				    "must not begin with '-' or '.', nor be a number");
		}
	}
	for (const char *p = name; *p != '\0'; p++) {
		if (*p == '/' || iscntrl((unsigned char)*p)) {
			check_error(diags, cfg->where.name, "domain/name",
				    "must not hold '/' or control characters");
			return;
		}
	}
}

static uint64_t check_round_mib(uint64_t kib)
{
	return (kib + CHECK_MIB - 1) / CHECK_MIB * CHECK_MIB;
}

static void check_memory(struct guest_config *cfg, struct config_diags *diags)
{
	if (cfg->memory_kib == 0) {
		check_error(diags, cfg->where.memory, "domain/memory",
			    "the guest needs memory, at least 2 MiB more than its video memory");
		return;
	}
	if (cfg->memory_kib > CHECK_MAX_MEMORY) {
		check_error(diags, cfg->where.memory, "domain/memory", "more than 16 TiB");
		return;
	}
	cfg->memory_kib = check_round_mib(cfg->memory_kib);
	if (cfg->current_memory_kib > CHECK_MAX_MEMORY) {
		cfg->current_memory_kib = cfg->memory_kib + 1;
	}
	cfg->current_memory_kib = check_round_mib(cfg->current_memory_kib);
	if (cfg->current_memory_kib > cfg->memory_kib) {
		check_error(diags, cfg->where.current_memory, "domain/currentMemory",
			    "more than <memory>");
		return;
	}
	if (cfg->current_memory_kib == 0) {
		cfg->current_memory_kib = cfg->memory_kib;
	}
	if (cfg->current_memory_kib < cfg->memory_kib) {
		check_warn(diags, cfg->where.current_memory, "domain/currentMemory",
			   "the guest starts with this much and may grow up to <memory>");
	}
	if (cfg->current_memory_kib < CHECK_MIN_MEMORY + cfg->video_ram_kib) {
		check_error(diags, cfg->where.memory, "domain/memory",
			    "at least 2 MiB more than the video memory (%u MiB) are needed",
			    cfg->video_ram_kib / CHECK_MIB);
	}
}

/* QEMU wants video memory as a power of two of MiB, and the cards have a least useful size. */
static uint32_t check_video_size(uint32_t kib, uint32_t least)
{
	uint32_t size = CHECK_MIB;

	kib = kib > least ? kib : least;
	while (size < kib) {
		size *= 2;
	}
	return size;
}

static void check_video(struct guest_config *cfg)
{
	/* A display without a card would show nothing. */
	if (cfg->graphics.type != CONFIG_GFX_NONE && cfg->where.video.line == 0) {
		cfg->video = CONFIG_VIDEO_VGA;
	}
	switch (cfg->video) {
	case CONFIG_VIDEO_VGA:
		cfg->video_ram_kib = check_video_size(cfg->video_ram_kib, CHECK_VIDEO_VGA);
		break;
	case CONFIG_VIDEO_CIRRUS:
		cfg->video_ram_kib = check_video_size(cfg->video_ram_kib, CHECK_VIDEO_SMALL);
		break;
	case CONFIG_VIDEO_QXL:
		cfg->video_ram_kib = check_video_size(cfg->video_ram_kib, CHECK_VIDEO_QXL);
		break;
	case CONFIG_VIDEO_NONE:
		cfg->video_ram_kib = 0;
		break;
	}
}

static void check_firmware(const struct guest_config *cfg, struct config_diags *diags)
{
	const struct config_pos at =
		cfg->where.initrd.line != 0 ? cfg->where.initrd : (struct config_pos){0, 0};

	/* An image named by <loader> is given the command line in its start information. */
	if (cfg->kernel == NULL &&
	    (cfg->initrd != NULL || (cfg->cmdline != NULL && cfg->firmware == CONFIG_FW_BIOS))) {
		check_error(diags, at, "domain/os",
			    "<initrd> and <cmdline> need a <kernel> beside them");
	}
	if (cfg->kernel != NULL && cfg->firmware != CONFIG_FW_BIOS) {
		check_error(diags, cfg->where.kernel, "domain/os/kernel",
			    "needs the BIOS; <loader> names another image");
	}
	if (!cfg->acpi && cfg->max_vcpus > 1 && !cfg->apic) {
		check_warn(diags, cfg->where.vcpu, "domain/vcpu",
			   "without <acpi/> and <apic/> most systems find one vCPU only");
	}
}

static void check_pins(const struct guest_config *cfg, struct config_diags *diags)
{
	for (unsigned int v = cfg->max_vcpus; v < CONFIG_MAX_VCPUS; v++) {
		if (cfg->vcpu_pin[v] != 0) {
			check_warn(diags, cfg->where.vcpu, "domain/vcpu",
				   "vCPU %u is pinned, but the guest has %u", v, cfg->max_vcpus);
		}
	}
}

/* As libvirt has it: every place of the topology is a vCPU that may be there. */
static void check_topology(const struct guest_config *cfg, struct config_diags *diags)
{
	const struct config_topology *t = &cfg->topology;

	if (t->sockets != 0 && t->sockets * t->cores * t->threads != cfg->max_vcpus) {
		check_error(diags, cfg->where.topology, "domain/cpu/topology",
			    "%u sockets of %u cores of %u threads make %u vCPUs, but <vcpu> says %u",
			    t->sockets, t->cores, t->threads, t->sockets * t->cores * t->threads,
			    cfg->max_vcpus);
	}
}

static void check_disk_medium(const struct config_disk *disk, struct config_diags *diags)
{
	bool floppy = disk->device == CONFIG_DISK_FLOPPY;

	if (floppy != (disk->bus == CONFIG_BUS_FDC)) {
		check_error(diags, disk->pos, "domain/devices/disk",
			    "'%s': a floppy drive is fda or fdb on bus fdc, and nothing else is",
			    disk->target);
	}
	if (disk->device == CONFIG_DISK_HARD && disk->path == NULL) {
		check_error(diags, disk->pos, "domain/devices/disk",
			    "'%s': a hard disk needs a <source>", disk->target);
	}
	if (disk->device == CONFIG_DISK_CDROM && disk->bus == CONFIG_BUS_VIRTIO) {
		check_error(diags, disk->pos, "domain/devices/disk",
			    "'%s': a CD-ROM drive is on bus ide, sata, scsi or usb", disk->target);
	}
	/* ATA has no way to say "read-only" for a disk; the guest would see write errors. */
	if (disk->device == CONFIG_DISK_HARD && disk->readonly &&
	    (disk->bus == CONFIG_BUS_IDE || disk->bus == CONFIG_BUS_SATA)) {
		check_error(diags, disk->pos, "domain/devices/disk/readonly",
			    "'%s': a hard disk on bus %s cannot be read-only; use scsi or virtio",
			    disk->target, check_buses[disk->bus].name);
	}
}

static void check_disk(const struct guest_config *cfg, unsigned int index,
		       struct config_diags *diags)
{
	const struct config_disk *disk = &cfg->disks[index];

	if (disk->target == NULL) {
		check_error(diags, disk->pos, "domain/devices/disk", "needs a <target dev=...>");
		return;
	}
	if (disk->unit >= check_buses[disk->bus].units) {
		check_error(diags, disk->pos, "domain/devices/disk/target",
			    "'%s': bus %s has %u units only", disk->target,
			    check_buses[disk->bus].name, check_buses[disk->bus].units);
	}
	check_disk_medium(disk, diags);
	for (unsigned int i = 0; i < index; i++) {
		const struct config_disk *other = &cfg->disks[i];

		if (other->target != NULL && other->bus == disk->bus && other->unit == disk->unit) {
			check_error(diags, disk->pos, "domain/devices/disk/target",
				    "'%s' and '%s' are the same unit of bus %s", disk->target,
				    other->target, check_buses[disk->bus].name);
		}
	}
}

/* A MAC for an interface without one: the same for the same guest every time, Xen's prefix. */
static void check_make_mac(const uint8_t uuid[16], unsigned int index, uint8_t mac[6])
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (unsigned int i = 0; i < 16; i++) {
		hash = (hash ^ uuid[i]) * 16777619u;
	}
	hash = (hash ^ index) * 16777619u;
	mac[0] = 0x00;
	mac[1] = 0x16;
	mac[2] = 0x3e;
	mac[3] = (uint8_t)((hash >> 16) & 0x7f);
	mac[4] = (uint8_t)(hash >> 8);
	mac[5] = (uint8_t)hash;
}

static void check_nic(struct guest_config *cfg, unsigned int index, struct config_diags *diags)
{
	static const uint8_t no_mac[6];
	struct config_nic *nic = &cfg->nics[index];

	if (memcmp(nic->mac, no_mac, sizeof(no_mac)) == 0) {
		check_make_mac(cfg->uuid, index, nic->mac);
	}
	if (nic->type == CONFIG_NIC_BRIDGE && nic->bridge == NULL && diags->errors == 0) {
		check_error(diags, nic->pos, "domain/devices/interface",
			    "needs a <source bridge=...>");
	}
	for (unsigned int i = 0; i < index; i++) {
		if (memcmp(cfg->nics[i].mac, nic->mac, sizeof(nic->mac)) == 0) {
			check_error(diags, nic->pos, "domain/devices/interface/mac",
				    "the same address as the interface in line %u",
				    cfg->nics[i].pos.line);
		}
	}
}

/* Ports in order, each once, each with what its type needs. */
static void check_chardevs(struct config_chardev *list, unsigned int nr, const char *path,
			   struct config_diags *diags)
{
	for (unsigned int i = 0; i < nr; i++) {
		const struct config_chardev *c = &list[i];
		bool needs_path = c->type == CONFIG_CHR_FILE || c->type == CONFIG_CHR_PIPE ||
				  c->type == CONFIG_CHR_DEV || c->type == CONFIG_CHR_UNIX;
		bool needs_service = c->type == CONFIG_CHR_TCP || c->type == CONFIG_CHR_UDP;

		if (needs_path && c->path == NULL) {
			check_error(diags, c->pos, path, "needs a <source path=...>");
		}
		if (needs_service && c->service == NULL) {
			check_error(diags, c->pos, path, "needs a <source service=...>");
		}
		for (unsigned int j = 0; j < i; j++) {
			if (list[j].port == c->port) {
				check_error(diags, c->pos, path, "port %u is there twice", c->port);
			}
		}
	}
	for (unsigned int i = 1; i < nr; i++) {
		for (unsigned int j = i; j != 0 && list[j].port < list[j - 1].port; j--) {
			struct config_chardev tmp = list[j];

			list[j] = list[j - 1];
			list[j - 1] = tmp;
		}
	}
}

static void check_graphics(const struct guest_config *cfg, struct config_diags *diags)
{
	const struct config_graphics *gfx = &cfg->graphics;

	if (gfx->type == CONFIG_GFX_NONE) {
		return;
	}
	if (cfg->video == CONFIG_VIDEO_NONE) {
		check_warn(diags, gfx->pos, "domain/devices/graphics",
			   "there is no video card: the display stays black");
	}
	if (gfx->passwd != NULL && strlen(gfx->passwd) > 8) {
		check_warn(diags, gfx->pos, "domain/devices/graphics",
			   "only the first 8 characters of a VNC password count");
	}
	if (gfx->socket != NULL && gfx->socket[0] != '/') {
		check_error(diags, gfx->pos, "domain/devices/graphics",
			    "the socket '%s' is not an absolute path", gfx->socket);
	}
}

static enum config_boot_dev check_boot_of_disk(const struct config_disk *disk)
{
	if (disk->device == CONFIG_DISK_FLOPPY) {
		return CONFIG_BOOT_FLOPPY;
	}
	return disk->device == CONFIG_DISK_CDROM ? CONFIG_BOOT_CDROM : CONFIG_BOOT_DISK;
}

/* The kind of the device with the lowest boot order above `after`; its order, or 0 at the end. */
static unsigned int check_next_boot(const struct guest_config *cfg, unsigned int after,
				    enum config_boot_dev *dev)
{
	unsigned int best = 0;

	for (unsigned int i = 0; i < cfg->nr_disks; i++) {
		unsigned int order = cfg->disks[i].boot_order;

		if (order > after && (best == 0 || order < best)) {
			best = order;
			*dev = check_boot_of_disk(&cfg->disks[i]);
		}
	}
	for (unsigned int i = 0; i < cfg->nr_nics; i++) {
		unsigned int order = cfg->nics[i].boot_order;

		if (order > after && (best == 0 || order < best)) {
			best = order;
			*dev = CONFIG_BOOT_NETWORK;
		}
	}
	return best;
}

static bool check_has_boot(const struct guest_config *cfg, enum config_boot_dev dev)
{
	for (unsigned int i = 0; i < cfg->nr_boot; i++) {
		if (cfg->boot[i] == dev) {
			return true;
		}
	}
	return false;
}

/* Two devices may not claim the same place in the order. */
static void check_boot_unique(const struct guest_config *cfg, struct config_diags *diags)
{
	bool used[1001] = {false};

	for (unsigned int i = 0; i < cfg->nr_disks + cfg->nr_nics; i++) {
		bool is_disk = i < cfg->nr_disks;
		unsigned int order = is_disk ? cfg->disks[i].boot_order
					     : cfg->nics[i - cfg->nr_disks].boot_order;
		struct config_pos pos =
			is_disk ? cfg->disks[i].pos : cfg->nics[i - cfg->nr_disks].pos;

		if (order == 0 || order >= sizeof(used)) {
			continue;
		}
		if (used[order]) {
			check_error(diags, pos,
				    is_disk ? "domain/devices/disk/boot@order"
					    : "domain/devices/interface/boot@order",
				    "order %u is given to two devices", order);
		}
		used[order] = true;
	}
}

/* The boot list: devices with an order beat os/boot, which beats the default (the hard disk). */
static void check_boot(struct guest_config *cfg, struct config_diags *diags)
{
	enum config_boot_dev dev = CONFIG_BOOT_DISK;
	unsigned int order = check_next_boot(cfg, 0, &dev);

	check_boot_unique(cfg, diags);
	if (order != 0 && cfg->nr_boot != 0) {
		check_warn(diags, cfg->where.boot, "domain/os/boot",
			   "has no effect beside the <boot order=> of devices");
		cfg->nr_boot = 0;
	}
	while (order != 0) {
		if (!check_has_boot(cfg, dev)) {
			cfg->boot[cfg->nr_boot++] = dev;
		}
		order = check_next_boot(cfg, order, &dev);
	}
	if (cfg->nr_boot == 0) {
		cfg->boot[cfg->nr_boot++] = CONFIG_BOOT_DISK;
	}
}

static void check_usb(struct guest_config *cfg)
{
	bool needed = cfg->usb_tablet || cfg->usb_mouse || cfg->usb_keyboard;

	for (unsigned int i = 0; i < cfg->nr_disks; i++) {
		needed |= cfg->disks[i].bus == CONFIG_BUS_USB;
	}
	if (needed && cfg->usb == CONFIG_USB_NONE) {
		cfg->usb = CONFIG_USB_UHCI;
	}
}

int config_check(struct guest_config *cfg, struct config_diags *diags)
{
	size_t before = diags->errors;

	check_name(cfg, diags);
	check_video(cfg);
	check_memory(cfg, diags);
	check_firmware(cfg, diags);
	check_pins(cfg, diags);
	check_topology(cfg, diags);
	for (unsigned int i = 0; i < cfg->nr_disks; i++) {
		check_disk(cfg, i, diags);
	}
	for (unsigned int i = 0; i < cfg->nr_nics; i++) {
		check_nic(cfg, i, diags);
	}
	check_chardevs(cfg->serials, cfg->nr_serials, "domain/devices/serial", diags);
	check_chardevs(cfg->parallels, cfg->nr_parallels, "domain/devices/parallel", diags);
	check_graphics(cfg, diags);
	check_boot(cfg, diags);
	check_usb(cfg);
	return diags->errors == before ? 0 : -EINVAL;
}
