# targets of dm-glue/

# dm-glue/libqmp.a: a QMP client; also for ostler, which talks to the second monitor.
noinst_LIBRARIES += dm-glue/libqmp.a
dm_glue_libqmp_a_SOURCES = \
	dm-glue/qmp_wire.c dm-glue/qmp_wire.h \
	dm-glue/qmp.c dm-glue/qmp.h \
	dm-glue/qmp_cmds.c dm-glue/qmp_cmds.h
dm_glue_libqmp_a_CFLAGS = $(HOSTED_CFLAGS)
dm_glue_libqmp_a_CPPFLAGS = $(HOSTED_CPPFLAGS) $(YAJL_CFLAGS)
QMP_LIBS = dm-glue/libqmp.a $(YAJL_LIBS)

pkglibexec_PROGRAMS += ostler-dm
ostler_dm_SOURCES = \
	dm-glue/main.c \
	dm-glue/supervise.c dm-glue/supervise.h dm-glue/supervisor.h \
	dm-glue/start.c dm-glue/qemu_proc.c \
	dm-glue/publish.c dm-glue/publish.h \
	dm-glue/resources.c dm-glue/resources.h \
	dm-glue/dmlock.c dm-glue/dmlock.h \
	dm-glue/logfile.c dm-glue/logfile.h \
	dm-glue/image.c dm-glue/image.h \
	dm-glue/tap.c dm-glue/tap.h dm-glue/usernet.c dm-glue/usernet.h \
	dm-glue/vnc.c dm-glue/vnc.h dm-glue/rfb.c dm-glue/rfb.h \
	dm-glue/qemu_args.c dm-glue/qemu_args.h \
	dm-glue/sandbox.c dm-glue/sandbox.h \
	dm-glue/sandbox_root.c dm-glue/sandbox_root.h \
	dm-glue/sandbox_filter.c dm-glue/sandbox_filter.h \
	dm-glue/sandbox_check.c dm-glue/sandbox_check.h
ostler_dm_CFLAGS = $(HOSTED_CFLAGS)
ostler_dm_CPPFLAGS = $(TOOLSTACK_CPPFLAGS) $(YAJL_CFLAGS)
ostler_dm_LDADD = $(QMP_LIBS) $(NETTLE_LIBS) $(TOOLSTACK_LIBS)

pkglibexec_PROGRAMS += ostler-usernet
ostler_usernet_SOURCES = \
	dm-glue/usernet_main.c \
	dm-glue/usernet_stack.c dm-glue/usernet_stack.h \
	dm-glue/sandbox_filter.c dm-glue/sandbox_filter.h
ostler_usernet_CFLAGS = $(HOSTED_CFLAGS)
ostler_usernet_CPPFLAGS = $(HOSTED_CPPFLAGS) $(SLIRP_CFLAGS)
ostler_usernet_LDADD = $(SLIRP_LIBS)
EXTRA_DIST += dm-glue/README.md
