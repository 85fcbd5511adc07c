/*
 * Shifts, rotates, and instructions on single bits: BT family, BSF/BSR/TZCNT/LZCNT, POPCNT.
 *
 * Pure; ctxt changes only after the last memory access. Intel SDM volume 2; AMD APM volume 3.
 */
#include "emul/insn.h"

static void set_cf_of(uint64_t *rflags, bool carry, bool overflow)
{
	*rflags = (*rflags & ~(FLAG_CF | FLAG_OF)) | (carry ? FLAG_CF : 0) |
		  (overflow ? FLAG_OF : 0);
}

static bool bit_of(uint64_t v, unsigned int n)
{
	return v >> n & 1;
}

static uint64_t fn_rol(const struct insn *i, uint64_t dst, uint64_t n, uint64_t *rflags)
{
	unsigned int bits = 8 * i->size;

	n %= bits;
	uint64_t v = n ? (dst << n | dst >> (bits - n)) & operand_mask(i->size) : dst;
	set_cf_of(rflags, v & 1, bit_of(v, bits - 1) != (v & 1));
	return v;
}

static uint64_t fn_ror(const struct insn *i, uint64_t dst, uint64_t n, uint64_t *rflags)
{
	unsigned int bits = 8 * i->size;

	n %= bits;
	uint64_t v = n ? (dst >> n | dst << (bits - n)) & operand_mask(i->size) : dst;
	set_cf_of(rflags, bit_of(v, bits - 1), bit_of(v, bits - 1) != bit_of(v, bits - 2));
	return v;
}

/* Through carry, one bit at a time: at most 63 steps, and nobody does this often. */
static uint64_t fn_rcl(const struct insn *i, uint64_t dst, uint64_t n, uint64_t *rflags)
{
	unsigned int bits = 8 * i->size;
	bool carry = *rflags & FLAG_CF;

	for (n %= bits + 1; n > 0; n--) {
		bool out = bit_of(dst, bits - 1);
		dst = (dst << 1 | carry) & operand_mask(i->size);
		carry = out;
	}
	set_cf_of(rflags, carry, bit_of(dst, bits - 1) != carry);
	return dst;
}

static uint64_t fn_rcr(const struct insn *i, uint64_t dst, uint64_t n, uint64_t *rflags)
{
	unsigned int bits = 8 * i->size;
	bool carry = *rflags & FLAG_CF;

	for (n %= bits + 1; n > 0; n--) {
		bool out = dst & 1;
		dst = dst >> 1 | (uint64_t)carry << (bits - 1);
		carry = out;
	}
	set_cf_of(rflags, carry, bit_of(dst, bits - 1) != bit_of(dst, bits - 2));
	return dst;
}

static void set_szp(uint64_t *rflags, uint64_t v, unsigned int size)
{
	*rflags = (*rflags & ~(FLAG_SF | FLAG_ZF | FLAG_PF)) | flags_szp(v, size);
}

static uint64_t fn_shl(const struct insn *i, uint64_t dst, uint64_t n, uint64_t *rflags)
{
	unsigned int bits = 8 * i->size;
	uint64_t v = (dst << n) & operand_mask(i->size);
	bool carry = n <= bits && bit_of(dst, bits - n);

	set_szp(rflags, v, i->size);
	set_cf_of(rflags, carry, bit_of(v, bits - 1) != carry);
	return v;
}

static uint64_t fn_shr(const struct insn *i, uint64_t dst, uint64_t n, uint64_t *rflags)
{
	uint64_t v = dst >> n;

	set_szp(rflags, v, i->size);
	set_cf_of(rflags, bit_of(dst, n - 1), bit_of(dst, 8 * i->size - 1));
	return v;
}

static uint64_t fn_sar(const struct insn *i, uint64_t dst, uint64_t n, uint64_t *rflags)
{
	int64_t wide = (int64_t)operand_sign_extend(dst, i->size);
	uint64_t v = (uint64_t)(wide >> n) & operand_mask(i->size);

	set_szp(rflags, v, i->size);
	set_cf_of(rflags, bit_of((uint64_t)wide, n - 1), false);
	return v;
}

static uint64_t fn_same(const struct insn *i, uint64_t dst, uint64_t src, uint64_t *rflags)
{
	return dst;
}

