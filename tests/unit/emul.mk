# unit tests: emul
EMUL_TESTED = hv/emul/insn.h hv/emul/decode.c hv/emul/emul.c hv/emul/exec_alu.c hv/emul/exec_bits.c hv/emul/exec_desc.c \
	hv/emul/exec_evex.c hv/emul/exec_flow.c hv/emul/exec_lanes.c hv/emul/exec_move.c hv/emul/exec_simd.c hv/emul/exec_string.c \
	hv/emul/exec_sys.c hv/emul/exec_x87.c hv/emul/flags.c hv/emul/operand.c hv/emul/optable.c hv/emul/task_switch.c \
	hv/emul/task_switch.h

# The real CPU against the emulator; --seed N for other instructions.
check_PROGRAMS += tests/unit/test_emul_native
TESTS += tests/unit/test_emul_native
tests_unit_test_emul_native_SOURCES = tests/unit/test_emul_native.c tests/unit/native_make.c \
	tests/unit/native_make.h tests/unit/native_forms.c tests/unit/native_run.S $(EMUL_TESTED)
tests_unit_test_emul_native_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_emul_native_CPPFLAGS = $(TEST_CPPFLAGS)

EMUL_ENV = tests/fake/emul_env.c tests/fake/emul_env.h $(EMUL_TESTED)

check_PROGRAMS += tests/unit/test_emul_decode
TESTS += tests/unit/test_emul_decode
tests_unit_test_emul_decode_SOURCES = tests/unit/test_emul_decode.c $(EMUL_ENV)
tests_unit_test_emul_decode_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_emul_decode_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_emul_decode_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_emul_mov
TESTS += tests/unit/test_emul_mov
tests_unit_test_emul_mov_SOURCES = tests/unit/test_emul_mov.c hv/emul/mov.c hv/emul/mov.h $(EMUL_ENV)
tests_unit_test_emul_mov_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_emul_mov_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_emul_mov_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_emul_modes
TESTS += tests/unit/test_emul_modes
tests_unit_test_emul_modes_SOURCES = tests/unit/test_emul_modes.c $(EMUL_ENV)
tests_unit_test_emul_modes_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_emul_modes_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_emul_modes_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_emul_string
TESTS += tests/unit/test_emul_string
tests_unit_test_emul_string_SOURCES = tests/unit/test_emul_string.c $(EMUL_ENV)
tests_unit_test_emul_string_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_emul_string_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_emul_string_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_emul_sys
TESTS += tests/unit/test_emul_sys
tests_unit_test_emul_sys_SOURCES = tests/unit/test_emul_sys.c $(EMUL_ENV)
tests_unit_test_emul_sys_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_emul_sys_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_emul_sys_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_emul_x87
TESTS += tests/unit/test_emul_x87
tests_unit_test_emul_x87_SOURCES = tests/unit/test_emul_x87.c hv/arch/cpu/x87.c hv/arch/cpu/x87_stubs.S $(EMUL_ENV)
tests_unit_test_emul_x87_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_emul_x87_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_emul_x87_LDADD = $(TEST_LDADD)

check_PROGRAMS += tests/unit/test_task_switch
TESTS += tests/unit/test_task_switch
tests_unit_test_task_switch_SOURCES = tests/unit/test_task_switch.c $(EMUL_ENV)
tests_unit_test_task_switch_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_task_switch_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_task_switch_LDADD = $(TEST_LDADD)

# Guided by what the inputs reach; the engine must not count itself.
check_LIBRARIES += tests/fuzz/libguided.a
tests_fuzz_libguided_a_SOURCES = tests/fuzz/guided.c
tests_fuzz_libguided_a_CFLAGS = $(TEST_CFLAGS)
tests_fuzz_libguided_a_CPPFLAGS = $(TEST_CPPFLAGS) \
	-DFUZZ_CORPUS_DIR='"$(abs_top_srcdir)/tests/fuzz/corpus/emul"'

check_PROGRAMS += tests/fuzz/fuzz_emul
TESTS += tests/fuzz/fuzz_emul
tests_fuzz_fuzz_emul_SOURCES = tests/fuzz/fuzz_emul.c $(EMUL_TESTED)
tests_fuzz_fuzz_emul_CFLAGS = $(TEST_CFLAGS) -fsanitize-coverage=trace-pc
tests_fuzz_fuzz_emul_CPPFLAGS = $(TEST_CPPFLAGS)
tests_fuzz_fuzz_emul_LDADD = tests/fuzz/libguided.a
