/*
 * Elements under domain/devices -> struct guest_config, except the character devices
 * (config_chardev.c). See config_devices.h.
 *
 * A handler of a container (disk, interface) takes the next entry of its array; the handlers of its
 * children fill it. Rules that need the finished entry are in config_check.c.
 */
#include "toolstack/config_devices.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void config_dev_emulator(struct cx *cx, xmlNode *node)
{
	const char *path = cx_text_needed(cx, node);

	cx->cfg->where.emulator = cx_where(cx, node, NULL);
	if (path == NULL) {
		return;
	}
	if (*path != '/') {
		cx_error(cx, node, NULL, "'%s' is not an absolute path", path);
		return;
	}
	cx_keep(cx, &cx->cfg->emulator, path);
}

void config_dev_disk(struct cx *cx, xmlNode *node)
{
	static const struct cx_word types[] = {{"file", 0}, {"block", 1}, {0}};
	static const struct cx_word devices[] = {
		{"disk", CONFIG_DISK_HARD},
		{"cdrom", CONFIG_DISK_CDROM},
		{"floppy", CONFIG_DISK_FLOPPY},
		{0},
	};
	struct guest_config *cfg = cx->cfg;
	int type = 0;
	int device = CONFIG_DISK_HARD;

	if (cfg->nr_disks == CONFIG_MAX_DISKS) {
		cx_error(cx, node, NULL, "more than %d disks", CONFIG_MAX_DISKS);
		return;
	}
	cx_enum(cx, node, "type", types, &type);
	cx_enum(cx, node, "device", devices, &device);
	cx->disk = &cfg->disks[cfg->nr_disks++];
	cx->disk->pos = cx_where(cx, node, NULL);
	cx->disk->device = (enum config_disk_device)device;
	cx->disk->block = type == 1;
	cx->disk->readonly = device == CONFIG_DISK_CDROM;
}

void config_dev_disk_driver(struct cx *cx, xmlNode *node)
{
	static const struct cx_word names[] = {
		{"qemu", 0}, {"phy", 0}, {"file", 0}, {"tap", 0}, {"tap2", 0}, {0},
	};
	static const struct cx_word types[] = {
		{"raw", CONFIG_FORMAT_RAW},
		{"aio", CONFIG_FORMAT_RAW},
		{"qcow2", CONFIG_FORMAT_QCOW2},
		{"qed", CONFIG_FORMAT_QED},
		{"vpc", CONFIG_FORMAT_VPC},
		{"vhd", CONFIG_FORMAT_VPC},
		{"vmdk", CONFIG_FORMAT_VMDK},
		{"vdi", CONFIG_FORMAT_VDI},
		{0},
	};
	static const struct cx_word caches[] = {
		{"default", CONFIG_CACHE_DEFAULT},
		{"none", CONFIG_CACHE_NONE},
		{"writeback", CONFIG_CACHE_WRITEBACK},
		{"writethrough", CONFIG_CACHE_WRITETHROUGH},
		{"directsync", CONFIG_CACHE_DIRECTSYNC},
		{"unsafe", CONFIG_CACHE_UNSAFE},
		{0},
	};
	static const struct cx_word discards[] = {{"unmap", 1}, {"ignore", 0}, {0}};
	int name;
	int type = CONFIG_FORMAT_RAW;
	int cache = CONFIG_CACHE_DEFAULT;
	int discard = 0;

	if (cx->disk == NULL) {
		return;
	}
	cx_enum(cx, node, "name", names, &name);
	cx_enum(cx, node, "type", types, &type);
	cx_enum(cx, node, "cache", caches, &cache);
	cx_enum(cx, node, "discard", discards, &discard);
	cx->disk->format = (enum config_disk_format)type;
	cx->disk->cache = (enum config_disk_cache)cache;
	cx->disk->discard = discard != 0;
}