/* The functions are called with a count of 1..31, or 1..63 for 64 bits; zero changes no flag. */
enum emul_result exec_bits_shift(struct emul_ctxt *c, struct insn *i)
{
	static const operand_fn table[] = {
		[SHIFT_ROL] = fn_rol, [SHIFT_ROR] = fn_ror, [SHIFT_RCL] = fn_rcl,
		[SHIFT_RCR] = fn_rcr, [SHIFT_SHL] = fn_shl, [SHIFT_SHR] = fn_shr,
		[SHIFT_SAL] = fn_shl, [SHIFT_SAR] = fn_sar,
	};
	uint64_t n;

	(void)operand_load(c, i, i->op->src, 1, &n);
	n &= i->size == 8 ? 0x3f : 0x1f;
	return operand_rmw(c, i, n ? table[i->op->sub] : fn_same, n);
}

/*
 * i->imm is the count. The destination, with the source's bits behind it, and for 16 bits (where the
 * count may exceed the width) the destination's once more, is moved past the edge.
 */
static uint64_t fn_shld(const struct insn *i, uint64_t dst, uint64_t src, uint64_t *rflags)
{
	unsigned int bits = 8 * i->size, n = (unsigned int)i->imm;
	uint64_t tail = i->size == 2 ? src << 16 | dst : src << (64 - bits);
	unsigned int tail_bits = i->size == 2 ? 32 : 64;
	unsigned __int128 wide = (unsigned __int128)dst << tail_bits | tail;
	uint64_t v = (uint64_t)(wide >> (tail_bits - n)) & operand_mask(i->size);

	set_szp(rflags, v, i->size);
	set_cf_of(rflags, wide >> (tail_bits + bits - n) & 1,
		  bit_of(v, bits - 1) != bit_of(dst, bits - 1));
	return v;
}

static uint64_t fn_shrd(const struct insn *i, uint64_t dst, uint64_t src, uint64_t *rflags)
{
	unsigned int bits = 8 * i->size, n = (unsigned int)i->imm;
	uint64_t head = i->size == 2 ? dst << 16 | src : src;
	unsigned __int128 wide = (unsigned __int128)head << bits | dst;
	uint64_t v = (uint64_t)(wide >> n) & operand_mask(i->size);

	set_szp(rflags, v, i->size);
	set_cf_of(rflags, wide >> (n - 1) & 1, bit_of(v, bits - 1) != bit_of(dst, bits - 1));
	return v;
}

enum emul_result exec_bits_shift_double(struct emul_ctxt *c, struct insn *i)
{
	uint64_t src, n;

	(void)operand_load(c, i, i->op->src, 1, &n);
	i->imm = n & (i->size == 8 ? 0x3f : 0x1f);
	(void)operand_load(c, i, OPD_REG, i->size, &src);
	operand_fn fn = i->op->sub ? fn_shrd : fn_shld;
	return operand_rmw(c, i, i->imm ? fn : fn_same, src);
}

static uint64_t fn_bts(const struct insn *i, uint64_t dst, uint64_t n, uint64_t *rflags)
{
	*rflags = (*rflags & ~FLAG_CF) | (bit_of(dst, (unsigned int)n) ? FLAG_CF : 0);
	return dst | BIT(n);
}

static uint64_t fn_btr(const struct insn *i, uint64_t dst, uint64_t n, uint64_t *rflags)
{
	*rflags = (*rflags & ~FLAG_CF) | (bit_of(dst, (unsigned int)n) ? FLAG_CF : 0);
	return dst & ~BIT(n);
}

static uint64_t fn_btc(const struct insn *i, uint64_t dst, uint64_t n, uint64_t *rflags)
{
	*rflags = (*rflags & ~FLAG_CF) | (bit_of(dst, (unsigned int)n) ? FLAG_CF : 0);
	return dst ^ BIT(n);
}

/* BT, BTS, BTR, BTC. With memory and a register the bit may be anywhere: the offset is signed. */
enum emul_result exec_bits_test(struct emul_ctxt *c, struct insn *i)
{
	static const operand_fn table[] = {
		[BIT_SET] = fn_bts, [BIT_RESET] = fn_btr, [BIT_COMPLEMENT] = fn_btc,
	};
	unsigned int bits = 8 * i->size;
	uint64_t n, v;

