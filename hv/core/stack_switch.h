/* Changing stacks: only the registers a called function must keep are saved. Implemented by arch/cpu/stack_switch.S. */
#ifndef CORE_STACK_SWITCH_H
#define CORE_STACK_SWITCH_H

#include <stdint.h>

/* Save the current stack pointer in *save and go on with the stack `to`. Returns when something switches back. */
void stack_switch(uint64_t *save, uint64_t to);

/* Lay out a new stack (top: its end, 16-aligned) so that the first switch to it calls entry(). Its stack pointer. */
static inline uint64_t stack_switch_prepare(uint64_t *top, void (*entry)(void))
{
	*--top = 0;                     /* entry()'s return address: none */
	*--top = (uint64_t)(uintptr_t)entry;
	for (unsigned int i = 0; i < 6; i++) {
		*--top = 0;             /* rbp, rbx, r12-r15 */
	}
	return (uint64_t)(uintptr_t)top;
}

#endif
