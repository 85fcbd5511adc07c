/*
 * trace: the hypervisor's flight recorder as text, and what each kind of exit costs.
 *
 * The rings are read while they are written. Without --seconds: what is in them now. With: what comes in that time, as far as it can be
 * read before it is overwritten; how much was lost is said.
 */
#include "toolstack/cmd.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "toolstack/lib/hvhost.h"
#include "toolstack/lib/hvstats.h"
#include "toolstack/traceview.h"

#define TRACE_STEP    1024u
#define TRACE_NONE    0xffffu	/* domain of a record that is nobody's */
#define TRACE_MOST    (4u << 20) /* records kept */
#define TRACE_NAP_NS  2000000

struct trace_job {
	struct cmd_line *line;
	struct hvstats_names names;
	unsigned int nr_cpus;
	uint64_t khz;
	bool one_domain;
	uint32_t domid;
	bool one_vcpu;
	unsigned long vcpu;
	uint64_t from[64]; /* of each CPU */
	uint64_t lost;
	struct ostler_trace_record *records;
	size_t nr;
	size_t room;
};

static bool trace_wanted(const struct trace_job *j, const struct ostler_trace_record *r)
{
	if (j->one_domain && r->domain != j->domid) {
		return false;
	}
	return !j->one_vcpu || r->vcpu == j->vcpu;
}

static int trace_keep(struct trace_job *j, const struct ostler_trace_record *r, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		if (!trace_wanted(j, &r[i])) {
			continue;
		}
		if (j->nr == j->room) {
			size_t room = j->room != 0 ? 2 * j->room : 4096;
			void *grown = room <= TRACE_MOST ? realloc(j->records, room * sizeof(*r)) : NULL;

			if (grown == NULL) {
				return -ENOMEM;
			}
			j->records = grown;
			j->room = room;
		}
		j->records[j->nr++] = r[i];
	}
	return 0;
}

/* Everything that is in the rings behind what was read before. */
static int trace_drain(struct trace_job *j)
{
	static struct ostler_trace_record buf[TRACE_STEP];

	for (unsigned int cpu = 0; cpu < j->nr_cpus; cpu++) {
		/* A ring that is written as fast as it is read must not keep us here. */
		for (unsigned int n = 0; n < 64; n++) {
			int got = hvstats_trace(&j->line->hv, cpu, &j->from[cpu], buf, TRACE_STEP, &j->lost);
			int rc = got > 0 ? trace_keep(j, buf, (unsigned int)got) : got;

			if (rc < 0) {
				return rc;
			}
			if (got == 0) {
				break;
			}
		}
	}
	return 0;
}

static int trace_for(struct trace_job *j, unsigned long seconds)
{
	const struct timespec nap = {.tv_nsec = TRACE_NAP_NS};
	struct timespec start;
	struct timespec now;
	int rc = trace_drain(j);

	/* What was there before does not count. */
	j->nr = 0;
	j->lost = 0;
	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		nanosleep(&nap, NULL);
		rc = rc == 0 ? trace_drain(j) : rc;
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (rc == 0 && (unsigned long)(now.tv_sec - start.tv_sec) < seconds);
	return rc;
}

/* ---- as text and as JSON ---- */

static const char *trace_event_name(const struct trace_job *j, const struct ostler_trace_record *r)
{
	return r->event < HVSTATS_EVENTS && j->names.event[r->event][0] != '\0' ? j->names.event[r->event]
										: "?";
}

static const char *trace_kind_name(const struct trace_job *j, unsigned int kind)
{
	return kind < j->names.nr_exits ? j->names.exit[kind] : "?";
}

