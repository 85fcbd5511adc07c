/*
 * Domains and their virtual CPUs: identity, life, and where each subsystem keeps its state.
 *
 * A domain is reference-counted; it disappears from the list when it is destroyed, and is freed when the last
 * reference (a mapping of one of its pages counts) is gone. Construction: domain_create(); teardown is its
 * reverse, each step idempotent.
 */
#ifndef DOM_DOMAIN_H
#define DOM_DOMAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xen/xen.h>
#include <xen/vcpu.h>
#include "lib/list.h"
#include "lib/atomic.h"
#include "lib/err.h"
#include "core/sched.h"
#include "core/spinlock.h"
#include "core/timer.h"
#include "arch/vcpu_arch.h"
#include "dom/guest_walk.h"
#include "dom/p2m.h"

#define DOMAIN_VCPUS_MAX 128

struct domain;
struct vcpu;
struct evtchn_table;
struct grant_table;
struct shared_page;
struct ioreq_servers;
struct hvm_domain;
struct hvm_vcpu;

/* What dom/ and abi/ need from the layer that runs the guest; set once by hvm/ at creation. */
struct domain_ops {
	/* Build / free the layer's own part. */
	int (*domain_init)(struct domain *d);
	void (*domain_free)(struct domain *d);
	int (*vcpu_init)(struct vcpu *v);
	void (*vcpu_free)(struct vcpu *v);
	/* v->upcall_pending went 0 -> 1 (or may have to be signalled again): interrupt the vCPU. Any CPU, any
	 * lock up to LOCK_SHINFO may be held. */
	void (*upcall)(struct vcpu *v);
	/* Main function of a vCPU's unit: never returns. */
	void (*vcpu_loop)(void *vcpu);
};

extern const struct domain_ops *domain_ops;     /* const after start-up; defined in dom/domain.c, set by hvm/ */

enum domain_flags { DOMF_HVM = 1, DOMF_PRIVILEGED = 2 };

struct domain {
	domid_t id;                     /* const */
	uint8_t flags;                  /* const: enum domain_flags */
	uint16_t max_vcpus;             /* const */
	xen_domain_handle_t handle;     /* [LOCK_DOMAIN] UUID */
	uint32_t emulation_flags;       /* const: XEN_X86_EMU_* */
	struct list link;               /* [LOCK_DOMLIST] */
	uint32_t refs;                  /* atomic */
	struct spinlock lock;           /* LOCK_DOMAIN */
	uint32_t pause_count;           /* [lock] control-tool pauses */
	bool dying;                     /* [lock; read without] no new mappings, no new work */
	bool dead;                      /* [lock] teardown finished; only references keep it */
	bool shutdown;                  /* [lock; read without] it has stopped by itself */
	uint8_t shutdown_code;          /* [lock] SHUTDOWN_* */
	bool crashed;                   /* [lock] by guest_crash() */
	struct spinlock page_lock;      /* LOCK_DOMPAGES */
	struct list pages;              /* [page_lock] frames the domain owns and has */
	uint64_t tot_pages;             /* atomic; grows under page_lock */
	uint64_t max_pages;             /* [page_lock] */
	struct p2m p2m;                 /* own lock */
	struct vcpu **vcpu;             /* const after creation: max_vcpus pointers */
	struct sched_group sched;       /* the vCPUs' common cap (core/sched.c) */
	uint32_t weight;                /* [control tools] of vCPUs that have none of their own */
	struct evtchn_table *evtchn;    /* dom/evtchn.c */
	struct grant_table *grant;      /* dom/grant.c */
	struct shared_page *shared;     /* dom/shared_info.c */
	struct ioreq_servers *ioreq;    /* dom/ioreq_server.c */
	struct hvm_domain *hvm;         /* hvm/ */
	uint64_t hvm_param[40];         /* [lock] HVM_PARAM_*; side effects in hvm/hvm_params.c */
	struct xen_e820 { uint64_t addr, size; uint32_t type; } __attribute__((packed)) *e820; /* [lock] */
	unsigned int e820_entries;      /* [lock] */
	uint32_t vm_assist;             /* [atomic] bits of VMASST_TYPE_* that are on */
	struct timer watchdog[2];       /* SCHEDOP_watchdog (dom/domain.c) */
	uint32_t watchdog_used;         /* [lock] bit: slot in use */
	int32_t time_offset;            /* [lock] seconds the guest's RTC differs from UTC */
	uint64_t mempool_bytes;         /* [lock] what the toolstack set; tables come from the heap */
	uint64_t created_ns;            /* const: time_now() at creation */
	uint32_t tsc_khz;               /* const once a vCPU runs: the rate of the guest's TSC; 0: the machine's */
	uint64_t log_window, log_count; /* [rate limiter of guest_log, racy on purpose] */
};

