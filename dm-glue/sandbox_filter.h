/*
 * The system calls that a guest's QEMU does not get: a seccomp filter, installed before QEMU starts.
 *
 * Ours, because distributions ship QEMU for Xen without its own -sandbox. A deny list: what a device
 * model has no use for and an attacker has. Locking: none.
 * Reference: Linux "Seccomp BPF (SECure COMPuting with filters)".
 */
#ifndef DM_GLUE_SANDBOX_FILTER_H
#define DM_GLUE_SANDBOX_FILTER_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

#define SANDBOX_FILTER_MAX 256

/*
 * Build the program. `exec_path`: the one execve() that stays allowed is the one whose file name lies at
 * exactly this address, so that the filter can be in place before QEMU is started.
 * Returns the number of instructions.
 */
size_t sandbox_filter_build(struct sock_filter prog[SANDBOX_FILTER_MAX], const char *exec_path);

/* Install it for this thread and all it starts; no_new_privs must be set. Result: 0 or -errno. */
int sandbox_filter_install(const char *exec_path);

#endif
