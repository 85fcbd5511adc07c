/*
 * One guest's configuration, as the domain XML says it, after parsing and checking.
 *
 * Owns: the structures, and their life (config_free). config_xml.c fills them in, config_check.c
 * applies the rules that span several elements; build.c and the device-model supervisor read them.
 * Not here: how a disk becomes a QEMU argument, where guest memory goes.
 * Locking: none; a guest_config belongs to the thread that loaded it and is not changed afterwards.
 *
 * Strings are owned by the configuration, UTF-8, NULL when the document does not say.
 * The format is libvirt's "Domain XML format".
 */
#ifndef TOOLSTACK_CONFIG_H
#define TOOLSTACK_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CONFIG_MAX_DISKS    16
#define CONFIG_MAX_NICS     8
#define CONFIG_MAX_CHARDEVS 4 /* a PC has four serial ports */
#define CONFIG_MAX_ARGS     64
#define CONFIG_MAX_VCPUS    128
#define CONFIG_MAX_WEIGHT   65535
#define CONFIG_CPU_PERIOD_US 100000 /* when a quota is given without a period */
#define CONFIG_MAX_BOOT     4
#define CONFIG_MAX_CPU_FEATURES 64

/* Where in the document something was said; line 0 = it was not said (a default). */
struct config_pos {
	unsigned int line;
	unsigned int column; /* in bytes, from 1 */
};

enum config_boot_dev {
	CONFIG_BOOT_FLOPPY,
	CONFIG_BOOT_DISK,
	CONFIG_BOOT_CDROM,
	CONFIG_BOOT_NETWORK,
};

enum config_firmware {
	CONFIG_FW_BIOS,	  /* our hvmloader, then SeaBIOS */
	CONFIG_FW_IMAGE,  /* the ELF32 image named by os/loader, started like hvmloader */
};

enum config_clock {
	CONFIG_CLOCK_UTC,
	CONFIG_CLOCK_LOCALTIME, /* local time plus clock_adjustment seconds */
	CONFIG_CLOCK_VARIABLE, /* UTC plus clock_adjustment seconds */
};

enum config_tsc_mode {
	CONFIG_TSC_AUTO,
	CONFIG_TSC_EMULATE,
	CONFIG_TSC_NATIVE,
	CONFIG_TSC_PARAVIRT,
};

/* What becomes of a timer's ticks that the guest missed. Above 0: the hypervisor's number + 1. */
enum config_tick {
	CONFIG_TICK_DEFAULT,
	CONFIG_TICK_DELAY,   /* they never come; the next is a whole period later */
	CONFIG_TICK_CATCHUP, /* each comes, as soon as the one before was taken */
	CONFIG_TICK_DISCARD, /* they never come; the next is on time */
	CONFIG_TICK_MERGE,   /* they come as one; the next is on time */
};

/* Timers that tick, in the hypervisor's order; then the one that stands for all without a policy of their own. */
enum config_timer {
	CONFIG_TIMER_PIT,
	CONFIG_TIMER_RTC,
	CONFIG_TIMER_HPET,
	CONFIG_TIMER_LAPIC,
	CONFIG_TIMER_PLATFORM,
	CONFIG_TIMERS,
};

/* What happens to the guest when it ends, per way of ending. */
enum config_action {
	CONFIG_ACTION_DESTROY,
	CONFIG_ACTION_RESTART,
	CONFIG_ACTION_PRESERVE,
	CONFIG_ACTION_RENAME_RESTART,
};

enum config_disk_device {
	CONFIG_DISK_HARD,
	CONFIG_DISK_CDROM,
	CONFIG_DISK_FLOPPY,
};

enum config_disk_bus {
	CONFIG_BUS_IDE,	   /* unit 0..3 = hda..hdd: channel unit / 2, drive unit % 2 */
	CONFIG_BUS_SATA,   /* unit 0..5 on one AHCI controller */
	CONFIG_BUS_SCSI,   /* unit 0..6 on one lsi53c895a */
	CONFIG_BUS_FDC,	   /* unit 0..1 = fda, fdb */
	CONFIG_BUS_VIRTIO, /* virtio-blk-pci */
	CONFIG_BUS_USB,	   /* usb-storage */
};

