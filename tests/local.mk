# Host tests. Each folder of sources has its own list, so that two people rarely touch one file.
# The limit only ends a test that hangs: a loaded machine must not fail one.
AM_TESTS_ENVIRONMENT = CK_DEFAULT_TIMEOUT=300; export CK_DEFAULT_TIMEOUT;

include tests/unit/lib.mk
include tests/unit/dev.mk
include tests/unit/emul.mk
include tests/unit/ioreq.mk
include tests/unit/core.mk
include tests/unit/dom.mk
include tests/unit/hvm.mk
include tests/unit/vmx.mk
include tests/unit/boot.mk
include tests/unit/hvmloader.mk
include tests/unit/dm.mk
include tests/unit/toolstack.mk
include tests/guest/local.mk
include tests/perf/local.mk
include tests/dom0/local.mk

# The fuzzers on their seeds and past failures.
dist_check_SCRIPTS += tests/fuzz/run-corpus
TESTS += tests/fuzz/run-corpus
EXTRA_DIST += tests/fuzz/corpus
