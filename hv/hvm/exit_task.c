/*
 * The hardware task switch: neither vendor does it in a guest; emul/task_switch.c does.
 *
 * The vCPU's own loop only. Intel SDM volume 3, "Task Management".
 */
#include "arch/x86.h"
#include "emul/task_switch.h"
#include "hvm/emul_glue.h"
#include "hvm/hvm.h"
#include "hvm/hvm_state.h"

static enum task_source source_of(const struct vmexit *e)
{
	static const enum task_source of[] = { TASK_CALL, TASK_IRET, TASK_JMP, TASK_GATE };
	/* SVM does not tell a call from an event; the event it was delivering does. */
	return e->interrupted.valid && e->task.source == 0 ? TASK_GATE : of[e->task.source & 3];
}

/* Does the old task go on behind the instruction? Not after an exception or an interrupt. */
static bool by_instruction(const struct vmexit *e, enum task_source source)
{
	const struct vm_event *i = &e->interrupted;
	return source != TASK_GATE || (i->valid && (i->type == EVENT_SOFTINT ||
			(i->type == EVENT_EXCEPTION && (i->vector == EXC_BP || i->vector == EXC_OF))));
}

static void take_over(struct vcpu *v, struct emul_ctxt *c, const struct task_switch *t)
{
	c->segs_changed = (1u << SEG_COUNT) - 1;
	emul_glue_store(v, c);
	virt->set_seg(&v->arch, VSEG_LDTR, &t->ldtr);
	virt->set_seg(&v->arch, VSEG_TR, &c->tr);
	/* a shadow was the old task's; one of STI does not go with interrupts off */
	virt->set_shadow(&v->arch, false);
	/* The event that came through the gate has been delivered by the switch. */
	v->hvm->pending.valid = false;
}

static void debug_trap(struct vcpu *v)
{
	struct sys_regs s;
	virt->get_sys(&v->arch, &s);
	s.dr6 |= DR6_BT;
	virt->set_sys(&v->arch, &s, SYS_DR);
	hvm_raise(v, EXC_DB, false, 0, 0);
}

enum verdict exit_task(struct vcpu *v, const struct vmexit *e)
{
	struct emul_ctxt c;
	struct sys_regs s;
	struct task_switch t = { .source = source_of(e), .sel = e->task.selector,
				 .has_error = e->task.has_error, .error = e->task.error };
	virt->get_sys(&v->arch, &s);
	virt->get_seg(&v->arch, VSEG_LDTR, &t.ldtr);
	t.gdt_base = s.gdt_base;
	t.gdt_limit = s.gdt_limit;
	emul_glue_load(v, &c);
	emul_glue_fetch_all(&c);
	if (by_instruction(e, t.source)) {
		unsigned int len = e->insn_len ? e->insn_len : emul_insn_length(&c);
		if (len == 0) {
			/* Its code has gone since: the guest finds out by itself. */
			v->hvm->pending.valid = false;
			return EXIT_RESUME;
		}
		c.rip = (uint32_t)(c.rip + len);
	}
	enum emul_result r = task_switch(&c, &t);
	if (t.switched) {
		take_over(v, &c, &t);
	}
	if (r == EMUL_FAULT) {
		hvm_raise(v, c.fault.vector, c.fault.has_error, c.fault.error, c.fault.cr2);
		return EXIT_FAULT;
	}
	if (r != EMUL_OK) {
		guest_crash(v->domain, "vCPU %u: task switch to %#x failed (%u)", v->id,
			    e->task.selector, (unsigned int)r);
		return EXIT_CRASH;
	}
	if (t.debug_trap) {
		debug_trap(v);
	}
	return EXIT_RESUME;
}
