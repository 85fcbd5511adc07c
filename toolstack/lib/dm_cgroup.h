/*
 * A control group per guest's QEMU: how much memory and how many tasks it may use.
 *
 * Owns: /sys/fs/cgroup/ostler/N. Guest memory is not QEMU's and is not counted; the page cache of its images is,
 * and is given back under pressure. Locking: none.
 * Reference: Linux "Control Group v2".
 */
#ifndef TOOLSTACK_LIB_DM_CGROUP_H
#define TOOLSTACK_LIB_DM_CGROUP_H

#include <stdint.h>
#include <sys/types.h>

#define DM_CGROUP_BASE   "/sys/fs/cgroup"
#define DM_CGROUP_NAME   "ostler"
#define DM_CGROUP_MEMORY "2147483648" /* bytes */
#define DM_CGROUP_TASKS  "512"

/*
 * Put process `pid` into the group of domain `domid`, below `base` (a mounted control group hierarchy).
 * Result: 0, or -errno: the host has no version 2 hierarchy there, or does not let us.
 */
int dm_cgroup_join(const char *base, uint32_t domid, pid_t pid);

/* Remove the group, once its processes have gone. */
void dm_cgroup_remove(const char *base, uint32_t domid);

#endif
