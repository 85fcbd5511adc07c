# unit tests: dm
check_PROGRAMS += tests/unit/test_qemu_args
TESTS += tests/unit/test_qemu_args
tests_unit_test_qemu_args_SOURCES = tests/unit/test_qemu_args.c dm-glue/qemu_args.c
tests_unit_test_qemu_args_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_qemu_args_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_qemu_args_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_qmp_wire
TESTS += tests/unit/test_qmp_wire
tests_unit_test_qmp_wire_SOURCES = tests/unit/test_qmp_wire.c dm-glue/qmp_wire.c
tests_unit_test_qmp_wire_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_qmp_wire_CPPFLAGS = $(TEST_CPPFLAGS) $(YAJL_CFLAGS)
tests_unit_test_qmp_wire_LDADD = $(TEST_LDADD) $(YAJL_LIBS)

check_PROGRAMS += tests/unit/test_qmp
TESTS += tests/unit/test_qmp
tests_unit_test_qmp_SOURCES = tests/unit/test_qmp.c dm-glue/qmp_wire.c dm-glue/qmp.c \
	dm-glue/qmp_cmds.c
tests_unit_test_qmp_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_qmp_CPPFLAGS = $(TEST_CPPFLAGS) $(YAJL_CFLAGS)
tests_unit_test_qmp_LDADD = $(TEST_LDADD) $(YAJL_LIBS)

check_PROGRAMS += tests/unit/test_dm_files
TESTS += tests/unit/test_dm_files
tests_unit_test_dm_files_SOURCES = tests/unit/test_dm_files.c dm-glue/image.c dm-glue/logfile.c \
	dm-glue/dmlock.c
tests_unit_test_dm_files_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_dm_files_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_dm_files_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_sandbox
TESTS += tests/unit/test_sandbox
tests_unit_test_sandbox_SOURCES = tests/unit/test_sandbox.c dm-glue/sandbox.c \
	dm-glue/sandbox_root.c dm-glue/sandbox_filter.c dm-glue/sandbox_check.c
tests_unit_test_sandbox_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_sandbox_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_sandbox_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/fuzz/fuzz_qmp
TESTS += tests/fuzz/fuzz_qmp
tests_fuzz_fuzz_qmp_SOURCES = tests/fuzz/fuzz_qmp.c tests/fuzz/standalone.c dm-glue/qmp_wire.c
tests_fuzz_fuzz_qmp_CFLAGS = $(TEST_CFLAGS)
tests_fuzz_fuzz_qmp_CPPFLAGS = $(TEST_CPPFLAGS) $(YAJL_CFLAGS)
tests_fuzz_fuzz_qmp_LDADD = $(YAJL_LIBS)

check_PROGRAMS += tests/unit/test_supervise
TESTS += tests/unit/test_supervise
tests_unit_test_supervise_SOURCES = tests/unit/test_supervise.c dm-glue/supervise.c dm-glue/start.c \
	dm-glue/qemu_proc.c dm-glue/publish.c dm-glue/resources.c dm-glue/dmlock.c dm-glue/logfile.c \
	dm-glue/image.c dm-glue/tap.c dm-glue/qemu_args.c dm-glue/qmp.c dm-glue/qmp_wire.c \
	dm-glue/qmp_cmds.c dm-glue/vnc.c dm-glue/rfb.c \
	dm-glue/usernet.c
tests_unit_test_supervise_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_supervise_CPPFLAGS = $(TEST_CPPFLAGS) $(XEN_CFLAGS) $(YAJL_CFLAGS) \
	-DOSTLER_LIBEXECDIR='"/nonexistent"'
tests_unit_test_supervise_LDADD = $(TEST_LDADD) $(YAJL_LIBS) $(NETTLE_LIBS)

check_PROGRAMS += tests/unit/test_vnc
TESTS += tests/unit/test_vnc
tests_unit_test_vnc_SOURCES = tests/unit/test_vnc.c dm-glue/vnc.c dm-glue/rfb.c
tests_unit_test_vnc_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_vnc_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_vnc_LDADD = $(TEST_LDADD) $(NETTLE_LIBS)

check_PROGRAMS += tests/fuzz/fuzz_rfb
TESTS += tests/fuzz/fuzz_rfb
tests_fuzz_fuzz_rfb_SOURCES = tests/fuzz/fuzz_rfb.c tests/fuzz/standalone.c dm-glue/rfb.c
tests_fuzz_fuzz_rfb_CFLAGS = $(TEST_CFLAGS)
tests_fuzz_fuzz_rfb_CPPFLAGS = $(TEST_CPPFLAGS)
tests_fuzz_fuzz_rfb_LDADD = $(NETTLE_LIBS)

check_PROGRAMS += tests/unit/test_usernet
TESTS += tests/unit/test_usernet
tests_unit_test_usernet_SOURCES = tests/unit/test_usernet.c dm-glue/usernet_stack.c
tests_unit_test_usernet_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_usernet_CPPFLAGS = $(TEST_CPPFLAGS) $(SLIRP_CFLAGS)
tests_unit_test_usernet_LDADD = $(TEST_LDADD) $(SLIRP_LIBS)
