/*
 * From the boot loader to C: multiboot headers, 32-bit entry, early page tables, long mode.
 *
 * Two headers stand at the start of the image. The multiboot1 one carries the address fields, so that
 * a loader that knows only 32-bit ELF loads the file by its plain layout. Owns the boot page tables
 * (identity, direct map and image, for the first 4 GiB); other processors start on them too.
 * (Multiboot2 Specification, "OS image format"; Multiboot Specification 0.6.96, "The header layout".)
 */
#include "arch/layout.h"
#include "asm_offsets.h"

#define MB1_MAGIC 0x1badb002
#define MB1_FLAGS 0x00010003            /* address fields, page-aligned modules, memory map */
#define MB2_MAGIC 0xe85250d6

#define MSR_EFER 0xc0000080
#define MSR_GS_BASE 0xc0000101
#define PTE_TABLE 0x003                 /* present, writable */
#define PTE_LARGE 0x083                 /* the same, 2 MiB page */

#define PA(symbol) ((symbol) - IMAGE_VIRT)

	.section .multiboot, "a"
	.balign 8
mb2_header:
	.long MB2_MAGIC, 0, mb2_end - mb2_header
	.long -(MB2_MAGIC + (mb2_end - mb2_header))
	/* entry address (32-bit physical) */
	.balign 8
	.short 3, 0
	.long 12, PA(boot_start)
	/* modules page-aligned */
	.balign 8
	.short 6, 0
	.long 8
	/* console: text mode wanted, optional */
	.balign 8
	.short 4, 1
	.long 12, 2
	/* end */
	.balign 8
	.short 0, 0
	.long 8
mb2_end:
	.balign 4
mb1_header:
	.long MB1_MAGIC, MB1_FLAGS, -(MB1_MAGIC + MB1_FLAGS)
	.long PA(mb1_header), image_start_pa, image_data_end_pa, image_end_pa, PA(boot_start)

	.section .head.text, "ax"
	.code32
/* In: eax = loader's magic, ebx = its information. Interrupts off, flat segments, paging off. */
	.global boot_start
boot_start:
	cld
	mov %eax, %ebp
	mov %ebx, %esi                  /* CPUID overwrites ebx */
	/* Our variables must be zero; not every loader clears them. */
	mov $image_data_end_pa, %edi
	mov $image_end_pa, %ecx
	sub %edi, %ecx
	shr $2, %ecx
	xor %eax, %eax
	rep stosl
	mov $PA(boot_stack + BOOT_STACK_SIZE), %esp

	mov $0x80000000, %eax
	cpuid
	cmp $0x80000001, %eax
	jb no_long_mode
	mov $0x80000001, %eax
	cpuid
	bt $29, %edx                    /* long mode */
	jnc no_long_mode
	bt $20, %edx                    /* no-execute */
	jnc no_long_mode

	/* Four page directories: 2048 large pages, physical 0 to 4 GiB. */
	mov $PA(boot_pd), %edi
	mov $PTE_LARGE, %eax
	mov $2048, %ecx
1:	mov %eax, (%edi)
	movl $0, 4(%edi)
	add $0x200000, %eax
	add $8, %edi
	loop 1b
	mov $PA(boot_pd) + PTE_TABLE, %eax
	mov $PA(boot_pdpt), %edi
	mov $4, %ecx
1:	mov %eax, (%edi)
	add $0x1000, %eax
	add $8, %edi
	loop 1b
	movl $PA(boot_pd) + PTE_TABLE, PA(boot_pdpt_image) + 510 * 8
	movl $PA(boot_pdpt) + PTE_TABLE, PA(boot_pml4)
	movl $PA(boot_pdpt) + PTE_TABLE, PA(boot_pml4) + 256 * 8
	movl $PA(boot_pdpt_image) + PTE_TABLE, PA(boot_pml4) + 511 * 8

	mov $0x20, %eax                 /* CR4.PAE */
	mov %eax, %cr4
	mov $PA(boot_pml4), %eax
	mov %eax, %cr3
	mov $MSR_EFER, %ecx
	rdmsr
	or $0x901, %eax                 /* NXE, LME, SCE */
	wrmsr
	mov $0x80010033, %eax           /* PG, WP, NE, ET, MP, PE */
	mov %eax, %cr0
	lgdt PA(boot_gdt_low)
	ljmp $SEL_CODE, $PA(boot_64)

no_long_mode:
	mov $PA(no_long_mode_text), %esi
	mov $0xb8000, %edi
1:	lodsb
	test %al, %al
	jz 3f
	mov $0x0f, %ah
	mov %ax, (%edi)
	add $2, %edi
	out %al, $0xe9
	mov %al, %ah
	mov $0x3fd, %dx
	mov $100000, %ecx
2:	in %dx, %al
	test $0x20, %al
	loopz 2b
	mov $0x3f8, %dx
	mov %ah, %al
	out %al, %dx
	jmp 1b
3:	cli
	hlt
	jmp 3b

	.code64
boot_64:
	mov $boot_64_high, %rax
	jmp *%rax
boot_64_high:
	lgdt boot_gdt_high
	mov $SEL_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	xor %eax, %eax
	mov %eax, %fs
	mov %eax, %gs
	lldt %ax
	mov $boot_stack + BOOT_STACK_SIZE, %rsp
	/* this_cpu() works from the first line of C on. */
	mov $boot_cpu, %rax
	mov %rax, CPU_SELF(%rax)
	mov %rsp, CPU_STACK_TOP(%rax)
	mov %rax, %rdx
	shr $32, %rdx
	mov $MSR_GS_BASE, %ecx
	wrmsr
	mov %ebp, %edi
	mov %esi, %esi
	xor %ebp, %ebp
	push %rbp
	call hv_start
	ud2

	.section .rodata
no_long_mode_text:
	.asciz "Ostler needs a 64-bit processor with no-execute pages.\r\n"
	.balign 8
	.global boot_gdt
boot_gdt:
	.quad 0
	.quad 0x00af9b000000ffff        /* 64-bit code */
	.quad 0x00cf93000000ffff        /* data */
boot_gdt_end:
	.short 0, 0, 0
	.global boot_gdt_low
boot_gdt_low:
	.short boot_gdt_end - boot_gdt - 1
	.long PA(boot_gdt)
	.short 0, 0, 0
boot_gdt_high:
	.short boot_gdt_end - boot_gdt - 1
	.quad boot_gdt

	.section .bss.page, "aw", @nobits
	.balign 4096
	.global boot_pml4
boot_pml4:	.skip 4096
boot_pdpt:	.skip 4096
boot_pdpt_image: .skip 4096
boot_pd:	.skip 4 * 4096
	.global boot_stack
boot_stack:	.skip BOOT_STACK_SIZE

	.section .note.GNU-stack, "", @progbits
