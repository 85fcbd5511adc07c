/* Bitmap searches (contract in bitmap.h). */
#include "lib/bitmap.h"
#include "lib/util.h"

/* flip: all ones to look for clear bits. */
static unsigned int next(const uint64_t *map, unsigned int bits, unsigned int from, uint64_t flip)
{
	while (from < bits) {
		uint64_t word = (map[from / 64] ^ flip) >> (from % 64);

		if (word) {
			from += (unsigned int)__builtin_ctzll(word);
			return MIN(from, bits);
		}
		from = (from / 64 + 1) * 64;
	}
	return bits;
}

unsigned int bitmap_next_set(const uint64_t *map, unsigned int bits, unsigned int from)
{
	return next(map, bits, from, 0);
}

unsigned int bitmap_next_clear(const uint64_t *map, unsigned int bits, unsigned int from)
{
	return next(map, bits, from, ~0ull);
}

/* Population of one word without the processor's instruction, which not every machine has. */
static unsigned int word_count(uint64_t w)
{
	w = w - (w >> 1 & 0x5555555555555555);
	w = (w & 0x3333333333333333) + (w >> 2 & 0x3333333333333333);
	w = (w + (w >> 4)) & 0x0f0f0f0f0f0f0f0f;
	return (unsigned int)(w * 0x0101010101010101 >> 56);
}

unsigned int bitmap_count(const uint64_t *map, unsigned int bits)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < BITMAP_WORDS(bits); i++) {
		unsigned int rest = bits - i * 64;

		n += word_count(map[i] & MASK(rest));
	}
	return n;
}
