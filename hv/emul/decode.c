/*
 * From bytes to struct insn: prefixes, opcode maps, ModRM and SIB, displacements and immediates.
 *
 * Owns the fetching of instruction bytes and the 15-byte limit. Decides nothing about privilege or
 * feature bits (emul.c does). Bytes of the next page are asked for only when the instruction really
 * reaches into it. Pure; no locking. Intel SDM volume 2, "Instruction Format"; AMD APM volume 3,
 * "Instruction Encoding".
 */
#include "emul/insn.h"
#include "lib/addr.h"

enum prefix {
	PFX_NONE, PFX_SEG, PFX_OPSIZE, PFX_ADDRSIZE, PFX_LOCK, PFX_REP, PFX_REX
};

static const uint8_t prefix_kind[256] = {
	[0x26] = PFX_SEG, [0x2e] = PFX_SEG, [0x36] = PFX_SEG, [0x3e] = PFX_SEG, [0x64] = PFX_SEG,
	[0x65] = PFX_SEG, [0x66] = PFX_OPSIZE, [0x67] = PFX_ADDRSIZE, [0xf0] = PFX_LOCK,
	[0xf2] = PFX_REP, [0xf3] = PFX_REP, [0x40 ... 0x4f] = PFX_REX,
};

enum insn_mode decode_mode(const struct emul_ctxt *c)
{
	if (!(c->cr0 & CR0_PE)) {
		return MODE_REAL;
	}
	if ((c->efer & EFER_LMA) && (c->seg[SEG_CS].attr & SEG_ATTR_L)) {
		return MODE_LONG64;
	}
	return c->rflags & FLAG_VM ? MODE_VM86 : MODE_PROT;
}

/* Bytes that may be read at CS:(rip + have) without leaving its page or CS; 0: none. */
static unsigned int fetch_room(const struct emul_ctxt *c, const struct insn *i, unsigned int have,
			       uint64_t linear)
{
	uint64_t room = PAGE_SIZE - (linear & (PAGE_SIZE - 1));
	uint64_t offset = c->rip + have;

	if (i->mode == MODE_LONG64) {
		if (!operand_canonical(c, linear)) {
			return 0;
		}
	} else if (offset > c->seg[SEG_CS].limit) {
		return 0;
	} else {
		room = MIN(room, c->seg[SEG_CS].limit - offset + 1);
	}
	return MIN(room, INSN_MAX_LENGTH - have);
}

/* Make n more bytes available behind i->pos. */
static enum emul_result fetch_more(struct emul_ctxt *c, struct insn *i, unsigned int n)
{
	if (i->pos + n > INSN_MAX_LENGTH) {
		return insn_fault(c, VEC_GP);
	}
	if (i->bytes != i->buf) {
		memcpy(i->buf, i->bytes, i->avail);
		i->bytes = i->buf;
	}
	while (i->avail < i->pos + n) {
		uint64_t linear = c->rip + i->avail;
		if (i->mode != MODE_LONG64) {
			linear = (uint32_t)(linear + c->seg[SEG_CS].base);
		}
		unsigned int room = fetch_room(c, i, i->avail, linear);
		if (room == 0) {
			return insn_fault(c, VEC_GP);
		}
		enum emul_result r = c->ops->read(c, linear, i->buf + i->avail, room,
						  EMUL_ACC_FETCH);
		if (r != EMUL_OK) {
			return r;
		}
		i->avail += room;
	}
	return EMUL_OK;
}

static inline enum emul_result fetch(struct emul_ctxt *c, struct insn *i, unsigned int n)
{
	if (__builtin_expect(i->pos + n <= i->avail, 1)) {
		return EMUL_OK;
	}
	return fetch_more(c, i, n);
}

static enum emul_result fetch_byte(struct emul_ctxt *c, struct insn *i, uint8_t *b)
{
	enum emul_result r = fetch(c, i, 1);

	if (r == EMUL_OK) {
		*b = i->bytes[i->pos++];
	}
	return r;
}

