/*
 * ioreq/slot.c: every edge of the state machine from both ends, every state that a device model
 * may not set, and both ends in two threads.
 */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include "ioreq/slot.h"

static const struct ioreq port_read = {
	.addr = 0x3f8, .count = 1, .size = 1, .dir = IOREQ_READ, .type = IOREQ_TYPE_PIO,
};

/* The page's bytes as a device model written against the public header sees them. */
static struct ioreq abi_view(const struct ioreq_slot *slot)
{
	struct ioreq req;

	memcpy(&req, slot, sizeof(req));
	return req;
}

START_TEST(test_init_keeps_port)
{
	struct ioreq_slot slot;

	memset(&slot, 0xff, sizeof(slot));
	ioreq_slot_init(&slot, 17);
	ck_assert_uint_eq(abi_view(&slot).vp_eport, 17);
	ck_assert_uint_eq(abi_view(&slot).state, STATE_IOREQ_NONE);
	ck_assert(!ioreq_busy(&slot));
}
END_TEST

START_TEST(test_post_fills_the_abi_layout)
{
	struct ioreq_slot slot;
	struct ioreq req = {
		.addr = 0xa0000, .data = 0x123456789abcdef0, .count = 3, .size = 4, .df = 1,
		.data_is_ptr = 1, .dir = IOREQ_WRITE, .type = IOREQ_TYPE_COPY, .vp_eport = 99,
	};

	ioreq_slot_init(&slot, 17);
	ck_assert_int_eq(ioreq_post(&slot, &req), 0);
	const struct ioreq seen = abi_view(&slot);
	ck_assert_uint_eq(seen.addr, 0xa0000);
	ck_assert_uint_eq(seen.data, 0x123456789abcdef0);
	ck_assert_uint_eq(seen.count, 3);
	ck_assert_uint_eq(seen.size, 4);
	ck_assert_uint_eq(seen.df, 1);
	ck_assert_uint_eq(seen.data_is_ptr, 1);
	ck_assert_uint_eq(seen.dir, IOREQ_WRITE);
	ck_assert_uint_eq(seen.type, IOREQ_TYPE_COPY);
	ck_assert_uint_eq(seen.state, STATE_IOREQ_READY);
	ck_assert_uint_eq(seen.vp_eport, 17);
	ck_assert_uint_eq(req.state, STATE_IOREQ_READY);
	ck_assert(ioreq_busy(&slot));
}
END_TEST

START_TEST(test_round_trip)
{
	struct ioreq_slot slot;
	struct ioreq req = port_read;
	struct ioreq dm;

	ioreq_slot_init(&slot, 5);
	ck_assert_int_eq(ioreq_accept(&slot, &dm), -EAGAIN);
	ck_assert_int_eq(ioreq_post(&slot, &req), 0);
	ck_assert_int_eq(ioreq_poll(&slot, &req), -EAGAIN);
	ck_assert_int_eq(ioreq_accept(&slot, &dm), 0);
	ck_assert_uint_eq(dm.addr, 0x3f8);
	ck_assert_uint_eq(dm.dir, IOREQ_READ);
	ck_assert_uint_eq(dm.vp_eport, 5);
	ck_assert_int_eq(ioreq_accept(&slot, &dm), -EAGAIN);
	ck_assert_int_eq(ioreq_poll(&slot, &req), -EAGAIN);
	ioreq_answer(&slot, 0x61);
	ck_assert_int_eq(ioreq_poll(&slot, &req), 0);
	ck_assert_uint_eq(req.data, 0x61);
	ck_assert_uint_eq(req.state, STATE_IOREQ_NONE);
	ck_assert(!ioreq_busy(&slot));
}
END_TEST

START_TEST(test_post_refuses_a_busy_slot)
{
	for (unsigned int state = 1; state < 16; state++) {
		struct ioreq_slot slot;
		struct ioreq req = port_read;

		ioreq_slot_init(&slot, 5);
		slot.bits = (uint8_t)(state | IOREQ_BITS_DIR);
		ck_assert_int_eq(ioreq_post(&slot, &req), -EBUSY);
		ck_assert_uint_eq(slot.addr, 0);
	}
}
END_TEST

START_TEST(test_poll_refuses_illegal_states)
{
	for (unsigned int state = 0; state < 16; state++) {
		if (state >= STATE_IOREQ_READY && state <= STATE_IORESP_READY) {
			continue;
		}
		struct ioreq_slot slot;
		struct ioreq req = port_read;

		ioreq_slot_init(&slot, 5);
		ck_assert_int_eq(ioreq_post(&slot, &req), 0);
		slot.bits = (uint8_t)(state | 0xf0);
		ck_assert_int_eq(ioreq_poll(&slot, &req), -EPROTO);
		ck_assert_uint_eq(slot.bits, state | 0xf0);
	}
}
END_TEST

START_TEST(test_poll_sees_a_state_going_back)
{
	struct ioreq_slot slot;
	struct ioreq req = port_read;
	struct ioreq dm;

	ioreq_slot_init(&slot, 5);
	ck_assert_int_eq(ioreq_post(&slot, &req), 0);
	ck_assert_int_eq(ioreq_accept(&slot, &dm), 0);
	ck_assert_int_eq(ioreq_poll(&slot, &req), -EAGAIN);
	slot.bits = STATE_IOREQ_READY | IOREQ_BITS_DIR;
	ck_assert_int_eq(ioreq_poll(&slot, &req), -EPROTO);
}
END_TEST

