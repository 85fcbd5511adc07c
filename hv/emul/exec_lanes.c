/*
 * Vector moves of which memory holds a part: extract and insert (also of 128 bits of a YMM register), broadcasts, and AVX's
 * masked moves. Compilers make them of plain copies. Only with a memory operand: between registers nothing leaves the guest.
 *
 * One table says what each opcode is; emul.c has checked CR0 and CR4. Pure. Intel SDM volume 2; AMD APM volume 4.
 */
#include "emul/insn.h"

#define VEC_BYTES 32u

enum lane_kind { LANE_EXTRACT, LANE_INSERT, LANE_BROADCAST, LANE_MASK_LOAD, LANE_MASK_STORE };

/* bytes 0: 4 or 8 by W. l: the vector length that is asked for, of VEX forms. */
struct lane_form {
	uint8_t opcode, kind, bytes;
	bool vex_only, w_must_be_0;
	enum { L_ANY, L_0, L_1 } l;
};

static const struct lane_form map_38[] = {
	{ 0x18, LANE_BROADCAST, 4, true, true, L_ANY },         /* VBROADCASTSS, SD, F128 */
	{ 0x19, LANE_BROADCAST, 8, true, true, L_1 },
	{ 0x1a, LANE_BROADCAST, 16, true, true, L_1 },
	{ 0x2c, LANE_MASK_LOAD, 4, true, true, L_ANY },         /* VMASKMOVPS, PD */
	{ 0x2d, LANE_MASK_LOAD, 8, true, true, L_ANY },
	{ 0x2e, LANE_MASK_STORE, 4, true, true, L_ANY },
	{ 0x2f, LANE_MASK_STORE, 8, true, true, L_ANY },
	{ 0x58, LANE_BROADCAST, 4, true, true, L_ANY },         /* VPBROADCASTD, Q, VBROADCASTI128 */
	{ 0x59, LANE_BROADCAST, 8, true, true, L_ANY },
	{ 0x5a, LANE_BROADCAST, 16, true, true, L_1 },
	{ 0x78, LANE_BROADCAST, 1, true, true, L_ANY },         /* VPBROADCASTB, W */
	{ 0x79, LANE_BROADCAST, 2, true, true, L_ANY },
	{ 0x8c, LANE_MASK_LOAD, 0, true, false, L_ANY },        /* VPMASKMOVD, Q */
	{ 0x8e, LANE_MASK_STORE, 0, true, false, L_ANY },
};

static const struct lane_form map_3a[] = {
	{ 0x14, LANE_EXTRACT, 1, false, false, L_0 },           /* PEXTRB, W, D, Q */
	{ 0x15, LANE_EXTRACT, 2, false, false, L_0 },
	{ 0x16, LANE_EXTRACT, 0, false, false, L_0 },
	{ 0x18, LANE_INSERT, 16, true, true, L_1 },             /* VINSERTF128, VEXTRACTF128 */
	{ 0x19, LANE_EXTRACT, 16, true, true, L_1 },
	{ 0x20, LANE_INSERT, 1, false, false, L_0 },            /* PINSRB, D, Q */
	{ 0x22, LANE_INSERT, 0, false, false, L_0 },
	{ 0x38, LANE_INSERT, 16, true, true, L_1 },             /* VINSERTI128, VEXTRACTI128 */
	{ 0x39, LANE_EXTRACT, 16, true, true, L_1 },
};

static const struct lane_form map_0f[] = {
	{ 0xc4, LANE_INSERT, 2, false, false, L_0 },            /* PINSRW */
};

static const struct lane_form *find(const struct insn *i)
{
	static const struct {
		const struct lane_form *forms;
		unsigned int count;
	} map[] = { { map_0f, ARRAY_SIZE(map_0f) }, { map_38, ARRAY_SIZE(map_38) }, { map_3a, ARRAY_SIZE(map_3a) } };

	for (unsigned int n = 0; n < map[i->op->sub].count; n++) {
		if (map[i->op->sub].forms[n].opcode == i->opcode) {
			return &map[i->op->sub].forms[n];
		}
	}
	return NULL;
}

