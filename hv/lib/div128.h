/* 128-bit division without the compiler's library. d != 0. */
#ifndef LIB_DIV128_H
#define LIB_DIV128_H

#include <stdbool.h>
#include <stdint.h>

unsigned __int128 div128(unsigned __int128 n, unsigned __int128 d, unsigned __int128 *rem);

#endif
