/*
 * Events into the guest: EVENTINJ, interrupt windows through virtual interrupts, NMI masking.
 *
 * Follows AMD APM volume 2, "Event Injection", "Virtual Interrupts", "NMI Support".
 */
#include "arch/svm/svm.h"
#include "arch/x86.h"

void svm_inject(struct arch_vcpu *v, const struct vm_event *e)
{
	struct svm_vcpu *s = v->svm;
	uint64_t field = e->vector | (uint64_t)e->type << 8 | SVM_EVENT_VALID;
	if (e->has_error) {
		field |= SVM_EVENT_ERROR | (uint64_t)e->error << 32;
	}
	if (e->type == EVENT_EXCEPTION && e->vector == EXC_PF) {
		s->vmcb->cr2 = e->cr2;
	}
	if (e->type == EVENT_NMI) {
		s->nmi_masked = true;
		s->iret_seen = false;
		s->vmcb->intercept1 |= SVM_I1_IRET;
	}
	s->vmcb->eventinj = field;
}

bool svm_can_take(const struct arch_vcpu *v, enum virt_window w)
{
	const struct svm_vcpu *s = v->svm;
	if ((s->vmcb->shadow & 1) != 0 || (s->vmcb->eventinj & SVM_EVENT_VALID) != 0) {
		return false;
	}
	return w == WINDOW_NMI ? !s->nmi_masked : (v->regs.rflags & RFLAGS_IF) != 0;
}

/* A virtual interrupt that is intercepted when it could be taken is the interrupt window. While an NMI is
 * masked its window is the IRET intercept, which is on already. */
void svm_want_window(struct arch_vcpu *v, enum virt_window w, bool on)
{
	struct vmcb *c = v->svm->vmcb;
	if (w == WINDOW_TPR) {
		c->cr_write = on ? c->cr_write | 1u << 8 : c->cr_write & (uint16_t)~(1u << 8);
		return;
	}
	if (w == WINDOW_NMI) {
		return;
	}
	c->vintr &= ~(VINTR_IRQ | VINTR_IGNORE_TPR);
	if (on) {
		c->vintr |= VINTR_IRQ | VINTR_IGNORE_TPR;
		c->intercept1 |= SVM_I1_VINTR;
	} else {
		c->intercept1 &= ~(uint32_t)SVM_I1_VINTR;
	}
}

bool svm_get_shadow(const struct arch_vcpu *v)
{
	return v->svm->vmcb->shadow & 1;
}

void svm_set_shadow(struct arch_vcpu *v, bool on)
{
	struct vmcb *c = v->svm->vmcb;
	c->shadow = (c->shadow & ~1ull) | on;
}
