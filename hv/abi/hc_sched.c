/* sched_op (29): giving up the CPU, shutting down, waiting for events. */
#include "abi/args.h"
#include "abi/compat.h"
#include "dom/evtchn.h"
#include "dom/shared_info.h"
#include "lib/nospec.h"
#include <xen/sched.h>

#define POLL_PORTS_MAX 128

static int64_t op_yield(struct hc_call *c)
{
	sched_yield();
	return 0;
}

static int64_t op_block(struct hc_call *c)
{
	if (shared_info_upcall_pending(c->v)) {
		return 0;
	}
	return evtchn_poll(c->v, NULL, 0, 0);
}

static int64_t op_shutdown(struct hc_call *c)
{
	struct sched_shutdown s;

	if (hc_get(c, c->arg[1], &s) != 0) {
		return -EFAULT;
	}
	domain_shutdown(c->d, (uint8_t)s.reason);
	return 0;
}

static int64_t op_poll(struct hc_call *c)
{
	evtchn_port_t ports[POLL_PORTS_MAX];
	struct compat_sched_poll narrow;
	struct sched_poll wide;
	uint64_t list, timeout;
	uint32_t count;

	if (c->compat) {
		if (hc_get(c, c->arg[1], &narrow) != 0) {
			return -EFAULT;
		}
		list = narrow.ports;
		count = narrow.nr_ports;
		timeout = narrow.timeout;
	} else {
		if (hc_get(c, c->arg[1], &wide) != 0) {
			return -EFAULT;
		}
		list = (uintptr_t)wide.ports.p;
		count = wide.nr_ports;
		timeout = wide.timeout;
	}
	if (count > POLL_PORTS_MAX) {
		return -EINVAL;
	}
	if (hc_get_bytes(c, list, ports, count * sizeof(ports[0])) != 0) {
		return -EFAULT;
	}
	return evtchn_poll(c->v, ports, count, timeout);
}

static int64_t op_remote_shutdown(struct hc_call *c)
{
	struct sched_remote_shutdown s;
	struct domain *d;
	int rc;

	if (hc_get(c, c->arg[1], &s) != 0) {
		return -EFAULT;
	}
	rc = access_other(c, s.domain_id, &d);
	if (rc != 0) {
		return rc;
	}
	domain_shutdown(d, (uint8_t)s.reason);
	domain_put(d);
	return 0;
}

static int64_t op_watchdog(struct hc_call *c)
{
	struct sched_watchdog w;

	if (hc_get(c, c->arg[1], &w) != 0) {
		return -EFAULT;
	}
	return domain_watchdog(c->d, w.id, w.timeout);
}

static int64_t (*const ops[])(struct hc_call *c) = {
	[SCHEDOP_yield] = op_yield,
	[SCHEDOP_block] = op_block,
	[SCHEDOP_shutdown] = op_shutdown,
	[SCHEDOP_poll] = op_poll,
	[SCHEDOP_remote_shutdown] = op_remote_shutdown,
	[SCHEDOP_watchdog] = op_watchdog,
};

int64_t hc_sched(struct hc_call *c)
{
	uint32_t cmd = (uint32_t)c->arg[0];
	int64_t (*op)(struct hc_call *c) = ops[nospec_index(cmd, ARRAY_SIZE(ops))];

	return cmd < ARRAY_SIZE(ops) && op != NULL ? op(c) : -ENOSYS;
}
