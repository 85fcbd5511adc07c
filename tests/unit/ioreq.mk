# unit tests: ioreq
check_PROGRAMS += tests/unit/test_slot
TESTS += tests/unit/test_slot
tests_unit_test_slot_SOURCES = tests/unit/test_slot.c ioreq/slot.c
tests_unit_test_slot_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_slot_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_slot_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_bufring
TESTS += tests/unit/test_bufring
tests_unit_test_bufring_SOURCES = tests/unit/test_bufring.c ioreq/bufring.c
tests_unit_test_bufring_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_bufring_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_bufring_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/fuzz/fuzz_slot
TESTS += tests/fuzz/fuzz_slot
tests_fuzz_fuzz_slot_SOURCES = tests/fuzz/fuzz_slot.c tests/fuzz/standalone.c ioreq/slot.c \
	ioreq/bufring.c
tests_fuzz_fuzz_slot_CFLAGS = $(TEST_CFLAGS)
tests_fuzz_fuzz_slot_CPPFLAGS = $(TEST_CPPFLAGS)
