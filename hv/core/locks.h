/*
 * THE lock list. A CPU may take a lock only when every lock it holds has a lower rank.
 *
 * Each row: what the lock protects. Two locks of one rank are never held together, except where
 * the row says how they are ordered.
 */
#ifndef CORE_LOCKS_H
#define CORE_LOCKS_H

enum lock_rank {
	LOCK_NONE,
	LOCK_DOMCTL,            /* one control operation at a time */
	LOCK_DOMLIST,           /* the list of domains */
	LOCK_DOMAIN,            /* one domain's life: pause counts, shutdown, parameters */
	LOCK_IOREQ,             /* one domain's ioreq servers and their ranges */
	LOCK_GRANT,             /* one domain's grant table; two: lower domain id first */
	LOCK_HVM,               /* one domain's PIC, I/O APIC, timers chips and wires */
	LOCK_P2M,               /* one domain's guest-physical map; two: lower domain id first */
	LOCK_EVTCHN,            /* all event channels (one lock) */
	LOCK_SHINFO,            /* one domain's shared info and vcpu_info pages */
	LOCK_DOMPAGES,          /* one domain's page list */
	LOCK_HEAP,              /* small-object allocator */
	LOCK_PAGES,             /* host frame allocator */
	LOCK_TIMER,             /* one CPU's timers (interrupt-safe) */
	LOCK_SCHED,             /* one CPU's run queue (interrupt-safe) */
	LOCK_SMP,               /* cross-CPU calls */
	LOCK_IRQ,               /* host interrupt tables (interrupt-safe) */
	LOCK_CONSOLE,           /* console output (interrupt-safe) */
	LOCK_RANKS
};

#endif
