/* Judging a running QEMU. Contract: sandbox_check.h. */
#include "dm-glue/sandbox_check.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct report {
	FILE *to;
	pid_t pid;
	int missing; /* required ones that do not hold */
};

/* One line. A restriction that is not required depends on the kernel or the configuration. */
__attribute__((format(printf, 5, 6))) static void line(struct report *r, bool required, bool holds,
							const char *what, const char *fmt, ...)
{
	char detail[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	fprintf(r->to, "%-14s %-28s %s\n",
		holds ? "holds" :
		required ? "DOES NOT HOLD" :
			   "not in use",
		what, detail);
	r->missing += required && !holds;
}

/* ---- /proc/PID/status ---- */

void sandbox_check_parse(const char *text, struct sandbox_check_status *st)
{
	unsigned int seen = 0;

	*st = (struct sandbox_check_status){ 0 };
	const struct {
		const char *key;
		unsigned long long *hex;
		unsigned int *number;
	} field[] = {
		{ "CapInh:", &st->cap_inh, NULL }, { "CapPrm:", &st->cap_prm, NULL },
		{ "CapEff:", &st->cap_eff, NULL }, { "CapBnd:", &st->cap_bnd, NULL },
		{ "CapAmb:", &st->cap_amb, NULL }, { "NoNewPrivs:", NULL, &st->no_new_privs },
		{ "Seccomp:", NULL, &st->seccomp },
	};
	const size_t fields = sizeof(field) / sizeof(field[0]);
	for (const char *at = text; at != NULL && *at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (sscanf(at, "Uid: %u %u %u %u", &st->uid[0], &st->uid[1], &st->uid[2],
			   &st->uid[3]) == 4 ||
		    sscanf(at, "Gid: %u %u %u %u", &st->gid[0], &st->gid[1], &st->gid[2],
			   &st->gid[3]) == 4) {
			seen++;
		}
		for (size_t i = 0; i < fields; i++) {
			size_t len = strlen(field[i].key);

			if (strncmp(at, field[i].key, len) != 0) {
				continue;
			}
			seen++;
			if (field[i].hex) {
				*field[i].hex = strtoull(at + len, NULL, 16);
			} else {
				*field[i].number = (unsigned int)strtoul(at + len, NULL, 10);
			}
		}
	}
	st->complete = seen == fields + 2;
}

static int read_proc(pid_t pid, const char *name, char *buf, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	FILE *f = fopen(path, "re");
	if (f == NULL) {
		return -errno;
	}
	size_t n = fread(buf, 1, size - 1, f);
	fclose(f);
	buf[n] = '\0';
	return 0;
}

static bool all_equal_nonzero(const unsigned int id[4])
{
	return id[0] != 0 && id[0] == id[1] && id[0] == id[2] && id[0] == id[3];
}

static void check_status(struct report *r, const struct sandbox_check_status *st)
{
	line(r, true, all_equal_nonzero(st->uid), "own user", "status: Uid %u %u %u %u", st->uid[0],
	     st->uid[1], st->uid[2], st->uid[3]);
	line(r, true, all_equal_nonzero(st->gid), "own group", "status: Gid %u %u %u %u", st->gid[0],
	     st->gid[1], st->gid[2], st->gid[3]);
	line(r, true, (st->cap_inh | st->cap_prm | st->cap_eff | st->cap_bnd | st->cap_amb) == 0,
	     "no capabilities", "status: CapInh %llx CapPrm %llx CapEff %llx CapBnd %llx CapAmb %llx",
	     st->cap_inh, st->cap_prm, st->cap_eff, st->cap_bnd, st->cap_amb);
	line(r, true, st->no_new_privs == 1, "no new privileges", "status: NoNewPrivs %u",
	     st->no_new_privs);
	line(r, true, st->seccomp == 2, "system call filter", "status: Seccomp %u (2: filter)",
	     st->seccomp);
}

/* ---- namespaces ---- */

static bool other_namespace(pid_t pid, const char *name)
{
	char path[64], self[64];
	struct stat theirs, ours;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, name);
	snprintf(self, sizeof(self), "/proc/self/ns/%s", name);
	return stat(path, &theirs) == 0 && stat(self, &ours) == 0 && theirs.st_ino != ours.st_ino;
}

static void check_namespaces(struct report *r)
{
	static const struct {
		const char *name, *what;
		bool required;
	} ns[] = {
		{ "mnt", "own mounts", true },
		{ "pid", "own process numbers", false },
		{ "ipc", "own System V IPC", false },
		{ "user", "own user numbers", false },
		{ "net", "no network", false },
	};

	for (size_t i = 0; i < sizeof(ns) / sizeof(ns[0]); i++) {
		line(r, ns[i].required, other_namespace(r->pid, ns[i].name), ns[i].what,
		     "ns/%s differs from ours", ns[i].name);
	}
}

/* ---- root directory ---- */

static bool allowed_in_root(const char *name)
{
	static const char *const known[] = { ".",   "..",   "usr",  "lib", "lib64", "bin",
					     "sbin", "boot", "dev", "etc", "proc",  "run" };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(name, known[i]) == 0) {
			return true;
		}
	}
	return false;
}

