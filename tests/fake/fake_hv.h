/*
 * The lower layers of the hypervisor for host tests of dom/ and abi/: frames, heap, locks, scheduler, timers, clock,
 * guest-physical maps, guest memory, and what hvm/ offers. Everything that can leak is counted.
 *
 * One thread: sched_block() runs the test's hook instead of another unit. Locks check that they are free and taken in
 * the order of core/locks.h.
 */
#ifndef TESTS_FAKE_FAKE_HV_H
#define TESTS_FAKE_FAKE_HV_H

#include <stdbool.h>
#include <stdint.h>
#include "dom/domain.h"
#include "core/page_alloc.h"
#include "hvm/hvm.h"

/* Start anew: no domains (but Dom0, with vcpus vCPUs, current is its vCPU 0), no memory in use. */
void fake_hv_reset(unsigned int dom0_vcpus);
/* The n-th allocation from now fails (heap, frames, page tables); 0: none. Then: did it? */
void fake_fail_nth(unsigned int n);
bool fake_failed(void);
/* What is in use now is no leak. */
void fake_hv_set_base(void);
/* A guest, unpaused, with vCPU 0 online; 64-bit until told otherwise. */
struct domain *fake_guest(unsigned int vcpus, uint64_t max_pages);
struct domain *fake_guest_id(domid_t id, unsigned int vcpus, uint64_t max_pages);
/* Destroy every guest that is left and check that nothing leaked. */
void fake_hv_check_leaks(void);

/* Close Dom0's ports, unmap all that it has mapped, stop its timers. */
void fake_hv_clear_dom0(void);

void fake_run_on(struct vcpu *v);               /* the current vCPU */
extern bool fake_wide;                          /* hvm_guest_is_64bit() */
/* Every frame that is mapped somewhere is in use, and RAM belongs to the domain and is mapped once. */
void fake_p2m_check(void);
extern void (*fake_map_hook)(gfn_t gfn);        /* what another CPU does just before a p2m_map() or p2m_unmap() */
extern void (*fake_block_hook)(void);           /* what happens while a unit blocks; else the test fails */

/* Memory of the calling guest at linear FAKE_GUEST_BASE; outside of it: -EFAULT. */
#define FAKE_GUEST_BASE 0x100000u
#define FAKE_GUEST_SIZE 0x10000u
uint64_t fake_put(const void *p, size_t size);  /* store a copy, return its address */
void fake_get(uint64_t linear, void *p, size_t size);
#define FAKE_PUT(obj) fake_put(&(obj), sizeof(obj))
#define FAKE_GET(linear, obj) fake_get((linear), &(obj), sizeof(obj))
#define FAKE_BAD_PTR 0x10ull

/* Hypercall of the current vCPU. */
int64_t fake_call(uint64_t nr, uint64_t a, uint64_t b, uint64_t c);
/* The same with all arguments, and the raw result. */
uint64_t fake_hypercall(uint64_t nr, const uint64_t arg[6]);

extern uint64_t fake_now;                       /* ns */
void fake_advance(uint64_t ns);                 /* and run timers that are due */

/* What the layers below were asked for. */
extern struct fake_counts {
	unsigned int upcalls, wakes, kicks, invalidates;
	unsigned int upcall_vcpu;
	unsigned int isa_irq, isa_level, intx, power, nmi, msi, time_offsets;
	uint32_t cpu_policy;            /* EDX of the leaf that can be changed */
	uint64_t msi_addr;
	uint64_t dom0_stopped;
} fake_counts;

/* What hvm_rtc_moved() says. */
extern int64_t fake_rtc_moved;
extern char fake_log[65536];                    /* everything logged */
size_t fake_page_refs(gfn_t gfn, struct domain *d);     /* of the page mapped there; 0: none */
void *fake_page_at(struct domain *d, gfn_t gfn);        /* its contents */

#endif
