/*
 * Units of scheduling: each has its own stack and is switched to and from like a coroutine.
 *
 * A run queue belongs to its CPU. sched_wake() from elsewhere puts the unit into the target CPU's
 * queue and kicks it. Code in the hypervisor is never preempted: a unit leaves its CPU only in
 * sched_block(), sched_yield(), or sched_check() (called before each guest entry).
 *
 * What is promised (tests/unit/test_sched_sim.c shows each with made-up CPUs and a made-up clock):
 * - Shares: units that want more than they get have CPU time in proportion to their weights, also across CPUs as far as
 *   their affinity lets them move.
 * - Wake-up: a unit that uses no more than its share, in bursts of up to 5 ms (at weight 256), runs when it wakes, whatever
 *   else is running; if n others of that kind are awake on the same CPU, within n ms. (SCHED_BONUS_NS, SCHED_LOOK_NS.)
 * - Answers: a unit that is woken by the one that runs on its CPU, with what it asked that one for, goes on at once if it is no
 *   more than 10 ms ahead of its share; the other one is back within 1 ms if it is due. (SCHED_ANSWERED_NS, SCHED_LOOK_NS.)
 * - Caps: a group's units together get at most their cap in every period of 10 ms, give or take what one of them runs
 *   between two looks; what was too much is taken from the next periods.
 * - Cost: a decision's cost does not depend on the number of units (test_sched_cost.c counts instructions).
 * - A CPU with one runnable unit without a cap, or none, gets no timer interrupt from the scheduler.
 */
#ifndef CORE_SCHED_H
#define CORE_SCHED_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/list.h"
#include "core/timer.h"

#define SCHED_STACK_ORDER 2             /* 16 KiB a unit */

enum sched_state { SCHED_BLOCKED, SCHED_RUNNABLE, SCHED_RUNNING, SCHED_EXITED };

struct sched_unit;

struct sched_hooks {
	/* On the CPU, interrupts off: this unit stops / starts running here. */
	void (*switch_out)(struct sched_unit *u);
	void (*switch_in)(struct sched_unit *u);
};

/* Units that share a cap: a domain's. Zero: no cap. */
struct sched_group {
	uint32_t cap;                   /* [any CPU reads] percent of one CPU, all units together; 0: none */
	uint32_t units;                 /* how many have joined */
	int64_t budget;                 /* atomic: ns left in this period; negative: a debt */
	uint64_t period;                /* atomic: number of the period that the budget is for */
};

/* Where a unit that could run is kept. */
enum sched_place {
	SCHED_PLACE_NONE,               /* nowhere: it runs, is blocked, ended or paused */
	SCHED_PLACE_QUEUE,              /* its CPU's queue */
	SCHED_PLACE_PARKED,             /* its group has used up its cap in this period */
	SCHED_PLACE_OUTBOX,             /* it may not run on this CPU any more */
	SCHED_PLACE_MOVING,             /* between two CPUs */
};

#define SCHED_ANY_CPU (~0ull)

struct sched_unit {
	struct list link;               /* [LOCK_SCHED of its CPU] */
	const struct sched_hooks *hooks;/* const; may be NULL */
	void (*entry)(void *arg);       /* const: first function on its stack; never returns */
	void *arg;                      /* const */
	const char *name;               /* const, for panic and dumps */
	void *stack;                    /* lowest address */
	uint64_t sp;                    /* saved stack pointer while not running */
	unsigned int cpu;               /* [LOCK_SCHED of that CPU] where it runs or will run */
	bool pinned;                    /* const after start: never moves */
	uint64_t hard, soft;            /* [LOCK_SCHED of its CPU] masks of CPUs: where it may run, where it likes to */
	struct sched_group *group;      /* const after start; NULL: none */
	uint8_t place;                  /* enum sched_place [LOCK_SCHED of its CPU] */
	uint16_t slot;                  /* queue's: slot it is in */
	uint64_t parked_until;          /* queue's: ns */
	uint8_t state;                  /* enum sched_state [LOCK_SCHED of its CPU] */
	bool wake_pending;              /* woken while not yet blocked: the next block returns at once */
	bool on_stack;                  /* its stack is in use (running, or being switched away from) */
	uint32_t pause_count;           /* [LOCK_SCHED] > 0: not chosen */
	uint32_t weight;                /* [any CPU reads] proportional share, default 256 */
	int64_t credit;                 /* policy's */
	int64_t arrears;                /* policy's: virtual time that it will not be charged */
	uint8_t boost;                  /* policy's: just woken, or it has let somebody go first */
	uint64_t run_start, run_total;  /* ns */
	uint64_t switched;              /* times chosen */
};

