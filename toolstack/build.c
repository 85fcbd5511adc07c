/*
 * The domain builder: its table of steps and those that talk to the hypervisor. See build.h.
 */
#include "toolstack/build.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xen/hvm/params.h>
#include <xen/io/xs_wire.h>
#include <xen/grant_table.h>

#include "ioreq/private_abi.h"
#include "toolstack/cpuid.h"
#include "toolstack/lib/hvdom.h"
#include "toolstack/lib/hvhost.h"
#include "toolstack/lib/rundir.h"

#define BUILD_SEABIOS  "/usr/share/seabios/bios-256k.bin"
#define BUILD_MAX_FILE (64u << 20)
/*
 * Frames QEMU and hvmloader add beyond RAM and video memory: special pages, ACPI tables, one VGA
 * ROM.
 */
#define BUILD_SLACK_KIB 1024
/* One boot ROM for each network card. */
#define BUILD_NIC_SLACK_KIB 512
/* Nested page tables: measured need is below one page for each MiB plus these for each vCPU. */
#define BUILD_POOL_PER_VCPU  256
#define BUILD_STORE_DOMID    0
#define BUILD_START_INFO_MAX 4096

/* The first reason given is the one that counts: those above it know less. */
int build_fail(struct build *b, int rc, const char *fmt, ...)
{
	va_list args;
	size_t at;

	if (b->error[0] != '\0') {
		return rc;
	}
	va_start(args, fmt);
	vsnprintf(b->error, sizeof(b->error), fmt, args);
	va_end(args);
	at = strlen(b->error);
	snprintf(b->error + at, sizeof(b->error) - at, ": %s", strerror(-rc));
	return rc;
}

int build_fail_text(struct build *b, int rc, const char *text)
{
	if (b->error[0] == '\0') {
		snprintf(b->error, sizeof(b->error), "%s", text);
	}
	return rc;
}

