/*
 * THE VENDOR INTERFACE: what a back end (SVM, VMX) does. `virt` is chosen once at start-up.
 *
 * All functions but cpu_up() work on a vCPU that runs on this CPU or on none.
 */
#ifndef ARCH_VIRT_H
#define ARCH_VIRT_H

#include <stdbool.h>
#include <stdint.h>
#include "arch/vcpu_arch.h"
#include "arch/vmexit.h"
#include "arch/p2m_format.h"

enum virt_window {
	WINDOW_INTR,            /* RFLAGS.IF set and no shadow */
	WINDOW_NMI,             /* no NMI being handled and no shadow */
	WINDOW_TPR              /* the task priority was written (want_window only): VMEXIT_CR, CR8 */
};

/* How a vCPU differs by what it is for. */
struct virt_vcpu_config {
	hpa_t p2m_root;
	const uint64_t *p2m_gen;
	bool direct_io;                 /* Dom0: ports are the machine's, except those trapped below */
	const uint16_t *trapped_ports;  /* pairs first,last; ends with 0,0 */
	bool pause_exits;               /* loops of PAUSE leave the guest: another vCPU of it may hold what this one waits for */
};

/* The part of the state that says where the next instruction is and how it is encoded. */
struct virt_code {
	uint64_t cs_base;
	uint64_t cr0, cr3, cr4, efer;
	bool long64;                    /* 64-bit code */
	bool big;                       /* the code segment's D: 32-bit code, if it is protected mode and not 64-bit code */
};

struct virt_ops {
	const char *name;
	const char *hypercall_insn;     /* 3 bytes: VMCALL or VMMCALL */
	const struct p2m_format *p2m;
	uint64_t efer_bits;             /* what a guest may write to EFER; the others are reserved */
	/* Turn the extension on for this CPU; -errno with one clear line logged. */
	int (*cpu_up)(void);
	int (*vcpu_init)(struct arch_vcpu *v, const struct virt_vcpu_config *config);
	void (*vcpu_free)(struct arch_vcpu *v);
	/* The architectural reset state (Intel SDM, "Processor State After Reset"). */
	void (*vcpu_reset)(struct arch_vcpu *v);
	/* Give this CPU's hardware to the vCPU (its FPU, debug registers, ...) and take it back. */
	void (*switch_in)(struct arch_vcpu *v);
	void (*switch_out)(struct arch_vcpu *v);
	/*
	 * Run the guest once. Called with interrupts off and returns with them off; what interrupted it on
	 * the host's side has not been served yet when exit->kind is VMEXIT_NONE: the caller enables interrupts.
	 */
	void (*enter)(struct arch_vcpu *v, struct vmexit *exit);
	void (*get_seg)(const struct arch_vcpu *v, enum vseg seg, struct emul_segment *s);
	/* What deciding where and how code is read takes. */
	void (*get_code)(const struct arch_vcpu *v, struct virt_code *c);
	void (*set_seg)(struct arch_vcpu *v, enum vseg seg, const struct emul_segment *s);
	void (*get_sys)(const struct arch_vcpu *v, struct sys_regs *s);
	/* Raw: no checks and no side effects but keeping the vendor's own invariants. */
	void (*set_sys)(struct arch_vcpu *v, const struct sys_regs *s, unsigned int which);
	/*
	 * The four entries that CR3 points to in 32-bit PAE paging, after a change of CR0, CR3 or CR4 on the guest's
	 * behalf. NULL: this processor reads them from memory when it needs them.
	 */
	void (*set_pdptes)(struct arch_vcpu *v, const uint64_t pdpte[4]);
	unsigned int (*cpl)(const struct arch_vcpu *v);
	/* Put an event into the next entry. */
	void (*inject)(struct arch_vcpu *v, const struct vm_event *e);
	/* Can the guest take an external interrupt / NMI right now (IF, shadows, NMI mask)? */
	bool (*can_take)(const struct arch_vcpu *v, enum virt_window w);
	/* Ask for an exit as soon as it can, or stop asking. */
	void (*want_window)(struct arch_vcpu *v, enum virt_window w, bool on);
	/* STI/MOV SS shadow: read, and set or clear it after an emulated instruction. */
	bool (*get_shadow)(const struct arch_vcpu *v);
	void (*set_shadow)(struct arch_vcpu *v, bool on);
	/* MSRs whose guest value lives in vendor state (SYSENTER, STAR, FS/GS base, PAT ...): -ENOENT: not mine. */
	int (*msr_read)(const struct arch_vcpu *v, uint32_t msr, uint64_t *value);
	int (*msr_write)(struct arch_vcpu *v, uint32_t msr, uint64_t value);
	/*
	 * For a vCPU with apic_registers: the 64 registers of its local APIC, which is in x2APIC mode, after one of them has
	 * changed; NULL: it is not in that mode.
	 */
	void (*set_apic)(struct arch_vcpu *v, const uint32_t *reg);
	/*
	 * For a vCPU with apic_delivery, before an entry that is made with CR8_APIC_LENT, and after it: the state of its
	 * interrupts goes into the processor's hands and comes back.
	 */
	void (*lend_apic)(struct arch_vcpu *v, const struct virt_apic *a);
	void (*return_apic)(struct arch_vcpu *v, struct virt_apic *a);
	void (*set_tsc_offset)(struct arch_vcpu *v, int64_t offset);
	/*
	 * Another rate than the machine's, before the vCPU has run; 0: the machine's. -EOPNOTSUPP: this processor cannot. NULL:
	 * nor can any other of this vendor's.
	 */
	int (*set_tsc_ratio)(struct arch_vcpu *v, uint64_t ratio);
	/* Forget all translations of this vCPU at its next entry. */
	void (*flush)(struct arch_vcpu *v);
	/* Print everything. */
	void (*dump)(const struct arch_vcpu *v);
};

extern const struct virt_ops *virt;     /* const after virt_init() */
extern const struct virt_ops svm_ops, vmx_ops;

/* Choose the back end for this machine; logs one clear line and returns -ENODEV when there is none. */
int virt_init(void);
/* On every CPU, before it runs a guest. */
int virt_cpu_up(void);

#endif
