/*
 * Secondary CPU start: the code that is copied to the trampoline page below 1 MiB. From real mode straight to long mode on
 * the boot page tables, then to smp_boot_entry(cpu) on the CPU's own stack. struct smp_boot lies at the page's end.
 */
#include "arch/layout.h"
#include "asm_offsets.h"

#define MSR_EFER    0xc0000080
#define MSR_GS_BASE 0xc0000101
#define PA(symbol)  ((symbol) - IMAGE_VIRT)
#define BOOT(member) (4096 - SMP_BOOT_SIZE + (member))

	.section .rodata
	.balign 16
	.global trampoline_start, trampoline_end
	.code16
/* In: cs = page address / 16, ip = 0. */
trampoline_start:
	cli
	cld
	mov %cs, %ax
	mov %ax, %ds
	movzwl %ax, %ebx
	shl $4, %ebx
	lgdtl trampoline_gdt - trampoline_start
	mov $0x20, %eax                 /* PAE */
	mov %eax, %cr4
	mov BOOT(SMP_BOOT_CR3), %eax
	mov %eax, %cr3
	mov $MSR_EFER, %ecx
	rdmsr
	or $0x901, %eax                 /* NXE, LME, SCE */
	wrmsr
	mov $0x80010033, %eax           /* PG, WP, NE, ET, MP, PE */
	mov %eax, %cr0
	ljmpl $SEL_CODE, $PA(trampoline_64)
	.balign 4
trampoline_gdt:
	.short 23
	.long PA(boot_gdt)
trampoline_end:

	.text
	.code64
/* In: ebx = physical address of the trampoline page. */
trampoline_64:
	mov $trampoline_high, %rax
	jmp *%rax
trampoline_high:
	lgdt trampoline_gdt_high
	mov $SEL_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	xor %eax, %eax
	mov %eax, %fs
	mov %eax, %gs
	lldt %ax
	mov %ebx, %ebx
	mov BOOT(SMP_BOOT_STACK)(%rbx), %rsp
	mov BOOT(SMP_BOOT_CPU)(%rbx), %rdi
	mov BOOT(SMP_BOOT_CR3_FINAL)(%rbx), %rsi
	mov %rsi, %cr3
	mov %rdi, %rax
	mov %rdi, %rdx
	shr $32, %rdx
	mov $MSR_GS_BASE, %ecx
	wrmsr
	xor %ebp, %ebp
	push %rbp
	call smp_boot_entry
	ud2

	.section .rodata
	.balign 8
trampoline_gdt_high:
	.short 23
	.quad boot_gdt

	.section .note.GNU-stack, "", @progbits
