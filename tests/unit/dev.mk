# unit tests: dev
check_PROGRAMS += tests/unit/test_vlapic
TESTS += tests/unit/test_vlapic
tests_unit_test_vlapic_SOURCES = tests/unit/test_vlapic.c tests/fake/bug.c hv/dev/vlapic.c \
	hv/dev/vlapic_timer.c hv/dev/vlapic_ipi.c
tests_unit_test_vlapic_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_vlapic_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_vlapic_LDADD = $(TEST_LDADD)
