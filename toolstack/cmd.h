/*
 * The command line: what a command is, and what every command gets.
 *
 * The table is in main.c; help, completion and option checking are made from it, nowhere else.
 */
#ifndef TOOLSTACK_CMD_H
#define TOOLSTACK_CMD_H

#include <stdbool.h>
#include <stddef.h>

#include "toolstack/lib/hvcall.h"
#include "toolstack/lib/hvdom.h"
#include "toolstack/lib/store.h"
#include "toolstack/out.h"

/* Exit codes; documented in ostler(1). */
enum cmd_exit {
	CMD_OK = 0,
	CMD_ERROR = 1,
	CMD_USAGE = 2,
	CMD_NO_DOMAIN = 3,
	CMD_CONFIG = 4,
	CMD_TIMEOUT = 5,
};

/* What an argument is, for completion. */
enum cmd_kind {
	CMD_ARG_NONE,
	CMD_ARG_DOMAIN,
	CMD_ARG_FILE,
	CMD_ARG_COMMAND,
	CMD_ARG_TEXT,
};

#define CMD_MAX_OPTS 12
#define CMD_MAX_ARGS 64

struct cmd_opt {
	char key;	    /* letter by which the command asks for it; its short form when `has_short` */
	bool has_short;
	const char *name;   /* "--name" */
	const char *value;  /* name of its value, NULL: none */
	bool optional_value; /* --name or --name=VALUE */
	enum cmd_kind kind;
	const char *help;
};

struct cmd_line;

struct cmd {
	const char *name;
	const char *aliases; /* other spellings, separated by spaces */
	const char *synopsis; /* arguments: "DOMAIN [FILE]" */
	const char *summary;  /* one line */
	const char *help;     /* paragraphs, may be NULL */
	enum cmd_kind arg_kind;
	unsigned int min_args;
	unsigned int max_args;
	bool json; /* a reading command: has --json */
	const struct cmd_opt *opts; /* ends with name NULL; may be NULL */
	int (*run)(struct cmd_line *line);
};

/* A parsed call, and the connections a command opens when it needs them. */
struct cmd_line {
	const struct cmd *cmd;
	const char *args[CMD_MAX_ARGS];
	unsigned int nr_args;
	const char *values[128]; /* by option key: NULL absent, "" given without value */
	struct hvcall hv;
	struct store st;
	bool hv_open;
	bool st_open;
};

extern const struct cmd cmd_table[];
extern const size_t cmd_table_size;

/* By name or alias; NULL when unknown. */
const struct cmd *cmd_find(const char *name);

/* Was option `key` given? Its value ("" when it has none). */
bool cmd_has(const struct cmd_line *line, char key);
const char *cmd_value(const struct cmd_line *line, char key);

/* What --json asked for. */
enum out_json_mode cmd_json_mode(const struct cmd_line *line);

/* Open hypervisor and xenstore; complain and return an exit code other than CMD_OK on failure. */
int cmd_connect(struct cmd_line *line);
/* The same, then the domain named by argument `index`. */
int cmd_domain(struct cmd_line *line, unsigned int index, struct hvdom_info *info);

/* Run one command from its words (words[0] is its name). Result: exit code. */
int cmd_run(int nr, char **words);

/* "error: ..." to stderr; returns `code`. */
int cmd_error(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Help of one command, and of all. */
void cmd_help(const struct cmd *cmd);
void cmd_help_all(void);

/* Print candidates for the last of `words` (those after "ostler"), one per line. */
void cmd_complete(int nr, char **words);

/* The commands (cmd_*.c). */
int cmd_create(struct cmd_line *line);
int cmd_validate(struct cmd_line *line);
int cmd_list(struct cmd_line *line);
int cmd_info(struct cmd_line *line);
int cmd_nodeinfo(struct cmd_line *line);
int cmd_domid(struct cmd_line *line);
int cmd_domname(struct cmd_line *line);
int cmd_domuuid(struct cmd_line *line);
int cmd_domstate(struct cmd_line *line);
int cmd_dumpxml(struct cmd_line *line);
int cmd_domblklist(struct cmd_line *line);
int cmd_domiflist(struct cmd_line *line);
int cmd_console(struct cmd_line *line);
int cmd_ttyconsole(struct cmd_line *line);
int cmd_shutdown(struct cmd_line *line);
int cmd_vcpu_set(struct cmd_line *line);
int cmd_reboot(struct cmd_line *line);
int cmd_reset(struct cmd_line *line);
int cmd_destroy(struct cmd_line *line);
int cmd_pause(struct cmd_line *line);
int cmd_unpause(struct cmd_line *line);
int cmd_trigger(struct cmd_line *line);
int cmd_vcpu_list(struct cmd_line *line);
int cmd_vcpu_pin(struct cmd_line *line);
int cmd_sched(struct cmd_line *line);
int cmd_top(struct cmd_line *line);
int cmd_mem_set(struct cmd_line *line);
int cmd_trace(struct cmd_line *line);
int cmd_dmesg(struct cmd_line *line);
int cmd_debug_keys(struct cmd_line *line);
int cmd_screenshot(struct cmd_line *line);
int cmd_change_media(struct cmd_line *line);
int cmd_eject(struct cmd_line *line);
int cmd_send_key(struct cmd_line *line);
int cmd_monitor(struct cmd_line *line);
int cmd_vncdisplay(struct cmd_line *line);
int cmd_help_run(struct cmd_line *line);
int cmd_version(struct cmd_line *line);
int cmd_complete_run(struct cmd_line *line);

#endif
