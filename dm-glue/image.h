/*
 * What a disk image says about itself, as far as it matters before QEMU may have it.
 *
 * Pure: bytes in, verdict out. The format is never guessed from the bytes; the configuration names it,
 * and only then are they looked at. Reference: QEMU's "Qcow2 Image File Format".
 */
#ifndef DM_GLUE_IMAGE_H
#define DM_GLUE_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "toolstack/config.h"

#define IMAGE_HEADER 104 /* bytes of the start that image_check() wants, if the file has them */

/*
 * May QEMU have this image as one open file? NULL: yes; else the reason, a constant text. An image that
 * refers to others by name is refused: those names would be opened by QEMU, which sees no files, and in
 * an image that a guest could write they would name any file of the host.
 */
const char *image_check(enum config_disk_format format, const uint8_t *head, size_t len);

#endif
