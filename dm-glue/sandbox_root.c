/* QEMU's root directory. Contract: sandbox_root.h. */
#include "dm-glue/sandbox_root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Where programs, libraries and firmware images live; read-only inside. */
static const char *const code_dirs[] = { "usr", "lib", "lib64", "bin", "sbin" };
/* Copied, because they may be links into places that are not there. */
static const char *const code_files[] = { "etc/ld.so.cache" };
static const char *const network_files[] = { "etc/resolv.conf", "etc/hosts", "etc/services" };
/* The hypervisor's devices that QEMU's libraries open. */
static const char *const xen_devices[] = { "privcmd", "hypercall", "evtchn", "gntdev", "xenbus" };

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define PATH_LEN 512

static int join(char out[PATH_LEN], const char *root, const char *name)
{
	return snprintf(out, PATH_LEN, "%s/%s", root, name) < PATH_LEN ? 0 : -ENAMETOOLONG;
}

static int make_dir(const char *root, const char *name, mode_t mode, uid_t owner)
{
	char path[PATH_LEN];

	if (join(path, root, name) < 0) {
		return -ENAMETOOLONG;
	}
	if (mkdir(path, mode) < 0 && errno != EEXIST) {
		return -errno;
	}
	return chown(path, owner, owner) < 0 || chmod(path, mode) < 0 ? -errno : 0;
}

/* /NAME of the host, read-only, at the same place; a symbolic link becomes the same link. */
static int bind_code(const char *root, const char *name)
{
	char from[PATH_LEN], to[PATH_LEN], target[PATH_LEN];
	struct stat st;

	if (join(from, "", name) < 0 || join(to, root, name) < 0) {
		return -ENAMETOOLONG;
	}
	if (lstat(from, &st) < 0) {
		return errno == ENOENT ? 0 : -errno;
	}
	if (S_ISLNK(st.st_mode)) {
		ssize_t n = readlink(from, target, sizeof(target) - 1);

		if (n < 0) {
			return -errno;
		}
		target[n] = '\0';
		return symlink(target, to) < 0 ? -errno : 0;
	}
	if (mkdir(to, 0755) < 0 || mount(from, to, NULL, MS_BIND, NULL) < 0 ||
	    mount(NULL, to, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) < 0) {
		return -errno;
	}
	return 0;
}

/* Contents of a host file into the root; an absent one is skipped when `optional`. */
static int copy_file(const char *root, const char *from, const char *to_name, bool optional)
{
	char to[PATH_LEN], buf[16384];
	int rc = join(to, root, to_name);

	if (rc < 0) {
		return rc;
	}
	int in = open(from, O_RDONLY | O_CLOEXEC);
	if (in < 0) {
		return optional ? 0 : -errno;
	}
	int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	rc = out < 0 ? -errno : 0;
	while (rc == 0) {
		ssize_t n = read(in, buf, sizeof(buf));

		if (n <= 0) {
			rc = n < 0 ? -errno : 0;
			break;
		}
		if (write(out, buf, (size_t)n) != n) {
			rc = -ENOSPC;
		}
	}
	close(in);
	if (out >= 0) {
		close(out);
	}
	return rc;
}

static int copy_files(const char *root, const char *const *names, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		char from[PATH_LEN];
		int rc = join(from, "", names[i]);

		if (rc == 0) {
			rc = copy_file(root, from, names[i], true);
		}
		if (rc < 0) {
			return rc;
		}
	}
	return 0;
}

/* A device node like /dev/NAME of the host, for QEMU's user alone. */
static int clone_device(const char *root, const char *dir, const char *name, uid_t owner)
{
	char from[PATH_LEN], to[PATH_LEN];
	struct stat st;

	if (snprintf(from, sizeof(from), "/%s/%s", dir, name) >= PATH_LEN ||
	    snprintf(to, sizeof(to), "%s/%s/%s", root, dir, name) >= PATH_LEN) {
		return -ENAMETOOLONG;
	}
	if (stat(from, &st) < 0 || !S_ISCHR(st.st_mode)) {
		return 0; /* the host has none: QEMU will say what it misses */
	}
	if (mknod(to, S_IFCHR | 0600, st.st_rdev) < 0 || chown(to, owner, owner) < 0) {
		return -errno;
	}
	return 0;
}

