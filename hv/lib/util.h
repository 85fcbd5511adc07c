/* Small pure helpers without a home of their own: sizes, alignment, bits, container_of. */
#ifndef LIB_UTIL_H
#define LIB_UTIL_H

#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a)           (sizeof(a) / sizeof((a)[0]))
#define container_of(p, t, m)   ((t *)((char *)(p)-offsetof(t, m)))
#define BIT(n)                  (1ull << (n))
#define MASK(n)                 ((n) >= 64 ? ~0ull : BIT(n) - 1)
#define ALIGN_UP(x, a)          (((x) + ((a)-1)) & ~((__typeof__(x))(a)-1))
#define ALIGN_DOWN(x, a)        ((x) & ~((__typeof__(x))(a)-1))
#define MIN(a, b)               ((a) < (b) ? (a) : (b))
#define MAX(a, b)               ((a) > (b) ? (a) : (b))
/* Off the way that most exits take: its registers and its code stay out of that. */
#define COLD                    __attribute__((cold, noinline))
/* The same for what is not rare, but needs more registers than what its caller mostly does. */
#define APART                   __attribute__((noinline))
#define UNUSED                  __attribute__((unused))
#define PRINTF_LIKE(f, a)       __attribute__((format(printf, f, a)))
#define MUST_CHECK              __attribute__((warn_unused_result))

/* a * b / c with a 128-bit product. c != 0; the result must fit 64 bits (checked in debug). */
static inline uint64_t mul_div_u64(uint64_t a, uint64_t b, uint64_t c)
{
	return (uint64_t)((unsigned __int128)a * b / c);
}

#endif
