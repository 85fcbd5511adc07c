/*
 * Makes random instructions, and the registers and memory they run from, out of native_forms.c.
 *
 * Memory operands are aimed: the instruction is drawn first, then the base register is set so that the
 * address falls into scratch memory (now and then across its end, or to a non-canonical address).
 */
#include <string.h>
#include "unit/native_make.h"

uint64_t native_rng;

static unsigned int below(unsigned int n)
{
	return (unsigned int)((native_rnd() >> 11) % n);
}

/* Numbers with the edges that arithmetic cares about. */
static uint64_t interesting(void)
{
	static const uint64_t edge[] = {
		0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000,
		0xffffffff, 0x7fffffffffffffff, 0x8000000000000000, ~0ull,
	};

	switch (below(4)) {
	case 0:
		return edge[below(ARRAY_SIZE(edge))];
	case 1:
		return native_rnd() & 0xff;
	default:
		return native_rnd() >> below(64);
	}
}

static void put(struct round *r, uint64_t v, unsigned int n)
{
	for (; n > 0; n--, v >>= 8) {
		r->bytes[r->len++] = (uint8_t)v;
	}
}

/* A place in scratch; aligned often enough that the aligned forms succeed, sometimes over the end. */
static uint64_t place(const struct native_env *env)
{
	uint64_t at = (uint64_t)env->scratch + SCRATCH_SIZE / 4 + below(SCRATCH_SIZE / 2);

	if (below(50) == 0) {
		at = (uint64_t)env->scratch + SCRATCH_SIZE - below(40);
	}
	return below(2) ? at & ~63ull : at;
}

static void make_registers(const struct native_env *env, struct round *r)
{
	struct native_state *s = &r->start;
	uint32_t f = r->f->flags;

	for (unsigned int n = 0; n < 16; n++) {
		s->gpr[n] = interesting();
	}
	s->rflags = (native_rnd() & (FLAG_ARITH | FLAG_DF)) | FLAG_FIXED | FLAG_IF;
	s->avx = env->avx;
	for (unsigned int n = 0; n < 8; n++) {
		s->mm[n] = native_rnd();
	}
	for (unsigned int n = 0; n < (env->avx > 1 ? 32 : 16); n++) {
		for (unsigned int b = 0; b < (env->avx > 1 ? 64 : env->avx ? 32 : 16); b++) {
			s->zmm[n][b] = (uint8_t)(native_rnd() >> 9);
		}
	}
	for (unsigned int n = 0; n < 8 && env->avx > 1; n++) {
		s->mask[n] = below(4) ? native_rnd() : below(2) ? 0 : ~0ull;
	}
	if (f & FORM_STACK) {
		s->gpr[GPR_RSP] = place(env);
		s->gpr[GPR_RBP] = place(env);
	}
	if (f & FORM_STR) {
		uint64_t junk = r->addr32 ? native_rnd() << 32 : 0;
		s->gpr[GPR_RCX] = below(40) | junk;
		s->gpr[GPR_RSI] = place(env) | junk;
		s->gpr[GPR_RDI] = place(env) | junk;
		s->gpr[GPR_RBX] = place(env) | junk;
	}
	if (f & FORM_SHIFT) {
		s->gpr[GPR_RCX] = (s->gpr[GPR_RCX] & ~0xffull) | below(66);
	}
}

static void make_prefixes(struct round *r)
{
	uint32_t f = r->f->flags;

	if (below(32) == 0) {
		put(r, 0x48, 1);
		put(r, 0x2e, 1);
	}
	if (below(16) == 0 && !(f & (FORM_STACK | FORM_JUMP | FORM_MOFFS | FORM_STR))) {
		r->gs = true;
		put(r, 0x65, 1);
	}
	if (below(f & FORM_LOCK ? 3 : 40) == 0) {
		r->lock = true;
		put(r, 0xf0, 1);
	}
	if (below(12) == 0) {
		r->addr32 = true;
		put(r, 0x67, 1);
	}
	if (f & FORM_PFX) {
		r->opsize = r->f->pfx == 0x66;
		put(r, r->f->pfx, r->f->pfx ? 1 : 0);
	} else if (!(f & FORM_NO66) && below(4) == 0) {
		r->opsize = true;
		put(r, 0x66, 1);
	}
	if ((f & FORM_STR) && below(2)) {
		put(r, 0xf2 + below(2), 1);
	}
	if (below(2)) {
		r->rex = 0x40 | below(16);
		put(r, r->rex, 1);
	}
}

