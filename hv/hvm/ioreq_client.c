/*
 * The hypervisor's end of a device-model request: post to the vCPU's slot, wait in place, take the answer.
 *
 * The vCPU's own loop only; no lock is held while it waits.
 */
#include "core/trace.h"
#include "dom/ioreq_server.h"
#include "hvm/ioreq_client.h"
#include "hvm/hvm_state.h"
#include "ioreq/slot.h"
#include "lib/atomic.h"
#include "lib/err.h"

enum io_route ioreq_forward(struct vcpu *v, struct ioreq_server *s, struct ioreq *r)
{
	struct domain *d = v->domain;
	struct ioreq_slot *slot = ioreq_server_slot(s, v->id);
	int rc = ioreq_post(slot, r);
	if (rc != 0) {
		guest_crash(d, "vCPU %u: device model left its request slot busy", v->id);
		return ROUTE_CRASH;
	}
	trace(TRC_IOREQ, d->id, (uint16_t)v->id, r->addr, (uint64_t)r->type << 32 | r->size);
	v->hvm->stats.ioreqs++;
	ioreq_server_notify(s, v->id);
	v->blocked = true;
	int waited = sched_wait((rc = ioreq_poll(slot, r)) != -EAGAIN || !ioreq_server_active(s),
				d->dying);
	v->blocked = false;
	if (waited != 0) {
		return ROUTE_CRASH;
	}
	if (rc == -EPROTO) {
		guest_crash(d, "vCPU %u: device model put its request slot into an impossible state", v->id);
		return ROUTE_CRASH;
	}
	if (rc == -EAGAIN) {
		ioreq_abandon(slot);
		r->data = ~0ull;
	}
	return ROUTE_DONE;
}

/* Tell every device model to drop what it has mapped. Device models that are slow only delay this vCPU. */
void hvm_ioreq_invalidate(struct vcpu *v)
{
	unsigned int id = 0;
	struct ioreq_server *s;
	v->hvm->invalidate_seen = load_acquire(&v->domain->hvm->invalidate_gen);
	while ((s = ioreq_server_next(v->domain, &id)) != NULL) {
		struct ioreq r = {
			.type = IOREQ_TYPE_INVALIDATE, .size = 4, .dir = IOREQ_WRITE, .count = 1, .data = ~0ull,
		};
		enum io_route route = ioreq_forward(v, s, &r);
		ioreq_server_put(s);
		if (route == ROUTE_CRASH) {
			return;
		}
	}
}
