/*
 * The world switch of SVM (AMD APM volume 2, "VMRUN and VMEXIT").
 *
 * void svm_enter_guest(uint64_t *gpr, uint64_t vmcb_pa, uint64_t host_pa)
 *   in:  rdi = array of 16 guest registers in encoding order (rax and rsp slots are not used here)
 *        rsi = guest VMCB, rdx = host VMCB for VMLOAD, both physical
 *   out: the array holds the guest's registers at the exit
 *   clobbers: what the C ABI allows. Interrupts: off on entry and exit; GIF is set on both.
 *
 * GIF stays clear from before the check-free stretch until the host's FS, GS, TR are back, so that
 * neither an NMI nor an interrupt can see guest state in them. IF is set under it: with virtual
 * interrupt masking it is the host's IF that lets a physical interrupt end the guest's run.
 */
#include "asm_offsets.h"

	.text
	.globl	svm_enter_guest
	.type	svm_enter_guest, @function
svm_enter_guest:
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	%rdx
	push	%rdi
	mov	%rsi, %rax
	clgi
	sti
	mov	GPR_OFF_RCX(%rdi), %rcx
	mov	GPR_OFF_RDX(%rdi), %rdx
	mov	GPR_OFF_RBX(%rdi), %rbx
	mov	GPR_OFF_RBP(%rdi), %rbp
	mov	GPR_OFF_RSI(%rdi), %rsi
	mov	GPR_OFF_R8(%rdi), %r8
	mov	GPR_OFF_R9(%rdi), %r9
	mov	GPR_OFF_R10(%rdi), %r10
	mov	GPR_OFF_R11(%rdi), %r11
	mov	GPR_OFF_R12(%rdi), %r12
	mov	GPR_OFF_R13(%rdi), %r13
	mov	GPR_OFF_R14(%rdi), %r14
	mov	GPR_OFF_R15(%rdi), %r15
	mov	GPR_OFF_RDI(%rdi), %rdi
	vmload	%rax
	vmrun	%rax
	vmsave	%rax
	xchg	%rdi, (%rsp)
	mov	%rcx, GPR_OFF_RCX(%rdi)
	mov	%rdx, GPR_OFF_RDX(%rdi)
	mov	%rbx, GPR_OFF_RBX(%rdi)
	mov	%rbp, GPR_OFF_RBP(%rdi)
	mov	%rsi, GPR_OFF_RSI(%rdi)
	mov	%r8, GPR_OFF_R8(%rdi)
	mov	%r9, GPR_OFF_R9(%rdi)
	mov	%r10, GPR_OFF_R10(%rdi)
	mov	%r11, GPR_OFF_R11(%rdi)
	mov	%r12, GPR_OFF_R12(%rdi)
	mov	%r13, GPR_OFF_R13(%rdi)
	mov	%r14, GPR_OFF_R14(%rdi)
	mov	%r15, GPR_OFF_R15(%rdi)
	pop	%rcx
	mov	%rcx, GPR_OFF_RDI(%rdi)
	pop	%rax
	vmload	%rax
	/* No guest value stays in a register that host code might use speculatively. */
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%esi, %esi
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d
	cli
	stgi
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	ret
	.size	svm_enter_guest, . - svm_enter_guest

/* void svm_save_host(uint64_t host_pa): rdi = page for VMSAVE; clobbers rax. */
	.globl	svm_save_host
	.type	svm_save_host, @function
svm_save_host:
	mov	%rdi, %rax
	vmsave	%rax
	ret
	.size	svm_save_host, . - svm_save_host
	.section .note.GNU-stack,"",@progbits
