/* Call chains (contract in backtrace.h). */
#include "core/backtrace.h"
#include "core/log.h"
#include "arch/layout.h"
#include "arch/machine.h"

#define DEPTH_MAX 32

static bool plausible(uint64_t frame)
{
	return frame % 8 == 0 && machine_addr_mapped(frame) && machine_addr_mapped(frame + 15);
}

void backtrace_show(uint64_t frame)
{
	log_err(" backtrace:");
	for (unsigned int i = 0; i < DEPTH_MAX && plausible(frame); i++) {
		const uint64_t *f = (const uint64_t *)frame;

		if (!f[1]) {
			break;
		}
		/* The return address may already belong to the next function: name the call. */
		log_err("  %016lx %pS", f[1], (void *)(f[1] - 1));
		if (f[0] <= frame) {
			break;
		}
		frame = f[0];
	}
}
