/*
 * list, info, nodeinfo, version and the one-fact commands: domid, domname, domuuid, domstate.
 */
#include "toolstack/cmd.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/sched.h>

#include "toolstack/config.h"
#include "toolstack/domain.h"
#include "toolstack/lib/hvhost.h"
#include "toolstack/lib/hvstats.h"
#include "toolstack/lib/rundir.h"
#include "toolstack/life.h"
#include "toolstack/out.h"

#define LIST_PAGE_KIB 4

/* Why it is in its state, in virsh's words. */
static const char *list_reason(const struct hvdom_info *d)
{
	switch (d->state) {
	case HVDOM_RUNNING:
	case HVDOM_IDLE:
		return "booted";
	case HVDOM_PAUSED:
		return "user";
	case HVDOM_SHUTDOWN:
		return life_kind_name(life_kind_of_code(d->shutdown_code));
	case HVDOM_DYING:
		break;
	}
	return "destroyed";
}

/* How its memory is mapped: few large mappings are better than many small ones. Nothing on a hypervisor that does not tell. */
static void list_info_mappings(struct hvcall *hv, const struct hvdom_info *d, struct out_json *json)
{
	struct ostler_stats stats;

	if (hvstats_get(hv, d->domid, OSTLER_STATS_ALL, &stats) < 0) {
		return;
	}
	if (json == NULL) {
		out_pair("Mappings", "%" PRIu64 " of 1 GiB, %" PRIu64 " of 2 MiB, %" PRIu64 " of 4 KiB",
			 stats.leaves[2], stats.leaves[1], stats.leaves[0]);
		out_pair("Map tables", "%" PRIu64 " KiB", stats.tables * LIST_PAGE_KIB);
		return;
	}
	out_json_number(json, "mappings_1g", stats.leaves[2]);
	out_json_number(json, "mappings_2m", stats.leaves[1]);
	out_json_number(json, "mappings_4k", stats.leaves[0]);
	out_json_number(json, "map_tables_kib", stats.tables * LIST_PAGE_KIB);
}

/* `hv` NULL: without the mappings, which take a hypercall for each domain. */
static void list_json_domain(struct out_json *json, struct hvcall *hv, struct store *st,
			     const struct hvdom_info *d)
{
	char uuid[CONFIG_UUID_LEN];
	char *name = domain_name(st, d->domid);

	config_uuid_text(d->uuid, uuid);
	out_json_object(json, NULL);
	out_json_number(json, "id", d->domid);
	out_json_string(json, "name", name);
	out_json_string(json, "uuid", uuid);
	out_json_string(json, "state", hvdom_state_name(d));
	out_json_string(json, "reason", list_reason(d));
	out_json_number(json, "memory_kib", d->pages * LIST_PAGE_KIB);
	out_json_number(json, "max_memory_kib", d->max_pages * LIST_PAGE_KIB);
	out_json_number(json, "vcpus", d->online_vcpus);
	out_json_number(json, "max_vcpus", d->max_vcpus);
	out_json_number(json, "cpu_time_ns", d->cpu_time_ns);
	if (hv != NULL) {
		list_info_mappings(hv, d, json);
	}
	out_json_close_object(json);
	free(name);
}

static void list_json(const struct cmd_line *line, struct store *st, const struct hvdom_info *list,
		      size_t nr)
{
	struct out_json json;

	out_json_start(&json, stdout, cmd_json_mode(line));
	out_json_array(&json, NULL);
	for (size_t i = 0; i < nr; i++) {
		list_json_domain(&json, NULL, st, &list[i]);
	}
	out_json_close_array(&json);
	out_json_end(&json);
}

/* One cell; malloc'd so that out_table's rows are alike. */
static char *list_cell(const char *fmt, unsigned int value)
{
	char *cell;

	return asprintf(&cell, fmt, value) < 0 ? NULL : cell;
}

