/* console.c and cmdline.c: the ring that readconsole reads, devices, who gets input; options. */
#include <string.h>
#include "core/cmdline.h"
#include "core/console.h"
#include "core/keyhandler.h"
#include "core/log.h"
#include "core/spinlock.h"
#include "core/symtab.h"
#include "core/time.h"
#include "fake/suite.h"

static char shown[4096];
static const char *typed = "";
static char keys[100];
static unsigned int hooks;

/* What console.c and log.c need from below. */
uint64_t spin_lock_irqsave(struct spinlock *l)
{
	ck_assert_uint_eq(l->owner++, 0);
	return 1;
}

void spin_unlock_irqrestore(struct spinlock *l, uint64_t flags)
{
	ck_assert_uint_eq(l->owner--, 1);
}

uint64_t time_now(void)
{
	return 1234567890;
}

bool symtab_name_of(uint64_t addr, char *buf, size_t size)
{
	return false;
}

void keyhandler_press(char key)
{
	keys[strlen(keys)] = key;
}

static void dev_put(const char *text, size_t len)
{
	strncat(shown, text, len);
}

static int dev_get(void)
{
	return *typed ? (unsigned char)*typed++ : -1;
}

static void hook(void)
{
	hooks++;
}

static const struct console_device dev = { .name = "test", .put = dev_put, .get = dev_get };

static void setup(void)
{
	memset(shown, 0, sizeof(shown));
	memset(keys, 0, sizeof(keys));
	hooks = 0;
	console_input_hook = hook;
}

static void type(const char *text)
{
	typed = text;
	console_poll();
}

START_TEST(test_output)
{
	char buf[100];
	uint32_t index = 0;

	console_write("before ", 7);
	console_add(&dev);
	log_info("line %d", 1);
	log_warn("line 2\n");
	log_err(" detail");
	log_debug("not shown");
	ck_assert_str_eq(shown, "before [    1.234567] line 1\n[    1.234567] warning: line 2\n[    1.234567]  detail\n");
	ck_assert_uint_eq(console_ring_read(buf, 10, &index), 10);
	ck_assert_mem_eq(buf, shown, 10);
	ck_assert_uint_eq(console_ring_read(buf, sizeof(buf), &index), strlen(shown) - 10);
	ck_assert_uint_eq(index, strlen(shown));
	ck_assert_uint_eq(console_ring_read(buf, sizeof(buf), &index), 0);
	console_remove("test");
	console_write("x", 1);
	ck_assert_uint_eq(index, strlen(shown));
}
END_TEST

/* A reader that fell behind, or has a number from nowhere, gets the oldest text that is left. */
START_TEST(test_wrap)
{
	static char big[300000];
	char buf[16];
	uint32_t index = 5;

	memset(big, 'a', sizeof(big));
	console_write(big, sizeof(big));
	ck_assert_uint_eq(console_ring_read(buf, 1, &index), 1);
	ck_assert_uint_gt(index, 5);
	index = 0xfffffff0;
	ck_assert_uint_eq(console_ring_read(buf, 1, &index), 1);
	ck_assert_uint_lt(index, 400000);
	console_ring_clear();
	ck_assert_uint_eq(console_ring_read(buf, sizeof(buf), &index), 0);
	console_write("new", 3);
	ck_assert_uint_eq(console_ring_read(buf, sizeof(buf), &index), 3);
}
END_TEST

START_TEST(test_input)
{
	char buf[100] = "";

	console_add(&dev);
	ck_assert(console_has_input());
	type("ls\r");
	ck_assert_uint_eq(hooks, 1);
	ck_assert_uint_eq(console_read(buf, 2), 2);
	ck_assert_uint_eq(console_read(buf + 2, sizeof(buf) - 2), 1);
	ck_assert_str_eq(buf, "ls\r");
	/* Three times Ctrl-A: to the hypervisor, and back. */
	type("\1\1\1dm\1x");
	ck_assert_str_eq(keys, "dmx");
	type("\1\1\1y");
	ck_assert_str_eq(keys, "dmx");
	memset(buf, 0, sizeof(buf));
	console_read(buf, sizeof(buf));
	/* Two of the presses were Dom0's before the third came. */
	ck_assert_str_eq(buf, "\1\1y");
	type("");
	ck_assert_uint_eq(hooks, 3);
}
END_TEST

START_TEST(test_cmdline)
{
	cmdline_parse("hv/ostler.elf dom0_mem=512M  console=com2\tloglevel=debug noreboot dom0_max_vcpus=3 max_cpus=0x2");
	ck_assert_uint_eq(cmdline.dom0_mem, 512ull << 20);
	ck_assert_str_eq(cmdline.console, "com2");
	ck_assert_uint_eq(cmdline.loglevel, LOG_DEBUG);
	ck_assert(cmdline.noreboot && cmdline.dom0_max_vcpus == 3 && cmdline.max_cpus == 2);
	ck_assert_str_eq(shown, "");
	cmdline_parse("dom0_mem=2G noreboot=no");
	ck_assert(cmdline.dom0_mem == 2ull << 30 && !cmdline.noreboot);
	cmdline_parse("dom0_mem=100");
	ck_assert_uint_eq(cmdline.dom0_mem, 100ull << 20);
	cmdline_parse("dom0_mem=64K");
	ck_assert_uint_eq(cmdline.dom0_mem, 64ull << 10);
}
END_TEST

START_TEST(test_cmdline_bad)
{
	static const char *const bad[] = { "dom0_mem=", "dom0_mem=1X", "dom0_mem=1GG", "dom0_mem=99999999999G",
					   "max_cpus=-1", "loglevel=loud", "noreboot=maybe", "nonsense=1" };

	console_add(&dev);
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(shown, 0, sizeof(shown));
		cmdline_parse(bad[i]);
		ck_assert_ptr_nonnull(strstr(shown, "warning: command line:"));
		ck_assert_ptr_nonnull(strstr(shown, bad[i]));
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_output, test_wrap, test_input, test_cmdline, test_cmdline_bad, NULL };

	return suite_run("console", setup, tests);
}