/* A little-endian number of 1, 2, 4 or 8 bytes, sign-extended. */
static enum emul_result fetch_number(struct emul_ctxt *c, struct insn *i, unsigned int size,
				     uint64_t *v)
{
	enum emul_result r = fetch(c, i, size);
	const uint8_t *p = i->bytes + i->pos;

	if (r != EMUL_OK) {
		return r;
	}
	switch (size) {
	case 1:
		*v = (uint64_t)(int8_t)*p;
		break;
	case 2:
		*v = (uint64_t)(int16_t)(p[0] | p[1] << 8);
		break;
	default: {
		uint32_t low, high = 0;
		memcpy(&low, p, sizeof(low));
		if (size == 8) {
			memcpy(&high, p + 4, sizeof(high));
			*v = (uint64_t)high << 32 | low;
		} else {
			*v = (uint64_t)(int32_t)low;
		}
		break;
	}
	}
	i->pos += size;
	return EMUL_OK;
}

static void init_insn(const struct emul_ctxt *c, struct insn *i)
{
	uint16_t cs = c->seg[SEG_CS].attr;

	i->mode = decode_mode(c);
	i->code_size = i->mode == MODE_LONG64 ? 8
		       : (cs & SEG_ATTR_DB) && i->mode != MODE_VM86 ? 4 : 2;
	i->addr_size = i->code_size;
	i->imm = i->ea = 0;
	i->imm2 = 0;
	i->rex = i->rep = 0;
	i->modrm = i->reg = i->rm = 0;
	i->mem_seg = SEG_DS;
	i->seg_prefix = SEG_COUNT;
	i->vvvv = 0;
	i->opsize_prefix = i->lock = i->mem = false;
	i->rip_relative = i->base_rsp = false;
	i->vex = i->vex_l = false;
	i->evex = (struct insn_evex){ 0 };
	i->pos = 0;
	i->avail = MIN(c->insn_len, INSN_MAX_LENGTH);
	i->bytes = i->avail ? c->insn : i->buf;
}

static void prefix_segment(struct insn *i, uint8_t b)
{
	if (b >= 0x64) {
		i->seg_prefix = b == 0x64 ? SEG_FS : SEG_GS;
	} else if (i->code_size != 8) {
		/* 26 2E 36 3E: ES CS SS DS; 64-bit mode ignores them. */
		i->seg_prefix = b >> 3 & 3;
	}
}

/* Consume prefixes; *opcode is the first byte that is none. */
static enum emul_result decode_prefixes(struct emul_ctxt *c, struct insn *i, uint8_t *opcode)
{
	for (;;) {
		uint8_t b;
		enum emul_result r = fetch_byte(c, i, &b);
		if (r != EMUL_OK) {
			return r;
		}
		unsigned int kind = prefix_kind[b];
		if (kind == PFX_NONE || (kind == PFX_REX && i->code_size != 8)) {
			*opcode = b;
			return EMUL_OK;
		}
		if (kind == PFX_REX) {
			i->rex = b;
			continue;
		}
		/* A REX prefix counts only directly before the opcode. */
		i->rex = 0;
		switch (kind) {
		case PFX_SEG:
			prefix_segment(i, b);
			break;
		case PFX_OPSIZE:
			i->opsize_prefix = true;
			break;
		case PFX_ADDRSIZE:
			i->addr_size = i->code_size == 4 ? 2 : 4;
			break;
		case PFX_LOCK:
			i->lock = true;
			break;
		default:
			i->rep = b;
			break;
		}
	}
}

/* C4 and C5 behind which a VEX prefix hides: always in 64-bit mode, else when mod would be 3. */
static bool is_vex(const struct insn *i, uint8_t next)
{
	return i->code_size == 8 || next >= 0xc0;
}

static enum emul_result decode_vex(struct emul_ctxt *c, struct insn *i, uint8_t first,
				   uint8_t *map)
{
	uint8_t b;
	enum emul_result r = fetch_byte(c, i, &b);

	if (r != EMUL_OK) {
		return r;
	}
	if (i->lock || i->rep || i->opsize_prefix || i->rex) {
		return insn_fault(c, VEC_UD);
	}
	*map = 1;
	i->rex = 0x40 | (b & 0x80 ? 0 : 4);
	if (first == 0xc4) {
		*map = b & 0x1f;
		i->rex |= (b & 0x40 ? 0 : 2) | (b & 0x20 ? 0 : 1);
		r = fetch_byte(c, i, &b);
		if (r != EMUL_OK) {
			return r;
		}
		i->rex |= b & 0x80 ? 8 : 0;
	}
	static const uint8_t rep_of[4] = { 0, 0, 0xf3, 0xf2 };
	i->vex = true;
	i->vex_l = b & 4;
	i->vvvv = ~b >> 3 & 0xf;
	i->opsize_prefix = (b & 3) == 1;
	i->rep = rep_of[b & 3];
	if (i->code_size != 8) {
		/* Only eight registers exist outside 64-bit mode, and W is ignored by what we do. */
		i->rex = 0x40;
		i->vvvv &= 7;
	}
	return EMUL_OK;
}

