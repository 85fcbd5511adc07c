/*
 * Thin names over the compiler's __atomic builtins: the ordering is in the name.
 *
 * READ_ONCE()/WRITE_ONCE() are for memory that a guest, a device model or another CPU also
 * writes: one access, no order implied.
 */
#ifndef LIB_ATOMIC_H
#define LIB_ATOMIC_H

#include <stdbool.h>
#include <stdint.h>

#define READ_ONCE(x)         __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v)     __atomic_store_n(&(x), (v), __ATOMIC_RELAXED)
#define load_acquire(p)      __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define store_release(p, v)  __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define fence_full()         __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define fence_acquire()      __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define fence_release()      __atomic_thread_fence(__ATOMIC_RELEASE)
#define atomic_add(p, v)     __atomic_fetch_add((p), (v), __ATOMIC_SEQ_CST) /* old value */
#define atomic_sub(p, v)     __atomic_fetch_sub((p), (v), __ATOMIC_SEQ_CST) /* old value */
#define atomic_or(p, v)      __atomic_fetch_or((p), (v), __ATOMIC_SEQ_CST)  /* old value */
#define atomic_and(p, v)     __atomic_fetch_and((p), (v), __ATOMIC_SEQ_CST) /* old value */
#define atomic_xchg(p, v)    __atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)
/* *old is the expected value, and what was found on failure. */
#define atomic_cas(p, old, v) \
	__atomic_compare_exchange_n((p), (old), (v), false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

/* Bit operations on a bitmap of 64-bit words; each returns the bit's old value. */
static inline bool atomic_set_bit(uint64_t *map, unsigned int bit)
{
	uint64_t m = 1ull << (bit % 64);
	return atomic_or(&map[bit / 64], m) & m;
}

static inline bool atomic_clear_bit(uint64_t *map, unsigned int bit)
{
	uint64_t m = 1ull << (bit % 64);
	return atomic_and(&map[bit / 64], ~m) & m;
}

static inline bool test_bit(const uint64_t *map, unsigned int bit)
{
	return READ_ONCE(map[bit / 64]) >> (bit % 64) & 1;
}

#endif