enum config_disk_format {
	CONFIG_FORMAT_RAW, /* always named to QEMU, never probed */
	CONFIG_FORMAT_QCOW2,
	CONFIG_FORMAT_QED,
	CONFIG_FORMAT_VPC,
	CONFIG_FORMAT_VMDK,
	CONFIG_FORMAT_VDI,
};

enum config_disk_cache {
	CONFIG_CACHE_DEFAULT,
	CONFIG_CACHE_NONE,
	CONFIG_CACHE_WRITEBACK,
	CONFIG_CACHE_WRITETHROUGH,
	CONFIG_CACHE_DIRECTSYNC,
	CONFIG_CACHE_UNSAFE,
};

struct config_disk {
	struct config_pos pos; /* of <disk> */
	enum config_disk_device device;
	enum config_disk_bus bus;
	unsigned int unit;  /* on its bus, from 0 */
	char *target;	    /* as written: "hda" */
	char *path;	    /* file or block device; NULL: empty drive (only CD-ROM and floppy) */
	bool block;	    /* path is a block device */
	enum config_disk_format format;
	enum config_disk_cache cache;
	bool readonly;	    /* always true for a CD-ROM */
	bool shareable;
	bool discard;	    /* pass the guest's TRIM on */
	char *serial;
	unsigned int boot_order; /* <boot order=>; 0: none */
};

enum config_nic_type {
	CONFIG_NIC_USER,
	CONFIG_NIC_BRIDGE,
	CONFIG_NIC_NONE, /* a card with nothing plugged in: <link state='down'/> */
};

enum config_nic_model {
	CONFIG_NIC_E1000,
	CONFIG_NIC_E1000E,
	CONFIG_NIC_RTL8139,
	CONFIG_NIC_VIRTIO,
	CONFIG_NIC_VMXNET3,
	CONFIG_NIC_PCNET,
	CONFIG_NIC_NE2K_PCI,
};

struct config_nic {
	struct config_pos pos;
	enum config_nic_type type;
	enum config_nic_model model;
	uint8_t mac[6]; /* made up when the document has none, Xen's 00:16:3e prefix */
	char *bridge;	/* type bridge */
	char *script;	/* hotplug script, run by us, never by QEMU; NULL: just join the bridge */
	char *target;	/* wished name of the tap device */
	unsigned int boot_order;
};

enum config_chardev_type {
	CONFIG_CHR_NULL,
	CONFIG_CHR_PTY,
	CONFIG_CHR_FILE,  /* path */
	CONFIG_CHR_PIPE,  /* path */
	CONFIG_CHR_DEV,	  /* path: a device of the host */
	CONFIG_CHR_UNIX,  /* path, listen */
	CONFIG_CHR_TCP,	  /* host, service, listen, telnet */
	CONFIG_CHR_UDP,	  /* host, service (connect), local_host, local_service (bind) */
	CONFIG_CHR_STDIO,
	CONFIG_CHR_VC,
};

struct config_chardev {
	struct config_pos pos;
	enum config_chardev_type type;
	unsigned int port; /* 0 = COM1 or LPT1 */
	char *path;
	char *host;
	char *service;
	char *local_host;
	char *local_service;
	bool listen; /* source mode='bind' */
	bool telnet;
	bool append; /* file: append='on' */
};

enum config_graphics_type {
	CONFIG_GFX_NONE,
	CONFIG_GFX_VNC,
};

struct config_graphics {
	struct config_pos pos;
	enum config_graphics_type type;
	int port;     /* TCP port 5900.., -1: first free one */
	char *listen; /* address, NULL: 127.0.0.1 */
	char *socket; /* Unix socket path instead of TCP */
	char *passwd; /* at most 8 characters count (RFB VNC authentication) */
	char *keymap;
};

