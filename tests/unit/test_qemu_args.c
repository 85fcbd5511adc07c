/*
 * dm-glue/qemu_args.c: each kind of device, by comparing text. Every test looks at the part of the
 * command line that its device adds; one compares a whole one.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "dm-glue/qemu_args.h"

static struct guest_config cfg;
static struct qemu_args_env env;
static char *text; /* the vector, joined by spaces */

/* The smallest guest: what each test starts from. */
static void setup(void)
{
	cfg = (struct guest_config){
		.name = "g", .memory_kib = 256 * 1024, .max_vcpus = 1, .vcpus = 1, .acpi = true,
		.video = CONFIG_VIDEO_NONE, .boot = { CONFIG_BOOT_DISK }, .nr_boot = 1,
	};
	qemu_args_env_init(&env);
	env.domid = 7;
	env.emulator = "/qemu";
}

static void teardown(void)
{
	free(text);
	text = NULL;
}

static int build(void)
{
	struct qemu_args args;
	int rc = qemu_args_build(&cfg, &env, &args);
	size_t size = 1;

	for (size_t i = 0; i < args.nr; i++) {
		size += strlen(args.argv[i]) + 1;
	}
	free(text);
	text = calloc(1, size);
	for (size_t i = 0; i < args.nr; i++) {
		strcat(strcat(text, args.argv[i]), i + 1 < args.nr ? " " : "");
	}
	if (rc < 0) {
		free(text);
		text = strdup(args.error);
	}
	qemu_args_free(&args);
	return rc;
}

static void has(const char *part)
{
	ck_assert_int_eq(build(), 0);
	ck_assert_msg(strstr(text, part) != NULL, "\n  want: %s\n  in:   %s", part, text);
}

static void has_not(const char *part)
{
	ck_assert_int_eq(build(), 0);
	ck_assert_msg(strstr(text, part) == NULL, "\n  not wanted: %s\n  in: %s", part, text);
}

static void refused(const char *why)
{
	ck_assert_int_eq(build(), -ENOTSUP);
	ck_assert_str_eq(text, why);
}

static struct config_disk *disk(enum config_disk_device device, enum config_disk_bus bus,
				unsigned int unit, char *target)
{
	struct config_disk *d = &cfg.disks[cfg.nr_disks++];

	*d = (struct config_disk){
		.device = device, .bus = bus, .unit = unit, .target = target, .path = "/img",
		.format = CONFIG_FORMAT_RAW,
	};
	env.disk_fd[cfg.nr_disks - 1] = 9 + (int)cfg.nr_disks;
	return d;
}

START_TEST(test_whole)
{
	static const char want[] =
		"/qemu -xen-domid 7 -no-shutdown "
		"-chardev socket,id=qmp,fd=3,server=on,wait=off -mon chardev=qmp,mode=control "
		"-chardev socket,id=qmp-tools,fd=4,server=on,wait=off -mon chardev=qmp-tools,mode=control "
		"-nodefaults -no-user-config -name debug-threads=on,guest=g -display none "
		"-boot order=c -machine pc,accel=xen,suppress-vmdesc=on -m 256";

	env.qmp_fd = 3;
	env.qmp_tools_fd = 4;
	ck_assert_int_eq(build(), 0);
	ck_assert_str_eq(text, want);
}
END_TEST

START_TEST(test_machine)
{
	cfg.acpi = false;
	has(" -no-acpi ");
	has_not("-smp");
	cfg.max_vcpus = 4;
	cfg.vcpus = 2;
	has(" -smp 2,maxcpus=4 ");
	cfg.video_ram_kib = 16 * 1024;
	has(" -m 240");
	env.domid_restrict = true;
	has(" -xen-domid 7 -xen-domid-restrict ");
	env.sandbox = true;
	has(" -sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny ");
	cfg.name = "a,b";
	has(" -name debug-threads=on,guest=a,,b ");
	cfg.qemu_args[0] = "-global";
	cfg.qemu_args[1] = "x.y=z";
	cfg.nr_qemu_args = 2;
	has(" -global x.y=z -machine ");
}
END_TEST

