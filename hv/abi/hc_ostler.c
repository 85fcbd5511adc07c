/* ostler_op (55): exit statistics, the trace rings, the RTC's changes for Dom0's tools (contract in ostler_op.h). */
#include "abi/args.h"
#include "abi/ostler_op.h"
#include "core/percpu.h"
#include "core/trace.h"
#include "hvm/hvm.h"
#include "hvm/stats.h"

#define CHUNK 32u                       /* records copied at a time, on the stack */

_Static_assert(VMEXIT_KINDS <= OSTLER_OP_EXIT_KINDS, "the tools' arrays have room for every kind");
_Static_assert(sizeof(struct trace_record) == sizeof(struct ostler_trace_record) &&
		       offsetof(struct trace_record, a) == offsetof(struct ostler_trace_record, a) &&
		       offsetof(struct trace_record, cpu) == offsetof(struct ostler_trace_record, cpu) &&
		       TRC_EXIT == OSTLER_TRACE_EXIT,
	       "records are copied as they are");

static int64_t op_name(struct hc_call *c, const char *(*name_of)(unsigned int index))
{
	struct ostler_name n;
	const char *name;

	if (hc_get(c, c->arg[1], &n) != 0) {
		return -EFAULT;
	}
	name = name_of(n.index);
	if (name == NULL) {
		return -ENOENT;
	}
	memset(n.name, 0, sizeof(n.name));
	for (unsigned int i = 0; i < sizeof(n.name) - 1 && name[i] != '\0'; i++) {
		n.name[i] = name[i];
	}
	return hc_put(c, c->arg[1], &n);
}

static int64_t op_exit_name(struct hc_call *c)
{
	return op_name(c, hvm_stats_kind_name);
}

static int64_t op_event_name(struct hc_call *c)
{
	return op_name(c, trace_name);
}

static int64_t stats_of(struct domain *d, struct ostler_stats *s)
{
	uint32_t domain = s->domain, vcpu = s->vcpu;

	if (vcpu != OSTLER_STATS_ALL && domain_vcpu(d, vcpu) == NULL) {
		return -ESRCH;
	}
	memset(s, 0, sizeof(*s));
	s->domain = domain;
	s->vcpu = vcpu;
	for (unsigned int i = 0; i < d->max_vcpus; i++) {
		if (vcpu == OSTLER_STATS_ALL || vcpu == i) {
			hvm_stats_add(d->vcpu[i], s->exits, s->ticks, &s->ioreqs);
		}
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(s->leaves); i++) {
		s->leaves[i] = READ_ONCE(d->p2m.leaves[i]);
	}
	s->tables = READ_ONCE(d->p2m.tables);
	return 0;
}

static int64_t op_stats(struct hc_call *c)
{
	struct ostler_stats s;
	struct domain *d;
	int64_t rc;

	if (hc_get(c, c->arg[1], &s) != 0) {
		return -EFAULT;
	}
	d = s.domain < DOMID_FIRST_RESERVED ? domain_get((domid_t)s.domain) : NULL;
	if (d == NULL) {
		return -ESRCH;
	}
	rc = stats_of(d, &s);
	domain_put(d);
	return rc != 0 ? rc : hc_put(c, c->arg[1], &s);
}

static int64_t op_trace(struct hc_call *c)
{
	struct trace_record records[CHUNK];
	struct ostler_trace t;
	uint64_t next;
	uint32_t room;

	if (hc_get(c, c->arg[1], &t) != 0) {
		return -EFAULT;
	}
	if (t.cpu >= cpu_count) {
		return -ENOENT;
	}
	room = t.count;
	next = t.from;
	for (t.count = 0; t.count < room;) {
		uint64_t at = next;
		unsigned int n = trace_read(t.cpu, &at, records, MIN(room - t.count, CHUNK));

		/* A gap inside the answer would go unseen: the caller asks again for what follows it. */
		if (n == 0 || (t.count != 0 && at != next)) {
			break;
		}
		t.from = t.count == 0 ? at : t.from;
		if (hc_put_bytes(c, t.records + t.count * sizeof(records[0]), records, n * sizeof(records[0])) != 0) {
			return -EFAULT;
		}
		t.count += n;
		next = at + n;
		if (hc_preempt(c)) {
			return -EINTR;
		}
	}
	return hc_put(c, c->arg[1], &t);
}

static int64_t op_rtc(struct hc_call *c)
{
	struct ostler_rtc r;
	struct domain *d;

	if (hc_get(c, c->arg[1], &r) != 0) {
		return -EFAULT;
	}
	d = r.domain < DOMID_FIRST_RESERVED ? domain_get((domid_t)r.domain) : NULL;
	if (d == NULL) {
		return -ESRCH;
	}
	r.unused = 0;
	r.moved = hvm_rtc_moved(d);
	domain_put(d);
	return hc_put(c, c->arg[1], &r);
}

static int64_t (*const ops[])(struct hc_call *c) = {
	[OSTLER_OP_EXIT_NAME] = op_exit_name,
	[OSTLER_OP_EVENT_NAME] = op_event_name,
	[OSTLER_OP_STATS] = op_stats,
	[OSTLER_OP_TRACE] = op_trace,
	[OSTLER_OP_RTC] = op_rtc,
};

int64_t hc_ostler(struct hc_call *c)
{
	uint64_t op = c->arg[0];

	return op < ARRAY_SIZE(ops) && ops[op] != NULL ? ops[op](c) : -ENOSYS;
}
