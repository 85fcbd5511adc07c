/*
 * x87 instructions with a memory operand: old programs copy to screens with FILD and FISTP, newer ones spill to where
 * they should not.
 *
 * The arithmetic is the processor's: ops->x87 executes the instruction on a buffer. A store is tried first without
 * effect, so that nothing has happened when the memory faults. FSAVE, FRSTOR, FSTENV and FLDENV are not here.
 * Pure. Intel SDM volume 2; volume 1, "Programming with the x87 FPU".
 */
#include "emul/insn.h"

#define STORE 0x80u
#define CONTROL 0x40u           /* no exception is waited for */
#define SIZE(x) ((x) & 0x3fu)

/* Operand size and direction by opcode and ModRM.reg; 0: not here. */
static const uint8_t form[8][8] = {
	{ 4, 4, 4, 4, 4, 4, 4, 4 },
	{ 4, 0, 4 | STORE, 4 | STORE, 0, 2, 0, 2 | STORE | CONTROL },
	{ 4, 4, 4, 4, 4, 4, 4, 4 },
	{ 4, 4 | STORE, 4 | STORE, 4 | STORE, 0, 10, 0, 10 | STORE },
	{ 8, 8, 8, 8, 8, 8, 8, 8 },
	{ 8, 8 | STORE, 8 | STORE, 8 | STORE, 0, 0, 0, 2 | STORE | CONTROL },
	{ 2, 2, 2, 2, 2, 2, 2, 2 },
	{ 2, 2 | STORE, 2 | STORE, 2 | STORE, 10, 8, 10 | STORE, 8 | STORE },
};

static enum emul_result do_store(struct emul_ctxt *c, const struct insn *i, unsigned int size, bool wait)
{
	uint8_t v[10];
	struct emul_x87 x = { .opcode = i->opcode, .reg = (uint8_t)(i->modrm >> 3 & 7), .size = (uint8_t)size,
			      .wait = wait, .try_only = true, .buf = v };
	enum emul_result r = operand_linear(c, i, i->mem_seg, i->ea, size, true, &x.linear);

	if (r == EMUL_OK) {
		r = c->ops->x87(c, &x);
	}
	/* An exception that the program wants to see leaves memory as it is. */
	if (r == EMUL_OK && x.stored) {
		r = c->ops->write(c, x.linear, v, size, EMUL_ACC_DATA);
	}
	if (r == EMUL_OK) {
		x.try_only = false;
		r = c->ops->x87(c, &x);
	}
	return r;
}

enum emul_result exec_x87(struct emul_ctxt *c, struct insn *i)
{
	uint8_t f = form[i->opcode & 7][i->modrm >> 3 & 7];
	unsigned int size = SIZE(f);
	uint8_t v[10];

	if (!i->mem || size == 0 || !c->ops->x87) {
		return EMUL_UNHANDLED;
	}
	if (c->cr0 & (CR0_EM | CR0_TS)) {
		return insn_fault(c, VEC_NM);
	}
	if (f & STORE) {
		return do_store(c, i, size, !(f & CONTROL));
	}
	struct emul_x87 x = { .opcode = i->opcode, .reg = (uint8_t)(i->modrm >> 3 & 7), .size = (uint8_t)size,
			      .wait = true, .buf = v };
	enum emul_result r = operand_linear(c, i, i->mem_seg, i->ea, size, false, &x.linear);
	if (r == EMUL_OK) {
		r = c->ops->read(c, x.linear, v, size, EMUL_ACC_DATA);
	}
	return r == EMUL_OK ? c->ops->x87(c, &x) : r;
}
