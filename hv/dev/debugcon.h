/*
 * Debug console, port E9h: what firmware writes there, byte by byte, becomes lines for the log.
 *
 * Only printable text leaves: other bytes are replaced, long lines are cut into several. How many
 * lines a guest may cause is the caller's decision. Caller's lock.
 */
#ifndef DEV_DEBUGCON_H
#define DEV_DEBUGCON_H

#include "dev/vdev.h"

#define DEBUGCON_PORT 0xe9u
#define DEBUGCON_LINE 160

struct debugcon_host {
	/* One line without its end, NUL-terminated, at most DEBUGCON_LINE - 1 characters. */
	void (*line)(void *ctx, const char *text);
	void *ctx;
};

struct debugcon {
	const struct debugcon_host *host;
	unsigned int used;
	char text[DEBUGCON_LINE];
};

void debugcon_init(struct debugcon *d, const struct debugcon_host *host);
/* Give away what stands in an unfinished line (the guest has ended). */
void debugcon_flush(struct debugcon *d);
/* Writes of port E9h; reads are unclaimed. */
enum io_result debugcon_io(struct debugcon *d, struct io_access *a);

#endif
