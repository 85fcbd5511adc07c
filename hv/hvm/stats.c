/* See stats.h. */
#include "hvm/stats.h"
#include "hvm/hvm_state.h"
#include "lib/atomic.h"

static const char *const names[VMEXIT_KINDS] = {
	[VMEXIT_NONE] = "host",
	[VMEXIT_PIO] = "pio",
	[VMEXIT_NPF] = "mmio",
	[VMEXIT_CPUID] = "cpuid",
	[VMEXIT_MSR] = "msr",
	[VMEXIT_CR] = "cr",
	[VMEXIT_DR] = "dr",
	[VMEXIT_HLT] = "hlt",
	[VMEXIT_PAUSE] = "pause",
	[VMEXIT_HYPERCALL] = "hypercall",
	[VMEXIT_EXCEPTION] = "exception",
	[VMEXIT_INTR_WINDOW] = "intr-window",
	[VMEXIT_NMI_WINDOW] = "nmi-window",
	[VMEXIT_TASK_SWITCH] = "task-switch",
	[VMEXIT_INVLPG] = "invlpg",
	[VMEXIT_WBINVD] = "wbinvd",
	[VMEXIT_XSETBV] = "xsetbv",
	[VMEXIT_RDTSC] = "rdtsc",
	[VMEXIT_RDPMC] = "rdpmc",
	[VMEXIT_UNDEFINED] = "undefined",
	[VMEXIT_SHUTDOWN] = "shutdown",
	[VMEXIT_ENTRY_FAILED] = "entry-failed",
	[VMEXIT_OTHER] = "other",
};

void hvm_stats_add(const struct vcpu *v, uint64_t *exits, uint64_t *ticks, uint64_t *ioreqs)
{
	const struct hvm_stats *s = &v->hvm->stats;

	for (unsigned int i = 0; i < VMEXIT_KINDS; i++) {
		exits[i] += READ_ONCE(s->exits[i]);
		ticks[i] += READ_ONCE(s->ticks[i]);
	}
	*ioreqs += READ_ONCE(s->ioreqs);
}

const char *hvm_stats_kind_name(unsigned int kind)
{
	return kind < VMEXIT_KINDS ? names[kind] : NULL;
}