void config_dev_disk_source(struct cx *cx, xmlNode *node)
{
	const char *wanted;
	const char *path;

	if (cx->disk == NULL) {
		return;
	}
	wanted = cx->disk->block ? "dev" : "file";
	path = cx_attr(cx, node, wanted);
	if (path == NULL) {
		/* <source/> of an empty drive may be left in; anything else has lost its path. */
		if (node->properties != NULL) {
			cx_error(cx, node, NULL, "type='%s' needs the attribute %s here",
				 cx->disk->block ? "block" : "file", wanted);
		}
		return;
	}
	if (*path != '/') {
		cx_error(cx, node, wanted, "'%s' is not an absolute path", path);
		return;
	}
	cx_keep(cx, &cx->disk->path, path);
}

/* "hdc" -> 2, "xvdaa" -> 26; -1: not a device name with this prefix. */
static int config_dev_letters(const char *name, const char *prefix)
{
	size_t len = strlen(prefix);
	int unit = 0;

	if (strncmp(name, prefix, len) != 0 || name[len] == '\0') {
		return -1;
	}
	for (const char *p = name + len; *p != '\0'; p++) {
		if (*p < 'a' || *p > 'z' || p - name > 5) {
			return -1;
		}
		unit = unit * 26 + (*p - 'a' + 1);
	}
	return unit - 1;
}

struct config_dev_prefix {
	const char *prefix;
	enum config_disk_bus bus; /* when the document does not name one */
};

static const struct config_dev_prefix config_dev_prefixes[] = {
	{"hd", CONFIG_BUS_IDE},    {"sd", CONFIG_BUS_SCSI}, {"xvd", CONFIG_BUS_IDE},
	{"vd", CONFIG_BUS_VIRTIO}, {"fd", CONFIG_BUS_FDC},  {NULL, CONFIG_BUS_IDE},
};

void config_dev_disk_target(struct cx *cx, xmlNode *node)
{
	static const struct cx_word buses[] = {
		{"ide", CONFIG_BUS_IDE},       {"sata", CONFIG_BUS_SATA},
		{"scsi", CONFIG_BUS_SCSI},     {"fdc", CONFIG_BUS_FDC},
		{"virtio", CONFIG_BUS_VIRTIO}, {"usb", CONFIG_BUS_USB},
		{"xen", CONFIG_BUS_IDE},       {0},
	};
	const char *dev = cx_attr_needed(cx, node, "dev");
	const char *bus_name = cx_attr(cx, node, "bus");
	int bus = CONFIG_BUS_IDE;
	int unit = -1;

	if (cx->disk == NULL || dev == NULL) {
		return;
	}
	for (const struct config_dev_prefix *p = config_dev_prefixes; p->prefix != NULL; p++) {
		unit = config_dev_letters(dev, p->prefix);
		if (unit >= 0) {
			bus = (int)p->bus;
			break;
		}
	}
	if (unit < 0) {
		cx_error(cx, node, "dev",
			 "'%s' is not a disk name; accepted: hda.., sda.., xvda.., vda.., fda, fdb",
			 dev);
		return;
	}
	cx_keep(cx, &cx->disk->target, dev);
	if (!cx_enum(cx, node, "bus", buses, &bus)) {
		return;
	}
	if (strncmp(dev, "xvd", 3) == 0 || (bus_name != NULL && strcmp(bus_name, "xen") == 0)) {
		cx_warn(cx, node, bus_name != NULL ? "bus" : "dev",
			"there is no paravirtual disk; the guest sees an IDE disk, unit %d", unit);
	}
	cx->disk->bus = (enum config_disk_bus)bus;
	cx->disk->unit = (unsigned int)unit;
}

void config_dev_disk_readonly(struct cx *cx, xmlNode *node)
{
	if (cx->disk != NULL) {
		cx->disk->readonly = true;
	}
}

void config_dev_disk_shareable(struct cx *cx, xmlNode *node)
{
	if (cx->disk != NULL) {
		cx->disk->shareable = true;
	}
}

