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
