/*
 * Event channels, two-level.
 *
 * Owns every domain's port table and v->virq_port. A channel's far end may be another domain's port, or the hypervisor
 * itself (an "internal" port: an I/O request channel). One lock for all of them, LOCK_EVTCHN, inside. Callers hold at
 * most locks below it. Errors are those of the ABI.
 */
#ifndef DOM_EVTCHN_H
#define DOM_EVTCHN_H

#include <stdbool.h>
#include <stdint.h>
#include <xen/xen.h>
#include <xen/event_channel.h>
#include "lib/util.h"

struct domain;
struct vcpu;

int evtchn_init(struct domain *d, uint32_t max_port) MUST_CHECK;
void evtchn_release(struct domain *d);          /* closes everything, internal ports too */
void evtchn_free(struct domain *d);

/* A port of d waiting for remote_id to bind. */
int evtchn_alloc_unbound(struct domain *d, domid_t remote_id, evtchn_port_t *port) MUST_CHECK;
/* A local port of d, connected to remote's port, which must be waiting for d. The local port becomes pending. */
int evtchn_bind_interdomain(struct domain *d, struct domain *remote, evtchn_port_t remote_port,
			    evtchn_port_t *port) MUST_CHECK;
int evtchn_bind_virq(struct domain *d, uint32_t virq, uint32_t vcpu, evtchn_port_t *port) MUST_CHECK;
int evtchn_bind_ipi(struct domain *d, uint32_t vcpu, evtchn_port_t *port) MUST_CHECK;
int evtchn_close(struct domain *d, evtchn_port_t port) MUST_CHECK;
int evtchn_send(struct domain *d, evtchn_port_t port) MUST_CHECK;
/* s->port in; the rest out. */
int evtchn_status(struct domain *d, struct evtchn_status *s) MUST_CHECK;
int evtchn_bind_vcpu(struct domain *d, evtchn_port_t port, uint32_t vcpu) MUST_CHECK;
int evtchn_unmask(struct domain *d, evtchn_port_t port) MUST_CHECK;
int evtchn_reset(struct domain *d) MUST_CHECK;

/* Raise a per-vCPU VIRQ; nothing happens when it is not bound. Any context without locks above LOCK_P2M. */
void evtchn_virq(struct vcpu *v, unsigned int virq);
/* Raise a global VIRQ in Dom0. */
void evtchn_global_virq(unsigned int virq);

/*
 * SCHEDOP_poll of the current vCPU: returns 0 when one of the ports is pending (masked or not), something else wants
 * the vCPU's attention, or the time (absolute ns, 0: for ever) has come. -EINVAL: bad port. -EINTR: the domain dies.
 */
int evtchn_poll(struct vcpu *v, const evtchn_port_t *ports, unsigned int count, uint64_t timeout_ns) MUST_CHECK;

/* ---- ports whose near end is the hypervisor ---- */
/* A port in d that remote_id may bind; notify(v) runs, under LOCK_EVTCHN, when the far end sends. */
int evtchn_alloc_internal(struct vcpu *v, domid_t remote_id, void (*notify)(struct vcpu *v),
			  evtchn_port_t *port) MUST_CHECK;
void evtchn_close_internal(struct domain *d, evtchn_port_t port);
/* Send from the hypervisor's end. Nothing happens while the far end is not bound. */
void evtchn_notify_internal(struct domain *d, evtchn_port_t port);

#endif
