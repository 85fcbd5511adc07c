/*
 * The MMX, SSE and AVX moves that drivers and memcpy() use on device memory, and MOVNTI.
 *
 * One table says of each move how wide it is, which way it goes and what happens to the rest of the
 * register; emul.c has checked CR0, CR4 and the VEX fields. VEX forms clear the register above what they
 * write, so those are done as 32-byte writes. Pure. Intel SDM volume 2; AMD APM volume 4.
 */
#include "emul/insn.h"

#define VEC_BYTES 32u

enum vec_file { FILE_XMM, FILE_MMX };

/* bytes 0: the vector length. high: bytes 8..15 of the register, else from 0. merge: a load keeps the
 * other bytes (of vvvv in VEX forms); else they become zero. */
static const struct simd_move {
	uint8_t bytes;
	bool load, aligned, high, merge, mmx, gpr, merge_reg_form;
} simd_move[SIMD_COUNT] = {
	[SIMD_LOAD_U] = { .load = true },
	[SIMD_STORE_U] = { .load = false },
	[SIMD_LOAD_A] = { .load = true, .aligned = true },
	[SIMD_STORE_A] = { .aligned = true },
	[SIMD_LOAD_SS] = { .bytes = 4, .load = true, .merge_reg_form = true },
	[SIMD_LOAD_SD] = { .bytes = 8, .load = true, .merge_reg_form = true },
	[SIMD_STORE_SS] = { .bytes = 4, .merge_reg_form = true },
	[SIMD_STORE_SD] = { .bytes = 8, .merge_reg_form = true },
	[SIMD_LOAD_LOW] = { .bytes = 8, .load = true, .merge = true },
	[SIMD_STORE_LOW] = { .bytes = 8 },
	[SIMD_LOAD_HIGH] = { .bytes = 8, .load = true, .high = true, .merge = true },
	[SIMD_STORE_HIGH] = { .bytes = 8, .high = true },
	[SIMD_FROM_GPR] = { .bytes = 4, .load = true, .gpr = true },
	[SIMD_TO_GPR] = { .bytes = 4, .gpr = true },
	[SIMD_LOAD_Q] = { .bytes = 8, .load = true },
	[SIMD_STORE_Q] = { .bytes = 8 },
	[SIMD_MMX_FROM_GPR] = { .bytes = 4, .load = true, .mmx = true, .gpr = true },
	[SIMD_MMX_TO_GPR] = { .bytes = 4, .mmx = true, .gpr = true },
	[SIMD_MMX_LOAD] = { .bytes = 8, .load = true, .mmx = true },
	[SIMD_MMX_STORE] = { .bytes = 8, .mmx = true },
};

static enum emul_result read_xmm(struct emul_ctxt *c, unsigned int n, uint8_t *v)
{
	return c->ops->read_vec(c, n, v, 16);
}

/* Write size bytes of a register; v is VEC_BYTES of which the rest is zero, as VEX forms leave it. */
static enum emul_result write_reg(struct emul_ctxt *c, const struct insn *i, unsigned int n,
				  const uint8_t *v, unsigned int size)
{
	return c->ops->write_vec(c, n, v, i->vex ? VEC_BYTES : size);
}

/* The r/m operand, from memory or a register, into the first bytes of v. */
static enum emul_result load_rm(struct emul_ctxt *c, const struct insn *i,
				const struct simd_move *m, uint8_t *v, unsigned int bytes)
{
	if (i->mem) {
		return operand_mem_read(c, i, i->mem_seg, i->ea, v, bytes);
	}
	if (m->gpr) {
		uint64_t g = operand_reg(c, i, i->rm, bytes);
		memcpy(v, &g, sizeof(g));
		return EMUL_OK;
	}
	if (m->mmx) {
		return c->ops->read_vec(c, i->rm & 7, v, 8);
	}
	return c->ops->read_vec(c, i->rm, v, MAX(bytes, 16));
}

