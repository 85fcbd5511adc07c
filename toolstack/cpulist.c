/* See cpulist.h. */
#include "toolstack/cpulist.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bits a..b. */
static uint64_t cpulist_range(unsigned long a, unsigned long b)
{
	uint64_t up = b >= 63 ? UINT64_MAX : (UINT64_C(1) << (b + 1)) - 1;

	return up & ~((UINT64_C(1) << a) - 1);
}

static bool cpulist_number(const char **p, unsigned long *value)
{
	char *end;

	if (!isdigit((unsigned char)**p)) {
		return false;
	}
	*value = strtoul(*p, &end, 10);
	*p = end;
	return *value < CPULIST_MAX_CPUS;
}

bool cpulist_parse(const char *text, uint64_t *set)
{
	const char *p = text;
	unsigned long a;
	unsigned long b;

	if (strcmp(text, "all") == 0) {
		*set = CPULIST_ALL;
		return true;
	}
	*set = 0;
	for (;;) {
		bool without = *p == '^';

		p += without;
		if (!cpulist_number(&p, &a)) {
			return false;
		}
		b = a;
		if (*p == '-' && (p++, !cpulist_number(&p, &b) || b < a)) {
			return false;
		}
		*set = without ? *set & ~cpulist_range(a, b) : *set | cpulist_range(a, b);
		if (*p == '\0') {
			return *set != 0;
		}
		if (*p++ != ',') {
			return false;
		}
	}
}

void cpulist_text(uint64_t set, unsigned int nr_cpus, char *out, size_t size)
{
	uint64_t all = nr_cpus == 0 ? 0 : cpulist_range(0, nr_cpus - 1);
	size_t at = 0;

	out[0] = '\0';
	if (all != 0 && (set & all) == all) {
		snprintf(out, size, "all");
		return;
	}
	for (unsigned int i = 0; i < CPULIST_MAX_CPUS && at < size; i++) {
		unsigned int last = i;

		if (!(set >> i & 1)) {
			continue;
		}
		while (last + 1 < CPULIST_MAX_CPUS && (set >> (last + 1) & 1)) {
			last++;
		}
		at += (size_t)snprintf(out + at, size - at, last == i ? "%s%u" : "%s%u-%u",
				       at != 0 ? "," : "", i, last);
		i = last;
	}
}