void config_dev_disk_serial(struct cx *cx, xmlNode *node)
{
	const char *text = cx_text_needed(cx, node);

	if (cx->disk == NULL || text == NULL) {
		return;
	}
	for (const char *p = text; *p != '\0'; p++) {
		if (!isalnum((unsigned char)*p) && strchr("_.+-: ", *p) == NULL) {
			cx_error(cx, node, NULL,
				 "may hold letters, digits, blanks and _ . + - : only");
			return;
		}
	}
	cx_keep(cx, &cx->disk->serial, text);
}

/* <boot order=> of a disk or an interface. */
void config_dev_boot(struct cx *cx, xmlNode *node)
{
	int64_t order = 0;

	if (cx_attr_needed(cx, node, "order") == NULL ||
	    !cx_number(cx, node, "order", 1, 1000, &order)) {
		return;
	}
	if (cx->disk != NULL) {
		cx->disk->boot_order = (unsigned int)order;
	} else if (cx->nic != NULL) {
		cx->nic->boot_order = (unsigned int)order;
	}
}

void config_dev_nic(struct cx *cx, xmlNode *node)
{
	static const struct cx_word types[] = {
		{"bridge", CONFIG_NIC_BRIDGE},
		{"network", CONFIG_NIC_BRIDGE},
		{"user", CONFIG_NIC_USER},
		{0},
	};
	struct guest_config *cfg = cx->cfg;
	int type = CONFIG_NIC_USER;

	if (cfg->nr_nics == CONFIG_MAX_NICS) {
		cx_error(cx, node, NULL, "more than %d network interfaces", CONFIG_MAX_NICS);
		return;
	}
	cx->nic = &cfg->nics[cfg->nr_nics++];
	cx->nic->pos = cx_where(cx, node, NULL);
	cx->nic->model = CONFIG_NIC_RTL8139;
	if (cx_attr_needed(cx, node, "type") != NULL) {
		cx_enum(cx, node, "type", types, &type);
	}
	cx->nic->type = (enum config_nic_type)type;
}

void config_dev_nic_mac(struct cx *cx, xmlNode *node)
{
	const char *text = cx_attr_needed(cx, node, "address");
	unsigned int b[6];
	char rest;

	if (cx->nic == NULL || text == NULL) {
		return;
	}
	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%c", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5],
		   &rest) != 6 ||
	    strlen(text) != 17) {
		cx_error(cx, node, "address", "'%s' is not a MAC address like 00:16:3e:12:34:56",
			 text);
		return;
	}
	if ((b[0] & 1) != 0) {
		cx_error(cx, node, "address", "'%s' is a multicast address", text);
		return;
	}
	for (unsigned int i = 0; i < 6; i++) {
		cx->nic->mac[i] = (uint8_t)b[i];
	}
}

void config_dev_nic_source(struct cx *cx, xmlNode *node)
{
	const char *bridge = cx_attr(cx, node, "bridge");
	const char *network = cx_attr(cx, node, "network");

	if (cx->nic == NULL || cx->nic->type != CONFIG_NIC_BRIDGE) {
		return;
	}
	if (bridge == NULL && network != NULL) {
		cx_error(cx, node, "network",
			 "'%s': there are no network definitions here; say <interface "
			 "type='bridge'> and the name of the bridge",
			 network);
		return;
	}
	if (bridge == NULL || *bridge == '\0' || strlen(bridge) > 15 ||
	    strchr(bridge, '/') != NULL) {
		cx_error(cx, node, "bridge", "the name of a bridge (1 to 15 characters) is needed");
		return;
	}
	cx_keep(cx, &cx->nic->bridge, bridge);
}

