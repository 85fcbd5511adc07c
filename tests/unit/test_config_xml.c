/*
 * toolstack/config_*.c and xmlpos.c: values, units and boot orders read from documents, every kind
 * of
 * complaint at its exact line and column, the examples in configs/.
 */
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libxml/parser.h>
#include <libxml/relaxng.h>

#include "tests/fake/suite.h"
#include "toolstack/config.h"
#include "toolstack/xmlpos.h"

static struct config_diags diags;
static struct guest_config *cfg;

static void setup(void)
{
	memset(&diags, 0, sizeof(diags));
	cfg = NULL;
}

static void drop(void)
{
	config_diags_free(&diags);
	config_free(cfg);
	cfg = NULL;
}

static int load(const char *text)
{
	drop();
	return config_load_text("t.xml", text, strlen(text), &cfg, &diags);
}

/* A document around the given pieces: head elements, and devices. */
static int load_parts(const char *head, const char *devices)
{
	static char text[16384];

	snprintf(text, sizeof(text),
		 "<domain type='xen'><name>g</name><memory unit='MiB'>64</memory>%s"
		 "<devices>%s</devices></domain>",
		 head, devices);
	return load(text);
}

/* The message number `i` as it is printed. */
static const char *message(size_t i)
{
	static char line[1024];
	const struct config_diag *d;

	ck_assert_uint_lt(i, diags.nr);
	d = &diags.list[i];
	snprintf(line, sizeof(line), "%u:%u %s: %s", d->pos.line, d->pos.column,
		 d->path != NULL ? d->path : "-", d->text);
	return line;
}

#define assert_message(i, start) \
	ck_assert_msg(strncmp(message(i), start, strlen(start)) == 0, "got: %s", message(i))

static void assert_clean(const char *head, const char *devices)
{
	int rc = load_parts(head, devices);

	ck_assert_msg(diags.nr == 0, "unexpected: %s", diags.nr != 0 ? message(0) : "");
	ck_assert_int_eq(rc, 0);
}

START_TEST(test_minimal_and_defaults)
{
	assert_clean("", "");
	ck_assert_str_eq(cfg->name, "g");
	ck_assert_uint_eq(cfg->memory_kib, 64 * 1024);
	ck_assert_uint_eq(cfg->current_memory_kib, 64 * 1024);
	ck_assert_uint_eq(cfg->max_vcpus, 1);
	ck_assert_uint_eq(cfg->nr_boot, 1);
	ck_assert_int_eq(cfg->boot[0], CONFIG_BOOT_DISK);
	ck_assert_int_eq(cfg->firmware, CONFIG_FW_BIOS);
	ck_assert_int_eq(cfg->video, CONFIG_VIDEO_NONE);
	ck_assert_uint_eq(cfg->video_ram_kib, 0);
	ck_assert_int_eq(cfg->on_poweroff, CONFIG_ACTION_DESTROY);
	ck_assert_int_eq(cfg->on_reboot, CONFIG_ACTION_RESTART);
	ck_assert(!cfg->uuid_given);
	ck_assert_uint_eq(cfg->uuid[6] >> 4, 4);
	ck_assert(!cfg->acpi);
	drop();
}
END_TEST

/* Each unit, and that the result is rounded up to MiB. */
START_TEST(test_units)
{
	static const struct {
		const char *memory;
		uint64_t kib;
	} cases[] = {
		{"<memory>65536</memory>", 65536},
		{"<memory unit='KiB'>65537</memory>", 66560},
		{"<memory unit='k'>65536</memory>", 65536},
		{"<memory unit='b'>67108864</memory>", 65536},
		{"<memory unit='bytes'>67108865</memory>", 66560},
		{"<memory unit='KB'>65536</memory>", 64512},
		{"<memory unit='MB'>64</memory>", 63488},
		{"<memory unit='M'>64</memory>", 65536},
		{"<memory unit='MiB'>64</memory>", 65536},
		{"<memory unit='GB'>1</memory>", 976896},
		{"<memory unit='GiB'>1</memory>", 1048576},
		{"<memory unit='G'>1</memory>", 1048576},
		{"<memory unit='TB'>1</memory>", 976563200},
		{"<memory unit='TiB'>1</memory>", 1073741824},
		{"<memory unit='gib'> 1 </memory>", 1048576},
	};
	char text[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "<domain type='xen'><name>g</name>%s</domain>",
			 cases[i].memory);
		ck_assert_msg(load(text) == 0, "%s: %s", cases[i].memory, message(0));
		ck_assert_uint_eq(cfg->memory_kib, cases[i].kib);
	}
	drop();
}
END_TEST

