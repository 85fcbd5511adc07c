/*
 * An exit is data: what happened in the guest, vendor-neutral. Filled by svm/exit.c (or vmx/exit.c),
 * read by hvm/. Nothing above the vendor layer reads a VMCB or VMCS.
 */
#ifndef ARCH_VMEXIT_H
#define ARCH_VMEXIT_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/addr.h"

enum vmexit_kind {
	VMEXIT_NONE,            /* nothing for the upper layer: host event, enter again */
	VMEXIT_PIO, VMEXIT_NPF, VMEXIT_CPUID, VMEXIT_MSR, VMEXIT_CR, VMEXIT_DR, VMEXIT_HLT,
	VMEXIT_PAUSE, VMEXIT_HYPERCALL, VMEXIT_EXCEPTION, VMEXIT_INTR_WINDOW, VMEXIT_NMI_WINDOW,
	VMEXIT_TASK_SWITCH, VMEXIT_INVLPG, VMEXIT_WBINVD, VMEXIT_XSETBV, VMEXIT_RDTSC, VMEXIT_RDPMC,
	VMEXIT_UNDEFINED,       /* an instruction that this guest must find undefined: #UD */
	VMEXIT_SHUTDOWN,        /* triple fault */
	VMEXIT_ICEBP,           /* INT1, not executed */
	VMEXIT_CR_REFUSED,      /* an impossible value for CR3 or CR4, or else VMEXIT_ENTRY_FAILED: look at the code */
	VMEXIT_ENTRY_FAILED,    /* the processor refused the guest state */
	VMEXIT_OTHER,           /* an exit that was never asked for */
	VMEXIT_KINDS
};

/* How an event enters a guest; numbers are those of both vendors' event fields. */
enum vm_event_type { EVENT_EXTINT = 0, EVENT_NMI = 2, EVENT_EXCEPTION = 3, EVENT_SOFTINT = 4 };

struct vm_event {
	bool valid;
	uint8_t type;                   /* enum vm_event_type */
	uint8_t vector;
	bool has_error;
	uint32_t error;
	uint64_t cr2;                   /* page fault only */
	uint8_t insn_len;               /* software interrupts */
};

struct vmexit {
	enum vmexit_kind kind;
	uint8_t insn_len;               /* of the instruction that caused the exit; 0: unknown */
	bool shadow;                    /* the guest was in the shadow of STI or MOV SS */
	struct vm_event interrupted;    /* event whose delivery the exit cut short; must be delivered again */
	uint64_t raw[3];                /* the vendor's numbers, for trace and panic only */
	struct {
		uint64_t linear, cr3;   /* where an instruction with insn_len 0 is; only for kinds that are instructions */
	} code;
	union {
		struct {
			uint16_t port;
			uint8_t size;           /* 1, 2, 4 */
			bool write, string, rep;
		} pio;
		struct {
			gpa_t gpa;
			bool write, fetch, present;
			bool table_walk;        /* during the walk of the guest's own page tables */
		} npf;
		struct {
			uint32_t index;
			bool write;
			bool kernel;            /* at CPL 0 */
		} msr;
		struct {
			bool kernel;            /* the caller is at CPL 0 */
			bool long64;            /* 64-bit code */
		} hypercall;
		struct {
			uint8_t cr;
			bool write;
			bool decoded;           /* gpr, clts, lmsw are valid; else the emulator decodes */
			bool clts, lmsw;
			uint8_t gpr;
			uint16_t lmsw_source;
		} cr;
		struct {
			uint8_t dr;
			bool write;
		} dr;
		struct {
			uint8_t vector;
			bool has_error;
			uint32_t error;
			uint64_t cr2;
		} exception;
		struct {
			uint16_t selector;
			uint8_t source;         /* 0 call, 1 iret, 2 jmp, 3 gate */
			bool has_error;
			uint32_t error;
		} task;
		struct {
			uint64_t code;
		} other;
	};
};

#endif
