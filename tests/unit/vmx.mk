# unit tests: the Intel back end
check_PROGRAMS += tests/unit/test_vmx_exit
TESTS += tests/unit/test_vmx_exit
tests_unit_test_vmx_exit_SOURCES = tests/unit/test_vmx_exit.c tests/fake/bug.c tests/fake/vmx_fake.c tests/fake/vmx_fake.h \
	hv/arch/vmx/exit.c hv/arch/vmx/inject.c
tests_unit_test_vmx_exit_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_vmx_exit_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_vmx_exit_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_vmx_state
TESTS += tests/unit/test_vmx_state
tests_unit_test_vmx_state_SOURCES = tests/unit/test_vmx_state.c tests/fake/bug.c tests/fake/vmx_fake.c \
	hv/arch/vmx/check.c hv/arch/vmx/controls.c hv/arch/vmx/ept.c hv/arch/vmx/inject.c hv/arch/vmx/state.c
tests_unit_test_vmx_state_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_vmx_state_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_vmx_state_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_vmx_enter
TESTS += tests/unit/test_vmx_enter
tests_unit_test_vmx_enter_SOURCES = tests/unit/test_vmx_enter.c tests/fake/bug.c tests/fake/fake_pages.c \
	hv/arch/vmx/apicv.c hv/arch/vmx/caps.c hv/arch/vmx/check.c hv/arch/vmx/controls.c hv/arch/vmx/enter.c hv/arch/vmx/ept.c \
	hv/arch/vmx/exit.c hv/arch/vmx/inject.c hv/arch/vmx/msrs.c hv/arch/vmx/state.c hv/arch/vmx/vmcs.c
tests_unit_test_vmx_enter_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_vmx_enter_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_vmx_enter_LDADD = $(TEST_LDADD)