START_TEST(test_bad_memory)
{
	ck_assert_int_ne(load("<domain type='xen'>\n<name>g</name>\n"
			      "  <memory unit='parsec'>5</memory></domain>"), 0);
	assert_message(0, "3:17 domain/memory@unit: 'parsec' is not a unit; accepted: b, bytes, KB");
	ck_assert_int_ne(load("<domain type='xen'><name>g</name>\n<memory>  x5</memory></domain>"), 0);
	assert_message(0, "2:11 domain/memory: 'x5' is not a whole number");
	ck_assert_int_ne(load("<domain type='xen'><name>g</name><memory>-5</memory></domain>"), 0);
	assert_message(0, "1:42 domain/memory: '-5' is not a whole number");
	ck_assert_int_ne(load("<domain type='xen'><name>g</name>"
			      "<memory unit='TiB'>99999999999</memory></domain>"), 0);
	assert_message(0, "1:53 domain/memory: '99999999999' is too large");
	ck_assert_int_ne(load("<domain type='xen'><name>g</name><memory>1024</memory></domain>"), 0);
	assert_message(0, "1:34 domain/memory: at least 2 MiB");
	ck_assert_int_ne(load("<domain type='xen'><name>g</name><memory unit='MiB'>64</memory>"
			      "<currentMemory unit='MiB'>65</currentMemory></domain>"), 0);
	assert_message(0, "1:64 domain/currentMemory: more than <memory>");
	ck_assert_int_ne(load("<domain type='xen'><name>g</name></domain>"), 0);
	assert_message(0, "0:0 domain/memory: the guest needs memory");
	drop();
}
END_TEST

START_TEST(test_unknown_things_are_named)
{
	ck_assert_int_ne(load("<domain type='xen'>\n <name>g</name><memory>65536</memory>\n"
			      " <devices>\n  <disk type='file'>\n   <frob x='1'/></disk>\n"
			      "  <gadget/></devices>\n</domain>"), 0);
	assert_message(0, "5:4 domain/devices/disk/frob: the element is not known here; accepted: driver, ");
	assert_message(1, "6:3 domain/devices/gadget: the element is not known here; accepted: emulator, ");
	ck_assert_int_ne(load_parts("<vcpu\n sockets='2'>1</vcpu>", ""), 0);
	assert_message(0, "2:11 domain/vcpu@sockets: the attribute is not known here; accepted: current");
	ck_assert_int_ne(load("<network/>"), 0);
	assert_message(0, "1:1 -: the document is a <network>, not a <domain>");
	drop();
}
END_TEST

START_TEST(test_cputune)
{
	ck_assert_int_eq(load_parts("<vcpu cpuset='0-3,^2'>2</vcpu><cputune><shares>512</shares><period>50000</period>"
				    "<quota>25000</quota><vcpupin vcpu='1' cpuset='3'/><emulatorpin cpuset='0'/></cputune>",
				    ""), 0);
	ck_assert_uint_eq(cfg->cpuset, 0xb);
	ck_assert_uint_eq(cfg->vcpu_pin[0], 0);
	ck_assert_uint_eq(cfg->vcpu_pin[1], 8);
	ck_assert_uint_eq(cfg->weight, 512);
	ck_assert_uint_eq(cfg->cpu_period_us, 50000);
	ck_assert_uint_eq(cfg->cpu_quota_us, 25000);
	assert_message(0, "1:195 domain/cputune/emulatorpin: accepted but has no effect: the device model runs");
	ck_assert_int_eq(load_parts("<cputune><quota>-1</quota><vcpupin vcpu='3' cpuset='all'/></cputune>", ""), 0);
	ck_assert_uint_eq(cfg->cpu_quota_us, 0);
	assert_message(0, "0:0 domain/vcpu: vCPU 3 is pinned, but the guest has 1");
	ck_assert_int_ne(load_parts("<vcpu cpuset='0-'>2</vcpu>", ""), 0);
	assert_message(0, "1:78 domain/vcpu@cpuset: '0-' is not a list of CPUs (like 0-3,^2,8; CPUs 0 to 63)");
	ck_assert_int_ne(load_parts("<cputune><shares>0</shares></cputune>", ""), 0);
	assert_message(0, "1:81 domain/cputune/shares: ");
	ck_assert_int_ne(load_parts("<cputune><quota>5</quota></cputune>", ""), 0);
	assert_message(0, "1:73 domain/cputune/quota: '5' is too small; at least 1000 (microseconds)");
	ck_assert_int_ne(load_parts("<cputune><vcpupin vcpu='0' cpuset='1'/><vcpupin vcpu='0' cpuset='2'/></cputune>", ""), 0);
	assert_message(0, "1:118 domain/cputune/vcpupin@vcpu: vCPU 0 is pinned a second time");
	ck_assert_int_ne(load_parts("<cputune><vcpupin vcpu='0'/></cputune>", ""), 0);
	assert_message(0, "1:73 domain/cputune/vcpupin");
	drop();
}
END_TEST

