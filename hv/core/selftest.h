/*
 * Tests that run inside the hypervisor at start-up ("selftest" on the command line): what host tests cannot show.
 */
#ifndef CORE_SELFTEST_H
#define CORE_SELFTEST_H

/* Run all; panics at the first that fails. Boot CPU, all CPUs up. */
void selftest_run(void);

#endif
