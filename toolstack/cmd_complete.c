/*
 * Completion of a command line, from the command table. See cmd.h.
 *
 * The shell's function passes the words typed so far; the last is the one to complete and may be
 * "".
 */
#include "toolstack/cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/domain.h"
#include "toolstack/lib/hvhost.h"

static void cmd_offer(const char *candidate, const char *prefix)
{
	if (strncmp(candidate, prefix, strlen(prefix)) == 0) {
		puts(candidate);
	}
}

static void cmd_offer_commands(const char *prefix)
{
	for (size_t i = 0; i < cmd_table_size; i++) {
		if (cmd_table[i].summary != NULL) {
			cmd_offer(cmd_table[i].name, prefix);
		}
	}
}

static void cmd_offer_domains(const char *prefix)
{
	struct hvdom_info *list = NULL;
	struct hvcall hv;
	struct store st;
	size_t nr = 0;

	/* Silence on every failure: a shell asks, not a person. */
	if (hvcall_open(&hv) != 0) {
		return;
	}
	if (store_open(&st) == 0) {
		if (hvhost_domains(&hv, &list, &nr) != 0) {
			nr = 0;
		}
		for (size_t i = 0; i < nr; i++) {
			char *name = domain_name(&st, list[i].domid);

			if (name != NULL && list[i].domid != 0) {
				cmd_offer(name, prefix);
			}
			free(name);
		}
		free(list);
		store_close(&st);
	}
	hvcall_close(&hv);
}

static void cmd_offer_kind(enum cmd_kind kind, const char *prefix)
{
	switch (kind) {
	case CMD_ARG_DOMAIN:
		cmd_offer_domains(prefix);
		break;
	case CMD_ARG_COMMAND:
		cmd_offer_commands(prefix);
		break;
	case CMD_ARG_FILE: /* the shell does files itself */
	case CMD_ARG_TEXT:
	case CMD_ARG_NONE:
		break;
	}
}

static void cmd_offer_options(const struct cmd *cmd, const char *prefix)
{
	char text[64];

	for (const struct cmd_opt *o = cmd->opts; o != NULL && o->name != NULL; o++) {
		snprintf(text, sizeof(text), "--%s", o->name);
		cmd_offer(text, prefix);
	}
	if (cmd->json) {
		cmd_offer("--json", prefix);
		cmd_offer("--json=lines", prefix);
	}
	cmd_offer("--help", prefix);
}

/* The option that `word` is and that wants its value in the next word, or NULL. */
static const struct cmd_opt *cmd_waiting_option(const struct cmd *cmd, const char *word)
{
	for (const struct cmd_opt *o = cmd->opts; o != NULL && o->name != NULL; o++) {
		bool is_long = strncmp(word, "--", 2) == 0 && strcmp(word + 2, o->name) == 0;
		bool is_short =
			o->has_short && word[0] == '-' && word[1] == o->key && word[2] == '\0';

		if ((is_long || is_short) && o->value != NULL && !o->optional_value) {
			return o;
		}
	}
	return NULL;
}

void cmd_complete(int nr, char **words)
{
	const char *last = nr > 0 ? words[nr - 1] : "";
	const struct cmd_opt *waiting;
	const struct cmd *cmd;
	int first = 0;

	for (int i = 0; i + 1 < nr; i++) {
		if (strcmp(words[i], ";") == 0) {
			first = i + 1;
		}
	}
	if (nr - first <= 1) {
		cmd_offer_commands(last);
		return;
	}
	cmd = cmd_find(words[first]);
	if (cmd == NULL) {
		return;
	}
	waiting = cmd_waiting_option(cmd, words[nr - 2]);
	if (waiting != NULL) {
		cmd_offer_kind(waiting->kind, last);
	} else if (*last == '-') {
		cmd_offer_options(cmd, last);
	} else {
		cmd_offer_kind(cmd->arg_kind, last);
	}
}

int cmd_complete_run(struct cmd_line *line)
{
	unsigned int skip = line->nr_args != 0 && strcmp(line->args[0], "--") == 0;

	cmd_complete((int)(line->nr_args - skip), (char **)(uintptr_t)(line->args + skip));
	return CMD_OK;
}
