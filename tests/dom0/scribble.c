/*
 * A device model that breaks the rules: claims a port and a memory range of a guest (tests/guest/poke), answers some
 * requests properly to show that it is heard, then misbehaves in the way that is asked for.
 *
 * usage: scribble DOMID MODE [SECONDS]
 * Runs in Dom0 as root. It prints one line for each thing it did; it exits 0 when it got as far as misbehaving.
 * What becomes of the guest is for the caller to look at.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <xendevicemodel.h>
#include <xenevtchn.h>
#include <xenforeignmemory.h>
#include <xen/memory.h>
#include <xen/hvm/dm_op.h>
#include <xen/hvm/hvm_op.h>

#include "ioreq/slot.h"

#define PAGE         4096
#define FIRST_PORT   0x5000
#define LAST_PORT    0x500f
#define FIRST_DEVICE 0xf1000000u
#define LAST_DEVICE  0xf1000fffu
#define GOOD_ANSWERS 64
#define SLOTS        (PAGE / sizeof(struct ioreq_slot))

struct model {
	domid_t domid;
	double seconds;
	xendevicemodel_handle *dm;
	xenforeignmemory_handle *memory;
	xenevtchn_handle *events;
	ioservid_t id;
	xenforeignmemory_resource_handle *resource;
	uint8_t *ring;                  /* page 0: the buffered ring */
	struct ioreq_slot *slots;       /* page 1 */
	evtchn_port_t local;
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "scribble: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void attach(struct model *m)
{
	void *pages = NULL;

	m->dm = xendevicemodel_open(NULL, 0);
	m->memory = xenforeignmemory_open(NULL, 0);
	m->events = xenevtchn_open(NULL, 0);
	if (m->dm == NULL || m->memory == NULL || m->events == NULL) {
		die("open");
	}
	if (xendevicemodel_create_ioreq_server(m->dm, m->domid, HVM_IOREQSRV_BUFIOREQ_ATOMIC, &m->id) != 0) {
		die("create_ioreq_server");
	}
	m->resource = xenforeignmemory_map_resource(m->memory, m->domid, XENMEM_resource_ioreq_server, m->id, 0, 2,
						    &pages, PROT_READ | PROT_WRITE, 0);
	if (m->resource == NULL) {
		die("map_resource");
	}
	m->ring = pages;
	m->slots = (struct ioreq_slot *)(m->ring + PAGE);
	if (xendevicemodel_map_io_range_to_ioreq_server(m->dm, m->domid, m->id, 0, FIRST_PORT, LAST_PORT) != 0 ||
	    xendevicemodel_map_io_range_to_ioreq_server(m->dm, m->domid, m->id, 1, FIRST_DEVICE, LAST_DEVICE) != 0) {
		die("map_io_range");
	}
	if (xendevicemodel_set_ioreq_server_state(m->dm, m->domid, m->id, 1) != 0) {
		die("set_ioreq_server_state");
	}
	int port = xenevtchn_bind_interdomain(m->events, m->domid, m->slots[0].vp_eport);

	if (port < 0) {
		die("bind_interdomain");
	}
	m->local = (evtchn_port_t)port;
}

/* Wait for a request and take it; false: none came in time. */
static bool take(struct model *m, struct ioreq *req)
{
	double end = now() + 10;

	while (now() < end) {
		struct pollfd fd = { .fd = xenevtchn_fd(m->events), .events = POLLIN };

		if (poll(&fd, 1, 200) == 1) {
			int port = xenevtchn_pending(m->events);

			if (port >= 0) {
				(void)xenevtchn_unmask(m->events, (evtchn_port_t)port);
			}
		}
		if (ioreq_accept(&m->slots[0], req) == 0) {
			return true;
		}
	}
	return false;
}

static void answer(struct model *m, uint64_t data)
{
	ioreq_answer(&m->slots[0], data);
	(void)xenevtchn_notify(m->events, m->local);
}

/* ---- ways to misbehave: each starts with a request taken and not answered ---- */

/* A state that exists, but not now; then nothing more. */
static void impossible(struct model *m)
{
	m->slots[0].bits = STATE_IOREQ_NONE;
	(void)xenevtchn_notify(m->events, m->local);
}

/* The hypervisor must have seen INPROCESS: READY alone looks like a request that nobody has taken yet. */
static void backwards(struct model *m)
{
	(void)xenevtchn_notify(m->events, m->local);
	usleep(200000);
	m->slots[0].bits = STATE_IOREQ_READY;
	(void)xenevtchn_notify(m->events, m->local);
}

static void unknown(struct model *m)
{
	m->slots[0].bits = 0xff;
	(void)xenevtchn_notify(m->events, m->local);
}

