/*
 * A log file that cannot fill the disk: at its cap it becomes FILE.1 and a new one begins, so at most
 * twice the cap is kept. For what a guest can cause: QEMU's output, serial ports, our own messages.
 *
 * Owns: the descriptor. Locking: none; one thread.
 */
#ifndef DM_GLUE_LOGFILE_H
#define DM_GLUE_LOGFILE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct logfile {
	int fd; /* -1: closed; writing then does nothing */
	char *path;
	size_t size, cap;
	bool capped; /* a regular file; devices and pipes are just written to */
};

/* Open for writing, at the end (append) or emptied. Result: 0 or -errno. */
int logfile_open(struct logfile *log, const char *path, size_t cap, bool append);

/* Append bytes; errors are ignored: there is nowhere to report them. */
void logfile_write(struct logfile *log, const void *bytes, size_t len);

/* One line with a time stamp in front; at most 1 KiB of it. */
void logfile_line(struct logfile *log, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void logfile_vline(struct logfile *log, const char *fmt, va_list ap);

void logfile_close(struct logfile *log);

#endif
