/* domctl get/sethvmcontext: a stream of save records, here those of the processors. */
#ifndef ABI_HVM_CONTEXT_H
#define ABI_HVM_CONTEXT_H

#include "abi/hypercall.h"

struct xen_domctl_hvmcontext;

/* The domain is paused. get: a null buffer asks for the size; -ENOSPC: too small. */
int hvm_context_get(struct hc_call *c, struct domain *d, struct xen_domctl_hvmcontext *x);
/* All vCPUs go offline; those with a CPU record come online with that state. -EINVAL: bad stream. */
int hvm_context_set(struct hc_call *c, struct domain *d, const struct xen_domctl_hvmcontext *x);

#endif
