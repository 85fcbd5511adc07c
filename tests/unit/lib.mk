# unit tests: lib

check_PROGRAMS += tests/unit/test_elf
TESTS += tests/unit/test_elf
tests_unit_test_elf_SOURCES = tests/unit/test_elf.c tests/fake/bug.c hv/lib/elf.c
tests_unit_test_elf_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_elf_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_elf_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/fuzz/fuzz_elf
TESTS += tests/fuzz/fuzz_elf
tests_fuzz_fuzz_elf_SOURCES = tests/fuzz/fuzz_elf.c tests/fuzz/standalone.c hv/lib/elf.c
tests_fuzz_fuzz_elf_CFLAGS = $(TEST_CFLAGS)
tests_fuzz_fuzz_elf_CPPFLAGS = $(TEST_CPPFLAGS)

check_PROGRAMS += tests/unit/test_printf
TESTS += tests/unit/test_printf
tests_unit_test_printf_SOURCES = tests/unit/test_printf.c \
	hv/lib/printf.c
tests_unit_test_printf_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_printf_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_printf_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_rangeset
TESTS += tests/unit/test_rangeset
tests_unit_test_rangeset_SOURCES = tests/unit/test_rangeset.c \
	hv/lib/rangeset.c
tests_unit_test_rangeset_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_rangeset_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_rangeset_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_numbers
TESTS += tests/unit/test_numbers
tests_unit_test_numbers_SOURCES = tests/unit/test_numbers.c \
	hv/lib/div128.c hv/lib/bitmap.c hv/lib/str.c hv/lib/calendar.c
tests_unit_test_numbers_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_numbers_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_numbers_LDADD = $(TEST_LDADD)
