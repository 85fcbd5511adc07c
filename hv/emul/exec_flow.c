/*
 * Jumps, calls, returns and loops; far forms and IRET in real and virtual-8086 mode.
 *
 * A target is checked (canonical, CS limit) before anything changes. Far transfers in protected mode
 * are not emulated, but for JMP to a code segment: gates, stacks and tasks are the processor's business there. Pure.
 * Intel SDM volume 2.
 */
#include "emul/insn.h"

/* Make target the next instruction, cut to the operand size, or fault. */
static enum emul_result near_target(struct emul_ctxt *c, struct insn *i, uint64_t target)
{
	if (i->mode == MODE_LONG64) {
		/* Vendors differ on a lone 66 here, in length and in what it does. */
		if (i->opsize_prefix && !(i->rex & 8)) {
			return EMUL_UNHANDLED;
		}
		if (!operand_canonical(c, target)) {
			return insn_fault(c, VEC_GP);
		}
	} else {
		target &= operand_mask(i->op_size);
		if (target > c->seg[SEG_CS].limit) {
			return insn_fault(c, VEC_GP);
		}
	}
	i->next_rip = target;
	return EMUL_OK;
}

/* JMP and CALL: relative with an immediate, else the r/m operand. */
static enum emul_result load_target(struct emul_ctxt *c, struct insn *i, uint64_t *target)
{
	if (i->op->src == OPD_IMM) {
		*target = i->next_rip + i->imm;
		return EMUL_OK;
	}
	return operand_load(c, i, OPD_RM, i->op_size, target);
}

enum emul_result exec_flow_jmp(struct emul_ctxt *c, struct insn *i)
{
	uint64_t target;
	enum emul_result r = load_target(c, i, &target);

	return r == EMUL_OK ? near_target(c, i, target) : r;
}

enum emul_result exec_flow_jcc(struct emul_ctxt *c, struct insn *i)
{
	if (!flags_condition(c->rflags, i->opcode)) {
		return i->mode == MODE_LONG64 && i->opsize_prefix && !(i->rex & 8)
			       ? EMUL_UNHANDLED
			       : EMUL_OK;
	}
	return near_target(c, i, i->next_rip + i->imm);
}

/* LOOP, LOOPE, LOOPNE count in rCX of the address size; JCXZ only looks. */
enum emul_result exec_flow_loop(struct emul_ctxt *c, struct insn *i)
{
	uint64_t count = c->gpr[GPR_RCX] & operand_mask(i->addr_size);
	bool zf = c->rflags & FLAG_ZF, taken;

	if (i->op->sub == FLOW_JCXZ) {
		return count == 0 ? near_target(c, i, i->next_rip + i->imm) : EMUL_OK;
	}
	count = (count - 1) & operand_mask(i->addr_size);
	taken = count != 0 && (i->op->sub == FLOW_LOOP || zf == (i->op->sub == FLOW_LOOPE));
	enum emul_result r = taken ? near_target(c, i, i->next_rip + i->imm) : EMUL_OK;
	if (r == EMUL_OK) {
		operand_gpr_write(c, GPR_RCX, count, i->addr_size);
	}
	return r;
}

enum emul_result exec_flow_call(struct emul_ctxt *c, struct insn *i)
{
	uint64_t target, rsp = c->gpr[GPR_RSP], back = i->next_rip;
	enum emul_result r = load_target(c, i, &target);

	if (r == EMUL_OK) {
		r = near_target(c, i, target);
	}
	if (r == EMUL_OK) {
		r = operand_push(c, i, &rsp, back, i->op_size);
	}
	if (r == EMUL_OK) {
		operand_set_rsp(c, i, rsp);
	}
	return r;
}

enum emul_result exec_flow_ret(struct emul_ctxt *c, struct insn *i)
{
	uint64_t target, rsp = c->gpr[GPR_RSP];
	enum emul_result r = operand_pop(c, i, &rsp, &target, i->op_size);

	if (r == EMUL_OK) {
		r = near_target(c, i, target);
	}
	if (r == EMUL_OK) {
		operand_set_rsp(c, i, rsp + (uint16_t)i->imm);
	}
	return r;
}

static bool far_emulated(const struct insn *i)
{
	return i->mode == MODE_REAL || i->mode == MODE_VM86;
}

