/*
 * The processor's view of one virtual CPU: registers and the vendor's state. Knows nothing of domains.
 *
 * [own] everything: touched by the CPU that runs it, or by others while it is off its CPU.
 */
#ifndef ARCH_VCPU_ARCH_H
#define ARCH_VCPU_ARCH_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/addr.h"
#include "emul/emul.h"

/* General registers in the order of their encoding; rsp, rip and rflags live in the vendor's state
 * while a guest runs and are copied here after every exit and back before every entry. */
struct guest_regs {
	uint64_t gpr[GPR_COUNT];
	uint64_t rip, rflags;
};

enum vseg { VSEG_ES, VSEG_CS, VSEG_SS, VSEG_DS, VSEG_FS, VSEG_GS, VSEG_LDTR, VSEG_TR, VSEG_COUNT };

/* Control state in one go. */
struct sys_regs {
	uint64_t cr0, cr2, cr3, cr4, efer;
	uint64_t dr6, dr7;
	uint64_t gdt_base, idt_base;
	uint32_t gdt_limit, idt_limit;
};

/* Which parts set_sys() takes over. */
enum { SYS_CR0 = 1, SYS_CR2 = 2, SYS_CR3 = 4, SYS_CR4 = 8, SYS_EFER = 16, SYS_DR = 32, SYS_DT = 64,
       SYS_ALL = 127 };

struct svm_vcpu;
struct vmx_vcpu;

#define XSAVE_AREA_MAX 4096

/* In cr8 before an entry, never after it: lend_apic() was called. */
#define CR8_APIC_LENT 0x80

/* What a processor works on that delivers interrupts by itself: requested, in service, whose EOI is to end the run. */
struct virt_apic {
	uint64_t irr[4], isr[4], eoi_exit[4];
	uint8_t tpr;
	int ended;                      /* after the run: the vector whose EOI ended it, or -1 */
};

struct arch_vcpu {
	struct guest_regs regs;         /* [own] */
	union {
		struct svm_vcpu *svm;
		struct vmx_vcpu *vmx;
	};
	hpa_t p2m_root;                 /* const after init: the nested page table */
	uint64_t tlb_gen;               /* [own] generation of the p2m that this vCPU's TLB has seen */
	const uint64_t *p2m_gen;        /* const: where the p2m counts its generations */
	uint8_t *xsave;                 /* XSAVE_AREA_MAX bytes, 64-aligned */
	uint64_t xcr0, xss;
	uint64_t guest_dr[4];           /* DR0-DR3 while not loaded */
	uint64_t tsc_aux;
	bool apic_registers;            /* const after init: the vendor wants set_apic() */
	bool apic_delivery;             /* the processor delivers what lend_apic() gave; set by set_apic() */
	bool tsc_aux_ok;                /* const: the processor has TSC_AUX */
	uint8_t cr8;                    /* task priority: set before entry, read after exit; CR8_APIC_LENT */
	int64_t tsc_offset;             /* guest TSC = scaled host TSC + offset */
	uint64_t tsc_ratio;             /* lib/tscratio.h */
	uint32_t last_cpu;              /* physical CPU it ran on last; ~0: none */
	struct vm_event_slot { bool valid; uint8_t type, vector; bool has_error; uint32_t error; }
		injected;               /* event given to the processor for the next entry */
};

#endif
