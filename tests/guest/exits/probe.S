/*
 * Runs the bytes at exits_hole with all registers from exits_in, and stores all registers to exits_out.
 *
 * void exits_probe(void): in ring 0. void exits_probe_user(void): in ring 3; the way back is INT 81h, whose handler
 * continues at exits_user_back. Both: no arguments, no result, clobber nothing but the hole's side effects.
 * Layout of struct exits_regs: eax ecx edx ebx esp ebp esi edi eflags, four bytes each.
 */
	.text

/* Everything from exits_in but ESP. */
	.macro	load_all
	pushl	exits_in+32
	popfl
	mov	exits_in+0, %eax
	mov	exits_in+4, %ecx
	mov	exits_in+8, %edx
	mov	exits_in+12, %ebx
	mov	exits_in+20, %ebp
	mov	exits_in+24, %esi
	mov	exits_in+28, %edi
	.endm

/* Moves change no flags. The flags go to memory over a stack of our own. */
	.macro	store_all
	mov	%eax, exits_out+0
	mov	%ecx, exits_out+4
	mov	%edx, exits_out+8
	mov	%ebx, exits_out+12
	mov	%esp, exits_out+16
	mov	%ebp, exits_out+20
	mov	%esi, exits_out+24
	mov	%edi, exits_out+28
	mov	$probe_stack_top, %esp
	pushfl
	popl	exits_out+32
	.endm

	.globl	exits_probe
exits_probe:
	pusha
	pushfl
	mov	%esp, probe_esp
	mov	%esp, exits_in+16
	movl	$probe_after, probe_next
	load_all
	jmp	exits_hole
probe_after:
	mov	probe_esp, %esp
	popfl
	popa
	ret

	.globl	exits_probe_user
exits_probe_user:
	pusha
	pushfl
	mov	%esp, probe_esp
	mov	%esp, exits_tss+4
	/* what is on the stack now must stay: ring 3 comes back below it */
	movl	$probe_user_end, probe_next
	movl	$probe_user_stack_top, exits_in+16
	mov	$0x23, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	pushl	$0x23
	pushl	$probe_user_stack_top
	pushl	$0x2
	pushl	$0x1b
	pushl	$probe_user_start
	iretl
probe_user_start:
	load_all
	jmp	exits_hole
probe_user_end:
	int	$0x81

	.globl	exits_user_back
exits_user_back:
	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	mov	%eax, %ss
	jmp	probe_after

	.balign	64
	.globl	exits_hole
exits_hole:
	.skip	32, 0x90
	.globl	exits_hole_end
exits_hole_end:
	store_all
	jmp	*probe_next

	.bss
	.balign	16
probe_esp:
	.skip	4
probe_next:
	.skip	4
	.balign	16
	.skip	64
probe_stack_top:
	.skip	256
probe_user_stack_top:

	.section .note.GNU-stack, "", @progbits