struct vcpu {
	struct domain *domain;          /* const */
	unsigned int id;                /* const */
	struct sched_unit unit;         /* core/sched.c */
	struct arch_vcpu arch;          /* [own] */
	struct hvm_vcpu *hvm;           /* hvm/ */
	bool online;                    /* [own + domctl while paused] started and not parked by INIT */
	bool blocked;                   /* [own] in HLT or poll: shown in domain info */
	uint32_t kicked;                /* atomic: VCPU_LOOK, VCPU_CHORES: not 0 keeps it from entering the guest */
	char name[16];                  /* const: "d1v0", for the unit */
	struct timer singleshot;        /* VIRQ_TIMER (dom/vcpu.c) */
	struct timer periodic;          /* VIRQ_TIMER every period ns */
	uint64_t period;                /* [own; the timer reads] 0: off */
	struct timer poll_timer;        /* SCHEDOP_poll time-out */
	bool poll_timed_out;            /* [own; poll_timer sets] */
	void *info;                     /* [LOCK_SHINFO] struct vcpu_info, mapped */
	struct page *info_page;         /* [LOCK_SHINFO] reference held when not in shared_info */
	bool info_registered;           /* [own or offline] */
	uint16_t virq_port[24];         /* [LOCK_EVTCHN] */
	struct vcpu_runstate_info runstate; /* [own switch hooks] */
	uint64_t runstate_addr;         /* [own] guest linear address, 0: none */
	bool runstate_compat;           /* [own] the area has the 32-bit layout */
	uint64_t time_addr;             /* [own] vcpu_time_info copy's guest linear address, 0: none */
	uint32_t areas_dirty;           /* atomic: VCPU_AREA_*: vcpu_flush_areas() is due before guest entry */
	struct walk_memo walk_memo[WALK_MEMOS]; /* [own, under LOCK_P2M] guest_copy.c's */
	unsigned int walk_memo_next;    /* [own, under LOCK_P2M] */
};

enum { VCPU_AREA_RUNSTATE = 1, VCPU_AREA_TIME = 2 };

/* Why a vCPU's loop must not enter the guest at once. Whoever sets VCPU_LOOK may overwrite VCPU_CHORES: with either, the
 * loop does all chores. */
enum {
	VCPU_LOOK = 1,          /* something in dom/ or hvm/ wants its attention: an interrupt, a request, the end */
	VCPU_CHORES = 2         /* areas to write, device models to tell */
};

/* The areas named have to be written anew. Any CPU. */
static inline void vcpu_areas_changed(struct vcpu *v, uint32_t which)
{
	atomic_or(&v->areas_dirty, which);
	atomic_or(&v->kicked, (uint32_t)VCPU_CHORES);
}

/* What happens when a vCPU's unit gets and leaves its CPU; defined in hvm/. */
extern const struct sched_hooks vcpu_sched_hooks;

static inline struct vcpu *unit_vcpu(struct sched_unit *u)
{
	return container_of(u, struct vcpu, unit);
}

/* The vCPU whose stack this is, or NULL on an idle or start-up stack. */
struct vcpu *current_vcpu(void);

