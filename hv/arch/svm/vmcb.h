/*
 * The virtual machine control block (AMD APM volume 2, appendix "VMCB Layout") and its numbers.
 */
#ifndef ARCH_SVM_VMCB_H
#define ARCH_SVM_VMCB_H

#include <stddef.h>
#include <stdint.h>

#define VMCB_ATTR_L (1u << 9)            /* code: 64-bit */
#define VMCB_ATTR_D (1u << 10)           /* code: 32-bit */

struct vmcb_seg {
	uint16_t sel, attr;             /* attr: VMCB_ATTR_L and the rest of the descriptor's type and flags */
	uint32_t limit;
	uint64_t base;
};

struct vmcb {
	/* control area */
	uint16_t cr_read, cr_write, dr_read, dr_write;
	uint32_t exceptions, intercept1, intercept2, intercept3;
	uint8_t pad0[0x3c - 0x18];
	uint16_t pause_threshold, pause_count;
	uint64_t iopm, msrpm, tsc_offset;
	uint32_t asid;
	uint8_t tlb_control, pad1[3];
	uint64_t vintr, shadow;
	uint64_t exitcode, exitinfo1, exitinfo2, exitintinfo;
	uint64_t np_enable, avic_bar, ghcb;
	uint64_t eventinj, n_cr3, lbr_enable;
	uint32_t clean, pad2;
	uint64_t nrip;
	uint8_t insn_len, insn[15];
	uint8_t pad3[0x400 - 0xe0];
	/* state save area */
	struct vmcb_seg es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	uint8_t pad4[0x4cb - 0x4a0];
	uint8_t cpl;
	uint32_t pad5;
	uint64_t efer;
	uint8_t pad6[0x548 - 0x4d8];
	uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
	uint8_t pad7[0x5d8 - 0x580];
	uint64_t rsp;
	uint8_t pad8[0x5f8 - 0x5e0];
	uint64_t rax, star, lstar, cstar, sfmask, kernel_gs_base;
	uint64_t sysenter_cs, sysenter_esp, sysenter_eip, cr2;
	uint8_t pad9[0x668 - 0x648];
	uint64_t g_pat, dbgctl, br_from, br_to, int_from, int_to;
	uint8_t pad10[0x1000 - 0x698];
};

_Static_assert(sizeof(struct vmcb) == 0x1000, "VMCB is one page");
_Static_assert(offsetof(struct vmcb, iopm) == 0x40, "IOPM_BASE_PA");
_Static_assert(offsetof(struct vmcb, vintr) == 0x60, "virtual interrupt control");
_Static_assert(offsetof(struct vmcb, exitcode) == 0x70, "EXITCODE");
_Static_assert(offsetof(struct vmcb, eventinj) == 0xa8, "EVENTINJ");
_Static_assert(offsetof(struct vmcb, nrip) == 0xc8, "nRIP");
_Static_assert(offsetof(struct vmcb, cpl) == 0x4cb, "CPL");
_Static_assert(offsetof(struct vmcb, cr4) == 0x548, "CR4");
_Static_assert(offsetof(struct vmcb, rsp) == 0x5d8, "RSP");
_Static_assert(offsetof(struct vmcb, cr2) == 0x640, "CR2");
_Static_assert(offsetof(struct vmcb, g_pat) == 0x668, "G_PAT");

