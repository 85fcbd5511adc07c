/*
 * A tap device on a bridge, made by us so that QEMU needs no rights: it inherits the descriptor.
 * The device vanishes with its last descriptor. Locking: none.
 */
#ifndef DM_GLUE_TAP_H
#define DM_GLUE_TAP_H

#include <net/if.h>
#include <stdint.h>

/*
 * Create tap device `name` (may hold a %d for the kernel to fill in), bring it up and join `bridge`.
 * On return `name` is the device's name. Result: the descriptor, or -errno with *step naming what
 * failed.
 */
int tap_open(char name[IFNAMSIZ], const char *bridge, const char **step);

#endif
