/*
 * The DES block cipher, for one use: the challenge of RFB's "VNC Authentication". No protection for
 * anything else. Pure. Reference: FIPS 46-3, "Data Encryption Standard".
 */
#ifndef DM_GLUE_DES_H
#define DM_GLUE_DES_H

#include <stdint.h>

/* Encrypt one block. The lowest bit of each key byte is parity and ignored. */
void des_encrypt(const uint8_t key[8], const uint8_t in[8], uint8_t out[8]);

#endif
