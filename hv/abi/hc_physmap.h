/* The memory_op operations that place frames in a guest-physical map; rows of hc_memory.c's table. */
#ifndef ABI_HC_PHYSMAP_H
#define ABI_HC_PHYSMAP_H

#include "abi/hypercall.h"

int64_t hc_physmap_add(struct hc_call *c);
int64_t hc_physmap_add_batch(struct hc_call *c);
int64_t hc_physmap_remove(struct hc_call *c);
int64_t hc_physmap_acquire(struct hc_call *c);

#endif
