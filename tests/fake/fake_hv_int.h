/* What the files of the fake hypervisor share; tests include fake_hv.h only. */
#ifndef FAKE_HV_INT_H
#define FAKE_HV_INT_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define FAKE_FRAMES 8192

/* Not check's: these also work in a fuzzer, and cost nothing while they hold. */
#define fail(...) \
	do { \
		fprintf(stderr, "%s:%d: ", __FILE__, __LINE__); \
		fprintf(stderr, __VA_ARGS__); \
		fputc('\n', stderr); \
		abort(); \
	} while (0)
#define require(c) \
	do { \
		if (!(c)) { \
			fail("%s", #c); \
		} \
	} while (0)

struct domain;

/* Is this allocation the one that fails? */
bool fake_fails(void);
/* The caller may have to wait for others: no lock is held. */
void fake_no_locks(void);
/* Evict everything from the domain's map. */
void fake_p2m_clear(struct domain *d);

#endif
