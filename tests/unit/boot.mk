# unit tests: boot

check_PROGRAMS += tests/unit/test_multiboot
TESTS += tests/unit/test_multiboot
tests_unit_test_multiboot_SOURCES = tests/unit/test_multiboot.c \
	hv/arch/boot/multiboot1.c hv/arch/boot/multiboot2.c hv/arch/boot/memmap.c
tests_unit_test_multiboot_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_multiboot_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_multiboot_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_memplan
TESTS += tests/unit/test_memplan
tests_unit_test_memplan_SOURCES = tests/unit/test_memplan.c \
	hv/arch/boot/memmap.c hv/arch/boot/memplan.c hv/lib/rangeset.c
tests_unit_test_memplan_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_memplan_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_memplan_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_acpi_tables
TESTS += tests/unit/test_acpi_tables
tests_unit_test_acpi_tables_SOURCES = tests/unit/test_acpi_tables.c \
	hv/arch/cpu/acpi_tables.c
tests_unit_test_acpi_tables_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_acpi_tables_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_acpi_tables_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/fuzz/fuzz_boot
TESTS += tests/fuzz/fuzz_boot
tests_fuzz_fuzz_boot_SOURCES = tests/fuzz/fuzz_boot.c tests/fuzz/standalone.c \
	hv/arch/boot/multiboot2.c hv/arch/boot/memmap.c hv/arch/cpu/acpi_tables.c
tests_fuzz_fuzz_boot_CFLAGS = $(TEST_CFLAGS)
tests_fuzz_fuzz_boot_CPPFLAGS = $(TEST_CPPFLAGS)
