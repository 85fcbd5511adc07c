/* A libcheck program of one suite with one fixture: main() in a line. */
#ifndef TESTS_FAKE_SUITE_H
#define TESTS_FAKE_SUITE_H

#include <check.h>
#include <stdlib.h>

/* As ck_assert, without its system call each time: for loops over many cases. */
#define MUST(c)                                 \
	do {                                    \
		if (!(c)) {                     \
			ck_abort_msg("%s", #c); \
		}                               \
	} while (0)

static inline int suite_run(const char *name, void (*setup)(void), const TTest *const *tests)
{
	Suite *s = suite_create(name);
	TCase *t = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, setup, NULL);
	for (; *tests != NULL; tests++) {
		tcase_add_test(t, *tests);
	}
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
