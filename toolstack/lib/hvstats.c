/* See hvstats.h. */
#include "toolstack/lib/hvstats.h"

#include <errno.h>
#include <string.h>

/* All names of one sort. */
static int hvstats_read_names(struct hvcall *hv, unsigned int op, char (*out)[28], unsigned int max,
			      unsigned int *nr)
{
	struct ostler_name name;
	long rc;

	/* Kinds of exits begin at 0, events at 1: 0 is none. */
	for (*nr = op == OSTLER_OP_EVENT_NAME; *nr < max; (*nr)++) {
		memset(&name, 0, sizeof(name));
		name.index = *nr;
		rc = hvcall_op(hv, OSTLER_OP_NUMBER, op, &name, sizeof(name));
		if (rc == -ENOENT) {
			return 0;
		}
		if (rc < 0) {
			return (int)rc;
		}
		memcpy(out[*nr], name.name, sizeof(name.name));
		out[*nr][sizeof(name.name) - 1] = '\0';
	}
	return 0;
}

int hvstats_names(struct hvcall *hv, struct hvstats_names *names)
{
	int rc;

	memset(names, 0, sizeof(*names));
	rc = hvstats_read_names(hv, OSTLER_OP_EXIT_NAME, names->exit, OSTLER_OP_EXIT_KINDS,
				&names->nr_exits);
	return rc != 0 ? rc
		       : hvstats_read_names(hv, OSTLER_OP_EVENT_NAME, names->event, HVSTATS_EVENTS,
					    &names->nr_events);
}

int hvstats_get(struct hvcall *hv, uint32_t domid, uint32_t vcpu, struct ostler_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	stats->domain = domid;
	stats->vcpu = vcpu;
	return (int)hvcall_op(hv, OSTLER_OP_NUMBER, OSTLER_OP_STATS, stats, sizeof(*stats));
}

int hvstats_trace(struct hvcall *hv, unsigned int cpu, uint64_t *from,
		  struct ostler_trace_record *out, unsigned int max, uint64_t *lost)
{
	struct ostler_trace arg = {.cpu = cpu, .count = max, .from = *from};
	struct ostler_trace_record *buf = hvcall_buffer(hv, max * sizeof(*buf));
	int rc;

	if (buf == NULL) {
		return -ENOMEM;
	}
	arg.records = (uintptr_t)buf;
	rc = (int)hvcall_op(hv, OSTLER_OP_NUMBER, OSTLER_OP_TRACE, &arg, sizeof(arg));
	if (rc >= 0 && (arg.count > max || arg.from < *from)) {
		rc = -EPROTO;
	}
	if (rc >= 0) {
		memcpy(out, buf, arg.count * sizeof(*buf));
		*lost += arg.from - *from;
		*from = arg.from + arg.count;
		rc = (int)arg.count;
	}
	hvcall_buffer_free(hv, buf);
	return rc;
}