enum config_video {
	CONFIG_VIDEO_VGA, /* QEMU's "VGA", what xl calls stdvga */
	CONFIG_VIDEO_CIRRUS,
	CONFIG_VIDEO_QXL,
	CONFIG_VIDEO_NONE,
};

enum config_usb {
	CONFIG_USB_NONE,
	CONFIG_USB_UHCI, /* piix3-uhci */
	CONFIG_USB_EHCI, /* ich9-ehci1 and its companions */
	CONFIG_USB_XHCI,
};

enum config_sound {
	CONFIG_SOUND_NONE,
	CONFIG_SOUND_SB16,
	CONFIG_SOUND_ES1370,
	CONFIG_SOUND_AC97,
	CONFIG_SOUND_HDA,
};

enum config_watchdog_action {
	CONFIG_WATCHDOG_ABSENT,
	CONFIG_WATCHDOG_RESET,
	CONFIG_WATCHDOG_SHUTDOWN,
	CONFIG_WATCHDOG_POWEROFF,
	CONFIG_WATCHDOG_PAUSE,
	CONFIG_WATCHDOG_NONE,
};

struct config_cpu_feature {
	struct config_pos pos;
	char *name;
	bool enable;
	bool optional; /* as the model and the host have it */
};

/* Positions of single values that config_check.c and the builder complain about. */
struct config_where {
	struct config_pos name, memory, current_memory, vcpu, loader, emulator, kernel, initrd, cpu;
	struct config_pos topology;
	struct config_pos boot, graphics, video, hyperv;
};

/* How the vCPUs are grouped. sockets 0: not said, all are cores of one socket. */
struct config_topology {
	unsigned int sockets, cores, threads;
};

struct guest_config {
	char *file; /* name of the document, for messages */
	struct config_where where;

	char *name;
	uint8_t uuid[16];
	bool uuid_given; /* false: the uuid was made up while loading */
	char *title;
	char *description;

	uint64_t memory_kib;	     /* what the guest may have, whole MiB */
	uint64_t current_memory_kib; /* ballooning target, <= memory_kib */
	uint32_t video_ram_kib;	     /* of the video card, whole MiB */
	unsigned int max_vcpus;
	unsigned int vcpus; /* online at start */
	uint64_t cpuset;    /* CPUs its vCPUs may use; 0: not said */
	uint64_t vcpu_pin[CONFIG_MAX_VCPUS]; /* of one vCPU; 0: as cpuset */
	unsigned int weight;		     /* share of the CPUs; 0: the usual one */
	unsigned int cpu_period_us;	     /* in each of which ... */
	unsigned int cpu_quota_us;	     /* ... a vCPU may run so long on average; 0: no limit */
	struct config_topology topology;

	enum config_firmware firmware;
	char *loader;	   /* image to start at guest reset; NULL: the installed hvmloader */
	char *kernel;	   /* direct boot by QEMU: Linux image, with initrd and cmdline */
	char *initrd;
	char *cmdline;
	enum config_boot_dev boot[CONFIG_MAX_BOOT]; /* in order; never empty */
	unsigned int nr_boot;
	bool boot_menu;

	bool acpi;
	bool apic;
	bool pae;
	bool hpet;
	uint64_t viridian; /* HVM_PARAM_VIRIDIAN bits; 0: none */
	enum config_clock clock;
	int64_t clock_adjustment; /* seconds */
	bool clock_kept; /* what the guest changes stays changed when it is started again */
	enum config_tsc_mode tsc_mode;
	uint32_t tsc_khz; /* 0: the machine's */
	enum config_tick tick[CONFIG_TIMERS];
	enum config_action on_poweroff;
	enum config_action on_reboot;
	enum config_action on_crash;
	char *cpu_model; /* mode custom: a name that cpuid_model_known() knows; NULL: the host's */
	struct config_cpu_feature cpu_features[CONFIG_MAX_CPU_FEATURES];
	unsigned int nr_cpu_features;

