/*
 * The seam on the host: only what code under test calls. A test program (or the fake it links) defines the functions.
 */
#ifndef TESTS_FAKE_HW_FAKE_H
#define TESTS_FAKE_HW_FAKE_H

struct cpu;

/* The CPU that the code under test runs on. */
struct cpu *hw_cpu_base(void);

#endif
