/*
 * Parsing a call against the command table, help, and the connections. See cmd.h.
 */
#include "toolstack/cmd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/domain.h"

/* Options of every command. */
static const struct cmd_opt cmd_common_opts[] = {
	{'h', true, "help", NULL, false, CMD_ARG_NONE, "show this help"},
	{0},
};

static const struct cmd_opt cmd_json_opts[] = {
	{'J', false, "json", "lines", true, CMD_ARG_NONE,
	 "print JSON; --json=lines: one object per line"},
	{0},
};

int cmd_error(int code, const char *fmt, ...)
{
	va_list args;

	fflush(stdout);
	fputs("error: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return code;
}

static bool cmd_in_list(const char *list, const char *name)
{
	size_t len = strlen(name);

	while (list != NULL && *list != '\0') {
		size_t word = strcspn(list, " ");

		if (word == len && strncmp(list, name, len) == 0) {
			return true;
		}
		list += word;
		list += *list == ' ';
	}
	return false;
}

const struct cmd *cmd_find(const char *name)
{
	for (size_t i = 0; i < cmd_table_size; i++) {
		if (strcmp(cmd_table[i].name, name) == 0 ||
		    cmd_in_list(cmd_table[i].aliases, name)) {
			return &cmd_table[i];
		}
	}
	return NULL;
}

bool cmd_has(const struct cmd_line *line, char key)
{
	return line->values[(unsigned char)key % 128] != NULL;
}

const char *cmd_value(const struct cmd_line *line, char key)
{
	return line->values[(unsigned char)key % 128];
}

enum out_json_mode cmd_json_mode(const struct cmd_line *line)
{
	if (!cmd_has(line, 'J')) {
		return OUT_JSON_OFF;
	}
	return strcmp(cmd_value(line, 'J'), "lines") == 0 ? OUT_JSON_LINES : OUT_JSON_PRETTY;
}

/* The tables of options a command has, in the order help shows them. */
static const struct cmd_opt *cmd_opt_table(const struct cmd *cmd, unsigned int index)
{
	static const struct cmd_opt none[] = {{0}};

	switch (index) {
	case 0:
		return cmd->opts != NULL ? cmd->opts : none;
	case 1:
		return cmd->json ? cmd_json_opts : none;
	case 2:
		return cmd_common_opts;
	default:
		return NULL;
	}
}

/* By long name (`len` bytes of it) or, with len 0, by short letter. */
static const struct cmd_opt *cmd_find_opt(const struct cmd *cmd, const char *name, size_t len)
{
	const struct cmd_opt *table;

	for (unsigned int i = 0; (table = cmd_opt_table(cmd, i)) != NULL; i++) {
		for (; table->name != NULL; table++) {
			if (len == 0 ? table->has_short && table->key == *name
				     : strlen(table->name) == len &&
					       strncmp(table->name, name, len) == 0) {
				return table;
			}
		}
	}
	return NULL;
}

static int cmd_bad_option(const struct cmd *cmd, const char *dashes, const char *name, size_t len)
{
	return cmd_error(CMD_USAGE, "command '%s' doesn't support option %s%.*s", cmd->name, dashes,
			 (int)len, name);
}

/* --name, --name=value, --name value. Moves *at to the last word used. */
static int cmd_parse_long(struct cmd_line *line, int nr, char **words, int *at)
{
	const char *name = words[*at] + 2;
	size_t len = strcspn(name, "=");
	const struct cmd_opt *opt = len != 0 ? cmd_find_opt(line->cmd, name, len) : NULL;
	const char *value = name[len] == '=' ? name + len + 1 : NULL;

	if (opt == NULL) {
		return cmd_bad_option(line->cmd, "--", name, len);
	}
	if (opt->value == NULL && value != NULL) {
		return cmd_error(CMD_USAGE, "option --%s takes no value", opt->name);
	}
	if (opt->value != NULL && value == NULL && !opt->optional_value) {
		if (*at + 1 >= nr) {
			return cmd_error(CMD_USAGE, "option --%s needs a value: %s", opt->name,
					 opt->value);
		}
		value = words[++*at];
	}
	line->values[(unsigned char)opt->key] = value != NULL ? value : "";
	return CMD_OK;
}

/* -p, several together, -x VALUE, -xVALUE. */
static int cmd_parse_short(struct cmd_line *line, int nr, char **words, int *at)
{
	for (const char *p = words[*at] + 1; *p != '\0'; p++) {
		const struct cmd_opt *opt = cmd_find_opt(line->cmd, p, 0);

		if (opt == NULL) {
			return cmd_bad_option(line->cmd, "-", p, 1);
		}
		if (opt->value == NULL || opt->optional_value) {
			line->values[(unsigned char)opt->key] = "";
			continue;
		}
		if (p[1] != '\0') {
			line->values[(unsigned char)opt->key] = p + 1;
		} else if (*at + 1 < nr) {
			line->values[(unsigned char)opt->key] = words[++*at];
		} else {
			return cmd_error(CMD_USAGE, "option -%c needs a value: %s", opt->key,
					 opt->value);
		}
		return CMD_OK;
	}
	return CMD_OK;
}

static int cmd_parse(struct cmd_line *line, int nr, char **words)
{
	bool options = true;
	int rc;

	for (int i = 1; i < nr; i++) {
		rc = CMD_OK;
		if (options && strcmp(words[i], "--") == 0) {
			options = false;
		} else if (options && strncmp(words[i], "--", 2) == 0) {
			rc = cmd_parse_long(line, nr, words, &i);
		} else if (options && words[i][0] == '-' && words[i][1] != '\0') {
			rc = cmd_parse_short(line, nr, words, &i);
		} else if (line->nr_args < CMD_MAX_ARGS) {
			line->args[line->nr_args++] = words[i];
		}
		if (rc != CMD_OK) {
			return rc;
		}
	}
	return CMD_OK;
}

/* Values of the kind SECONDS are numbers, so that the commands need not doubt them. */
static int cmd_check_seconds(const struct cmd_line *line)
{
	for (const struct cmd_opt *o = line->cmd->opts; o != NULL && o->key != 0; o++) {
		const char *text = cmd_value(line, o->key);
		size_t digits;

		if (text == NULL || o->value == NULL || strcmp(o->value, "SECONDS") != 0) {
			continue;
		}
		digits = strspn(text, "0123456789");
		if (digits == 0 || digits > 5 || text[digits] != '\0') {
			return cmd_error(CMD_USAGE, "option --%s: '%s' is not a number of seconds",
					 o->name, text);
		}
	}
	return CMD_OK;
}

static int cmd_check_args(const struct cmd_line *line)
{
	const struct cmd *cmd = line->cmd;

	if (line->nr_args < cmd->min_args) {
		return cmd_error(CMD_USAGE, "command '%s' needs more arguments: ostler %s %s",
				 cmd->name, cmd->name, cmd->synopsis);
	}
	if (line->nr_args > cmd->max_args) {
		return cmd_error(CMD_USAGE, "unexpected data '%s' (ostler %s %s)",
				 line->args[cmd->max_args], cmd->name, cmd->synopsis);
	}
	if (cmd_has(line, 'J') && *cmd_value(line, 'J') != '\0' &&
	    strcmp(cmd_value(line, 'J'), "lines") != 0) {
		return cmd_error(CMD_USAGE, "--json=%s: accepted: lines", cmd_value(line, 'J'));
	}
	return cmd_check_seconds(line);
}

int cmd_run(int nr, char **words)
{
	struct cmd_line line = {.cmd = cmd_find(words[0])};
	int rc;

	if (line.cmd == NULL) {
		return cmd_error(CMD_USAGE, "unknown command: '%s'", words[0]);
	}
	/* Completion gets unfinished lines: they are not ours to judge. */
	if (line.cmd->run == cmd_complete_run) {
		for (int i = 1; i < nr && line.nr_args < CMD_MAX_ARGS; i++) {
			line.args[line.nr_args++] = words[i];
		}
		return line.cmd->run(&line);
	}
	rc = cmd_parse(&line, nr, words);
	if (rc == CMD_OK && cmd_has(&line, 'h')) {
		cmd_help(line.cmd);
		return CMD_OK;
	}
	if (rc == CMD_OK) {
		rc = cmd_check_args(&line);
	}
	if (rc == CMD_OK) {
		rc = line.cmd->run(&line);
	}
	if (line.st_open) {
		store_close(&line.st);
	}
	if (line.hv_open) {
		hvcall_close(&line.hv);
	}
	if (fflush(stdout) != 0 && rc == CMD_OK) {
		rc = cmd_error(CMD_ERROR, "cannot write the output: %s", strerror(errno));
	}
	return rc;
}

int cmd_connect(struct cmd_line *line)
{
	int rc;

	if (!line->hv_open) {
		rc = hvcall_open(&line->hv);
		if (rc == -ENOENT || rc == -ENODEV || rc == -ENXIO) {
			return cmd_error(CMD_ERROR, "no hypervisor is running under this system");
		}
		if (rc != 0) {
			return cmd_error(CMD_ERROR, "cannot reach the hypervisor: %s",
					 strerror(-rc));
		}
		line->hv_open = true;
	}
	if (!line->st_open) {
		rc = store_open(&line->st);
		if (rc != 0) {
			return cmd_error(CMD_ERROR, "cannot reach xenstored: %s", strerror(-rc));
		}
		line->st_open = true;
	}
	return CMD_OK;
}

int cmd_domain(struct cmd_line *line, unsigned int index, struct hvdom_info *info)
{
	const char *who = line->args[index];
	int rc = cmd_connect(line);

	if (rc != CMD_OK) {
		return rc;
	}
	rc = domain_find(&line->hv, &line->st, who, info);
	if (rc == -ESRCH) {
		return cmd_error(CMD_NO_DOMAIN, "failed to get domain '%s'", who);
	}
	if (rc != 0) {
		return cmd_error(CMD_ERROR, "cannot look up domain '%s': %s", who, strerror(-rc));
	}
	return CMD_OK;
}

static void cmd_help_option(const struct cmd_opt *opt)
{
	char left[64];
	int n = 0;

	if (opt->has_short) {
		n = snprintf(left, sizeof(left), "-%c, ", opt->key);
	}
	n += snprintf(left + n, sizeof(left) - (size_t)n, "--%s", opt->name);
	if (opt->value != NULL) {
		snprintf(left + n, sizeof(left) - (size_t)n, opt->optional_value ? "[=%s]" : " %s",
			 opt->value);
	}
	printf("  %-24s %s\n", left, opt->help);
}

void cmd_help(const struct cmd *cmd)
{
	const struct cmd_opt *table;

	printf("Usage: ostler %s [OPTION]...%s%s\n\n%s\n", cmd->name,
	       *cmd->synopsis != '\0' ? " " : "", cmd->synopsis, cmd->summary);
	if (cmd->help != NULL) {
		printf("\n%s\n", cmd->help);
	}
	if (cmd->aliases != NULL) {
		printf("\nOther spellings: %s\n", cmd->aliases);
	}
	puts("\nOptions:");
	for (unsigned int i = 0; (table = cmd_opt_table(cmd, i)) != NULL; i++) {
		for (; table->name != NULL; table++) {
			cmd_help_option(table);
		}
	}
}

void cmd_help_all(void)
{
	puts("Usage: ostler COMMAND [OPTION]... [ARGUMENT]... [';' COMMAND ...]...\n\nCommands:");
	for (size_t i = 0; i < cmd_table_size; i++) {
		const struct cmd *cmd = &cmd_table[i];
		char left[64];

		if (cmd->summary == NULL) {
			continue;
		}
		snprintf(left, sizeof(left), "%s %s", cmd->name, cmd->synopsis);
		printf("  %-30s %s\n", left, cmd->summary);
	}
	puts("\n'ostler COMMAND --help' tells more about one. A DOMAIN is an id, a name or a "
	     "UUID.\n"
	     "Exit codes: 0 done, 1 error, 2 wrong usage, 3 no such domain, 4 error in the "
	     "document,"
	     " 5 time is up.");
}
