/*
 * dm-glue/rfb.c, vnc.c: a known response, every version of the opening, wrong passwords,
 * and connections through the relay with a QEMU made of this file.
 */
#include <check.h>
#include <errno.h>
#include <nettle/des.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "dm-glue/vnc.h"

static uint8_t challenge[RFB_CHALLENGE] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };

/* What a client answers. */
static void respond(const char *password, const uint8_t given[RFB_CHALLENGE], uint8_t out[RFB_CHALLENGE])
{
	uint8_t key[8] = { 0 };
	struct des_ctx ctx;

	for (unsigned int i = 0; i < 8 && password[i]; i++) {
		for (unsigned int bit = 0; bit < 8; bit++) {
			key[i] |= (uint8_t)((password[i] >> bit & 1) << (7 - bit));
		}
	}
	(void)des_set_key(&ctx, key);
	des_encrypt(&ctx, RFB_CHALLENGE, out, given);
}

/* The answer that the protocol demands for this password, computed by another implementation of the cipher. */
START_TEST(test_response)
{
	static const uint8_t want[RFB_CHALLENGE] = {
		0xf6, 0x73, 0xf0, 0x48, 0x0e, 0x26, 0x6b, 0x44,
		0x50, 0x69, 0x89, 0x35, 0x44, 0x79, 0xbd, 0x95,
	};
	uint8_t got[RFB_CHALLENGE];

	respond("secret", challenge, got);
	ck_assert_mem_eq(got, want, sizeof(want));
}
END_TEST

static void expect(struct rfb_out *out, const void *bytes, size_t len)
{
	ck_assert_uint_eq(out->len, len);
	ck_assert_mem_eq(out->bytes, bytes, len);
	out->len = 0;
}

static enum rfb_step feed(struct rfb_server *s, const void *bytes, size_t len, struct rfb_out *out)
{
	size_t taken;
	enum rfb_step step = rfb_server_feed(s, bytes, len, &taken, out);

	ck_assert_uint_eq(taken, len);
	return step;
}

START_TEST(test_server_38)
{
	struct rfb_server s;
	struct rfb_out out = { .len = 0 };
	uint8_t response[RFB_CHALLENGE];

	rfb_server_start(&s, "secret", challenge, &out);
	expect(&out, "RFB 003.008\n", 12);
	for (unsigned int i = 0; i < 12; i++) {
		ck_assert_int_eq(feed(&s, "RFB 003.008\n" + i, 1, &out), RFB_MORE);
	}
	expect(&out, "\1\2", 2);
	ck_assert_int_eq(feed(&s, "\2", 1, &out), RFB_MORE);
	expect(&out, challenge, 16);
	respond("secret", challenge, response);
	ck_assert_int_eq(feed(&s, response, 16, &out), RFB_DONE);
	expect(&out, "\0\0\0\0", 4);
}
END_TEST

START_TEST(test_server_33_and_37)
{
	struct rfb_server s;
	struct rfb_out out = { .len = 0 };
	uint8_t response[RFB_CHALLENGE], want[20] = { 0, 0, 0, 2 };

	rfb_server_start(&s, "secretXYignored", challenge, &out);
	out.len = 0;
	ck_assert_int_eq(feed(&s, "RFB 003.003\n", 12, &out), RFB_MORE);
	memcpy(want + 4, challenge, 16);
	expect(&out, want, 20);
	respond("secretXY", challenge, response);
	ck_assert_int_eq(feed(&s, response, 16, &out), RFB_DONE);
	rfb_server_start(&s, "secret", challenge, &out);
	out.len = 0;
	ck_assert_int_eq(feed(&s, "RFB 003.007\n\2", 13, &out), RFB_MORE);
	out.len = 0;
	response[3] ^= 1;
	ck_assert_int_eq(feed(&s, response, 16, &out), RFB_FAIL);
	expect(&out, "\0\0\0\1", 4);
}
END_TEST

START_TEST(test_server_refuses)
{
	struct rfb_server s;
	struct rfb_out out = { .len = 0 };
	uint8_t response[RFB_CHALLENGE];

	rfb_server_start(&s, "secret", challenge, &out);
	out.len = 0;
	ck_assert_int_eq(feed(&s, "RFB 003.008\n\2", 13, &out), RFB_MORE);
	out.len = 0;
	respond("Secret", challenge, response);
	ck_assert_int_eq(feed(&s, response, 16, &out), RFB_FAIL);
	expect(&out, "\0\0\0\1\0\0\0\016wrong password", 22);
	/* Asking for no authentication, although it was not offered. */
	rfb_server_start(&s, "secret", challenge, &out);
	ck_assert_int_eq(feed(&s, "RFB 003.008\n\1", 13, &out), RFB_FAIL);
	rfb_server_start(&s, "secret", challenge, &out);
	ck_assert_int_eq(feed(&s, "GET / HTTP/1", 12, &out), RFB_FAIL);
	/* An empty password lets in who knows that it is empty, and nobody else. */
	out.len = 0;
	rfb_server_start(&s, "", challenge, &out);
	out.len = 0;
	ck_assert_int_eq(feed(&s, "RFB 003.008\n\2", 13, &out), RFB_MORE);
	memset(response, 0, sizeof(response));
	ck_assert_int_eq(feed(&s, response, 16, &out), RFB_FAIL);
}
END_TEST

