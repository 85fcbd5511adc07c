/*
 * An index that somebody else chose, after its bounds check and before the array: what a processor guesses past the
 * check must not reach memory behind the array either, because the cache lines that it touches can be told apart
 * afterwards.
 *
 * The check itself stays the caller's: an index that passes it comes back unchanged, any other becomes 0. No branch, so
 * nothing that could be guessed; three instructions, or one for an array whose size is a power of two. An index that
 * is masked or narrower than the array anyway needs none of this. The result depends on the array that is really
 * there: give its present size, not the largest one that the ABI knows.
 */
#ifndef LIB_NOSPEC_H
#define LIB_NOSPEC_H

#include <stdint.h>

/* Unsigned, any size. */
static inline uint64_t nospec_index(uint64_t index, uint64_t size)
{
	uint64_t mask;

	__asm__("cmp	%2, %1\n\t"
		"sbb	%0, %0"
		: "=r"(mask)
		: "r"(index), "rme"(size)
		: "cc");
	return index & mask;
}

/* For a constant size of a power of two. The compiler must not conclude from the check that nothing is left to mask. */
#define nospec_index_pow2(index, size)                                                       \
	({                                                                                   \
		uint64_t nospec_i = (index);                                                 \
		_Static_assert((size) != 0 && ((size) & ((size) - 1)) == 0, "a power of two"); \
		__asm__("" : "+r"(nospec_i));                                                \
		nospec_i & ((size) - 1);                                                     \
	})

#endif