	char *emulator; /* NULL: the installed qemu-system-xen */
	struct config_disk disks[CONFIG_MAX_DISKS];
	unsigned int nr_disks;
	struct config_nic nics[CONFIG_MAX_NICS];
	unsigned int nr_nics;
	struct config_chardev serials[CONFIG_MAX_CHARDEVS]; /* sorted by port */
	unsigned int nr_serials;
	struct config_chardev parallels[CONFIG_MAX_CHARDEVS];
	unsigned int nr_parallels;
	struct config_graphics graphics;
	enum config_video video;
	enum config_usb usb;
	bool usb_tablet;
	bool usb_mouse;
	bool usb_keyboard;
	enum config_sound sound;
	enum config_watchdog_action watchdog; /* i6300esb */
	bool rng;			      /* virtio-rng from /dev/urandom */
	char *qemu_args[CONFIG_MAX_ARGS];     /* qemu:commandline and xen:commandline, verbatim */
	unsigned int nr_qemu_args;
};

/* ---- messages ---- */

enum config_severity {
	CONFIG_NOTE,	/* accepted, has no effect here */
	CONFIG_WARNING, /* accepted, but not what was asked for exactly */
	CONFIG_ERROR,
};

struct config_diag {
	enum config_severity severity;
	struct config_pos pos;
	char *path; /* "domain/devices/disk/target@bus"; NULL: the document as a whole */
	char *text; /* what is wrong, with the accepted values */
};

/* Messages in the order found. */
struct config_diags {
	const char *file;
	struct config_diag *list;
	size_t nr;
	size_t errors;
};

/*
 * Read and check the document at `path` ("-": standard input). Always leaves `*out` either NULL or
 * a
 * complete configuration; every complaint is appended to `diags`, errors do not stop at the first.
 * Result: 0, -EINVAL (errors are in diags), -errno of reading the file (a diag says so too).
 */
int config_load_file(const char *path, struct guest_config **out, struct config_diags *diags);

/* The same for a document in memory; `name` stands for the file in messages. */
int config_load_text(const char *name, const char *text, size_t len, struct guest_config **out,
		     struct config_diags *diags);

/*
 * The text of a document with `uuid` put into it, right behind <domain ...>: so that everybody who
 * reads it
 * later means the same guest. For documents that loaded and have no <uuid>. malloc'd,
 * NUL-terminated; NULL when
 * out of memory.
 */
char *config_text_with_uuid(const char *text, size_t len, const uint8_t uuid[16], size_t *out_len);

/*
 * The text of a document of a guest whose clock_kept is set, with another adjustment: as loading it says, <clock
 * offset='variable'> counted from UTC or local time. malloc'd, NUL-terminated; NULL when out of memory or if the text
 * has no <clock>.
 */
char *config_text_with_adjustment(const char *text, size_t len, const struct guest_config *cfg,
				  int64_t adjustment, size_t *out_len);

/*
 * Rules that span elements, and the values derived from several (boot order, default devices).
 * Pure: looks at nothing outside `cfg`. Called by the loaders. Result: 0 or -EINVAL.
 */
int config_check(struct guest_config *cfg, struct config_diags *diags);

/* Release a configuration; NULL is fine. */
void config_free(struct guest_config *cfg);

/* Append one message; printf-style text. `path` is copied, may be NULL. */
void config_diag_add(struct config_diags *diags, enum config_severity severity,
		     struct config_pos pos, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/*
 * Print every message at least as grave as `least`, one per line: "file:line:column: error: path:
 * text".
 */
void config_diags_print(const struct config_diags *diags, enum config_severity least, FILE *to);
void config_diags_free(struct config_diags *diags);

/* 36 characters and NUL. */
#define CONFIG_UUID_LEN 37
void config_uuid_text(const uint8_t uuid[16], char text[CONFIG_UUID_LEN]);
/* Parse a uuid with or without dashes. Result: 0 or -EINVAL. */
int config_uuid_parse(const char *text, uint8_t uuid[16]);

#endif
