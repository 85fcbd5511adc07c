/*
 * The end of the hypervisor, told in full: reason, registers, backtrace with symbols, last trace
 * records, lock holders; then one machine-readable line "PANIC: ..." and halt or reboot.
 */
#ifndef CORE_PANIC_H
#define CORE_PANIC_H

#include "lib/util.h"
#include "lib/bug.h"

_Noreturn void panic(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Up-call, defined in dom/: print what is known about the current domain and vCPU. */
void panic_extra(void);

#endif
