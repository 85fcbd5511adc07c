/*
 * Integer arithmetic and logic: ADD..CMP, TEST, NOT/NEG/INC/DEC, multiplication, division, XADD and the
 * compare-and-exchange family. Flags the manuals call undefined are left as they were. Pure; ctxt
 * changes only after the last memory access. Intel SDM volume 2; AMD APM volume 3.
 */
#include "emul/insn.h"

static uint64_t fn_add(const struct insn *i, uint64_t dst, uint64_t src, uint64_t *rflags)
{
	return flags_add(dst, src, false, i->size, rflags);
}

static uint64_t fn_or(const struct insn *i, uint64_t dst, uint64_t src, uint64_t *rflags)
{
	return flags_logic(dst | src, i->size, rflags);
}

static uint64_t fn_adc(const struct insn *i, uint64_t dst, uint64_t src, uint64_t *rflags)
{
	return flags_add(dst, src, *rflags & FLAG_CF, i->size, rflags);
}

static uint64_t fn_sbb(const struct insn *i, uint64_t dst, uint64_t src, uint64_t *rflags)
{
	return flags_sub(dst, src, *rflags & FLAG_CF, i->size, rflags);
}

static uint64_t fn_and(const struct insn *i, uint64_t dst, uint64_t src, uint64_t *rflags)
{
	return flags_logic(dst & src, i->size, rflags);
}

static uint64_t fn_sub(const struct insn *i, uint64_t dst, uint64_t src, uint64_t *rflags)
{
	return flags_sub(dst, src, false, i->size, rflags);
}

static uint64_t fn_xor(const struct insn *i, uint64_t dst, uint64_t src, uint64_t *rflags)
{
	return flags_logic(dst ^ src, i->size, rflags);
}

enum emul_result exec_alu_binary(struct emul_ctxt *c, struct insn *i)
{
	static const operand_fn table[] = {
		[ALU_ADD] = fn_add, [ALU_OR] = fn_or,   [ALU_ADC] = fn_adc, [ALU_SBB] = fn_sbb,
		[ALU_AND] = fn_and, [ALU_SUB] = fn_sub, [ALU_XOR] = fn_xor,
	};
	uint64_t src, dst;
	enum emul_result r = operand_load(c, i, i->op->src, i->size, &src);

	if (r != EMUL_OK) {
		return r;
	}
	if (i->op->sub != ALU_CMP) {
		return operand_rmw(c, i, table[i->op->sub], src);
	}
	r = operand_load(c, i, i->op->dst, i->size, &dst);
	if (r == EMUL_OK) {
		flags_sub(dst, src, false, i->size, &c->rflags);
	}
	return r;
}

enum emul_result exec_alu_test(struct emul_ctxt *c, struct insn *i)
{
	uint64_t src, dst;
	enum emul_result r = operand_load(c, i, i->op->src, i->size, &src);

	if (r == EMUL_OK) {
		r = operand_load(c, i, i->op->dst, i->size, &dst);
	}
	if (r == EMUL_OK) {
		flags_logic(dst & src, i->size, &c->rflags);
	}
	return r;
}

static uint64_t fn_not(const struct insn *i, uint64_t dst, uint64_t src, uint64_t *rflags)
{
	return ~dst & operand_mask(i->size);
}

static uint64_t fn_neg(const struct insn *i, uint64_t dst, uint64_t src, uint64_t *rflags)
{
	return flags_sub(0, dst, false, i->size, rflags);
}

/* INC and DEC leave CF alone. */
static uint64_t fn_inc(const struct insn *i, uint64_t dst, uint64_t src, uint64_t *rflags)
{
	uint64_t carry = *rflags & FLAG_CF;
	uint64_t v = flags_add(dst, 1, false, i->size, rflags);

	*rflags = (*rflags & ~FLAG_CF) | carry;
	return v;
}

static uint64_t fn_dec(const struct insn *i, uint64_t dst, uint64_t src, uint64_t *rflags)
{
	uint64_t carry = *rflags & FLAG_CF;
	uint64_t v = flags_sub(dst, 1, false, i->size, rflags);

	*rflags = (*rflags & ~FLAG_CF) | carry;
	return v;
}

enum emul_result exec_alu_unary(struct emul_ctxt *c, struct insn *i)
{
	static const operand_fn table[] = {
		[UNARY_NOT] = fn_not, [UNARY_NEG] = fn_neg,
		[UNARY_INC] = fn_inc, [UNARY_DEC] = fn_dec,
	};

	return operand_rmw(c, i, table[i->op->sub], 0);
}

static void set_carry_overflow(struct emul_ctxt *c, bool on)
{
	c->rflags &= ~(FLAG_CF | FLAG_OF);
	c->rflags |= on ? FLAG_CF | FLAG_OF : 0;
}