int build_data_path(const char *name, char *out, size_t size)
{
	const char *dir = secure_getenv("OSTLER_DATADIR");
	int n = snprintf(out, size, "%s/%s", dir != NULL ? dir : OSTLER_DATADIR, name);

	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

int build_xml_path(const uint8_t uuid[16], char *out, size_t size)
{
	char text[CONFIG_UUID_LEN];
	int n;

	config_uuid_text(uuid, text);
	n = snprintf(out, size, RUNDIR_BASE "/%s.xml", text);
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

/* RAM the guest starts with: without video memory, which QEMU adds above it. */
static uint64_t build_ram_kib(const struct guest_config *cfg)
{
	return cfg->current_memory_kib - cfg->video_ram_kib;
}

static uint64_t build_slack_kib(const struct guest_config *cfg)
{
	return BUILD_SLACK_KIB + (uint64_t)cfg->nr_nics * BUILD_NIC_SLACK_KIB;
}

static uint64_t build_pool_bytes(const struct guest_config *cfg)
{
	uint64_t pages = (uint64_t)BUILD_POOL_PER_VCPU * cfg->max_vcpus + cfg->memory_kib / 1024;

	return pages * GUESTMEM_PAGE_SIZE;
}

/* ---- steps ---- */

static int build_check_host(struct build *b)
{
	struct hvhost_info host;
	uint64_t need = b->cfg->current_memory_kib + build_slack_kib(b->cfg) +
			build_pool_bytes(b->cfg) / 1024;
	uint64_t have;
	int rc = hvhost_info(b->hv, &host);

	if (rc != 0) {
		return build_fail(b, rc, "cannot ask the hypervisor");
	}
	if (!host.cap_hvm) {
		return build_fail(b, -ENODEV,
				  "the processor cannot run hardware-virtualised guests");
	}
	have = host.free_pages * (GUESTMEM_PAGE_SIZE / 1024);
	if (have < need) {
		return build_fail(b, -ENOMEM, "the guest needs %llu MiB, %llu MiB are free",
				  (unsigned long long)(need / 1024 + 1),
				  (unsigned long long)(have / 1024));
	}
	return 0;
}

/* The whole of a regular file. */
static int build_read_file(struct build *b, const char *path, void **data, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	size_t at = 0;
	int rc = 0;

	if (fd < 0) {
		return build_fail(b, -errno, "cannot open %s", path);
	}
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > BUILD_MAX_FILE) {
		rc = build_fail(b, -EINVAL, "%s is not a file of at most 64 MiB", path);
		goto close_fd;
	}
	*data = malloc((size_t)st.st_size + 1);
	if (*data == NULL) {
		rc = build_fail(b, -ENOMEM, "cannot read %s", path);
		goto close_fd;
	}
	while (at < (size_t)st.st_size) {
		ssize_t got = read(fd, (char *)*data + at, (size_t)st.st_size - at);

		if (got <= 0) {
			rc = build_fail(b, got == 0 ? -EIO : -errno, "cannot read %s", path);
			goto close_fd;
		}
		at += (size_t)got;
	}
	*len = at;
close_fd:
	close(fd);
	return rc;
}

static int build_read_images(struct build *b)
{
	char path[512];
	int rc = 0;

	if (b->cfg->loader != NULL) {
		snprintf(path, sizeof(path), "%s", b->cfg->loader);
	} else {
		rc = build_data_path("hvmloader", path, sizeof(path));
	}
	if (rc == 0) {
		rc = build_read_file(b, path, &b->loader, &b->loader_len);
	}
	if (rc == 0 && b->cfg->firmware == CONFIG_FW_BIOS) {
		rc = build_read_file(b, BUILD_SEABIOS, &b->firmware, &b->firmware_len);
	}
	if (rc != 0) {
		return rc;
	}
	rc = build_layout_make(build_ram_kib(b->cfg), &b->layout);
	if (rc != 0) {
		return build_fail(b, rc, "cannot lay out %llu KiB of memory",
				  (unsigned long long)build_ram_kib(b->cfg));
	}
	rc = build_image_parse(b->loader, b->loader_len, b->layout.low_end, &b->image);
	if (rc != 0) {
		return build_fail(
			b, rc, "%s is not an ELF image for 32-bit x86 that fits the guest", path);
	}
	return 0;
}

static void build_free_images(struct build *b)
{
	free(b->loader);
	free(b->firmware);
	b->loader = NULL;
	b->firmware = NULL;
}

static int build_create(struct build *b)
{
	struct hvdom_create what = {.max_vcpus = b->cfg->max_vcpus};
	int rc;

	memcpy(what.uuid, b->cfg->uuid, sizeof(what.uuid));
	rc = hvdom_create(b->hv, &what, &b->domid);
	return rc == 0 ? 0 : build_fail(b, rc, "cannot create the domain");
}

/* Before xenstored is told, for the reason given in domain_destroy(); fine when it never was. */
static void build_create_undo(struct build *b)
{
	hvdom_destroy(b->hv, b->domid);
	store_release(b->st, b->domid);
}

static int64_t build_time_offset(const struct guest_config *cfg)
{
	time_t now = time(NULL);
	struct tm local;

	if (cfg->clock == CONFIG_CLOCK_VARIABLE) {
		return cfg->clock_adjustment;
	}
	if (cfg->clock == CONFIG_CLOCK_LOCALTIME && localtime_r(&now, &local) != NULL) {
		return local.tm_gmtoff + cfg->clock_adjustment;
	}
	return 0;
}

static int build_limits(struct build *b)
{
	static const uint32_t tsc_modes[] = {
		[CONFIG_TSC_AUTO] = 0,
		[CONFIG_TSC_EMULATE] = 1,
		[CONFIG_TSC_NATIVE] = 2,
		[CONFIG_TSC_PARAVIRT] = 3,
	};
	int64_t offset = build_time_offset(b->cfg);
	int rc = hvdom_max_vcpus(b->hv, b->domid, b->cfg->max_vcpus);

	if (rc != 0) {
		return build_fail(b, rc, "cannot give the domain %u vCPUs", b->cfg->max_vcpus);
	}
	if (b->cfg->topology.sockets != 0) {
		rc = hvdom_param_set(b->hv, b->domid, PRIVATE_HVM_PARAM_TOPOLOGY,
				     b->cfg->topology.threads | b->cfg->topology.cores << 16);
		if (rc != 0) {
			return build_fail(b, rc,
					  "the hypervisor refuses the CPU topology (line %u)",
					  b->cfg->where.topology.line);
		}
	}
	rc = hvdom_max_mem(b->hv, b->domid, b->cfg->memory_kib + build_slack_kib(b->cfg));
	if (rc != 0) {
		return build_fail(b, rc, "cannot set the memory limit");
	}
	/* A hypervisor without such a pool needs none. */
	rc = hvdom_paging_pool(b->hv, b->domid, build_pool_bytes(b->cfg));
	if (rc != 0 && rc != -ENOSYS && rc != -EOPNOTSUPP) {
		return build_fail(b, rc, "cannot reserve memory for page tables");
	}
	rc = hvdom_tsc_mode(b->hv, b->domid, tsc_modes[b->cfg->tsc_mode], b->cfg->tsc_khz);
	if (rc == -EOPNOTSUPP && b->cfg->tsc_khz != 0) {
		return build_fail(b, rc, "this processor cannot run a TSC at %u kHz", b->cfg->tsc_khz);
	}
	if (rc != 0 && (rc != -ENOSYS || b->cfg->tsc_mode != CONFIG_TSC_AUTO)) {
		return build_fail(b, rc, "cannot set the TSC mode");
	}
	if (offset != 0) {
		rc = hvdom_time_offset(b->hv, b->domid, offset);
		if (rc != 0) {
			return build_fail(b, rc, "cannot set the clock offset");
		}
	}
	return 0;
}

_Static_assert(sizeof(struct cpuid_leaf) == sizeof(xen_cpuid_leaf_t), "one leaf is six words");

/* Only for documents that name features: the hypervisor's own choice is right for all others. */
static int build_cpu(struct build *b)
{
	xen_cpuid_leaf_t *leaves = NULL;
	const char *missing = NULL;
	uint32_t nr = 0;
	int rc;

	if (b->cfg->nr_cpu_features == 0 && b->cfg->cpu_model == NULL) {
		return 0;
	}
	rc = hvdom_cpuid_get(b->hv, b->domid, &leaves, &nr);
	if (rc != 0) {
		return build_fail(b, rc,
				  "the hypervisor does not tell the guest's CPU features "
				  "(domain/cpu, line %u)",
				  b->cfg->where.cpu.line);
	}
	rc = cpuid_apply(b->cfg, (struct cpuid_leaf *)leaves, nr, &missing);
	if (rc != 0) {
		build_fail(b, rc, "the processor has no feature '%s' (domain/cpu, line %u)", missing,
			   b->cfg->where.cpu.line);
	} else {
		rc = hvdom_cpuid_set(b->hv, b->domid, leaves, nr);
		if (rc != 0) {
			build_fail(b, rc,
				   "the hypervisor refuses to change the guest's CPU features "
				   "(domain/cpu, line %u)",
				   b->cfg->where.cpu.line);
		}
	}
	free(leaves);
	return rc;
}

static int build_memory(struct build *b)
{
	const struct guestmem_run special = {BUILD_SPECIAL_GFN, BUILD_SPECIAL_COUNT};
	uint32_t ident[1024];
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < b->layout.nr_runs; i++) {
		rc = guestmem_populate(b->hv, b->domid, &b->layout.runs[i]);
	}
	if (rc == 0) {
		rc = guestmem_populate(b->hv, b->domid, &special);
	}
	if (rc != 0) {
		return build_fail(b, rc, "cannot give the guest its memory");
	}
	rc = guestmem_set_map(b->hv, b->domid, b->layout.e820, b->layout.nr_e820);
	if (rc != 0) {
		return build_fail(b, rc, "cannot set the memory map");
	}
	rc = guestmem_clear(b->hv, b->domid, special.gfn, special.count);
	if (rc == 0) {
		build_ident_pt(ident);
		rc = guestmem_write(b->hv, b->domid,
				    (uint64_t)BUILD_GFN_IDENT_PT << GUESTMEM_PAGE_SHIFT, ident,
				    sizeof(ident));
	}
	return rc == 0 ? 0 : build_fail(b, rc, "cannot write the special pages");
}

