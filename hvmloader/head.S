/*
 * Entry of the firmware, start of secondary CPUs, and the way back to real mode.
 *
 * Manual: "Intel 64 and IA-32 Architectures Software Developer's Manual", processor management and
 * initialization (mode switching).
 */
#include "hvmloader/layout.h"

#define SEL_CODE32 0x08
#define SEL_DATA32 0x10
#define SEL_CODE16 0x18
#define SEL_DATA16 0x20

	.section .head, "ax"
	.code32
	.globl	_start
/* In: 32-bit protected mode, paging off, EBX = struct hvm_start_info. Never returns. */
_start:
	cli
	cld
	lgdt	gdt_pointer
	ljmp	$SEL_CODE32, $1f
1:	mov	$SEL_DATA32, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	mov	%eax, %ss
	mov	$stack_top, %esp
	/* The loader need not have cleared this. */
	mov	$__bss_start, %edi
	mov	$__bss_end, %ecx
	sub	%edi, %ecx
	xor	%eax, %eax
	rep stosb
	sub	$12, %esp
	push	%ebx
	call	main
2:	cli
	hlt
	jmp	2b

	.text
/*
 * A secondary CPU starts here, copied to LAYOUT_TRAMPOLINE: real mode, CS = LAYOUT_TRAMPOLINE >> 4,
 * IP = 0. Calls smp_ap_main() and halts until INIT. Clobbers everything.
 */
	.code16
	.globl	ap_trampoline, ap_trampoline_end
ap_trampoline:
	cli
	cld
	lgdtl	%cs:(ap_gdt_pointer - ap_trampoline)
	mov	%cr0, %eax
	or	$1, %al
	mov	%eax, %cr0
	ljmpl	$SEL_CODE32, $ap_start32
	.balign	4
ap_gdt_pointer:
	.word	gdt_end - gdt - 1
	.long	gdt
ap_trampoline_end:

	.code32
ap_start32:
	mov	$SEL_DATA32, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	mov	%eax, %ss
	mov	$ap_stack_top, %esp
	call	smp_ap_main
1:	cli
	hlt
	jmp	1b

/*
 * One stub of 16 bytes for each exception, so that all have the same frame: struct frame in
 * traps.c. Does not return.
 */
#define ERROR_CODES ((1 << 8) | (0x1f << 10) | (1 << 17) | (1 << 21) | (1 << 30))
	.balign	16
	.globl	trap_stubs
trap_stubs:
	.set	vector, 0
	.rept	32
	.balign	16
	.if	!((ERROR_CODES >> (vector & 31)) & 1)
	push	$0
	.endif
	push	$vector
	jmp	trap_common
	.set	vector, vector + 1
	.endr
	.balign	16
trap_common:
	pusha
	push	%esp
	cld
	call	traps_fatal
1:	cli
	hlt
	jmp	1b

/*
 * Copied to LAYOUT_HANDOVER and entered there: leaves protected mode and jumps to the reset vector.
 * Must run below 64 KiB, so that IP stays the same when CS becomes a real-mode segment.
 */
#define HANDOVER(label) (LAYOUT_HANDOVER + (label) - handover_code)
	.globl	handover_code, handover_code_end
handover_code:
	lidt	HANDOVER(real_idt)
	ljmp	$SEL_CODE16, $HANDOVER(1f)
	.code16
1:	mov	$SEL_DATA16, %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %fs
	mov	%ax, %gs
	mov	%ax, %ss
	mov	%cr0, %eax
	and	$~1, %al
	mov	%eax, %cr0
	ljmp	$0, $HANDOVER(2f)
2:	xor	%eax, %eax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %fs
	mov	%ax, %gs
	mov	%ax, %ss
	xor	%ebx, %ebx
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%esi, %esi
	xor	%edi, %edi
	xor	%ebp, %ebp
	xor	%esp, %esp
	ljmp	$0xf000, $0xfff0
	.balign	4
real_idt:
	.word	0x3ff
	.long	0
handover_code_end:

	.section .rodata
	.balign	8
gdt:
	.quad	0
	.quad	0x00cf9b000000ffff	/* SEL_CODE32: flat */
	.quad	0x00cf93000000ffff	/* SEL_DATA32: flat */
	.quad	0x00009b000000ffff	/* SEL_CODE16: base 0, 64 KiB */
	.quad	0x000093000000ffff	/* SEL_DATA16: base 0, 64 KiB */
gdt_end:
gdt_pointer:
	.word	gdt_end - gdt - 1
	.long	gdt

	.section .bss
	.balign	16
	.skip	32768
stack_top:
	.skip	8192
ap_stack_top:

	.section .note.GNU-stack, "", @progbits
