# unit tests: hvm, and the vendor's back end below it
check_PROGRAMS += tests/unit/test_svm_exit
TESTS += tests/unit/test_svm_exit
tests_unit_test_svm_exit_SOURCES = tests/unit/test_svm_exit.c tests/fake/bug.c hv/arch/svm/exit.c
tests_unit_test_svm_exit_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_svm_exit_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_svm_exit_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_svm_state
TESTS += tests/unit/test_svm_state
tests_unit_test_svm_state_SOURCES = tests/unit/test_svm_state.c tests/fake/bug.c tests/fake/fake_pages.c \
	hv/arch/svm/inject.c hv/arch/svm/state.c hv/arch/svm/msrpm.c
tests_unit_test_svm_state_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_svm_state_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_svm_state_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_cpuid_policy
TESTS += tests/unit/test_cpuid_policy
tests_unit_test_cpuid_policy_SOURCES = tests/unit/test_cpuid_policy.c tests/fake/bug.c tests/fake/fake_vcpu.c \
	tests/fake/fake_vcpu.h hv/hvm/cpuid_policy.c hv/hvm/topology.c hv/hvm/cpu_features.c
tests_unit_test_cpuid_policy_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_cpuid_policy_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_cpuid_policy_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_cpu_features
TESTS += tests/unit/test_cpu_features
tests_unit_test_cpu_features_SOURCES = tests/unit/test_cpu_features.c hv/hvm/cpu_features.c
tests_unit_test_cpu_features_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_cpu_features_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_cpu_features_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_exit_msr
TESTS += tests/unit/test_exit_msr
tests_unit_test_exit_msr_SOURCES = tests/unit/test_exit_msr.c tests/fake/bug.c tests/fake/fake_vcpu.c \
	hv/hvm/exit_msr.c hv/dev/vlapic.c hv/dev/vlapic_timer.c hv/dev/vtick.c hv/dev/vlapic_ipi.c
tests_unit_test_exit_msr_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_exit_msr_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_exit_msr_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_hvm_io
TESTS += tests/unit/test_hvm_io
tests_unit_test_hvm_io_SOURCES = tests/unit/test_hvm_io.c tests/fake/bug.c tests/fake/fake_vcpu.c hv/hvm/io.c \
	hv/dev/bus.c hv/dev/vlapic.c hv/dev/vlapic_timer.c hv/dev/vtick.c hv/dev/vlapic_ipi.c
tests_unit_test_hvm_io_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_hvm_io_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_hvm_io_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_hvm_inject
TESTS += tests/unit/test_hvm_inject
tests_unit_test_hvm_inject_SOURCES = tests/unit/test_hvm_inject.c tests/fake/bug.c tests/fake/fake_vcpu.c \
	hv/hvm/inject.c
tests_unit_test_hvm_inject_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_hvm_inject_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_hvm_inject_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_exit_cr
TESTS += tests/unit/test_exit_cr
tests_unit_test_exit_cr_SOURCES = tests/unit/test_exit_cr.c tests/fake/bug.c tests/fake/fake_vcpu.c \
	hv/hvm/exit_cr.c hv/dev/vlapic.c hv/dev/vlapic_timer.c hv/dev/vtick.c hv/dev/vlapic_ipi.c
tests_unit_test_exit_cr_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_exit_cr_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_exit_cr_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_emul_cpu
TESTS += tests/unit/test_emul_cpu
tests_unit_test_emul_cpu_SOURCES = tests/unit/test_emul_cpu.c tests/fake/bug.c tests/fake/fake_vcpu.c \
	hv/hvm/emul_cpu.c
tests_unit_test_emul_cpu_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_emul_cpu_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_emul_cpu_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_dom0_acpi
TESTS += tests/unit/test_dom0_acpi
tests_unit_test_dom0_acpi_SOURCES = tests/unit/test_dom0_acpi.c tests/fake/bug.c hv/hvm/dom0_acpi.c
tests_unit_test_dom0_acpi_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_dom0_acpi_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_dom0_acpi_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_svm_enter
TESTS += tests/unit/test_svm_enter
tests_unit_test_svm_enter_SOURCES = tests/unit/test_svm_enter.c tests/fake/bug.c tests/fake/fake_pages.c \
	hv/arch/svm/enter.c hv/arch/svm/vmcb.c hv/arch/svm/caps.c hv/arch/svm/exit.c hv/arch/svm/inject.c \
	hv/arch/svm/state.c hv/arch/svm/msrpm.c hv/arch/svm/npt.c
tests_unit_test_svm_enter_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_svm_enter_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_svm_enter_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_ioreq_client
TESTS += tests/unit/test_ioreq_client
tests_unit_test_ioreq_client_SOURCES = tests/unit/test_ioreq_client.c tests/fake/bug.c tests/fake/fake_vcpu.c \
	hv/hvm/ioreq_client.c ioreq/slot.c
tests_unit_test_ioreq_client_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_ioreq_client_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_ioreq_client_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_mmio_mov
TESTS += tests/unit/test_mmio_mov
tests_unit_test_mmio_mov_SOURCES = tests/unit/test_mmio_mov.c tests/fake/bug.c tests/fake/fake_vcpu.c \
	hv/hvm/mmio_mov.c hv/emul/mov.c
tests_unit_test_mmio_mov_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_mmio_mov_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_mmio_mov_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_exit_io
TESTS += tests/unit/test_exit_io
tests_unit_test_exit_io_SOURCES = tests/unit/test_exit_io.c tests/fake/bug.c tests/fake/fake_vcpu.c \
	hv/hvm/exit_io.c hv/hvm/exit_mem.c
tests_unit_test_exit_io_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_exit_io_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_exit_io_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_topology
TESTS += tests/unit/test_topology
tests_unit_test_topology_SOURCES = tests/unit/test_topology.c tests/fake/bug.c hv/hvm/topology.c
tests_unit_test_topology_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_topology_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_topology_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_hvm_intr
TESTS += tests/unit/test_hvm_intr
tests_unit_test_hvm_intr_SOURCES = tests/unit/test_hvm_intr.c tests/fake/bug.c tests/fake/fake_vcpu.c \
	hv/hvm/intr.c hv/dev/vlapic.c hv/dev/vlapic_timer.c hv/dev/vlapic_ipi.c hv/dev/vioapic.c hv/dev/vpic.c \
	hv/dev/vmsi.c hv/dev/irqline.c hv/dev/vtick.c hv/dev/vlapic_run.c
tests_unit_test_hvm_intr_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_hvm_intr_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_hvm_intr_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_ticks
TESTS += tests/unit/test_ticks
tests_unit_test_ticks_SOURCES = tests/unit/test_ticks.c tests/fake/bug.c tests/fake/fake_vcpu.c hv/hvm/ticks.c \
	hv/dev/irqline.c hv/dev/vpic.c hv/dev/vioapic.c hv/dev/vpit.c hv/dev/vrtc.c hv/dev/vhpet.c hv/dev/vtick.c \
	hv/dev/vlapic.c hv/dev/vlapic_timer.c hv/dev/vlapic_ipi.c
tests_unit_test_ticks_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_ticks_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_ticks_LDADD = $(TEST_LDADD)
