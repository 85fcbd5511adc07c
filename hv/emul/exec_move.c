/*
 * Instructions that move data without arithmetic: MOV and its relatives, XCHG, the stack, LEA,
 * segment registers, conditional moves. Pure; each function changes ctxt only after its last access
 * to memory has succeeded. Intel SDM volume 2, "Instruction Set Reference".
 */
#include "emul/insn.h"

enum emul_result exec_move_mov(struct emul_ctxt *c, struct insn *i)
{
	uint64_t v;
	enum emul_result r = operand_load(c, i, i->op->src, i->size, &v);

	return r == EMUL_OK ? operand_store(c, i, i->op->dst, i->size, v) : r;
}

/* MOVZX, MOVSX, MOVSXD; 63h is ARPL outside 64-bit mode. */
enum emul_result exec_move_movx(struct emul_ctxt *c, struct insn *i)
{
	unsigned int from = i->op->sub >> 1;
	uint64_t v;

	if (from == 4) {
		if (i->code_size != 8) {
			return EMUL_UNHANDLED;
		}
		from = MIN(from, i->op_size);
	}
	enum emul_result r = operand_load(c, i, OPD_RM, from, &v);
	if (r != EMUL_OK) {
		return r;
	}
	if ((i->op->sub & 1) == MOVX_SIGN) {
		v = operand_sign_extend(v, from);
	}
	return operand_store(c, i, OPD_REG, i->op_size, v);
}

static uint64_t swap_bytes(uint64_t v, unsigned int size)
{
	return __builtin_bswap64(v) >> (64 - 8 * size);
}

enum emul_result exec_move_movbe(struct emul_ctxt *c, struct insn *i)
{
	uint64_t v;
	enum emul_result r = operand_load(c, i, i->op->src, i->size, &v);

	return r == EMUL_OK ? operand_store(c, i, i->op->dst, i->size, swap_bytes(v, i->size)) : r;
}

/* BSWAP of 16 bits is undefined; what processors do is to give zero. */
enum emul_result exec_move_bswap(struct emul_ctxt *c, struct insn *i)
{
	uint64_t v = 0;

	if (i->op_size > 2) {
		(void)operand_load(c, i, OPD_OPREG, i->op_size, &v);
		v = swap_bytes(v, i->op_size);
	}
	return operand_store(c, i, OPD_OPREG, i->op_size, v);
}

enum emul_result exec_move_lea(struct emul_ctxt *c, struct insn *i)
{
	return operand_store(c, i, OPD_REG, i->op_size, i->ea);
}

static uint64_t take_source(const struct insn *i, uint64_t dst, uint64_t src, uint64_t *rflags)
{
	return src;
}

/* XCHG; with memory it is locked without being told. 90h without REX.B is NOP and PAUSE. */
enum emul_result exec_move_xchg(struct emul_ctxt *c, struct insn *i)
{
	uint64_t v;

	if (i->opcode == 0x90 && !(i->rex & 1)) {
		return EMUL_OK;
	}
	i->lock = i->mem;
	(void)operand_load(c, i, i->op->src, i->size, &v);
	enum emul_result r = operand_rmw(c, i, take_source, v);
	return r == EMUL_OK ? operand_store(c, i, i->op->src, i->size, i->old) : r;
}

enum emul_result exec_move_push(struct emul_ctxt *c, struct insn *i)
{
	uint64_t v, rsp = c->gpr[GPR_RSP];
	enum emul_result r = operand_load(c, i, i->op->src, i->op_size, &v);

	if (r == EMUL_OK) {
		r = operand_push(c, i, &rsp, v, i->op_size);
	}
	if (r == EMUL_OK) {
		operand_set_rsp(c, i, rsp);
	}
	return r;
}

enum emul_result exec_move_pop(struct emul_ctxt *c, struct insn *i)
{
	uint64_t v, rsp = c->gpr[GPR_RSP], before = rsp;
	enum emul_result r = operand_pop(c, i, &rsp, &v, i->op_size);

