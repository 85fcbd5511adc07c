/*
 * Operands: segment and canonical checks, memory and register access, the stack, locked updates.
 *
 * The only file that calls the memory ops, so that no access escapes the checks. Pure; no locking.
 * Intel SDM volume 3, "Protection"; AMD APM volume 2, "Segmented Virtual Memory".
 */
#include "emul/insn.h"

/* Tries of a locked update before the guest gets the CPU back: other CPUs may keep winning. */
#define LOCKED_TRIES 16u

bool operand_canonical(const struct emul_ctxt *c, uint64_t linear)
{
	unsigned int shift = c->cr4 & CR4_LA57 ? 64 - 57 : 64 - 48;

	return (uint64_t)((int64_t)(linear << shift) >> shift) == linear;
}

static enum emul_result segment_fault(struct emul_ctxt *c, unsigned int seg)
{
	return insn_fault(c, seg == SEG_SS ? VEC_SS : VEC_GP);
}

static bool segment_type_ok(const struct emul_segment *s, bool write)
{
	if (!(s->attr & SEG_ATTR_P) || !(s->attr & SEG_ATTR_S)) {
		return false;
	}
	if (s->attr & SEG_ATTR_CODE) {
		return !write && (s->attr & SEG_ATTR_RW);
	}
	return !write || (s->attr & SEG_ATTR_RW);
}

/* Are offsets first..last (first <= last) inside the segment? */
static bool segment_limit_ok(const struct emul_segment *s, uint64_t first, uint64_t last)
{
	if ((s->attr & (SEG_ATTR_S | SEG_ATTR_CODE | SEG_ATTR_DOWN)) ==
	    (SEG_ATTR_S | SEG_ATTR_DOWN)) {
		return first > s->limit && last <= (s->attr & SEG_ATTR_DB ? UINT32_MAX : 0xffffu);
	}
	return last <= s->limit;
}

enum emul_result operand_linear(struct emul_ctxt *c, const struct insn *i, unsigned int seg,
				uint64_t offset, unsigned int size, bool write, uint64_t *linear)
{
	if (i->mode == MODE_LONG64) {
		uint64_t l = offset + (seg == SEG_FS || seg == SEG_GS ? emul_get_seg(c, seg)->base : 0);
		if (!operand_canonical(c, l) || !operand_canonical(c, l + size - 1)) {
			return segment_fault(c, seg);
		}
		*linear = l;
		/* Wrapping from the top to zero is canonical at both ends but no single range. */
		return l + size - 1 < l ? EMUL_UNHANDLED : EMUL_OK;
	}
	const struct emul_segment *s = emul_get_seg(c, seg);

	if (i->mode == MODE_PROT && !segment_type_ok(s, write)) {
		/* A null SS cannot be; a null or wrong DS is #GP, and so is reading execute-only code. */
		return segment_fault(c, seg);
	}
	if (!segment_limit_ok(s, offset, offset + size - 1)) {
		return segment_fault(c, seg);
	}
	*linear = (uint32_t)(s->base + offset);
	return *linear + size - 1 > UINT32_MAX ? EMUL_UNHANDLED : EMUL_OK;
}

bool operand_misaligned(struct emul_ctxt *c, const struct insn *i, unsigned int size)
{
	uint64_t linear = i->ea;

	if (i->mode != MODE_LONG64 || i->mem_seg == SEG_FS || i->mem_seg == SEG_GS) {
		linear += emul_get_seg(c, i->mem_seg)->base;
	}
	return linear & (size - 1);
}

static bool span_ok(struct emul_ctxt *c, const struct insn *i, unsigned int seg, uint64_t first,
		    uint64_t last, unsigned int size, bool write)
{
	uint64_t a, b, lo = MIN(first, last), hi = MAX(first, last);

	/* Both ends are checked; what is allowed is an interval, so the middle is too. */
	return operand_linear(c, i, seg, lo, size, write, &a) == EMUL_OK &&
	       operand_linear(c, i, seg, hi, size, write, &b) == EMUL_OK && b - a == hi - lo;
}

