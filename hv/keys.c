/* The table of debug keys (serial line, after Ctrl-A three times). */
#include "core/cmdline.h"
#include "core/counters.h"
#include "core/keyhandler.h"
#include "core/log.h"
#include "core/page_alloc.h"
#include "core/panic.h"
#include "core/percpu.h"
#include "core/sched.h"
#include "core/time.h"
#include "core/trace.h"
#include "arch/machine.h"
#include "hvm/dump.h"

static void key_cpus(void)
{
	for (unsigned int i = 0; i < cpu_count; i++) {
		const struct cpu *c = cpus[i];

		log_info("CPU %u: apic %u, unit %s, exits %lu, in guest %lu, pending %lx", i, c->apic_id,
			 c->current ? c->current->name : "none", c->exits, c->in_guest, c->softirq_pending);
	}
}

static void key_memory(void)
{
	log_info("memory: %lu MiB managed, %lu MiB free", page_total() >> 8, page_count_free() >> 8);
}

static void key_trace(void)
{
	trace_dump(32, 0xffff);
}

static void key_reboot(void)
{
	machine_stop_others();
	machine_reset_or_stop(false);
}

static void key_panic(void)
{
	panic("asked for by key");
}

static void key_time(void)
{
	log_info("TSC %lu kHz, up %lu ms", time_tsc_khz(), time_now() / 1000000);
}

const struct keyhandler keyhandler_table[] = {
	{ 'c', "counters", counters_dump },
	{ 'd', "CPUs", key_cpus },
	{ 'm', "memory", key_memory },
	{ 'r', "run queues", sched_dump },
	{ 's', "time", key_time },
	{ 't', "newest trace records", key_trace },
	{ 'v', "domains and vCPUs, with each guest's newest trace records", hvm_dump_all },
	{ 'P', "panic", key_panic },
	{ 'R', "reboot", key_reboot },
	{ 0 },
};
