/*
 * Memory that is given back is gone for every CPU at once: no CPU goes on using an old translation while it runs elsewhere.
 *
 * CPU 0 gives a page back and takes a new one in the same place; the others read it all the time. Once CPU 0 has said so, they
 * may see only all ones (no memory), then only zeros (a new page).
 */
#include "tests/guest/rt/smp.h"

#include <xen/memory.h>

#define ROUNDS 100
#define OLD    0x01d01d01u

static uint8_t page[4096] __attribute__((aligned(4096)));
static volatile uint32_t *const word = (void *)page;
/* Odd: it is being changed, anything may be seen. Else, by the remainder of 4: 0 the page is there, 2 it is gone. */
static volatile uint32_t stage, stop;
static volatile uint32_t wrong, reads[SMP_MAX];

static long reservation(unsigned int op)
{
	xen_pfn_t gfn = (uintptr_t)page >> 12;
	struct xen_memory_reservation r = { .nr_extents = 1, .domid = DOMID_SELF };

	set_xen_guest_handle(r.extent_start, &gfn);
	return rt_hypercall(__HYPERVISOR_memory_op, op, (uintptr_t)&r, 0, 0, 0);
}

static void reader(void *arg)
{
	volatile uint32_t *count = arg;

	while (!stop) {
		uint32_t before = stage, value = *word, after = stage;

		/* only what was read entirely within one stage counts */
		if (before == after && before % 2 == 0 && value != (before % 4 == 2 ? 0xffffffff : 0)) {
			wrong++;
		}
		*count += 1;
		rt_pause();
	}
}

/* The reader on CPU 1 comes round a few times. */
static void wait_reads(void)
{
	uint32_t seen = reads[1];

	while (reads[1] - seen < 3) {
		rt_pause();
	}
}

int guest_main(const struct hvm_start_info *info)
{
	unsigned int cpus = smp_init();

	(void)info;
	RT_CHECK(cpus > 1);
	*word = 0;
	for (unsigned int i = 1; i < cpus; i++) {
		smp_start(i, SMP_PAGE);
		smp_send_call(i, reader, (void *)(uintptr_t)&reads[i]);
	}
	for (unsigned int round = 0; round < ROUNDS; round++) {
		stage++;
		*word = OLD;
		RT_CHECK(reservation(XENMEM_decrease_reservation) == 1);
		stage++;
		wait_reads();
		stage++;
		RT_CHECK(reservation(XENMEM_populate_physmap) == 1);
		stage++;
		wait_reads();
	}
	stop = 1;
	for (unsigned int i = 1; i < cpus; i++) {
		smp_wait_call(i);
	}
	rt_printf("%u rounds, %u reads on CPU 1, %u of a page that was gone\n", ROUNDS, reads[1], wrong);
	RT_CHECK(wrong == 0);
	rt_puts("p2mflush: OK\n");
	return 0;
}
