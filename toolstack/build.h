/*
 * Building a guest from its configuration: the one path from "nothing" to "running", and back.
 *
 * Construction is a table of steps, each with its undo; when step n fails, the undos of the steps
 * before it run in reverse order, and nothing is left in the hypervisor, in xenstore, or of
 * processes.
 * Locking: none; one build at a time per struct build.
 */
#ifndef TOOLSTACK_BUILD_H
#define TOOLSTACK_BUILD_H

#include <stdbool.h>
#include <stdint.h>

#include "toolstack/build_layout.h"
#include "toolstack/config.h"
#include "toolstack/lib/hvcall.h"
#include "toolstack/lib/store.h"

struct build_options {
	const char *xml_text; /* the document, saved for restarts */
	size_t xml_len;
	bool no_device_model; /* guests that only talk to the hypervisor (tests) */
	bool paused;	      /* leave the guest paused */
	int dm_timeout_ms;    /* how long the supervisor may take to be ready */
	/* Called before every step; may be NULL. */
	void (*progress)(void *arg, unsigned int step, unsigned int steps, const char *what);
	void *progress_arg;
};

#define BUILD_ERROR_MAX 256

struct build {
	struct hvcall *hv;
	struct store *st;
	const struct guest_config *cfg;
	struct build_options opts;
	struct build_layout layout;
	uint32_t domid; /* valid after the domain exists */
	uint32_t store_port;
	uint32_t console_port;
	void *loader; /* file images, while building */
	size_t loader_len;
	void *firmware;
	size_t firmware_len;
	struct build_image image;
	uint64_t start_info;
	int dm_pid; /* the supervisor; 0: none */
	char error[BUILD_ERROR_MAX]; /* why it failed, one line */
};

/*
 * Build and start. b->hv, st, cfg, opts are set by the caller, the rest zero. Blocks until the
 * guest
 * runs or everything is undone. Result: 0 with b->domid, or -errno with b->error.
 */
int build_guest(struct build *b);

/* Parts of build.c's table that live in files of their own. */
int build_store_write(struct build *b);
void build_store_undo(struct build *b);
int build_dm_start(struct build *b);
void build_dm_undo(struct build *b);
int build_sched(struct build *b);

/* Remember why, with what rc means added; returns rc. */
int build_fail(struct build *b, int rc, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The same with a finished text. */
int build_fail_text(struct build *b, int rc, const char *text);

/*
 * Remove what xenstore knows of a domain (also used by destroy). Best effort; 0 or the first error.
 */
int build_store_remove(struct store *st, uint32_t domid, const uint8_t uuid[16]);

/* Path of the saved document of a guest: RUNDIR_BASE/<uuid>.xml. */
int build_xml_path(const uint8_t uuid[16], char *out, size_t size);

/* <pkgdatadir>/<name>, or $OSTLER_DATADIR/<name> when running from a build tree. */
int build_data_path(const char *name, char *out, size_t size);

#endif