static int build_channels(struct build *b)
{
	int rc = hvdom_evtchn_alloc(b->hv, b->domid, BUILD_STORE_DOMID, &b->store_port);

	if (rc == 0) {
		rc = hvdom_evtchn_alloc(b->hv, b->domid, BUILD_STORE_DOMID, &b->console_port);
	}
	if (rc != 0) {
		return build_fail(b, rc, "cannot allocate event channels");
	}
	rc = guestmem_grant(b->hv, b->domid, GNTTAB_RESERVED_CONSOLE, BUILD_STORE_DOMID,
			    BUILD_GFN_CONSOLE);
	if (rc == 0) {
		rc = guestmem_grant(b->hv, b->domid, GNTTAB_RESERVED_XENSTORE, BUILD_STORE_DOMID,
				    BUILD_GFN_STORE);
	}
	return rc == 0 ? 0 : build_fail(b, rc, "cannot write the first grants");
}

/*
 * HVM_PARAM_TIMER_MODE: the mode for all timers, and above bit 8 four bits for each with a policy of its own. A
 * hypervisor that knows the first part only must not be given the second.
 */
static uint64_t build_timer_mode(const struct guest_config *cfg)
{
	enum config_tick all = cfg->tick[CONFIG_TIMER_PLATFORM];
	uint64_t mode = (all == CONFIG_TICK_DEFAULT ? CONFIG_TICK_CATCHUP : all) - CONFIG_TICK_DELAY;

	for (unsigned int i = 0; i < CONFIG_TIMER_PLATFORM; i++) {
		mode |= (uint64_t)cfg->tick[i] << (8 + 4 * i);
	}
	return mode;
}

