/*
 * VNC for one guest: accepts clients where the configuration says, and brings them to QEMU, which has no
 * listener that anybody could reach.
 *
 * Without a password a client's connection is handed to QEMU and forgotten. With one, we do the authentication
 * ourselves, because distributions build QEMU for Xen without the cipher that it takes, and then copy bytes.
 *
 * Owns: the client connections that are being opened or copied. Not here: the listening socket
 * (resources.c), the QMP session. Locking: none; one thread, nothing blocks.
 */
#ifndef DM_GLUE_VNC_H
#define DM_GLUE_VNC_H

#include <poll.h>
#include <stdint.h>
#include <time.h>

#include "dm-glue/rfb.h"

#define VNC_CLIENTS	    8
#define VNC_SLOTS	    (2 * VNC_CLIENTS) /* descriptors to poll */
#define VNC_BUFFER	    65536
#define VNC_OPENING_SECONDS 30

/* Bytes on their way in one direction. */
struct vnc_pipe {
	uint8_t buf[VNC_BUFFER];
	size_t from, to;
};

struct vnc_client {
	int fd;	 /* the client's; -1: this entry is free */
	int qemu; /* our end of the connection to QEMU; -1: not yet authenticated */
	bool client_open, qemu_open; /* the opening towards each is over */
	bool closing;		     /* send what is left, then hang up */
	struct rfb_server server;
	struct rfb_client to_qemu;
	struct vnc_pipe up, down; /* client -> QEMU, QEMU -> client */
	time_t began;
};

struct vnc {
	struct vnc_client *clients; /* VNC_CLIENTS of them, NULL without a password */
	const char *password;
	/* Gives QEMU the other end of a connection. Result: 0 or -errno. */
	int (*attach)(void *ctx, int fd);
	void *ctx;
};

/* password NULL: clients go to QEMU as they come. Result: 0 or -ENOMEM. */
int vnc_init(struct vnc *vnc, const char *password, int (*attach)(void *ctx, int fd), void *ctx);

/* A client waits at the listening socket. Result: 0, or -errno when it was turned away. */
int vnc_accept(struct vnc *vnc, int listen_fd);

/* Fill the slots of all connections; unused ones get fd -1. */
void vnc_poll_fill(const struct vnc *vnc, struct pollfd slot[VNC_SLOTS]);

/* Handle what poll() found, and connections that take too long to open. */
void vnc_poll_done(struct vnc *vnc, const struct pollfd slot[VNC_SLOTS]);

void vnc_close(struct vnc *vnc);

#endif
