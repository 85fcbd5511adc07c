/* hvm/ioreq_client.c over the real slot: answers, a server that goes away, a device model that cheats, a dying domain. */
#include <stdarg.h>
#include <string.h>
#include "core/trace.h"
#include "dom/ioreq_server.h"
#include "fake/fake_vcpu.h"
#include "fake/suite.h"
#include "hvm/ioreq_client.h"
#include "ioreq/slot.h"
#include "lib/err.h"

struct ioreq_server {
	struct ioreq_slot slot[4];
	bool active;
	unsigned int notified, puts;
};

static struct vcpu *const v = &fake_vcpu.v;
static struct ioreq_server server[2];
static unsigned int blocks, crashes, listed;
static void (*on_block)(void);
static struct ioreq_slot *slot;

struct ioreq_slot *ioreq_server_slot(struct ioreq_server *s, unsigned int vcpu) { return &s->slot[vcpu]; }
bool ioreq_server_active(const struct ioreq_server *s) { return s->active; }
void ioreq_server_put(struct ioreq_server *s) { s->puts++; }
uint64_t trace(enum trace_id id, uint16_t domain, uint16_t vcpu, uint64_t a, uint64_t b) { return 0; }

void ioreq_server_notify(struct ioreq_server *s, unsigned int vcpu)
{
	ck_assert_uint_eq(vcpu, 2);
	ck_assert(ioreq_busy(&s->slot[vcpu]));
	s->notified++;
}

struct ioreq_server *ioreq_server_next(struct domain *d, unsigned int *id)
{
	return *id < listed ? &server[(*id)++] : NULL;
}

void guest_crash(struct domain *d, const char *fmt, ...)
{
	crashes++;
	d->dying = true;
}

void sched_block(void)
{
	ck_assert(v->blocked);
	ck_assert_uint_lt(++blocks, 10);
	on_block();
}

static void setup(void)
{
	fake_vcpu_reset();
	memset(server, 0, sizeof(server));
	v->id = 2;
	for (unsigned int i = 0; i < 2; i++) {
		server[i].active = true;
		ioreq_slot_init(&server[i].slot[2], 17);
	}
	slot = &server[0].slot[2];
	blocks = crashes = 0;
	listed = 2;
	on_block = NULL;
}

static struct ioreq request(uint8_t dir)
{
	return (struct ioreq){ .type = IOREQ_TYPE_PIO, .addr = 0x3f8, .size = 1, .count = 1, .dir = dir,
			       .data = dir == IOREQ_WRITE ? 0x55 : 0 };
}

static void dm_answers(void)
{
	struct ioreq got;

	/* Two steps, as a device model does it; the vCPU looks in between. */
	if (ioreq_accept(slot, &got) == 0) {
		ck_assert(got.addr == 0x3f8 && got.size == 1 && got.type == IOREQ_TYPE_PIO);
		return;
	}
	ioreq_answer(slot, 0x1122334455667788ull);
}

static void dm_vanishes(void)
{
	server[0].active = false;
}

static void dm_cheats(void)
{
	slot->bits = STATE_IOREQ_NONE;
}

static void domain_dies(void)
{
	fake_vcpu.d.dying = true;
}

START_TEST(test_answer)
{
	struct ioreq r = request(IOREQ_READ);

	on_block = dm_answers;
	ck_assert_int_eq(ioreq_forward(v, &server[0], &r), ROUTE_DONE);
	ck_assert_uint_eq(r.data, 0x88);
	ck_assert_uint_eq(blocks, 2);
	ck_assert_uint_eq(server[0].notified, 1);
	ck_assert(!v->blocked && !ioreq_busy(slot));
	r = request(IOREQ_WRITE);
	ck_assert_int_eq(ioreq_forward(v, &server[0], &r), ROUTE_DONE);
	ck_assert_uint_eq(r.data, 0x55);
}
END_TEST

START_TEST(test_server_goes)
{
	struct ioreq r = request(IOREQ_READ);

	on_block = dm_vanishes;
	ck_assert_int_eq(ioreq_forward(v, &server[0], &r), ROUTE_DONE);
	ck_assert_uint_eq(r.data, ~0ull);
	ck_assert(!ioreq_busy(slot) && !v->blocked);
	ck_assert_uint_eq(crashes, 0);
	/* Gone before: asked once, not waited for. */
	blocks = 0;
	r = request(IOREQ_READ);
	ck_assert_int_eq(ioreq_forward(v, &server[0], &r), ROUTE_DONE);
	ck_assert_uint_eq(r.data, ~0ull);
	ck_assert_uint_eq(blocks, 0);
}
END_TEST

START_TEST(test_cheats)
{
	struct ioreq r = request(IOREQ_READ);

	on_block = dm_cheats;
	ck_assert_int_eq(ioreq_forward(v, &server[0], &r), ROUTE_CRASH);
	ck_assert_uint_eq(crashes, 1);
	ck_assert(!v->blocked);
	/* A slot that is taken before the request */
	setup();
	slot->bits = STATE_IORESP_READY;
	r = request(IOREQ_READ);
	ck_assert_int_eq(ioreq_forward(v, &server[0], &r), ROUTE_CRASH);
	ck_assert_uint_eq(crashes, 1);
	ck_assert_uint_eq(server[0].notified, 0);
}
END_TEST

START_TEST(test_dying)
{
	struct ioreq r = request(IOREQ_READ);

	on_block = domain_dies;
	ck_assert_int_eq(ioreq_forward(v, &server[0], &r), ROUTE_CRASH);
	ck_assert_uint_eq(crashes, 0);
	ck_assert_uint_eq(blocks, 1);
	ck_assert(!v->blocked);
}
END_TEST

static unsigned int told;

static void dm_forgets(void)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct ioreq got;
		if (ioreq_accept(&server[i].slot[2], &got) == 0) {
			ck_assert(got.type == IOREQ_TYPE_INVALIDATE && got.dir == IOREQ_WRITE && got.data == ~0ull);
			told |= 1u << i;
			ioreq_answer(&server[i].slot[2], 0);
		}
	}
}

START_TEST(test_invalidate)
{
	told = 0;
	on_block = dm_forgets;
	fake_vcpu.hvm_domain.invalidate_gen = 7;
	hvm_ioreq_invalidate(v);
	ck_assert_uint_eq(told, 3);
	ck_assert_uint_eq(fake_vcpu.hvm.invalidate_seen, 7);
	ck_assert(server[0].puts == 1 && server[1].puts == 1);
	/* The domain dies on the way: no second one is asked, no reference stays. */
	on_block = domain_dies;
	hvm_ioreq_invalidate(v);
	ck_assert_uint_eq(server[0].puts, 2);
	ck_assert_uint_eq(server[1].puts, 1);
	listed = 0;
	hvm_ioreq_invalidate(v);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_answer, test_server_goes, test_cheats, test_dying, test_invalidate, NULL };

	return suite_run("ioreq_client", setup, tests);
}