/* VEX instead of prefixes: REX bits, map and mandatory prefix in two or three bytes. */
static void make_vex(struct round *r)
{
	unsigned int pp = r->f->pfx == 0x66 ? 1 : r->f->pfx == 0xf3 ? 2 : r->f->pfx == 0xf2 ? 3 : 0;
	unsigned int vvvv = below(3) ? 0 : below(16), l = below(2);

	if (below(12) == 0) {
		r->addr32 = true;
		put(r, 0x67, 1);
	}
	r->opsize = pp == 1;
	r->rex = 0x40 | below(16);
	if (r->f->map == 1 && below(2)) {
		r->rex &= 0x44;
		put(r, 0xc5, 1);
		put(r, (r->rex & 4 ? 0 : 0x80) | (~vvvv & 15) << 3 | l << 2 | pp, 1);
		return;
	}
	put(r, 0xc4, 1);
	put(r, (r->rex & 4 ? 0 : 0x80) | (r->rex & 2 ? 0 : 0x40) | (r->rex & 1 ? 0 : 0x20) |
		       r->f->map, 1);
	put(r, (r->rex & 8 ? 0x80 : 0) | (~vvvv & 15) << 3 | l << 2 | pp, 1);
}

/* EVEX: now and then with something wrong. */
static void make_evex(struct round *r)
{
	const struct form *f = r->f;
	unsigned int pp = f->pfx == 0x66 ? 1 : f->pfx == 0xf3 ? 2 : f->pfx == 0xf2 ? 3 : 0;
	unsigned int length = f->flags & FORM_L0 ? 0 : below(3), mask = f->flags & FORM_NOMASK ? 0 : below(8);
	bool w = f->flags & (FORM_W0 | FORM_W1) ? f->flags & FORM_W1 : below(2);
	bool zero = mask && !below(2) && !(r->op & 1) && r->op < 0x7e, high = below(2);

	if (below(12) == 0) {
		r->addr32 = true;
		put(r, 0x67, 1);
	}
	r->opsize = pp == 1;
	r->evex = true;
	r->rex = 0x40 | below(8) | (w ? 8 : 0);
	unsigned int bytes = f->flags & FORM_SCALAR ? (w ? 8 : 4) : 16u << length;
	while (1u << r->disp_shift < bytes) {
		r->disp_shift++;
	}
	uint8_t p0 = ((~(unsigned int)r->rex & 7) << 5) | (high ? 0 : 0x10) | f->map, p1 = (w ? 0x80 : 0) | 0x7c | pp,
		p2 = (zero ? 0x80 : 0) | length << 5 | 8 | mask;
	switch (below(64)) {
	case 0:
		p2 |= 0x80;
		break;
	case 1:
		p2 |= 0x10;
		break;
	case 2:
		p1 &= below(2) ? 0xbf : 0xf7;
		break;
	case 3:
		p2 &= 0xf7;
		break;
	default:
		break;
	}
	put(r, 0x62, 1);
	put(r, p0, 1);
	put(r, p1, 1);
	put(r, p2, 1);
}

/* Let the register be what makes base + rest come to r->target. */
static void aim(const struct native_env *env, struct round *r, unsigned int reg, uint64_t rest)
{
	uint64_t v = r->target - rest - (r->gs ? env->gs_base : 0);

	if (r->addr32) {
		v = (v & 0xffffffff) | native_rnd() << 32;
	} else if (below(64) == 0) {
		/* Not canonical, and far enough away to stay so. */
		v = 0x4000000000000000ull | native_rnd() >> 4;
	}
	r->start.gpr[reg] = v;
}

static uint64_t put_disp(struct round *r, unsigned int mod)
{
	uint64_t disp = native_rnd();

	disp = mod == 1 ? (uint64_t)(int8_t)disp : mod == 2 ? disp & 0xffffff : 0;
	put(r, disp, mod == 1 ? 1 : mod == 2 ? 4 : 0);
	return mod == 1 ? disp << r->disp_shift : disp;
}

