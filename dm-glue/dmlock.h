/*
 * One supervisor per guest: a locked pid file in the guest's run directory.
 *
 * Owns: the file "supervisor.pid". The kernel drops the lock with the process, however it ends.
 */
#ifndef DM_GLUE_DMLOCK_H
#define DM_GLUE_DMLOCK_H

/*
 * Take the lock in directory `dir` and write our pid. Returns the descriptor that holds it; -EBUSY: another
 * supervisor has it; -errno.
 */
int dmlock_take(const char *dir);

/* Remove the file and let go; -1 is fine. */
void dmlock_release(const char *dir, int fd);

#endif
