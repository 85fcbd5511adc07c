/*
 * toolstack/life.c: the verdict for every way of ending and every action; no restart loops.
 */
#include <check.h>
#include <stdlib.h>
#include <xen/xen.h>
#include <xen/sched.h>

#include "tests/fake/suite.h"
#include "toolstack/life.h"

static struct guest_config cfg;

static void setup(void)
{
	cfg = (struct guest_config){
		.on_poweroff = CONFIG_ACTION_DESTROY,
		.on_reboot = CONFIG_ACTION_RESTART,
		.on_crash = CONFIG_ACTION_PRESERVE,
	};
}

START_TEST(test_codes)
{
	ck_assert_int_eq(life_kind_of_code(SHUTDOWN_poweroff), LIFE_POWEROFF);
	ck_assert_int_eq(life_kind_of_code(SHUTDOWN_reboot), LIFE_REBOOT);
	ck_assert_int_eq(life_kind_of_code(SHUTDOWN_suspend), LIFE_SUSPEND);
	ck_assert_int_eq(life_kind_of_code(SHUTDOWN_crash), LIFE_CRASH);
	ck_assert_int_eq(life_kind_of_code(SHUTDOWN_watchdog), LIFE_WATCHDOG);
	ck_assert_int_eq(life_kind_of_code(SHUTDOWN_soft_reset), LIFE_SOFT_RESET);
	ck_assert_int_eq(life_kind_of_code(77), LIFE_CRASH);
}
END_TEST

START_TEST(test_each_has_its_action)
{
	ck_assert_int_eq(life_decide(&cfg, LIFE_POWEROFF, 0), LIFE_DO_DESTROY);
	ck_assert_int_eq(life_decide(&cfg, LIFE_REBOOT, 0), LIFE_DO_RESTART);
	ck_assert_int_eq(life_decide(&cfg, LIFE_SOFT_RESET, 0), LIFE_DO_RESTART);
	ck_assert_int_eq(life_decide(&cfg, LIFE_CRASH, 100), LIFE_DO_PRESERVE);
	ck_assert_int_eq(life_decide(&cfg, LIFE_WATCHDOG, 100), LIFE_DO_PRESERVE);
	ck_assert_int_eq(life_decide(&cfg, LIFE_DM_DIED, 100), LIFE_DO_PRESERVE);
	ck_assert_int_eq(life_decide(&cfg, LIFE_SUSPEND, 100), LIFE_DO_NOTHING);
	ck_assert_int_eq(life_decide(&cfg, LIFE_GONE, 100), LIFE_DO_NOTHING);
	cfg.on_poweroff = CONFIG_ACTION_RENAME_RESTART;
	ck_assert_int_eq(life_decide(&cfg, LIFE_POWEROFF, 0), LIFE_DO_RENAME_RESTART);
}
END_TEST

START_TEST(test_no_crash_loop)
{
	cfg.on_crash = CONFIG_ACTION_RESTART;
	ck_assert_int_eq(life_decide(&cfg, LIFE_CRASH, LIFE_RESTART_MIN_SECONDS), LIFE_DO_RESTART);
	ck_assert_int_eq(life_decide(&cfg, LIFE_CRASH, LIFE_RESTART_MIN_SECONDS - 1),
			 LIFE_DO_DESTROY);
	ck_assert_int_eq(life_decide(&cfg, LIFE_DM_DIED, 0), LIFE_DO_DESTROY);
	cfg.on_crash = CONFIG_ACTION_RENAME_RESTART;
	ck_assert_int_eq(life_decide(&cfg, LIFE_CRASH, 0), LIFE_DO_PRESERVE);
	ck_assert_int_eq(life_decide(&cfg, LIFE_CRASH, 60), LIFE_DO_RENAME_RESTART);
	cfg.on_crash = CONFIG_ACTION_DESTROY;
	ck_assert_int_eq(life_decide(&cfg, LIFE_CRASH, 0), LIFE_DO_DESTROY);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_codes, test_each_has_its_action, test_no_crash_loop,
				      NULL};

	return suite_run("life", setup, tests);
}
