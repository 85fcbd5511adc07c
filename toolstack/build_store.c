/*
 * A new guest's nodes in xenstore, written in one transaction, and their removal. See build.h.
 *
 * The tree is the one PV drivers, hvmloader and QEMU of the Xen world look for; below /ostler is
 * our own.
 */
#include "toolstack/build.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "toolstack/lib/rundir.h"

/* Every guest that is made at the same time can undo a transaction: seconds of tries in all. */
#define BUILD_STORE_TRIES  400
#define BUILD_STORE_NAP_MS 50 /* at most; a random part of it, or those who met would meet again */

/* Nodes that a guest may only read, by name under its directory: value or directory. */
struct build_node {
	const char *name;
	const char *value; /* NULL: a directory */
};

static const struct build_node build_ro_nodes[] = {
	{"cpu", NULL},
	{"memory", NULL},
	{"device", NULL},
	{"control", NULL},
	{"hvmloader", NULL},
	{"platform", NULL},
	{"store", NULL},
	{"console", NULL},
	{"serial", NULL},
	{"image", NULL},
	{"control/platform-feature-multiprocessor-suspend", "1"},
	{"control/platform-feature-xs_reset_watches", "1"},
	{"hvmloader/bios", "seabios"},
	{"hvmloader/allow-memory-relocate", "0"},
	{"platform/acpi_s3", "1"},
	{"platform/acpi_s4", "1"},
	{"platform/acpi_laptop_slate", "0"},
	{"platform/device-model", "qemu_xen"},
};

/* Nodes that belong to the guest. */
static const char *const build_rw_nodes[] = {
	"device/suspend/event-channel",
	"control/shutdown",
	"control/feature-poweroff",
	"control/feature-reboot",
	"control/feature-suspend",
	"control/feature-s3",
	"control/feature-s4",
	"control/sysrq",
	"data",
	"drivers",
	"feature",
	"attr",
	"error",
};

#define BUILD_COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* "<base>/<name>" in a buffer of the caller. */
static const char *build_node_path(char *out, size_t size, const char *base, const char *name)
{
	snprintf(out, size, "%s/%s", base, name);
	return out;
}

static void build_store_fixed(struct build *b, const char *base)
{
	char path[STORE_PATH_MAX];

	for (size_t i = 0; i < BUILD_COUNT(build_ro_nodes); i++) {
		const struct build_node *n = &build_ro_nodes[i];

		build_node_path(path, sizeof(path), base, n->name);
		if (n->value == NULL) {
			store_mkdir(b->st, path, b->domid, false);
		} else {
			store_write(b->st, path, n->value);
		}
	}
	for (size_t i = 0; i < BUILD_COUNT(build_rw_nodes); i++) {
		store_mkdir(b->st, build_node_path(path, sizeof(path), base, build_rw_nodes[i]),
			    b->domid, true);
	}
}

/* What depends on the configuration. */
static void build_store_values(struct build *b, const char *base, const char *vm)
{
	const struct guest_config *cfg = b->cfg;
	char path[STORE_PATH_MAX];

#define AT(name) build_node_path(path, sizeof(path), base, name)
	store_write(b->st, AT("vm"), vm);
	store_write(b->st, AT("name"), cfg->name);
	store_writef(b->st, AT("domid"), "%u", b->domid);
	store_writef(b->st, AT("memory/static-max"), "%llu", (unsigned long long)cfg->memory_kib);
	store_writef(b->st, AT("memory/target"), "%llu",
		     (unsigned long long)(cfg->current_memory_kib - cfg->video_ram_kib));
	store_writef(b->st, AT("memory/videoram"), "%u", cfg->video_ram_kib);
	store_writef(b->st, AT("store/port"), "%u", b->store_port);
	store_writef(b->st, AT("store/ring-ref"), "%u", (unsigned int)BUILD_GFN_STORE);
	store_writef(b->st, AT("console/port"), "%u", b->console_port);
	store_writef(b->st, AT("console/ring-ref"), "%u", (unsigned int)BUILD_GFN_CONSOLE);
	store_write(b->st, AT("console/type"), "xenconsoled");
	store_write(b->st, AT("console/output"), "pty");
	store_write(b->st, AT("console/limit"), "1048576");
	store_write(b->st, AT("platform/acpi"), cfg->acpi ? "1" : "0");
	for (unsigned int i = 0; i < cfg->max_vcpus; i++) {
		char name[40];

		snprintf(name, sizeof(name), "cpu/%u/availability", i);
		store_write(b->st, AT(name), i < cfg->vcpus ? "online" : "offline");
	}
#undef AT
}

