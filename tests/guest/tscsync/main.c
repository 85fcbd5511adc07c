/*
 * The time stamp counters of all CPUs are one clock: what one has read, no other reads less of afterwards. Also as seen
 * through a CPU that was stopped by INIT in between.
 */
#include "tests/guest/rt/smp.h"

#define ROUNDS 3000

static uint64_t last;
static uint32_t lock, back;

/* 64 bits at once need a lock on a 32-bit CPU. */
static void compare(void)
{
	uint64_t now;

	while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE) != 0) {
		rt_pause();
	}
	__asm__ volatile("lock; addl $0, (%%esp)" : : : "memory");
	now = rdtsc();
	if (now < last) {
		back++;
	}
	last = now;
	__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
}

static void many(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < ROUNDS; i++) {
		compare();
	}
}

int guest_main(const struct hvm_start_info *info)
{
	unsigned int cpus = smp_init();

	(void)info;
	RT_CHECK(cpus > 1);
	for (unsigned int turn = 0; turn < 2; turn++) {
		for (unsigned int i = 1; i < cpus; i++) {
			smp_start(i, SMP_PAGE);
			smp_send_call(i, many, NULL);
		}
		many(NULL);
		for (unsigned int i = 1; i < cpus; i++) {
			smp_wait_call(i);
		}
	}
	rt_printf("%u CPUs, TSC went back %u times\n", cpus, back);
	RT_CHECK(back == 0);
	rt_puts("tscsync: OK\n");
	return 0;
}