void config_dev_nic_script(struct cx *cx, xmlNode *node)
{
	const char *path = cx_attr_needed(cx, node, "path");
	const char *base;

	if (cx->nic == NULL || path == NULL) {
		return;
	}
	base = strrchr(path, '/');
	base = base != NULL ? base + 1 : path;
	/* The stock script only joins the bridge, and that is done without it. */
	if (strcmp(base, "vif-bridge") == 0) {
		return;
	}
	if (*path != '/') {
		cx_error(cx, node, "path", "'%s' is not an absolute path", path);
		return;
	}
	cx_keep(cx, &cx->nic->script, path);
}

void config_dev_nic_model(struct cx *cx, xmlNode *node)
{
	static const struct cx_word models[] = {
		{"e1000", CONFIG_NIC_E1000},       {"e1000e", CONFIG_NIC_E1000E},
		{"rtl8139", CONFIG_NIC_RTL8139},   {"virtio", CONFIG_NIC_VIRTIO},
		{"vmxnet3", CONFIG_NIC_VMXNET3},   {"pcnet", CONFIG_NIC_PCNET},
		{"ne2k_pci", CONFIG_NIC_NE2K_PCI}, {0},
	};
	int model = CONFIG_NIC_RTL8139;

	if (cx->nic != NULL && cx_attr_needed(cx, node, "type") != NULL &&
	    cx_enum(cx, node, "type", models, &model)) {
		cx->nic->model = (enum config_nic_model)model;
	}
}

void config_dev_nic_target(struct cx *cx, xmlNode *node)
{
	const char *dev = cx_attr(cx, node, "dev");

	if (cx->nic == NULL || dev == NULL) {
		return;
	}
	if (*dev == '\0' || strlen(dev) > 15 || strchr(dev, '/') != NULL) {
		cx_error(cx, node, "dev", "'%s' is not a device name of 1 to 15 characters", dev);
		return;
	}
	/* libvirt writes the name it made up last time into the live document. */
	if (strncmp(dev, "vnet", 4) != 0 && strncmp(dev, "vif", 3) != 0) {
		cx_keep(cx, &cx->nic->target, dev);
	}
}

void config_dev_nic_link(struct cx *cx, xmlNode *node)
{
	static const struct cx_word states[] = {{"up", 1}, {"down", 0}, {0}};
	int up = 1;

	if (cx->nic != NULL && cx_enum(cx, node, "state", states, &up) && up == 0) {
		cx->nic->type = CONFIG_NIC_NONE;
	}
}

void config_dev_graphics(struct cx *cx, xmlNode *node)
{
	static const struct cx_word types[] = {{"vnc", CONFIG_GFX_VNC}, {0}};
	struct config_graphics *gfx = &cx->cfg->graphics;
	int type = CONFIG_GFX_NONE;
	int64_t port = -1;
	bool autoport = false;

	if (gfx->type != CONFIG_GFX_NONE) {
		cx_error(cx, node, NULL, "a second display is not supported");
		return;
	}
	gfx->pos = cx_where(cx, node, NULL);
	if (cx_attr_needed(cx, node, "type") == NULL || !cx_enum(cx, node, "type", types, &type)) {
		return;
	}
	gfx->type = (enum config_graphics_type)type;
	cx_number(cx, node, "port", -1, 65535, &port);
	cx_bool(cx, node, "autoport", &autoport);
	if (port == 0 || (port > 0 && port < 5900)) {
		cx_error(cx, node, "port", "VNC ports begin at 5900 (-1: the first free one)");
	}
	gfx->port = autoport ? -1 : (int)port;
	cx_keep(cx, &gfx->listen, cx_attr(cx, node, "listen"));
	cx_keep(cx, &gfx->socket, cx_attr(cx, node, "socket"));
	cx_keep(cx, &gfx->passwd, cx_attr(cx, node, "passwd"));
	cx_keep(cx, &gfx->keymap, cx_attr(cx, node, "keymap"));
}