/* Entries of root/NAME; -1: it is a link that leads nowhere, or not there. */
static int count_entries(pid_t pid, const char *name)
{
	char path[96];
	int nr = 0;

	snprintf(path, sizeof(path), "/proc/%d/root/%s", (int)pid, name);
	DIR *dir = opendir(path);
	if (dir == NULL) {
		return -1;
	}
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		nr += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	}
	closedir(dir);
	return nr;
}

static void check_root(struct report *r)
{
	char path[64], odd[64] = "";
	static const char *const empty[] = { "usr", "dev", "proc", "boot" };

	snprintf(path, sizeof(path), "/proc/%d/root", (int)r->pid);
	DIR *dir = opendir(path);
	for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
		if (!allowed_in_root(e->d_name)) {
			snprintf(odd, sizeof(odd), "%.60s", e->d_name);
		}
	}
	if (dir != NULL) {
		closedir(dir);
	}
	line(r, true, dir != NULL && odd[0] == '\0', "root of its own", "root/ holds %s",
	     odd[0] ? odd : "only what the sandbox made");
	for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
		int nr = count_entries(r->pid, empty[i]);
		char what[32];

		snprintf(what, sizeof(what), "empty /%s", empty[i]);
		line(r, true, nr <= 0, what, "root/%s has %d entries", empty[i], nr < 0 ? 0 : nr);
	}
}

/* ---- limits and descriptors ---- */

static void check_limit(struct report *r, const char *limits, const char *name, unsigned long max)
{
	const char *at = strstr(limits, name);
	char *end = NULL;
	unsigned long hard = 0;
	bool holds = false;

	if (at != NULL) {
		at += strlen(name);
		strtoul(at, &end, 10);
		/* "unlimited" is no number: end does not move. */
		holds = end != at;
		at = end;
		hard = holds ? strtoul(at, &end, 10) : 0;
		holds = holds && end != at && hard <= max;
	}
	line(r, true, holds, name, "limits: at most %lu (want %lu)", hard, max);
}

static void check_limits(struct report *r)
{
	char limits[4096];

	if (read_proc(r->pid, "limits", limits, sizeof(limits)) < 0) {
		limits[0] = '\0';
	}
	check_limit(r, limits, "Max core file size", 0);
	check_limit(r, limits, "Max open files", 1024);
	check_limit(r, limits, "Max processes", 512);
}

/* Directories are the way out of a root; nothing that QEMU holds may be one. */
static void check_descriptors(struct report *r)
{
	char path[64], name[352];
	unsigned int nr = 0, directories = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)r->pid);
	DIR *dir = opendir(path);
	for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
		struct stat st;

		snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
		if (e->d_name[0] != '.' && stat(name, &st) == 0) {
			nr++;
			directories += S_ISDIR(st.st_mode);
		}
	}
	if (dir != NULL) {
		closedir(dir);
	}
	line(r, true, dir != NULL && directories == 0, "no open directories",
	     "fd: %u descriptors, %u directories", nr, directories);
}

/* A group of ours, with limits that are numbers. */
static void check_cgroup(struct report *r)
{
	char text[512], path[640], memory[32] = "?";
	const char *group = "?";

	if (read_proc(r->pid, "cgroup", text, sizeof(text)) == 0 && strncmp(text, "0::/", 4) == 0) {
		text[strcspn(text, "\n")] = '\0';
		group = text + 3;
		snprintf(path, sizeof(path), "/sys/fs/cgroup%s/memory.max", group);
		FILE *f = fopen(path, "re");
		if (f != NULL) {
			if (fgets(memory, sizeof(memory), f) == NULL) {
				memory[0] = '\0';
			}
			fclose(f);
		}
	}
	memory[strcspn(memory, "\n")] = '\0';
	line(r, false, memory[0] >= '0' && memory[0] <= '9', "limited memory", "cgroup: %.100s, memory.max %s",
	     group, memory);
}

/* The hypervisor's restriction leaves no trace in /proc but the argument that asks for it. */
static void check_domid(struct report *r)
{
	char args[65536];
	static const char option[] = "-xen-domid-restrict";

	snprintf(args, sizeof(args), "/proc/%d/cmdline", (int)r->pid);
	FILE *f = fopen(args, "re");
	size_t n = f ? fread(args, 1, sizeof(args), f) : 0;
	if (f) {
		fclose(f);
	}
	line(r, false, memmem(args, n, option, sizeof(option)) != NULL, "hypervisor: one domain",
	     "cmdline: %s", option);
}

int sandbox_check(pid_t pid, FILE *to)
{
	struct report r = { .to = to, .pid = pid };
	struct sandbox_check_status st;
	char text[8192];
	int rc = read_proc(pid, "status", text, sizeof(text));

	if (rc < 0) {
		return rc == -ENOENT ? -ESRCH : rc;
	}
	sandbox_check_parse(text, &st);
	if (!st.complete) {
		return -EPROTO;
	}
	check_status(&r, &st);
	check_namespaces(&r);
	check_root(&r);
	check_limits(&r);
	check_descriptors(&r);
	check_cgroup(&r);
	check_domid(&r);
	return r.missing;
}
