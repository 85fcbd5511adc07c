/*
 * A network of its own for one card: libslirp between Ethernet frames on a stream socket and ordinary sockets here.
 *
 * The guest sees what QEMU's user-mode networking shows everywhere: 10.0.2.15 by DHCP, gateway 10.0.2.2, name server
 * 10.0.2.3, and the same in fec0::/64. It reaches what this host reaches, except what listens on the host's loopback
 * addresses (other guests' screens); nobody reaches it. Frames: four bytes of length, most significant first, then
 * the frame, as QEMU's socket netdev has it.
 *
 * Owns: nothing but what usernet_stack_run() has while it runs. Locking: none, one thread.
 */
#ifndef DM_GLUE_USERNET_STACK_H
#define DM_GLUE_USERNET_STACK_H

/* The longest frame taken from the card: QEMU's own limit is a bit more than 64 KiB. */
#define USERNET_FRAME_MAX 69632

/*
 * Serve the card at `fd` (made non-blocking) until its other end closes. Result: 0 then, -EPROTO: what came is not
 * made of frames, -ENOMEM, or another -errno of poll() and the socket.
 */
int usernet_stack_run(int fd);

#endif
