/*
 * top: what every domain uses and why it leaves its processors: CPU time, exits by kind, requests to device models,
 * memory. Two looks at the hypervisor's totals, and the difference between them.
 */
#include "toolstack/cmd.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "toolstack/domain.h"
#include "toolstack/lib/hvhost.h"
#include "toolstack/lib/hvstats.h"

#define TOP_PAGE_KIB   4
#define TOP_KINDS_TEXT 4 /* kinds of exits that a line of text has room for */

/* One look at one domain. */
struct top_entry {
	struct hvdom_info info;
	struct ostler_stats stats;
};

struct top_look {
	struct top_entry *entry;
	size_t nr;
	uint64_t at_ns;
};

struct top {
	struct cmd_line *line;
	struct hvstats_names names;
	uint64_t khz;
	bool screen; /* a terminal: each picture replaces the one before */
};

static uint64_t top_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int top_take(struct top *t, struct top_look *look)
{
	struct hvdom_info *list;
	size_t nr;
	int rc = hvhost_domains(&t->line->hv, &list, &nr);

	look->nr = 0;
	look->entry = NULL;
	if (rc != 0) {
		return cmd_error(CMD_ERROR, "cannot list the domains: %s", strerror(-rc));
	}
	look->entry = calloc(nr + 1, sizeof(*look->entry));
	look->at_ns = top_now();
	for (size_t i = 0; look->entry != NULL && i < nr; i++) {
		struct top_entry *e = &look->entry[look->nr];

		e->info = list[i];
		/* A domain that has just ended is not there. */
		if (hvstats_get(&t->line->hv, list[i].domid, OSTLER_STATS_ALL, &e->stats) >= 0) {
			look->nr++;
		}
	}
	free(list);
	return look->entry != NULL ? CMD_OK : cmd_error(CMD_ERROR, "out of memory");
}

/* The same domain in the look before: same id and UUID; NULL when it is new. */
static const struct top_entry *top_before(const struct top_look *look, const struct top_entry *e)
{
	for (size_t i = 0; i < look->nr; i++) {
		const struct top_entry *b = &look->entry[i];

		if (b->info.domid == e->info.domid &&
		    memcmp(b->info.uuid, e->info.uuid, sizeof(b->info.uuid)) == 0) {
			return b;
		}
	}
	return NULL;
}

/* What happened between two looks, per second. */
struct top_rates {
	uint64_t cpu_permille; /* of one CPU */
	uint64_t exits;
	uint64_t ioreqs;
	uint64_t kind[OSTLER_OP_EXIT_KINDS];
	uint64_t kind_ns[OSTLER_OP_EXIT_KINDS]; /* of each second */
};

static uint64_t top_per_second(uint64_t now, uint64_t before, uint64_t ns)
{
	return now > before ? (uint64_t)((unsigned __int128)(now - before) * 1000000000u / ns) : 0;
}

static void top_compare(const struct top *t, const struct top_entry *e, const struct top_entry *before,
			uint64_t ns, struct top_rates *r)
{
	static const struct top_entry nothing;
	const struct top_entry *b = before != NULL ? before : &nothing;

	memset(r, 0, sizeof(*r));
	r->cpu_permille =
		top_per_second(e->info.cpu_time_ns, b->info.cpu_time_ns, ns) / 1000000;
	r->ioreqs = top_per_second(e->stats.ioreqs, b->stats.ioreqs, ns);
	for (unsigned int i = 0; i < t->names.nr_exits; i++) {
		uint64_t ticks = top_per_second(e->stats.ticks[i], b->stats.ticks[i], ns);

		r->kind[i] = top_per_second(e->stats.exits[i], b->stats.exits[i], ns);
		r->kind_ns[i] = t->khz != 0 ? ticks / t->khz * 1000000 : 0;
		r->exits += r->kind[i];
	}
}

static void top_json_kinds(struct out_json *json, const struct top *t, const struct top_entry *e,
			   const struct top_rates *r)
{
	out_json_array(json, "exits");
	for (unsigned int i = 0; i < t->names.nr_exits; i++) {
		if (e->stats.exits[i] == 0) {
			continue;
		}
		out_json_object(json, NULL);
		out_json_string(json, "kind", t->names.exit[i]);
		out_json_number(json, "total", e->stats.exits[i]);
		out_json_number(json, "per_second", r->kind[i]);
		out_json_number(json, "ns_per_second", r->kind_ns[i]);
		out_json_close_object(json);
	}
	out_json_close_array(json);
}

static void top_json_one(struct out_json *json, const struct top *t, const char *name,
			 const struct top_entry *e, const struct top_rates *r)
{
	out_json_object(json, NULL);
	out_json_string(json, "domain", name);
	out_json_number(json, "id", e->info.domid);
	out_json_string(json, "state", hvdom_state_name(&e->info));
	out_json_number(json, "vcpus", e->info.online_vcpus);
	out_json_number(json, "cpu_time_ns", e->info.cpu_time_ns);
	out_json_number(json, "cpu_permille", r->cpu_permille);
	out_json_number(json, "memory_kib", e->info.pages * TOP_PAGE_KIB);
	out_json_number(json, "exits_per_second", r->exits);
	out_json_number(json, "ioreqs", e->stats.ioreqs);
	out_json_number(json, "ioreqs_per_second", r->ioreqs);
	top_json_kinds(json, t, e, r);
	out_json_close_object(json);
}