static int list_table(struct store *st, const struct hvdom_info *list, size_t nr)
{
	static const char *const header[] = {"Id", "Name", "State"};
	char **cells = calloc(3 * nr + 1, sizeof(*cells));
	int rc = cells != NULL ? CMD_OK : cmd_error(CMD_ERROR, "out of memory");

	for (size_t i = 0; rc == CMD_OK && i < nr; i++) {
		char **row = cells + 3 * i;

		row[0] = list_cell("%u", list[i].domid);
		row[1] = domain_name(st, list[i].domid);
		row[2] = strdup(hvdom_state_name(&list[i]));
		if (row[0] == NULL || row[1] == NULL || row[2] == NULL) {
			rc = cmd_error(CMD_ERROR, "out of memory");
		}
	}
	if (rc == CMD_OK) {
		out_table(header, 3, cells, nr);
		putchar('\n');
	}
	for (size_t i = 0; cells != NULL && i < 3 * nr; i++) {
		free(cells[i]);
	}
	free(cells);
	return rc;
}

/* The six letters of xl: running, blocked, paused, shut down, crashed, dying. */
static void list_xl_state(const struct hvdom_info *d, char out[7])
{
	bool crashed = d->shutdown && d->shutdown_code == SHUTDOWN_crash;

	out[0] = d->state == HVDOM_RUNNING ? 'r' : '-';
	out[1] = d->state == HVDOM_IDLE ? 'b' : '-';
	out[2] = d->paused ? 'p' : '-';
	out[3] = d->shutdown ? 's' : '-';
	out[4] = crashed ? 'c' : '-';
	out[5] = d->dying ? 'd' : '-';
	out[6] = '\0';
}

static void list_xl(struct store *st, const struct hvdom_info *list, size_t nr)
{
	printf("%-40s %5s %5s %5s %10s %9s\n", "Name", "ID", "Mem", "VCPUs", "State", "Time(s)");
	for (size_t i = 0; i < nr; i++) {
		const struct hvdom_info *d = &list[i];
		char *name = domain_name(st, d->domid);
		char state[7];

		list_xl_state(d, state);
		printf("%-40s %5u %5" PRIu64 " %5u %10s %8.1f\n", name != NULL ? name : "?",
		       d->domid, d->pages * LIST_PAGE_KIB / 1024, d->online_vcpus, state,
		       (double)d->cpu_time_ns / 1e9);
		free(name);
	}
}

/* One fact for each domain, for scripts. */
static void list_column(const struct cmd_line *line, struct store *st,
			const struct hvdom_info *list, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		char uuid[CONFIG_UUID_LEN];
		char *name;

		if (cmd_has(line, 'i')) {
			printf("%u\n", list[i].domid);
		} else if (cmd_has(line, 'U')) {
			config_uuid_text(list[i].uuid, uuid);
			puts(uuid);
		} else {
			name = domain_name(st, list[i].domid);
			puts(name != NULL ? name : "?");
			free(name);
		}
	}
}

int cmd_list(struct cmd_line *line)
{
	struct hvdom_info *list;
	size_t nr;
	int rc = cmd_connect(line);

	if (rc != CMD_OK) {
		return rc;
	}
	rc = hvhost_domains(&line->hv, &list, &nr);
	if (rc != 0) {
		return cmd_error(CMD_ERROR, "cannot list the domains: %s", strerror(-rc));
	}
	if (cmd_has(line, 'J')) {
		list_json(line, &line->st, list, nr);
	} else if (cmd_has(line, 'i') || cmd_has(line, 'U') || cmd_has(line, 'n')) {
		list_column(line, &line->st, list, nr);
	} else if (cmd_has(line, 'x')) {
		list_xl(&line->st, list, nr);
	} else {
		rc = list_table(&line->st, list, nr);
	}
	free(list);
	return rc;
}

