/*
 * Run-time directories. See rundir.h.
 */
#include "toolstack/lib/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define RUNDIR_PATH_MAX 128

int rundir_path(uint32_t domid, const char *file, char *out, size_t size)
{
	int n = file != NULL ? snprintf(out, size, RUNDIR_BASE "/%u/%s", domid, file)
			     : snprintf(out, size, RUNDIR_BASE "/%u", domid);

	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

static int rundir_mkdir(const char *path, mode_t mode)
{
	/* Not umask's business: QEMU's user must be able to pass through. */
	if (mkdir(path, mode) != 0 && errno != EEXIST) {
		return -errno;
	}
	return chmod(path, mode) == 0 ? 0 : -errno;
}

int rundir_make(uint32_t domid)
{
	char path[RUNDIR_PATH_MAX];
	int rc = rundir_path(domid, NULL, path, sizeof(path));

	if (rc == 0) {
		rc = rundir_mkdir(RUNDIR_BASE, 0711);
	}
	if (rc == 0) {
		rc = rundir_mkdir(path, 0711);
	}
	return rc;
}

static int rundir_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path) == 0 || errno == ENOENT ? 0 : -errno;
}

int rundir_remove(uint32_t domid)
{
	char path[RUNDIR_PATH_MAX];
	int rc = rundir_path(domid, NULL, path, sizeof(path));

	if (rc != 0) {
		return rc;
	}
	if (access(path, F_OK) != 0) {
		return 0;
	}
	/* Never across a mount: the supervisor may have given QEMU a root of its own below it. */
	return nftw(path, rundir_remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}