START_TEST(test_noted_and_rejected)
{
	ck_assert_int_eq(load_parts("<numatune/>", ""), 0);
	assert_message(0, "1:64 domain/numatune: accepted but has no effect: host resource tuning");
	ck_assert_int_eq(load_parts("<vcpu placement='static'>2</vcpu>", "<tpm model='tpm-crb'/>"), 0);
	assert_message(0, "1:106 domain/devices/tpm: accepted but has no effect: this device is not");
	ck_assert_int_ne(load_parts("", "<hostdev mode='subsystem'/>"), 0);
	assert_message(0, "1:73 domain/devices/hostdev: not supported: host devices cannot be passed");
	ck_assert_int_ne(load_parts("<features><hap state='off'/></features>", ""), 0);
	assert_message(0, "1:86 domain/features/hap@state: 'off' is not supported; accepted: on");
	ck_assert_int_ne(load("<domain type='kvm'><name>g</name><memory>65536</memory></domain>"), 0);
	assert_message(0, "1:15 domain@type: 'kvm' is not supported; accepted: xen");
	drop();
}
END_TEST

START_TEST(test_not_well_formed)
{
	ck_assert_int_ne(load("<domain type='xen'>\n<name>g</nam>\n</domain>"), 0);
	ck_assert_uint_eq(diags.list[0].pos.line, 2);
	ck_assert_int_ne(load(""), 0);
	ck_assert_uint_ge(diags.errors, 1);
	ck_assert_int_ne(load("<!DOCTYPE d [<!ENTITY e 'x'>]><domain type='xen'>&e;</domain>"), 0);
	ck_assert_uint_ge(diags.errors, 1);
	drop();
}
END_TEST

START_TEST(test_names)
{
	static const char *const bad[] = {"a/b", "-n", ".x", "17", ""};
	char text[512];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text),
			 "<domain type='xen'><memory>65536</memory><name>%s</name></domain>", bad[i]);
		ck_assert_msg(load(text) != 0, "accepted: '%s'", bad[i]);
		ck_assert_uint_eq(diags.list[0].pos.column, 42);
	}
	ck_assert_int_eq(load("<domain type='xen'><memory>65536</memory><name>2nd &amp; last</name>"
			      "</domain>"), 0);
	ck_assert_str_eq(cfg->name, "2nd & last");
	drop();
}
END_TEST

START_TEST(test_uuid)
{
	static const uint8_t want[16] = {0x5d, 0x3a, 0x4c, 0xc2, 0x6c, 0x3f, 0x4a, 0x4e,
					 0x8d, 0x2b, 0x0c, 0x6a, 0x1d, 0x7f, 0x0e, 0x01};
	char text[CONFIG_UUID_LEN];

	assert_clean("<uuid>5d3a4cc2-6c3f-4a4e-8d2b-0c6a1d7f0e01</uuid>", "");
	ck_assert_mem_eq(cfg->uuid, want, 16);
	assert_clean("<uuid>5d3a4cc26c3f4a4e8d2b0c6a1d7f0e01</uuid>", "");
	ck_assert_mem_eq(cfg->uuid, want, 16);
	config_uuid_text(want, text);
	ck_assert_str_eq(text, "5d3a4cc2-6c3f-4a4e-8d2b-0c6a1d7f0e01");
	ck_assert_int_ne(load_parts("<uuid>5d3a4cc2</uuid>", ""), 0);
	ck_assert_int_ne(load_parts("<uuid>zd3a4cc26c3f4a4e8d2b0c6a1d7f0e01</uuid>", ""), 0);
	drop();
}
END_TEST

