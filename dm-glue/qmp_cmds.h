/*
 * The QMP commands that we use, with types.
 *
 * Every function blocks at most QMP_CMD_TIMEOUT_MS (a screenshot: longer) and returns 0 or an error
 * of qmp_call(); the text for people is in qmp->error. QEMU runs without access to the file system,
 * so files travel as open descriptors through its descriptor sets.
 */
#ifndef DM_GLUE_QMP_CMDS_H
#define DM_GLUE_QMP_CMDS_H

#include "dm-glue/qmp.h"

#define QMP_CMD_TIMEOUT_MS 5000

int qmp_cont(struct qmp *qmp);
int qmp_stop(struct qmp *qmp);
int qmp_quit(struct qmp *qmp);
int qmp_system_powerdown(struct qmp *qmp); /* the ACPI power button */
int qmp_system_reset(struct qmp *qmp);

/* *running: the virtual machine's state is "running". status: at least 32 bytes, may be NULL. */
int qmp_query_status(struct qmp *qmp, bool *running, char *status, size_t size);

/*
 * The host's end of character device `label`, such as "/dev/pts/5". Result also -ENOENT: no such
 * device; -ENODATA: it is not a pseudo terminal.
 */
int qmp_query_chardev_pty(struct qmp *qmp, const char *label, char *path, size_t size);

/* How many processors are plugged in, and how many there can be (may be NULL). */
int qmp_count_cpus(struct qmp *qmp, unsigned int *present, unsigned int *possible);
/* Plug processors in, those with the lowest numbers first, until there are so many. Result also -ENOSPC: not possible. */
int qmp_plug_cpus(struct qmp *qmp, unsigned int wanted);

/* Is VNC served, and how many clients does it have? */
int qmp_query_vnc(struct qmp *qmp, bool *enabled, unsigned int *clients);

/* Change the VNC password; "" locks everybody out. */
int qmp_vnc_password(struct qmp *qmp, const char *password);

/* Give QEMU a connected socket of a VNC client. The caller closes its copy. */
int qmp_vnc_add_client(struct qmp *qmp, int fd);

/* Picture of the screen as PNG into the file open for writing at fd. */
int qmp_screendump(struct qmp *qmp, int fd);

/*
 * Put the medium open at fd into drive `device` (its id on the command line); format "raw" and so on,
 * never guessed. For a read-only medium fd must be open for reading only.
 */
int qmp_change_medium(struct qmp *qmp, const char *device, int fd, const char *format,
		      bool read_only);
/* Open the tray and take the medium out; force: even if the guest has locked it. */
int qmp_eject(struct qmp *qmp, const char *device, bool force);

#endif