	if (r != EMUL_OK) {
		return r;
	}
	/* RSP first: POP RSP keeps the value popped. */
	operand_set_rsp(c, i, rsp);
	r = operand_store(c, i, i->op->dst, i->op_size, v);
	if (r != EMUL_OK) {
		c->gpr[GPR_RSP] = before;
	}
	return r;
}

enum emul_result exec_move_pusha(struct emul_ctxt *c, struct insn *i)
{
	uint64_t rsp = c->gpr[GPR_RSP];

	for (unsigned int n = 0; n < 8; n++) {
		enum emul_result r = operand_push(c, i, &rsp, c->gpr[n], i->op_size);
		if (r != EMUL_OK) {
			return r;
		}
	}
	operand_set_rsp(c, i, rsp);
	return EMUL_OK;
}

enum emul_result exec_move_popa(struct emul_ctxt *c, struct insn *i)
{
	uint64_t v[8], rsp = c->gpr[GPR_RSP];

	for (unsigned int n = 8; n-- > 0;) {
		enum emul_result r = operand_pop(c, i, &rsp, &v[n], i->op_size);
		if (r != EMUL_OK) {
			return r;
		}
	}
	for (unsigned int n = 0; n < 8; n++) {
		if (n != GPR_RSP) {
			operand_gpr_write(c, n, v[n], i->op_size);
		}
	}
	operand_set_rsp(c, i, rsp);
	return EMUL_OK;
}

/* ENTER without nesting, which is all that compilers ever made. */
enum emul_result exec_move_enter(struct emul_ctxt *c, struct insn *i)
{
	uint64_t rsp = c->gpr[GPR_RSP], linear;

	if (i->imm2 & 31) {
		return EMUL_UNHANDLED;
	}
	enum emul_result r = operand_push(c, i, &rsp, c->gpr[GPR_RBP], i->op_size);
	if (r != EMUL_OK) {
		return r;
	}
	uint64_t frame = rsp;
	rsp = (rsp - (uint16_t)i->imm) & operand_mask(operand_stack_size(c, i));
	/* The new top of stack must be one that could be written. */
	r = operand_linear(c, i, SEG_SS, rsp, i->op_size, true, &linear);
	if (r == EMUL_OK) {
		operand_gpr_write(c, GPR_RBP, frame, i->op_size);
		operand_set_rsp(c, i, rsp);
	}
	return r;
}

enum emul_result exec_move_leave(struct emul_ctxt *c, struct insn *i)
{
	uint64_t v, rsp = c->gpr[GPR_RBP];
	enum emul_result r = operand_pop(c, i, &rsp, &v, i->op_size);

	if (r == EMUL_OK) {
		operand_set_rsp(c, i, rsp);
		operand_gpr_write(c, GPR_RBP, v, i->op_size);
	}
	return r;
}

/* MOV r/m, Sreg: memory gets 16 bits, a register all of the operand size, zero-extended. */
enum emul_result exec_move_from_seg(struct emul_ctxt *c, struct insn *i)
{
	unsigned int seg = i->modrm >> 3 & 7;

	if (seg >= SEG_COUNT) {
		return insn_fault(c, VEC_UD);
	}
	return operand_store(c, i, OPD_RM, i->mem ? 2 : i->op_size, emul_get_seg(c, seg)->sel);
}

enum emul_result exec_move_to_seg(struct emul_ctxt *c, struct insn *i)
{
	unsigned int seg = i->modrm >> 3 & 7;
	uint64_t sel;

	if (seg >= SEG_COUNT || seg == SEG_CS) {
		return insn_fault(c, VEC_UD);
	}
	enum emul_result r = operand_load(c, i, OPD_RM, 2, &sel);
	if (r == EMUL_OK) {
		r = operand_load_seg(c, i, seg, (uint16_t)sel);
	}
	if (r == EMUL_OK && seg == SEG_SS) {
		c->shadow_ss = true;
	}
	return r;
}

