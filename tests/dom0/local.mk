# Programs that tests run in Dom0. They are built with the tree and not installed: tests/lab --add takes them along.
noinst_PROGRAMS += tests/dom0/scribble tests/dom0/badstate

tests_dom0_scribble_SOURCES = tests/dom0/scribble.c ioreq/slot.c
tests_dom0_scribble_CPPFLAGS = $(HOSTED_CPPFLAGS) -D__XEN_TOOLS__ $(XEN_CFLAGS)
tests_dom0_scribble_CFLAGS = $(HOSTED_CFLAGS)
tests_dom0_scribble_LDADD = $(XEN_LIBS)

tests_dom0_badstate_SOURCES = tests/dom0/badstate.c
tests_dom0_badstate_CPPFLAGS = $(TOOLSTACK_CPPFLAGS)
tests_dom0_badstate_CFLAGS = $(HOSTED_CFLAGS)
tests_dom0_badstate_LDADD = $(TOOLSTACK_LIBS)