static int make_devices(const struct sandbox *sb, const char *root)
{
	static const char *const plain[] = { "null", "zero", "urandom", "random", "ptmx" };
	char path[PATH_LEN];
	int rc = make_dir(root, "dev", 0755, 0);

	if (rc < 0 || (rc = join(path, root, "dev")) < 0) {
		return rc;
	}
	/* Of its own, because the root itself allows no device nodes. */
	if (mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755,size=64k") < 0) {
		return -errno;
	}
	for (size_t i = 0; rc == 0 && i < COUNT(plain); i++) {
		rc = clone_device(root, "dev", plain[i], sb->uid);
	}
	if (rc == 0) {
		rc = make_dir(root, "dev/xen", 0755, 0);
	}
	for (size_t i = 0; rc == 0 && i < COUNT(xen_devices); i++) {
		rc = clone_device(root, "dev/xen", xen_devices[i], sb->uid);
	}
	if (rc < 0 || !sb->ptys) {
		return rc;
	}
	/* The host's, so that consoles can attach. QEMU may open only those it owns. */
	rc = make_dir(root, "dev/pts", 0755, 0);
	if (rc == 0 && join(path, root, "dev/pts") == 0 &&
	    mount("/dev/pts", path, NULL, MS_BIND, NULL) < 0) {
		rc = -errno;
	}
	return rc;
}

static int copy_boot_files(const struct sandbox *sb, const char *root)
{
	int rc = make_dir(root, "boot", 0755, 0);

	if (rc == 0 && sb->kernel) {
		rc = copy_file(root, sb->kernel, "boot/kernel", false);
	}
	if (rc == 0 && sb->initrd) {
		rc = copy_file(root, sb->initrd, "boot/initrd", false);
	}
	return rc;
}

/* Steps in order; the first that fails names itself. */
static int build(const struct sandbox *sb, const char *root, const char **step)
{
	char path[PATH_LEN];
	int rc = 0;

	*step = "programs and libraries";
	for (size_t i = 0; rc == 0 && i < COUNT(code_dirs); i++) {
		rc = bind_code(root, code_dirs[i]);
	}
	if (rc == 0) {
		rc = make_dir(root, "etc", 0755, 0);
	}
	if (rc == 0) {
		rc = copy_files(root, code_files, COUNT(code_files));
	}
	if (rc == 0 && sb->host_network) {
		rc = copy_files(root, network_files, COUNT(network_files));
	}
	if (rc < 0) {
		return rc;
	}
	*step = "devices";
	rc = make_devices(sb, root);
	if (rc < 0) {
		return rc;
	}
	*step = "kernel and initrd";
	rc = copy_boot_files(sb, root);
	if (rc < 0) {
		return rc;
	}
	*step = "/run and /proc";
	if ((rc = make_dir(root, "run", 0700, sb->uid)) < 0 ||
	    (rc = make_dir(root, "proc", 0555, 0)) < 0 || (rc = join(path, root, "proc")) < 0) {
		return rc;
	}
	return mount("proc", path, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0 ? -errno : 0;
}

/* Makes `root` the root of this process. */
static int switch_root(const char *root)
{
	if (chdir(root) < 0) {
		return -errno;
	}
	if (syscall(SYS_pivot_root, ".", ".") == 0) {
		/* The old root lies on top of the new one now. */
		if (umount2(".", MNT_DETACH) < 0) {
			return -errno;
		}
	} else {
		/* An initramfs cannot be pivoted away from; covering it hides it as well. */
		if (mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0) {
			return -errno;
		}
	}
	return chdir("/") < 0 ? -errno : 0;
}

int sandbox_root_enter(const struct sandbox *sb, const char **step)
{
	*step = "private mounts";
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		return -errno;
	}
	*step = "tmpfs for the root";
	if (mount("tmpfs", sb->root_dir, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  "mode=0755,size=512m") < 0) {
		return -errno;
	}
	int rc = build(sb, sb->root_dir, step);
	if (rc < 0) {
		return rc;
	}
	*step = "changing the root";
	return switch_root(sb->root_dir);
}

int sandbox_root_strip(void)
{
	int rc = 0;

	for (size_t i = 0; i < COUNT(code_dirs); i++) {
		char path[PATH_LEN];

		/* A link, or not there: EINVAL. */
		if (join(path, "", code_dirs[i]) == 0 &&
		    umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL &&
		    errno != ENOENT) {
			rc = -errno;
		}
	}
	if (umount2("/proc", MNT_DETACH) < 0 || umount2("/dev", MNT_DETACH) < 0) {
		rc = -errno;
	}
	unlink("/boot/kernel");
	unlink("/boot/initrd");
	/*
	 * The mount, not the file system: that one refuses while QEMU keeps a removed file mapped, as it
	 * does with the initrd. No other mount of it is within QEMU's reach.
	 */
	if (mount(NULL, "/", NULL,
		  MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0) {
		rc = -errno;
	}
	return rc;
}
