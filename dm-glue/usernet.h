/*
 * Networking without rights: a card whose other end is a process that opens ordinary sockets on the host.
 *
 * QEMU for Xen comes without its user-mode network. ostler-usernet (usernet_main.c, over libslirp) is one, in a process
 * of its own that confines itself; QEMU and it share a socket pair, so QEMU needs no network at all. What the guest
 * sees is in usernet_stack.h. (passt was tried: the version in Debian 12 ignores frames that a card has padded to
 * Ethernet's 60 bytes, so that TCP does not work over an e1000.)
 *
 * Owns: the ostler-usernet process. It ends by itself when QEMU's end of the socket closes. Locking: none.
 */
#ifndef DM_GLUE_USERNET_H
#define DM_GLUE_USERNET_H

#include <stdbool.h>
#include <sys/types.h>

#define USERNET_PROGRAM OSTLER_LIBEXECDIR "/ostler-usernet"

struct usernet {
	pid_t pid; /* 0: none */
};

/* Make the socket pair: *qemu_fd for QEMU, *net_fd for usernet_start(). Result: 0 or -errno. */
int usernet_sockets(int *qemu_fd, int *net_fd);

/*
 * Start it on net_fd (which is closed) as user `uid` in an empty root mounted at `root`; what it says goes to log_fd. Result: 0, -ENOENT: it is not
 * installed, or -errno. Whether it can work shows a moment later: usernet_alive().
 */
int usernet_start(struct usernet *un, int net_fd, uid_t uid, const char *root, int log_fd);

/* Is it running? False also when there is none. */
bool usernet_alive(struct usernet *un);

/* End it, if it has not ended by itself. */
void usernet_stop(struct usernet *un);

#endif
