/* The firmware's end of the xenstore ring. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hvmloader/xsring.h"

static struct xenstore_domain_interface ring;

static void setup(void)
{
	memset(&ring, 0, sizeof(ring));
}

START_TEST(test_request)
{
	uint8_t message[64];
	struct xsd_sockmsg m;

	ck_assert_uint_eq(xsring_request(message, sizeof(message), XS_READ, 7, "platform/acpi"),
			  sizeof(m) + 14);
	memcpy(&m, message, sizeof(m));
	ck_assert_uint_eq(m.type, XS_READ);
	ck_assert_uint_eq(m.req_id, 7);
	ck_assert_uint_eq(m.tx_id, 0);
	ck_assert_uint_eq(m.len, 14);
	ck_assert_str_eq((char *)message + sizeof(m), "platform/acpi");
	ck_assert_uint_eq(xsring_request(message, 29, XS_READ, 7, "platform/acpi"), 0);
	ck_assert_uint_eq(xsring_request(message, 30, XS_READ, 7, "platform/acpi"), 30);
}
END_TEST

START_TEST(test_put_wraps_and_fills)
{
	uint8_t data[XENSTORE_RING_SIZE + 10];

	for (unsigned int i = 0; i < sizeof(data); i++) {
		data[i] = (uint8_t)(i * 7);
	}
	ring.req_prod = ring.req_cons = 0xfffffff0; /* indices run freely and wrap */
	ck_assert_int_eq(xsring_put(&ring, data, sizeof(data)), XENSTORE_RING_SIZE);
	ck_assert_uint_eq(ring.req_prod, 0xfffffff0u + XENSTORE_RING_SIZE);
	ck_assert_int_eq(xsring_put(&ring, data, 1), 0);
	for (unsigned int i = 0; i < XENSTORE_RING_SIZE; i++) {
		ck_assert_uint_eq((uint8_t)ring.req[(0xfffffff0u + i) % XENSTORE_RING_SIZE],
				  data[i]);
	}
	ring.req_cons += 3;
	ck_assert_int_eq(xsring_put(&ring, data, 10), 3);
}
END_TEST

START_TEST(test_get)
{
	char out[16] = "";

	memcpy(ring.rsp + XENSTORE_RING_SIZE - 2, "ab", 2);
	memcpy(ring.rsp, "cde", 3);
	ring.rsp_cons = XENSTORE_RING_SIZE - 2;
	ring.rsp_prod = XENSTORE_RING_SIZE + 3;
	ck_assert_int_eq(xsring_get(&ring, out, 4), 4);
	ck_assert_str_eq(out, "abcd");
	ck_assert_int_eq(xsring_get(&ring, out, 4), 1);
	ck_assert_int_eq(out[0], 'e');
	ck_assert_int_eq(xsring_get(&ring, out, 4), 0);
	ck_assert_uint_eq(ring.rsp_cons, ring.rsp_prod);
}
END_TEST

/* The other end wrote nonsense. */
START_TEST(test_damaged)
{
	char out[4];

	ring.rsp_prod = XENSTORE_RING_SIZE + 1;
	ck_assert_int_eq(xsring_get(&ring, out, 4), -1);
	ring.req_cons = 1;
	ck_assert_int_eq(xsring_put(&ring, "x", 1), -1);
	ck_assert_uint_eq(ring.req_prod, 0);
	ck_assert_uint_eq(ring.rsp_cons, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("fw_xsring");
	TCase *t = tcase_create("all");
	SRunner *r = srunner_create(s);

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, test_request);
	tcase_add_test(t, test_put_wraps_and_fills);
	tcase_add_test(t, test_get);
	tcase_add_test(t, test_damaged);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
