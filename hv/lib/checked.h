/* Arithmetic on numbers that a guest chose: true means that it overflowed and *r is not to be used. */
#ifndef LIB_CHECKED_H
#define LIB_CHECKED_H

#define add_overflows(a, b, r) __builtin_add_overflow((a), (b), (r))
#define sub_overflows(a, b, r) __builtin_sub_overflow((a), (b), (r))
#define mul_overflows(a, b, r) __builtin_mul_overflow((a), (b), (r))

#endif