static bool well_formed(const struct insn *i, const struct lane_form *f)
{
	bool vvvv = f->kind == LANE_INSERT || f->kind == LANE_MASK_LOAD || f->kind == LANE_MASK_STORE;

	return !i->vex || ((vvvv || i->vvvv == 0) && !(f->w_must_be_0 && (i->rex & 8)) &&
			   (f->l == L_ANY || i->vex_l == (f->l == L_1)));
}

static enum emul_result write_reg(struct emul_ctxt *c, const struct insn *i, const uint8_t *v)
{
	return c->ops->write_vec(c, i->reg, v, i->vex ? VEC_BYTES : 16);
}

static unsigned int lane(const struct insn *i, unsigned int bytes)
{
	unsigned int lanes = bytes == 16 ? 2 : 16 / bytes;

	return (unsigned int)(i->imm & (lanes - 1)) * bytes;
}

static enum emul_result extract(struct emul_ctxt *c, const struct insn *i, unsigned int bytes)
{
	uint8_t v[VEC_BYTES];
	enum emul_result r = c->ops->read_vec(c, i->reg, v, bytes == 16 ? VEC_BYTES : 16);

	return r == EMUL_OK ? operand_mem_write(c, i, i->mem_seg, i->ea, v + lane(i, bytes), bytes) : r;
}

static enum emul_result insert(struct emul_ctxt *c, const struct insn *i, unsigned int bytes)
{
	uint8_t v[VEC_BYTES] = { 0 }, part[16];
	enum emul_result r = operand_mem_read(c, i, i->mem_seg, i->ea, part, bytes);

	if (r == EMUL_OK) {
		r = c->ops->read_vec(c, i->vex ? i->vvvv : i->reg, v, bytes == 16 ? VEC_BYTES : 16);
	}
	if (r != EMUL_OK) {
		return r;
	}
	memcpy(v + lane(i, bytes), part, bytes);
	return write_reg(c, i, v);
}

static enum emul_result broadcast(struct emul_ctxt *c, const struct insn *i, unsigned int bytes)
{
	uint8_t v[VEC_BYTES] = { 0 };
	enum emul_result r = operand_mem_read(c, i, i->mem_seg, i->ea, v, bytes);

	for (unsigned int at = bytes; at < (i->vex_l ? 32u : 16u); at += bytes) {
		memcpy(v + at, v, bytes);
	}
	return r == EMUL_OK ? write_reg(c, i, v) : r;
}

/* The top bit of each element of vvvv says whether it is moved. */
static enum emul_result masked(struct emul_ctxt *c, const struct insn *i, unsigned int bytes, bool store)
{
	unsigned int size = i->vex_l ? 32 : 16;
	uint8_t v[VEC_BYTES] = { 0 }, m[VEC_BYTES];
	uint64_t mask = 0;
	enum emul_result r = c->ops->read_vec(c, i->vvvv, m, size);

	if (r == EMUL_OK && store) {
		r = c->ops->read_vec(c, i->reg, v, size);
	}
	if (r != EMUL_OK) {
		return r;
	}
	for (unsigned int n = 0; n < size / bytes; n++) {
		mask |= (uint64_t)(m[n * bytes + bytes - 1] >> 7) << n;
	}
	r = exec_evex_transfer(c, i, v, mask, bytes, size / bytes, store);
	return r == EMUL_OK && !store ? write_reg(c, i, v) : r;
}

enum emul_result exec_lanes(struct emul_ctxt *c, struct insn *i)
{
	const struct lane_form *f = find(i);

	if (f == NULL || !i->mem || (f->vex_only && !i->vex) || !c->ops->read_vec || !c->ops->write_vec) {
		return EMUL_UNHANDLED;
	}
	if (!well_formed(i, f)) {
		return insn_fault(c, VEC_UD);
	}
	unsigned int bytes = f->bytes ? f->bytes : i->rex & 8 ? 8 : 4;
	switch (f->kind) {
	case LANE_EXTRACT:
		return extract(c, i, bytes);
	case LANE_INSERT:
		return insert(c, i, bytes);
	case LANE_BROADCAST:
		return broadcast(c, i, bytes);
	default:
		return masked(c, i, bytes, f->kind == LANE_MASK_STORE);
	}
}