/* 62h and three bytes; what they have in common with other prefixes goes where those put it. */
static enum emul_result decode_evex(struct emul_ctxt *c, struct insn *i)
{
	struct emul_decoded *d = &c->decoded;
	uint8_t p[4];
	enum emul_result r = EMUL_OK;

	for (unsigned int n = 0; n < sizeof(p) && r == EMUL_OK; n++) {
		r = fetch_byte(c, i, &p[n]);
	}
	if (r != EMUL_OK) {
		return r;
	}
	if (i->lock || i->rep || i->opsize_prefix || i->rex || (p[0] & 8) || !(p[1] & 4)) {
		return insn_fault(c, VEC_UD);
	}
	static const uint8_t rep_of[4] = { 0, 0, 0xf3, 0xf2 };
	i->opsize_prefix = (p[1] & 3) == 1;
	i->rep = rep_of[p[1] & 3];
	/* R, X, B and W; in memory forms X is the index's, R' the register's fifth bit, V' and vvvv are nobody's */
	i->rex = 0x40 | (~p[0] >> 5 & 7) | (p[1] >> 4 & 8);
	i->evex.reg_high = ~p[0] & 0x10;
	i->vvvv = (~p[1] >> 3 & 0xf) | (p[2] & 8 ? 0 : 0x10);
	if (i->code_size != 8) {
		i->rex &= 0x48;
		i->evex.reg_high = 0;
	}
	i->evex.length = p[2] >> 5 & 3;
	i->evex.mask = p[2] & 7;
	i->evex.zero = p[2] & 0x80;
	i->evex.broadcast = p[2] & 0x10;
	i->opcode = p[3];
	*d = (struct emul_decoded){ .opcode = { 0x62, p[0] & 7, p[3] }, .opcode_len = 3 };
	i->op = exec_evex_row(i, p[0] & 7);
	return EMUL_OK;
}

/* The row in the 0F, 0F 38 and 0F 3A maps. */
static enum emul_result decode_map(struct emul_ctxt *c, struct insn *i, uint8_t map)
{
	struct emul_decoded *d = &c->decoded;
	uint8_t b;
	enum emul_result r = fetch_byte(c, i, &b);

	if (r != EMUL_OK) {
		return r;
	}
	if (!i->vex && map == 1 && (b == 0x38 || b == 0x3a)) {
		map = b == 0x38 ? 2 : 3;
		r = fetch_byte(c, i, &b);
		if (r != EMUL_OK) {
			return r;
		}
	}
	i->opcode = b;
	d->opcode[0] = 0x0f;
	d->opcode[1] = map == 1 ? b : map == 2 ? 0x38 : 0x3a;
	d->opcode[2] = map == 1 ? 0 : b;
	d->opcode_len = map == 1 ? 2 : 3;
	if (map == 1) {
		i->op = &optable_two[b];
	} else if (map <= 3) {
		i->op = optable_three(map, b);
	} else {
		return EMUL_UNHANDLED;
	}
	return EMUL_OK;
}

static enum emul_result decode_opcode(struct emul_ctxt *c, struct insn *i)
{
	struct emul_decoded *d = &c->decoded;
	uint8_t b, map = 1;
	enum emul_result r = decode_prefixes(c, i, &b);

	if (r != EMUL_OK) {
		return r;
	}
	if (b == 0x0f) {
		return decode_map(c, i, 1);
	}
	if (b == 0xc4 || b == 0xc5) {
		r = fetch(c, i, 1);
		if (r != EMUL_OK) {
			return r;
		}
		if (is_vex(i, i->bytes[i->pos])) {
			r = decode_vex(c, i, b, &map);
			return r == EMUL_OK ? decode_map(c, i, map) : r;
		}
	}
	if (b == 0x62) {
		r = fetch(c, i, 1);
		if (r != EMUL_OK) {
			return r;
		}
		if (is_vex(i, i->bytes[i->pos])) {
			return decode_evex(c, i);
		}
	}
	i->opcode = b;
	i->op = &optable_one[b];
	d->opcode[0] = b;
	d->opcode[1] = d->opcode[2] = 0;
	d->opcode_len = 1;
	return EMUL_OK;
}

