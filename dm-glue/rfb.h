/*
 * The opening of an RFB (VNC) connection: towards a client as a server that wants a password, towards QEMU
 * as a client that needs none. After both, the two speak to each other and bytes are only copied.
 *
 * Pure: bytes in, bytes out. What a client sends is hostile; so is what QEMU sends.
 * Reference: RFC 6143, "The Remote Framebuffer Protocol".
 */
#ifndef DM_GLUE_RFB_H
#define DM_GLUE_RFB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RFB_CHALLENGE 16
#define RFB_OUT_MAX   64 /* the most one step wants to send */
#define RFB_IN_MAX    64 /* the longest message of the opening */

enum rfb_step {
	RFB_MORE, /* more bytes needed */
	RFB_DONE, /* the opening is over; bytes that were not taken belong to the session */
	RFB_FAIL, /* wrong password or no RFB: send what there is to send, then hang up */
};

struct rfb_server {
	unsigned int state;
	unsigned int minor; /* of the client's protocol version: 3, 7 or 8 */
	uint8_t challenge[RFB_CHALLENGE];
	uint8_t key[8];
	uint8_t in[RFB_IN_MAX];
	size_t in_len;
};

struct rfb_client {
	unsigned int state;
	uint8_t in[RFB_IN_MAX];
	size_t in_len;
};

/* What is to be sent; the caller empties it. */
struct rfb_out {
	uint8_t bytes[RFB_OUT_MAX];
	size_t len;
};

/* A client has connected. The first eight bytes of the password count; the challenge must be random. */
void rfb_server_start(struct rfb_server *s, const char *password,
		      const uint8_t challenge[RFB_CHALLENGE], struct rfb_out *out);

/* Bytes from the client; *taken of them were used. */
enum rfb_step rfb_server_feed(struct rfb_server *s, const uint8_t *bytes, size_t len, size_t *taken,
			      struct rfb_out *out);

/* The same towards QEMU, which speaks first. */
void rfb_client_start(struct rfb_client *c);
enum rfb_step rfb_client_feed(struct rfb_client *c, const uint8_t *bytes, size_t len, size_t *taken,
			      struct rfb_out *out);

#endif
