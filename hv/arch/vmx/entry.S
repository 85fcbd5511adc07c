/*
 * The world switch of VMX (Intel SDM volume 3, "VM Entries", "VM Exits").
 *
 * unsigned int vmx_enter_guest(uint64_t *gpr, bool launched)
 *   in:  rdi = array of 16 guest registers in encoding order (the rsp slot is not used here), esi = VMRESUME, not
 *        VMLAUNCH. The VMCS is current; its HOST_RIP is vmx_exit_label.
 *   out: eax = 0: a VM exit brought us back, the array holds the guest's registers; 1: failed, VMCS not current;
 *        2: failed with an error number. The array is unchanged then.
 *   clobbers: what the C ABI allows. Interrupts: off on entry and exit.
 */
#include "asm_offsets.h"

	.text
	.globl	vmx_enter_guest
	.type	vmx_enter_guest, @function
vmx_enter_guest:
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	%rdi
	mov	$VMX_HOST_RSP, %edx
	vmwrite	%rsp, %rdx
	jbe	.Lfailed
	test	%sil, %sil
	mov	GPR_OFF_RAX(%rdi), %rax
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
	jnz	.Lresume
	vmlaunch
	jmp	.Lfailed
.Lresume:
	vmresume
.Lfailed:
	/* CF: no current VMCS; ZF: an error number waits in it. */
	mov	$1, %eax
	jc	.Lout
	mov	$2, %eax
	jmp	.Lout

	.globl	vmx_exit_label
vmx_exit_label:
	xchg	%rdi, (%rsp)
	mov	%rax, GPR_OFF_RAX(%rdi)
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
	mov	(%rsp), %rcx
	mov	%rcx, GPR_OFF_RDI(%rdi)
	xor	%eax, %eax
.Lout:
	/* No guest value stays in a register that host code might use speculatively. */
	add	$8, %rsp
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%esi, %esi
	xor	%edi, %edi
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	ret
	.size	vmx_enter_guest, . - vmx_enter_guest

/*
 * void vmx_host_nmi(void), void vmx_host_mce(void): an NMI or machine check that ended a guest's run goes through the
 * host's own gate. The IRET of the handler is what lets the next NMI in. Clobber nothing.
 */
	.globl	vmx_host_nmi
	.type	vmx_host_nmi, @function
vmx_host_nmi:
	int	$2
	ret
	.size	vmx_host_nmi, . - vmx_host_nmi

	.globl	vmx_host_mce
	.type	vmx_host_mce, @function
vmx_host_mce:
	int	$18
	ret
	.size	vmx_host_mce, . - vmx_host_mce
	.section .note.GNU-stack,"",@progbits