static void list_info_text(struct hvcall *hv, struct store *st, const struct hvdom_info *d)
{
	char uuid[CONFIG_UUID_LEN];
	char *name = domain_name(st, d->domid);
	char *dm = store_readf(st, RUNDIR_XS_BASE "/%u/" RUNDIR_XS_DM_PID, d->domid);

	config_uuid_text(d->uuid, uuid);
	out_pair("Id", "%u", d->domid);
	out_pair("Name", "%s", name != NULL ? name : "?");
	out_pair("UUID", "%s", uuid);
	out_pair("OS Type", "%s", d->hvm ? "hvm" : "linux");
	out_pair("State", "%s", hvdom_state_name(d));
	out_pair("CPU(s)", "%u", d->max_vcpus);
	out_pair("CPU time", "%.1fs", (double)d->cpu_time_ns / 1e9);
	out_pair("Max memory", "%" PRIu64 " KiB", d->max_pages * LIST_PAGE_KIB);
	out_pair("Used memory", "%" PRIu64 " KiB", d->pages * LIST_PAGE_KIB);
	list_info_mappings(hv, d, NULL);
	out_pair("Persistent", "no");
	out_pair("Autostart", "disable");
	out_pair("Managed save", "no");
	out_pair("Device model", "%s", dm != NULL ? dm : "-");
	putchar('\n');
	free(name);
	free(dm);
}

int cmd_info(struct cmd_line *line)
{
	struct hvdom_info info;
	struct out_json json;
	int rc;

	if (line->nr_args == 0) {
		return cmd_nodeinfo(line);
	}
	rc = cmd_domain(line, 0, &info);
	if (rc != CMD_OK) {
		return rc;
	}
	if (!cmd_has(line, 'J')) {
		list_info_text(&line->hv, &line->st, &info);
		return CMD_OK;
	}
	out_json_start(&json, stdout, cmd_json_mode(line));
	list_json_domain(&json, &line->hv, &line->st, &info);
	out_json_end(&json);
	return CMD_OK;
}

static void list_host_json(const struct cmd_line *line, const struct hvhost_info *host)
{
	struct out_json json;

	out_json_start(&json, stdout, cmd_json_mode(line));
	out_json_object(&json, NULL);
	out_json_number(&json, "cpus", host->nr_cpus);
	out_json_number(&json, "cores_per_socket", host->cores_per_socket);
	out_json_number(&json, "threads_per_core", host->threads_per_core);
	out_json_number(&json, "nodes", host->nr_nodes);
	out_json_number(&json, "cpu_khz", host->cpu_khz);
	out_json_number(&json, "total_memory_kib", host->total_pages * LIST_PAGE_KIB);
	out_json_number(&json, "free_memory_kib", host->free_pages * LIST_PAGE_KIB);
	out_json_bool(&json, "hvm", host->cap_hvm);
	out_json_bool(&json, "hap", host->cap_hap);
	out_json_number(&json, "version_major", host->version_major);
	out_json_number(&json, "version_minor", host->version_minor);
	out_json_string(&json, "version_extra", host->version_extra);
	out_json_string(&json, "capabilities", host->capabilities);
	out_json_string(&json, "commandline", host->commandline);
	out_json_close_object(&json);
	out_json_end(&json);
}

static int list_host(struct cmd_line *line, struct hvhost_info *host)
{
	int rc = cmd_connect(line);

	if (rc != CMD_OK) {
		return rc;
	}
	rc = hvhost_info(&line->hv, host);
	return rc == 0 ? CMD_OK
		       : cmd_error(CMD_ERROR, "cannot ask the hypervisor: %s", strerror(-rc));
}

