/*
 * The hardware task switch of 32-bit protected mode, which the processor leaves to us.
 *
 * Pure: the CPU's state is struct emul_ctxt, memory and control registers are reached through its ops.
 * Intel SDM volume 3, "Task Switching".
 */
#ifndef EMUL_TASK_SWITCH_H
#define EMUL_TASK_SWITCH_H

#include <stdbool.h>
#include <stdint.h>
#include "emul/emul.h"

enum task_source { TASK_CALL, TASK_IRET, TASK_JMP, TASK_GATE /* an event through a task gate */ };

struct task_switch {
	/* in */
	enum task_source source;
	uint16_t sel;                   /* of the new task's TSS */
	bool has_error;                 /* push error on the new task's stack */
	uint32_t error;
	uint64_t gdt_base;
	uint32_t gdt_limit;
	struct emul_segment ldtr;       /* in and out */

	/* out */
	bool switched;                  /* ctxt is the new task, even when the result is a fault */
	bool debug_trap;                /* the new TSS asks for #DB (DR6.BT) */
};

/*
 * Switch tasks. On entry c is the old task, its rip that of the next instruction (CALL, JMP, IRET) or of
 * the interrupted one (TASK_GATE). With t->switched, c holds the new task's registers, segments, tr
 * and cpl, and t->ldtr its LDT, all to be taken over; CR0.TS, CR3 and DR7 have gone through the ops.
 * EMUL_FAULT: c->fault is for the old task, or with t->switched for the new one. Other results than
 * EMUL_OK and EMUL_FAULT come from the ops. May block where the ops do.
 */
enum emul_result task_switch(struct emul_ctxt *c, struct task_switch *t);

#endif
