/*
 * Arithmetic results with the flags they leave, and the sixteen conditions.
 *
 * Operands are zero-extended numbers of size bytes. The flags named by each function are replaced in
 * *rflags, others kept. Pure. Intel SDM volume 1, "EFLAGS Register".
 */
#include "emul/insn.h"

static uint64_t parity(uint64_t r)
{
	unsigned int nibbles = (r ^ r >> 4) & 0xf;

	/* 6996h: which nibbles have an odd number of bits. PF is set for even. */
	return 0x6996u >> nibbles & 1 ? 0 : FLAG_PF;
}

uint64_t flags_szp(uint64_t r, unsigned int size)
{
	r &= operand_mask(size);
	return (r == 0 ? FLAG_ZF : 0) | (r >> (8 * size - 1) ? FLAG_SF : 0) | parity(r);
}

/* carries: bit n set when bit n produced a carry (borrow) into n + 1. */
static void set_arith(uint64_t r, uint64_t carries, unsigned int size, uint64_t *rflags)
{
	unsigned int top = 8 * size - 1;
	uint64_t f = flags_szp(r, size);

	f |= carries >> top & 1 ? FLAG_CF : 0;
	f |= carries >> 3 & 1 ? FLAG_AF : 0;
	f |= (carries >> top ^ carries >> (top - 1)) & 1 ? FLAG_OF : 0;
	*rflags = (*rflags & ~FLAG_ARITH) | f;
}

uint64_t flags_add(uint64_t a, uint64_t b, bool carry, unsigned int size, uint64_t *rflags)
{
	uint64_t r = (a + b + carry) & operand_mask(size);

	set_arith(r, (a & b) | ((a | b) & ~r), size, rflags);
	return r;
}

uint64_t flags_sub(uint64_t a, uint64_t b, bool borrow, unsigned int size, uint64_t *rflags)
{
	uint64_t r = (a - b - borrow) & operand_mask(size);

	set_arith(r, (~a & b) | ((~a | b) & r), size, rflags);
	return r;
}

uint64_t flags_logic(uint64_t r, unsigned int size, uint64_t *rflags)
{
	r &= operand_mask(size);
	*rflags = (*rflags & ~FLAG_ARITH) | flags_szp(r, size);
	return r;
}

bool flags_condition(uint64_t rflags, unsigned int cc)
{
	bool sign_ne_overflow = !(rflags & FLAG_SF) != !(rflags & FLAG_OF);
	bool r = false;

	switch (cc >> 1 & 7) {
	case 0:
		r = rflags & FLAG_OF;
		break;
	case 1:
		r = rflags & FLAG_CF;
		break;
	case 2:
		r = rflags & FLAG_ZF;
		break;
	case 3:
		r = rflags & (FLAG_CF | FLAG_ZF);
		break;
	case 4:
		r = rflags & FLAG_SF;
		break;
	case 5:
		r = rflags & FLAG_PF;
		break;
	case 6:
		r = sign_ne_overflow;
		break;
	default:
		r = sign_ne_overflow || (rflags & FLAG_ZF);
		break;
	}
	return r != (cc & 1);
}
