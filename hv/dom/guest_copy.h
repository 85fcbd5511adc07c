/*
 * Copies between the hypervisor and guest memory. All return 0 or -EFAULT (nothing but the copied
 * prefix has changed). Linear addresses are translated with the vCPU's current paging mode, as a
 * supervisor access; the vCPU must be the current one or off its CPU.
 */
#ifndef DOM_GUEST_COPY_H
#define DOM_GUEST_COPY_H

#include <stddef.h>
#include <stdint.h>
#include "lib/addr.h"
#include "lib/util.h"

struct domain;
struct vcpu;

int guest_copy_from(struct vcpu *v, void *dst, uint64_t linear, size_t len) MUST_CHECK;
int guest_copy_to(struct vcpu *v, uint64_t linear, const void *src, size_t len) MUST_CHECK;
/* Let fn work on len bytes of the guest's memory in place. -EFAULT also when they cross a page or are misaligned to 8:
 * use the copies then. fn is short, takes no lock and expects other writers. */
int guest_with_bytes(struct vcpu *v, uint64_t linear, unsigned int len, void (*fn)(void *bytes, void *arg),
		     void *arg) MUST_CHECK;
int guest_read_phys(struct domain *d, gpa_t gpa, void *dst, size_t len) MUST_CHECK;
int guest_write_phys(struct domain *d, gpa_t gpa, const void *src, size_t len) MUST_CHECK;

#endif