struct build_param {
	uint32_t index;
	uint64_t value;
	bool optional; /* a hypervisor that does not know it does not need it */
};

static int build_params(struct build *b)
{
	const uint64_t timer_mode = build_timer_mode(b->cfg);
	const struct build_param params[] = {
		{HVM_PARAM_HPET_ENABLED, b->cfg->hpet, false},
		{HVM_PARAM_TIMER_MODE, timer_mode, timer_mode <= CONFIG_TICK_MERGE},
		{HVM_PARAM_VPT_ALIGN, 1, true},
		{HVM_PARAM_STORE_PFN, BUILD_GFN_STORE, false},
		{HVM_PARAM_STORE_EVTCHN, b->store_port, false},
		{HVM_PARAM_CONSOLE_PFN, BUILD_GFN_CONSOLE, false},
		{HVM_PARAM_CONSOLE_EVTCHN, b->console_port, false},
		{HVM_PARAM_IDENT_PT, (uint64_t)BUILD_GFN_IDENT_PT << GUESTMEM_PAGE_SHIFT, true},
		{HVM_PARAM_IOREQ_PFN, BUILD_GFN_IOREQ, true},
		{HVM_PARAM_BUFIOREQ_PFN, BUILD_GFN_BUFIOREQ, true},
		{HVM_PARAM_PAGING_RING_PFN, BUILD_GFN_PAGING, true},
		{HVM_PARAM_MONITOR_RING_PFN, BUILD_GFN_ACCESS, true},
		{HVM_PARAM_SHARING_RING_PFN, BUILD_GFN_SHARING, true},
		{HVM_PARAM_IOREQ_SERVER_PFN, BUILD_GFN_IOREQ_POOL, true},
		{HVM_PARAM_NR_IOREQ_SERVER_PAGES, 8, true},
	};
	int rc;

	for (size_t i = 0; i < sizeof(params) / sizeof(params[0]); i++) {
		rc = hvdom_param_set(b->hv, b->domid, params[i].index, params[i].value);
		if (rc != 0 && !params[i].optional) {
			return build_fail(b, rc, "cannot set HVM parameter %u", params[i].index);
		}
	}
	if (b->cfg->viridian != 0) {
		rc = hvdom_param_set(b->hv, b->domid, HVM_PARAM_VIRIDIAN, b->cfg->viridian);
		if (rc != 0) {
			return build_fail(
				b, rc,
				"the hypervisor refuses the Hyper-V features of the document "
				"(domain/features/hyperv, line %u)",
				b->cfg->where.hyperv.line);
		}
	}
	return 0;
}