static void trace_text_one(const struct trace_job *j, const struct ostler_trace_record *r, uint64_t cost)
{
	char who[24] = "-";

	if (r->domain != TRACE_NONE) {
		snprintf(who, sizeof(who), "d%uv%u", r->domain, r->vcpu);
	}
	printf("%14.3f cpu%-2u %-8s ", (double)traceview_ns(r->tsc - j->records[0].tsc, j->khz) / 1000.0,
	       r->cpu, who);
	if (r->event != OSTLER_TRACE_EXIT) {
		printf("%-14s %#" PRIx64 " %#" PRIx64 "\n", trace_event_name(j, r), r->a, r->b);
		return;
	}
	printf("exit %-12s %#06x rip %#" PRIx64, trace_kind_name(j, OSTLER_TRACE_KIND(r->a)),
	       OSTLER_TRACE_RAW(r->a), r->b);
	if (cost != TRACEVIEW_UNKNOWN) {
		printf("  %.3f us", (double)traceview_ns(cost, j->khz) / 1000.0);
	}
	putchar('\n');
}

static void trace_json_one(struct out_json *json, const struct trace_job *j,
			   const struct ostler_trace_record *r, uint64_t cost)
{
	out_json_object(json, NULL);
	out_json_number(json, "time_ns", traceview_ns(r->tsc - j->records[0].tsc, j->khz));
	out_json_number(json, "tsc", r->tsc);
	out_json_number(json, "cpu", r->cpu);
	if (r->domain != TRACE_NONE) {
		out_json_number(json, "domain", r->domain);
		out_json_number(json, "vcpu", r->vcpu);
	}
	out_json_string(json, "event", trace_event_name(j, r));
	if (r->event == OSTLER_TRACE_EXIT) {
		out_json_string(json, "kind", trace_kind_name(j, OSTLER_TRACE_KIND(r->a)));
		out_json_number(json, "code", OSTLER_TRACE_RAW(r->a));
		out_json_number(json, "rip", r->b);
		if (cost != TRACEVIEW_UNKNOWN) {
			out_json_number(json, "cost_ns", traceview_ns(cost, j->khz));
			out_json_number(json, "cost_ticks", cost);
		}
	} else {
		out_json_number(json, "a", r->a);
		out_json_number(json, "b", r->b);
	}
	out_json_close_object(json);
}

static void trace_records(const struct trace_job *j, const uint64_t *cost, size_t first)
{
	struct out_json json;
	bool use_json = cmd_has(j->line, 'J');

	if (use_json) {
		out_json_start(&json, stdout, cmd_json_mode(j->line));
		out_json_array(&json, NULL);
	}
	for (size_t i = first; i < j->nr; i++) {
		if (use_json) {
			trace_json_one(&json, j, &j->records[i], cost[i]);
		} else {
			trace_text_one(j, &j->records[i], cost[i]);
		}
	}
	if (use_json) {
		out_json_close_array(&json);
		out_json_end(&json);
	}
}

static void trace_summary_json(const struct trace_job *j, const struct traceview *view)
{
	struct out_json json;

	out_json_start(&json, stdout, cmd_json_mode(j->line));
	out_json_array(&json, NULL);
	for (unsigned int i = 0; i < OSTLER_OP_EXIT_KINDS; i++) {
		const struct traceview_kind *k = &view->kind[i];

		if (k->count == 0) {
			continue;
		}
		out_json_object(&json, NULL);
		out_json_string(&json, "kind", trace_kind_name(j, i));
		out_json_number(&json, "count", k->count);
		out_json_number(&json, "costed", k->costed);
		out_json_number(&json, "total_ns", traceview_ns(k->total, j->khz));
		out_json_number(&json, "mean_ns",
				k->costed != 0 ? traceview_ns(k->total / k->costed, j->khz) : 0);
		out_json_number(&json, "min_ns", traceview_ns(k->min, j->khz));
		out_json_number(&json, "max_ns", traceview_ns(k->max, j->khz));
		out_json_close_object(&json);
	}
	out_json_close_array(&json);
	out_json_end(&json);
}

