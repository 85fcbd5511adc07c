/* Opening of RFB connections. Contract: rfb.h. */
#include "dm-glue/rfb.h"

#include <nettle/des.h>
#include <string.h>

#define VERSION_LEN   12
#define SECURITY_NONE 1
#define SECURITY_VNC  2

static const char version[] = "RFB 003.008\n";

static void put(struct rfb_out *out, const void *bytes, size_t len)
{
	/* The states send at most half of this at once. */
	if (out->len + len <= sizeof(out->bytes)) {
		memcpy(out->bytes + out->len, bytes, len);
		out->len += len;
	}
}

static void put_u32(struct rfb_out *out, uint32_t value)
{
	const uint8_t bytes[4] = {
		(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value,
	};

	put(out, bytes, sizeof(bytes));
}

/* Collects `want` bytes in `in`. True when they are there. */
static bool collect(uint8_t in[RFB_IN_MAX], size_t *have, size_t want, const uint8_t **bytes,
		    size_t *len)
{
	size_t n = want - *have < *len ? want - *have : *len;

	memcpy(in + *have, *bytes, n);
	*have += n;
	*bytes += n;
	*len -= n;
	return *have == want;
}

/* "RFB 003.00x\n" -> x, where every unknown minor number means 3; -1: no RFB 3. */
static int parse_version(const uint8_t text[VERSION_LEN])
{
	if (memcmp(text, "RFB 003.", 8) != 0 || text[11] != '\n') {
		return -1;
	}
	if (memcmp(text + 8, "008", 3) == 0) {
		return 8;
	}
	return memcmp(text + 8, "007", 3) == 0 ? 7 : 3;
}

/* ---- towards the client ---- */

enum { SERVER_VERSION, SERVER_TYPE, SERVER_RESPONSE };

void rfb_server_start(struct rfb_server *s, const char *password,
		      const uint8_t challenge[RFB_CHALLENGE], struct rfb_out *out)
{
	*s = (struct rfb_server){ .state = SERVER_VERSION };
	memcpy(s->challenge, challenge, RFB_CHALLENGE);
	for (unsigned int i = 0; i < sizeof(s->key) && password[i]; i++) {
		/* The protocol's DES keys have their bits the other way round. */
		for (unsigned int bit = 0; bit < 8; bit++) {
			s->key[i] |= (uint8_t)((password[i] >> bit & 1) << (7 - bit));
		}
	}
	put(out, version, VERSION_LEN);
}

/* The client's version: offer the one kind of authentication. */
static enum rfb_step server_version(struct rfb_server *s, struct rfb_out *out)
{
	static const uint8_t offer[2] = { 1, SECURITY_VNC };
	int minor = parse_version(s->in);

	if (minor < 0) {
		return RFB_FAIL;
	}
	s->minor = (unsigned int)minor;
	if (s->minor >= 7) {
		put(out, offer, sizeof(offer));
		s->state = SERVER_TYPE;
	} else {
		put_u32(out, SECURITY_VNC);
		put(out, s->challenge, RFB_CHALLENGE);
		s->state = SERVER_RESPONSE;
	}
	return RFB_MORE;
}

static enum rfb_step server_type(struct rfb_server *s, struct rfb_out *out)
{
	if (s->in[0] != SECURITY_VNC) {
		return RFB_FAIL;
	}
	put(out, s->challenge, RFB_CHALLENGE);
	s->state = SERVER_RESPONSE;
	return RFB_MORE;
}

static enum rfb_step server_response(struct rfb_server *s, struct rfb_out *out)
{
	static const char reason[] = "wrong password";
	uint8_t want[RFB_CHALLENGE];
	struct des_ctx key;
	uint8_t wrong = 0;

	/* A weak key is as good as any here: the cipher itself is. */
	(void)des_set_key(&key, s->key);
	des_encrypt(&key, RFB_CHALLENGE, want, s->challenge);
	/* All of it, so that the time taken tells nothing. */
	for (unsigned int i = 0; i < RFB_CHALLENGE; i++) {
		wrong |= want[i] ^ s->in[i];
	}
	put_u32(out, wrong ? 1 : 0);
	if (!wrong) {
		return RFB_DONE;
	}
	if (s->minor >= 8) {
		put_u32(out, sizeof(reason) - 1);
		put(out, reason, sizeof(reason) - 1);
	}
	return RFB_FAIL;
}

enum rfb_step rfb_server_feed(struct rfb_server *s, const uint8_t *bytes, size_t len, size_t *taken,
			      struct rfb_out *out)
{
	static const struct {
		size_t want;
		enum rfb_step (*step)(struct rfb_server *, struct rfb_out *);
	} state[] = {
		[SERVER_VERSION] = { VERSION_LEN, server_version },
		[SERVER_TYPE] = { 1, server_type },
		[SERVER_RESPONSE] = { RFB_CHALLENGE, server_response },
	};
	const uint8_t *at = bytes;
	enum rfb_step step = RFB_MORE;

	while (step == RFB_MORE && collect(s->in, &s->in_len, state[s->state].want, &at, &len)) {
		s->in_len = 0;
		step = state[s->state].step(s, out);
	}
	*taken = (size_t)(at - bytes);
	return step;
}

/* ---- towards QEMU ---- */

enum { CLIENT_VERSION, CLIENT_COUNT, CLIENT_TYPES, CLIENT_RESULT };

void rfb_client_start(struct rfb_client *c)
{
	*c = (struct rfb_client){ .state = CLIENT_VERSION };
}

/* How many bytes the state needs; those of CLIENT_TYPES follow the count in `in`. */
static size_t client_wants(const struct rfb_client *c)
{
	switch (c->state) {
	case CLIENT_VERSION:
		return VERSION_LEN;
	case CLIENT_COUNT:
		return 1;
	case CLIENT_TYPES:
		return 1 + (size_t)c->in[0];
	default:
		return 4;
	}
}

static enum rfb_step client_step(struct rfb_client *c, struct rfb_out *out)
{
	static const uint8_t none = SECURITY_NONE;

	switch (c->state) {
	case CLIENT_VERSION:
		if (parse_version(c->in) != 8) {
			return RFB_FAIL;
		}
		put(out, version, VERSION_LEN);
		c->in_len = 0;
		break;
	case CLIENT_COUNT:
		/* Keep the count: the types are collected behind it. */
		if (c->in[0] == 0 || c->in[0] >= RFB_IN_MAX) {
			return RFB_FAIL;
		}
		break;
	case CLIENT_TYPES:
		if (memchr(c->in + 1, SECURITY_NONE, c->in[0]) == NULL) {
			return RFB_FAIL;
		}
		put(out, &none, 1);
		c->in_len = 0;
		break;
	default:
		return memcmp(c->in, "\0\0\0\0", 4) == 0 ? RFB_DONE : RFB_FAIL;
	}
	c->state++;
	return RFB_MORE;
}

enum rfb_step rfb_client_feed(struct rfb_client *c, const uint8_t *bytes, size_t len, size_t *taken,
			      struct rfb_out *out)
{
	const uint8_t *at = bytes;
	enum rfb_step step = RFB_MORE;

	while (step == RFB_MORE && collect(c->in, &c->in_len, client_wants(c), &at, &len)) {
		step = client_step(c, out);
	}
	*taken = (size_t)(at - bytes);
	return step;
}
