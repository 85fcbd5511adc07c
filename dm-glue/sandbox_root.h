/*
 * QEMU's root directory: an empty tmpfs with, until QEMU is up, the few things a start needs.
 *
 * Called in the child between fork and exec, as root, in a mount namespace of its own; and, for
 * stripping, in a helper that joined that namespace. Locking: none.
 */
#ifndef DM_GLUE_SANDBOX_ROOT_H
#define DM_GLUE_SANDBOX_ROOT_H

#include "dm-glue/sandbox.h"

/* Build the root and make it "/". Result: 0, or -errno with *step naming what failed. */
int sandbox_root_enter(const struct sandbox *sb, const char **step);

/* Detach everything but the empty tmpfs, and make that read-only. Result: 0 or -errno. */
int sandbox_root_strip(void);

#endif
