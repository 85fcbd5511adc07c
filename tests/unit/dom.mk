# unit tests: dom, and abi on top of it; the layers below are tests/fake/fake_hv.c
check_LIBRARIES += tests/unit/libdomabi.a
tests_unit_libdomabi_a_SOURCES = tests/fake/fake_hv.c tests/fake/fake_p2m.c tests/fake/fake_sched.c tests/fake/fake_cpu_policy.c \
	tests/fake/fake_hv_int.h tests/fake/bug.c hv/lib/printf.c hv/lib/div128.c hv/lib/str.c \
	hv/dom/crash.c hv/dom/domain.c hv/dom/evtchn.c hv/dom/grant.c hv/dom/grant_copy.c hv/dom/grant_map.c \
	hv/dom/iorange.c hv/dom/ioreq_server.c hv/dom/populate.c hv/dom/shared_info.c hv/dom/vcpu.c \
	hv/abi/abi_check.c hv/abi/access.c hv/abi/cpu_policy.c hv/abi/dm_op.c hv/abi/domain_info.c hv/abi/domctl.c hv/abi/domctl_sched.c hv/abi/hc_evtchn.c \
	hv/abi/hc_grant.c hv/abi/hc_hvm.c hv/abi/hc_memory.c hv/abi/hc_misc.c hv/abi/hc_ostler.c hv/abi/hc_physmap.c hv/abi/hc_platform.c \
	hv/abi/hc_sched.c hv/abi/hc_vcpu.c hv/abi/hvm_context.c hv/abi/hypercall.c hv/abi/sysctl.c \
	ioreq/bufring.c ioreq/slot.c
tests_unit_libdomabi_a_CFLAGS = $(TEST_CFLAGS)
tests_unit_libdomabi_a_CPPFLAGS = $(TEST_CPPFLAGS)

DOM_TESTS = tests/unit/test_evtchn tests/unit/test_grant tests/unit/test_ioreq_server tests/unit/test_hypercall \
	tests/unit/test_memory tests/unit/test_domain
check_PROGRAMS += $(DOM_TESTS)
TESTS += $(DOM_TESTS)

tests_unit_test_evtchn_SOURCES = tests/unit/test_evtchn.c
tests_unit_test_evtchn_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_evtchn_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_evtchn_LDADD = tests/unit/libdomabi.a $(TEST_LDADD)

tests_unit_test_grant_SOURCES = tests/unit/test_grant.c
tests_unit_test_grant_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_grant_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_grant_LDADD = tests/unit/libdomabi.a $(TEST_LDADD)

tests_unit_test_ioreq_server_SOURCES = tests/unit/test_ioreq_server.c
tests_unit_test_ioreq_server_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_ioreq_server_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_ioreq_server_LDADD = tests/unit/libdomabi.a $(TEST_LDADD)

tests_unit_test_hypercall_SOURCES = tests/unit/test_hypercall.c
tests_unit_test_hypercall_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_hypercall_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_hypercall_LDADD = tests/unit/libdomabi.a $(TEST_LDADD)

tests_unit_test_memory_SOURCES = tests/unit/test_memory.c
tests_unit_test_memory_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_memory_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_memory_LDADD = tests/unit/libdomabi.a $(TEST_LDADD)

tests_unit_test_domain_SOURCES = tests/unit/test_domain.c
tests_unit_test_domain_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_domain_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_domain_LDADD = tests/unit/libdomabi.a $(TEST_LDADD)

# the guest-physical map and guest page walks, on frames of their own (tests/fake/fake_pages.c)
check_PROGRAMS += tests/unit/test_guest_walk
TESTS += tests/unit/test_guest_walk
tests_unit_test_guest_walk_SOURCES = tests/unit/test_guest_walk.c tests/fake/bug.c hv/dom/guest_walk.c
tests_unit_test_guest_walk_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_guest_walk_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_guest_walk_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_p2m
TESTS += tests/unit/test_p2m
tests_unit_test_p2m_SOURCES = tests/unit/test_p2m.c tests/fake/bug.c tests/fake/fake_pages.c \
	tests/fake/fake_pages.h hv/dom/p2m.c hv/dom/p2m_tree.c hv/arch/svm/npt.c
tests_unit_test_p2m_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_p2m_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_p2m_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/fuzz/fuzz_hypercall
TESTS += tests/fuzz/fuzz_hypercall
tests_fuzz_fuzz_hypercall_SOURCES = tests/fuzz/fuzz_hypercall.c tests/fuzz/standalone.c
tests_fuzz_fuzz_hypercall_CFLAGS = $(TEST_CFLAGS)
tests_fuzz_fuzz_hypercall_CPPFLAGS = $(TEST_CPPFLAGS)
tests_fuzz_fuzz_hypercall_LDADD = tests/unit/libdomabi.a $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_guest_copy
TESTS += tests/unit/test_guest_copy
tests_unit_test_guest_copy_SOURCES = tests/unit/test_guest_copy.c tests/fake/bug.c tests/fake/fake_pages.c \
	tests/fake/fake_vcpu.c hv/dom/guest_copy.c hv/dom/guest_walk.c
tests_unit_test_guest_copy_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_guest_copy_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_guest_copy_LDADD = $(TEST_LDADD)
