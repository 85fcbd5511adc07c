/*
 * The shared information page: time and event channels.
 *
 * Owns: the page's place in the hole, at which it stays until the operating system moves it.
 * Layout is the 32-bit one: writing the hypercall-page register from 32-bit code selects it.
 */
#include "hvmloader/shared.h"

#include <xen/xen.h>

#include "hvmloader/hypercall.h"
#include "hvmloader/layout.h"
#include "hvmloader/memory.h"
#include "hvmloader/util.h"

#define WORD_BITS 32
#define HZ_PER_MHZ 1000000u
#define NS_PER_S   1000000000u

static struct shared_info *shared;

void shared_init(void)
{
	uint32_t gfn = memory_hole_gfn();

	if (!hypercall_map_shared_info(gfn)) {
		fatal("cannot map the shared information page");
	}
	shared = at_phys(gfn << PAGE_SHIFT);
}

/* A copy that was not being written while it was taken. */
static struct vcpu_time_info read_time(void)
{
	const volatile struct vcpu_time_info *now = &shared->vcpu_info[0].time;
	struct vcpu_time_info t;

	do {
		t.version = now->version;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		t.tsc_timestamp = now->tsc_timestamp;
		t.system_time = now->system_time;
		t.tsc_to_system_mul = now->tsc_to_system_mul;
		t.tsc_shift = now->tsc_shift;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while ((t.version & 1) || t.version != now->version);
	return t;
}

uint64_t shared_now(void)
{
	struct vcpu_time_info t = read_time();
	uint64_t delta = rdtsc() - t.tsc_timestamp;

	if (t.tsc_shift >= 0) {
		delta <<= t.tsc_shift & 63;
	} else {
		delta >>= -t.tsc_shift & 63;
	}
	return t.system_time + (delta >> 32) * t.tsc_to_system_mul +
	       (((delta & 0xffffffff) * t.tsc_to_system_mul) >> 32);
}

uint32_t shared_cpu_mhz(void)
{
	struct vcpu_time_info t = read_time();
	uint64_t hz;

	if (t.tsc_to_system_mul == 0) {
		return 0;
	}
	hz = div64((uint64_t)NS_PER_S << 32, t.tsc_to_system_mul, NULL);
	if (t.tsc_shift >= 0) {
		hz >>= t.tsc_shift & 63;
	} else {
		hz <<= -t.tsc_shift & 63;
	}
	return (uint32_t)div64(hz, HZ_PER_MHZ, NULL);
}

bool shared_take_event(uint32_t port)
{
	xen_ulong_t bit = 1u << (port % WORD_BITS);
	xen_ulong_t *word = &shared->evtchn_pending[port / WORD_BITS];

	if (port / WORD_BITS >= ARRAY_SIZE(shared->evtchn_pending)) {
		return false;
	}
	return (__atomic_fetch_and(word, ~bit, __ATOMIC_SEQ_CST) & bit) != 0;
}

void shared_clear(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(shared->vcpu_info); i++) {
		struct vcpu_info *v = &shared->vcpu_info[i];

		v->evtchn_upcall_pending = 0;
		v->evtchn_upcall_mask = 0;
		v->evtchn_pending_sel = 0;
	}
	memset(shared->evtchn_pending, 0, sizeof(shared->evtchn_pending));
	memset(shared->evtchn_mask, 0, sizeof(shared->evtchn_mask));
}
