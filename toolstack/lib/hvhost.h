/*
 * Questions to the hypervisor about the machine and about all domains. Reads only (but for the
 * console ring's optional clearing). Result everywhere: 0 or -errno.
 */
#ifndef TOOLSTACK_LIB_HVHOST_H
#define TOOLSTACK_LIB_HVHOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "toolstack/lib/hvcall.h"
#include "toolstack/lib/hvdom.h"

struct hvhost_info {
	unsigned int nr_cpus;
	unsigned int cores_per_socket;
	unsigned int threads_per_core;
	unsigned int nr_nodes;
	unsigned int cpu_khz;
	uint64_t total_pages;
	uint64_t free_pages;
	bool cap_hvm;
	bool cap_hap;
	unsigned int version_major;
	unsigned int version_minor;
	char version_extra[16];
	char capabilities[1024];
	char compiler[64];
	char compile_date[32];
	char commandline[1024];
};

int hvhost_info(struct hvcall *hv, struct hvhost_info *info);

/* All domains in order of id. `*list` is malloc'd; the caller frees it. */
int hvhost_domains(struct hvcall *hv, struct hvdom_info **list, size_t *nr);

/*
 * The hypervisor's console ring as one NUL-terminated string, malloc'd into `*text`. `clear`: empty
 * the ring afterwards. Bytes that are not printable come through as they are.
 */
int hvhost_console(struct hvcall *hv, bool clear, char **text, size_t *len);

/* Run debug key handlers, one per character. */
int hvhost_debug_keys(struct hvcall *hv, const char *keys);

#endif