START_TEST(test_client)
{
	struct rfb_client c;
	struct rfb_out out = { .len = 0 };
	size_t taken;

	rfb_client_start(&c);
	ck_assert_int_eq(rfb_client_feed(&c, (const uint8_t *)"RFB 003.008\n\2", 13, &taken, &out), RFB_MORE);
	expect(&out, "RFB 003.008\n", 12);
	ck_assert_int_eq(rfb_client_feed(&c, (const uint8_t *)"\2\1\0\0\0\0tail", 10, &taken, &out), RFB_DONE);
	ck_assert_uint_eq(taken, 6);
	expect(&out, "\1", 1);
	rfb_client_start(&c);
	ck_assert_int_eq(rfb_client_feed(&c, (const uint8_t *)"RFB 003.008\n\1\2", 14, &taken, &out), RFB_FAIL);
	rfb_client_start(&c);
	ck_assert_int_eq(rfb_client_feed(&c, (const uint8_t *)"RFB 003.008\n\0", 13, &taken, &out), RFB_FAIL);
	rfb_client_start(&c);
	ck_assert_int_eq(rfb_client_feed(&c, (const uint8_t *)"RFB 003.008\n\xff", 13, &taken, &out), RFB_FAIL);
}
END_TEST

/* ---- through the relay ---- */

static struct vnc vnc;
static int listener, qemu_end;
static struct sockaddr_un addr;

static int attach(void *ctx, int fd)
{
	qemu_end = dup(fd);
	return qemu_end < 0 ? -errno : 0;
}

static int attach_fails(void *ctx, int fd)
{
	return -EREMOTEIO;
}

static void setup(void)
{
	socklen_t len = sizeof(addr);

	/* An address of the kernel's choice. */
	addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&addr, sizeof(sa_family_t)), 0);
	ck_assert_int_eq(listen(listener, 16), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&addr, &len), 0);
	qemu_end = -1;
}

static void teardown(void)
{
	vnc_close(&vnc);
	close(listener);
	if (qemu_end >= 0) {
		close(qemu_end);
	}
}

static int connect_client(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	ck_assert_int_eq(connect(fd, (struct sockaddr *)&addr, sizeof(sa_family_t) + 6), 0);
	return fd;
}

/* Let the relay work until it has nothing more to do. */
static void turn(void)
{
	struct pollfd slot[VNC_SLOTS];

	for (int i = 0; i < 2000; i++) {
		vnc_poll_fill(&vnc, slot);
		if (poll(slot, VNC_SLOTS, 10) == 0) {
			return;
		}
		vnc_poll_done(&vnc, slot);
	}
}

static void receive(int fd, const void *bytes, size_t len)
{
	uint8_t got[128];

	ck_assert_int_eq(recv(fd, got, len, MSG_DONTWAIT), (ssize_t)len);
	ck_assert_mem_eq(got, bytes, len);
}

