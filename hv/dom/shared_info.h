/*
 * The pages through which a domain learns of events and time: shared_info, vcpu_info, vcpu_time_info.
 *
 * Owns the shared_info page (hypervisor memory shown to the guest), v->info and v->info_page, and the knowledge of
 * the two layouts (64-bit and 32-bit guests). The width is latched, not per call. Lock: LOCK_SHINFO inside; every
 * function may be called with any lower one held.
 */
#ifndef DOM_SHARED_INFO_H
#define DOM_SHARED_INFO_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/addr.h"
#include "lib/util.h"

struct domain;
struct vcpu;

int shared_info_init(struct domain *d) MUST_CHECK;
void shared_info_release(struct domain *d);     /* gives up the page; nothing is delivered any more */
void shared_info_free(struct domain *d);
void shared_info_vcpu_init(struct vcpu *v);     /* info in the shared page (first 32 vCPUs), time filled in */
void shared_info_vcpu_release(struct vcpu *v);

/* Show the page at gfn, which must be a hole, and take it away from where it was. p2m's errors. */
int shared_info_map(struct domain *d, gfn_t gfn) MUST_CHECK;
/* The p2m entry of this frame is gone: true when it was ours. */
bool shared_info_unhooked(struct domain *d, mfn_t mfn);
/* Where the page is shown; GFN_INVALID: nowhere. */
gfn_t shared_info_gfn(struct domain *d);
mfn_t shared_info_mfn(struct domain *d);

/* 64-bit (true, the initial value) or 32-bit layout from now on. */
void shared_info_set_width(struct domain *d, bool wide);
bool shared_info_wide(const struct domain *d);

/* VCPUOP_register_vcpu_info: once per vCPU. -EINVAL: again, or no such memory. -ENXIO: bad offset. The vCPU is the
 * current one or offline (the caller checked). It is marked as having an event pending. */
int shared_info_register_vcpu(struct vcpu *v, gfn_t gfn, uint32_t offset) MUST_CHECK;

/* ---- two-level event bits ---- */
/* Number of ports that the current layout can address. */
unsigned int shared_info_ports(const struct domain *d);
/* Set the pending bit. True: v has to be signalled (its upcall_pending went 0 -> 1). *was: it was pending. */
bool shared_info_set_pending(struct vcpu *v, unsigned int port, bool *was);
/* Clear the mask bit. True: an event was pending behind it and v has to be signalled. */
bool shared_info_unmask(struct vcpu *v, unsigned int port);
bool shared_info_is_pending(struct domain *d, unsigned int port);
bool shared_info_is_masked(struct domain *d, unsigned int port);
void shared_info_clear_pending(struct domain *d, unsigned int port);
/* Has the vCPU an upcall pending? The mask byte is not looked at: it has no meaning for HVM guests. */
bool shared_info_upcall_pending(struct vcpu *v);

/* ---- time ---- */
/* The scale from counts of the guest's TSC to ns. */
struct pvscale;
void shared_info_tsc_scale(const struct domain *d, struct pvscale *s);
/* Recompute vcpu_time_info. Whenever the vCPU's TSC offset or its vcpu_info changes. */
void shared_info_time_update(struct vcpu *v);
/* Copy it to the registered guest address (v->time_addr). The vCPU itself. */
void shared_info_time_copy(struct vcpu *v);
/* Recompute the wall clock, after it or the domain's offset was changed. */
void shared_info_wallclock_update(struct domain *d);

#endif