START_TEST(test_loader)
{
	assert_clean("<os><type>hvm</type><loader>/usr/lib/xen/boot/hvmloader</loader></os>", "");
	ck_assert_int_eq(cfg->firmware, CONFIG_FW_BIOS);
	ck_assert_ptr_null(cfg->loader);
	assert_clean("<os><loader type='rom'>/usr/share/seabios/bios-256k.bin</loader></os>", "");
	ck_assert_int_eq(cfg->firmware, CONFIG_FW_BIOS);
	assert_clean("<os><loader type='rom' readonly='yes'>/root/hello.elf</loader></os>", "");
	ck_assert_int_eq(cfg->firmware, CONFIG_FW_IMAGE);
	ck_assert_str_eq(cfg->loader, "/root/hello.elf");
	/* its command line, which the BIOS would have no use for */
	assert_clean("<os><loader>/root/hello.elf</loader><cmdline>a b=1</cmdline></os>", "");
	ck_assert_str_eq(cfg->cmdline, "a b=1");
	ck_assert_int_ne(load_parts("<os><cmdline>a</cmdline></os>", ""), 0);
	ck_assert_int_ne(load_parts("<os><loader>/root/hello.elf</loader><initrd>/x</initrd></os>", ""), 0);
	ck_assert_int_ne(load_parts("<os><loader type='pflash'>/x/OVMF.fd</loader></os>", ""), 0);
	assert_message(0, "1:82 domain/os/loader@type: 'pflash' is not supported; accepted: rom");
	ck_assert_int_ne(load_parts("<os firmware='efi'/>", ""), 0);
	assert_message(0, "1:78 domain/os@firmware: 'efi' is not supported; accepted: bios");
	drop();
}
END_TEST

#define DISK(device, dev, rest)                                                                    \
	"<disk type='file' device='" device "'><source file='/d/" dev "'/><target dev='" dev "'/>" \
	rest "</disk>"

START_TEST(test_disks)
{
	const struct config_disk *d;

	assert_clean("", DISK("disk", "hdb", "<driver type='qcow2' cache='none' discard='unmap'/>"
					    "<serial>A-1</serial>")
			 DISK("disk", "sda", "") DISK("disk", "vdc", "<readonly/>")
			 DISK("floppy", "fda", "")
			 "<disk type='file' device='cdrom'><target dev='hdc'/></disk>");
	ck_assert_uint_eq(cfg->nr_disks, 5);
	d = &cfg->disks[0];
	ck_assert_int_eq(d->bus, CONFIG_BUS_IDE);
	ck_assert_uint_eq(d->unit, 1);
	ck_assert_int_eq(d->format, CONFIG_FORMAT_QCOW2);
	ck_assert_int_eq(d->cache, CONFIG_CACHE_NONE);
	ck_assert(d->discard);
	ck_assert_str_eq(d->serial, "A-1");
	ck_assert_str_eq(d->path, "/d/hdb");
	ck_assert_int_eq(cfg->disks[1].bus, CONFIG_BUS_SCSI);
	ck_assert_int_eq(cfg->disks[2].bus, CONFIG_BUS_VIRTIO);
	ck_assert_uint_eq(cfg->disks[2].unit, 2);
	ck_assert(cfg->disks[2].readonly);
	ck_assert_int_eq(cfg->disks[3].bus, CONFIG_BUS_FDC);
	ck_assert(cfg->disks[4].readonly);
	ck_assert_ptr_null(cfg->disks[4].path);
	drop();
}
END_TEST

START_TEST(test_disk_block_and_xvd)
{
	ck_assert_int_eq(load_parts("", "<disk type='block' device='disk'><driver name='phy'/>"
					"<source dev='/dev/vg/x'/><target dev='xvda' bus='xen'/></disk>"), 0);
	ck_assert_uint_eq(diags.nr, 1);
	ck_assert_int_eq(diags.list[0].severity, CONFIG_WARNING);
	ck_assert(cfg->disks[0].block);
	ck_assert_str_eq(cfg->disks[0].path, "/dev/vg/x");
	ck_assert_int_eq(cfg->disks[0].bus, CONFIG_BUS_IDE);
	ck_assert_uint_eq(cfg->disks[0].unit, 0);
	drop();
}
END_TEST

START_TEST(test_disk_rules)
{
	static const char *const bad[] = {
		DISK("disk", "hde", ""),	       /* only four */
		DISK("disk", "hda", "") DISK("disk", "hda", ""),
		DISK("disk", "hda", "") DISK("disk", "xvda", ""),
		DISK("disk", "hda", "<readonly/>"),    /* ATA cannot say so */
		DISK("disk", "zda", ""),
		DISK("disk", "hd", ""),
		DISK("floppy", "hda", ""),
		DISK("disk", "fda", ""),
		DISK("lun", "sda", ""),
		DISK("cdrom", "vda", ""),
		"<disk type='file'><target dev='hda'/></disk>",
		"<disk type='file'><source file='/x'/></disk>",
		"<disk type='file'><source file='rel/x'/><target dev='hda'/></disk>",
		"<disk type='file'><source dev='/dev/x'/><target dev='hda'/></disk>",
		"<disk type='network'><source name='x'/><target dev='hda'/></disk>",
		DISK("disk", "hda", "<transient/>"),
		DISK("disk", "hda", "<driver type='auto'/>"), /* never probed */
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_msg(load_parts("", bad[i]) != 0, "accepted: %s", bad[i]);
	}
	drop();
}
END_TEST

