/*
 * Checks of the virtual machine from inside, before an operating system depends on it.
 */
#ifndef HVMLOADER_SELFTEST_H
#define HVMLOADER_SELFTEST_H

#include <stdbool.h>

/* Runs the quick tests, and with slow those that take time; prints failures and a count. */
void selftest_run(bool slow);

#endif