	(void)operand_load(c, i, i->op->src, i->size, &n);
	if (i->mem && i->op->src == OPD_REG) {
		int64_t units = (int64_t)operand_sign_extend(n, i->size) >> __builtin_ctz(bits);
		i->ea = (i->ea + (uint64_t)units * i->size) & operand_mask(i->addr_size);
	}
	n &= bits - 1;
	if (i->op->sub != BIT_TEST) {
		return operand_rmw(c, i, table[i->op->sub], n);
	}
	enum emul_result r = operand_load(c, i, OPD_RM, i->size, &v);
	if (r == EMUL_OK) {
		c->rflags = (c->rflags & ~FLAG_CF) | (v >> n & 1 ? FLAG_CF : 0);
	}
	return r;
}

/* Does the guest's CPUID have this bit? reg: 0..3 for EAX EBX ECX EDX. */
static enum emul_result cpu_feature(struct emul_ctxt *c, uint32_t leaf, unsigned int reg,
				    unsigned int bit, bool *has)
{
	uint32_t regs[4] = { leaf, 0, 0, 0 };

	if (!c->ops->cpuid) {
		return EMUL_UNHANDLED;
	}
	enum emul_result r = c->ops->cpuid(c, regs);
	*has = regs[reg] >> bit & 1;
	return r;
}

static unsigned int lowest_bit(uint64_t v)
{
	return (unsigned int)__builtin_ctzll(v);
}

static unsigned int highest_bit(uint64_t v)
{
	return 63 - (unsigned int)__builtin_clzll(v);
}

/* BSF, BSR: with a source of zero the destination stays as it was, all 64 bits of it. */
static enum emul_result scan_plain(struct emul_ctxt *c, const struct insn *i, uint64_t v)
{
	if (v == 0) {
		c->rflags |= FLAG_ZF;
		return EMUL_OK;
	}
	c->rflags &= ~FLAG_ZF;
	return operand_store(c, i, OPD_REG, i->op_size,
			     i->op->sub == SCAN_BSF ? lowest_bit(v) : highest_bit(v));
}

/* TZCNT, LZCNT: zero counts all bits and sets CF. */
static enum emul_result scan_count(struct emul_ctxt *c, const struct insn *i, uint64_t v)
{
	unsigned int bits = 8 * i->op_size, n = bits;

	if (v != 0) {
		n = i->op->sub == SCAN_BSF ? lowest_bit(v) : bits - 1 - highest_bit(v);
	}
	c->rflags &= ~(FLAG_CF | FLAG_ZF);
	c->rflags |= (v == 0 ? FLAG_CF : 0) | (n == 0 ? FLAG_ZF : 0);
	return operand_store(c, i, OPD_REG, i->op_size, n);
}

/* F3 makes them TZCNT (BMI1) and LZCNT (ABM) on processors that have these, and means nothing else. */
enum emul_result exec_bits_scan(struct emul_ctxt *c, struct insn *i)
{
	bool count = false;
	uint64_t v;
	enum emul_result r = EMUL_OK;

	if (i->rep == 0xf3) {
		r = i->op->sub == SCAN_BSF ? cpu_feature(c, 7, 1, 3, &count)
					   : cpu_feature(c, 0x80000001, 2, 5, &count);
	}
	if (r == EMUL_OK) {
		r = operand_load(c, i, OPD_RM, i->op_size, &v);
	}
	if (r != EMUL_OK) {
		return r;
	}
	return count ? scan_count(c, i, v) : scan_plain(c, i, v);
}

enum emul_result exec_bits_popcnt(struct emul_ctxt *c, struct insn *i)
{
	bool has = false;
	uint64_t v, n = 0;

	if (i->rep != 0xf3) {
		return EMUL_UNHANDLED;
	}
	enum emul_result r = cpu_feature(c, 1, 2, 23, &has);
	if (r != EMUL_OK) {
		return r;
	}
	if (!has) {
		return insn_fault(c, VEC_UD);
	}
	r = operand_load(c, i, OPD_RM, i->op_size, &v);
	if (r != EMUL_OK) {
		return r;
	}
	c->rflags = (c->rflags & ~FLAG_ARITH) | (v == 0 ? FLAG_ZF : 0);
	for (; v; v &= v - 1) {
		n++;
	}
	return operand_store(c, i, OPD_REG, i->op_size, n);
}
