/*
 * The end of the hypervisor, told in full: reason, registers, backtrace with symbols, last trace
 * records, lock holders; then one machine-readable line "PANIC: ..." and halt or reboot.
 */
#ifndef CORE_PANIC_H
#define CORE_PANIC_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/util.h"
#include "lib/bug.h"

_Noreturn void panic(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* The same for an exception: show(regs) prints the registers, frame is where its backtrace starts. */
_Noreturn void panic_with_frame(void (*show)(const void *regs), const void *regs, uint64_t frame, const char *fmt,
				...) PRINTF_LIKE(4, 5);
/* What the loader gave, or the machine, cannot be used: one line, no dump, and a halt; a restart would do the same. */
_Noreturn void panic_refuse(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* Some CPU is in panic(): others stop when they see it. */
bool panic_in_progress(void);

/* Up-call, defined in dom/: print what is known about the current domain and vCPU. */
void panic_extra(void);

#endif