/* Prepare a unit (allocates its stack). It starts blocked. cpu: where; pinned: never elsewhere. */
int sched_unit_init(struct sched_unit *u, const char *name, void (*entry)(void *), void *arg,
		    const struct sched_hooks *hooks, unsigned int cpu, bool pinned);
/* Free the stack. The unit has ended (sched_exit) or never ran; waits until it is off its stack. */
void sched_unit_free(struct sched_unit *u);

/* Leave the CPU until sched_wake(). Returns at once when a wake came since the last block. */
void sched_block(void);
void sched_wake(struct sched_unit *u);          /* any CPU, also from interrupt handlers */
/* As sched_wake(), by a unit that has just answered what u waits for: if both share this CPU, u goes first now and the caller
 * right after it, within SCHED_LOOK_NS, as long as u is not far ahead of its share. What the caller has left to do then
 * often is done in one go with u's next request. */
void sched_wake_answered(struct sched_unit *u);
void sched_yield(void);
/* Runs deferred work and gives the CPU away if somebody better waits. Interrupts on. */
void sched_check(void);
/* Is a sched_check() or deferred work due? Asked with interrupts off just before guest entry. */
bool sched_check_due(void);
/* Last call of a unit: never returns; its stack is freed by sched_unit_free(). */
_Noreturn void sched_exit(void);

/* Counted. sched_pause() returns when the unit is off its CPU (unless it is the caller itself: then it
 * takes effect at the next sched_check()). sched_pause_nosync() does not wait. */
void sched_pause(struct sched_unit *u);
void sched_pause_nosync(struct sched_unit *u);
void sched_unpause(struct sched_unit *u);
uint64_t sched_run_time(const struct sched_unit *u);    /* ns on a CPU so far */
unsigned int sched_least_loaded_cpu(void);
/* Where the unit may run (at least one CPU that exists), and where it likes to: it leaves a CPU that it may not use at the next
 * chance. -EBUSY: it is pinned elsewhere; -EINVAL: no such CPU. */
int sched_set_affinity(struct sched_unit *u, uint64_t hard, uint64_t soft);
void sched_get_affinity(const struct sched_unit *u, uint64_t *hard, uint64_t *soft);
/* 1..65535; takes effect on what it runs from now on. */
void sched_set_weight(struct sched_unit *u, uint32_t weight);
/* Before the unit first runs. */
void sched_join(struct sched_unit *u, struct sched_group *group);
/* Percent of one CPU, 0: no cap. Parked units are looked at again at the end of the current period. */
void sched_set_cap(struct sched_group *group, uint32_t percent);
struct sched_unit *sched_current(void);

/* Start the idle loop on this CPU: never returns. */
_Noreturn void sched_start_cpu(void);
/* Give a CPU its run queue: -ENOMEM. Start-up. */
struct cpu;
int sched_cpu_alloc(struct cpu *c);
/* Print the run queues. */
void sched_dump(void);

/*
 * Wait until cond is true. `dead` is evaluated too: when it becomes true the macro's value is -EINTR,
 * else 0. The waker changes the condition first, then calls sched_wake().
 */
#define sched_wait(cond, dead)                                  \
	({                                                      \
		int sched_rc_ = 0;                              \
		while (!(cond)) {                               \
			if (dead) {                             \
				sched_rc_ = -EINTR;             \
				break;                          \
			}                                       \
			sched_block();                          \
		}                                               \
		sched_rc_;                                      \
	})

#endif
