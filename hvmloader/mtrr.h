/*
 * Memory type range registers: write-back by default, the PCI windows uncached. Pure.
 */
#ifndef HVMLOADER_MTRR_H
#define HVMLOADER_MTRR_H

#include <stdbool.h>
#include <stdint.h>

struct mtrr_ops {
	uint64_t (*rdmsr)(void *ctx, uint32_t index);
	void (*wrmsr)(void *ctx, uint32_t index, uint64_t value);
	void *ctx;
};

struct mtrr_range {
	uint64_t start, end;
};

struct mtrr_report {
	bool fixed;
	unsigned int used, available; /* variable ranges */
	bool complete;                /* every range could be described */
};

/* Program this CPU. The caller flushes its caches before and after. Empty ranges are skipped. */
void mtrr_program(const struct mtrr_ops *ops, unsigned int phys_bits,
		  const struct mtrr_range *uncached, unsigned int ranges,
		  struct mtrr_report *report);

#endif