/* While the server is off nobody asks: then the slot can be found busy by the next request. */
static void busy(struct model *m)
{
	if (xendevicemodel_set_ioreq_server_state(m->dm, m->domid, m->id, 0) != 0) {
		die("set_ioreq_server_state");
	}
	usleep(200000);
	m->slots[0].bits = STATE_IOREQ_INPROCESS;
	if (xendevicemodel_set_ioreq_server_state(m->dm, m->domid, m->id, 1) != 0) {
		die("set_ioreq_server_state");
	}
}

/* Random bytes over both pages, with doorbells, for as long as the guest may live. */
static void noise(struct model *m)
{
	double end = now() + m->seconds;

	srandom(1);
	while (now() < end) {
		for (unsigned int i = 0; i < 256; i++) {
			m->ring[(unsigned long)random() % (2 * PAGE)] = (uint8_t)random();
		}
		(void)xenevtchn_notify(m->events, m->local);
	}
}

/* Proper states, but every other field of the slot is nonsense: size, count, address, port. The guest lives. */
static void fields(struct model *m)
{
	double end = now() + m->seconds;
	struct ioreq req;
	unsigned int n = 0;

	answer(m, 0);
	while (now() < end && take(m, &req)) {
		m->slots[0].addr = ~0ull;
		m->slots[0].size = 0xffffffff;
		m->slots[0].count = 0xffffffff;
		m->slots[0].vp_eport = 0xfffffff0;
		m->slots[0].type = 0xff;
		for (unsigned int i = 1; i < SLOTS; i++) {
			memset((void *)&m->slots[i], (int)n, sizeof(m->slots[i]));
		}
		memset(m->ring, (int)n, PAGE);
		answer(m, 0x1111111111111111ull * n);
		n++;
	}
	printf("scribble: %u answers with wrong fields\n", n);
}

static void mute(struct model *m)
{
	sleep((unsigned int)m->seconds);
}

/* The event-channel and the server go while the guest waits. */
static void leave(struct model *m)
{
	(void)xenevtchn_unbind(m->events, m->local);
}

static void destroy(struct model *m)
{
	if (xendevicemodel_destroy_ioreq_server(m->dm, m->domid, m->id) != 0) {
		die("destroy_ioreq_server");
	}
}

/* Doorbells without an answer. */
static void bells(struct model *m)
{
	double end = now() + m->seconds;

	while (now() < end) {
		for (unsigned int i = 0; i < 100; i++) {
			(void)xenevtchn_notify(m->events, m->local);
		}
	}
	answer(m, 0);
}

/* Servers come and go, on and off, with as many ranges as they may have. */
static void servers(struct model *m)
{
	double end = now() + m->seconds;
	unsigned int turns = 0;
	ioservid_t other;

	answer(m, 0);
	while (now() < end) {
		struct ioreq req;

		/* What is asked while it is off is not answered any more. */
		(void)xendevicemodel_set_ioreq_server_state(m->dm, m->domid, m->id, 1);
		if (ioreq_accept(&m->slots[0], &req) == 0) {
			answer(m, turns);
		}
		(void)xendevicemodel_set_ioreq_server_state(m->dm, m->domid, m->id, 0);
		if (xendevicemodel_create_ioreq_server(m->dm, m->domid, (int)(turns % 3), &other) != 0) {
			continue;
		}
		for (uint64_t i = 0; i < 300; i++) {
			if (xendevicemodel_map_io_range_to_ioreq_server(m->dm, m->domid, other, 1, i * 0x2000,
									i * 0x2000 + 0xfff) != 0) {
				break;
			}
		}
		(void)xendevicemodel_set_ioreq_server_state(m->dm, m->domid, other, 1);
		(void)xendevicemodel_destroy_ioreq_server(m->dm, m->domid, other);
		turns++;
	}
	(void)xendevicemodel_set_ioreq_server_state(m->dm, m->domid, m->id, 0);
	printf("scribble: %u servers made\n", turns);
}

static uint64_t any(void)
{
	static const uint64_t edges[] = { 0, 1, 15, 16, 31, 255, 4095, 4096, 0xfee00000, 0xffffffff, 1ull << 40, ~0ull };

	switch (random() % 3) {
	case 0:
		return edges[(unsigned long)random() % (sizeof(edges) / sizeof(edges[0]))];
	case 1:
		return (uint64_t)random() % 8192;
	default:
		return (uint64_t)random() << 32 ^ (uint64_t)random() << 11;
	}
}