static void make_sib(const struct native_env *env, struct round *r, unsigned int mod)
{
	unsigned int base, index;
	uint8_t sib;

	/* A register that is base and index cannot be aimed; nor can an index that has no base. */
	do {
		sib = (uint8_t)below(256);
		base = (sib & 7) | (r->rex & 1 ? 8 : 0);
		index = (sib >> 3 & 7) | (r->rex & 2 ? 8 : 0);
	} while (index == base ? index != GPR_RSP : mod == 0 && (sib & 7) == 5 && index != GPR_RSP);
	/* With REX.X there is always an index, so the form without base is out of reach. */
	put(r, sib, 1);
	if (mod == 0 && (sib & 7) == 5) {
		put(r, r->target - (r->gs ? env->gs_base : 0), 4);
		return;
	}
	uint64_t rest = put_disp(r, mod);
	if (index != GPR_RSP) {
		rest += r->start.gpr[index] << (sib >> 6);
	}
	aim(env, r, base, rest);
}

/* mod, reg and rm that the form allows and that do not make it dangerous. */
static uint8_t draw_modrm(const struct round *r)
{
	const struct form *f = r->f;
	uint8_t modrm, reg, rm;

	do {
		modrm = (uint8_t)below(256);
		if (f->ext >= 0) {
			modrm = (modrm & 0xc7) | (uint8_t)f->ext << 3;
		} else if (f->ext == -2) {
			modrm = (modrm & 0xc7) | (uint8_t)below(6) << 3;
		}
		reg = (modrm >> 3 & 7) | (r->rex & 4 ? 8 : 0);
		rm = (modrm & 7) | (r->rex & 1 ? 8 : 0);
		/* A bit offset must not be an address, and the stack must not be the code page. */
	} while ((((f->flags & FORM_MEMONLY) || r->evex) && modrm >= 0xc0) || ((f->flags & FORM_BITOFF) && modrm < 0xc0 && (reg == rm || (modrm & 7) == 4)) ||
		 ((f->flags & FORM_INDIR) && modrm >= 0xc0 && rm == GPR_RSP));
	return modrm;
}

static void make_modrm(const struct native_env *env, struct round *r)
{
	uint8_t modrm = draw_modrm(r);
	unsigned int mod = modrm >> 6, rm = (modrm & 7) | (r->rex & 1 ? 8 : 0);

	r->modrm = modrm;
	put(r, modrm, 1);
	r->target = place(env);
	if (r->f->flags & FORM_BITOFF) {
		unsigned int reg = (modrm >> 3 & 7) | (r->rex & 4 ? 8 : 0);
		r->start.gpr[reg] = (uint64_t)(int64_t)((int)below(0x8000) - 0x4000);
	}
	if (mod == 3) {
		if (r->f->flags & FORM_INDIR) {
			r->start.gpr[rm] = (uint64_t)env->code + TAKEN_STUB;
		}
		return;
	}
	r->mem = true;
	if ((modrm & 7) == 4) {
		make_sib(env, r, mod);
	} else if (mod == 0 && (modrm & 7) == 5) {
		r->disp_at = r->len;
		put(r, 0, 4);
	} else {
		aim(env, r, rm, put_disp(r, mod));
	}
}

static void make_imm(const struct native_env *env, struct round *r)
{
	uint32_t f = r->f->flags;
	bool rexw = r->rex & 8;

	if (f & FORM_JUMP) {
		unsigned int size = f & FORM_IMM8 ? 1 : 4;
		put(r, TAKEN_STUB - (r->len + size), size);
		return;
	}
	if (f & FORM_IMM8) {
		uint64_t v = f & FORM_SHIFT ? below(66) : interesting();
		put(r, v, 1);
	}
	if (f & FORM_IMM16) {
		put(r, below(512), 2);
	}
	if (f & FORM_IMMZ) {
		put(r, interesting(), r->opsize && !rexw ? 2 : 4);
	}
	if (f & FORM_IMMV) {
		put(r, interesting(), rexw ? 8 : r->opsize ? 2 : 4);
	}
	if (f & FORM_MOFFS) {
		put(r, place(env), r->addr32 ? 4 : 8);
	}
	if (f & FORM_ENTER) {
		put(r, below(256), 2);
		put(r, below(8) * 32, 1);
	}
}

