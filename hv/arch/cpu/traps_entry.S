/*
 * Exception and interrupt stubs: all 256 vectors save the registers as struct trap_frame and call
 * traps_dispatch(frame). GS always points at this CPU's area inside the hypervisor, so nothing is swapped.
 */
#include "asm_offsets.h"

	.text
/* Exceptions 8, 10-14, 17, 21, 29 and 30 push an error code; for the others a zero stands in. */
	.balign 16
	.global traps_stubs
traps_stubs:
vector = 0
	.rept 256
	.balign 16
	.if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
	push $0
	.endif
	push $vector
	jmp traps_common
vector = vector + 1
	.endr

traps_common:
	push %rax
	push %rbx
	push %rcx
	push %rdx
	push %rbp
	push %rsi
	push %rdi
	push %r8
	push %r9
	push %r10
	push %r11
	push %r12
	push %r13
	push %r14
	push %r15
	cld
	mov %rsp, %rdi
	/* The frame chain goes through the interrupted code: a return address and its rbp. */
	push FRAME_RIP(%rsp)
	push %rbp
	mov %rsp, %rbp
	mov %rsp, %rbx
	and $-16, %rsp
	call traps_dispatch
	lea 16(%rbx), %rsp
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rdi
	pop %rsi
	pop %rbp
	pop %rdx
	pop %rcx
	pop %rbx
	pop %rax
	add $16, %rsp
	iretq

	.section .note.GNU-stack, "", @progbits