static enum emul_result do_load(struct emul_ctxt *c, const struct insn *i,
				const struct simd_move *m, unsigned int bytes)
{
	uint8_t v[VEC_BYTES] = { 0 }, reg[VEC_BYTES] = { 0 };
	enum emul_result r = load_rm(c, i, m, v, bytes);

	if (r != EMUL_OK) {
		return r;
	}
	if (m->mmx) {
		return c->ops->write_vec(c, i->reg & 7, v, 8);
	}
	if (m->merge || (m->merge_reg_form && !i->mem)) {
		/* MOVHLPS takes the source's high half; the others its low bytes. */
		const uint8_t *from = m->merge && !m->high && !i->mem ? v + 8 : v;
		r = read_xmm(c, i->vex ? i->vvvv : i->reg, reg);
		if (r != EMUL_OK) {
			return r;
		}
		memcpy(reg + (m->high ? 8 : 0), from, bytes);
	} else {
		memcpy(reg, v, bytes);
	}
	return write_reg(c, i, i->reg, reg, MAX(bytes, 16));
}

/* Register to register in the store direction: r/m is the destination. */
static enum emul_result store_to_reg(struct emul_ctxt *c, const struct insn *i,
				     const struct simd_move *m, uint8_t *v, unsigned int bytes)
{
	uint8_t reg[VEC_BYTES] = { 0 };

	if (m->gpr) {
		uint64_t g;
		memcpy(&g, v, sizeof(g));
		operand_gpr_write(c, i->rm, g, bytes);
		return EMUL_OK;
	}
	if (m->mmx) {
		return c->ops->write_vec(c, i->rm & 7, v, 8);
	}
	if (m->merge_reg_form) {
		enum emul_result r = read_xmm(c, i->vex ? i->vvvv : i->rm, reg);
		if (r != EMUL_OK) {
			return r;
		}
	}
	memcpy(reg, v, bytes);
	return write_reg(c, i, i->rm, reg, MAX(bytes, 16));
}

static enum emul_result do_store(struct emul_ctxt *c, const struct insn *i,
				 const struct simd_move *m, unsigned int bytes)
{
	uint8_t v[VEC_BYTES] = { 0 };
	enum emul_result r = m->mmx ? c->ops->read_vec(c, i->reg & 7, v, 8)
				    : c->ops->read_vec(c, i->reg, v, MAX(bytes, 16));

	if (r != EMUL_OK) {
		return r;
	}
	if (!i->mem) {
		return store_to_reg(c, i, m, v, bytes);
	}
	return operand_mem_write(c, i, i->mem_seg, i->ea, v + (m->high ? 8 : 0), bytes);
}

enum emul_result exec_simd_move(struct emul_ctxt *c, struct insn *i)
{
	const struct simd_move *m = &simd_move[i->op->sub];
	unsigned int bytes = m->bytes ? m->bytes : i->vex_l ? 32 : 16;

	if (!c->ops->read_vec || !c->ops->write_vec) {
		return EMUL_UNHANDLED;
	}
	if (m->gpr && (i->rex & 8)) {
		bytes = 8;
	}
	/* vvvv is an operand only where registers are merged. */
	if (i->vex && i->vvvv && !m->merge && !(m->merge_reg_form && !i->mem)) {
		return insn_fault(c, VEC_UD);
	}
	if (m->aligned && i->mem && operand_misaligned(c, i, bytes)) {
		return insn_fault(c, VEC_GP);
	}
	return m->load ? do_load(c, i, m, bytes) : do_store(c, i, m, bytes);
}

/* A plain store with a cache hint; the prefixed forms are not instructions. */
enum emul_result exec_simd_movnti(struct emul_ctxt *c, struct insn *i)
{
	if (i->opsize_prefix || i->rep) {
		return EMUL_UNHANDLED;
	}
	return operand_store(c, i, OPD_RM, i->op_size, c->gpr[i->reg]);
}