START_TEST(test_boot_order)
{
	assert_clean("<os><boot dev='cdrom'/><boot dev='hd'/><boot dev='network'/></os>", "");
	ck_assert_uint_eq(cfg->nr_boot, 3);
	ck_assert_int_eq(cfg->boot[0], CONFIG_BOOT_CDROM);
	ck_assert_int_eq(cfg->boot[1], CONFIG_BOOT_DISK);
	ck_assert_int_eq(cfg->boot[2], CONFIG_BOOT_NETWORK);
	/* Per device, given in another order than the list; the two disks make one entry. */
	assert_clean("", DISK("disk", "hda", "<boot order='3'/>") DISK("disk", "hdb", "<boot order='4'/>")
			 DISK("cdrom", "hdc", "<boot order='2'/>")
			 "<interface type='user'><boot order='1'/></interface>");
	ck_assert_uint_eq(cfg->nr_boot, 3);
	ck_assert_int_eq(cfg->boot[0], CONFIG_BOOT_NETWORK);
	ck_assert_int_eq(cfg->boot[1], CONFIG_BOOT_CDROM);
	ck_assert_int_eq(cfg->boot[2], CONFIG_BOOT_DISK);
	/* A device's order beats os/boot, and that is said. */
	ck_assert_int_eq(load_parts("<os><boot dev='network'/></os>",
				    DISK("disk", "hda", "<boot order='1'/>")), 0);
	ck_assert_uint_eq(cfg->nr_boot, 1);
	ck_assert_int_eq(cfg->boot[0], CONFIG_BOOT_DISK);
	assert_message(0, "1:68 domain/os/boot: has no effect");
	ck_assert_int_ne(load_parts("", DISK("disk", "hda", "<boot order='1'/>")
					DISK("disk", "hdb", "<boot order='1'/>")), 0);
	ck_assert_int_ne(load_parts("<os><boot dev='hd'/><boot dev='hd'/></os>", ""), 0);
	ck_assert_int_ne(load_parts("<os><boot dev='usb'/></os>", ""), 0);
	ck_assert_int_ne(load_parts("", DISK("disk", "hda", "<boot order='0'/>")), 0);
	drop();
}
END_TEST

START_TEST(test_nics)
{
	static const uint8_t mac[6] = {0x00, 0x16, 0x3e, 0x5d, 0xc7, 0x9e};

	assert_clean("<uuid>5d3a4cc2-6c3f-4a4e-8d2b-0c6a1d7f0e01</uuid>",
		     "<interface type='bridge'><mac address='00:16:3E:5d:c7:9e'/>"
		     "<source bridge='br0'/><script path='vif-bridge'/><model type='e1000'/></interface>"
		     "<interface type='user'/>");
	ck_assert_uint_eq(cfg->nr_nics, 2);
	ck_assert_int_eq(cfg->nics[0].type, CONFIG_NIC_BRIDGE);
	ck_assert_int_eq(cfg->nics[0].model, CONFIG_NIC_E1000);
	ck_assert_mem_eq(cfg->nics[0].mac, mac, 6);
	ck_assert_str_eq(cfg->nics[0].bridge, "br0");
	ck_assert_ptr_null(cfg->nics[0].script);
	ck_assert_int_eq(cfg->nics[1].type, CONFIG_NIC_USER);
	ck_assert_int_eq(cfg->nics[1].model, CONFIG_NIC_RTL8139);
	/* Made up, but the same for the same guest. */
	ck_assert_mem_eq(cfg->nics[1].mac, mac, 3);
	ck_assert_int_ne(load_parts("", "<interface type='bridge'/>"), 0);
	ck_assert_int_ne(load_parts("", "<interface type='direct'/>"), 0);
	ck_assert_int_ne(load_parts("", "<interface type='network'><source network='n'/></interface>"), 0);
	ck_assert_int_ne(load_parts("", "<interface type='user'><mac address='01:00:00:00:00:01'/>"
					"</interface>"), 0);
	ck_assert_int_ne(load_parts("", "<interface type='user'><mac address='0:16:3e:0:0:1'/>"
					"</interface>"), 0);
	ck_assert_int_ne(load_parts("", "<interface type='user'><vlan><tag id='5'/></vlan></interface>"), 0);
	drop();
}
END_TEST