static enum emul_result modrm_mem16(struct emul_ctxt *c, struct insn *i)
{
	static const struct {
		uint8_t base, index, seg;
	} form[8] = {
		{ GPR_RBX, GPR_RSI, SEG_DS }, { GPR_RBX, GPR_RDI, SEG_DS },
		{ GPR_RBP, GPR_RSI, SEG_SS }, { GPR_RBP, GPR_RDI, SEG_SS },
		{ GPR_RSI, GPR_COUNT, SEG_DS }, { GPR_RDI, GPR_COUNT, SEG_DS },
		{ GPR_RBP, GPR_COUNT, SEG_SS }, { GPR_RBX, GPR_COUNT, SEG_DS },
	};
	unsigned int mod = i->modrm >> 6, rm = i->modrm & 7;
	uint64_t disp = 0;

	if (mod == 0 && rm == 6) {
		i->mem_seg = SEG_DS;
		return fetch_number(c, i, 2, &i->ea);
	}
	if (mod != 0) {
		enum emul_result r = fetch_number(c, i, mod, &disp);
		if (r != EMUL_OK) {
			return r;
		}
	}
	i->ea = c->gpr[form[rm].base] + (mod == 1 ? disp << i->evex.disp_shift : disp);
	if (form[rm].index != GPR_COUNT) {
		i->ea += c->gpr[form[rm].index];
	}
	i->mem_seg = form[rm].seg;
	return EMUL_OK;
}

static enum emul_result modrm_sib(struct emul_ctxt *c, struct insn *i, bool *disp32)
{
	uint8_t sib;
	enum emul_result r = fetch_byte(c, i, &sib);

	if (r != EMUL_OK) {
		return r;
	}
	unsigned int index = (sib >> 3 & 7) | (i->rex & 2 ? 8 : 0);
	unsigned int base = (sib & 7) | (i->rex & 1 ? 8 : 0);
	i->ea = 0;
	if (index != GPR_RSP) {
		i->ea = c->gpr[index] << (sib >> 6);
	}
	if ((sib & 7) == 5 && i->modrm < 0x40) {
		*disp32 = true;
		return EMUL_OK;
	}
	i->ea += c->gpr[base];
	i->base_rsp = base == GPR_RSP;
	if (base == GPR_RSP || base == GPR_RBP) {
		i->mem_seg = SEG_SS;
	}
	return EMUL_OK;
}

static enum emul_result modrm_mem(struct emul_ctxt *c, struct insn *i)
{
	unsigned int mod = i->modrm >> 6, rm = i->modrm & 7;
	enum emul_result r = EMUL_OK;
	bool disp32 = mod == 2;
	uint64_t disp;

	if (rm == 4) {
		r = modrm_sib(c, i, &disp32);
	} else if (mod == 0 && rm == 5) {
		disp32 = true;
		i->rip_relative = i->code_size == 8;
	} else {
		i->ea = c->gpr[i->rm];
		if (i->rm == GPR_RBP) {
			i->mem_seg = SEG_SS;
		}
	}
	if (r == EMUL_OK && (disp32 || mod == 1)) {
		r = fetch_number(c, i, disp32 ? 4 : 1, &disp);
		if (r == EMUL_OK) {
			i->ea += disp32 ? disp : disp << i->evex.disp_shift;
		}
	}
	return r;
}

static enum emul_result decode_modrm(struct emul_ctxt *c, struct insn *i)
{
	enum emul_result r = fetch_byte(c, i, &i->modrm);

	if (r != EMUL_OK) {
		return r;
	}
	i->reg = (i->modrm >> 3 & 7) | (i->rex & 4 ? 8 : 0) | i->evex.reg_high;
	i->rm = (i->modrm & 7) | (i->rex & 1 ? 8 : 0);
	if (i->op->flags & OPF_GROUP) {
		i->op = &i->op->rows[i->modrm >> 3 & 7];
	}
	if (i->modrm >= 0xc0 || (i->op->flags & OPF_REGS)) {
		return EMUL_OK;
	}
	i->mem = true;
	return i->addr_size == 2 ? modrm_mem16(c, i) : modrm_mem(c, i);
}

