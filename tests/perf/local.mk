# Instruction counts on the emulated machine, beside stock Xen and the recorded baseline (tests/README.md).
EXTRA_DIST += tests/perf/bench tests/perf/in-dom0 tests/perf/svm.count tests/perf/vmx.count tests/perf/xen-4.17.count \
	tests/perf/probe.xml tests/perf/probe.cfg tests/perf/job.xml tests/perf/job.cfg

# BENCH_XEN=1: measure stock Xen again; BENCH_UPDATE=1: record the baseline; BENCH_JOB=0: without the long whole job;
# BENCH_PLATFORM=vmx: on Bochs.
bench:
	OSTLER_BUILD=$(abs_top_builddir) $(srcdir)/tests/perf/bench $(if $(BENCH_PLATFORM),--platform $(BENCH_PLATFORM)) \
		$(if $(BENCH_XEN),--xen) \
		$(if $(BENCH_UPDATE),--update) $(if $(filter 0,$(BENCH_JOB)),--no-job)

.PHONY: bench
