/* Control groups. Contract: dm_cgroup.h. */
#include "toolstack/lib/dm_cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define PATH_LEN 256

static int write_file(const char *dir, const char *name, const char *text)
{
	char path[PATH_LEN + 64];
	int rc = 0;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0) {
		return -errno;
	}
	if (write(fd, text, strlen(text)) < 0) {
		rc = -errno;
	}
	close(fd);
	return rc;
}

static int make_group(const char *path)
{
	return mkdir(path, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

/* Limits, then the process: it never runs in the group without them. */
static int fill_group(const char *group, pid_t pid)
{
	char text[16];
	int rc = write_file(group, "memory.max", DM_CGROUP_MEMORY);

	if (rc == 0) {
		rc = write_file(group, "pids.max", DM_CGROUP_TASKS);
	}
	if (rc < 0) {
		return rc;
	}
	/* Absent on a host without swap accounting. */
	(void)write_file(group, "memory.swap.max", "0");
	snprintf(text, sizeof(text), "%d", (int)pid);
	return write_file(group, "cgroup.procs", text);
}

int dm_cgroup_join(const char *base, uint32_t domid, pid_t pid)
{
	char parent[PATH_LEN], group[PATH_LEN];
	struct statfs fs;

	if (statfs(base, &fs) < 0) {
		return -errno;
	}
	if (fs.f_type != CGROUP2_SUPER_MAGIC) {
		return -ENODEV;
	}
	snprintf(parent, sizeof(parent), "%s/" DM_CGROUP_NAME, base);
	snprintf(group, sizeof(group), "%s/" DM_CGROUP_NAME "/%u", base, domid);
	int rc = write_file(base, "cgroup.subtree_control", "+memory +pids");
	if (rc == 0) {
		rc = make_group(parent);
	}
	if (rc == 0) {
		rc = write_file(parent, "cgroup.subtree_control", "+memory +pids");
	}
	if (rc == 0) {
		rc = make_group(group);
	}
	return rc < 0 ? rc : fill_group(group, pid);
}

void dm_cgroup_remove(const char *base, uint32_t domid)
{
	char group[PATH_LEN];

	snprintf(group, sizeof(group), "%s/" DM_CGROUP_NAME "/%u", base, domid);
	/* A process that was just reaped may still be counted for a moment. */
	for (int i = 0; i < 50 && rmdir(group) < 0 && errno == EBUSY; i++) {
		usleep(10000);
	}
}
