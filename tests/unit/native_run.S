/*
 * Runs one instruction of the test's choosing on the real CPU, with all registers loaded.
 *
 * native_run(struct native_state *st in rdi, void *code in rsi): saves the callee-saved registers,
 * loads everything from *st and jumps to the code. The code ends in a jump to native_return or
 * native_return_taken, which store everything back and return to the caller. Not reentrant. Clobbers
 * what a C function may; rbx rbp r12-r15 are kept. Offsets are checked by test_emul_native.c.
 */
#define ST_GPR    0
#define ST_RFLAGS 128
#define ST_TAKEN  136
#define ST_AVX    144
#define ST_MM     152
#define ST_MASK   216
#define ST_ZMM    280

	.bss
	.balign 8
st_ptr:		.skip 8
host_rsp:	.skip 8
guest_rsp:	.skip 8
guest_rax:	.skip 8
code_ptr:	.skip 8
taken:		.skip 8

	.text
	.globl native_run, native_return, native_return_taken
	.type native_run, @function
native_run:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rdi, st_ptr(%rip)
	mov	%rsi, code_ptr(%rip)
	mov	%rsp, host_rsp(%rip)
	movq	$0, taken(%rip)
	mov	%rdi, %rax
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7
	movq	(ST_MM + 8 * \n)(%rax), %mm\n
	.endr
	cmpq	$1, ST_AVX(%rax)
	je	1f
	ja	3f
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movdqu	(ST_ZMM + 64 * \n)(%rax), %xmm\n
	.endr
	jmp	2f
1:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vmovdqu	(ST_ZMM + 64 * \n)(%rax), %ymm\n
	.endr
	jmp	2f
3:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7
	kmovq	(ST_MASK + 8 * \n)(%rax), %k\n
	.endr
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vmovdqu64 (ST_ZMM + 64 * \n)(%rax), %zmm\n
	.endr
	.irp	n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	vmovdqu64 (ST_ZMM + 64 * \n)(%rax), %zmm\n
	.endr
2:
	pushq	ST_RFLAGS(%rax)
	popfq
	mov	(ST_GPR + 8)(%rax), %rcx
	mov	(ST_GPR + 16)(%rax), %rdx
	mov	(ST_GPR + 24)(%rax), %rbx
	mov	(ST_GPR + 32)(%rax), %rsp
	mov	(ST_GPR + 40)(%rax), %rbp
	mov	(ST_GPR + 48)(%rax), %rsi
	mov	(ST_GPR + 56)(%rax), %rdi
	.irp	n, 8, 9, 10, 11, 12, 13, 14, 15
	mov	(ST_GPR + 8 * \n)(%rax), %r\n
	.endr
	mov	(ST_GPR)(%rax), %rax
	jmp	*code_ptr(%rip)

native_return_taken:
	movq	$1, taken(%rip)
native_return:
	mov	%rsp, guest_rsp(%rip)
	mov	%rax, guest_rax(%rip)
	mov	host_rsp(%rip), %rsp
	mov	st_ptr(%rip), %rax
	pushfq
	popq	ST_RFLAGS(%rax)
	cld
	mov	%rcx, (ST_GPR + 8)(%rax)
	mov	%rdx, (ST_GPR + 16)(%rax)
	mov	%rbx, (ST_GPR + 24)(%rax)
	mov	%rbp, (ST_GPR + 40)(%rax)
	mov	%rsi, (ST_GPR + 48)(%rax)
	mov	%rdi, (ST_GPR + 56)(%rax)
	.irp	n, 8, 9, 10, 11, 12, 13, 14, 15
	mov	%r\n, (ST_GPR + 8 * \n)(%rax)
	.endr
	mov	guest_rsp(%rip), %rcx
	mov	%rcx, (ST_GPR + 32)(%rax)
	mov	guest_rax(%rip), %rcx
	mov	%rcx, (ST_GPR)(%rax)
	mov	taken(%rip), %rcx
	mov	%rcx, ST_TAKEN(%rax)
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7
	movq	%mm\n, (ST_MM + 8 * \n)(%rax)
	.endr
	emms
	cmpq	$1, ST_AVX(%rax)
	je	1f
	ja	3f
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movdqu	%xmm\n, (ST_ZMM + 64 * \n)(%rax)
	.endr
	jmp	2f
1:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vmovdqu	%ymm\n, (ST_ZMM + 64 * \n)(%rax)
	.endr
	vzeroupper
	jmp	2f
3:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vmovdqu64 %zmm\n, (ST_ZMM + 64 * \n)(%rax)
	.endr
	.irp	n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	vmovdqu64 %zmm\n, (ST_ZMM + 64 * \n)(%rax)
	.endr
	vzeroupper
2:
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret
	.size native_run, . - native_run

	.section .note.GNU-stack, "", @progbits
