/* A guest that wants its CPU for itself, without an end: company for a guest that is measured. Destroy it. */
#include "tests/guest/rt/rt.h"

int guest_main(const struct hvm_start_info *info)
{
	rt_puts("busy: OK\n");
	for (;;) {
		__asm__ volatile("" : : : "memory");
	}
}
