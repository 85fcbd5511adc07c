/*
 * Exceptions on their way into a guest, and what two of them together make (Intel SDM volume 3, "Interrupt 8 - Double
 * Fault Exception").
 *
 * One event waits in hvm->pending until the next entry. All functions: the vCPU's own loop.
 */
#include "arch/x86.h"
#include "hvm/hvm_state.h"

enum exc_class { CLASS_BENIGN, CLASS_CONTRIBUTORY, CLASS_PF, CLASS_DF };

static enum exc_class class_of(uint8_t vector)
{
	switch (vector) {
	case EXC_DE:
	case EXC_TS:
	case EXC_NP:
	case EXC_SS:
	case EXC_GP:
		return CLASS_CONTRIBUTORY;
	case EXC_PF:
		return CLASS_PF;
	case EXC_DF:
		return CLASS_DF;
	default:
		return CLASS_BENIGN;
	}
}

/* Does `second`, raised while `first` was delivered, make a double fault? */
static bool makes_double_fault(uint8_t first, uint8_t second)
{
	enum exc_class a = class_of(first), b = class_of(second);
	return (a == CLASS_CONTRIBUTORY && b == CLASS_CONTRIBUTORY) ||
	       (a == CLASS_PF && (b == CLASS_CONTRIBUTORY || b == CLASS_PF));
}

/* Exceptions that report an instruction which will run again. #DB is not among them: what the hypervisor raises or
 * passes on is a trap, but for code breakpoints, where AMD and Intel differ. */
static bool is_fault(uint8_t vector)
{
	return vector != EXC_DB && vector != EXC_NMI && vector != EXC_BP && vector != EXC_OF && vector != EXC_DF &&
	       vector != EXC_MC;
}

void hvm_raise(struct vcpu *v, uint8_t vector, bool has_error, uint32_t error, uint64_t cr2)
{
	struct vm_event *p = &v->hvm->pending;
	hvm_look_again(v);
	bool exception = p->valid && p->type == EVENT_EXCEPTION;
	if (is_fault(vector)) {
		/* an injected event saves RFLAGS as they are; the processor's own faults save them with RF */
		v->arch.regs.rflags |= RFLAGS_RF;
	}
	if (exception && class_of(p->vector) == CLASS_DF && class_of(vector) != CLASS_BENIGN) {
		guest_log(v->domain, "vCPU %u: triple fault at %#lx", v->id,
			  (unsigned long)v->arch.regs.rip);
		hvm_triple_fault(v);
		return;
	}
	if (exception && makes_double_fault(p->vector, vector)) {
		*p = (struct vm_event){ .valid = true, .type = EVENT_EXCEPTION, .vector = EXC_DF,
					.has_error = true };
		return;
	}
	/* A benign pair, or an interrupt whose delivery faulted: the second one is delivered. */
	*p = (struct vm_event){ .valid = true, .type = EVENT_EXCEPTION, .vector = vector,
				.has_error = has_error, .error = error, .cr2 = cr2 };
}

void hvm_raise_step(struct vcpu *v)
{
	struct sys_regs s;
	virt->get_sys(&v->arch, &s);
	s.dr6 |= DR6_BS;
	virt->set_sys(&v->arch, &s, SYS_DR);
	hvm_raise(v, EXC_DB, false, 0, 0);
}

enum verdict hvm_fault_gp(struct vcpu *v)
{
	hvm_raise(v, EXC_GP, true, 0, 0);
	return EXIT_FAULT;
}

enum verdict hvm_fault_ud(struct vcpu *v)
{
	hvm_raise(v, EXC_UD, false, 0, 0);
	return EXIT_FAULT;
}

/* Software interrupts and INT3/INTO are executed again by the guest itself: RIP still points at them. */
void hvm_requeue(struct vcpu *v, const struct vm_event *e)
{
	bool again = e->type == EVENT_SOFTINT ||
		     (e->type == EVENT_EXCEPTION && (e->vector == EXC_BP || e->vector == EXC_OF));
	if (!again) {
		v->hvm->pending = *e;
		hvm_look_again(v);
	}
}
