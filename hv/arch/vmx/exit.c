/*
 * From an exit reason to struct vmexit (Intel SDM volume 3, "VM-Exit Information Fields", "Exit Qualification").
 */
#include "arch/hw.h"
#include "arch/vmx/vmx.h"
#include "arch/vmx/vmx_ops.h"
#include "arch/x86.h"
#include "lib/mem.h"

typedef void (*decode_fn)(struct arch_vcpu *v, uint64_t qualification, struct vmexit *e);

static void decode_io(struct arch_vcpu *v, uint64_t q, struct vmexit *e)
{
	e->pio.port = (uint16_t)(q >> 16);
	e->pio.size = (uint8_t)((q & 7) + 1);
	e->pio.write = !(q >> 3 & 1);
	e->pio.string = q >> 4 & 1;
	e->pio.rep = q >> 5 & 1;
}

static void decode_rdmsr(struct arch_vcpu *v, uint64_t q, struct vmexit *e)
{
	e->msr.index = (uint32_t)v->regs.gpr[GPR_RCX];
	e->msr.write = false;
	e->msr.kernel = true;           /* elsewhere #GP comes before the exit */
}

static void decode_wrmsr(struct arch_vcpu *v, uint64_t q, struct vmexit *e)
{
	e->msr.index = (uint32_t)v->regs.gpr[GPR_RCX];
	e->msr.write = true;
	e->msr.kernel = true;
}

static void decode_hypercall(struct arch_vcpu *v, uint64_t q, struct vmexit *e)
{
	e->hypercall.kernel = (vmx_read(VMCS_GUEST_AR + 2 * VSEG_SS) >> 5 & 3) == 0;
	e->hypercall.long64 = (v->vmx->efer & EFER_LMA) && (vmx_read(VMCS_GUEST_AR + 2 * VSEG_CS) & AR_L);
}

/* An exit on the way of an IRET that had unblocked NMIs: the IRET will run again, so they are blocked again. */
static void block_nmi_again(void)
{
	vmx_write(VMCS_GUEST_SHADOW, vmx_read(VMCS_GUEST_SHADOW) | SHADOW_NMI);
}

static void decode_npf(struct arch_vcpu *v, uint64_t q, struct vmexit *e)
{
	e->npf.gpa = GPA(vmx_read(VMCS_GUEST_PHYSICAL));
	e->npf.write = q >> 1 & 1;
	e->npf.fetch = q >> 2 & 1;
	e->npf.present = (q >> 3 & 7) != 0;
	/* with a valid linear address: of the translation, or of a table on the way */
	e->npf.table_walk = (q >> 7 & 3) == 1;
	if ((q & VMX_EVENT_IRET) && !e->interrupted.valid) {
		block_nmi_again();
	}
}

/* Access types: 0 to a register, 1 from it, 2 CLTS, 3 LMSW. */
static void decode_cr(struct arch_vcpu *v, uint64_t q, struct vmexit *e)
{
	unsigned int type = q >> 4 & 3;
	e->cr.cr = q & 15;
	e->cr.write = type != 1;
	e->cr.decoded = true;
	e->cr.clts = type == 2;
	e->cr.lmsw = type == 3;
	e->cr.gpr = q >> 8 & 15;
	e->cr.lmsw_source = (uint16_t)(q >> 16);
}

static void decode_dr(struct arch_vcpu *v, uint64_t q, struct vmexit *e)
{
	e->dr.dr = q & 7;
	e->dr.write = !(q >> 4 & 1);
}

static void decode_task(struct arch_vcpu *v, uint64_t q, struct vmexit *e)
{
	e->task.selector = (uint16_t)q;
	e->task.source = q >> 30 & 3;
	e->task.has_error = e->task.source == 3 && e->interrupted.valid && e->interrupted.has_error;
	e->task.error = e->task.has_error ? e->interrupted.error : 0;
}

/*
 * What the host must see to at once, before interrupts are enabled. An external interrupt is still pending and comes when
 * they are.
 */
static bool host_event(uint32_t event)
{
	if ((event >> 8 & 7) == VMX_TYPE_NMI) {
		vmx_host_nmi();
		return true;
	}
	if ((uint8_t)event == EXC_MC) {
		vmx_host_mce();
		return true;
	}
	return false;
}

/* A debug exception that exits has not changed DR6 yet. */
static void note_debug(struct arch_vcpu *v, uint64_t q)
{
	uint64_t dr6 = hw_read_dr(6) | (q & 0x600f);
	hw_write_dr(6, dr6);
	v->vmx->dr6 = dr6;
}