/* The most frequent kinds: "pio 120 hlt 99". */
static void top_text_kinds(const struct top *t, const struct top_rates *r)
{
	bool said[OSTLER_OP_EXIT_KINDS] = {false};

	for (unsigned int n = 0; n < TOP_KINDS_TEXT; n++) {
		unsigned int best = OSTLER_OP_EXIT_KINDS;

		for (unsigned int i = 0; i < t->names.nr_exits; i++) {
			if (!said[i] && r->kind[i] != 0 &&
			    (best == OSTLER_OP_EXIT_KINDS || r->kind[i] > r->kind[best])) {
				best = i;
			}
		}
		if (best == OSTLER_OP_EXIT_KINDS) {
			break;
		}
		said[best] = true;
		printf("  %s %" PRIu64, t->names.exit[best], r->kind[best]);
	}
}

static void top_text_one(const struct top *t, const char *name, const struct top_entry *e,
			 const struct top_rates *r)
{
	printf("%-20.20s %5u %-9s %5u %6" PRIu64 ".%" PRIu64 " %10.1f %8" PRIu64 " %9" PRIu64
	       " %9" PRIu64,
	       name, e->info.domid, hvdom_state_name(&e->info), e->info.online_vcpus,
	       r->cpu_permille / 10, r->cpu_permille % 10, (double)e->info.cpu_time_ns / 1e9,
	       e->info.pages * TOP_PAGE_KIB / 1024, r->exits, r->ioreqs);
	top_text_kinds(t, r);
	putchar('\n');
}

static void top_show(const struct top *t, const struct top_look *before, const struct top_look *now)
{
	uint64_t ns = now->at_ns > before->at_ns ? now->at_ns - before->at_ns : 1;
	bool use_json = cmd_has(t->line, 'J');
	struct out_json json;

	if (use_json) {
		out_json_start(&json, stdout, cmd_json_mode(t->line));
		out_json_array(&json, NULL);
	} else {
		printf("%s%-20s %5s %-9s %5s %8s %10s %8s %9s %9s  %s\n",
		       t->screen ? "\033[H\033[J" : "", "Name", "ID", "State", "VCPUs", "CPU%",
		       "CPU(s)", "Mem(MiB)", "Exits/s", "Ioreqs/s", "of them");
	}
	for (size_t i = 0; i < now->nr; i++) {
		const struct top_entry *e = &now->entry[i];
		char *name = domain_name(&t->line->st, e->info.domid);
		struct top_rates r;

		top_compare(t, e, top_before(before, e), ns, &r);
		if (use_json) {
			top_json_one(&json, t, name, e, &r);
		} else {
			top_text_one(t, name != NULL ? name : "?", e, &r);
		}
		free(name);
	}
	if (use_json) {
		out_json_close_array(&json);
		out_json_end(&json);
	}
	fflush(stdout);
}

/* A whole number of seconds or pictures from the options; complains. */
static bool top_option(struct cmd_line *line, char key, unsigned long usual, unsigned long *out)
{
	const char *text = cmd_value(line, key);
	char *end;

	*out = usual;
	if (text == NULL) {
		return true;
	}
	errno = 0;
	*out = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || *out == 0 || *out > 86400) {
		cmd_error(CMD_USAGE, "'%s': a number from 1 to 86400", text);
		return false;
	}
	return true;
}

int cmd_top(struct cmd_line *line)
{
	struct top t = {.line = line};
	struct top_look look[2] = {{0}, {0}};
	struct hvhost_info host;
	unsigned long seconds;
	unsigned long pictures;
	int rc;

	t.screen = isatty(STDOUT_FILENO) && !cmd_has(line, 'J');
	/* Endless for people, one picture for programs. */
	if (!top_option(line, 'd', 1, &seconds) ||
	    !top_option(line, 'n', t.screen ? 86400 : 1, &pictures)) {
		return CMD_USAGE;
	}
	rc = cmd_connect(line);
	if (rc != CMD_OK) {
		return rc;
	}
	rc = hvstats_names(&line->hv, &t.names);
	if (rc != 0) {
		return cmd_error(CMD_ERROR, "this hypervisor does not count exits for tools: %s",
				 strerror(-rc));
	}
	t.khz = hvhost_info(&line->hv, &host) == 0 ? host.cpu_khz : 0;
	rc = top_take(&t, &look[0]);
	for (unsigned long i = 0; i < pictures && rc == CMD_OK; i++) {
		sleep((unsigned int)seconds);
		rc = top_take(&t, &look[1]);
		if (rc == CMD_OK) {
			top_show(&t, &look[0], &look[1]);
			free(look[0].entry);
			look[0] = look[1];
			look[1].entry = NULL;
		}
	}
	free(look[0].entry);
	free(look[1].entry);
	return rc;
}