static void trace_summary(const struct trace_job *j, const struct traceview *view)
{
	if (cmd_has(j->line, 'J')) {
		trace_summary_json(j, view);
		return;
	}
	printf("%-14s %10s %14s %12s %12s %12s\n", "Exit", "Count", "Total(us)", "Mean(us)", "Min(us)",
	       "Max(us)");
	for (unsigned int i = 0; i < OSTLER_OP_EXIT_KINDS; i++) {
		const struct traceview_kind *k = &view->kind[i];

		if (k->count != 0) {
			printf("%-14s %10" PRIu64 " %14.3f %12.3f %12.3f %12.3f\n", trace_kind_name(j, i),
			       k->count, (double)traceview_ns(k->total, j->khz) / 1e3,
			       k->costed != 0 ? (double)traceview_ns(k->total / k->costed, j->khz) / 1e3 : 0.0,
			       (double)traceview_ns(k->min, j->khz) / 1e3,
			       (double)traceview_ns(k->max, j->khz) / 1e3);
		}
	}
}

/* ---- the command ---- */

static bool trace_option(struct cmd_line *line, char key, unsigned long max, unsigned long *out)
{
	const char *text = cmd_value(line, key);
	char *end;

	if (text == NULL) {
		return true;
	}
	errno = 0;
	*out = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || *out > max) {
		cmd_error(CMD_USAGE, "'%s': a number from 0 to %lu", text, max);
		return false;
	}
	return true;
}

static int trace_prepare(struct trace_job *j)
{
	struct cmd_line *line = j->line;
	struct hvdom_info info;
	struct hvhost_info host;
	int rc = line->nr_args != 0 ? cmd_domain(line, 0, &info) : cmd_connect(line);

	if (rc != CMD_OK) {
		return rc;
	}
	if (line->nr_args != 0) {
		j->one_domain = true;
		j->domid = info.domid;
		if (j->one_vcpu && j->vcpu >= info.max_vcpus) {
			return cmd_error(CMD_USAGE, "'%s' has no vCPU %lu", line->args[0], j->vcpu);
		}
	}
	rc = hvhost_info(&line->hv, &host);
	if (rc == 0) {
		j->nr_cpus = host.nr_cpus < 64 ? host.nr_cpus : 64;
		j->khz = host.cpu_khz;
		rc = hvstats_names(&line->hv, &j->names);
	}
	return rc == 0 ? CMD_OK
		       : cmd_error(CMD_ERROR, "this hypervisor has no trace for tools: %s",
				   strerror(-rc));
}

static int trace_show(struct trace_job *j, unsigned long last)
{
	struct traceview view = {0};
	uint64_t *cost = calloc(j->nr + 1, sizeof(*cost));

	if (cost == NULL) {
		return cmd_error(CMD_ERROR, "out of memory");
	}
	traceview_sort(j->records, j->nr);
	traceview_costs(j->records, j->nr, cost, &view);
	if (cmd_has(j->line, 's')) {
		trace_summary(j, &view);
	} else {
		trace_records(j, cost, j->nr > last ? j->nr - last : 0);
	}
	free(cost);
	if (cmd_has(j->line, 't') && j->lost != 0) {
		fprintf(stderr, "%" PRIu64 " records were overwritten before they could be read\n", j->lost);
	}
	return CMD_OK;
}

int cmd_trace(struct cmd_line *line)
{
	struct trace_job j = {.line = line, .one_vcpu = cmd_has(line, 'v')};
	unsigned long seconds = 0;
	unsigned long last = TRACE_MOST;
	int rc;

	if (!trace_option(line, 'v', 127, &j.vcpu) || !trace_option(line, 't', 3600, &seconds) ||
	    !trace_option(line, 'n', TRACE_MOST, &last)) {
		return CMD_USAGE;
	}
	if (j.one_vcpu && line->nr_args == 0) {
		return cmd_error(CMD_USAGE, "--vcpu: of which domain?");
	}
	rc = trace_prepare(&j);
	if (rc != CMD_OK) {
		return rc;
	}
	rc = seconds != 0 ? trace_for(&j, seconds) : trace_drain(&j);
	if (rc == 0) {
		rc = trace_show(&j, last);
	} else {
		rc = cmd_error(CMD_ERROR, "cannot read the trace: %s", strerror(-rc));
	}
	free(j.records);
	return rc;
}
