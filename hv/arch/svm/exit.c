/*
 * From an exit code to struct vmexit (AMD APM volume 2, "SVM Intercept Codes").
 */
#include "arch/svm/svm.h"
#include "arch/x86.h"
#include "lib/mem.h"
#include "lib/util.h"

typedef void (*decode_fn)(const struct vmcb *c, struct vmexit *e);

static bool is_long64(const struct vmcb *c)
{
	return (c->efer & EFER_LMA) && (c->cs.attr & VMCB_ATTR_L);
}

/* An instruction's length when the processor says where the next one begins; else where it is, so that it can be read. */
static void decode_insn(const struct vmcb *c, struct vmexit *e)
{
	uint64_t len = c->nrip - c->rip;
	if (svm_caps.nrip && len >= 1 && len <= 15) {
		e->insn_len = (uint8_t)len;
		return;
	}
	e->code.linear = is_long64(c) ? c->rip : (uint32_t)(c->cs.base + c->rip);
	e->code.cr3 = c->cr3;
}

static void decode_ioio(const struct vmcb *c, struct vmexit *e)
{
	uint32_t i = (uint32_t)c->exitinfo1;
	e->pio.port = (uint16_t)(i >> 16);
	e->pio.write = !(i & 1);
	e->pio.string = i >> 2 & 1;
	e->pio.rep = i >> 3 & 1;
	e->pio.size = i >> 4 & 7;
	uint64_t len = c->exitinfo2 - c->rip;
	if (len >= 1 && len <= 15) {
		e->insn_len = (uint8_t)len;
	} else {
		decode_insn(c, e);
	}
}

static void decode_msr(const struct vmcb *c, struct vmexit *e)
{
	e->msr.write = c->exitinfo1 & 1;
	e->msr.kernel = c->cpl == 0;
	decode_insn(c, e);
}

static void decode_hypercall(const struct vmcb *c, struct vmexit *e)
{
	e->hypercall.kernel = c->cpl == 0;
	e->hypercall.long64 = is_long64(c);
	decode_insn(c, e);
}

static void decode_npf(const struct vmcb *c, struct vmexit *e)
{
	uint64_t error = c->exitinfo1;
	e->npf.gpa = GPA(c->exitinfo2);
	e->npf.present = error & PF_PRESENT;
	e->npf.write = error >> 1 & 1;
	e->npf.fetch = error >> 4 & 1;
	e->npf.table_walk = error >> 33 & 1;
}

/* IRET and JMP have their own bits; an event that was being delivered means a gate of the IDT. */
static void decode_task(const struct vmcb *c, struct vmexit *e)
{
	e->task.selector = (uint16_t)c->exitinfo1;
	e->task.source = c->exitinfo2 >> 36 & 1   ? 1
			 : c->exitinfo2 >> 38 & 1 ? 2
			 : e->interrupted.valid   ? 3
						  : 0;
	e->task.has_error = c->exitinfo2 >> 44 & 1;
	e->task.error = (uint32_t)c->exitinfo2;
}

static void decode_cr(const struct vmcb *c, struct vmexit *e)
{
	e->cr.write = c->exitcode >= SVM_EXIT_CR_WRITE;
	e->cr.cr = c->exitcode & 15;
	e->cr.decoded = svm_caps.decode && c->exitinfo1 >> 63;
	e->cr.clts = e->cr.lmsw = false;        /* the processor does not decode these */
	e->cr.gpr = c->exitinfo1 & 15;
	decode_insn(c, e);
}

static void decode_dr(const struct vmcb *c, struct vmexit *e)
{
	e->dr.write = c->exitcode >= SVM_EXIT_DR_WRITE;
	e->dr.dr = c->exitcode & 15;
}

static void decode_exception(const struct vmcb *c, struct vmexit *e)
{
	e->exception.vector = c->exitcode - SVM_EXIT_EXCEPTION;
	e->exception.has_error = e->exception.vector == EXC_AC;
	e->exception.error = (uint32_t)c->exitinfo1;
	e->exception.cr2 = 0;                   /* page faults are the guest's own */
}