static void transmit(int fd, const void *bytes, size_t len)
{
	ck_assert_int_eq(send(fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
	turn();
}

START_TEST(test_without_password)
{
	ck_assert_int_eq(vnc_init(&vnc, NULL, attach, NULL), 0);
	int fd = connect_client();
	ck_assert_int_eq(vnc_accept(&vnc, listener), 0);
	/* It is QEMU's connection now. */
	ck_assert_int_eq(send(qemu_end, "x", 1, 0), 1);
	receive(fd, "x", 1);
	close(fd);
}
END_TEST

/* A client that has authenticated; QEMU's side waits for the answer to its version. */
static int authenticate(void)
{
	uint8_t given[RFB_CHALLENGE], response[RFB_CHALLENGE];
	int fd = connect_client();

	ck_assert_int_eq(vnc_accept(&vnc, listener), 0);
	receive(fd, "RFB 003.008\n", 12);
	transmit(fd, "RFB 003.008\n", 12);
	receive(fd, "\1\2", 2);
	transmit(fd, "\2", 1);
	ck_assert_int_eq(recv(fd, given, 16, MSG_DONTWAIT), 16);
	respond("secret", given, response);
	transmit(fd, response, 16);
	receive(fd, "\0\0\0\0", 4);
	ck_assert_int_ge(qemu_end, 0);
	return fd;
}

START_TEST(test_relay)
{
	ck_assert_int_eq(vnc_init(&vnc, "secret", attach, NULL), 0);
	int fd = authenticate();
	/* The client is faster than QEMU: its first byte must wait for QEMU's opening. */
	transmit(fd, "\1", 1);
	transmit(qemu_end, "RFB 003.008\n", 12);
	receive(qemu_end, "RFB 003.008\n", 12);
	transmit(qemu_end, "\1\1", 2);
	receive(qemu_end, "\1", 1);
	transmit(qemu_end, "\0\0\0\0screen", 10);
	receive(qemu_end, "\1", 1);
	receive(fd, "screen", 6);
	transmit(fd, "keys", 4);
	receive(qemu_end, "keys", 4);
	/* More than fits anywhere: what is not taken waits, nothing is lost. */
	size_t sent = 0, got = 0;
	static uint8_t block[8192];
	while (sent < 3000000) {
		memset(block, (int)(sent / sizeof(block) % 251), sizeof(block));
		ssize_t n = send(qemu_end, block, sizeof(block), MSG_DONTWAIT);
		if (n == sizeof(block)) {
			sent += (size_t)n;
			continue;
		}
		ck_assert_int_eq(n, -1);
		turn();
		for (ssize_t r; (r = recv(fd, block, 8192 - got % 8192, MSG_DONTWAIT)) > 0; got += (size_t)r) {
			ck_assert_uint_eq(block[0], got / 8192 % 251);
			ck_assert_uint_eq(block[r - 1], got / 8192 % 251);
		}
	}
	close(qemu_end);
	qemu_end = -1;
	for (int i = 0; i < 2000 && got < sent; i++) {
		turn();
		for (ssize_t r; (r = recv(fd, block, sizeof(block), MSG_DONTWAIT)) > 0; got += (size_t)r) {
		}
	}
	ck_assert_uint_eq(got, sent);
	close(fd);
	turn();
	ck_assert_int_eq(vnc.clients[0].fd, -1);
}
END_TEST

START_TEST(test_wrong_password)
{
	uint8_t text[64];

	ck_assert_int_eq(vnc_init(&vnc, "secret", attach, NULL), 0);
	int fd = connect_client();
	ck_assert_int_eq(vnc_accept(&vnc, listener), 0);
	receive(fd, "RFB 003.008\n", 12);
	transmit(fd, "RFB 003.008\n\2nonsense-sixteen", 29);
	turn();
	ck_assert_int_eq(recv(fd, text, sizeof(text), MSG_DONTWAIT), 2 + 16 + 8 + 14);
	ck_assert_int_eq(recv(fd, text, sizeof(text), MSG_DONTWAIT), 0);
	ck_assert_int_eq(qemu_end, -1);
	ck_assert_int_eq(vnc.clients[0].fd, -1);
	close(fd);
}
END_TEST

START_TEST(test_too_many_and_hang_ups)
{
	int fd[VNC_CLIENTS + 1];

	ck_assert_int_eq(vnc_init(&vnc, "secret", attach_fails, NULL), 0);
	for (unsigned int i = 0; i <= VNC_CLIENTS; i++) {
		fd[i] = connect_client();
		ck_assert_int_eq(vnc_accept(&vnc, listener), i < VNC_CLIENTS ? 0 : -EBUSY);
	}
	close(fd[3]);
	turn();
	ck_assert_int_eq(vnc.clients[3].fd, -1);
	int again = connect_client();
	ck_assert_int_eq(vnc_accept(&vnc, listener), 0);
	/* One that does not finish its opening is thrown out in time. */
	vnc.clients[5].began -= VNC_OPENING_SECONDS + 1;
	struct pollfd slot[VNC_SLOTS];
	vnc_poll_fill(&vnc, slot);
	poll(slot, VNC_SLOTS, 0);
	vnc_poll_done(&vnc, slot);
	ck_assert_int_eq(vnc.clients[5].fd, -1);
	close(again);
	for (unsigned int i = 0; i <= VNC_CLIENTS; i++) {
		if (i != 3) {
			close(fd[i]);
		}
	}
	turn();
	for (unsigned int i = 0; i < VNC_CLIENTS; i++) {
		ck_assert_int_eq(vnc.clients[i].fd, -1);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vnc");
	TCase *tc = tcase_create("rfb");
	TCase *relay = tcase_create("relay");

	tcase_add_test(tc, test_response);
	tcase_add_test(tc, test_server_38);
	tcase_add_test(tc, test_server_33_and_37);
	tcase_add_test(tc, test_server_refuses);
	tcase_add_test(tc, test_client);
	suite_add_tcase(suite, tc);
	tcase_set_timeout(relay, 60);
	tcase_add_checked_fixture(relay, setup, teardown);
	tcase_add_test(relay, test_without_password);
	tcase_add_test(relay, test_relay);
	tcase_add_test(relay, test_wrong_password);
	tcase_add_test(relay, test_too_many_and_hang_ups);
	suite_add_tcase(suite, relay);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