/* Double-width results live in AX, or in rDX:rAX. */
static void set_wide(struct emul_ctxt *c, uint64_t high, uint64_t low, unsigned int size)
{
	if (size == 1) {
		operand_gpr_write(c, GPR_RAX, (high & 0xff) << 8 | (low & 0xff), 2);
		return;
	}
	operand_gpr_write(c, GPR_RAX, low, size);
	operand_gpr_write(c, GPR_RDX, high, size);
}

static void get_wide(const struct emul_ctxt *c, unsigned int size, uint64_t *high, uint64_t *low)
{
	*low = c->gpr[GPR_RAX] & operand_mask(size);
	*high = size == 1 ? c->gpr[GPR_RAX] >> 8 & 0xff : c->gpr[GPR_RDX] & operand_mask(size);
}

static void multiply(struct emul_ctxt *c, const struct insn *i, uint64_t src)
{
	unsigned int size = i->size, bits = 8 * size;
	uint64_t acc = c->gpr[GPR_RAX] & operand_mask(size), high, low;

	if (i->op->sub == MUL_MUL) {
		unsigned __int128 p = (unsigned __int128)acc * src;
		low = (uint64_t)p & operand_mask(size);
		high = (uint64_t)(p >> bits);
		set_carry_overflow(c, high != 0);
	} else {
		__int128 p = (__int128)(int64_t)operand_sign_extend(acc, size) *
			     (int64_t)operand_sign_extend(src, size);
		low = (uint64_t)p & operand_mask(size);
		high = (uint64_t)(p >> bits);
		set_carry_overflow(c, p != (int64_t)operand_sign_extend(low, size));
	}
	set_wide(c, high, low, size);
}

/* high:low / d with all of them size bytes wide; false when the quotient does not fit or d is 0. */
static bool divide(uint64_t high, uint64_t low, uint64_t d, unsigned int size, uint64_t *quotient,
		   uint64_t *remainder)
{
	if (high >= d) {
		return false;
	}
	if (size < 8) {
		uint64_t n = high << 8 * size | low;
		*quotient = n / d;
		*remainder = n % d;
	} else {
		unsigned __int128 n = (unsigned __int128)high << 64 | low;
		/* One division: asking for both makes gcc call a function that we do not have. */
		*quotient = (uint64_t)(n / d);
		*remainder = low - *quotient * d;
	}
	return true;
}

static void negate_wide(uint64_t *high, uint64_t *low, unsigned int size)
{
	uint64_t mask = operand_mask(size);

	*low = -*low & mask;
	*high = (~*high + (*low == 0)) & mask;
}

/* Signed: divide the magnitudes, then fit the quotient into its sign's range. */
static bool divide_signed(uint64_t high, uint64_t low, uint64_t d, unsigned int size,
			  uint64_t *quotient, uint64_t *remainder)
{
	unsigned int top = 8 * size - 1;
	bool neg_n = high >> top & 1, neg_d = d >> top & 1;
	uint64_t limit = (1ull << top) - (neg_n == neg_d);

	if (neg_n) {
		negate_wide(&high, &low, size);
	}
	if (neg_d) {
		d = -d & operand_mask(size);
	}
	if (!divide(high, low, d, size, quotient, remainder) || *quotient > limit) {
		return false;
	}
	*quotient = neg_n != neg_d ? -*quotient : *quotient;
	*remainder = neg_n ? -*remainder : *remainder;
	return true;
}

enum emul_result exec_alu_muldiv(struct emul_ctxt *c, struct insn *i)
{
	uint64_t src, high, low, q, rem;
	enum emul_result r = operand_load(c, i, OPD_RM, i->size, &src);

	if (r != EMUL_OK) {
		return r;
	}
	if (i->op->sub == MUL_MUL || i->op->sub == MUL_IMUL) {
		multiply(c, i, src);
		return EMUL_OK;
	}
	get_wide(c, i->size, &high, &low);
	bool ok = i->op->sub == MUL_DIV ? divide(high, low, src, i->size, &q, &rem)
					: divide_signed(high, low, src, i->size, &q, &rem);
	if (!ok) {
		return insn_fault(c, VEC_DE);
	}
	set_wide(c, rem, q, i->size);
	return EMUL_OK;
}

/* IMUL with two or three operands: the product is cut to the operand size. */
enum emul_result exec_alu_imul(struct emul_ctxt *c, struct insn *i)
{
	uint64_t a, b;
	enum emul_result r = operand_load(c, i, OPD_RM, i->size, &a);