static bool is_byte_op(const struct round *r)
{
	return (r->f->map == 0 || (r->op & 0xf0) == 0xb0 || (r->op & 0xf0) == 0xc0) && !(r->op & 1);
}

/* Which flags of a shift are undefined depends on its count. */
static void shift_undefined(struct round *r)
{
	bool imm = r->f->flags & FORM_IMM8, rexw = r->rex & 8;
	unsigned int count = imm ? r->bytes[r->len - 1] : r->start.gpr[GPR_RCX] & 0xff;
	unsigned int bits = rexw ? 64 : r->opsize ? 16 : 32;

	if (!(r->f->flags & FORM_SHD) && is_byte_op(r)) {
		bits = 8;
	}
	count &= bits == 64 ? 63 : 31;
	r->undefined |= count > 1 ? FLAG_OF : 0;
	r->undefined |= count >= bits ? FLAG_CF : 0;
	r->skip = (r->f->flags & FORM_SHD) && count > bits;
}

/* Values that make the interesting case happen: compare equal, return to the stub. */
static void make_memory(const struct native_env *env, struct round *r)
{
	uint64_t stub = (uint64_t)env->code + TAKEN_STUB, end = (uint64_t)env->scratch + SCRATCH_SIZE;
	uint64_t *g = r->start.gpr;
	uint64_t pair[2] = { g[GPR_RAX], g[GPR_RDX] };
	bool fits = r->mem && r->target + 16 <= end;

	if ((r->f->flags & FORM_INDIR) && fits) {
		memcpy((void *)r->target, &stub, 8);
	}
	if (r->f->map == 0 && (r->op == 0xc2 || r->op == 0xc3)) {
		if (g[GPR_RSP] + 8 <= end) {
			memcpy((void *)g[GPR_RSP], &stub, 8);
		}
	}
	if (r->f->map == 1 && (r->op == 0xb0 || r->op == 0xb1) && fits && below(2)) {
		memcpy((void *)r->target, &g[GPR_RAX], 8);
	}
	if (r->f->map == 1 && r->op == 0xc7 && fits && below(2)) {
		if (!(r->rex & 8)) {
			pair[0] = (uint32_t)pair[0] | pair[1] << 32;
		}
		memcpy((void *)r->target, pair, 16);
	}
}

static void make_opcode(struct round *r)
{
	if (!r->vex && !r->evex && r->f->map > 0) {
		put(r, 0x0f, 1);
		put(r, r->f->map == 3 ? 0x3a : 0x38, r->f->map > 1 ? 1 : 0);
	}
	put(r, r->op, 1);
}

/* One random instruction and its state; scratch memory has been filled and is adjusted. */
void native_make(const struct native_env *env, struct round *r)
{
	memset(r, 0, sizeof(*r));
	do {
		r->f = &native_forms[below(native_form_count)];
	} while ((r->f->flags & (FORM_EVEX | FORM_VEXONLY)) && env->avx < 2);
	r->op = r->f->op + (uint8_t)below(r->f->last - r->f->op + 1u);
	r->undefined = r->f->undefined;
	r->vex = (r->f->flags & FORM_VEXONLY) || ((r->f->flags & FORM_VEX) && env->avx && below(2));
	if (r->f->flags & FORM_EVEX) {
		make_evex(r);
	} else if (r->vex) {
		make_vex(r);
	} else {
		make_prefixes(r);
	}
	make_registers(env, r);
	make_opcode(r);
	if (r->f->flags & FORM_MODRM) {
		make_modrm(env, r);
	}
	make_imm(env, r);
	if (r->disp_at) {
		uint32_t disp = (uint32_t)(r->target - (r->gs ? env->gs_base : 0) -
					   ((uint64_t)env->code + r->len));
		memcpy(r->bytes + r->disp_at, &disp, 4);
	}
	if (r->f->flags & FORM_SHIFT) {
		shift_undefined(r);
	}
	make_memory(env, r);
}
