/*
 * Into 64-bit mode, all registers from exits64_in, the bytes at exits64_hole, all registers to exits64_out, and back.
 *
 * void exits64_probe(void): 32-bit C calls it, paging off; clobbers nothing. The caller has filled exits64_pml4.
 * Layout of the register images: rax rcx rdx rbx rsp rbp rsi rdi r8..r15 rflags, eight bytes each.
 *
 * Exceptions in 64-bit mode are noted and end the hole; interrupts (from 20h on) are noted and acknowledged. Both have
 * the layout vector, error code, RIP in exits64_seen. The table of gates is made by exits64_gates() in main.c.
 */
#define EOI 0xfee000b0
#define CODE64 0x18

	.text
	.code32
	.globl	exits64_probe
exits64_probe:
	pusha
	pushfl
	mov	%esp, stack32
	sidt	idt32
	mov	%cr4, %eax
	or	$0x20, %eax
	mov	%eax, %cr4
	mov	$exits64_pml4, %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx
	rdmsr
	or	$0x100, %eax
	wrmsr
	mov	%cr0, %eax
	or	$0x80010000, %eax
	mov	%eax, %cr0
	ljmp	$CODE64, $start64

	.code64
start64:
	lidt	exits64_idt_pointer(%rip)
	mov	%esp, %esp
	mov	%rsp, exits64_in+32(%rip)
	pushq	exits64_in+128(%rip)
	popfq
	mov	exits64_in+0(%rip), %rax
	mov	exits64_in+8(%rip), %rcx
	mov	exits64_in+16(%rip), %rdx
	mov	exits64_in+24(%rip), %rbx
	mov	exits64_in+40(%rip), %rbp
	mov	exits64_in+48(%rip), %rsi
	mov	exits64_in+56(%rip), %rdi
	mov	exits64_in+64(%rip), %r8
	mov	exits64_in+72(%rip), %r9
	mov	exits64_in+80(%rip), %r10
	mov	exits64_in+88(%rip), %r11
	mov	exits64_in+96(%rip), %r12
	mov	exits64_in+104(%rip), %r13
	mov	exits64_in+112(%rip), %r14
	mov	exits64_in+120(%rip), %r15
	jmp	exits64_hole

	.balign	64
	.globl	exits64_hole
exits64_hole:
	.skip	32, 0x90
	.globl	exits64_hole_end
exits64_hole_end:
	mov	%rax, exits64_out+0(%rip)
	mov	%rcx, exits64_out+8(%rip)
	mov	%rdx, exits64_out+16(%rip)
	mov	%rbx, exits64_out+24(%rip)
	mov	%rsp, exits64_out+32(%rip)
	mov	%rbp, exits64_out+40(%rip)
	mov	%rsi, exits64_out+48(%rip)
	mov	%rdi, exits64_out+56(%rip)
	mov	%r8, exits64_out+64(%rip)
	mov	%r9, exits64_out+72(%rip)
	mov	%r10, exits64_out+80(%rip)
	mov	%r11, exits64_out+88(%rip)
	mov	%r12, exits64_out+96(%rip)
	mov	%r13, exits64_out+104(%rip)
	mov	%r14, exits64_out+112(%rip)
	mov	%r15, exits64_out+120(%rip)
	pushfq
	popq	exits64_out+128(%rip)
	cli
	cld
	ljmpl	*back32(%rip)

	.code32
compat32:
	mov	%cr0, %eax
	and	$0x7ffeffff, %eax
	mov	%eax, %cr0
	mov	$0xc0000080, %ecx
	rdmsr
	and	$~0x100, %eax
	wrmsr
	mov	%cr4, %eax
	and	$~0x20, %eax
	mov	%eax, %cr4
	lidt	idt32
	mov	stack32, %esp
	popfl
	popa
	ret

/* One stub of 16 bytes a vector; the stack then is vector, error code, RIP, CS, RFLAGS, RSP, SS. */
#define ERROR_CODES ((1 << 8) | (0x1f << 10) | (1 << 17) | (1 << 21) | (1 << 30))
	.code64
	.balign	16
	.globl	exits64_stubs
exits64_stubs:
	.set	vector, 0
	.rept	256
	.balign	16
	.if	vector > 31 || !((ERROR_CODES >> (vector & 31)) & 1)
	pushq	$0
	.endif
	pushq	$vector
	jmp	stub_common
	.set	vector, vector + 1
	.endr
	.balign	16
stub_common:
	push	%rax
	mov	8(%rsp), %rax
	mov	%rax, exits64_seen(%rip)
	mov	16(%rsp), %rax
	mov	%rax, exits64_seen+8(%rip)
	mov	24(%rsp), %rax
	mov	%rax, exits64_seen+16(%rip)
	incl	exits64_taken(%rip)
	cmpl	$0x20, 8(%rsp)
	jae	1f
	lea	exits64_hole_end(%rip), %rax
	mov	%rax, 24(%rsp)
	jmp	2f
1:	mov	$EOI, %eax
	movl	$0, (%rax)
2:	pop	%rax
	add	$16, %rsp
	iretq

	.data
	.balign	8
back32:
	.long	compat32
	.word	0x08
	.bss
	.balign	8
stack32:
	.skip	8
idt32:
	.skip	8

	.section .note.GNU-stack, "", @progbits
