/*
 * A control group per guest's QEMU: how much memory and how many tasks it may use.
 *
 * Owns: /sys/fs/cgroup/ostler/N. Guest memory is not QEMU's and is not counted; the page cache of its images is,
 * and is given back under pressure. Locking: none.
 * Reference: Linux "Control Group v2".
 */
#ifndef DM_GLUE_SANDBOX_CGROUP_H
#define DM_GLUE_SANDBOX_CGROUP_H

#include <stdint.h>
#include <sys/types.h>

#define SANDBOX_CGROUP_BASE   "/sys/fs/cgroup"
#define SANDBOX_CGROUP_NAME   "ostler"
#define SANDBOX_CGROUP_MEMORY "2147483648" /* bytes */
#define SANDBOX_CGROUP_TASKS  "512"

/*
 * Put process `pid` into the group of domain `domid`, below `base` (a mounted control group hierarchy).
 * Result: 0, or -errno: the host has no version 2 hierarchy there, or does not let us.
 */
int sandbox_cgroup_join(const char *base, uint32_t domid, pid_t pid);

/* Remove the group, once its processes have gone. */
void sandbox_cgroup_remove(const char *base, uint32_t domid);

#endif
