/*
 * Is a running QEMU confined as sandbox.h promises? Read from /proc, nothing is taken from the
 * supervisor's word.
 */
#ifndef DM_GLUE_SANDBOX_CHECK_H
#define DM_GLUE_SANDBOX_CHECK_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* What /proc/PID/status says, as far as it matters. */
struct sandbox_check_status {
	unsigned int uid[4], gid[4]; /* real, effective, saved, file system */
	unsigned long long cap_inh, cap_prm, cap_eff, cap_bnd, cap_amb;
	unsigned int no_new_privs, seccomp;
	bool complete;
};

/* Read the text of a status file. Pure. */
void sandbox_check_parse(const char *text, struct sandbox_check_status *st);

/*
 * Print one line per restriction: "holds" or "DOES NOT HOLD" or "not in use", what it is, how it was
 * seen. Returns the number of required ones that do not hold, or -errno when there is no such process.
 */
int sandbox_check(pid_t pid, FILE *to);

#endif