static enum emul_result decode_imm(struct emul_ctxt *c, struct insn *i)
{
	enum emul_result r = EMUL_OK;
	uint64_t extra;

	switch (i->op->imm) {
	case IMM_8:
		return fetch_number(c, i, 1, &i->imm);
	case IMM_16:
		return fetch_number(c, i, 2, &i->imm);
	case IMM_Z:
		return fetch_number(c, i, MIN(i->op_size, 4), &i->imm);
	case IMM_V:
		return fetch_number(c, i, i->op_size, &i->imm);
	case IMM_ADDR:
		i->mem = true;
		return fetch_number(c, i, i->addr_size, &i->ea);
	case IMM_FAR:
		r = fetch_number(c, i, i->op_size, &i->imm);
		if (r == EMUL_OK) {
			r = fetch_number(c, i, 2, &extra);
		}
		break;
	case IMM_ENTER:
		r = fetch_number(c, i, 2, &i->imm);
		if (r == EMUL_OK) {
			r = fetch_number(c, i, 1, &extra);
			extra &= 0xff;
		}
		break;
	default:
		return EMUL_OK;
	}
	if (r == EMUL_OK) {
		i->imm2 = (uint16_t)extra;
	}
	return r;
}

static void decode_op_size(struct insn *i)
{
	uint32_t flags = i->op->flags;

	if (i->code_size == 8) {
		if (i->rex & 8) {
			i->op_size = 8;
		} else if (flags & (OPF_D64 | OPF_BRANCH)) {
			i->op_size = i->opsize_prefix && !(flags & OPF_BRANCH) ? 2 : 8;
		} else {
			i->op_size = i->opsize_prefix ? 2 : 4;
		}
	} else {
		i->op_size = (i->code_size == 4) != i->opsize_prefix ? 4 : 2;
	}
	i->size = flags & OPF_BYTE ? 1 : i->op_size;
}

/* What is known only at the end: the length, and with it the memory operand's address. */
static enum emul_result decode_finish(struct emul_ctxt *c, struct insn *i)
{
	struct emul_decoded *d = &c->decoded;

	d->length = i->pos;
	d->rep = i->rep == 0xf3;
	d->repne = i->rep == 0xf2;
	d->lock = i->lock;
	i->next_rip = c->rip + i->pos;
	if (i->code_size != 8) {
		i->next_rip = (uint32_t)i->next_rip;
		if (c->rip + i->pos - 1 > c->seg[SEG_CS].limit) {
			return insn_fault(c, VEC_GP);
		}
	}
	if (i->mem) {
		if (i->rip_relative) {
			i->ea += i->next_rip;
		}
		if ((i->op->flags & OPF_POPRM) && i->base_rsp) {
			i->ea += i->op_size;
		}
		i->ea &= operand_mask(i->addr_size);
		if (i->seg_prefix != SEG_COUNT) {
			i->mem_seg = i->seg_prefix;
		}
	}
	return EMUL_OK;
}

/*
 * Decode the instruction at CS:RIP into *i and fill c->decoded. EMUL_OK: i->op is a row whose exec may
 * be NULL. EMUL_UNHANDLED: an opcode whose form is not known. Otherwise what fetching said.
 */
enum emul_result decode_insn(struct emul_ctxt *c, struct insn *i)
{
	init_insn(c, i);
	enum emul_result r = decode_opcode(c, i);
	if (r != EMUL_OK) {
		return r;
	}
	if (i->op->flags & OPF_BYPFX) {
		i->op = &i->op->rows[i->rep == 0xf2 ? 3 : i->rep ? 2 : i->opsize_prefix];
	}
	if (!(i->op->flags & OPF_KNOWN)) {
		return EMUL_UNHANDLED;
	}
	/* Groups may change operand size and immediate: their row is chosen by ModRM. */
	decode_op_size(i);
	if (i->op->flags & OPF_MODRM) {
		r = decode_modrm(c, i);
		if (r != EMUL_OK) {
			return r;
		}
		if (!(i->op->flags & OPF_KNOWN)) {
			return EMUL_UNHANDLED;
		}
		decode_op_size(i);
	}
	if (i->op->imm != IMM_NONE) {
		r = decode_imm(c, i);
		if (r != EMUL_OK) {
			return r;
		}
	}
	return decode_finish(c, i);
}
