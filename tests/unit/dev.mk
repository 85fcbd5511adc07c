# unit tests: dev
check_PROGRAMS += tests/unit/test_vlapic
TESTS += tests/unit/test_vlapic
tests_unit_test_vlapic_SOURCES = tests/unit/test_vlapic.c tests/fake/bug.c hv/dev/vlapic.c \
	hv/dev/vlapic_run.c hv/dev/vlapic_timer.c hv/dev/vtick.c hv/dev/vlapic_ipi.c
tests_unit_test_vlapic_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_vlapic_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_vlapic_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_vlapic_timer
TESTS += tests/unit/test_vlapic_timer
tests_unit_test_vlapic_timer_SOURCES = tests/unit/test_vlapic_timer.c tests/fake/bug.c hv/dev/vlapic.c \
	hv/dev/vlapic_timer.c hv/dev/vtick.c hv/dev/vlapic_ipi.c
tests_unit_test_vlapic_timer_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_vlapic_timer_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_vlapic_timer_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_vpic
TESTS += tests/unit/test_vpic
tests_unit_test_vpic_SOURCES = tests/unit/test_vpic.c tests/fake/bug.c hv/dev/vpic.c
tests_unit_test_vpic_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_vpic_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_vpic_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_vioapic
TESTS += tests/unit/test_vioapic
tests_unit_test_vioapic_SOURCES = tests/unit/test_vioapic.c tests/fake/bug.c hv/dev/vioapic.c
tests_unit_test_vioapic_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_vioapic_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_vioapic_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_irqline
TESTS += tests/unit/test_irqline
tests_unit_test_irqline_SOURCES = tests/unit/test_irqline.c tests/fake/bug.c hv/dev/irqline.c \
	hv/dev/vpic.c hv/dev/vioapic.c
tests_unit_test_irqline_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_irqline_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_irqline_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_vmsi
TESTS += tests/unit/test_vmsi
tests_unit_test_vmsi_SOURCES = tests/unit/test_vmsi.c tests/fake/bug.c hv/dev/vmsi.c
tests_unit_test_vmsi_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_vmsi_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_vmsi_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_vpit
TESTS += tests/unit/test_vpit
tests_unit_test_vpit_SOURCES = tests/unit/test_vpit.c tests/fake/bug.c \
	tests/fake/fake_vdev_host.c hv/dev/vpit.c hv/dev/vtick.c
tests_unit_test_vpit_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_vpit_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_vpit_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_vrtc
TESTS += tests/unit/test_vrtc
tests_unit_test_vrtc_SOURCES = tests/unit/test_vrtc.c tests/fake/bug.c \
	tests/fake/fake_vdev_host.c hv/dev/vrtc.c hv/dev/vtick.c
tests_unit_test_vrtc_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_vrtc_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_vrtc_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_vhpet
TESTS += tests/unit/test_vhpet
tests_unit_test_vhpet_SOURCES = tests/unit/test_vhpet.c tests/fake/bug.c \
	tests/fake/fake_vdev_host.c hv/dev/vhpet.c hv/dev/vtick.c
tests_unit_test_vhpet_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_vhpet_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_vhpet_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_vpmtimer
TESTS += tests/unit/test_vpmtimer
tests_unit_test_vpmtimer_SOURCES = tests/unit/test_vpmtimer.c tests/fake/bug.c \
	tests/fake/fake_vdev_host.c hv/dev/vpmtimer.c
tests_unit_test_vpmtimer_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_vpmtimer_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_vpmtimer_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_debugcon
TESTS += tests/unit/test_debugcon
tests_unit_test_debugcon_SOURCES = tests/unit/test_debugcon.c tests/fake/bug.c hv/dev/debugcon.c
tests_unit_test_debugcon_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_debugcon_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_debugcon_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_bus
TESTS += tests/unit/test_bus
tests_unit_test_bus_SOURCES = tests/unit/test_bus.c tests/fake/bug.c hv/dev/bus.c
tests_unit_test_bus_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_bus_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_bus_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_vtick
TESTS += tests/unit/test_vtick
tests_unit_test_vtick_SOURCES = tests/unit/test_vtick.c tests/fake/bug.c hv/dev/vtick.c
tests_unit_test_vtick_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_vtick_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_vtick_LDADD = $(TEST_LDADD)
