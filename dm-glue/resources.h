/*
 * Everything of the host that one guest's QEMU works with, opened by the supervisor: images, taps,
 * serial ports, monitor sockets, the VNC listener.
 *
 * Owns: the descriptors. QEMU inherits copies of those in `env`; the supervisor then closes its own
 * with resources_handed_over(). Not here: who reads the pipes and accepts on the listener.
 * Locking: none.
 */
#ifndef DM_GLUE_RESOURCES_H
#define DM_GLUE_RESOURCES_H

#include <net/if.h>

#include "dm-glue/logfile.h"
#include "dm-glue/qemu_args.h"

#define RESOURCES_KEEP_MAX \
	(2 + 2 * CONFIG_MAX_DISKS + CONFIG_MAX_NICS + 2 * CONFIG_MAX_CHARDEVS)

/* Output of a port that goes to a file: QEMU writes into a pipe, we into the capped file. */
struct resources_sink {
	int fd; /* the pipe's reading end, -1: none */
	struct logfile file;
};

struct resources {
	struct qemu_args_env env;
	struct resources_sink sinks[2 * CONFIG_MAX_CHARDEVS];
	unsigned int nr_sinks;
	char tap[CONFIG_MAX_NICS][IFNAMSIZ];
	int usernet_fd[CONFIG_MAX_NICS]; /* the other end of a user card's socket, -1: none */
	int vnc_fd;	    /* listening, -1: none */
	int vnc_port;	    /* TCP port, 0: none or Unix */
	char *vnc_socket;   /* Unix path we made, to remove at the end */
	char *unix_made[2 * CONFIG_MAX_CHARDEVS]; /* the same for serial ports */
	unsigned int nr_unix;
	char *qmp_path;
	char *qmp_tools_path;
	char error[512];    /* why resources_open() failed */
};

/*
 * Open what the configuration names; the monitor sockets go to `run_dir`.
 * Result: 0, or -errno with the reason in res->error. Release with resources_close() in every case.
 */
int resources_open(struct resources *res, const struct guest_config *cfg, uint32_t domid,
		   const char *run_dir);

/* The descriptors that QEMU must inherit. Returns how many. */
size_t resources_inherit(const struct resources *res, int keep[RESOURCES_KEEP_MAX]);

/* QEMU has its copies: close ours, so that the other end notices when QEMU goes. */
void resources_handed_over(struct resources *res);

void resources_close(struct resources *res);

#endif