uint64_t operand_span(struct emul_ctxt *c, const struct insn *i, unsigned int seg, uint64_t offset,
		      unsigned int size, bool write, bool down, uint64_t count)
{
	uint64_t mask = operand_mask(i->addr_size);
	uint64_t room = (down ? offset : mask - offset) / size + (down ? 1 : 0);

	/* Halving finds a run quickly; what is left over is done in the next round or one by one. */
	for (uint64_t n = MIN(count, room); n > 0; n /= 2) {
		uint64_t reach = (n - 1) * size;
		if (span_ok(c, i, seg, offset, down ? offset - reach : offset + reach, size,
			    write)) {
			return n;
		}
	}
	return 0;
}

enum emul_result operand_mem_read(struct emul_ctxt *c, const struct insn *i, unsigned int seg,
				  uint64_t offset, void *buf, unsigned int size)
{
	uint64_t linear;
	enum emul_result r = operand_linear(c, i, seg, offset, size, false, &linear);

	return r == EMUL_OK ? c->ops->read(c, linear, buf, size, EMUL_ACC_DATA) : r;
}

enum emul_result operand_mem_write(struct emul_ctxt *c, const struct insn *i, unsigned int seg,
				   uint64_t offset, const void *buf, unsigned int size)
{
	uint64_t linear;
	enum emul_result r = operand_linear(c, i, seg, offset, size, true, &linear);

	return r == EMUL_OK ? c->ops->write(c, linear, buf, size, EMUL_ACC_DATA) : r;
}

static unsigned int operand_regno(const struct insn *i, unsigned int opd)
{
	switch (opd) {
	case OPD_RM:
		return i->rm;
	case OPD_REG:
		return i->reg;
	case OPD_OPREG:
		return (i->opcode & 7) | (i->rex & 1 ? 8 : 0);
	default:
		return GPR_RAX;
	}
}

enum emul_result operand_load(struct emul_ctxt *c, const struct insn *i, unsigned int opd,
			      unsigned int size, uint64_t *v)
{
	switch (opd) {
	case OPD_RM:
		if (i->mem) {
			*v = 0;
			return operand_mem_read(c, i, i->mem_seg, i->ea, v, size);
		}
		break;
	case OPD_IMM:
		*v = i->imm & operand_mask(size);
		return EMUL_OK;
	case OPD_ONE:
		*v = 1;
		return EMUL_OK;
	case OPD_CL:
		*v = c->gpr[GPR_RCX] & 0xff;
		return EMUL_OK;
	default:
		break;
	}
	*v = operand_reg(c, i, operand_regno(i, opd), size);
	return EMUL_OK;
}

enum emul_result operand_store(struct emul_ctxt *c, const struct insn *i, unsigned int opd,
			       unsigned int size, uint64_t v)
{
	if (opd == OPD_RM && i->mem) {
		return operand_mem_write(c, i, i->mem_seg, i->ea, &v, size);
	}
	operand_set_reg(c, i, operand_regno(i, opd), v, size);
	return EMUL_OK;
}

/* Locked: read, compute, compare-and-exchange until nobody came between. */
static enum emul_result rmw_locked(struct emul_ctxt *c, struct insn *i, operand_fn fn,
				   uint64_t src, uint64_t linear)
{
	uint64_t old = 0;

	if (!c->ops->cmpxchg) {
		return EMUL_UNHANDLED;
	}
	enum emul_result r = c->ops->read(c, linear, &old, i->size, EMUL_ACC_DATA);
	for (unsigned int n = 0; r == EMUL_OK && n < LOCKED_TRIES; n++) {
		uint64_t rflags = c->rflags;
		uint64_t new = fn(i, old, src, &rflags);
		bool ok = false;
		i->old = old;
		r = c->ops->cmpxchg(c, linear, &old, &new, i->size, &ok);
		if (r == EMUL_OK && ok) {
			c->rflags = rflags;
			return EMUL_OK;
		}
	}
	return r == EMUL_OK ? EMUL_RETRY : r;
}

