/*
 * toolstack/build.c with a scripted hypervisor: the n-th call fails, for every n. Whatever failed,
 * the
 * domain is destroyed exactly when it was created, xenstored forgets it, its nodes, files and
 * device model
 * are gone, and the reason is said.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fake/suite.h"
#include "toolstack/build.h"
#include "toolstack/lib/hvdom.h"
#include "toolstack/lib/hvhost.h"
#include "toolstack/lib/hvsched.h"
#include "toolstack/lib/rundir.h"

static struct {
	int calls;
	int fail_at; /* number of the call that fails, from 1; 0: none */
	bool created, introduced, nodes, files, dm, running;
	uint64_t populated; /* frames */
	char last[32];
} fake;

static int step(const char *name)
{
	snprintf(fake.last, sizeof(fake.last), "%s", name);
	return ++fake.calls == fake.fail_at ? -EIO : 0;
}

int hvhost_info(struct hvcall *hv, struct hvhost_info *info)
{
	memset(info, 0, sizeof(*info));
	info->cap_hvm = true;
	info->free_pages = 1 << 20;
	return step("hvhost_info");
}

int hvdom_create(struct hvcall *hv, const struct hvdom_create *what, uint32_t *domid)
{
	int rc = step("hvdom_create");

	fake.created = rc == 0;
	*domid = 7;
	return rc;
}

int hvdom_destroy(struct hvcall *hv, uint32_t domid)
{
	ck_assert_uint_eq(domid, 7);
	ck_assert(fake.created);
	ck_assert(!fake.dm); /* its device model is ended before it */
	fake.created = false;
	return 0;
}

int hvdom_unpause(struct hvcall *hv, uint32_t domid)
{
	int rc = step("hvdom_unpause");

	fake.running = rc == 0;
	return rc;
}

#define FAKE(name, ...)                                                                            \
	int name(struct hvcall *hv, uint32_t domid, __VA_ARGS__)                                   \
	{                                                                                          \
		ck_assert(fake.created);                                                           \
		return step(#name);                                                                \
	}

FAKE(hvdom_max_vcpus, unsigned int vcpus)
FAKE(hvdom_max_mem, uint64_t kib)
FAKE(hvdom_paging_pool, uint64_t bytes)
FAKE(hvdom_tsc_mode, uint32_t mode, uint32_t khz)
FAKE(hvdom_time_offset, int64_t seconds)

int hvsched_set(struct hvcall *hv, uint32_t domid, unsigned int weight, unsigned int cap)
{
	/* Half a CPU for each of two vCPUs. */
	ck_assert_uint_eq(weight, 512);
	ck_assert_uint_eq(cap, 100);
	return step("hvsched_set");
}

int hvsched_pin(struct hvcall *hv, uint32_t domid, unsigned int vcpu, const uint64_t *hard, const uint64_t *soft)
{
	ck_assert_uint_eq(*hard, vcpu == 0 ? 1 : 2);
	ck_assert_ptr_null(soft);
	return step("hvsched_pin");
}

FAKE(hvdom_start_state, uint32_t entry, uint32_t ebx)
FAKE(guestmem_set_map, const struct guestmem_e820 *map, unsigned int nr)
FAKE(guestmem_write, uint64_t gpa, const void *data, size_t len)
FAKE(guestmem_clear, uint64_t gfn, uint64_t count)
FAKE(guestmem_grant, uint32_t ref, uint32_t to, uint64_t gfn)

int hvdom_param_set(struct hvcall *hv, uint32_t domid, uint32_t index, uint64_t value)
{
	/* Those that may fail without harm are not what is tested here. */
	return 0;
}

int hvdom_cpuid_get(struct hvcall *hv, uint32_t domid, xen_cpuid_leaf_t **leaves, uint32_t *nr)
{
	return -ENOSYS;
}

int hvdom_cpuid_set(struct hvcall *hv, uint32_t domid, const xen_cpuid_leaf_t *leaves, uint32_t nr)
{
	return -ENOSYS;
}

int guestmem_populate(struct hvcall *hv, uint32_t domid, const struct guestmem_run *run)
{
	fake.populated += run->count;
	return step("guestmem_populate");
}

int hvdom_evtchn_alloc(struct hvcall *hv, uint32_t domid, uint32_t remote, uint32_t *port)
{
	*port = 1;
	return step("hvdom_evtchn_alloc");
}

int store_introduce(struct store *st, uint32_t domid, uint64_t gfn, uint32_t port)
{
	int rc = step("store_introduce");

	fake.introduced = rc == 0;
	return rc;
}

int store_release(struct store *st, uint32_t domid)
{
	/* Dying first: see domain_destroy(). */
	ck_assert(!fake.created);
	fake.introduced = false;
	return 0;
}

int build_store_write(struct build *b)
{
	int rc = step("build_store_write");

	fake.nodes = rc == 0;
	return rc;
}

void build_store_undo(struct build *b)
{
	fake.nodes = false;
}

int build_dm_start(struct build *b)
{
	int rc = step("build_dm_start");

	ck_assert(fake.nodes && fake.files && fake.introduced);
	fake.dm = rc == 0;
	return rc;
}

void build_dm_undo(struct build *b)
{
	fake.dm = false;
}

int rundir_make(uint32_t domid)
{
	int rc = step("rundir_make");

	fake.files = rc == 0;
	return rc;
}

int rundir_remove(uint32_t domid)
{
	fake.files = false;
	return 0;
}

static struct guest_config cfg;
static char loader[64];

/* The smallest image that can be started: one page of code at 1 MiB. */
static void write_loader(void)
{
	static const unsigned char elf[0x58] = {
		0x7f, 'E', 'L', 'F', 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 3, 0, 1, 0, 0, 0,
		0x00, 0x00, 0x10, 0x00, 52, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 52, 0, 32, 0, 1, 0, 0, 0,
		0, 0, 0, 0, /* program header: */ 1, 0, 0, 0, 0x54, 0, 0, 0, 0, 0, 0x10, 0,
		0, 0, 0x10, 0, 4, 0, 0, 0, 0, 0x10, 0, 0, 7, 0, 0, 0, 0, 0x10, 0, 0, 0xf4, 0xf4,
		0xf4, 0xf4,
	};
	int fd;

	strcpy(loader, "/tmp/test_build.XXXXXX");
	fd = mkstemp(loader);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, elf, sizeof(elf)), sizeof(elf));
	close(fd);
}

