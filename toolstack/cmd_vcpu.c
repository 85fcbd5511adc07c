/*
 * vcpu-list, vcpu-pin, sched: where vCPUs run and what share of the CPUs they have.
 */
#include "toolstack/cmd.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/cpulist.h"
#include "toolstack/domain.h"
#include "toolstack/lib/hvhost.h"
#include "toolstack/lib/hvsched.h"
#include "toolstack/out.h"

/* The domains a reading command is about: those named, or all. `*list` is malloc'd. */
static int vcpu_domains(struct cmd_line *line, struct hvdom_info **list, size_t *nr)
{
	int rc = cmd_connect(line);

	*list = NULL;
	if (rc != CMD_OK) {
		return rc;
	}
	if (line->nr_args == 0) {
		rc = hvhost_domains(&line->hv, list, nr);
		return rc == 0 ? CMD_OK
			       : cmd_error(CMD_ERROR, "cannot list the domains: %s", strerror(-rc));
	}
	*list = calloc(line->nr_args, sizeof(**list));
	*nr = 0;
	if (*list == NULL) {
		return cmd_error(CMD_ERROR, "out of memory");
	}
	for (unsigned int i = 0; i < line->nr_args && rc == CMD_OK; i++) {
		rc = cmd_domain(line, i, &(*list)[(*nr)++]);
	}
	return rc;
}

static unsigned int vcpu_nr_cpus(struct cmd_line *line)
{
	struct hvhost_info host;

	return hvhost_info(&line->hv, &host) == 0 ? host.nr_cpus : CPULIST_MAX_CPUS;
}

/* A whole number from min to max; complains. */
static bool vcpu_number(const char *text, const char *what, unsigned long min, unsigned long max,
			unsigned int *out)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || value < min || value > max) {
		cmd_error(CMD_USAGE, "%s '%s': a number from %lu to %lu", what, text, min, max);
		return false;
	}
	*out = (unsigned int)value;
	return true;
}

static const char *vcpu_state(const struct hvsched_vcpu *v)
{
	if (!v->online) {
		return "offline";
	}
	return v->running ? "running" : v->blocked ? "blocked" : "runnable";
}

/* ---- vcpu-list ---- */

struct vcpu_row {
	const struct hvdom_info *domain;
	const char *name;
	unsigned int vcpu;
	unsigned int nr_cpus;
	unsigned int weight;
	struct hvsched_vcpu v;
};

static void vcpu_row_json(struct out_json *json, const struct vcpu_row *row)
{
	char text[CPULIST_TEXT];

	out_json_object(json, NULL);
	out_json_string(json, "domain", row->name);
	out_json_number(json, "id", row->domain->domid);
	out_json_number(json, "vcpu", row->vcpu);
	out_json_string(json, "state", vcpu_state(&row->v));
	out_json_number(json, "cpu", row->v.cpu);
	out_json_number(json, "cpu_time_ns", row->v.cpu_time_ns);
	out_json_number(json, "weight", row->weight);
	cpulist_text(row->v.hard, row->nr_cpus, text, sizeof(text));
	out_json_string(json, "hard_affinity", text);
	cpulist_text(row->v.soft, row->nr_cpus, text, sizeof(text));
	out_json_string(json, "soft_affinity", text);
	out_json_close_object(json);
}

static void vcpu_row_text(const struct vcpu_row *row)
{
	char hard[CPULIST_TEXT];
	char soft[CPULIST_TEXT];
	char cpu[16] = "-";

	if (row->v.online) {
		snprintf(cpu, sizeof(cpu), "%u", row->v.cpu);
	}
	cpulist_text(row->v.hard, row->nr_cpus, hard, sizeof(hard));
	cpulist_text(row->v.soft, row->nr_cpus, soft, sizeof(soft));
	printf("%-24s %5u %5u %4s %-9s %10.1f %6u  %s / %s\n", row->name, row->domain->domid,
	       row->vcpu, cpu, vcpu_state(&row->v), (double)row->v.cpu_time_ns / 1e9, row->weight,
	       hard, soft);
}