enum emul_result operand_rmw(struct emul_ctxt *c, struct insn *i, operand_fn fn, uint64_t src)
{
	uint64_t rflags = c->rflags, linear;
	unsigned int opd = i->op->dst;

	if (opd != OPD_RM || !i->mem) {
		unsigned int n = operand_regno(i, opd);
		i->old = operand_reg(c, i, n, i->size);
		operand_set_reg(c, i, n, fn(i, i->old, src, &rflags), i->size);
		c->rflags = rflags;
		return EMUL_OK;
	}
	enum emul_result r = operand_linear(c, i, i->mem_seg, i->ea, i->size, true, &linear);
	if (r != EMUL_OK) {
		return r;
	}
	if (i->lock) {
		return rmw_locked(c, i, fn, src, linear);
	}
	i->old = 0;
	r = c->ops->read(c, linear, &i->old, i->size, EMUL_ACC_DATA);
	if (r != EMUL_OK) {
		return r;
	}
	uint64_t new = fn(i, i->old, src, &rflags);
	r = c->ops->write(c, linear, &new, i->size, EMUL_ACC_DATA);
	if (r == EMUL_OK) {
		c->rflags = rflags;
	}
	return r;
}

unsigned int operand_stack_size(struct emul_ctxt *c, const struct insn *i)
{
	if (i->mode == MODE_LONG64) {
		return 8;
	}
	return (emul_get_seg(c, SEG_SS)->attr & SEG_ATTR_DB) && i->mode != MODE_VM86 ? 4 : 2;
}

enum emul_result operand_push(struct emul_ctxt *c, const struct insn *i, uint64_t *rsp, uint64_t v,
			      unsigned int size)
{
	uint64_t to = (*rsp - size) & operand_mask(operand_stack_size(c, i));
	enum emul_result r = operand_mem_write(c, i, SEG_SS, to, &v, size);

	if (r == EMUL_OK) {
		*rsp = to;
	}
	return r;
}

enum emul_result operand_pop(struct emul_ctxt *c, const struct insn *i, uint64_t *rsp, uint64_t *v,
			     unsigned int size)
{
	uint64_t mask = operand_mask(operand_stack_size(c, i));

	*v = 0;
	enum emul_result r = operand_mem_read(c, i, SEG_SS, *rsp & mask, v, size);
	if (r == EMUL_OK) {
		*rsp = (*rsp + size) & mask;
	}
	return r;
}

/* Only as many bytes of RSP change as the stack is wide. */
void operand_set_rsp(struct emul_ctxt *c, const struct insn *i, uint64_t rsp)
{
	operand_gpr_write(c, GPR_RSP, rsp, operand_stack_size(c, i));
}

enum emul_result operand_load_seg(struct emul_ctxt *c, const struct insn *i, unsigned int seg,
				  uint16_t sel)
{
	struct emul_segment *s = emul_get_seg(c, seg);

	if (i->mode == MODE_REAL || i->mode == MODE_VM86) {
		c->segs_changed |= (uint8_t)BIT(seg);
	}
	if (i->mode == MODE_REAL) {
		/* Limit and attributes stay what they were: that is what makes big real mode. */
		s->sel = sel;
		s->base = (uint64_t)sel << 4;
		return EMUL_OK;
	}
	if (i->mode == MODE_VM86) {
		*s = (struct emul_segment){
			.sel = sel, .base = (uint64_t)sel << 4, .limit = 0xffff, .attr = 0xf3,
		};
		return EMUL_OK;
	}
	return c->ops->load_seg ? c->ops->load_seg(c, seg, sel) : EMUL_UNHANDLED;
}
