/*
 * What the supervisor says about its guest in xenstore, under the names that stock tools read.
 * Locking: none.
 */
#ifndef DM_GLUE_PUBLISH_H
#define DM_GLUE_PUBLISH_H

#include <stdint.h>
#include <sys/types.h>

#include "toolstack/lib/store.h"

/* Before QEMU starts: the directory it reports to, without a predecessor's state. 0 or -errno. */
int publish_prepare(struct store *st, uint32_t domid);

/* Wait until QEMU has written its state "running". Result: 0, -ETIMEDOUT or -errno. */
int publish_wait_running(struct store *st, uint32_t domid, int timeout_ms);
/* Write it for a QEMU that was restricted before it could. */
int publish_running(struct store *st, uint32_t domid);

int publish_pid(struct store *st, uint32_t domid, pid_t pid);
int publish_vnc(struct store *st, uint32_t domid, const char *listen, int port);
int publish_vnc_socket(struct store *st, uint32_t domid, const char *path);
int publish_serial(struct store *st, uint32_t domid, unsigned int port, const char *tty);
int publish_end(struct store *st, uint32_t domid, const char *reason);

/* Remove QEMU's directory. */
void publish_remove(struct store *st, uint32_t domid);

#endif
