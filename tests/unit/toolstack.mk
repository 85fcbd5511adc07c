# unit tests: toolstack
TEST_CONFIG_SOURCES = toolstack/config.c toolstack/config_xml.c toolstack/config_rules.c \
	toolstack/config_read.c toolstack/config_domain.c toolstack/config_devices.c \
	toolstack/config_chardev.c toolstack/config_check.c toolstack/xmlpos.c toolstack/cpuid.c toolstack/cpuid_model.c \
	toolstack/cpulist.c
TEST_TOOLSTACK_CPPFLAGS = $(TEST_CPPFLAGS) $(LIBXML_CFLAGS) $(XEN_CFLAGS) \
	-DCONFIGS_DIR='"$(abs_top_srcdir)/configs"' \
	-DSCHEMA_FILE='"$(abs_top_srcdir)/toolstack/guest.rng"' -DOSTLER_VERSION='"test"' \
	-DOSTLER_DATADIR='"/nonexistent"' -DOSTLER_LIBEXECDIR='"/nonexistent"' \
	-DOSTLER_BINDIR='"/nonexistent"'

check_PROGRAMS += tests/unit/test_config_xml
TESTS += tests/unit/test_config_xml
tests_unit_test_config_xml_SOURCES = tests/unit/test_config_xml.c $(TEST_CONFIG_SOURCES)
tests_unit_test_config_xml_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_config_xml_CPPFLAGS = $(TEST_TOOLSTACK_CPPFLAGS)
tests_unit_test_config_xml_LDADD = $(TEST_LDADD) $(LIBXML_LIBS)

check_PROGRAMS += tests/unit/test_build_layout
TESTS += tests/unit/test_build_layout
tests_unit_test_build_layout_SOURCES = tests/unit/test_build_layout.c toolstack/build_layout.c \
	toolstack/lib/guestmem.c toolstack/lib/hvcall.c
tests_unit_test_build_layout_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_build_layout_CPPFLAGS = $(TEST_TOOLSTACK_CPPFLAGS)
tests_unit_test_build_layout_LDADD = $(TEST_LDADD) $(XEN_LIBS)

check_PROGRAMS += tests/unit/test_life
TESTS += tests/unit/test_life
tests_unit_test_life_SOURCES = tests/unit/test_life.c toolstack/life.c
tests_unit_test_life_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_life_CPPFLAGS = $(TEST_TOOLSTACK_CPPFLAGS)
tests_unit_test_life_LDADD = $(TEST_LDADD) $(TOOLSTACK_LIBS)

check_PROGRAMS += tests/unit/test_document
TESTS += tests/unit/test_document
tests_unit_test_document_SOURCES = tests/unit/test_document.c toolstack/document.c $(TEST_CONFIG_SOURCES)
tests_unit_test_document_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_document_CPPFLAGS = $(TEST_TOOLSTACK_CPPFLAGS)
tests_unit_test_document_LDADD = $(TEST_LDADD) $(LIBXML_LIBS)

check_PROGRAMS += tests/unit/test_png
TESTS += tests/unit/test_png
tests_unit_test_png_SOURCES = tests/unit/test_png.c toolstack/png.c
tests_unit_test_png_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_png_CPPFLAGS = $(TEST_TOOLSTACK_CPPFLAGS)
tests_unit_test_png_LDADD = $(TEST_LDADD) $(ZLIB_LIBS)

check_PROGRAMS += tests/fuzz/fuzz_xml
TESTS += tests/fuzz/fuzz_xml
tests_fuzz_fuzz_xml_SOURCES = tests/fuzz/fuzz_xml.c tests/fuzz/standalone.c $(TEST_CONFIG_SOURCES)
tests_fuzz_fuzz_xml_CFLAGS = $(TEST_CFLAGS)
tests_fuzz_fuzz_xml_CPPFLAGS = $(TEST_TOOLSTACK_CPPFLAGS)
tests_fuzz_fuzz_xml_LDADD = $(LIBXML_LIBS)

check_PROGRAMS += tests/unit/test_cpuid
TESTS += tests/unit/test_cpuid
tests_unit_test_cpuid_SOURCES = tests/unit/test_cpuid.c toolstack/cpuid.c toolstack/cpuid_model.c
tests_unit_test_cpuid_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_cpuid_CPPFLAGS = $(TEST_TOOLSTACK_CPPFLAGS)
tests_unit_test_cpuid_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_cpulist
TESTS += tests/unit/test_cpulist
tests_unit_test_cpulist_SOURCES = tests/unit/test_cpulist.c toolstack/cpulist.c
tests_unit_test_cpulist_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_cpulist_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_cpulist_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_traceview
TESTS += tests/unit/test_traceview
tests_unit_test_traceview_SOURCES = tests/unit/test_traceview.c toolstack/traceview.c
tests_unit_test_traceview_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_traceview_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_traceview_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_build
TESTS += tests/unit/test_build
tests_unit_test_build_SOURCES = tests/unit/test_build.c toolstack/build.c toolstack/build_sched.c toolstack/build_layout.c \
	toolstack/config.c toolstack/cpulist.c toolstack/cpuid.c toolstack/cpuid_model.c
tests_unit_test_build_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_build_CPPFLAGS = $(TEST_TOOLSTACK_CPPFLAGS)
tests_unit_test_build_LDADD = $(TEST_LDADD)

dist_check_SCRIPTS += tests/unit/test_cli.sh
TESTS += tests/unit/test_cli.sh
