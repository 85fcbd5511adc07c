/*
 * mem-set: ask a guest to give memory back, or to take it again, through its balloon driver.
 *
 * The guest watches memory/target in xenstore; the hypervisor's limit moves with it, so that the guest cannot take back what it gave.
 */
#include "toolstack/cmd.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define MEM_LEAST_KIB  16384 /* a guest without memory is dead, and nobody wants that by mistake */
#define MEM_PAGE_KIB   4
#define MEM_NEAR_PAGES 256 /* guests round */
#define MEM_WAIT_S     60

/* "512MiB", "524288" (KiB), "1g". False: no size. */
static bool mem_size(const char *text, uint64_t *kib)
{
	static const struct {
		const char *unit;
		unsigned int shift;
	} units[] = {{"", 0},	   {"k", 0},   {"KiB", 0},  {"m", 10},	{"MiB", 10},
		     {"g", 20}, {"GiB", 20}, {"t", 30}, {"TiB", 30}};
	char *end;

	errno = 0;
	*kib = strtoull(text, &end, 10);
	if (!isdigit((unsigned char)*text) || errno != 0) {
		return false;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcasecmp(end, units[i].unit) == 0) {
			return !__builtin_mul_overflow(*kib, UINT64_C(1) << units[i].shift, kib);
		}
	}
	return false;
}

/* A number in xenstore below the domain's node; false: not there. */
static bool mem_node(struct store *st, uint32_t domid, const char *name, uint64_t *value)
{
	char *text = store_readf(st, "/local/domain/%u/memory/%s", domid, name);
	bool ok = text != NULL && isdigit((unsigned char)*text);

	*value = ok ? strtoull(text, NULL, 10) : 0;
	free(text);
	return ok;
}

static int mem_write_target(struct cmd_line *line, uint32_t domid, uint64_t kib)
{
	char path[64];

	snprintf(path, sizeof(path), "/local/domain/%u/memory/target", domid);
	return store_writef(&line->st, path, "%" PRIu64, kib);
}

/* Limit and target, in the order that never leaves the guest with a target above its limit. */
static int mem_apply(struct cmd_line *line, const struct hvdom_info *info, uint64_t old_target,
		     uint64_t target)
{
	uint64_t limit = info->max_pages * MEM_PAGE_KIB - old_target + target;
	bool grows = target > old_target;
	int rc = grows ? hvdom_max_mem(&line->hv, info->domid, limit) : 0;

	if (rc == 0) {
		rc = mem_write_target(line, info->domid, target);
	}
	if (rc == 0 && !grows) {
		rc = hvdom_max_mem(&line->hv, info->domid, limit);
	}
	return rc == 0 ? CMD_OK
		       : cmd_error(CMD_ERROR, "cannot set the memory of '%s': %s", line->args[0],
				   strerror(-rc));
}

/* Until the guest has as many pages as it was asked to have, within what guests round. */
static int mem_wait(struct cmd_line *line, uint32_t domid, uint64_t want, unsigned long seconds)
{
	const struct timespec nap = {.tv_nsec = 100000000};
	struct hvdom_info info;
	int rc;

	for (unsigned long i = 0; i <= seconds * 10; i++) {
		rc = hvdom_info(&line->hv, domid, &info);
		if (rc != 0) {
			return cmd_error(CMD_NO_DOMAIN, "domain '%s' has ended", line->args[0]);
		}
		if (info.pages + MEM_NEAR_PAGES >= want && info.pages <= want + MEM_NEAR_PAGES) {
			return CMD_OK;
		}
		nanosleep(&nap, NULL);
	}
	return cmd_error(CMD_TIMEOUT, "'%s' has %" PRIu64 " KiB after %lu s instead of %" PRIu64,
			 line->args[0], info.pages * MEM_PAGE_KIB, seconds, want * MEM_PAGE_KIB);
}

static bool mem_seconds(struct cmd_line *line, unsigned long *seconds)
{
	const char *text = cmd_value(line, 't');
	char *end;

	*seconds = MEM_WAIT_S;
	if (text == NULL) {
		return true;
	}
	*seconds = strtoul(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end != '\0' || *seconds > 86400) {
		cmd_error(CMD_USAGE, "--timeout '%s': a number of seconds", text);
		return false;
	}
	return true;
}

int cmd_mem_set(struct cmd_line *line)
{
	struct hvdom_info info;
	uint64_t kib;
	uint64_t most;
	uint64_t video;
	uint64_t old;
	unsigned long seconds;
	int rc;

	if (!mem_size(line->args[1], &kib)) {
		return cmd_error(CMD_USAGE, "'%s' is no size like 512MiB or 524288 (KiB)", line->args[1]);
	}
	if (!mem_seconds(line, &seconds)) {
		return CMD_USAGE;
	}
	rc = cmd_domain(line, 0, &info);
	if (rc != CMD_OK) {
		return rc;
	}
	if (!mem_node(&line->st, info.domid, "static-max", &most) ||
	    !mem_node(&line->st, info.domid, "target", &old)) {
		return cmd_error(CMD_ERROR, "domain '%s' has no memory target", line->args[0]);
	}
	(void)mem_node(&line->st, info.domid, "videoram", &video);
	if (kib > most || kib < MEM_LEAST_KIB + video) {
		return cmd_error(CMD_USAGE, "'%s' can have %" PRIu64 " to %" PRIu64 " KiB", line->args[0],
				 MEM_LEAST_KIB + video, most);
	}
	rc = mem_apply(line, &info, old, kib - video);
	if (rc == CMD_OK && cmd_has(line, 'w')) {
		/* What it had beside its target, like video memory and ROMs, it keeps. */
		rc = mem_wait(line, info.domid, info.pages + (kib - video) / MEM_PAGE_KIB - old / MEM_PAGE_KIB,
			      seconds);
	}
	return rc;
}