static void build_store_vm(struct build *b, const char *vm, const char *uuid)
{
	char path[STORE_PATH_MAX];

	store_write(b->st, build_node_path(path, sizeof(path), vm, "uuid"), uuid);
	store_write(b->st, build_node_path(path, sizeof(path), vm, "name"), b->cfg->name);
	store_write(b->st, build_node_path(path, sizeof(path), vm, "image/ostype"), "hvm");
	store_writef(b->st, build_node_path(path, sizeof(path), vm, "start_time"), "%lld",
		     (long long)time(NULL));
	store_writef(b->st, build_node_path(path, sizeof(path), vm, "rtc/timeoffset"), "%lld",
		     (long long)b->cfg->clock_adjustment);
}

static void build_store_own(struct build *b)
{
	char base[64];
	char path[STORE_PATH_MAX];
	char xml[128];

	snprintf(base, sizeof(base), RUNDIR_XS_BASE "/%u", b->domid);
	store_write(b->st, build_node_path(path, sizeof(path), base, RUNDIR_XS_NAME), b->cfg->name);
	store_writef(b->st, build_node_path(path, sizeof(path), base, RUNDIR_XS_START), "%lld",
		     (long long)time(NULL));
	if (build_xml_path(b->cfg->uuid, xml, sizeof(xml)) == 0) {
		store_write(b->st, build_node_path(path, sizeof(path), base, RUNDIR_XS_XML), xml);
	}
}

static int build_store_once(struct build *b)
{
	char base[64];
	char vm[64];
	char dm[64];
	char uuid[CONFIG_UUID_LEN];
	int rc = store_begin(b->st);

	if (rc != 0) {
		return rc;
	}
	config_uuid_text(b->cfg->uuid, uuid);
	snprintf(base, sizeof(base), "/local/domain/%u", b->domid);
	snprintf(vm, sizeof(vm), "/vm/%s", uuid);
	snprintf(dm, sizeof(dm), "/local/domain/0/device-model/%u", b->domid);
	/* Leftovers of an earlier domain with this id would be believed. */
	store_remove(b->st, base);
	store_remove(b->st, dm);
	store_mkdir(b->st, base, b->domid, false);
	store_mkdir(b->st, dm, b->domid, false);
	build_store_fixed(b, base);
	build_store_values(b, base, vm);
	build_store_vm(b, vm, uuid);
	build_store_own(b);
	return store_end(b->st, true);
}

int build_store_write(struct build *b)
{
	unsigned int seed = b->domid; /* another one for each that is made now */
	int rc = -EAGAIN;

	for (unsigned int i = 0; rc == -EAGAIN && i < BUILD_STORE_TRIES; i++) {
		if (i > 0) {
			usleep(1000 * ((unsigned int)rand_r(&seed) % (i < BUILD_STORE_NAP_MS ? i : BUILD_STORE_NAP_MS)));
		}
		rc = build_store_once(b);
	}
	return rc == 0 ? 0 : build_fail(b, rc, "cannot write the guest's xenstore nodes");
}

int build_store_remove(struct store *st, uint32_t domid, const uint8_t uuid[16])
{
	static const char *const bases[] = {
		"/local/domain/0/device-model",
		"/local/domain",
		RUNDIR_XS_BASE,
	};
	char path[STORE_PATH_MAX];
	char text[CONFIG_UUID_LEN];
	int first = 0;
	int rc;

	for (unsigned int i = 0; i < BUILD_COUNT(bases); i++) {
		snprintf(path, sizeof(path), "%s/%u", bases[i], domid);
		rc = store_remove(st, path);
		first = first != 0 ? first : rc;
	}
	config_uuid_text(uuid, text);
	snprintf(path, sizeof(path), "/vm/%s", text);
	rc = store_remove(st, path);
	return first != 0 ? first : rc;
}

void build_store_undo(struct build *b)
{
	build_store_remove(b->st, b->domid, b->cfg->uuid);
}
