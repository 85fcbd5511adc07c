/*
 * What becomes of a guest when it ends: the policy of on_poweroff, on_reboot and on_crash.
 *
 * Owns: the decision (life_decide, pure) and carrying it out (life_end). The supervisor of a guest
 * watches for its end and calls life_end() once; nobody else restarts guests.
 * Locking: none. life_end() blocks until the old domain is gone and the new one has been started.
 */
#ifndef TOOLSTACK_LIFE_H
#define TOOLSTACK_LIFE_H

#include <stdbool.h>
#include <stdint.h>

#include "toolstack/config.h"

/* Why a domain ended: the SHUTDOWN_* codes of <xen/sched.h>, and two that have no code. */
enum life_end_kind {
	LIFE_POWEROFF,
	LIFE_REBOOT,
	LIFE_SUSPEND,
	LIFE_CRASH,
	LIFE_WATCHDOG,
	LIFE_SOFT_RESET,
	LIFE_DM_DIED, /* the guest runs on, but its QEMU is gone */
	LIFE_GONE,    /* the domain no longer exists: somebody destroyed it */
};

enum life_verdict {
	LIFE_DO_NOTHING,	/* leave everything as it is (suspended, or already gone) */
	LIFE_DO_DESTROY,	/* destroy the domain and forget it */
	LIFE_DO_RESTART,	/* destroy, then create again from the saved document */
	LIFE_DO_PRESERVE,	/* keep the dead domain for inspection, end QEMU */
	LIFE_DO_RENAME_RESTART, /* keep the dead domain under another name, create a new one */
};

/* SHUTDOWN_* of <xen/sched.h> -> kind; an unknown code is a crash. */
enum life_end_kind life_kind_of_code(unsigned int shutdown_code);

/*
 * The policy. `alive_seconds`: how long the guest ran; a guest that ends by itself within
 * LIFE_RESTART_MIN_SECONDS of its start is not restarted after a crash (it would loop).
 */
#define LIFE_RESTART_MIN_SECONDS 10
enum life_verdict life_decide(const struct guest_config *cfg, enum life_end_kind kind,
			      unsigned int alive_seconds);

/*
 * Carry out what life_decide() says for domain `domid`. `xml_path`: the document it was created
 * from; for a restart, `ostler create` is run on it in a new session, so the caller may exit.
 * The caller must have ended QEMU before (except when told LIFE_DO_NOTHING).
 * Result: 0 or -errno of the first step that failed.
 */
int life_end(uint32_t domid, const struct guest_config *cfg, const char *xml_path,
	     enum life_end_kind kind, unsigned int alive_seconds);

const char *life_kind_name(enum life_end_kind kind);
const char *life_verdict_name(enum life_verdict verdict);

#endif
