/*
 * Sets of physical CPUs as people write them: "0-3,^2,8" or "all". Pure.
 */
#ifndef TOOLSTACK_CPULIST_H
#define TOOLSTACK_CPULIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CPULIST_MAX_CPUS 64
#define CPULIST_ALL	 UINT64_MAX
#define CPULIST_TEXT	 256 /* room for any set as text */

/* Numbers, ranges A-B, ^N and ^A-B take away what was named before. False: not such a list, or an empty set. */
bool cpulist_parse(const char *text, uint64_t *set);
/* "0-3,8"; "all" when the set has every CPU below `nr_cpus`. */
void cpulist_text(uint64_t set, unsigned int nr_cpus, char *out, size_t size);

#endif