/* intercept1 */
enum {
	SVM_I1_INTR = 1u << 0, SVM_I1_NMI = 1u << 1, SVM_I1_SMI = 1u << 2, SVM_I1_INIT = 1u << 3,
	SVM_I1_VINTR = 1u << 4, SVM_I1_RDPMC = 1u << 15, SVM_I1_CPUID = 1u << 18,
	SVM_I1_RSM = 1u << 19, SVM_I1_IRET = 1u << 20, SVM_I1_INVD = 1u << 22,
	SVM_I1_PAUSE = 1u << 23, SVM_I1_HLT = 1u << 24, SVM_I1_INVLPGA = 1u << 26,
	SVM_I1_IOIO = 1u << 27, SVM_I1_MSR = 1u << 28, SVM_I1_TASK = 1u << 29,
	SVM_I1_FERR = 1u << 30, SVM_I1_SHUTDOWN = 1u << 31
};
/* intercept2 */
enum {
	SVM_I2_VMRUN = 1u << 0, SVM_I2_VMMCALL = 1u << 1, SVM_I2_VMLOAD = 1u << 2,
	SVM_I2_VMSAVE = 1u << 3, SVM_I2_STGI = 1u << 4, SVM_I2_CLGI = 1u << 5,
	SVM_I2_SKINIT = 1u << 6, SVM_I2_ICEBP = 1u << 8, SVM_I2_WBINVD = 1u << 9, SVM_I2_MONITOR = 1u << 10,
	SVM_I2_MWAIT = 1u << 11, SVM_I2_XSETBV = 1u << 13, SVM_I2_RDPRU = 1u << 14
};

/* virtual interrupt control */
#define VINTR_TPR        0xffull
#define VINTR_IRQ        (1ull << 8)
#define VINTR_PRIO_SHIFT 16
#define VINTR_IGNORE_TPR (1ull << 20)
#define VINTR_VECTOR_SHIFT 32
#define VINTR_MASKING    (1ull << 24)

/* event field: EVENTINJ and EXITINTINFO */
#define SVM_EVENT_VALID  (1ull << 31)
#define SVM_EVENT_ERROR  (1ull << 11)

enum svm_exitcode {
	SVM_EXIT_CR_READ = 0x00, SVM_EXIT_CR_WRITE = 0x10, SVM_EXIT_DR_READ = 0x20,
	SVM_EXIT_DR_WRITE = 0x30, SVM_EXIT_EXCEPTION = 0x40, SVM_EXIT_INTR = 0x60,
	SVM_EXIT_NMI = 0x61, SVM_EXIT_SMI = 0x62, SVM_EXIT_INIT = 0x63, SVM_EXIT_VINTR = 0x64,
	SVM_EXIT_RDTSC = 0x6e, SVM_EXIT_RDPMC = 0x6f, SVM_EXIT_CPUID = 0x72, SVM_EXIT_RSM = 0x73,
	SVM_EXIT_IRET = 0x74, SVM_EXIT_INVD = 0x76, SVM_EXIT_PAUSE = 0x77, SVM_EXIT_HLT = 0x78,
	SVM_EXIT_INVLPG = 0x79, SVM_EXIT_INVLPGA = 0x7a, SVM_EXIT_IOIO = 0x7b,
	SVM_EXIT_MSR = 0x7c, SVM_EXIT_TASK = 0x7d, SVM_EXIT_FERR = 0x7e, SVM_EXIT_SHUTDOWN = 0x7f,
	SVM_EXIT_VMRUN = 0x80, SVM_EXIT_VMMCALL = 0x81, SVM_EXIT_VMLOAD = 0x82,
	SVM_EXIT_VMSAVE = 0x83, SVM_EXIT_STGI = 0x84, SVM_EXIT_CLGI = 0x85,
	SVM_EXIT_SKINIT = 0x86, SVM_EXIT_ICEBP = 0x88, SVM_EXIT_WBINVD = 0x89, SVM_EXIT_MONITOR = 0x8a,
	SVM_EXIT_MWAIT = 0x8b, SVM_EXIT_XSETBV = 0x8d, SVM_EXIT_RDPRU = 0x8e, SVM_EXIT_TABLE = 0x90,
	SVM_EXIT_NPF = 0x400
};
#define SVM_EXIT_INVALID (~0ull)
/* QEMU's TCG: a failed VMRUN, but also a guest's MOV of reserved bits to CR3 or CR4, in place of #GP. */
#define SVM_EXIT_TCG_INVALID 0xffffffffull

#endif