/*
 * The image, and zeroes where its file ends before its memory does (fresh RAM may hold anything).
 */
static int build_load_image(struct build *b)
{
	static const uint8_t zero[GUESTMEM_PAGE_SIZE];
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < b->image.nr_segments; i++) {
		const struct build_segment *seg = &b->image.segments[i];
		uint64_t at = seg->gpa + seg->filesz;
		uint64_t end = seg->gpa + seg->memsz;

		rc = guestmem_write(b->hv, b->domid, seg->gpa,
				    (const uint8_t *)b->loader + seg->offset, seg->filesz);
		while (rc == 0 && at < end) {
			uint64_t n = end - at < sizeof(zero) ? end - at : sizeof(zero);

			rc = guestmem_write(b->hv, b->domid, at, zero, n);
			at += n;
		}
	}
	return rc;
}

static int build_load(struct build *b)
{
	struct build_start start = {
		.cmdline = b->cfg->firmware == CONFIG_FW_IMAGE ? b->cfg->cmdline : NULL,
		.e820 = b->layout.e820,
		.nr_e820 = b->layout.nr_e820,
	};
	uint8_t block[BUILD_START_INFO_MAX];
	uint64_t at = b->image.end;
	long len;
	int rc = build_load_image(b);

	if (rc == 0 && b->firmware != NULL) {
		start.modules[start.nr_modules++] =
			(struct build_module){at, b->firmware_len, "firmware"};
		if (at + b->firmware_len + BUILD_START_INFO_MAX > b->layout.low_end) {
			return build_fail(b, -ENOMEM,
					  "the firmware does not fit the guest's memory");
		}
		rc = guestmem_write(b->hv, b->domid, at, b->firmware, b->firmware_len);
		at += (b->firmware_len + GUESTMEM_PAGE_SIZE - 1) &
		      ~(uint64_t)(GUESTMEM_PAGE_SIZE - 1);
	}
	if (rc != 0) {
		return build_fail(b, rc, "cannot write the loader into the guest");
	}
	start.gpa = at;
	len = build_start_info(&start, block, sizeof(block));
	rc = len < 0 ? (int)len : guestmem_write(b->hv, b->domid, at, block, (size_t)len);
	if (rc != 0) {
		return build_fail(b, rc, "cannot write the start information");
	}
	b->start_info = at;
	len = build_hvm_info(&b->layout, b->cfg->max_vcpus, b->cfg->vcpus, b->cfg->apic, block,
			     sizeof(block));
	rc = len < 0 ? (int)len
		     : guestmem_write(b->hv, b->domid, BUILD_HVM_INFO_GPA, block, (size_t)len);
	return rc == 0 ? 0 : build_fail(b, rc, "cannot write the HVM information table");
}

