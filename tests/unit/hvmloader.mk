# unit tests: hvmloader
FW_TESTS = tests/unit/test_fw_e820 tests/unit/test_fw_pci tests/unit/test_fw_tables \
	tests/unit/test_fw_mtrr tests/unit/test_fw_xsring
check_PROGRAMS += $(FW_TESTS)
TESTS += $(FW_TESTS) tests/unit/test_fw_aml.sh
EXTRA_DIST += tests/unit/test_fw_aml.sh

tests_unit_test_fw_e820_SOURCES = tests/unit/test_fw_e820.c hvmloader/e820.c
tests_unit_test_fw_e820_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_fw_e820_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_fw_e820_LDADD = $(TEST_LDADD)

tests_unit_test_fw_pci_SOURCES = tests/unit/test_fw_pci.c hvmloader/pci.c
tests_unit_test_fw_pci_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_fw_pci_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_fw_pci_LDADD = $(TEST_LDADD)

tests_unit_test_fw_tables_SOURCES = tests/unit/test_fw_tables.c hvmloader/acpi.c \
	hvmloader/smbios.c hvmloader/mptable.c hvmloader/topology.c
tests_unit_test_fw_tables_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_fw_tables_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_fw_tables_LDADD = $(TEST_LDADD)

tests_unit_test_fw_mtrr_SOURCES = tests/unit/test_fw_mtrr.c hvmloader/mtrr.c
tests_unit_test_fw_mtrr_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_fw_mtrr_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_fw_mtrr_LDADD = $(TEST_LDADD)

tests_unit_test_fw_xsring_SOURCES = tests/unit/test_fw_xsring.c hvmloader/xsring.c
tests_unit_test_fw_xsring_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_fw_xsring_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_fw_xsring_LDADD = $(TEST_LDADD)

clean-local: clean-fw-aml
clean-fw-aml:
	rm -rf tests/unit/test_fw_aml.tmp
.PHONY: clean-fw-aml