static void decode_exception(struct arch_vcpu *v, uint64_t q, struct vmexit *e)
{
	uint32_t event = (uint32_t)vmx_read(VMCS_EXIT_EVENT);
	uint8_t vector = (uint8_t)event;
	e->insn_len = 0;
	if (host_event(event)) {
		e->kind = VMEXIT_NONE;
		return;
	}
	if ((event >> 8 & 7) == VMX_TYPE_INT1) {
		e->kind = VMEXIT_ICEBP;         /* a trap, but RIP still points at it */
		e->insn_len = vmx_read(VMCS_EXIT_INSN_LEN) & 15;
		return;
	}
	e->exception.vector = vector;
	e->exception.has_error = event & VMX_EVENT_ERROR;
	e->exception.error = e->exception.has_error ? (uint32_t)vmx_read(VMCS_EXIT_ERROR) : 0;
	e->exception.cr2 = 0;                   /* page faults are the guest's own */
	if (vector == EXC_DB) {
		note_debug(v, q);
	}
	if ((event & VMX_EVENT_IRET) && !e->interrupted.valid && vector != EXC_DF) {
		block_nmi_again();
	}
}

/* The hypervisor opens this window when it has an NMI; it has done its work. */
static void decode_nmi_window(struct arch_vcpu *v, uint64_t q, struct vmexit *e)
{
	vmx_want_window(v, WINDOW_NMI, false);
}

static void decode_failed(struct arch_vcpu *v, uint64_t q, struct vmexit *e)
{
	e->other.code = v->vmx->last_reason;
	if ((e->other.code & 0xffff) == REASON_ENTRY_MCE) {
		vmx_host_mce();
	}
}

/* But for those of decode_device(). Reasons that are in neither were never asked for: VMEXIT_OTHER. len: the instruction's length is reported. */
static const struct {
	enum vmexit_kind kind;
	decode_fn decode;
	bool len, known;
} table[REASON_COUNT] = {
	[REASON_EXCEPTION] = { VMEXIT_EXCEPTION, decode_exception, false, true },
	[REASON_EXTINT] = { VMEXIT_NONE, NULL, false, true },
	[REASON_TRIPLE_FAULT] = { VMEXIT_SHUTDOWN, NULL, false, true },
	[REASON_INIT] = { VMEXIT_NONE, NULL, false, true },
	[REASON_IO_SMI] = { VMEXIT_NONE, NULL, false, true },
	[REASON_SMI] = { VMEXIT_NONE, NULL, false, true },
	[REASON_INTR_WINDOW] = { VMEXIT_INTR_WINDOW, NULL, false, true },
	[REASON_NMI_WINDOW] = { VMEXIT_NMI_WINDOW, decode_nmi_window, false, true },
	[REASON_TASK] = { VMEXIT_TASK_SWITCH, decode_task, true, true },
	[REASON_CPUID] = { VMEXIT_CPUID, NULL, true, true },
	[REASON_GETSEC] = { VMEXIT_UNDEFINED, NULL, true, true },
	[REASON_HLT] = { VMEXIT_HLT, NULL, true, true },
	[REASON_INVD] = { VMEXIT_WBINVD, NULL, true, true },
	[REASON_INVLPG] = { VMEXIT_INVLPG, NULL, true, true },
	[REASON_RDPMC] = { VMEXIT_RDPMC, NULL, true, true },
	[REASON_RSM] = { VMEXIT_UNDEFINED, NULL, true, true },
	[REASON_VMCALL] = { VMEXIT_HYPERCALL, decode_hypercall, true, true },
	[REASON_VMCLEAR] = { VMEXIT_UNDEFINED, NULL, true, true },
	[REASON_VMLAUNCH] = { VMEXIT_UNDEFINED, NULL, true, true },
	[REASON_VMPTRLD] = { VMEXIT_UNDEFINED, NULL, true, true },
	[REASON_VMPTRST] = { VMEXIT_UNDEFINED, NULL, true, true },
	[REASON_VMREAD] = { VMEXIT_UNDEFINED, NULL, true, true },
	[REASON_VMRESUME] = { VMEXIT_UNDEFINED, NULL, true, true },
	[REASON_VMWRITE] = { VMEXIT_UNDEFINED, NULL, true, true },
	[REASON_VMXOFF] = { VMEXIT_UNDEFINED, NULL, true, true },
	[REASON_VMXON] = { VMEXIT_UNDEFINED, NULL, true, true },
	[REASON_CR] = { VMEXIT_CR, decode_cr, true, true },
	[REASON_DR] = { VMEXIT_DR, decode_dr, true, true },
	[REASON_RDMSR] = { VMEXIT_MSR, decode_rdmsr, true, true },
	[REASON_WRMSR] = { VMEXIT_MSR, decode_wrmsr, true, true },
	[REASON_BAD_STATE] = { VMEXIT_ENTRY_FAILED, decode_failed, false, true },
	[REASON_BAD_MSR] = { VMEXIT_ENTRY_FAILED, decode_failed, false, true },
	[REASON_MWAIT] = { VMEXIT_UNDEFINED, NULL, true, true },
	[REASON_MONITOR] = { VMEXIT_UNDEFINED, NULL, true, true },
	[REASON_PAUSE] = { VMEXIT_PAUSE, NULL, true, true },
	[REASON_ENTRY_MCE] = { VMEXIT_ENTRY_FAILED, decode_failed, false, true },
	[REASON_TPR] = { VMEXIT_NONE, NULL, false, true },
	[REASON_EOI] = { VMEXIT_NONE, NULL, false, true },
	[REASON_INVEPT] = { VMEXIT_UNDEFINED, NULL, true, true },
	[REASON_TIMER] = { VMEXIT_NONE, NULL, false, true },
	[REASON_INVVPID] = { VMEXIT_UNDEFINED, NULL, true, true },
	[REASON_WBINVD] = { VMEXIT_WBINVD, NULL, true, true },
	[REASON_XSETBV] = { VMEXIT_XSETBV, NULL, true, true },
	[REASON_VMFUNC] = { VMEXIT_UNDEFINED, NULL, true, true },
};

