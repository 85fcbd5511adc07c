/*
 * A minimal xenstore client: read a value, list a directory, leave.
 */
#ifndef HVMLOADER_XENSTORE_H
#define HVMLOADER_XENSTORE_H

#include <stdint.h>

/* Look for the ring. Without one, or when the daemon does not answer, every read finds nothing. */
void xenstore_init(void);

/*
 * Read a value, or the names in a directory (each ended by NUL), relative to the domain's own
 * path. Returns its length, without the NUL that is put behind it; -1 when there is none. A value
 * that does not fit is cut.
 */
int xenstore_read(const char *path, char *buffer, uint32_t size);
int xenstore_list(const char *path, char *buffer, uint32_t size);

/* Leave the ring so that the operating system can start from nothing. */
void xenstore_shutdown(void);

#endif
