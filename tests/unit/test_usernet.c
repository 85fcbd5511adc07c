/*
 * dm-glue/usernet_stack.c: a card made of this file asks for an address, opens connections, and misbehaves.
 *
 * The network has no way out here and needs none: what is looked at is answered by the network itself.
 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "dm-glue/usernet_stack.h"

#define ETH 14
#define IP  20

static const uint8_t mac[6] = { 0x00, 0x16, 0x3e, 0, 0, 1 };
static const uint8_t guest[4] = { 10, 0, 2, 15 }, gateway[4] = { 10, 0, 2, 2 };

static int card; /* our end */
static pid_t stack;

/* The stack runs in a child whose exit code is the negated result. */
static void start(void)
{
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	stack = fork();
	ck_assert_int_ge(stack, 0);
	if (stack == 0) {
		close(pair[0]);
		_exit(-usernet_stack_run(pair[1]));
	}
	close(pair[1]);
	card = pair[0];
}

static int result(void)
{
	int status;

	ck_assert_int_eq(waitpid(stack, &status, 0), stack);
	ck_assert(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

static int stop(void)
{
	close(card);
	return result();
}

static void put16(uint8_t *at, unsigned int value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static unsigned int get16(const uint8_t *at)
{
	return at[0] * 256u + at[1];
}

/* The Internet checksum (RFC 1071) over what may be two pieces. */
static uint32_t sum(const uint8_t *at, size_t len, uint32_t from)
{
	for (size_t i = 0; i < len; i++) {
		from += i % 2 ? at[i] : at[i] * 256u;
	}
	return from;
}

static unsigned int checksum(uint32_t total)
{
	while (total >> 16) {
		total = (total & 0xffff) + (total >> 16);
	}
	return ~total & 0xffff;
}

/* An IPv4 packet in a frame, padded to Ethernet's 60 bytes as cards do. Returns the frame's length. */
static size_t frame(uint8_t *f, unsigned int protocol, const uint8_t src[4], const uint8_t dst[4],
		    const uint8_t *payload, size_t len)
{
	size_t whole = ETH + IP + len;

	memset(f, 0, 60);
	memset(f, 0xff, 6);
	memcpy(f + 6, mac, 6);
	put16(f + 12, 0x0800);
	uint8_t *ip = f + ETH;
	ip[0] = 0x45;
	put16(ip + 2, (unsigned int)(IP + len));
	ip[8] = 64;
	ip[9] = (uint8_t)protocol;
	memcpy(ip + 12, src, 4);
	memcpy(ip + 16, dst, 4);
	put16(ip + 10, checksum(sum(ip, IP, 0)));
	memcpy(ip + IP, payload, len);
	return whole < 60 ? 60 : whole;
}

static void send_frame(const uint8_t *f, size_t len)
{
	uint32_t length = htonl((uint32_t)len);

	ck_assert_int_eq(write(card, &length, 4), 4);
	ck_assert_int_eq(write(card, f, len), (ssize_t)len);
}

/* ARP: without it the network asks who the guest is before it answers. */
static void announce(void)
{
	uint8_t arp[60] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	memcpy(arp + 6, mac, 6);
	memcpy(arp + 12, "\x08\x06\x00\x01\x08\x00\x06\x04\x00\x01", 10);
	memcpy(arp + 22, mac, 6);
	memcpy(arp + 28, guest, 4);
	memcpy(arp + 38, gateway, 4);
	send_frame(arp, sizeof(arp));
}

/* The next IPv4 frame of that protocol; others (advertisements) go by. Length, without padding. */
static size_t receive(unsigned int protocol, uint8_t f[2048])
{
	for (;;) {
		uint32_t length;

		ck_assert_int_eq(recv(card, &length, 4, MSG_WAITALL), 4);
		length = ntohl(length);
		ck_assert_uint_le(length, 2048);
		ck_assert_int_eq(recv(card, f, length, MSG_WAITALL), (ssize_t)length);
		if (get16(f + 12) == 0x0800 && f[ETH + 9] == protocol) {
			return ETH + get16(f + ETH + 2);
		}
	}
}

/* RFC 2131: discover; the offer's address and options. */
START_TEST(test_dhcp)
{
	static const uint8_t any[4] = { 0 }, all[4] = { 255, 255, 255, 255 };
	uint8_t udp[8 + 240 + 4] = { 0 }, f[2048];

	start();
	put16(udp, 68);
	put16(udp + 2, 67);
	put16(udp + 4, sizeof(udp));
	udp[8] = 1;  /* request */
	udp[9] = 1;  /* Ethernet */
	udp[10] = 6; /* bytes of its addresses */
	memcpy(udp + 8 + 28, mac, 6);
	memcpy(udp + 8 + 236, "\x63\x82\x53\x63", 4);
	memcpy(udp + 8 + 240, "\x35\x01\x01\xff", 4); /* message type: discover; end */
	send_frame(f, frame(f, 17, any, all, udp, sizeof(udp)));
	size_t len = receive(17, f);
	const uint8_t *reply = f + ETH + IP + 8;
	ck_assert_uint_ge(len, ETH + IP + 8 + 240u);
	ck_assert_uint_eq(reply[0], 2);
	ck_assert_mem_eq(reply + 16, guest, 4);
	bool router = false, offer = false;
	for (const uint8_t *o = reply + 240; o + 1 < f + len && *o != 255; o += 2 + o[1]) {
		offer |= o[0] == 53 && o[2] == 2;
		router |= o[0] == 3 && memcmp(o + 2, gateway, 4) == 0;
	}
	ck_assert(offer);
	ck_assert(router);
	ck_assert_int_eq(stop(), 0);
}
END_TEST

static size_t tcp_syn(uint8_t *f, unsigned int port)
{
	uint8_t tcp[20] = { 0 }, pseudo[12] = { 0 };

	put16(tcp, 40000);
	put16(tcp + 2, port);
	tcp[7] = 1; /* sequence number */
	tcp[12] = 0x50;
	tcp[13] = 2; /* SYN */
	put16(tcp + 14, 8192);
	memcpy(pseudo, guest, 4);
	memcpy(pseudo + 4, gateway, 4);
	pseudo[9] = 6;
	pseudo[11] = sizeof(tcp);
	put16(tcp + 16, checksum(sum(tcp, sizeof(tcp), sum(pseudo, sizeof(pseudo), 0))));
	return frame(f, 6, guest, gateway, tcp, sizeof(tcp));
}

/* The gateway is not the host: somebody listens on the loopback address, and the guest is refused. */
START_TEST(test_no_loopback)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(at);
	uint8_t f[2048];
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
	ck_assert_int_eq(listen(listener, 4), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&at, &size), 0);
	start();
	announce();
	send_frame(f, tcp_syn(f, ntohs(at.sin_port)));
	/* Refused, by TCP's RST or in words of ICMP; never SYN and ACK. */
	struct pollfd wait = { .fd = listener, .events = POLLIN };
	ck_assert_int_eq(poll(&wait, 1, 500), 0);
	ck_assert_int_eq(stop(), 0);
	close(listener);
}
END_TEST

/* Padding behind a packet is not part of it: the answer to a short ping is as short. */
START_TEST(test_padding)
{
	uint8_t f[2048], icmp[8 + 4] = { 8 };

	start();
	announce();
	memcpy(icmp + 8, "ping", 4);
	put16(icmp + 2, checksum(sum(icmp, sizeof(icmp), 0)));
	send_frame(f, frame(f, 1, guest, gateway, icmp, sizeof(icmp)));
	ck_assert_uint_eq(receive(1, f), ETH + IP + sizeof(icmp));
	ck_assert_mem_eq(f + ETH + 12, gateway, 4);
	ck_assert_uint_eq(f[ETH + IP], 0); /* echo reply */
	ck_assert_mem_eq(f + ETH + IP + 8, "ping", 4);
	ck_assert_int_eq(stop(), 0);
}
END_TEST

/* Frames cut anywhere arrive whole. */
START_TEST(test_pieces)
{
	uint8_t f[2048], icmp[8] = { 8 }, stream[4 + 60];
	uint32_t length;

	start();
	announce();
	put16(icmp + 2, checksum(sum(icmp, sizeof(icmp), 0)));
	length = htonl((uint32_t)frame(f, 1, guest, gateway, icmp, sizeof(icmp)));
	memcpy(stream, &length, 4);
	memcpy(stream + 4, f, 60);
	for (size_t i = 0; i < sizeof(stream); i++) {
		ck_assert_int_eq(write(card, stream + i, 1), 1);
	}
	ck_assert_uint_eq(receive(1, f), ETH + IP + sizeof(icmp));
	ck_assert_int_eq(stop(), 0);
}
END_TEST

START_TEST(test_hostile)
{
	static const uint8_t empty[4] = { 0 }, too_long[4] = { 0, 1, 0x10, 1 };

	start();
	ck_assert_int_eq(write(card, empty, 4), 4);
	for (unsigned int i = 1; i < 100; i++) {
		uint8_t junk[100];

		for (unsigned int k = 0; k < i; k++) {
			junk[k] = (uint8_t)(k < 12 ? 0 : k < 14 ? "\x08\x00"[k - 12] : rand());
		}
		send_frame(junk, i);
	}
	ck_assert_int_eq(write(card, too_long, 4), 4);
	ck_assert_int_eq(result(), -EPROTO);
	close(card);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("usernet");
	TCase *tc = tcase_create("usernet");

	tcase_add_test(tc, test_dhcp);
	tcase_add_test(tc, test_no_loopback);
	tcase_add_test(tc, test_padding);
	tcase_add_test(tc, test_pieces);
	tcase_add_test(tc, test_hostile);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
