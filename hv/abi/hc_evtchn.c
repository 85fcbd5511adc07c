/* event_channel_op (32). The FIFO operations are not offered: guests then stay with the two-level bits. */
#include "abi/args.h"
#include "dom/evtchn.h"
#include "lib/nospec.h"

/* Give the new port to the caller; a port that it never hears of is closed again. */
static int64_t put_port(struct hc_call *c, struct domain *d, const void *op, size_t size, evtchn_port_t port)
{
	if (hc_put_bytes(c, c->arg[1], op, size) == 0) {
		return 0;
	}
	(void)!evtchn_close(d, port);
	return -EFAULT;
}

static int64_t op_alloc_unbound(struct hc_call *c)
{
	struct evtchn_alloc_unbound a;
	struct domain *d;
	int64_t rc;

	if (hc_get(c, c->arg[1], &a) != 0) {
		return -EFAULT;
	}
	rc = access_target(c, a.dom, &d);
	if (rc != 0) {
		return rc;
	}
	rc = evtchn_alloc_unbound(d, a.remote_dom == DOMID_SELF ? c->d->id : a.remote_dom, &a.port);
	if (rc == 0) {
		rc = put_port(c, d, &a, sizeof(a), a.port);
	}
	domain_put(d);
	return rc;
}

static int64_t op_bind_interdomain(struct hc_call *c)
{
	struct evtchn_bind_interdomain b;
	struct domain *remote;
	int64_t rc;

	if (hc_get(c, c->arg[1], &b) != 0) {
		return -EFAULT;
	}
	remote = domain_get(b.remote_dom);
	if (remote == NULL) {
		return -ESRCH;
	}
	rc = evtchn_bind_interdomain(c->d, remote, b.remote_port, &b.local_port);
	if (rc == 0) {
		rc = put_port(c, c->d, &b, sizeof(b), b.local_port);
	}
	domain_put(remote);
	return rc;
}

static int64_t op_bind_virq(struct hc_call *c)
{
	struct evtchn_bind_virq b;
	int64_t rc;

	if (hc_get(c, c->arg[1], &b) != 0) {
		return -EFAULT;
	}
	rc = evtchn_bind_virq(c->d, b.virq, b.vcpu, &b.port);
	return rc == 0 ? put_port(c, c->d, &b, sizeof(b), b.port) : rc;
}

static int64_t op_bind_ipi(struct hc_call *c)
{
	struct evtchn_bind_ipi b;
	int64_t rc;

	if (hc_get(c, c->arg[1], &b) != 0) {
		return -EFAULT;
	}
	rc = evtchn_bind_ipi(c->d, b.vcpu, &b.port);
	return rc == 0 ? put_port(c, c->d, &b, sizeof(b), b.port) : rc;
}

/* hvm_pirqs is not offered, so there is nothing to bind to. */
static int64_t op_bind_pirq(struct hc_call *c)
{
	return -EINVAL;
}

static int64_t op_close(struct hc_call *c)
{
	struct evtchn_close e;

	return hc_get(c, c->arg[1], &e) != 0 ? -EFAULT : evtchn_close(c->d, e.port);
}

static int64_t op_send(struct hc_call *c)
{
	struct evtchn_send e;

	return hc_get(c, c->arg[1], &e) != 0 ? -EFAULT : evtchn_send(c->d, e.port);
}

static int64_t op_status(struct hc_call *c)
{
	struct evtchn_status s;
	struct domain *d;
	int64_t rc;

	if (hc_get(c, c->arg[1], &s) != 0) {
		return -EFAULT;
	}
	rc = access_target(c, s.dom, &d);
	if (rc != 0) {
		return rc;
	}
	rc = evtchn_status(d, &s);
	if (rc == 0) {
		rc = hc_put(c, c->arg[1], &s);
	}
	domain_put(d);
	return rc;
}

static int64_t op_bind_vcpu(struct hc_call *c)
{
	struct evtchn_bind_vcpu b;

	return hc_get(c, c->arg[1], &b) != 0 ? -EFAULT : evtchn_bind_vcpu(c->d, b.port, b.vcpu);
}

static int64_t op_unmask(struct hc_call *c)
{
	struct evtchn_unmask u;

	return hc_get(c, c->arg[1], &u) != 0 ? -EFAULT : evtchn_unmask(c->d, u.port);
}

static int64_t op_reset(struct hc_call *c)
{
	struct evtchn_reset r;
	struct domain *d;
	int64_t rc;

	if (hc_get(c, c->arg[1], &r) != 0) {
		return -EFAULT;
	}
	rc = access_target(c, r.dom, &d);
	if (rc == 0) {
		rc = evtchn_reset(d);
		domain_put(d);
	}
	return rc;
}

static int64_t (*const ops[])(struct hc_call *c) = {
	[EVTCHNOP_bind_interdomain] = op_bind_interdomain,
	[EVTCHNOP_bind_virq] = op_bind_virq,
	[EVTCHNOP_bind_pirq] = op_bind_pirq,
	[EVTCHNOP_close] = op_close,
	[EVTCHNOP_send] = op_send,
	[EVTCHNOP_status] = op_status,
	[EVTCHNOP_alloc_unbound] = op_alloc_unbound,
	[EVTCHNOP_bind_ipi] = op_bind_ipi,
	[EVTCHNOP_bind_vcpu] = op_bind_vcpu,
	[EVTCHNOP_unmask] = op_unmask,
	[EVTCHNOP_reset] = op_reset,
};

int64_t hc_evtchn(struct hc_call *c)
{
	uint32_t cmd = (uint32_t)c->arg[0];
	int64_t (*op)(struct hc_call *c) = ops[nospec_index(cmd, ARRAY_SIZE(ops))];

	return cmd < ARRAY_SIZE(ops) && op != NULL ? op(c) : -ENOSYS;
}
