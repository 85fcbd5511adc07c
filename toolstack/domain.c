/*
 * Finding and destroying domains. See domain.h.
 */
#include "toolstack/domain.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "toolstack/build.h"
#include "toolstack/config.h"
#include "toolstack/lib/dm_cgroup.h"
#include "toolstack/lib/hvhost.h"
#include "toolstack/lib/rundir.h"

#define DOMAIN_DM_STOP_MS 15000 /* QEMU flushes its images; the supervisor may have to insist */
#define DOMAIN_NAP_MS	  20

char *domain_name(struct store *st, uint32_t domid)
{
	char *name = store_readf(st, "/local/domain/%u/name", domid);

	if (name != NULL && *name != '\0') {
		return name;
	}
	free(name);
	if (domid == 0) {
		return strdup("Domain-0");
	}
	return asprintf(&name, "domain-%u", domid) < 0 ? NULL : name;
}

static bool domain_is_number(const char *text)
{
	return *text != '\0' && strspn(text, "0123456789") == strlen(text) && strlen(text) < 6;
}

/* Does domain `d` go by `who`, a name or (when `uuid` is not NULL) a UUID? */
static bool domain_matches(struct store *st, const struct hvdom_info *d, const char *who,
			   const uint8_t *uuid)
{
	char *name;
	bool hit;

	if (d->dying) {
		return false;
	}
	if (uuid != NULL && memcmp(d->uuid, uuid, sizeof(d->uuid)) == 0) {
		return true;
	}
	name = domain_name(st, d->domid);
	hit = name != NULL && strcmp(name, who) == 0;
	free(name);
	return hit;
}

int domain_find(struct hvcall *hv, struct store *st, const char *who, struct hvdom_info *info)
{
	struct hvdom_info *list;
	uint8_t uuid[16];
	bool is_uuid = config_uuid_parse(who, uuid) == 0;
	size_t nr;
	int rc;

	if (domain_is_number(who)) {
		return hvdom_info(hv, (uint32_t)strtoul(who, NULL, 10), info);
	}
	rc = hvhost_domains(hv, &list, &nr);
	if (rc != 0) {
		return rc;
	}
	rc = -ESRCH;
	for (size_t i = 0; rc != 0 && i < nr; i++) {
		if (domain_matches(st, &list[i], who, is_uuid ? uuid : NULL)) {
			*info = list[i];
			rc = 0;
		}
	}
	free(list);
	return rc;
}

/* Is this process really a supervisor? A pid from an old node may have been given to another. */
static bool domain_is_supervisor(int pid)
{
	char path[64];
	char comm[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	f = fopen(path, "re");
	if (f == NULL) {
		return false;
	}
	if (fgets(comm, sizeof(comm), f) == NULL) {
		comm[0] = '\0';
	}
	fclose(f);
	return strncmp(comm, "ostler-dm", 9) == 0;
}

/*
 * A QEMU whose supervisor did not take it along (it was killed): the domain's memory would stay
 * mapped. It is known by its pid, its program's name, and by not being root's.
 */
static void domain_kill_qemu(struct store *st, uint32_t domid)
{
	char *text = store_readf(st, "/local/domain/%u/image/device-model-pid", domid);
	int pid = text != NULL ? atoi(text) : 0;
	char path[64];
	char comm[32] = "";
	struct stat owner;
	FILE *f;

	free(text);
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	f = pid > 1 ? fopen(path, "re") : NULL;
	if (f == NULL) {
		return;
	}
	if (fgets(comm, sizeof(comm), f) != NULL && strstr(comm, "qemu") != NULL &&
	    fstat(fileno(f), &owner) == 0 && owner.st_uid != 0) {
		kill(pid, SIGKILL);
	}
	fclose(f);
}

/* Ask the supervisor to go; insist after a while. */
static void domain_stop_supervisor(struct store *st, uint32_t domid)
{
	char *text = store_readf(st, RUNDIR_XS_BASE "/%u/" RUNDIR_XS_DM_PID, domid);
	int pid = text != NULL ? atoi(text) : 0;

	free(text);
	if (pid <= 1 || pid == getpid() || !domain_is_supervisor(pid)) {
		return;
	}
	kill(pid, SIGTERM);
	for (int ms = 0; ms < DOMAIN_DM_STOP_MS; ms += DOMAIN_NAP_MS) {
		struct timespec nap = {.tv_nsec = DOMAIN_NAP_MS * 1000 * 1000};

		if (!domain_is_supervisor(pid)) {
			return;
		}
		nanosleep(&nap, NULL);
	}
	kill(pid, SIGKILL);
}

int domain_stop_dm(struct store *st, uint32_t domid)
{
	domain_stop_supervisor(st, domid);
	domain_kill_qemu(st, domid);
	/* What a killed supervisor leaves as well. */
	dm_cgroup_remove(DM_CGROUP_BASE, domid);
	return 0;
}

static void domain_remove_xml(const uint8_t uuid[16])
{
	char path[128];

	if (build_xml_path(uuid, path, sizeof(path)) == 0) {
		unlink(path);
	}
}

/*
 * Keep the first error of several steps. What is gone already is none: the domain's supervisor, or the "create" that is
 * building it and sees it go, take the same steps at the same time.
 */
static int first_error(int first, int rc)
{
	return first != 0 || rc == -ESRCH || rc == -ENOENT ? first : rc;
}

int domain_destroy(struct hvcall *hv, struct store *st, uint32_t domid, unsigned int flags)
{
	struct hvdom_info info;
	int first = 0, rc = hvdom_info(hv, domid, &info);

	if (rc != 0) {
		return rc;
	}
	/* It must not run on while its devices go away. */
	hvdom_pause(hv, domid);
	if ((flags & DOMAIN_KEEP_DM) == 0) {
		first = first_error(first, domain_stop_dm(st, domid));
	}
	/*
	 * First the hypervisor, then xenstored: its word that a domain was released makes others
	 * look, and
	 * only one that is dying is let go of by those (a console daemon) that have mapped its
	 * pages.
	 */
	first = first_error(first, hvdom_destroy(hv, domid));
	first = first_error(first, store_release(st, domid));
	first = first_error(first, build_store_remove(st, domid, info.uuid));
	first = first_error(first, rundir_remove(domid));
	if ((flags & DOMAIN_KEEP_XML) == 0) {
		domain_remove_xml(info.uuid);
	}
	return first;
}
