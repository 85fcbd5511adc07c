# unit tests: emul
EMUL_TESTED = hv/emul/insn.h hv/emul/decode.c hv/emul/emul.c hv/emul/exec_alu.c hv/emul/exec_bits.c \
	hv/emul/exec_flow.c hv/emul/exec_move.c hv/emul/exec_simd.c hv/emul/exec_string.c \
	hv/emul/exec_sys.c hv/emul/flags.c hv/emul/operand.c hv/emul/optable.c

# The real CPU against the emulator; --seed N for other instructions.
check_PROGRAMS += tests/unit/test_emul_native
TESTS += tests/unit/test_emul_native
tests_unit_test_emul_native_SOURCES = tests/unit/test_emul_native.c tests/unit/native_make.c \
	tests/unit/native_make.h tests/unit/native_forms.c tests/unit/native_run.S $(EMUL_TESTED)
tests_unit_test_emul_native_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_emul_native_CPPFLAGS = $(TEST_CPPFLAGS)