/* <listen> inside <graphics>: says the same as the attributes, and wins. */
void config_dev_listen(struct cx *cx, xmlNode *node)
{
	enum { ADDRESS, SOCKET, NONE };
	static const struct cx_word types[] = {
		{"address", ADDRESS},
		{"socket", SOCKET},
		{"none", NONE},
		{0},
	};
	struct config_graphics *gfx = &cx->cfg->graphics;
	const char *address = cx_attr(cx, node, "address");
	int type = ADDRESS;

	if (!cx_enum(cx, node, "type", types, &type)) {
		return;
	}
	if (type == SOCKET) {
		cx_keep(cx, &gfx->socket, cx_attr_needed(cx, node, "socket"));
	} else if (type == NONE) {
		gfx->type = CONFIG_GFX_NONE;
	} else if (address != NULL) {
		cx_keep(cx, &gfx->listen, address);
	}
}

void config_dev_video_model(struct cx *cx, xmlNode *node)
{
	static const struct cx_word models[] = {
		{"vga", CONFIG_VIDEO_VGA},
		{"cirrus", CONFIG_VIDEO_CIRRUS},
		{"qxl", CONFIG_VIDEO_QXL},
		{"none", CONFIG_VIDEO_NONE},
		{0},
	};
	struct guest_config *cfg = cx->cfg;
	int model = CONFIG_VIDEO_VGA;
	int64_t vram = 0;

	if (cfg->where.video.line != 0) {
		cx_warn(cx, node, NULL, "accepted but has no effect: a second video card");
		return;
	}
	cfg->where.video = cx_where(cx, node, NULL);
	cx_enum(cx, node, "type", models, &model);
	cx_number(cx, node, "vram", 1, 512 * 1024, &vram);
	cfg->video = (enum config_video)model;
	cfg->video_ram_kib = (uint32_t)vram;
}

void config_dev_input(struct cx *cx, xmlNode *node)
{
	enum { MOUSE, KEYBOARD, TABLET, PASS };
	static const struct cx_word types[] = {
		{"mouse", MOUSE},
		{"keyboard", KEYBOARD},
		{"tablet", TABLET},
		{0},
	};
	static const struct cx_word buses[] = {{"ps2", 0}, {"xen", 0}, {"usb", 1}, {0}};
	struct guest_config *cfg = cx->cfg;
	int type = PASS;
	int usb;

	if (cx_attr_needed(cx, node, "type") == NULL || !cx_enum(cx, node, "type", types, &type)) {
		return;
	}
	usb = type == TABLET;
	if (!cx_enum(cx, node, "bus", buses, &usb)) {
		return;
	}
	/* PS/2 mouse and keyboard are always there. */
	if (type == TABLET && usb == 0) {
		cx_error(cx, node, "bus", "a tablet is a USB device; accepted: usb");
		return;
	}
	cfg->usb_tablet |= type == TABLET;
	cfg->usb_mouse |= type == MOUSE && usb != 0;
	cfg->usb_keyboard |= type == KEYBOARD && usb != 0;
}

static void config_dev_usb_controller(struct cx *cx, xmlNode *node)
{
	static const struct cx_word models[] = {
		{"piix3-uhci", CONFIG_USB_UHCI},
		{"piix4-uhci", CONFIG_USB_UHCI},
		{"qusb1", CONFIG_USB_UHCI},
		{"qusb2", CONFIG_USB_EHCI},
		{"ehci", CONFIG_USB_EHCI},
		{"ich9-ehci1", CONFIG_USB_EHCI},
		{"ich9-uhci1", CONFIG_USB_EHCI},
		{"ich9-uhci2", CONFIG_USB_EHCI},
		{"ich9-uhci3", CONFIG_USB_EHCI},
		{"nec-xhci", CONFIG_USB_XHCI},
		{"qemu-xhci", CONFIG_USB_XHCI},
		{"none", CONFIG_USB_NONE},
		{0},
	};
	int model = CONFIG_USB_UHCI;

	if (cx_enum(cx, node, "model", models, &model)) {
		cx->cfg->usb = (enum config_usb)model;
	}
}