/* Codes that are not here were never asked for: VMEXIT_OTHER. */
static const struct {
	enum vmexit_kind kind;
	decode_fn decode;
	bool known;
} table[SVM_EXIT_TABLE] = {
	[SVM_EXIT_INTR] = { VMEXIT_NONE, NULL, true },
	[SVM_EXIT_NMI] = { VMEXIT_NONE, NULL, true },
	[SVM_EXIT_SMI] = { VMEXIT_NONE, NULL, true },
	[SVM_EXIT_INIT] = { VMEXIT_NONE, NULL, true },
	[SVM_EXIT_FERR] = { VMEXIT_NONE, NULL, true },
	[SVM_EXIT_VINTR] = { VMEXIT_INTR_WINDOW, NULL, true },
	[SVM_EXIT_IRET] = { VMEXIT_NMI_WINDOW, NULL, true },
	[SVM_EXIT_RDPMC] = { VMEXIT_RDPMC, decode_insn, true },
	[SVM_EXIT_CPUID] = { VMEXIT_CPUID, decode_insn, true },
	[SVM_EXIT_INVD] = { VMEXIT_WBINVD, decode_insn, true },
	[SVM_EXIT_WBINVD] = { VMEXIT_WBINVD, decode_insn, true },
	[SVM_EXIT_PAUSE] = { VMEXIT_PAUSE, decode_insn, true },
	[SVM_EXIT_HLT] = { VMEXIT_HLT, decode_insn, true },
	[SVM_EXIT_INVLPG] = { VMEXIT_INVLPG, decode_insn, true },
	[SVM_EXIT_IOIO] = { VMEXIT_PIO, decode_ioio, true },
	[SVM_EXIT_MSR] = { VMEXIT_MSR, decode_msr, true },
	[SVM_EXIT_TASK] = { VMEXIT_TASK_SWITCH, decode_task, true },
	[SVM_EXIT_SHUTDOWN] = { VMEXIT_SHUTDOWN, NULL, true },
	[SVM_EXIT_VMMCALL] = { VMEXIT_HYPERCALL, decode_hypercall, true },
	[SVM_EXIT_ICEBP] = { VMEXIT_ICEBP, decode_insn, true },
	[SVM_EXIT_XSETBV] = { VMEXIT_XSETBV, decode_insn, true },
	[SVM_EXIT_RSM] = { VMEXIT_UNDEFINED, NULL, true },
	[SVM_EXIT_INVLPGA] = { VMEXIT_UNDEFINED, NULL, true },
	[SVM_EXIT_VMRUN] = { VMEXIT_UNDEFINED, NULL, true },
	[SVM_EXIT_VMLOAD] = { VMEXIT_UNDEFINED, NULL, true },
	[SVM_EXIT_VMSAVE] = { VMEXIT_UNDEFINED, NULL, true },
	[SVM_EXIT_STGI] = { VMEXIT_UNDEFINED, NULL, true },
	[SVM_EXIT_CLGI] = { VMEXIT_UNDEFINED, NULL, true },
	[SVM_EXIT_SKINIT] = { VMEXIT_UNDEFINED, NULL, true },
	[SVM_EXIT_MONITOR] = { VMEXIT_UNDEFINED, NULL, true },
	[SVM_EXIT_MWAIT] = { VMEXIT_UNDEFINED, NULL, true },
	[SVM_EXIT_RDPRU] = { VMEXIT_UNDEFINED, NULL, true },
};

/* An event whose delivery was cut short by this exit has to be delivered again. */
static COLD void decode_interrupted(const struct vmcb *c, uint64_t i, struct vmexit *e)
{
	e->interrupted.valid = true;
	e->interrupted.vector = (uint8_t)i;
	e->interrupted.type = i >> 8 & 7;
	e->interrupted.has_error = (i & SVM_EVENT_ERROR) != 0;
	e->interrupted.error = (uint32_t)(i >> 32);
	e->interrupted.cr2 = c->cr2;
	e->interrupted.insn_len = 0;
}

/* The IRET that ends an NMI handler is about to execute; the mask goes once it has. */
static COLD void track_nmi(struct arch_vcpu *v, struct vmexit *e)
{
	struct svm_vcpu *s = v->svm;
	const struct vmcb *c = s->vmcb;
	if (s->stepping && svm_end_step(v)) {
		e->kind = VMEXIT_NONE;
	}
	if (c->exitcode == SVM_EXIT_IRET) {
		s->vmcb->intercept1 &= ~(uint32_t)SVM_I1_IRET;
		s->iret_seen = true;
		s->iret_rip = c->rip;
	} else if (s->iret_seen && c->rip != s->iret_rip) {
		s->nmi_masked = s->iret_seen = false;
	}
}

void svm_decode_exit(struct arch_vcpu *v, struct svm_vcpu *s, struct vmexit *e)
{
	const struct vmcb *c = s->vmcb;
	uint64_t code = c->exitcode;
	e->raw[0] = code;
	e->raw[1] = c->exitinfo1;
	e->raw[2] = c->exitinfo2;
	e->insn_len = 0;
	e->shadow = c->shadow & 1;
	e->interrupted.valid = false;
	if (c->exitintinfo & SVM_EVENT_VALID) {
		decode_interrupted(c, c->exitintinfo, e);
	}
	if (code == SVM_EXIT_NPF) {
		e->kind = VMEXIT_NPF;
		decode_npf(c, e);
	} else if (code == SVM_EXIT_IOIO) {
		/* in the table too, but so frequent */
		e->kind = VMEXIT_PIO;
		decode_ioio(c, e);
	} else if (code < SVM_EXIT_TABLE && table[code].known) {
		e->kind = table[code].kind;
		if (table[code].decode != NULL) {
			table[code].decode(c, e);
		}
		if (e->kind == VMEXIT_MSR) {
			e->msr.index = (uint32_t)v->regs.gpr[GPR_RCX];
		}
	} else if (code < SVM_EXIT_DR_READ) {
		e->kind = VMEXIT_CR;
		decode_cr(c, e);
	} else if (code < SVM_EXIT_EXCEPTION) {
		e->kind = VMEXIT_DR;
		decode_dr(c, e);
	} else if (code < SVM_EXIT_INTR) {
		e->kind = VMEXIT_EXCEPTION;
		decode_exception(c, e);
	} else if (code == SVM_EXIT_TCG_INVALID) {
		e->kind = VMEXIT_CR_REFUSED;
	} else {
		e->kind = code == SVM_EXIT_INVALID ? VMEXIT_ENTRY_FAILED : VMEXIT_OTHER;
		e->other.code = code;
	}
	/* last, so that the way without it saves no registers */
	if (s->nmi_masked) {
		track_nmi(v, e);
	}
}
