/*
 * The hypercall front: one table, one dispatcher, one struct that a handler gets.
 *
 * A handler decodes what the caller's memory holds (each structure is copied in once), checks it, calls down into
 * dom/ or hvm/, and encodes the answer. It returns 0, a count, or -errno. It runs on the caller's vCPU and may give
 * the CPU away in hc_preempt(); it holds no lock then.
 */
#ifndef ABI_HYPERCALL_H
#define ABI_HYPERCALL_H

#include <stdbool.h>
#include <stdint.h>
#include "dom/domain.h"

struct hc_call {
	struct vcpu *v;                 /* the caller */
	struct domain *d;               /* its domain */
	bool compat;                    /* 32-bit layouts */
	bool nested;                    /* inside a multicall */
	uint64_t arg[6];
};

typedef int64_t (*hypercall_fn)(struct hc_call *c);

enum hypercall_who { HC_ANY, HC_PRIVILEGED };

struct hypercall {
	const char *name;
	hypercall_fn fn;
	uint8_t nargs;                  /* of a 64-bit caller; the others read as 0 */
	uint8_t who;                    /* enum hypercall_who; else -EPERM */
};

/* Hooks that the layers below call; once at start-up. */
void hypercall_init(void);
const char *hypercall_name(unsigned int nr);            /* for dumps; NULL: none */

/* Between two items of a long operation: let others run. True: the caller's domain is going, stop. */
bool hc_preempt(struct hc_call *c);

/* ---- handlers, one file each ---- */
int64_t hc_multicall(struct hc_call *c);
int64_t hc_xen_version(struct hc_call *c);
int64_t hc_console_io(struct hc_call *c);
int64_t hc_vm_assist(struct hc_call *c);
int64_t hc_set_timer(struct hc_call *c);
int64_t hc_physdev(struct hc_call *c);
int64_t hc_platform(struct hc_call *c);
int64_t hc_memory(struct hc_call *c);
int64_t hc_grant(struct hc_call *c);
int64_t hc_vcpu(struct hc_call *c);
int64_t hc_sched(struct hc_call *c);
int64_t hc_evtchn(struct hc_call *c);
int64_t hc_hvm(struct hc_call *c);
int64_t hc_dm_op(struct hc_call *c);
int64_t hc_domctl(struct hc_call *c);
int64_t hc_sysctl(struct hc_call *c);
int64_t hc_ostler(struct hc_call *c);

#endif