static int build_vcpu(struct build *b)
{
	int rc = hvdom_start_state(b->hv, b->domid, b->image.entry, (uint32_t)b->start_info);

	return rc == 0 ? 0 : build_fail(b, rc, "cannot set the first vCPU's start state");
}

static int build_introduce(struct build *b)
{
	int rc = store_introduce(b->st, b->domid, BUILD_GFN_STORE, b->store_port);

	return rc == 0 ? 0 : build_fail(b, rc, "xenstored does not take the guest in");
}

/* The run-time directory, and the document a restart will use. */
static int build_files(struct build *b)
{
	char path[128];
	int rc = rundir_make(b->domid);
	FILE *f;

	if (rc == 0) {
		rc = build_xml_path(b->cfg->uuid, path, sizeof(path));
	}
	if (rc != 0) {
		return build_fail(b, rc, "cannot make " RUNDIR_BASE "/%u", b->domid);
	}
	if (b->opts.xml_text == NULL) {
		return 0;
	}
	f = fopen(path, "we");
	if (f == NULL) {
		return build_fail(b, -errno, "cannot write %s", path);
	}
	/* The document may hold a VNC password. */
	if (fchmod(fileno(f), 0600) != 0 ||
	    fwrite(b->opts.xml_text, 1, b->opts.xml_len, f) != b->opts.xml_len) {
		rc = errno != 0 ? -errno : -EIO;
	}
	if (fclose(f) != 0 && rc == 0) {
		rc = -errno;
	}
	return rc == 0 ? 0 : build_fail(b, rc, "cannot write %s", path);
}

static void build_files_undo(struct build *b)
{
	char path[128];

	rundir_remove(b->domid);
	if (b->opts.xml_text != NULL && build_xml_path(b->cfg->uuid, path, sizeof(path)) == 0) {
		unlink(path);
	}
}

static int build_go(struct build *b)
{
	int rc;

	if (b->opts.paused) {
		return 0;
	}
	rc = hvdom_unpause(b->hv, b->domid);
	return rc == 0 ? 0 : build_fail(b, rc, "cannot unpause the domain");
}

struct build_step {
	const char *what;
	int (*run)(struct build *b);
	void (*undo)(struct build *b); /* of this step, run when a later one fails */
};

static const struct build_step build_steps[] = {
	{"asking the hypervisor", build_check_host, NULL},
	{"reading the firmware", build_read_images, NULL},
	{"creating the domain", build_create, build_create_undo},
	{"setting its limits", build_limits, NULL},
	{"scheduling", build_sched, NULL},
	{"CPU features", build_cpu, NULL},
	{"giving it memory", build_memory, NULL},
	{"event channels and grants", build_channels, NULL},
	{"parameters", build_params, NULL},
	{"loading the firmware", build_load, NULL},
	{"the first vCPU", build_vcpu, NULL},
	{"files", build_files, build_files_undo},
	{"xenstore", build_store_write, build_store_undo},
	{"introducing the guest to xenstored", build_introduce, NULL},
	{"starting the device model", build_dm_start, build_dm_undo},
	{"starting the guest", build_go, NULL},
};

#define BUILD_NR_STEPS (sizeof(build_steps) / sizeof(build_steps[0]))

int build_guest(struct build *b)
{
	unsigned int done;
	int rc = 0;

	for (done = 0; done < BUILD_NR_STEPS; done++) {
		if (b->opts.progress != NULL) {
			b->opts.progress(b->opts.progress_arg, done, BUILD_NR_STEPS,
					 build_steps[done].what);
		}
		rc = build_steps[done].run(b);
		if (rc != 0) {
			build_fail(b, rc, "%s", build_steps[done].what);
			break;
		}
	}
	build_free_images(b);
	if (rc == 0) {
		return 0;
	}
	while (done-- != 0) {
		if (build_steps[done].undo != NULL) {
			build_steps[done].undo(b);
		}
	}
	return rc;
}
