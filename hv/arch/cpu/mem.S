/*
 * Bulk memory functions of the freestanding build (contracts: ISO C). Eight bytes at a time with the
 * string instructions: no FPU needed, fast on processors and on emulators.
 */
	.text
/* rdi = destination, rsi = source, rdx = bytes; rax = destination. Clobbers rcx. */
	.global memcpy
memcpy:
	mov %rdi, %rax
copy_up:
	mov %rdx, %rcx
	shr $3, %rcx
	rep movsq
	mov %edx, %ecx
	and $7, %ecx
	rep movsb
	ret

/* As memcpy; the areas may overlap. */
	.global memmove
memmove:
	mov %rdi, %rax
	mov %rdi, %rcx
	sub %rsi, %rcx
	cmp %rdx, %rcx
	jae copy_up
	/* The destination starts inside the source: from the end down. */
	std
	lea -1(%rsi,%rdx), %rsi
	lea -1(%rdi,%rdx), %rdi
	mov %edx, %ecx
	and $7, %ecx
	rep movsb
	mov %rdx, %rcx
	shr $3, %rcx
	sub $7, %rsi
	sub $7, %rdi
	rep movsq
	cld
	ret

/* rdi = destination, esi = byte, rdx = bytes; rax = destination. Clobbers rcx, r8. */
	.global memset
memset:
	mov %rdi, %r8
	movzbl %sil, %eax
	mov $0x0101010101010101, %rcx
	imul %rcx, %rax
	mov %rdx, %rcx
	shr $3, %rcx
	rep stosq
	mov %edx, %ecx
	and $7, %ecx
	rep stosb
	mov %r8, %rax
	ret

	.section .note.GNU-stack, "", @progbits
