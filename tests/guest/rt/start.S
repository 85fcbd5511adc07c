/*
 * Entry of a micro-guest: 32-bit protected mode, paging off, EBX = struct hvm_start_info.
 *
 * The entry segments are flat but come from no table of ours; a guest that loads a segment register
 * or takes an interrupt needs real descriptors, so the first thing done is to load our own.
 * Manual: "Intel 64 and IA-32 Architectures Software Developer's Manual", segment descriptors.
 */
	.section .head, "ax"
	.code32
	.globl _start
/* In: EBX = start info. Out: never returns. Clobbers everything. */
_start:
	cli
	cld
	lgdt	rt_gdt_pointer
	ljmp	$0x08, $1f
1:	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	mov	%eax, %ss
	mov	$rt_stack_top, %esp
	/* The loader may leave the file's zero part as it found it. */
	mov	$__bss_start, %edi
	mov	$__bss_end, %ecx
	sub	%edi, %ecx
	xor	%eax, %eax
	rep stosb
	push	$0
	push	$0
	push	$0
	push	%ebx
	call	rt_start
2:	cli
	hlt
	jmp	2b

	.text
/*
 * One stub of 16 bytes for each of the 256 vectors, so that all have the same frame: struct
 * rt_frame in rt.h. The handler may change the frame; returns to where it says.
 */
#define ERROR_CODES ((1 << 8) | (0x1f << 10) | (1 << 17) | (1 << 21) | (1 << 30))
	.balign	16
	.globl	rt_stubs
rt_stubs:
	.set	vector, 0
	.rept	256
	.balign	16
	.if	vector > 31 || !((ERROR_CODES >> (vector & 31)) & 1)
	pushl	$0
	.endif
	pushl	$vector
	jmp	rt_stub_common
	.set	vector, vector + 1
	.endr
	.balign	16
rt_stub_common:
	pusha
	cld
	push	%esp
	call	rt_interrupt
	pop	%eax
	popa
	add	$8, %esp
	iret

/*
 * What a start-up message to a secondary CPU starts, wherever it was copied to below 1 MiB: CS = that page, real mode. Goes on
 * in smp.c's rt_smp_ap(page number) on the stack that rt_smp_stack points to.
 */
	.globl	rt_trampoline, rt_trampoline_end
	.code16
rt_trampoline:
	cli
	cld
	mov	%cs, %bx
	lgdtl	%cs:rt_trampoline_gdt - rt_trampoline
	mov	$1, %eax
	mov	%eax, %cr0
	ljmpl	$0x08, $rt_ap_start
	.balign	4
rt_trampoline_gdt:
	.word	rt_gdt_end - rt_gdt - 1
	.long	rt_gdt
rt_trampoline_end:
	.code32
rt_ap_start:
	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	mov	%eax, %ss
	mov	rt_smp_stack, %esp
	movzwl	%bx, %ebx
	shr	$8, %ebx
	push	$0
	push	$0
	push	$0
	push	%ebx
	call	rt_smp_ap
1:	cli
	hlt
	jmp	1b

	.section .rodata
	.balign	8
rt_gdt:
	.quad	0
	.quad	0x00cf9b000000ffff	/* 08: code, flat, 32-bit */
	.quad	0x00cf93000000ffff	/* 10: data, flat */
rt_gdt_end:
rt_gdt_pointer:
	.word	rt_gdt_end - rt_gdt - 1
	.long	rt_gdt

	.section .bss
	.balign	16
	.skip	16384
rt_stack_top:

	.section .note.GNU-stack, "", @progbits
