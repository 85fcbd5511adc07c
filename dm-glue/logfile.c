/* Capped log file. Contract: logfile.h. */
#include "dm-glue/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int logfile_open(struct logfile *log, const char *path, size_t cap, bool append)
{
	struct stat st;

	*log = (struct logfile){ .fd = -1, .cap = cap, .path = strdup(path) };
	if (log->path == NULL) {
		return -ENOMEM;
	}
	log->fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | (append ? O_APPEND : O_TRUNC),
		       0640);
	if (log->fd < 0 || fstat(log->fd, &st) < 0) {
		int rc = -errno;

		logfile_close(log);
		return rc;
	}
	log->capped = S_ISREG(st.st_mode);
	log->size = log->capped ? (size_t)st.st_size : 0;
	return 0;
}

/* Starts the next generation. When that fails the file starts over: the cap is what counts. */
static void rotate(struct logfile *log)
{
	char *old = NULL;

	if (asprintf(&old, "%s.1", log->path) > 0 && rename(log->path, old) == 0) {
		int fd = open(log->path, O_WRONLY | O_CREAT | O_CLOEXEC | O_APPEND, 0640);

		if (fd >= 0) {
			close(log->fd);
			log->fd = fd;
		}
	}
	if (ftruncate(log->fd, 0) < 0) {
		/* Not even that: write nothing more. */
		close(log->fd);
		log->fd = -1;
	}
	lseek(log->fd, 0, SEEK_SET);
	log->size = 0;
	free(old);
}

void logfile_write(struct logfile *log, const void *bytes, size_t len)
{
	const char *at = bytes;

	if (log->capped && log->size + len > log->cap && log->fd >= 0) {
		rotate(log);
	}
	while (log->fd >= 0 && len > 0) {
		ssize_t n = write(log->fd, at, len);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return;
		}
		at += n;
		len -= (size_t)n;
		log->size += (size_t)n;
	}
}

void logfile_vline(struct logfile *log, const char *fmt, va_list ap)
{
	char line[1024];
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	size_t n = strftime(line, sizeof(line), "%Y-%m-%dT%H:%M:%SZ ", &tm);
	int more = vsnprintf(line + n, sizeof(line) - n - 1, fmt, ap);
	if (more < 0) {
		return;
	}
	n += (size_t)more < sizeof(line) - n - 1 ? (size_t)more : sizeof(line) - n - 2;
	line[n++] = '\n';
	logfile_write(log, line, n);
}

void logfile_line(struct logfile *log, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	logfile_vline(log, fmt, ap);
	va_end(ap);
}

void logfile_close(struct logfile *log)
{
	if (log->fd >= 0) {
		close(log->fd);
	}
	free(log->path);
	*log = (struct logfile){ .fd = -1 };
}