void config_dev_controller(struct cx *cx, xmlNode *node)
{
	enum { IMPLIED, USB, UNUSED };
	/* Controllers appear with their devices; the element only chooses the USB model. */
	static const struct cx_word types[] = {
		{"ide", IMPLIED},
		{"fdc", IMPLIED},
		{"sata", IMPLIED},
		{"scsi", IMPLIED},
		{"pci", IMPLIED},
		{"isa", IMPLIED},
		{"xenbus", UNUSED},
		{"usb", USB},
		{"virtio-serial", UNUSED},
		{"ccid", UNUSED},
		{0},
	};
	int type = IMPLIED;

	if (cx_attr_needed(cx, node, "type") == NULL || !cx_enum(cx, node, "type", types, &type)) {
		return;
	}
	if (type == USB) {
		config_dev_usb_controller(cx, node);
	} else if (type == UNUSED) {
		cx_warn(cx, node, "type", "accepted but has no effect");
	}
}

void config_dev_sound(struct cx *cx, xmlNode *node)
{
	static const struct cx_word models[] = {
		{"sb16", CONFIG_SOUND_SB16}, {"es1370", CONFIG_SOUND_ES1370},
		{"ac97", CONFIG_SOUND_AC97}, {"ich6", CONFIG_SOUND_HDA},
		{"ich9", CONFIG_SOUND_HDA},  {0},
	};
	int model = CONFIG_SOUND_NONE;

	if (cx->cfg->sound != CONFIG_SOUND_NONE) {
		cx_warn(cx, node, NULL, "accepted but has no effect: only the first card is there");
		return;
	}
	if (cx_attr_needed(cx, node, "model") != NULL &&
	    cx_enum(cx, node, "model", models, &model)) {
		cx->cfg->sound = (enum config_sound)model;
	}
}

void config_dev_memballoon(struct cx *cx, xmlNode *node)
{
	static const struct cx_word models[] = {{"xen", 0}, {"none", 0}, {0}};
	int model;

	cx_enum(cx, node, "model", models, &model);
}

void config_dev_rng(struct cx *cx, xmlNode *node)
{
	static const struct cx_word models[] = {
		{"virtio", 1},
		{"virtio-transitional", 1},
		{"virtio-non-transitional", 1},
		{0},
	};
	int model = 1;

	if (cx_enum(cx, node, "model", models, &model)) {
		cx->cfg->rng = true;
	}
}

void config_dev_rng_backend(struct cx *cx, xmlNode *node)
{
	static const struct cx_word models[] = {{"random", 0}, {"builtin", 0}, {0}};
	const char *path = cx_text(cx, node);
	int model;

	cx_enum(cx, node, "model", models, &model);
	if (*path != '\0' && strcmp(path, "/dev/urandom") != 0) {
		cx_warn(cx, node, NULL, "the device model reads /dev/urandom, not '%s'", path);
	}
}

void config_dev_watchdog(struct cx *cx, xmlNode *node)
{
	static const struct cx_word models[] = {{"i6300esb", 0}, {0}};
	static const struct cx_word actions[] = {
		{"reset", CONFIG_WATCHDOG_RESET},       {"shutdown", CONFIG_WATCHDOG_SHUTDOWN},
		{"poweroff", CONFIG_WATCHDOG_POWEROFF}, {"pause", CONFIG_WATCHDOG_PAUSE},
		{"none", CONFIG_WATCHDOG_NONE},         {0},
	};
	int model;
	int action = CONFIG_WATCHDOG_RESET;

	if (cx_attr_needed(cx, node, "model") != NULL &&
	    cx_enum(cx, node, "model", models, &model) &&
	    cx_enum(cx, node, "action", actions, &action)) {
		cx->cfg->watchdog = (enum config_watchdog_action)action;
	}
}
