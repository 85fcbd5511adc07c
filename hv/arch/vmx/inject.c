/*
 * Events into the guest: the entry event, windows, shadows, the NMI mask.
 *
 * Follows Intel SDM volume 3, "VM-Entry Controls for Event Injection", "Guest Non-Register State". The processor keeps the
 * NMI mask (virtual NMIs) and clears shadows by itself.
 */
#include "arch/vmx/vmx.h"
#include "arch/vmx/vmx_ops.h"
#include "arch/x86.h"

/* Exceptions that push an error code in protected mode. */
#define WITH_ERROR (1u << EXC_DF | 1u << EXC_TS | 1u << EXC_NP | 1u << EXC_SS | 1u << EXC_GP | 1u << EXC_PF | 1u << EXC_AC)

#define DR7_GD (1ull << 13)

/* Real mode has no error codes; in protected mode an entry insists on them where the processor would push one. */
static bool pushes_error(const struct vm_event *e)
{
	bool protected = vmx_read(VMCS_GUEST_CR0) & CR0_PE;
	return e->type == EVENT_EXCEPTION && protected && e->vector < 32 && (WITH_ERROR >> e->vector & 1);
}

void vmx_inject(struct arch_vcpu *v, const struct vm_event *e)
{
	struct vmx_vcpu *s = v->vmx;
	struct vmx_vcpu *before = vmx_open(v);
	uint32_t shadow = (uint32_t)vmx_read(VMCS_GUEST_SHADOW), left = shadow;
	s->event = e->vector | (uint32_t)e->type << 8 | VMX_EVENT_VALID;
	if (pushes_error(e)) {
		s->event |= VMX_EVENT_ERROR;
		vmx_write(VMCS_ENTRY_ERROR, e->has_error ? e->error & 0x7fff : 0);
	}
	if (e->type == EVENT_SOFTINT) {
		vmx_write(VMCS_ENTRY_INSN_LEN, e->insn_len);
	} else if (e->type == EVENT_EXCEPTION && e->vector == EXC_PF) {
		s->cr2 = e->cr2;
	} else if (e->type == EVENT_EXCEPTION && e->vector == EXC_DB) {
		vmx_write(VMCS_GUEST_DR7, vmx_read(VMCS_GUEST_DR7) & ~DR7_GD);
	} else if (e->type == EVENT_EXTINT) {
		left &= ~(SHADOW_STI | SHADOW_MOVSS);
	} else if (e->type == EVENT_NMI) {
		/* an NMI whose delivery was cut short is masked already; its delivery masks it again */
		left &= ~(SHADOW_STI | SHADOW_MOVSS | SHADOW_NMI);
	}
	if (left != shadow) {
		vmx_write(VMCS_GUEST_SHADOW, left);
	}
	vmx_close(v, before);
}

bool vmx_can_take(const struct arch_vcpu *v, enum virt_window w)
{
	if (v->vmx->event != 0 || (w != WINDOW_NMI && !(v->regs.rflags & RFLAGS_IF))) {
		return false;
	}
	struct vmx_vcpu *before = vmx_open(v);
	uint32_t shadow = (uint32_t)vmx_read(VMCS_GUEST_SHADOW);
	vmx_close(v, before);
	return !(shadow & (SHADOW_STI | SHADOW_MOVSS)) && (w != WINDOW_NMI || !(shadow & SHADOW_NMI));
}

/* Without a TPR shadow every access to CR8 exits anyway. */
void vmx_want_window(struct arch_vcpu *v, enum virt_window w, bool on)
{
	struct vmx_vcpu *s = v->vmx;
	if (w == WINDOW_TPR) {
		s->want_tpr = on;
		return;
	}
	uint32_t bit = w == WINDOW_NMI ? PROC_NMI_WINDOW : PROC_INTR_WINDOW;
	uint32_t proc = on ? s->proc | bit : s->proc & ~bit;
	if (proc != s->proc) {
		struct vmx_vcpu *before = vmx_open(v);
		s->proc = proc;
		vmx_write(VMCS_PROC_CONTROLS, proc);
		vmx_close(v, before);
	}
}

bool vmx_get_shadow(const struct arch_vcpu *v)
{
	struct vmx_vcpu *before = vmx_open(v);
	uint32_t shadow = (uint32_t)vmx_read(VMCS_GUEST_SHADOW);
	vmx_close(v, before);
	return shadow & (SHADOW_STI | SHADOW_MOVSS);
}

/* The shadow of STI is one only while RFLAGS.IF is set. */
void vmx_set_shadow(struct arch_vcpu *v, bool on)
{
	struct vmx_vcpu *before = vmx_open(v);
	uint32_t old = (uint32_t)vmx_read(VMCS_GUEST_SHADOW), shadow = old & ~(SHADOW_STI | SHADOW_MOVSS);
	if (on) {
		shadow |= v->regs.rflags & RFLAGS_IF ? SHADOW_STI : SHADOW_MOVSS;
	}
	if (shadow != old) {
		vmx_write(VMCS_GUEST_SHADOW, shadow);
	}
	vmx_close(v, before);
}