START_TEST(test_serials)
{
	assert_clean("", "<serial type='unix'><source mode='bind' path='/s'/><target port='1'/></serial>"
			 "<serial type='pty'><target port='0'/></serial>"
			 "<serial type='tcp'><source mode='connect' host='h' service='99'/>"
			 "<protocol type='telnet'/><target port='2'/></serial>"
			 "<console type='pty'><target type='serial' port='0'/></console>");
	ck_assert_uint_eq(cfg->nr_serials, 3);
	ck_assert_int_eq(cfg->serials[0].type, CONFIG_CHR_PTY);
	ck_assert_int_eq(cfg->serials[1].type, CONFIG_CHR_UNIX);
	ck_assert(cfg->serials[1].listen);
	ck_assert_str_eq(cfg->serials[1].path, "/s");
	ck_assert(cfg->serials[2].telnet);
	ck_assert_str_eq(cfg->serials[2].service, "99");
	assert_clean("", "<console type='pty'/>");
	ck_assert_uint_eq(cfg->nr_serials, 1);
	assert_clean("", "<console type='pty'><target type='xen'/></console>");
	ck_assert_uint_eq(cfg->nr_serials, 0);
	ck_assert_int_ne(load_parts("", "<serial type='pty'><target port='0'/></serial>"
					"<serial type='pty'><target port='0'/></serial>"), 0);
	ck_assert_int_ne(load_parts("", "<serial type='file'/>"), 0);
	ck_assert_int_ne(load_parts("", "<serial type='tcp'><source host='h' service='x'/></serial>"), 0);
	drop();
}
END_TEST

START_TEST(test_graphics_and_video)
{
	assert_clean("", "<graphics type='vnc' port='5905' listen='0.0.0.0' passwd='secret'/>");
	ck_assert_int_eq(cfg->graphics.port, 5905);
	ck_assert_str_eq(cfg->graphics.passwd, "secret");
	ck_assert_int_eq(cfg->video, CONFIG_VIDEO_VGA);
	ck_assert_uint_eq(cfg->video_ram_kib, 16384);
	assert_clean("", "<graphics type='vnc' port='5905' autoport='yes'/>"
			 "<video><model type='cirrus' vram='9000'/></video>");
	ck_assert_int_eq(cfg->graphics.port, -1);
	ck_assert_uint_eq(cfg->video_ram_kib, 16384);
	assert_clean("", "<graphics type='vnc'><listen type='socket' socket='/v'/></graphics>");
	ck_assert_str_eq(cfg->graphics.socket, "/v");
	ck_assert_int_ne(load_parts("", "<graphics type='spice'/>"), 0);
	ck_assert_int_ne(load_parts("", "<graphics type='vnc' port='80'/>"), 0);
	ck_assert_int_ne(load_parts("", "<graphics type='vnc'/><graphics type='vnc'/>"), 0);
	drop();
}
END_TEST

