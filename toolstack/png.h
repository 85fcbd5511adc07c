/*
 * PPM (the raw colour form, "P6", 8 bits) to PNG. Pure but for memory; compresses with zlib.
 * The picture comes from a QEMU that a guest may have taken over: every number in it is checked.
 */
#ifndef TOOLSTACK_PNG_H
#define TOOLSTACK_PNG_H

#include <stddef.h>
#include <stdint.h>

#define PNG_MAX_SIDE 16384

/* malloc'd PNG in *out. Result: 0, -EINVAL (not such a PPM), -ENOMEM. */
int png_from_ppm(const uint8_t *ppm, size_t len, uint8_t **out, size_t *out_len);

#endif
