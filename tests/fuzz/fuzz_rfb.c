/*
 * A VNC client and a QEMU that send anything, cut anywhere. Oracle: no memory error, no more taken than was
 * given, and nobody is let in without the right response.
 */
#include <stdlib.h>
#include <string.h>
#include "dm-glue/rfb.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition)
{
	if (!condition) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t challenge[RFB_CHALLENGE] = { 0xa5, 0x5a, 3 };
	static const char *const openings[] = { "RFB 003.008\n\2", "RFB 003.003\n", "RFB 003.008\n\1\1" };
	struct rfb_server server;
	struct rfb_client client;
	struct rfb_out out = { .len = 0 };
	enum rfb_step s = RFB_MORE, c = RFB_MORE;
	size_t taken;

	rfb_server_start(&server, "a password nobody guesses", challenge, &out);
	rfb_client_start(&client);
	if (size > 0 && data[0] < 3) {
		const char *text = openings[data[0]];

		s = rfb_server_feed(&server, (const uint8_t *)text, strlen(text), &taken, &out);
		c = rfb_client_feed(&client, (const uint8_t *)text, strlen(text), &taken, &out);
		data++;
		size--;
	}
	while (size > 0) {
		size_t n = 1 + data[0] % 24;

		n = n < size ? n : size;
		out.len = 0;
		if (s == RFB_MORE) {
			s = rfb_server_feed(&server, data, n, &taken, &out);
			must(taken <= n && (s != RFB_MORE || taken == n));
			must(s != RFB_DONE);
		}
		if (c == RFB_MORE) {
			c = rfb_client_feed(&client, data, n, &taken, &out);
			must(taken <= n && (c != RFB_MORE || taken == n));
		}
		must(out.len <= RFB_OUT_MAX);
		data += n;
		size -= n;
	}
	return 0;
}
