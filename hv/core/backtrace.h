/* Call chains by frame pointers: every function keeps one. */
#ifndef CORE_BACKTRACE_H
#define CORE_BACKTRACE_H

#include <stdint.h>

/* Log the callers from this frame on. Safe on broken chains: stops at the first implausible frame. */
void backtrace_show(uint64_t frame);

#endif
