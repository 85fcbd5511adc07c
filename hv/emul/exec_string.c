/*
 * MOVS, STOS, LODS, CMPS, SCAS, INS, OUTS, with and without REP.
 *
 * A REP is done in runs: through the bulk ops where they are given and segments and wrap-around allow,
 * else element by element. Each run is committed before the next, so that a fault shows the work done
 * so far. One call does at most STRING_BUDGET elements and stops for a waiting interrupt; then the
 * result is EMUL_OK with rip still at the instruction. Pure. Intel SDM volume 2, "REP".
 */
#include "emul/insn.h"

#define STRING_BUDGET 4096u

static const struct {
	bool src, dst, io, compares;
} string_kind[] = {
	[STR_MOVS] = { .src = true, .dst = true },
	[STR_STOS] = { .dst = true },
	[STR_LODS] = { .src = true },
	[STR_CMPS] = { .src = true, .dst = true, .compares = true },
	[STR_SCAS] = { .dst = true, .compares = true },
	[STR_INS] = { .dst = true, .io = true },
	[STR_OUTS] = { .src = true, .io = true },
};

static unsigned int source_seg(const struct insn *i)
{
	return i->seg_prefix == SEG_COUNT ? SEG_DS : i->seg_prefix;
}

static uint64_t string_offset(const struct emul_ctxt *c, const struct insn *i, unsigned int reg)
{
	return c->gpr[reg] & operand_mask(i->addr_size);
}

static enum emul_result read_source(struct emul_ctxt *c, const struct insn *i, uint64_t *v)
{
	*v = 0;
	return operand_mem_read(c, i, source_seg(i), string_offset(c, i, GPR_RSI), v, i->size);
}

static enum emul_result read_dest(struct emul_ctxt *c, const struct insn *i, uint64_t *v)
{
	*v = 0;
	return operand_mem_read(c, i, SEG_ES, string_offset(c, i, GPR_RDI), v, i->size);
}

static enum emul_result write_dest(struct emul_ctxt *c, const struct insn *i, uint64_t v)
{
	return operand_mem_write(c, i, SEG_ES, string_offset(c, i, GPR_RDI), &v, i->size);
}

static enum emul_result one_movs(struct emul_ctxt *c, const struct insn *i)
{
	uint64_t v;
	enum emul_result r = read_source(c, i, &v);

	return r == EMUL_OK ? write_dest(c, i, v) : r;
}

static enum emul_result one_stos(struct emul_ctxt *c, const struct insn *i)
{
	return write_dest(c, i, c->gpr[GPR_RAX]);
}

static enum emul_result one_lods(struct emul_ctxt *c, const struct insn *i)
{
	uint64_t v;
	enum emul_result r = read_source(c, i, &v);

	if (r == EMUL_OK) {
		operand_gpr_write(c, GPR_RAX, v, i->size);
	}
	return r;
}

static enum emul_result one_cmps(struct emul_ctxt *c, const struct insn *i)
{
	uint64_t a, b;
	enum emul_result r = read_source(c, i, &a);

	if (r == EMUL_OK) {
		r = read_dest(c, i, &b);
	}
	if (r == EMUL_OK) {
		flags_sub(a, b, false, i->size, &c->rflags);
	}
	return r;
}

static enum emul_result one_scas(struct emul_ctxt *c, const struct insn *i)
{
	uint64_t v;
	enum emul_result r = read_dest(c, i, &v);

	if (r == EMUL_OK) {
		flags_sub(c->gpr[GPR_RAX] & operand_mask(i->size), v, false, i->size, &c->rflags);
	}
	return r;
}

static enum emul_result one_ins(struct emul_ctxt *c, const struct insn *i)
{
	uint32_t data = 0;
	uint64_t linear;
	/* The port must not be read when the element has no place to go. */
	enum emul_result r = operand_linear(c, i, SEG_ES, string_offset(c, i, GPR_RDI), i->size,
					    true, &linear);

	if (r == EMUL_OK) {
		r = c->ops->pio(c, false, (uint16_t)c->gpr[GPR_RDX], i->size, &data);
	}
	return r == EMUL_OK ? c->ops->write(c, linear, &data, i->size, EMUL_ACC_DATA) : r;
}

static enum emul_result one_outs(struct emul_ctxt *c, const struct insn *i)
{
	uint64_t v;
	enum emul_result r = read_source(c, i, &v);
	uint32_t data = (uint32_t)v;

	return r == EMUL_OK ? c->ops->pio(c, true, (uint16_t)c->gpr[GPR_RDX], i->size, &data) : r;
}

typedef enum emul_result (*string_one)(struct emul_ctxt *c, const struct insn *i);

static const string_one one[] = {
	[STR_MOVS] = one_movs, [STR_STOS] = one_stos, [STR_LODS] = one_lods, [STR_CMPS] = one_cmps,
	[STR_SCAS] = one_scas, [STR_INS] = one_ins,   [STR_OUTS] = one_outs,
};

/* Does the instruction have a bulk op, and is it worth calling for n elements? */
static bool has_bulk(const struct emul_ctxt *c, const struct insn *i, uint64_t n)
{
	switch (i->op->sub) {
	case STR_MOVS:
		return n > 1 && c->ops->rep_movs;
	case STR_STOS:
		return n > 1 && c->ops->rep_stos;
	case STR_INS:
	case STR_OUTS:
		/* For one element as well: it can look at the memory before it touches the port. */
		return c->ops->rep_pio;
	default:
		return false;
	}
}