int cmd_nodeinfo(struct cmd_line *line)
{
	struct hvhost_info host;
	int rc = list_host(line, &host);

	if (rc != CMD_OK) {
		return rc;
	}
	if (cmd_has(line, 'J')) {
		list_host_json(line, &host);
		return CMD_OK;
	}
	out_pair("CPU model", "x86_64");
	out_pair("CPU(s)", "%u", host.nr_cpus);
	out_pair("CPU frequency", "%u MHz", host.cpu_khz / 1000);
	out_pair("Cores/socket", "%u", host.cores_per_socket);
	out_pair("Threads/core", "%u", host.threads_per_core);
	out_pair("NUMA cell(s)", "%u", host.nr_nodes);
	out_pair("Memory size", "%" PRIu64 " KiB", host.total_pages * LIST_PAGE_KIB);
	out_pair("Free memory", "%" PRIu64 " KiB", host.free_pages * LIST_PAGE_KIB);
	out_pair("Guests", "%s%s", host.cap_hvm ? "hvm" : "none",
		 host.cap_hap ? ", nested paging" : "");
	out_pair("Interface", "Xen %u.%u%s", host.version_major, host.version_minor,
		 host.version_extra);
	out_pair("Command line", "%s", host.commandline);
	putchar('\n');
	return CMD_OK;
}

int cmd_version(struct cmd_line *line)
{
	struct hvhost_info host;
	struct out_json json;
	struct hvcall hv;
	bool have = false;

	/* Our own version needs no hypervisor: its absence is not an error here. */
	if (hvcall_open(&hv) == 0) {
		have = hvhost_info(&hv, &host) == 0;
		hvcall_close(&hv);
	}
	if (cmd_has(line, 'J')) {
		out_json_start(&json, stdout, cmd_json_mode(line));
		out_json_object(&json, NULL);
		out_json_string(&json, "ostler", OSTLER_VERSION);
		if (have) {
			out_json_number(&json, "interface_major", host.version_major);
			out_json_number(&json, "interface_minor", host.version_minor);
			out_json_string(&json, "interface_extra", host.version_extra);
			out_json_string(&json, "compiled", host.compile_date);
		}
		out_json_close_object(&json);
		out_json_end(&json);
		return CMD_OK;
	}
	puts("ostler " OSTLER_VERSION);
	if (have) {
		printf("hypervisor interface: Xen %u.%u%s, compiled %s\n", host.version_major,
		       host.version_minor, host.version_extra, host.compile_date);
	} else {
		puts("no hypervisor is running under this system");
	}
	return CMD_OK;
}

/* One fact, as a word or as {"key": word}. */
static int list_fact(const struct cmd_line *line, const char *key, const char *value)
{
	struct out_json json;

	if (!cmd_has(line, 'J')) {
		printf("%s\n\n", value);
		return CMD_OK;
	}
	out_json_start(&json, stdout, cmd_json_mode(line));
	out_json_object(&json, NULL);
	out_json_string(&json, key, value);
	out_json_close_object(&json);
	out_json_end(&json);
	return CMD_OK;
}

int cmd_domid(struct cmd_line *line)
{
	struct hvdom_info info;
	char text[16];
	int rc = cmd_domain(line, 0, &info);

	if (rc != CMD_OK) {
		return rc;
	}
	snprintf(text, sizeof(text), "%u", info.domid);
	return list_fact(line, "id", text);
}

int cmd_domname(struct cmd_line *line)
{
	struct hvdom_info info;
	char *name;
	int rc = cmd_domain(line, 0, &info);

	if (rc != CMD_OK) {
		return rc;
	}
	name = domain_name(&line->st, info.domid);
	rc = list_fact(line, "name", name != NULL ? name : "");
	free(name);
	return rc;
}

int cmd_domuuid(struct cmd_line *line)
{
	struct hvdom_info info;
	char uuid[CONFIG_UUID_LEN];
	int rc = cmd_domain(line, 0, &info);

	if (rc != CMD_OK) {
		return rc;
	}
	config_uuid_text(info.uuid, uuid);
	return list_fact(line, "uuid", uuid);
}

int cmd_domstate(struct cmd_line *line)
{
	struct hvdom_info info;
	char text[64];
	int rc = cmd_domain(line, 0, &info);

	if (rc != CMD_OK) {
		return rc;
	}
	if (cmd_has(line, 'r')) {
		snprintf(text, sizeof(text), "%s (%s)", hvdom_state_name(&info),
			 list_reason(&info));
	} else {
		snprintf(text, sizeof(text), "%s", hvdom_state_name(&info));
	}
	return list_fact(line, "state", text);
}
