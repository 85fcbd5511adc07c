/*
 * Per-CPU areas: one struct cpu per physical CPU, found through GS.
 *
 * Index 0 is the boot CPU; indexes are dense. A CPU's own members are touched by that CPU only
 * unless the member says otherwise.
 */
#ifndef CORE_PERCPU_H
#define CORE_PERCPU_H

#include <stdbool.h>
#include <stdint.h>
#include "arch/hw.h"

#define MAX_CPUS 64

#define LOCKS_HELD_MAX 16
#define CPU_COUNTERS_MAX 64

struct sched_unit;
struct sched_cpu;
struct spinlock;

struct cpu {
	struct cpu *self;               /* const; gs:0, so that this_cpu() is one load */
	uint64_t stack_top;             /* [own] stack used while no unit runs (boot, idle) */
	unsigned int id;                /* const */
	uint32_t apic_id;               /* const: physical APIC ID */
	bool online;                    /* [any CPU reads] */
	struct sched_unit *current;     /* [own; others may read] what runs here */
	struct sched_unit *idle;        /* const after start */
	unsigned int irq_depth;         /* [own] > 0: in an interrupt handler */
	uint64_t softirq_pending;       /* [atomic] */
	struct sched_cpu *sched;        /* [sched] run queue */
	struct timer_heap *timers;      /* [timer] own lock inside */
	struct trace_ring *trace;       /* [own writes] */
	void *virt;                     /* [vendor back end] host save area and the like */
	void *desc;                     /* [cpu/desc] GDT, TSS, IST stacks */
	void *arch_state;               /* [arch] e.g. whose guest state is loaded here */
	uint64_t in_guest;              /* [own writes; others read] 1 between entry and exit */
	uint64_t exits;                 /* [own] count, to wait for a round of exits */
	struct spinlock *held[LOCKS_HELD_MAX]; /* [own] locks held, outermost first (debug builds) */
	unsigned int held_count;        /* [own] */
	uint64_t counter[CPU_COUNTERS_MAX]; /* [own writes] core/counters.h */
	uint64_t stop_rip, stop_frame;  /* [own] where machine_stop_others() found this CPU */
	uint64_t boot_tsc;              /* [own, then const] TSC when it reported to the boot CPU */
	uint32_t boot_state;            /* [atomic] start-up: arch/cpu/smp_boot.c */
};

extern struct cpu *cpus[MAX_CPUS];      /* const after start-up; NULL beyond cpu_count */
extern unsigned int cpu_count;          /* online CPUs; const after start-up */

extern struct cpu boot_cpu;             /* CPU 0's; arch/boot/head.S points GS at it */

/* The CPU this code runs on. Stable only while it cannot be moved (units move only in sched). */
static inline struct cpu *this_cpu(void)
{
	return hw_cpu_base();
}

/* Make the area of a CPU that is about to be started, as index cpu_count; NULL: no memory, or MAX_CPUS reached. It counts
 * from percpu_commit() on. Start-up, boot CPU only. */
struct cpu *percpu_new(uint32_t apic_id);
void percpu_commit(void);
/* What every CPU has, the boot CPU too: timers, trace ring, descriptor tables, run queue. -ENOMEM. */
int percpu_fill(struct cpu *c);

#endif