/* One call of all those that a device model may make, with numbers that make no sense. */
static void one_operation(struct model *m)
{
	uint64_t a = any(), b = any(), c = any();
	uint64_t bitmap[8];

	switch (random() % 12) {
	case 0:
		(void)xendevicemodel_set_pci_intx_level(m->dm, m->domid, (uint16_t)a % 2, (uint8_t)b % 2, (uint8_t)c,
							(uint8_t)(a >> 8) % 8, a >> 20 & 1);
		break;
	case 1:
		(void)xendevicemodel_set_isa_irq_level(m->dm, m->domid, (uint8_t)a, b & 1);
		break;
	case 2:
		(void)xendevicemodel_set_pci_link_route(m->dm, m->domid, (uint8_t)a % 8, (uint8_t)b);
		break;
	case 3:
		(void)xendevicemodel_inject_msi(m->dm, m->domid, a, (uint32_t)b);
		break;
	case 4:
		(void)xendevicemodel_track_dirty_vram(m->dm, m->domid, a, (uint32_t)b % 512, bitmap);
		break;
	case 5:
		(void)xendevicemodel_modified_memory(m->dm, m->domid, a, (uint32_t)b);
		break;
	case 6:
		(void)xendevicemodel_set_mem_type(m->dm, m->domid, (hvmmem_type_t)(a % 6), b, (uint32_t)c % 64);
		break;
	case 7:
		(void)xendevicemodel_relocate_memory(m->dm, m->domid, (uint32_t)a % 64, b, c);
		break;
	case 8:
		(void)xendevicemodel_pin_memory_cacheattr(m->dm, m->domid, a, b, (uint32_t)c);
		break;
	case 9:
		(void)xendevicemodel_inject_event(m->dm, m->domid, (int)a, (uint8_t)b, (uint8_t)(b >> 8) % 8, (uint32_t)c,
						  (uint8_t)a % 16, a);
		break;
	case 10:
		(void)xendevicemodel_map_io_range_to_ioreq_server(m->dm, m->domid, (ioservid_t)(random() % 4), (int)(a % 3), b, c);
		break;
	default:
		(void)xendevicemodel_map_pcidev_to_ioreq_server(m->dm, m->domid, m->id, (uint16_t)a, (uint8_t)b, (uint8_t)c,
								(uint8_t)(c >> 8));
		break;
	}
}

/* Whatever becomes of the guest: its interrupts and memory are turned upside down. */
static void operations(struct model *m)
{
	double end = now() + m->seconds;
	struct ioreq req;
	unsigned int n = 0;

	srandom(2);
	answer(m, 0);
	for (; now() < end; n++) {
		one_operation(m);
		if (ioreq_accept(&m->slots[0], &req) == 0) {
			answer(m, n);
		}
	}
	printf("scribble: %u operations\n", n);
}

/* The guest's memory, mapped and never given back: only the end of this program does that. */
static void maps(struct model *m)
{
	double end = now() + m->seconds;
	unsigned int good = 0;

	srandom(3);
	answer(m, 0);
	while (now() < end && good < 100) {
		xen_pfn_t frames[16];
		int errors[16];

		for (unsigned int i = 0; i < 16; i++) {
			frames[i] = random() % 4 ? (uint64_t)random() % 4096 : any();
		}
		if (xenforeignmemory_map(m->memory, m->domid, PROT_READ | PROT_WRITE, 16, frames, errors) != NULL) {
			good++;
		}
	}
	printf("scribble: %u mappings\n", good);
}

static void hold(struct model *m)
{
	maps(m);
	fflush(stdout);
	sleep((unsigned int)m->seconds);
}

static const struct {
	const char *name;
	void (*fn)(struct model *m);
} modes[] = {
	{ "impossible", impossible }, { "backwards", backwards }, { "unknown", unknown }, { "busy", busy },
	{ "noise", noise },           { "fields", fields },       { "mute", mute },       { "leave", leave },
	{ "destroy", destroy },       { "bells", bells },         { "servers", servers },
	{ "operations", operations }, { "maps", maps },         { "hold", hold },
};

int main(int argc, char **argv)
{
	struct model m = { .seconds = 3 };
	struct ioreq req;

	if (argc < 3) {
		fprintf(stderr, "usage: scribble DOMID MODE [SECONDS]\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	m.domid = (domid_t)strtoul(argv[1], NULL, 10);
	if (argc > 3) {
		m.seconds = strtod(argv[3], NULL);
	}
	attach(&m);
	for (unsigned int i = 0; i < GOOD_ANSWERS; i++) {
		if (!take(&m, &req)) {
			errno = ETIMEDOUT;
			die("no request");
		}
		answer(&m, i);
	}
	if (!take(&m, &req)) {
		errno = ETIMEDOUT;
		die("no request");
	}
	for (unsigned int i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(argv[2], modes[i].name) == 0) {
			printf("scribble: %s\n", argv[2]);
			modes[i].fn(&m);
			return 0;
		}
	}
	fprintf(stderr, "scribble: no mode '%s'\n", argv[2]);
	return 2;
}