/* Whatever else the device model writes, the private record decides what is taken. */
START_TEST(test_only_data_is_believed)
{
	struct ioreq_slot slot;
	struct ioreq req = port_read;
	struct ioreq_slot forged;

	ioreq_slot_init(&slot, 5);
	req.size = 2;
	ck_assert_int_eq(ioreq_post(&slot, &req), 0);
	memset(&forged, 0xff, sizeof(forged));
	forged.bits = 0xf0 | STATE_IORESP_READY;
	slot = forged;
	ck_assert_int_eq(ioreq_poll(&slot, &req), 0);
	ck_assert_uint_eq(req.data, 0xffff);
	ck_assert_uint_eq(req.addr, 0x3f8);
	ck_assert_uint_eq(req.count, 1);
	ck_assert_uint_eq(req.size, 2);
	ck_assert_uint_eq(req.type, IOREQ_TYPE_PIO);
	ck_assert_uint_eq(req.data_is_ptr, 0);
	ck_assert_uint_eq(req.dir, IOREQ_READ);
}
END_TEST

START_TEST(test_write_and_pointer_take_nothing)
{
	struct ioreq req[2] = { port_read, port_read };

	req[0].dir = IOREQ_WRITE;
	req[1].data_is_ptr = 1;
	for (unsigned int i = 0; i < 2; i++) {
		struct ioreq_slot slot;

		req[i].data = 0x1000;
		ioreq_slot_init(&slot, 5);
		ck_assert_int_eq(ioreq_post(&slot, &req[i]), 0);
		ioreq_answer(&slot, 0xbad);
		ck_assert_int_eq(ioreq_poll(&slot, &req[i]), 0);
		ck_assert_uint_eq(req[i].data, 0x1000);
	}
}
END_TEST

START_TEST(test_answer_is_cut_to_the_size)
{
	static const struct { uint32_t size; uint64_t data; } row[] = {
		{ 0, 0 }, { 1, 0xef }, { 2, 0xcdef }, { 4, 0x89abcdef },
		{ 8, 0x0123456789abcdef }, { 9, 0x0123456789abcdef },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(row); i++) {
		struct ioreq_slot slot;
		struct ioreq req = port_read;

		req.size = row[i].size;
		ioreq_slot_init(&slot, 5);
		ck_assert_int_eq(ioreq_post(&slot, &req), 0);
		ioreq_answer(&slot, 0x0123456789abcdef);
		ck_assert_int_eq(ioreq_poll(&slot, &req), 0);
		ck_assert_uint_eq(req.data, row[i].data);
	}
}
END_TEST

START_TEST(test_abandon)
{
	struct ioreq_slot slot;
	struct ioreq req = port_read;

	ioreq_slot_init(&slot, 5);
	ck_assert_int_eq(ioreq_post(&slot, &req), 0);
	ioreq_abandon(&slot);
	ck_assert(!ioreq_busy(&slot));
	ck_assert_int_eq(ioreq_post(&slot, &req), 0);
}
END_TEST

#define TURNS 20000

/* The device model's thread: answers each request with a value computed from its payload. */
static void *dm_thread(void *arg)
{
	struct ioreq_slot *slot = arg;

	for (unsigned int i = 0; i < TURNS; i++) {
		struct ioreq req;

		while (ioreq_accept(slot, &req) == -EAGAIN) {
			sched_yield();
		}
		ioreq_answer(slot, req.addr * 3 + req.count);
	}
	return NULL;
}

START_TEST(test_two_threads)
{
	struct ioreq_slot slot;
	pthread_t dm;

	ioreq_slot_init(&slot, 5);
	ck_assert_int_eq(pthread_create(&dm, NULL, dm_thread, &slot), 0);
	for (unsigned int i = 0; i < TURNS; i++) {
		struct ioreq req = port_read;
		int rc;

		req.addr = i;
		req.count = i ^ 0x55;
		req.size = 8;
		ck_assert_int_eq(ioreq_post(&slot, &req), 0);
		while ((rc = ioreq_poll(&slot, &req)) == -EAGAIN) {
			sched_yield();
		}
		ck_assert_int_eq(rc, 0);
		ck_assert_uint_eq(req.data, (uint64_t)i * 3 + (i ^ 0x55));
	}
	pthread_join(dm, NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("slot");
	TCase *tc = tcase_create("slot");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_init_keeps_port);
	tcase_add_test(tc, test_post_fills_the_abi_layout);
	tcase_add_test(tc, test_round_trip);
	tcase_add_test(tc, test_post_refuses_a_busy_slot);
	tcase_add_test(tc, test_poll_refuses_illegal_states);
	tcase_add_test(tc, test_poll_sees_a_state_going_back);
	tcase_add_test(tc, test_only_data_is_believed);
	tcase_add_test(tc, test_write_and_pointer_take_nothing);
	tcase_add_test(tc, test_answer_is_cut_to_the_size);
	tcase_add_test(tc, test_abandon);
	tcase_add_test(tc, test_two_threads);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
