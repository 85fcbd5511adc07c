/*
 * ioreq/bufring.c: the word layout against the public header, full and empty, 8-byte pairs across
 * the end, indices moved back, forged indices, and both ends in two threads.
 */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include "ioreq/bufring.h"

static struct bufring_page page;
static struct bufring ring;

static struct ioreq vga_write(uint64_t addr, uint64_t data, uint32_t size)
{
	return (struct ioreq){
		.addr = addr, .data = data, .count = 1, .size = size, .dir = IOREQ_WRITE,
		.type = IOREQ_TYPE_COPY,
	};
}

static void setup(void)
{
	memset(&page, 0xff, sizeof(page));
	bufring_init(&ring, &page, true);
}

START_TEST(test_word_layout)
{
	struct buffered_iopage abi;
	const struct buf_ioreq *seen = abi.buf_ioreq;
	struct ioreq req = vga_write(0xa1234, 0x89abcdef01234567, 8);

	setup();
	ck_assert_int_eq(bufring_put(&ring, &req), 0);
	memcpy(&abi, &page, sizeof(abi));
	ck_assert_uint_eq(abi.write_pointer, 2);
	ck_assert_uint_eq(abi.read_pointer, 0);
	for (unsigned int i = 0; i < 2; i++) {
		ck_assert_uint_eq(seen[i].type, IOREQ_TYPE_COPY);
		ck_assert_uint_eq(seen[i].pad, 0);
		ck_assert_uint_eq(seen[i].dir, IOREQ_WRITE);
		ck_assert_uint_eq(seen[i].size, 3);
		ck_assert_uint_eq(seen[i].addr, 0xa1234);
	}
	ck_assert_uint_eq(seen[0].data, 0x01234567);
	ck_assert_uint_eq(seen[1].data, 0x89abcdef);
}
END_TEST

START_TEST(test_round_trip_every_size)
{
	setup();
	for (uint32_t size = 1; size <= 8; size *= 2) {
		struct ioreq req = vga_write(0xb8000 + size, 0x1122334455667788 & MASK(size * 8), size);
		struct ioreq got;

		ck_assert_int_eq(bufring_put(&ring, &req), 0);
		ck_assert_int_eq(bufring_get(&page, &got), 0);
		ck_assert_uint_eq(got.addr, req.addr);
		ck_assert_uint_eq(got.data, req.data);
		ck_assert_uint_eq(got.size, size);
		ck_assert_uint_eq(got.count, 1);
		ck_assert_uint_eq(got.dir, IOREQ_WRITE);
		ck_assert_uint_eq(got.type, IOREQ_TYPE_COPY);
		ck_assert_int_eq(bufring_get(&page, &got), -EAGAIN);
	}
}
END_TEST

START_TEST(test_takes)
{
	struct ioreq ok = vga_write(0xfffff, 1, 4);
	struct ioreq bad[6] = { ok, ok, ok, ok, ok, ok };

	ck_assert(bufring_takes(&ok));
	bad[0].addr = 0x100000;
	bad[1].count = 2;
	bad[2].data_is_ptr = 1;
	bad[3].dir = IOREQ_READ;
	bad[4].size = 3;
	bad[5].size = 16;
	setup();
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		ck_assert_int_eq(bufring_put(&ring, &bad[i]), -EOPNOTSUPP);
	}
	ck_assert_uint_eq(page.both, 0);
}
END_TEST

START_TEST(test_full)
{
	struct ioreq one = vga_write(0xa0000, 1, 1);
	struct ioreq two = vga_write(0xa0000, 2, 8);
	struct ioreq got;

	setup();
	for (unsigned int i = 0; i < IOREQ_BUFFER_SLOT_NUM - 1; i++) {
		ck_assert_int_eq(bufring_put(&ring, &one), 0);
	}
	ck_assert_int_eq(bufring_put(&ring, &two), -ENOSPC);
	ck_assert_int_eq(bufring_put(&ring, &one), 0);
	ck_assert_int_eq(bufring_put(&ring, &one), -ENOSPC);
	for (unsigned int i = 0; i < IOREQ_BUFFER_SLOT_NUM; i++) {
		ck_assert_int_eq(bufring_get(&page, &got), 0);
	}
	ck_assert_int_eq(bufring_get(&page, &got), -EAGAIN);
	ck_assert_int_eq(bufring_put(&ring, &two), 0);
}
END_TEST

