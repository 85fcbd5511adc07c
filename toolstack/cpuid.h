/*
 * CPU features a document switches off or insists on: names, and their bits in CPUID leaves.
 * Pure. The names are libvirt's. Reference: "CPU Identification" in the processor manuals.
 */
#ifndef TOOLSTACK_CPUID_H
#define TOOLSTACK_CPUID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "toolstack/config.h"

/* One leaf of a domain's policy: the layout of xen_cpuid_leaf_t. */
struct cpuid_leaf {
	uint32_t leaf;
	uint32_t subleaf; /* CPUID_NO_SUBLEAF when the leaf has none */
	uint32_t regs[4]; /* eax, ebx, ecx, edx */
};

#define CPUID_NO_SUBLEAF UINT32_MAX

/* Is this a feature we know the bit of? */
bool cpuid_known(const char *name);

/* CPU models: a known one; has it the feature; all their names in one line. */
bool cpuid_model_known(const char *model);
/* model NULL: is it a feature that no model decides on? */
bool cpuid_model_has(const char *model, const char *feature);
const char *cpuid_model_names(void);

/*
 * Apply cfg's model and features to a policy: clear the disabled bits and those that the model has not; the
 * wanted ones must be there. What the hypervisor makes by itself, and what says how to be safe from speculation,
 * no model takes away. Changes nothing on failure. Result: 0; -ENOENT with *missing naming the first feature that the processor lacks.
 */
int cpuid_apply(const struct guest_config *cfg, struct cpuid_leaf *leaves, size_t nr,
		const char **missing);

#endif