START_TEST(test_clock_life_cpu)
{
	assert_clean("<clock offset='variable' adjustment='-3600'><timer name='hpet' present='no'/>"
		     "<timer name='tsc' mode='native'/></clock>"
		     "<on_poweroff>preserve</on_poweroff><on_reboot>rename-restart</on_reboot>"
		     "<cpu mode='host-passthrough'><feature policy='disable' name='avx'/></cpu>", "");
	ck_assert_int_eq(cfg->clock, CONFIG_CLOCK_VARIABLE);
	ck_assert_int_eq(cfg->clock_adjustment, -3600);
	ck_assert(!cfg->hpet);
	ck_assert_int_eq(cfg->tsc_mode, CONFIG_TSC_NATIVE);
	ck_assert_int_eq(cfg->on_poweroff, CONFIG_ACTION_PRESERVE);
	ck_assert_int_eq(cfg->on_reboot, CONFIG_ACTION_RENAME_RESTART);
	ck_assert_uint_eq(cfg->nr_cpu_features, 1);
	ck_assert(!cfg->cpu_features[0].enable);
	ck_assert_uint_eq(cfg->tsc_khz, 0);
	assert_clean("<clock><timer name='tsc' frequency='1500000000'/></clock>", "");
	ck_assert_uint_eq(cfg->tsc_khz, 1500000);
	ck_assert_int_ne(load_parts("<clock><timer name='tsc' frequency='1500'/></clock>", ""), 0);
	assert_clean("<clock offset='localtime' adjustment='60'/>", "");
	ck_assert_int_eq(cfg->clock, CONFIG_CLOCK_LOCALTIME);
	ck_assert_int_eq(cfg->clock_adjustment, 60);
	assert_clean("<clock offset='variable' basis='localtime' adjustment='0'/>", "");
	ck_assert_int_eq(cfg->clock, CONFIG_CLOCK_LOCALTIME);
	assert_clean("<clock offset='utc' adjustment='reset'/>", "");
	ck_assert_int_eq(cfg->clock, CONFIG_CLOCK_UTC);
	ck_assert_int_ne(load_parts("<clock offset='timezone' timezone='Europe/Paris'/>", ""), 0);
	assert_clean("<clock><timer name='pit' tickpolicy='delay'/><timer name='rtc' tickpolicy='catchup'/>"
		     "<timer name='hpet' present='yes' tickpolicy='merge'/><timer name='lapic' tickpolicy='discard'/>"
		     "<timer name='platform' tickpolicy='merge'/></clock>", "");
	ck_assert_int_eq(cfg->tick[CONFIG_TIMER_PIT], CONFIG_TICK_DELAY);
	ck_assert_int_eq(cfg->tick[CONFIG_TIMER_RTC], CONFIG_TICK_CATCHUP);
	ck_assert_int_eq(cfg->tick[CONFIG_TIMER_HPET], CONFIG_TICK_MERGE);
	ck_assert_int_eq(cfg->tick[CONFIG_TIMER_LAPIC], CONFIG_TICK_DISCARD);
	ck_assert_int_eq(cfg->tick[CONFIG_TIMER_PLATFORM], CONFIG_TICK_MERGE);
	ck_assert_int_ne(load_parts("<clock><timer name='tsc' tickpolicy='delay'/></clock>", ""), 0);
	ck_assert_int_ne(load_parts("<clock><timer name='pit' tickpolicy='slew'/></clock>", ""), 0);
	ck_assert_int_ne(load_parts("<cpu><feature policy='disable' name='turbo'/></cpu>", ""), 0);
	assert_clean("<cpu mode='host-model'><model fallback='allow'>Anything</model></cpu>", "");
	ck_assert_ptr_null(cfg->cpu_model);
	assert_clean("<cpu mode='custom'><model>Nehalem</model><feature policy='optional' name='aes'/></cpu>", "");
	ck_assert_str_eq(cfg->cpu_model, "Nehalem");
	ck_assert(cfg->cpu_features[0].optional);
	ck_assert_int_ne(load_parts("<cpu mode='custom'/>", ""), 0);
	ck_assert_int_ne(load_parts("<cpu mode='custom'><model>Z80</model></cpu>", ""), 0);
	ck_assert_int_ne(load_parts("<cpu mode='fast'/>", ""), 0);
	ck_assert_int_ne(load_parts("<on_crash>explode</on_crash>", ""), 0);
	drop();
}
END_TEST

#define SMP "<features><acpi/><apic/></features>"

START_TEST(test_topology)
{
	assert_clean(SMP "<vcpu>12</vcpu><cpu><topology sockets='2' dies='1' cores='3' threads='2'/></cpu>", "");
	ck_assert_uint_eq(cfg->topology.sockets, 2);
	ck_assert_uint_eq(cfg->topology.cores, 3);
	ck_assert_uint_eq(cfg->topology.threads, 2);
	assert_clean(SMP "<vcpu current='1'>4</vcpu>", "");
	ck_assert_uint_eq(cfg->topology.sockets, 0);
	ck_assert_uint_eq(cfg->vcpus, 1);
	ck_assert_int_ne(load_parts(SMP "<vcpu>4</vcpu><cpu><topology sockets='2' cores='3' threads='1'/></cpu>", ""), 0);
	ck_assert_ptr_nonnull(strstr(message(0), "domain/cpu/topology: 2 sockets of 3 cores of 1 threads make 6 vCPUs, but "
						 "<vcpu> says 4"));
	ck_assert_int_ne(load_parts(SMP "<vcpu>4</vcpu><cpu><topology sockets='2' dies='2' cores='1' threads='1'/></cpu>", ""), 0);
	ck_assert_int_ne(load_parts(SMP "<vcpu>4</vcpu><cpu><topology sockets='0' cores='4' threads='1'/></cpu>", ""), 0);
	drop();
}
END_TEST

START_TEST(test_commandline_namespaces)
{
	ck_assert_int_eq(load("<domain type='xen' xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'>"
			      "<name>g</name><memory>65536</memory><metadata><x:y xmlns:x='u:v'/>"
			      "</metadata><q:commandline><q:arg value='-trace'/><q:arg value='x'/>"
			      "</q:commandline></domain>"), 0);
	ck_assert_uint_eq(cfg->nr_qemu_args, 2);
	ck_assert_str_eq(cfg->qemu_args[1], "x");
	ck_assert_int_ne(load("<domain type='xen'><name>g</name><memory>65536</memory>"
			      "<x:disk xmlns:x='urn:other'/></domain>"), 0);
	drop();
}
END_TEST

