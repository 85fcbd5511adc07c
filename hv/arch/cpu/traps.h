/*
 * Exceptions and interrupts as they reach C: the saved registers, and the hand-over functions.
 */
#ifndef ARCH_CPU_TRAPS_H
#define ARCH_CPU_TRAPS_H

#include <stdint.h>

/* What traps_entry.S pushes, lowest address first. */
struct trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rdx, rcx, rbx, rax;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};

/* All vectors come here from assembly, with interrupts off. */
void traps_dispatch(struct trap_frame *f);
/* Print the registers of a frame. */
void traps_dump(const struct trap_frame *f);

#endif