START_TEST(test_boot)
{
	cfg.boot[0] = CONFIG_BOOT_CDROM;
	cfg.boot[1] = CONFIG_BOOT_DISK;
	cfg.boot[2] = CONFIG_BOOT_NETWORK;
	cfg.boot[3] = CONFIG_BOOT_FLOPPY;
	cfg.nr_boot = 4;
	has(" -boot order=dcna ");
	cfg.boot_menu = true;
	has(" -boot order=dcna,menu=on ");
	cfg.nr_boot = 0;
	cfg.boot_menu = false;
	has(" -boot order=c ");
	env.kernel = "/boot/kernel";
	cfg.cmdline = "console=ttyS0 quiet";
	has(" -kernel /boot/kernel -append console=ttyS0 quiet ");
	env.initrd = "/boot/initrd";
	has(" -kernel /boot/kernel -initrd /boot/initrd -append ");
}
END_TEST

START_TEST(test_ide_disks)
{
	disk(CONFIG_DISK_HARD, CONFIG_BUS_IDE, 0, "hda");
	env.disk_ro_fd[0] = 20;
	has(" -add-fd fd=10,set=10 -add-fd fd=20,set=10 "
	    "-drive if=none,id=drive-hda,file.driver=file,file.filename=/dev/fdset/10,format=raw,cache=writeback "
	    "-device ide-hd,bus=ide.0,unit=0,id=hda,drive=drive-hda ");
	env.disk_block[0] = true;
	has(",file.driver=host_device,file.filename=/dev/fdset/10,");
	cfg.disks[0].format = CONFIG_FORMAT_QCOW2;
	cfg.disks[0].cache = CONFIG_CACHE_UNSAFE;
	cfg.disks[0].discard = true;
	cfg.disks[0].serial = "S,1";
	has("format=qcow2,cache=unsafe,discard=unmap "
	    "-device ide-hd,bus=ide.0,unit=0,id=hda,drive=drive-hda,serial=S,,1 ");
	disk(CONFIG_DISK_HARD, CONFIG_BUS_IDE, 3, "hdd");
	has(" -device ide-hd,bus=ide.1,unit=1,id=hdd,drive=drive-hdd ");
	/* Direct I/O cannot reach guest memory: the page cache stands in. */
	cfg.disks[0].cache = CONFIG_CACHE_NONE;
	has("format=qcow2,cache=writeback,");
	cfg.disks[0].cache = CONFIG_CACHE_DIRECTSYNC;
	has("format=qcow2,cache=writethrough,");
	cfg.disks[0].shareable = true;
	has(",file.locking=off ");
}
END_TEST

START_TEST(test_cdrom)
{
	disk(CONFIG_DISK_CDROM, CONFIG_BUS_IDE, 2, "hdc")->readonly = true;
	has(" -add-fd fd=10,set=10 "
	    "-drive if=none,id=drive-hdc,file.driver=file,file.filename=/dev/fdset/10,format=raw,cache=writeback,readonly=on "
	    "-device ide-cd,bus=ide.1,unit=0,id=hdc,drive=drive-hdc ");
	env.disk_fd[0] = -1;
	has(" -device ide-cd,bus=ide.1,unit=0,id=hdc -machine");
	has_not("-drive");
}
END_TEST

START_TEST(test_floppy)
{
	disk(CONFIG_DISK_FLOPPY, CONFIG_BUS_FDC, 0, "fda")->serial = "ignored";
	has(" -device floppy,unit=0,id=fda,drive=drive-fda -machine");
	env.disk_fd[0] = -1;
	has(" -device floppy,unit=0,id=fda -machine");
}
END_TEST

START_TEST(test_other_buses)
{
	disk(CONFIG_DISK_HARD, CONFIG_BUS_SATA, 1, "sdb");
	disk(CONFIG_DISK_CDROM, CONFIG_BUS_SATA, 2, "sdc");
	has(" -device ahci,id=ahci0 ");
	has(" -device ide-hd,bus=ahci0.1,unit=0,id=sdb,drive=drive-sdb ");
	has(" -device ide-cd,bus=ahci0.2,unit=0,id=sdc,drive=drive-sdc ");
	const char *first = strstr(text, "ahci,id=");
	ck_assert_ptr_null(strstr(first + 1, "ahci,id="));
	disk(CONFIG_DISK_HARD, CONFIG_BUS_SCSI, 3, "sdd");
	has(" -device lsi53c895a,id=scsi0 ");
	has(" -device scsi-hd,bus=scsi0.0,scsi-id=3,id=sdd,drive=drive-sdd ");
	disk(CONFIG_DISK_HARD, CONFIG_BUS_VIRTIO, 0, "vda");
	has(" -device virtio-blk-pci,id=vda,drive=drive-vda ");
	disk(CONFIG_DISK_HARD, CONFIG_BUS_USB, 0, "sde");
	has(" -device usb-storage,id=sde,drive=drive-sde ");
	has(" -usb ");
}
END_TEST