/* The rows of one domain. A domain that ends meanwhile is no error. */
static int vcpu_list_one(struct cmd_line *line, const struct hvdom_info *d, unsigned int nr_cpus,
			 struct out_json *json)
{
	char *name = domain_name(&line->st, d->domid);
	struct vcpu_row row = {.domain = d, .name = name != NULL ? name : "?", .nr_cpus = nr_cpus};
	int rc = 0;

	for (row.vcpu = 0; row.vcpu < d->max_vcpus && rc == 0; row.vcpu++) {
		rc = hvsched_vcpu(&line->hv, d->domid, row.vcpu, &row.v);
		if (rc == 0) {
			rc = hvsched_vcpu_weight(&line->hv, d->domid, row.vcpu, &row.weight);
		}
		if (rc == 0 && json != NULL) {
			vcpu_row_json(json, &row);
		} else if (rc == 0) {
			vcpu_row_text(&row);
		}
	}
	if (rc != 0 && rc != -ESRCH) {
		cmd_error(CMD_ERROR, "cannot read the vCPUs of '%s': %s", row.name, strerror(-rc));
	}
	free(name);
	return rc == 0 || rc == -ESRCH ? CMD_OK : CMD_ERROR;
}

int cmd_vcpu_list(struct cmd_line *line)
{
	struct hvdom_info *list;
	struct out_json json;
	bool use_json = cmd_has(line, 'J');
	size_t nr = 0;
	unsigned int nr_cpus;
	int rc = vcpu_domains(line, &list, &nr);

	if (rc != CMD_OK) {
		free(list);
		return rc;
	}
	nr_cpus = vcpu_nr_cpus(line);
	if (use_json) {
		out_json_start(&json, stdout, cmd_json_mode(line));
		out_json_array(&json, NULL);
	} else {
		printf("%-24s %5s %5s %4s %-9s %10s %6s  %s\n", "Name", "ID", "VCPU", "CPU",
		       "State", "Time(s)", "Weight", "Affinity (hard / soft)");
	}
	for (size_t i = 0; i < nr && rc == CMD_OK; i++) {
		rc = vcpu_list_one(line, &list[i], nr_cpus, use_json ? &json : NULL);
	}
	if (use_json) {
		out_json_close_array(&json);
		out_json_end(&json);
	}
	free(list);
	return rc;
}

/* ---- vcpu-pin ---- */

/* A set of CPUs, "-" for as it is. */
static int vcpu_set(const char *text, uint64_t *set, const uint64_t **given)
{
	*given = NULL;
	if (text == NULL || strcmp(text, "-") == 0) {
		return CMD_OK;
	}
	if (!cpulist_parse(text, set)) {
		return cmd_error(CMD_USAGE, "'%s' is no list of CPUs like 0-3,^2,8 or all", text);
	}
	*given = set;
	return CMD_OK;
}

int cmd_vcpu_pin(struct cmd_line *line)
{
	const char *soft_text = line->nr_args > 3 ? line->args[3] : NULL;
	const uint64_t *hard;
	const uint64_t *soft;
	uint64_t hard_set;
	uint64_t soft_set;
	struct hvdom_info info;
	unsigned int first = 0;
	unsigned int last;
	int rc = vcpu_set(line->args[2], &hard_set, &hard);

	rc = rc == CMD_OK ? vcpu_set(soft_text, &soft_set, &soft) : rc;
	if (rc != CMD_OK) {
		return rc;
	}
	if (hard == NULL && soft == NULL) {
		return cmd_error(CMD_USAGE, "neither hard nor soft affinity is given");
	}
	rc = cmd_domain(line, 0, &info);
	if (rc != CMD_OK) {
		return rc;
	}
	last = info.max_vcpus - 1;
	if (strcmp(line->args[1], "all") != 0) {
		if (!vcpu_number(line->args[1], "vCPU", 0, last, &first)) {
			return CMD_USAGE;
		}
		last = first;
	}
	for (unsigned int v = first; v <= last; v++) {
		rc = hvsched_pin(&line->hv, info.domid, v, hard, soft);
		if (rc != 0) {
			return cmd_error(CMD_ERROR, "cannot pin vCPU %u of '%s': %s", v, line->args[0],
					 rc == -EINVAL  ? "no such CPU in this machine"
					 : rc == -EBUSY ? "it is bound to its CPU"
							: strerror(-rc));
		}
	}
	return CMD_OK;
}