/* ---- dom/domain.c ---- */
struct domain_config {
	domid_t id;                     /* wanted; 0xffff or 0 (except for Dom0 itself): next free */
	uint8_t flags;
	uint16_t max_vcpus;
	uint32_t emulation_flags;
	int32_t max_grant_frames, max_maptrack_frames;  /* negative: default */
	uint32_t max_evtchn_port;
	xen_domain_handle_t handle;
};
extern struct domain *dom0;             /* const after start-up */
/* Dom0 stopped by itself (SHUTDOWN_*): restarts or halts the machine and does not return; tests put theirs here. */
extern void (*domain_dom0_stopped)(uint8_t reason);
/* A guest starts with one control-tool pause (domain_unpause() lets it run), Dom0 with none. No vCPU is online. */
int domain_create(const struct domain_config *c, struct domain **out);
/* Find by id and take a reference; NULL: none. DOMID_SELF means the current vCPU's domain. */
struct domain *domain_get(domid_t id);
/* First domain with an id >= id, with a reference; NULL: none. */
struct domain *domain_get_from(domid_t id);
void domain_ref(struct domain *d);
void domain_put(struct domain *d);
int domain_pause(struct domain *d);             /* returns when no vCPU of it runs; -EINVAL for oneself */
int domain_unpause(struct domain *d);           /* -EINVAL when not paused */
/* The domain stops by itself: pause all vCPUs, raise VIRQ_DOM_EXC in Dom0. First reason wins. */
void domain_shutdown(struct domain *d, uint8_t reason);
/* Undo a shutdown (a cancelled suspend). -EINVAL: it is not shut down. */
int domain_resume(struct domain *d);
/* Destroy: returns 0 when all is torn down (references may keep the shell). Any number of times. */
int domain_destroy(struct domain *d);
uint64_t domain_run_time(const struct domain *d);
/* SCHEDOP_watchdog: id 0 takes a free slot and returns its number (1..), timeout 0 gives one back. */
int domain_watchdog(struct domain *d, uint32_t id, uint32_t seconds);

/* ---- dom/vcpu.c ---- */
int vcpu_create(struct domain *d, unsigned int id);
/* Tell the vCPU that something changed: it leaves guest mode, or wakes from HLT. Any CPU. */
void vcpu_kick(struct vcpu *v);
/* What it waits for in the hypervisor, if it does, has been done by the caller. Any CPU. */
void vcpu_answered(struct vcpu *v);
/* First start (domain build, SIPI): online and runnable. */
void vcpu_start(struct vcpu *v);
/* Parked by INIT, or HLT with interrupts off for ever. All vCPUs parked: SHUTDOWN_poweroff. */
void vcpu_park(struct vcpu *v);
struct vcpu *domain_vcpu(const struct domain *d, unsigned int id);      /* bounds-checked; NULL */
/* Undo vcpu_create(), of a vCPU whose unit has ended or never ran, in two steps: stop what could still reach it;
 * free it. */
void vcpu_stop(struct vcpu *v);
void vcpu_free(struct vcpu *v);
/* Called by the switch hooks (interrupts off): RUNSTATE_*. */
void vcpu_runstate_change(struct vcpu *v, int state);
/* Runstate right now, for anybody. */
void vcpu_runstate_get(struct vcpu *v, struct vcpu_runstate_info *r);
/* Write the registered areas into guest memory. The vCPU's own loop, before guest entry, when areas_dirty. */
void vcpu_flush_areas(struct vcpu *v);
/* VIRQ_TIMER at an absolute time_now() (0: off), or every period ns (0: off). Of the current vCPU. */
void vcpu_set_singleshot(struct vcpu *v, uint64_t deadline_ns);
void vcpu_set_periodic(struct vcpu *v, uint64_t period_ns);

/* ---- dom/crash.c ---- */
/* End a domain because it or its device model did something impossible. Says why, which vCPU, where, and the
 * last exits. Safe from any context that may take LOCK_DOMAIN... callers hold no lock. */
void guest_crash(struct domain *d, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A message that a guest caused: tagged, rate-limited per domain. */
void guest_log(struct domain *d, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A line that the guest itself wrote (debug port, console hypercall), printable characters only. Rate-limited too. */
void guest_text(struct domain *d, const char *text);

#endif