	if (r != EMUL_OK) {
		return r;
	}
	(void)operand_load(c, i, i->op->src, i->size, &b);
	__int128 p = (__int128)(int64_t)operand_sign_extend(a, i->size) *
		     (int64_t)operand_sign_extend(b, i->size);
	set_carry_overflow(c, p != (int64_t)operand_sign_extend((uint64_t)p, i->size));
	operand_set_reg(c, i, i->reg, (uint64_t)p, i->size);
	return EMUL_OK;
}

enum emul_result exec_alu_xadd(struct emul_ctxt *c, struct insn *i)
{
	uint64_t src;

	(void)operand_load(c, i, OPD_REG, i->size, &src);
	if (!i->mem) {
		/* The source is written first: for XADD of a register with itself the sum stays. */
		uint64_t dst = operand_reg(c, i, i->rm, i->size);
		uint64_t sum = flags_add(dst, src, false, i->size, &c->rflags);
		operand_set_reg(c, i, i->reg, dst, i->size);
		operand_set_reg(c, i, i->rm, sum, i->size);
		return EMUL_OK;
	}
	enum emul_result r = operand_rmw(c, i, fn_add, src);
	if (r == EMUL_OK) {
		operand_set_reg(c, i, i->reg, i->old, i->size);
	}
	return r;
}

/* The accumulator's part of CMPXCHG: what was found, unless it was what was expected. */
static void cmpxchg_finish(struct emul_ctxt *c, const struct insn *i, uint64_t acc, uint64_t found)
{
	flags_sub(acc, found, false, i->size, &c->rflags);
	if (acc != found) {
		operand_gpr_write(c, GPR_RAX, found, i->size);
	}
}

static enum emul_result cmpxchg_locked(struct emul_ctxt *c, struct insn *i, uint64_t acc,
				       uint64_t src)
{
	uint64_t linear, found = acc;
	bool ok = false;

	if (!c->ops->cmpxchg) {
		return EMUL_UNHANDLED;
	}
	enum emul_result r = operand_linear(c, i, i->mem_seg, i->ea, i->size, true, &linear);
	if (r == EMUL_OK) {
		r = c->ops->cmpxchg(c, linear, &found, &src, i->size, &ok);
	}
	if (r == EMUL_OK) {
		cmpxchg_finish(c, i, acc, found);
	}
	return r;
}

enum emul_result exec_alu_cmpxchg(struct emul_ctxt *c, struct insn *i)
{
	uint64_t src, dst, acc = c->gpr[GPR_RAX] & operand_mask(i->size);

	(void)operand_load(c, i, OPD_REG, i->size, &src);
	if (i->lock) {
		return cmpxchg_locked(c, i, acc, src);
	}
	enum emul_result r = operand_load(c, i, OPD_RM, i->size, &dst);
	if (r != EMUL_OK) {
		return r;
	}
	/* Memory is written in either case, as the processor does; a register only when they match. */
	if (i->mem || dst == acc) {
		r = operand_store(c, i, OPD_RM, i->size, dst == acc ? src : dst);
	}
	if (r == EMUL_OK) {
		cmpxchg_finish(c, i, acc, dst);
	}
	return r;
}

/* CMPXCHG8B and, with REX.W, CMPXCHG16B; one compare-and-exchange whether locked or not. */
enum emul_result exec_alu_cmpxchg8b(struct emul_ctxt *c, struct insn *i)
{
	unsigned int half = i->op_size == 8 ? 8 : 4, size = 2 * half;
	uint64_t lo = c->gpr[GPR_RAX], hi = c->gpr[GPR_RDX], linear;
	uint64_t old[2] = { lo, hi }, new[2] = { c->gpr[GPR_RBX], c->gpr[GPR_RCX] };
	bool ok = false;

	if (!c->ops->cmpxchg) {
		return EMUL_UNHANDLED;
	}
	if (half == 4) {
		old[0] = hi << 32 | (uint32_t)lo;
		new[0] = new[1] << 32 | (uint32_t)new[0];
	}
	/* Alignment comes before the segment: a stack address does not make this #SS. */
	if (half == 8 && operand_misaligned(c, i, size)) {
		return insn_fault(c, VEC_GP);
	}
	enum emul_result r = operand_linear(c, i, i->mem_seg, i->ea, size, true, &linear);
	if (r == EMUL_OK) {
		r = c->ops->cmpxchg(c, linear, old, new, size, &ok);
	}
	if (r != EMUL_OK) {
		return r;
	}
	c->rflags = (c->rflags & ~FLAG_ZF) | (ok ? FLAG_ZF : 0);
	if (!ok) {
		operand_gpr_write(c, GPR_RAX, old[0], half);
		operand_gpr_write(c, GPR_RDX, half == 4 ? old[0] >> 32 : old[1], half);
	}
	return EMUL_OK;
}