enum emul_result exec_move_push_seg(struct emul_ctxt *c, struct insn *i)
{
	uint64_t rsp = c->gpr[GPR_RSP];
	enum emul_result r = operand_push(c, i, &rsp, emul_get_seg(c, i->op->sub)->sel, i->op_size);

	if (r == EMUL_OK) {
		operand_set_rsp(c, i, rsp);
	}
	return r;
}

enum emul_result exec_move_pop_seg(struct emul_ctxt *c, struct insn *i)
{
	unsigned int seg = i->op->sub;
	uint64_t v, rsp = c->gpr[GPR_RSP];
	/* Only the selector is read, though the stack moves by the operand size. */
	enum emul_result r = operand_pop(c, i, &rsp, &v, 2);

	if (r != EMUL_OK) {
		return r;
	}
	/* The width of the stack is that of the old SS. */
	unsigned int width = operand_stack_size(c, i);
	r = operand_load_seg(c, i, seg, (uint16_t)v);
	if (r != EMUL_OK) {
		return r;
	}
	operand_gpr_write(c, GPR_RSP, rsp + i->op_size - 2, width);
	if (seg == SEG_SS) {
		c->shadow_ss = true;
	}
	return EMUL_OK;
}

/* LDS, LES, LFS, LGS, LSS: an offset and the selector behind it. */
enum emul_result exec_move_load_far(struct emul_ctxt *c, struct insn *i)
{
	uint64_t offset = 0, sel = 0, mask = operand_mask(i->addr_size);
	enum emul_result r = operand_mem_read(c, i, i->mem_seg, i->ea, &offset, i->op_size);

	if (r == EMUL_OK) {
		r = operand_mem_read(c, i, i->mem_seg, (i->ea + i->op_size) & mask, &sel, 2);
	}
	if (r == EMUL_OK) {
		r = operand_load_seg(c, i, i->op->sub, (uint16_t)sel);
	}
	if (r == EMUL_OK) {
		operand_set_reg(c, i, i->reg, offset, i->op_size);
	}
	return r;
}

/* CMOVcc reads its source and, for 32 bits, clears the upper half whether it moves or not. */
enum emul_result exec_move_cmov(struct emul_ctxt *c, struct insn *i)
{
	uint64_t v;
	enum emul_result r = operand_load(c, i, OPD_RM, i->op_size, &v);

	if (r != EMUL_OK) {
		return r;
	}
	if (!flags_condition(c->rflags, i->opcode)) {
		v = c->gpr[i->reg];
	}
	return operand_store(c, i, OPD_REG, i->op_size, v);
}

enum emul_result exec_move_setcc(struct emul_ctxt *c, struct insn *i)
{
	return operand_store(c, i, OPD_RM, 1, flags_condition(c->rflags, i->opcode));
}

/* CBW, CWDE, CDQE: sign-extend half of the accumulator. */
enum emul_result exec_move_cbw(struct emul_ctxt *c, struct insn *i)
{
	uint64_t v = operand_sign_extend(c->gpr[GPR_RAX], i->op_size / 2);

	operand_gpr_write(c, GPR_RAX, v, i->op_size);
	return EMUL_OK;
}

/* CWD, CDQ, CQO: the accumulator's sign into all of the data register. */
enum emul_result exec_move_cwd(struct emul_ctxt *c, struct insn *i)
{
	uint64_t v = operand_sign_extend(c->gpr[GPR_RAX], i->op_size);

	operand_gpr_write(c, GPR_RDX, v >> 63 ? ~0ull : 0, i->op_size);
	return EMUL_OK;
}

enum emul_result exec_move_xlat(struct emul_ctxt *c, struct insn *i)
{
	unsigned int seg = i->seg_prefix == SEG_COUNT ? SEG_DS : i->seg_prefix;
	uint64_t at = (c->gpr[GPR_RBX] + (c->gpr[GPR_RAX] & 0xff)) & operand_mask(i->addr_size);
	uint8_t v;
	enum emul_result r = operand_mem_read(c, i, seg, at, &v, 1);

	if (r == EMUL_OK) {
		operand_gpr_write(c, GPR_RAX, v, 1);
	}
	return r;
}