START_TEST(test_indices_are_moved_back)
{
	struct ioreq got;

	setup();
	/* Pairs land on every position, also across the end of the page. */
	for (uint64_t i = 0; i < 5000; i++) {
		struct ioreq req = vga_write(0xa0000, i << 32 | i, i % 3 ? 8 : 4);

		req.data &= MASK(req.size * 8);
		ck_assert_int_eq(bufring_put(&ring, &req), 0);
		ck_assert_int_eq(bufring_get(&page, &got), 0);
		ck_assert_uint_eq(got.data, req.data);
		ck_assert_uint_le(page.read, IOREQ_BUFFER_SLOT_NUM + 2);
	}
}
END_TEST

START_TEST(test_old_mode_never_wraps)
{
	struct ioreq req = vga_write(0xa0000, 1, 1);
	struct ioreq got;

	setup();
	ring.atomic = false;
	ring.write = page.read = page.write = UINT32_MAX - 2;
	ck_assert_int_eq(bufring_put(&ring, &req), 0);
	ck_assert_int_eq(bufring_get(&page, &got), 0);
	ck_assert_int_eq(bufring_put(&ring, &req), 0);
	ck_assert_int_eq(bufring_put(&ring, &req), -ENOSPC);
	ck_assert_uint_eq(page.write, UINT32_MAX);
}
END_TEST

START_TEST(test_forged_indices)
{
	static const struct { uint32_t read, write; } row[] = {
		{ 0, 1 }, { 0, UINT32_MAX }, { 4, 3 }, { UINT32_MAX, 3 }, { 0x80000000, 0x80000003 },
	};
	struct ioreq req = vga_write(0xa0000, 1, 1);

	for (unsigned int i = 0; i < ARRAY_SIZE(row); i++) {
		setup();
		for (unsigned int n = 0; n < 3; n++) {
			ck_assert_int_eq(bufring_put(&ring, &req), 0);
		}
		page.read = row[i].read;
		page.write = row[i].write;
		ck_assert_int_eq(bufring_put(&ring, &req), -EPROTO);
	}
}
END_TEST

START_TEST(test_half_a_pair)
{
	struct ioreq req = vga_write(0xa0000, 1, 8);
	struct ioreq got;

	setup();
	ck_assert_int_eq(bufring_put(&ring, &req), 0);
	page.write = 1;
	ck_assert_int_eq(bufring_get(&page, &got), -EPROTO);
}
END_TEST

#define TURNS 60000

static void *consumer(void *arg)
{
	uint64_t *sum = arg;

	for (unsigned int i = 0; i < TURNS; i++) {
		struct ioreq got;

		while (bufring_get(&page, &got) == -EAGAIN) {
			sched_yield();
		}
		/* In order, nothing lost, halves together. */
		*sum += got.data == (got.size == 8 ? (uint64_t)i << 32 | i : i);
	}
	return NULL;
}

START_TEST(test_two_threads)
{
	uint64_t good = 0;
	pthread_t dm;

	setup();
	ck_assert_int_eq(pthread_create(&dm, NULL, consumer, &good), 0);
	for (uint64_t i = 0; i < TURNS; i++) {
		struct ioreq req = i % 2 ? vga_write(0xa0000, i << 32 | i, 8) : vga_write(0xa0000, i, 4);
		int rc;

		while ((rc = bufring_put(&ring, &req)) == -ENOSPC) {
			sched_yield();
		}
		ck_assert_int_eq(rc, 0);
	}
	pthread_join(dm, NULL);
	ck_assert_uint_eq(good, TURNS);
	ck_assert_uint_lt(page.read, 2 * IOREQ_BUFFER_SLOT_NUM);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bufring");
	TCase *tc = tcase_create("bufring");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_word_layout);
	tcase_add_test(tc, test_round_trip_every_size);
	tcase_add_test(tc, test_takes);
	tcase_add_test(tc, test_full);
	tcase_add_test(tc, test_indices_are_moved_back);
	tcase_add_test(tc, test_old_mode_never_wraps);
	tcase_add_test(tc, test_forged_indices);
	tcase_add_test(tc, test_half_a_pair);
	tcase_add_test(tc, test_two_threads);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
