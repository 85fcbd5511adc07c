# unit tests: core

check_PROGRAMS += tests/unit/test_buddy
TESTS += tests/unit/test_buddy
tests_unit_test_buddy_SOURCES = tests/unit/test_buddy.c tests/fake/bug.c \
	hv/core/buddy.c
tests_unit_test_buddy_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_buddy_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_buddy_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_timer_queue
TESTS += tests/unit/test_timer_queue
tests_unit_test_timer_queue_SOURCES = tests/unit/test_timer_queue.c \
	hv/core/timer_queue.c
tests_unit_test_timer_queue_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_timer_queue_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_timer_queue_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_sched_credit
TESTS += tests/unit/test_sched_credit
tests_unit_test_sched_credit_SOURCES = tests/unit/test_sched_credit.c \
	hv/core/sched_credit.c
tests_unit_test_sched_credit_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_sched_credit_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_sched_credit_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_console
TESTS += tests/unit/test_console
tests_unit_test_console_SOURCES = tests/unit/test_console.c \
	hv/core/console.c hv/core/log.c hv/core/cmdline.c hv/lib/printf.c hv/lib/str.c
tests_unit_test_console_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_console_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_console_LDADD = $(TEST_LDADD)
