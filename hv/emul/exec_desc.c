/*
 * Descriptor-table registers and the task and LDT registers: loads and stores with an operand in device memory, and
 * what the processor leaves to us.
 *
 * Pure. Intel SDM volume 2, LGDT, SGDT, LLDT, LTR, STR; volume 3, "System Instructions".
 */
#include "emul/insn.h"

static bool user(const struct emul_ctxt *c, const struct insn *i)
{
	return i->mode != MODE_REAL && (c->cpl != 0 || i->mode == MODE_VM86);
}

/* SGDT and SIDT: the whole base whatever the operand size. */
static enum emul_result store_table(struct emul_ctxt *c, struct insn *i, bool idt)
{
	struct emul_table t;
	uint8_t v[10];
	unsigned int size = i->mode == MODE_LONG64 ? 10 : 6;

	if ((c->cr4 & CR4_UMIP) && user(c, i)) {
		return insn_fault(c, VEC_GP);
	}
	enum emul_result r = c->ops->read_table ? c->ops->read_table(c, idt, &t) : EMUL_UNHANDLED;
	if (r != EMUL_OK) {
		return r;
	}
	memcpy(v, &t.limit, 2);
	memcpy(v + 2, &t.base, 8);
	return operand_mem_write(c, i, i->mem_seg, i->ea, v, size);
}

static enum emul_result load_table(struct emul_ctxt *c, struct insn *i, bool idt)
{
	struct emul_table t = { 0 };
	uint8_t v[10] = { 0 };
	unsigned int size = i->mode == MODE_LONG64 ? 10 : 6;

	if (user(c, i)) {
		return insn_fault(c, VEC_GP);
	}
	if (!c->ops->write_table) {
		return EMUL_UNHANDLED;
	}
	enum emul_result r = operand_mem_read(c, i, i->mem_seg, i->ea, v, size);
	if (r != EMUL_OK) {
		return r;
	}
	memcpy(&t.limit, v, 2);
	memcpy(&t.base, v + 2, 8);
	if (i->mode != MODE_LONG64 && i->op_size == 2) {
		t.base &= 0xffffff;
	}
	return operand_canonical(c, t.base) ? c->ops->write_table(c, idt, &t) : insn_fault(c, VEC_GP);
}

enum emul_result exec_desc_table(struct emul_ctxt *c, struct insn *i)
{
	bool idt = i->op->sub & 1;

	if (!i->mem) {
		return EMUL_UNHANDLED;
	}
	return i->op->sub & 2 ? load_table(c, i, idt) : store_table(c, i, idt);
}

/* SLDT STR LLDT LTR. */
enum emul_result exec_desc_system(struct emul_ctxt *c, struct insn *i)
{
	bool task = i->op->sub & 1, load = i->op->sub & 2;
	uint16_t sel;
	uint64_t v;

	if (load ? user(c, i) : (c->cr4 & CR4_UMIP) && user(c, i)) {
		return insn_fault(c, VEC_GP);
	}
	if (load) {
		enum emul_result r = operand_load(c, i, OPD_RM, 2, &v);
		if (r != EMUL_OK) {
			return r;
		}
		return c->ops->load_system ? c->ops->load_system(c, task, (uint16_t)v) : EMUL_UNHANDLED;
	}
	enum emul_result r = c->ops->read_system ? c->ops->read_system(c, task, &sel) : EMUL_UNHANDLED;
	return r == EMUL_OK ? operand_store(c, i, OPD_RM, i->mem ? 2 : i->op_size, sel) : r;
}
