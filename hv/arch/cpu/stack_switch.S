/*
 * Switch to another stack. The layout of a resting stack is also stack_switch_prepare()'s.
 */
	.text
/* rdi = where to save the stack pointer, rsi = new stack pointer. Keeps rbp, rbx, r12-r15; clobbers the rest. */
	.global stack_switch
stack_switch:
	push %rbp
	push %rbx
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, (%rdi)
	mov %rsi, %rsp
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbx
	pop %rbp
	ret

	.section .note.GNU-stack, "", @progbits
