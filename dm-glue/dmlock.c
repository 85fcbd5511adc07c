/* Supervisor's pid file. Contract: dmlock.h. */
#include "dm-glue/dmlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#define DMLOCK_NAME "supervisor.pid"

static int write_pid(int fd)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%d\n", (int)getpid());

	return ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)n, 0) != n ? -errno : 0;
}

int dmlock_take(const char *dir)
{
	char path[512];
	int rc;

	if (snprintf(path, sizeof(path), "%s/" DMLOCK_NAME, dir) >= (int)sizeof(path)) {
		return -ENAMETOOLONG;
	}
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		return -errno;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		rc = errno == EWOULDBLOCK ? -EBUSY : -errno;
	} else {
		rc = write_pid(fd);
	}
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return fd;
}

void dmlock_release(const char *dir, int fd)
{
	char path[512];

	if (fd < 0) {
		return;
	}
	if (snprintf(path, sizeof(path), "%s/" DMLOCK_NAME, dir) < (int)sizeof(path)) {
		unlink(path);
	}
	close(fd);
}
