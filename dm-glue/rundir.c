/* Run directory. Contract: rundir.h. */
#include "dm-glue/rundir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int make_dir(const char *path, mode_t mode)
{
	return mkdir(path, mode) < 0 && errno != EEXIST ? -errno : 0;
}

static char *name_in(const char *dir, const char *name)
{
	char *path = NULL;

	return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}

static int take_pid_file(struct rundir *dir)
{
	char *path = name_in(dir->path, "supervisor.pid");

	if (path == NULL) {
		return -ENOMEM;
	}
	dir->pid_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	free(path);
	if (dir->pid_fd < 0) {
		return -errno;
	}
	if (flock(dir->pid_fd, LOCK_EX | LOCK_NB) < 0) {
		int rc = errno == EWOULDBLOCK ? -EBUSY : -errno;

		close(dir->pid_fd);
		dir->pid_fd = -1;
		return rc;
	}
	return 0;
}

int rundir_open(struct rundir *dir, const char *base, uint32_t domid)
{
	char number[12];

	snprintf(number, sizeof(number), "%u", domid);
	*dir = (struct rundir){ .pid_fd = -1, .path = name_in(base, number) };
	if (dir->path == NULL || (dir->root = name_in(dir->path, "root")) == NULL ||
	    (dir->document = name_in(dir->path, "config.xml")) == NULL) {
		return -ENOMEM;
	}
	int rc = make_dir(base, 0755);
	if (rc == 0) {
		rc = make_dir(dir->path, 0700);
	}
	if (rc == 0) {
		rc = make_dir(dir->root, 0700);
	}
	return rc < 0 ? rc : take_pid_file(dir);
}

int rundir_write_pid(struct rundir *dir)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%d\n", (int)getpid());

	if (ftruncate(dir->pid_fd, 0) < 0 || pwrite(dir->pid_fd, text, (size_t)n, 0) != n) {
		return -errno;
	}
	return 0;
}

int rundir_copy_document(struct rundir *dir, const char *from)
{
	char buf[16384];
	int rc = 0;
	int in = open(from, O_RDONLY | O_CLOEXEC);

	if (in < 0) {
		return -errno;
	}
	int out = open(dir->document, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	rc = out < 0 ? -errno : 0;
	while (rc == 0) {
		ssize_t n = read(in, buf, sizeof(buf));

		if (n <= 0) {
			rc = n < 0 ? -errno : 0;
			break;
		}
		if (write(out, buf, (size_t)n) != n) {
			rc = -EIO;
		}
	}
	close(in);
	if (out >= 0) {
		close(out);
	}
	return rc;
}

int rundir_keep_document(struct rundir *dir, const char *base, const char *name, char **path)
{
	char *keep = name_in(base, "restart");

	*path = NULL;
	if (keep == NULL || make_dir(keep, 0700) < 0 ||
	    asprintf(path, "%s/%s.xml", keep, name) < 0) {
		free(keep);
		*path = NULL;
		return -ENOMEM;
	}
	free(keep);
	if (rename(dir->document, *path) < 0) {
		int rc = -errno;

		free(*path);
		*path = NULL;
		return rc;
	}
	return 0;
}

int rundir_link(struct rundir *dir, const char *name, const char *target)
{
	char *path = name_in(dir->path, name);

	if (path == NULL) {
		return -ENOMEM;
	}
	unlink(path);
	int rc = symlink(target, path) < 0 ? -errno : 0;
	free(path);
	return rc;
}

void rundir_remove(struct rundir *dir)
{
	/* Only what we took: never the directory of a supervisor that is alive. */
	DIR *list = dir->pid_fd >= 0 ? opendir(dir->path) : NULL;

	if (list == NULL) {
		return;
	}
	for (struct dirent *e; (e = readdir(list)) != NULL;) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
		    unlinkat(dirfd(list), e->d_name, 0) < 0) {
			unlinkat(dirfd(list), e->d_name, AT_REMOVEDIR);
		}
	}
	closedir(list);
	rmdir(dir->path);
}

void rundir_close(struct rundir *dir)
{
	if (dir->pid_fd >= 0) {
		close(dir->pid_fd);
	}
	free(dir->path);
	free(dir->root);
	free(dir->document);
	*dir = (struct rundir){ .pid_fd = -1 };
}