/* ---- sched ---- */

static int sched_show_one(struct cmd_line *line, const struct hvdom_info *d, struct out_json *json)
{
	char *name = domain_name(&line->st, d->domid);
	unsigned int weight;
	unsigned int cap;
	int rc = hvsched_get(&line->hv, d->domid, &weight, &cap);

	if (rc == 0 && json != NULL) {
		out_json_object(json, NULL);
		out_json_string(json, "domain", name);
		out_json_number(json, "id", d->domid);
		out_json_number(json, "weight", weight);
		out_json_number(json, "cap", cap);
		out_json_close_object(json);
	} else if (rc == 0) {
		printf("%-32s %5u %6u %5u\n", name != NULL ? name : "?", d->domid, weight, cap);
	}
	if (rc != 0 && rc != -ESRCH) {
		cmd_error(CMD_ERROR, "cannot read the weight of '%s': %s",
			  name != NULL ? name : "?", strerror(-rc));
	}
	free(name);
	return rc == 0 || rc == -ESRCH ? CMD_OK : CMD_ERROR;
}

static int sched_show(struct cmd_line *line)
{
	struct hvdom_info *list;
	struct out_json json;
	bool use_json = cmd_has(line, 'J');
	size_t nr = 0;
	int rc = vcpu_domains(line, &list, &nr);

	if (rc != CMD_OK) {
		free(list);
		return rc;
	}
	if (use_json) {
		out_json_start(&json, stdout, cmd_json_mode(line));
		out_json_array(&json, NULL);
	} else {
		printf("%-32s %5s %6s %5s\n", "Name", "ID", "Weight", "Cap");
	}
	for (size_t i = 0; i < nr && rc == CMD_OK; i++) {
		rc = sched_show_one(line, &list[i], use_json ? &json : NULL);
	}
	if (use_json) {
		out_json_close_array(&json);
		out_json_end(&json);
	}
	free(list);
	return rc;
}

static int sched_change(struct cmd_line *line, const struct hvdom_info *info)
{
	unsigned int weight = HVSCHED_KEEP_WEIGHT;
	unsigned int cap = HVSCHED_KEEP_CAP;
	unsigned int vcpu;
	int rc;

	if (cmd_has(line, 'w') &&
	    !vcpu_number(cmd_value(line, 'w'), "weight", 1, HVSCHED_MAX_WEIGHT, &weight)) {
		return CMD_USAGE;
	}
	if (cmd_has(line, 'c') &&
	    !vcpu_number(cmd_value(line, 'c'), "cap", 0, 100ul * info->max_vcpus, &cap)) {
		return CMD_USAGE;
	}
	if (cmd_has(line, 'v')) {
		if (!vcpu_number(cmd_value(line, 'v'), "vCPU", 0, info->max_vcpus - 1, &vcpu)) {
			return CMD_USAGE;
		}
		if (weight == HVSCHED_KEEP_WEIGHT || cmd_has(line, 'c')) {
			return cmd_error(CMD_USAGE, "--vcpu goes with --weight only: a cap is a domain's");
		}
		rc = hvsched_vcpu_set_weight(&line->hv, info->domid, vcpu, weight);
	} else {
		rc = hvsched_set(&line->hv, info->domid, weight, cap);
	}
	return rc == 0 ? CMD_OK
		       : cmd_error(CMD_ERROR, "cannot change the scheduling of '%s': %s",
				   line->args[0], strerror(-rc));
}

int cmd_sched(struct cmd_line *line)
{
	struct hvdom_info info;
	int rc;

	if (!cmd_has(line, 'w') && !cmd_has(line, 'c') && !cmd_has(line, 'v')) {
		return sched_show(line);
	}
	if (line->nr_args != 1) {
		return cmd_error(CMD_USAGE, "which domain's scheduling is to change?");
	}
	rc = cmd_domain(line, 0, &info);
	return rc == CMD_OK ? sched_change(line, &info) : rc;
}