/* A copy onto itself a little further on repeats a pattern: only one by one gives that. */
static bool overlaps(uint64_t src, uint64_t dst, uint64_t bytes)
{
	return src - dst < bytes || dst - src < bytes;
}

static enum emul_result call_bulk(struct emul_ctxt *c, const struct insn *i, uint64_t src,
				  uint64_t dst, bool down, uint64_t *n)
{
	uint16_t port = (uint16_t)c->gpr[GPR_RDX];

	switch (i->op->sub) {
	case STR_MOVS:
		if (overlaps(src, dst, *n * i->size)) {
			*n = 0;
			return EMUL_OK;
		}
		return c->ops->rep_movs(c, src, dst, i->size, down, n);
	case STR_STOS:
		return c->ops->rep_stos(c, dst, c->gpr[GPR_RAX] & operand_mask(i->size), i->size,
					down, n);
	default:
		return c->ops->rep_pio(c, i->op->sub == STR_OUTS, port, i->size,
				       i->op->sub == STR_OUTS ? src : dst, down, n);
	}
}

/* Up to *n elements at once; *n is what was done, 0: none, do one by one. */
static enum emul_result do_bulk(struct emul_ctxt *c, const struct insn *i, bool down, uint64_t *n)
{
	uint64_t want = *n, src = 0, dst = 0;
	uint64_t si = string_offset(c, i, GPR_RSI), di = string_offset(c, i, GPR_RDI);
	bool uses_src = string_kind[i->op->sub].src, uses_dst = string_kind[i->op->sub].dst;

	*n = 0;
	if (uses_src) {
		want = operand_span(c, i, source_seg(i), si, i->size, false, down, want);
	}
	if (uses_dst) {
		want = operand_span(c, i, SEG_ES, di, i->size, true, down, want);
	}
	if (want == 0 || !has_bulk(c, i, want)) {
		return EMUL_OK;
	}
	if (uses_src) {
		(void)operand_linear(c, i, source_seg(i), si, i->size, false, &src);
	}
	if (uses_dst) {
		(void)operand_linear(c, i, SEG_ES, di, i->size, true, &dst);
	}
	uint64_t done = want;
	enum emul_result r = call_bulk(c, i, src, dst, down, &done);
	*n = MIN(done, want);
	return r;
}

/* Up to *n elements; on EMUL_OK at least one was done and *n tells how many. */
static enum emul_result do_run(struct emul_ctxt *c, const struct insn *i, bool down, uint64_t *n)
{
	if (has_bulk(c, i, *n)) {
		enum emul_result r = do_bulk(c, i, down, n);
		if (r != EMUL_OK || *n != 0) {
			return r;
		}
	}
	*n = 1;
	return one[i->op->sub](c, i);
}

static void advance(struct emul_ctxt *c, const struct insn *i, bool down, uint64_t n)
{
	uint64_t step = n * i->size;

	step = down ? -step : step;
	if (string_kind[i->op->sub].src) {
		operand_gpr_write(c, GPR_RSI, c->gpr[GPR_RSI] + step, i->addr_size);
	}
	if (string_kind[i->op->sub].dst) {
		operand_gpr_write(c, GPR_RDI, c->gpr[GPR_RDI] + step, i->addr_size);
	}
}

/* REPE and REPNE end when ZF says so. */
static bool compare_ended(const struct emul_ctxt *c, const struct insn *i)
{
	return string_kind[i->op->sub].compares &&
	       !(c->rflags & FLAG_ZF) == (i->rep == 0xf3);
}

static enum emul_result do_rep(struct emul_ctxt *c, struct insn *i)
{
	uint64_t count = string_offset(c, i, GPR_RCX);
	uint64_t budget = c->rflags & FLAG_TF ? 1 : STRING_BUDGET;
	bool down = c->rflags & FLAG_DF, progress = false;

	while (count > 0) {
		uint64_t n = MIN(count, budget);
		enum emul_result r = do_run(c, i, down, &n);
		if (r != EMUL_OK) {
			/* Work done cannot be undone: only a fault is told at once. */
			i->next_rip = c->rip;
			return progress && (r == EMUL_RETRY || r == EMUL_UNHANDLED) ? EMUL_OK : r;
		}
		progress = true;
		advance(c, i, down, n);
		count -= n;
		budget -= n;
		operand_gpr_write(c, GPR_RCX, count, i->addr_size);
		if (compare_ended(c, i)) {
			return EMUL_OK;
		}
		if (count > 0 && (budget == 0 || (c->ops->interrupt_pending &&
						  c->ops->interrupt_pending(c)))) {
			i->next_rip = c->rip;
			return EMUL_OK;
		}
	}
	return EMUL_OK;
}

enum emul_result exec_string(struct emul_ctxt *c, struct insn *i)
{
	bool down = c->rflags & FLAG_DF;

	if (string_kind[i->op->sub].io) {
		i->size = MIN(i->size, 4);
		enum emul_result r = exec_sys_io_check(c, i, (uint16_t)c->gpr[GPR_RDX], i->size);
		if (r != EMUL_OK) {
			return r;
		}
	}
	if (i->rep) {
		return do_rep(c, i);
	}
	uint64_t n = 1;
	enum emul_result r = do_run(c, i, down, &n);
	if (r == EMUL_OK) {
		advance(c, i, down, 1);
	}
	return r;
}
