/* What vCPUs have done: exits by kind, how long each kind kept the guest waiting, requests to device models. */
#ifndef HVM_STATS_H
#define HVM_STATS_H

#include <stdint.h>
#include "arch/vmexit.h"
#include "dom/domain.h"

/* [own; others read] Written in loop.c and ioreq_client.c. */
struct hvm_stats {
	uint64_t exits[VMEXIT_KINDS];
	uint64_t ticks[VMEXIT_KINDS];   /* TSC, from the exit to the next entry */
	uint64_t ioreqs;
	uint64_t left_tsc;              /* when the guest was left */
	uint64_t who;                   /* const: of its trace records, less the CPU */
	uint32_t entered;               /* low half of the TSC at the last entry */
};

/* Add a vCPU's totals to the sums. */
void hvm_stats_add(const struct vcpu *v, uint64_t *exits, uint64_t *ticks, uint64_t *ioreqs);
/* Name of a kind; NULL: there is none. */
const char *hvm_stats_kind_name(unsigned int kind);

#endif