/* INT1 is an instruction, too: what it raised is raised again when it runs again. */
static uint8_t event_type(uint32_t field)
{
	static const uint8_t of[8] = {
		[VMX_TYPE_EXTINT] = EVENT_EXTINT, [VMX_TYPE_NMI] = EVENT_NMI, [VMX_TYPE_EXCEPTION] = EVENT_EXCEPTION,
		[VMX_TYPE_SOFTINT] = EVENT_SOFTINT, [VMX_TYPE_INT1] = EVENT_SOFTINT, [VMX_TYPE_INT3] = EVENT_EXCEPTION,
	};
	return of[field >> 8 & 7];
}

/* An event whose delivery was cut short by this exit has to be delivered again. */
static void decode_interrupted(const struct arch_vcpu *v, struct vmexit *e)
{
	uint32_t i = (uint32_t)vmx_read(VMCS_VECTORING_EVENT);
	e->interrupted.valid = (i & VMX_EVENT_VALID) != 0;
	if (!e->interrupted.valid) {
		return;
	}
	e->interrupted.vector = (uint8_t)i;
	e->interrupted.type = event_type(i);
	e->interrupted.has_error = (i & VMX_EVENT_ERROR) != 0;
	e->interrupted.error = e->interrupted.has_error ? (uint32_t)vmx_read(VMCS_VECTORING_ERROR) : 0;
	e->interrupted.cr2 = v->vmx->cr2;
	e->interrupted.insn_len = 0;
}

/*
 * What a driver causes all the time, on the shortest way. An I/O instruction cannot cut the delivery of an event short; an access
 * to memory can.
 */
static bool decode_device(struct arch_vcpu *v, uint32_t reason, uint64_t q, struct vmexit *e)
{
	if (reason == REASON_IO) {
		e->kind = VMEXIT_PIO;
		e->raw[2] = 0;
		e->interrupted.valid = false;
		e->insn_len = vmx_read(VMCS_EXIT_INSN_LEN) & 15;
		decode_io(v, q, e);
		return true;
	}
	if (reason == REASON_EPT_VIOLATION) {
		e->kind = VMEXIT_NPF;
		e->insn_len = 0;
		decode_interrupted(v, e);
		decode_npf(v, q, e);
		e->raw[2] = e->npf.gpa.v;
		return true;
	}
	return false;
}

void vmx_decode_exit(struct arch_vcpu *v, const struct vmx_vcpu *s, struct vmexit *e)
{
	uint32_t reason = s->last_reason, basic = reason & 0xffff;
	uint64_t q = vmx_read(VMCS_QUALIFICATION);
	e->raw[0] = reason;
	e->raw[1] = q;
	e->shadow = vmx_read(VMCS_GUEST_SHADOW) & (SHADOW_STI | SHADOW_MOVSS);
	if (decode_device(v, reason, q, e)) {
		return;
	}
	e->raw[2] = 0;
	e->insn_len = 0;
	e->interrupted.valid = false;
	bool failed = reason & REASON_ENTRY_FAILED;
	if (basic >= REASON_COUNT || !table[basic].known ||
	    failed != (table[basic].kind == VMEXIT_ENTRY_FAILED)) {
		e->kind = failed ? VMEXIT_ENTRY_FAILED : VMEXIT_OTHER;
		e->other.code = reason;
		return;
	}
	if (!failed) {
		decode_interrupted(v, e);
	}
	e->kind = table[basic].kind;
	if (table[basic].len) {
		e->insn_len = vmx_read(VMCS_EXIT_INSN_LEN) & 15;
	}
	if (table[basic].decode != NULL) {
		table[basic].decode(v, q, e);
	}
}