START_TEST(test_disk_without_image)
{
	disk(CONFIG_DISK_HARD, CONFIG_BUS_IDE, 0, "hda");
	env.disk_fd[0] = -1;
	refused("disk hda: no image");
}
END_TEST

START_TEST(test_nics)
{
	static const struct { enum config_nic_model model; const char *name; } row[] = {
		{ CONFIG_NIC_E1000, " e1000,id=nic0," }, { CONFIG_NIC_RTL8139, " rtl8139,id=nic0," },
		{ CONFIG_NIC_E1000E, " e1000e,id=nic0," }, { CONFIG_NIC_VIRTIO, " virtio-net-pci,id=nic0," },
		{ CONFIG_NIC_VMXNET3, " vmxnet3,id=nic0," }, { CONFIG_NIC_PCNET, " pcnet,id=nic0," },
		{ CONFIG_NIC_NE2K_PCI, " ne2k_pci,id=nic0," },
	};
	cfg.nr_nics = 1;
	cfg.nics[0] = (struct config_nic){
		.type = CONFIG_NIC_USER, .mac = { 0, 0x16, 0x3e, 1, 2, 0xff },
	};
	refused("network card 0: nothing to plug it into");
	env.nic_fd[0] = 14;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		cfg.nics[0].model = row[i].model;
		has(row[i].name);
	}
	cfg.nics[0].model = CONFIG_NIC_E1000;
	has(" -netdev stream,id=net0,server=off,addr.type=fd,addr.str=14 "
	    "-device e1000,id=nic0,mac=00:16:3e:01:02:ff,netdev=net0,romfile= ");
	ck_assert(!qemu_args_needs_network(&cfg));
	/* The boot ROM only where something may boot from it. */
	cfg.boot[0] = CONFIG_BOOT_NETWORK;
	has_not("romfile");
	cfg.boot[0] = CONFIG_BOOT_DISK;
	cfg.nics[0].type = CONFIG_NIC_BRIDGE;
	env.nic_fd[0] = -1;
	refused("network card 0: nothing to plug it into");
	env.nic_fd[0] = 15;
	has(" -netdev tap,id=net0,fd=15 -device e1000,");
	ck_assert(!qemu_args_needs_network(&cfg));
	cfg.nics[0].type = CONFIG_NIC_NONE;
	has(" -device e1000,id=nic0,mac=00:16:3e:01:02:ff,romfile= ");
	has_not("-netdev");
}
END_TEST

START_TEST(test_video_and_vnc)
{
	cfg.video_ram_kib = 16 * 1024;
	cfg.video = CONFIG_VIDEO_VGA;
	has(" -display none -device VGA,vgamem_mb=16 ");
	cfg.video = CONFIG_VIDEO_CIRRUS;
	cfg.video_ram_kib = 8 * 1024;
	has(" -device cirrus-vga,vgamem_mb=8 ");
	cfg.video = CONFIG_VIDEO_QXL;
	has(" -device qxl-vga,vram_size_mb=4,ram_size_mb=4 ");
	has_not("-vnc");
	cfg.graphics.type = CONFIG_GFX_VNC;
	env.vnc_socket = "/run/vnc.sock";
	has(" -vnc unix:/run/vnc.sock ");
	cfg.graphics.keymap = "de";
	cfg.graphics.passwd = "secret";
	has(" -vnc unix:/run/vnc.sock -k de ");
	has_not("secret");
}
END_TEST

