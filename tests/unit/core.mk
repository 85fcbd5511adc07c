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

SCHED_WORLD = tests/fake/sched_world.c tests/fake/sched_world.h tests/fake/bug.c \
	hv/core/sched.c hv/core/sched_credit.c hv/core/sched_place.c hv/core/sched_queue.c
# The sanitizers' runtime calls the C library's function of that name.
SCHED_RENAME = -Dsched_yield=hv_sched_yield
check_PROGRAMS += tests/unit/test_sched_sim
TESTS += tests/unit/test_sched_sim
tests_unit_test_sched_sim_SOURCES = tests/unit/test_sched_sim.c $(SCHED_WORLD)
tests_unit_test_sched_sim_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_sched_sim_CPPFLAGS = $(TEST_CPPFLAGS) $(SCHED_RENAME)
tests_unit_test_sched_sim_LDADD = $(TEST_LDADD)

# Counts instructions: no sanitizers, and the optimisation of the hypervisor.
check_PROGRAMS += tests/unit/test_sched_cost
TESTS += tests/unit/test_sched_cost
tests_unit_test_sched_cost_SOURCES = tests/unit/test_sched_cost.c $(SCHED_WORLD)
tests_unit_test_sched_cost_CFLAGS = -std=gnu17 $(WARN_FLAGS) -O2 -g -fno-sanitize=all $(CHECK_CFLAGS)
tests_unit_test_sched_cost_CPPFLAGS = $(TEST_CPPFLAGS) -UDEBUG -DDEBUG=0 $(SCHED_RENAME)
tests_unit_test_sched_cost_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_trace
TESTS += tests/unit/test_trace
tests_unit_test_trace_SOURCES = tests/unit/test_trace.c hv/core/trace.c
tests_unit_test_trace_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_trace_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_trace_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_page_alloc
TESTS += tests/unit/test_page_alloc
tests_unit_test_page_alloc_SOURCES = tests/unit/test_page_alloc.c tests/fake/layout_fake.h tests/fake/bug.c \
	hv/core/page_alloc.c hv/core/buddy.c
tests_unit_test_page_alloc_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_page_alloc_CPPFLAGS = $(TEST_CPPFLAGS) -include $(top_srcdir)/tests/fake/layout_fake.h
tests_unit_test_page_alloc_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_console
TESTS += tests/unit/test_console
tests_unit_test_console_SOURCES = tests/unit/test_console.c \
	hv/core/console.c hv/core/log.c hv/core/cmdline.c hv/lib/printf.c hv/lib/str.c
tests_unit_test_console_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_console_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_console_LDADD = $(TEST_LDADD)
