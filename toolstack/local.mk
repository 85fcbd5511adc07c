# targets of toolstack/
# toolstack/libostler.a: what ostler and the device-model supervisor share.

noinst_LIBRARIES += toolstack/libostler.a

TOOLSTACK_CPPFLAGS = $(HOSTED_CPPFLAGS) -D__XEN_TOOLS__ $(LIBXML_CFLAGS) $(XEN_CFLAGS) \
	-DOSTLER_VERSION='"$(PACKAGE_VERSION)"' -DOSTLER_DATADIR='"$(pkgdatadir)"' \
	-DOSTLER_LIBEXECDIR='"$(pkglibexecdir)"' -DOSTLER_BINDIR='"$(bindir)"'
TOOLSTACK_LIBS = toolstack/libostler.a $(LIBXML_LIBS) $(XEN_LIBS) $(ZLIB_LIBS)

toolstack_libostler_a_SOURCES = \
	toolstack/config.c toolstack/config.h \
	toolstack/config_xml.c toolstack/config_rules.c toolstack/config_rules.h \
	toolstack/config_read.c toolstack/config_read.h \
	toolstack/config_domain.c \
	toolstack/config_devices.c toolstack/config_devices.h \
	toolstack/config_chardev.c \
	toolstack/config_check.c \
	toolstack/xmlpos.c toolstack/xmlpos.h \
	toolstack/png.c toolstack/png.h \
	toolstack/cpulist.c toolstack/cpulist.h \
	toolstack/traceview.c toolstack/traceview.h \
	toolstack/cpuid.c toolstack/cpuid.h toolstack/cpuid_model.c \
	toolstack/lib/rundir.c toolstack/lib/rundir.h \
	toolstack/lib/dm_cgroup.c toolstack/lib/dm_cgroup.h \
	toolstack/life.c toolstack/life.h \
	toolstack/document.c toolstack/document.h \
	toolstack/domain.c toolstack/domain.h \
	toolstack/build.c toolstack/build.h toolstack/build_store.c toolstack/build_dm.c toolstack/build_sched.c \
	toolstack/build_layout.c toolstack/build_layout.h \
	toolstack/lib/hvcall.c toolstack/lib/hvcall.h \
	toolstack/lib/hvdom.c toolstack/lib/hvdom.h \
	toolstack/lib/hvhost.c toolstack/lib/hvhost.h \
	toolstack/lib/hvsched.c toolstack/lib/hvsched.h \
	toolstack/lib/hvstats.c toolstack/lib/hvstats.h \
	toolstack/lib/guestmem.c toolstack/lib/guestmem.h \
	toolstack/lib/store.c toolstack/lib/store.h
toolstack_libostler_a_CFLAGS = $(HOSTED_CFLAGS)
toolstack_libostler_a_CPPFLAGS = $(TOOLSTACK_CPPFLAGS)

bin_PROGRAMS += ostler
ostler_SOURCES = \
	toolstack/main.c toolstack/cmd.c toolstack/cmd.h toolstack/cmd_complete.c \
	toolstack/out.c toolstack/out.h \
	toolstack/cmd_create.c \
	toolstack/cmd_list.c \
	toolstack/cmd_destroy.c \
	toolstack/cmd_pause.c \
	toolstack/cmd_vcpu.c \
	toolstack/cmd_top.c \
	toolstack/cmd_mem.c \
	toolstack/cmd_trace.c \
	toolstack/cmd_console.c \
	toolstack/cmd_dmesg.c \
	toolstack/cmd_dump.c \
	toolstack/monitor.c toolstack/monitor.h \
	toolstack/cmd_screenshot.c \
	toolstack/cmd_media.c \
	toolstack/cmd_vcpuset.c \
	toolstack/cmd_keys.c
ostler_CFLAGS = $(HOSTED_CFLAGS)
ostler_CPPFLAGS = $(TOOLSTACK_CPPFLAGS) $(YAJL_CFLAGS)
ostler_LDADD = $(QMP_LIBS) $(TOOLSTACK_LIBS)

dist_man_MANS += toolstack/ostler.1 toolstack/ostler.xml.5
dist_pkgdata_DATA = toolstack/guest.rng
dist_doc_DATA = configs/minimal.xml configs/demo.xml configs/debian.xml configs/smp.xml
bashcompletiondir = $(datadir)/bash-completion/completions
EXTRA_DIST += toolstack/README.md toolstack/completion.bash

# bash-completion looks for a file named like the command.
install-data-hook: install-toolstack-completion
.PHONY: install-toolstack-completion
install-toolstack-completion:
	$(MKDIR_P) "$(DESTDIR)$(bashcompletiondir)"
	$(INSTALL_DATA) $(top_srcdir)/toolstack/completion.bash "$(DESTDIR)$(bashcompletiondir)/ostler"
uninstall-hook: uninstall-toolstack-completion
.PHONY: uninstall-toolstack-completion
uninstall-toolstack-completion:
	rm -f "$(DESTDIR)$(bashcompletiondir)/ostler"