/* Comments, CDATA, attributes over several lines: the scanner and the parser must agree. */
START_TEST(test_positions)
{
	static const char text[] = "<?xml version='1.0'?>\n<!-- <a> -->\n<domain\n  type =\n  \"xen\">\n"
				   "<name><![CDATA[g<h>]]></name>\n\t<memory >65536</memory>\n"
				   "<bad at='>'/></domain>";
	struct xmlpos pos;

	ck_assert_int_ne(load(text), 0);
	assert_message(0, "8:1 domain/bad: the element is not known here");
	ck_assert_int_eq(xmlpos_scan(text, strlen(text), &pos), 0);
	ck_assert_uint_eq(pos.nr_elements, 4);
	ck_assert_uint_eq(pos.elements[0].at.line, 3);
	ck_assert_uint_eq(xmlpos_attr(&pos, 0, "type")->value_at.line, 5);
	ck_assert_uint_eq(xmlpos_attr(&pos, 0, "type")->value_at.column, 4);
	ck_assert_uint_eq(pos.elements[2].at.column, 2);
	ck_assert_uint_eq(pos.elements[2].text_at.column, 11);
	ck_assert_ptr_null(xmlpos_attr(&pos, 2, "type"));
	xmlpos_free(&pos);
	ck_assert_int_ne(xmlpos_scan("<a b='", 6, &pos), 0);
	drop();
}
END_TEST

/* A UUID put into a document is the one that is read from it; all the rest stays. */
START_TEST(test_pinned_uuid)
{
	static const char text[] = "<?xml version='1.0'?><!-- <domain> -->\n<domain\n type='xen'>"
				   "<name>g</name><memory unit='MiB'>64</memory></domain>\n";
	uint8_t uuid[16] = {1, 2, 3};
	size_t len = 0;
	char *pinned = config_text_with_uuid(text, strlen(text), uuid, &len);

	ck_assert_ptr_nonnull(pinned);
	ck_assert_uint_eq(len, strlen(text) + strlen("<uuid></uuid>") + 36);
	ck_assert_int_eq(load(pinned), 0);
	ck_assert(cfg->uuid_given);
	ck_assert_mem_eq(cfg->uuid, uuid, 16);
	ck_assert_str_eq(cfg->name, "g");
	free(pinned);
	drop();
}
END_TEST

/* Does the schema agree that the document is right? */
static bool schema_accepts(const char *path)
{
	xmlRelaxNGParserCtxt *parser = xmlRelaxNGNewParserCtxt(SCHEMA_FILE);
	xmlRelaxNG *schema = xmlRelaxNGParse(parser);
	xmlRelaxNGValidCtxt *valid;
	xmlDoc *doc = xmlReadFile(path, NULL, XML_PARSE_NONET);
	bool ok;

	ck_assert_ptr_nonnull(schema);
	ck_assert_ptr_nonnull(doc);
	valid = xmlRelaxNGNewValidCtxt(schema);
	ok = xmlRelaxNGValidateDoc(valid, doc) == 0;
	xmlRelaxNGFreeValidCtxt(valid);
	xmlRelaxNGFree(schema);
	xmlRelaxNGFreeParserCtxt(parser);
	xmlFreeDoc(doc);
	return ok;
}

/* Every example loads without an error or a warning, and the schema knows all that is in it. */
START_TEST(test_examples)
{
	const char *dir = CONFIGS_DIR;
	DIR *d = opendir(dir);
	unsigned int nr = 0;
	struct dirent *e;

	ck_assert_ptr_nonnull(d);
	while ((e = readdir(d)) != NULL) {
		char path[512];
		size_t len = strlen(e->d_name);

		if (len < 4 || strcmp(e->d_name + len - 4, ".xml") != 0) {
			continue;
		}
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		drop();
		ck_assert_msg(config_load_file(path, &cfg, &diags) == 0, "%s: %s", path,
			      diags.nr != 0 ? message(0) : "");
		ck_assert_msg(diags.nr == 0, "%s: %s", path, diags.nr != 0 ? message(0) : "");
		ck_assert_msg(schema_accepts(path), "%s: the schema refuses it", path);
		nr++;
	}
	closedir(d);
	ck_assert_uint_ge(nr, 3);
	drop();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_minimal_and_defaults, test_units, test_bad_memory,
		test_unknown_things_are_named, test_cputune, test_noted_and_rejected, test_not_well_formed,
		test_names, test_uuid, test_loader, test_disks, test_disk_block_and_xvd,
		test_disk_rules, test_boot_order, test_nics, test_serials,
		test_graphics_and_video, test_clock_life_cpu, test_topology, test_commandline_namespaces,
		test_positions, test_pinned_uuid, test_examples, NULL,
	};

	return suite_run("config_xml", setup, tests);
}
