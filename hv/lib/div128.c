/*
 * Division of 128-bit numbers: the compiler calls these names; there is no compiler library to link.
 * Pure. (Knuth, The Art of Computer Programming, "Classical algorithms", with two digits.)
 */
#include <stdint.h>
#include "lib/div128.h"

typedef unsigned __int128 u128;

/* hi:lo / d for hi < d, with the top bit of d set: two quotient digits of 32 bits. */
static uint64_t div_normal(uint64_t hi, uint64_t lo, uint64_t d, uint64_t *rem)
{
	uint64_t d1 = d >> 32, d0 = (uint32_t)d, r = hi, q = 0;

	for (int shift = 32; shift >= 0; shift -= 32) {
		uint64_t digit = r / d1, rest = r % d1, next = (uint32_t)(lo >> shift);

		while (digit >> 32 || digit * d0 > (rest << 32 | next)) {
			digit--;
			rest += d1;
			if (rest >> 32) {
				break;
			}
		}
		r = (r << 32) + next - digit * d;
		q = q << 32 | digit;
	}
	*rem = r;
	return q;
}

/* n / d for d of 64 bits. */
static u128 div_by_64(u128 n, uint64_t d, uint64_t *rem)
{
	uint64_t hi = (uint64_t)(n >> 64), lo = (uint64_t)n, q_hi = hi / d, q_lo;
	int s = __builtin_clzll(d);

	hi %= d;
	if (hi == 0) {
		*rem = lo % d;
		return (u128)q_hi << 64 | lo / d;
	}
	if (s) {
		hi = hi << s | lo >> (64 - s);
	}
	q_lo = div_normal(hi, lo << s, d << s, rem);
	*rem >>= s;
	return (u128)q_hi << 64 | q_lo;
}

u128 div128(u128 n, u128 d, u128 *rem)
{
	u128 q = 0, r = 0;
	uint64_t rem64;

	if (!(uint64_t)(d >> 64)) {
		q = div_by_64(n, (uint64_t)d, &rem64);
		*rem = rem64;
		return q;
	}
	/* The quotient has at most 64 bits; bit by bit is rare enough to be slow. */
	for (int i = 127; i >= 0; i--) {
		bool carry = r >> 127;

		r = r << 1 | (n >> i & 1);
		q <<= 1;
		if (carry || r >= d) {
			r -= d;
			q |= 1;
		}
	}
	*rem = r;
	return q;
}