static void setup(void)
{
	memset(&fake, 0, sizeof(fake));
	memset(&cfg, 0, sizeof(cfg));
	cfg.name = (char *)(uintptr_t)"g";
	cfg.memory_kib = cfg.current_memory_kib = 64 * 1024;
	cfg.video_ram_kib = 16 * 1024;
	cfg.max_vcpus = cfg.vcpus = 2;
	cfg.weight = 512;
	cfg.cpu_quota_us = 50000;
	cfg.cpuset = 1;
	cfg.vcpu_pin[1] = 2;
	cfg.firmware = CONFIG_FW_IMAGE;
	cfg.clock = CONFIG_CLOCK_VARIABLE;
	cfg.clock_adjustment = 5;
	cfg.loader = loader;
}

static int build(struct build *b)
{
	static struct hvcall hv;
	static struct store st;

	*b = (struct build){.hv = &hv, .st = &st, .cfg = &cfg};
	return build_guest(b);
}

START_TEST(test_all_well)
{
	struct build b;

	write_loader();
	ck_assert_msg(build(&b) == 0, "%s", b.error);
	ck_assert(fake.created && fake.introduced && fake.nodes && fake.files && fake.dm &&
		  fake.running);
	ck_assert_uint_eq(b.domid, 7);
	/* 48 MiB without the VGA window, and the special frames. */
	ck_assert_uint_eq(fake.populated, 48 * 256 - 0x20 + 16);
	ck_assert_uint_eq(b.image.entry, 0x100000);
	ck_assert_uint_eq(b.start_info, 0x101000);
	unlink(loader);
}
END_TEST

START_TEST(test_every_failure_is_undone)
{
	struct build b;
	int calls;

	write_loader();
	ck_assert_int_eq(build(&b), 0);
	calls = fake.calls;
	ck_assert_int_gt(calls, 15);
	for (int n = 1; n <= calls; n++) {
		setup();
		fake.fail_at = n;
		ck_assert_msg(build(&b) == -EIO, "call %d: %s", n, fake.last);
		ck_assert_msg(!fake.created, "call %d: %s", n, fake.last);
		ck_assert_msg(!fake.introduced, "call %d: %s", n, fake.last);
		ck_assert(!fake.nodes && !fake.files && !fake.dm && !fake.running);
		ck_assert_msg(b.error[0] != '\0', "call %d: %s", n, fake.last);
		ck_assert_int_eq(fake.calls, n);
	}
	unlink(loader);
}
END_TEST

START_TEST(test_paused_stays_paused)
{
	static struct hvcall hv;
	static struct store st;
	struct build b = {.hv = &hv, .st = &st, .cfg = &cfg, .opts = {.paused = true}};

	write_loader();
	ck_assert_int_eq(build_guest(&b), 0);
	ck_assert(!fake.running);
	unlink(loader);
}
END_TEST

START_TEST(test_bad_loader)
{
	struct build b;

	strcpy(loader, "/nonexistent/hvmloader");
	ck_assert_int_eq(build(&b), -ENOENT);
	ck_assert_str_eq(b.error, "cannot open /nonexistent/hvmloader: No such file or directory");
	strcpy(loader, "/proc/self/exe"); /* 64 bits */
	ck_assert_int_eq(build(&b), -ENOEXEC);
	ck_assert(!fake.created);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_all_well, test_every_failure_is_undone,
				      test_paused_stays_paused, test_bad_loader, NULL};

	return suite_run("build", setup, tests);
}
