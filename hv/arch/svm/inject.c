/*
 * Events into the guest: EVENTINJ, interrupt windows through virtual interrupts, NMI masking.
 *
 * Follows AMD APM volume 2, "Event Injection", "Virtual Interrupts", "NMI Support".
 */
#include "arch/svm/svm.h"
#include "arch/x86.h"

/*
 * QEMU's TCG (7.2) keeps the vector of an interrupt that came through EVENTINJ in mind and delivers it once more when its
 * main loop is interrupted before the next exit: in the middle of a critical section of the guest. Its virtual interrupts
 * (V_IRQ with a vector) do not have that fault. So there, an external interrupt goes as a virtual one; what the processor
 * did not take at once (a physical interrupt came first) is taken back at the exit. TCG is told by its missing next-RIP
 * save, which every processor with nested paging of the last fifteen years has.
 */
static void inject_virq(struct svm_vcpu *s, uint8_t vector)
{
	struct vmcb *c = s->vmcb;
	c->intercept1 &= ~(uint32_t)SVM_I1_VINTR;
	c->vintr = (c->vintr & ~(0xffull << VINTR_VECTOR_SHIFT)) | VINTR_IRQ | VINTR_IGNORE_TPR |
		   (uint64_t)vector << VINTR_VECTOR_SHIFT;
	s->virq = true;
}

/* The window needs the virtual interrupt for itself: the one on its way goes the other way, with an exit right behind it,
 * which makes TCG forget the vector. */
static void virq_to_eventinj(struct svm_vcpu *s)
{
	struct vmcb *c = s->vmcb;
	c->eventinj = (c->vintr >> VINTR_VECTOR_SHIFT & 0xff) | (uint64_t)EVENT_EXTINT << 8 | SVM_EVENT_VALID;
	c->vintr &= ~VINTR_IRQ;
	s->virq = false;
	s->leave_soon = true;
}

void svm_collect_virq(struct svm_vcpu *s, struct vmexit *e)
{
	struct vmcb *c = s->vmcb;
	s->virq = false;
	if (c->vintr & VINTR_IRQ) {
		e->interrupted = (struct vm_event){ .valid = true, .type = EVENT_EXTINT,
						    .vector = (uint8_t)(c->vintr >> VINTR_VECTOR_SHIFT) };
	}
	c->vintr &= ~(VINTR_IRQ | VINTR_IGNORE_TPR);
}

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
	/* a virtual interrupt is only taken with interrupts on: an interrupted one may come again with them off */
	if (e->type == EVENT_EXTINT && svm_caps.eventinj_repeats) {
		if ((v->regs.rflags & RFLAGS_IF) && !(s->vmcb->shadow & 1)) {
			inject_virq(s, e->vector);
			return;
		}
		s->leave_soon = true;
	}
	s->vmcb->eventinj = field;
}

bool svm_can_take(const struct arch_vcpu *v, enum virt_window w)
{
	const struct svm_vcpu *s = v->svm;
	if ((s->vmcb->shadow & 1) != 0 || (s->vmcb->eventinj & SVM_EVENT_VALID) != 0 || s->virq) {
		return false;
	}
	return w == WINDOW_NMI ? !s->nmi_masked : (v->regs.rflags & RFLAGS_IF) != 0;
}

/*
 * The IRET that ends an NMI handler is next, and another NMI waits: it must come right behind that instruction, not at
 * whichever exit happens to be the next. So the guest makes one step. An event that goes in first would save the trap
 * flag on the guest's stack: then later. (Debug exceptions are always intercepted.)
 */
static void step_iret(struct arch_vcpu *v)
{
	struct svm_vcpu *s = v->svm;
	if (s->stepping || s->virq || (s->vmcb->eventinj & SVM_EVENT_VALID)) {
		return;
	}
	s->stepping = true;
	s->step_trap = v->regs.rflags & RFLAGS_TF;
	v->regs.rflags |= RFLAGS_TF;
}

bool svm_end_step(struct arch_vcpu *v)
{
	struct svm_vcpu *s = v->svm;
	struct vmcb *c = s->vmcb;
	s->stepping = false;
	if (c->rip == s->iret_rip && !s->step_trap) {
		v->regs.rflags &= ~(uint64_t)RFLAGS_TF;         /* something else came first */
	}
	if (c->exitcode != SVM_EXIT_EXCEPTION + EXC_DB || s->step_trap) {
		return false;
	}
	c->dr6 &= ~(uint64_t)DR6_BS;
	return (c->dr6 & 15) == 0;
}

/* A virtual interrupt that is intercepted when it could be taken is the interrupt window. While an NMI is
 * masked its window is the IRET intercept, which is on already, and a step behind it. */
void svm_want_window(struct arch_vcpu *v, enum virt_window w, bool on)
{
	struct vmcb *c = v->svm->vmcb;
	if (w == WINDOW_TPR) {
		c->cr_write = on ? c->cr_write | 1u << 8 : c->cr_write & (uint16_t)~(1u << 8);
		return;
	}
	if (w == WINDOW_NMI) {
		if (on && v->svm->iret_seen) {
			step_iret(v);
		}
		return;
	}
	if (v->svm->virq) {
		if (!on) {
			return;
		}
		virq_to_eventinj(v->svm);
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