/* The pointer of a far JMP or CALL: in the instruction or in memory. */
static enum emul_result load_far(struct emul_ctxt *c, struct insn *i, uint64_t *offset,
				 uint16_t *sel)
{
	uint64_t at = (i->ea + i->op_size) & operand_mask(i->addr_size);

	if (i->op->src == OPD_IMM) {
		*offset = i->imm & operand_mask(i->op_size);
		*sel = i->imm2;
		return EMUL_OK;
	}
	enum emul_result r = operand_load(c, i, OPD_RM, i->op_size, offset);
	return r == EMUL_OK ? operand_mem_read(c, i, i->mem_seg, at, sel, 2) : r;
}

/* To another code segment of the same privilege. */
static enum emul_result jmp_protected(struct emul_ctxt *c, struct insn *i, uint16_t sel, uint64_t offset)
{
	struct emul_segment s;
	enum emul_result r = c->ops->code_seg ? c->ops->code_seg(c, sel, &s) : EMUL_UNHANDLED;

	if (r != EMUL_OK) {
		return r;
	}
	bool long64 = (c->efer & EFER_LMA) && (s.attr & SEG_ATTR_L);
	if (long64 ? !operand_canonical(c, offset) : offset > s.limit) {
		return insn_fault(c, VEC_GP);
	}
	c->seg[SEG_CS] = s;
	c->segs_changed |= (uint8_t)BIT(SEG_CS);
	i->next_rip = offset;
	return EMUL_OK;
}

enum emul_result exec_flow_jmp_far(struct emul_ctxt *c, struct insn *i)
{
	uint64_t offset;
	uint16_t sel;
	enum emul_result r = load_far(c, i, &offset, &sel);

	if (r == EMUL_OK && !far_emulated(i)) {
		return jmp_protected(c, i, sel, offset);
	}
	if (r == EMUL_OK) {
		r = near_target(c, i, offset);
	}
	return r == EMUL_OK ? operand_load_seg(c, i, SEG_CS, sel) : r;
}

enum emul_result exec_flow_call_far(struct emul_ctxt *c, struct insn *i)
{
	uint64_t offset, rsp = c->gpr[GPR_RSP], back = i->next_rip;
	uint16_t sel;

	if (!far_emulated(i)) {
		return EMUL_UNHANDLED;
	}
	enum emul_result r = load_far(c, i, &offset, &sel);
	if (r == EMUL_OK) {
		r = near_target(c, i, offset);
	}
	if (r == EMUL_OK) {
		r = operand_push(c, i, &rsp, c->seg[SEG_CS].sel, i->op_size);
	}
	if (r == EMUL_OK) {
		r = operand_push(c, i, &rsp, back, i->op_size);
	}
	if (r == EMUL_OK) {
		operand_set_rsp(c, i, rsp);
		r = operand_load_seg(c, i, SEG_CS, sel);
	}
	return r;
}

enum emul_result exec_flow_ret_far(struct emul_ctxt *c, struct insn *i)
{
	uint64_t offset, sel, rsp = c->gpr[GPR_RSP];

	if (!far_emulated(i)) {
		return EMUL_UNHANDLED;
	}
	enum emul_result r = operand_pop(c, i, &rsp, &offset, i->op_size);
	if (r == EMUL_OK) {
		r = operand_pop(c, i, &rsp, &sel, i->op_size);
	}
	if (r == EMUL_OK) {
		r = near_target(c, i, offset);
	}
	if (r == EMUL_OK) {
		operand_set_rsp(c, i, rsp + (uint16_t)i->imm);
		r = operand_load_seg(c, i, SEG_CS, (uint16_t)sel);
	}
	return r;
}

enum emul_result exec_flow_iret(struct emul_ctxt *c, struct insn *i)
{
	uint64_t offset, sel, flags, rsp = c->gpr[GPR_RSP];

	if (i->mode != MODE_REAL) {
		return EMUL_UNHANDLED;
	}
	enum emul_result r = operand_pop(c, i, &rsp, &offset, i->op_size);
	if (r == EMUL_OK) {
		r = operand_pop(c, i, &rsp, &sel, i->op_size);
	}
	if (r == EMUL_OK) {
		r = operand_pop(c, i, &rsp, &flags, i->op_size);
	}
	if (r == EMUL_OK) {
		r = near_target(c, i, offset);
	}
	if (r == EMUL_OK) {
		operand_set_rsp(c, i, rsp);
		c->rflags = exec_sys_new_flags(c, flags, i->op_size);
		r = operand_load_seg(c, i, SEG_CS, (uint16_t)sel);
	}
	return r;
}