START_TEST(test_serial)
{
	cfg.nr_serials = 1;
	cfg.serials[0] = (struct config_chardev){ .type = CONFIG_CHR_PTY, .port = 0 };
	has(" -chardev pty,id=serial0 -device isa-serial,index=0,chardev=serial0 ");
	cfg.serials[0] = (struct config_chardev){ .type = CONFIG_CHR_FILE, .path = "/log", .port = 1 };
	refused("serial1: /log could not be handed to QEMU");
	env.serial_fd[0] = 30;
	has(" -add-fd fd=30,set=30 -chardev file,id=serial1,path=/dev/fdset/30,append=on "
	    "-device isa-serial,index=1,chardev=serial1 ");
	cfg.serials[0].type = CONFIG_CHR_DEV;
	has(" -chardev serial,id=serial1,path=/dev/fdset/30 ");
	cfg.serials[0].type = CONFIG_CHR_UNIX;
	has(" -chardev socket,id=serial1,fd=30 ");
	cfg.serials[0].listen = true;
	has(" -chardev socket,id=serial1,fd=30,server=on,wait=off ");
	cfg.serials[0].type = CONFIG_CHR_NULL;
	has(" -chardev null,id=serial1 ");
	cfg.serials[0].type = CONFIG_CHR_PIPE;
	refused("serial1: pipe is not supported for a guest that runs in the background");
	cfg.serials[0].type = CONFIG_CHR_STDIO;
	refused("serial1: stdio is not supported for a guest that runs in the background");
}
END_TEST

START_TEST(test_serial_network)
{
	cfg.nr_serials = 1;
	cfg.serials[0] = (struct config_chardev){
		.type = CONFIG_CHR_TCP, .host = "::1", .service = "4000", .listen = true, .telnet = true,
	};
	has(" -chardev socket,id=serial0,host=::1,port=4000,server=on,wait=off,telnet=on ");
	cfg.serials[0].listen = false;
	cfg.serials[0].telnet = false;
	has(" -chardev socket,id=serial0,host=::1,port=4000,reconnect=1 ");
	cfg.serials[0].type = CONFIG_CHR_UDP;
	cfg.serials[0].local_service = "4001";
	has(" -chardev udp,id=serial0,host=::1,port=4000,localaddr=0.0.0.0,localport=4001 ");
	ck_assert(qemu_args_needs_network(&cfg));
}
END_TEST

START_TEST(test_parallel)
{
	cfg.nr_parallels = 1;
	cfg.parallels[0] = (struct config_chardev){ .type = CONFIG_CHR_NULL };
	has(" -chardev null,id=parallel0 -device isa-parallel,index=0,chardev=parallel0 ");
}
END_TEST

START_TEST(test_usb)
{
	has_not("usb");
	cfg.usb_tablet = true;
	has(" -usb -device usb-tablet ");
	cfg.usb = CONFIG_USB_XHCI;
	cfg.usb_mouse = true;
	cfg.usb_keyboard = true;
	has(" -device nec-usb-xhci,id=usb -device usb-tablet -device usb-mouse -device usb-kbd ");
	has_not(" -usb ");
	cfg.usb = CONFIG_USB_EHCI;
	has(" -device ich9-usb-ehci1,id=usb,addr=1d.7,multifunction=on "
	    "-device ich9-usb-uhci1,masterbus=usb.0,firstport=0,");
}
END_TEST

START_TEST(test_extras)
{
	cfg.sound = CONFIG_SOUND_HDA;
	has(" -audiodev none,id=audio0 -device intel-hda -device hda-duplex,audiodev=audio0 ");
	cfg.sound = CONFIG_SOUND_AC97;
	has(" -audiodev none,id=audio0 -device AC97,audiodev=audio0 ");
	cfg.watchdog = CONFIG_WATCHDOG_RESET;
	has(" -device i6300esb -action watchdog=reset ");
	cfg.rng = true;
	has(" -object rng-random,id=rng0,filename=/dev/urandom -device virtio-rng-pci,rng=rng0 ");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("qemu_args");
	TCase *tc = tcase_create("qemu_args");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_whole);
	tcase_add_test(tc, test_machine);
	tcase_add_test(tc, test_boot);
	tcase_add_test(tc, test_ide_disks);
	tcase_add_test(tc, test_cdrom);
	tcase_add_test(tc, test_floppy);
	tcase_add_test(tc, test_other_buses);
	tcase_add_test(tc, test_disk_without_image);
	tcase_add_test(tc, test_nics);
	tcase_add_test(tc, test_video_and_vnc);
	tcase_add_test(tc, test_serial);
	tcase_add_test(tc, test_serial_network);
	tcase_add_test(tc, test_parallel);
	tcase_add_test(tc, test_usb);
	tcase_add_test(tc, test_extras);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
