/*
 * send-key and qemu-monitor-command: a guest's keyboard, and its QEMU's monitor.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "toolstack/monitor.h"

#define KEYS_NAP_MS 20

/* A character that is not its own key name on a US keyboard. */
struct keys_symbol {
	char c;
	const char *key;
};

static const struct keys_symbol keys_symbols[] = {
	{' ', "spc"},
	{'\n', "ret"},
	{'\t', "tab"},
	{'-', "minus"},
	{'_', "shift-minus"},
	{'=', "equal"},
	{'+', "shift-equal"},
	{'.', "dot"},
	{',', "comma"},
	{'/', "slash"},
	{'?', "shift-slash"},
	{'\\', "backslash"},
	{'|', "shift-backslash"},
	{';', "semicolon"},
	{':', "shift-semicolon"},
	{'\'', "apostrophe"},
	{'"', "shift-apostrophe"},
	{'[', "bracket_left"},
	{']', "bracket_right"},
	{'{', "shift-bracket_left"},
	{'}', "shift-bracket_right"},
	{'`', "grave_accent"},
	{'~', "shift-grave_accent"},
	{'<', "shift-comma"},
	{'>', "shift-dot"},
	{'!', "shift-1"},
	{'@', "shift-2"},
	{'#', "shift-3"},
	{'$', "shift-4"},
	{'%', "shift-5"},
	{'^', "shift-6"},
	{'&', "shift-7"},
	{'*', "shift-8"},
	{'(', "shift-9"},
	{')', "shift-0"},
};

/* The monitor's name of the key that types `c`. False: no key does. */
static bool keys_of_char(char c, char *out, size_t size)
{
	if (islower((unsigned char)c) || isdigit((unsigned char)c)) {
		snprintf(out, size, "%c", c);
		return true;
	}
	if (isupper((unsigned char)c)) {
		snprintf(out, size, "shift-%c", tolower((unsigned char)c));
		return true;
	}
	for (size_t i = 0; i < sizeof(keys_symbols) / sizeof(keys_symbols[0]); i++) {
		if (keys_symbols[i].c == c) {
			snprintf(out, size, "%s", keys_symbols[i].key);
			return true;
		}
	}
	return false;
}

/* Only what key names are made of: the rest of a monitor command is not the caller's to write. */
static bool keys_valid(const char *key)
{
	return *key != '\0' && strlen(key) < 64 &&
	       strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_-") == strlen(key);
}

static int keys_press(struct cmd_line *line, struct qmp *qmp, const char *key)
{
	const struct timespec nap = {.tv_nsec = KEYS_NAP_MS * 1000 * 1000};
	char command[96];
	char *answer = NULL;
	int code = CMD_OK;
	int rc;

	snprintf(command, sizeof(command), "sendkey %s", key);
	rc = monitor_human(qmp, command, &answer);
	if (rc != 0) {
		return monitor_error(line, qmp, rc);
	}
	/* The human monitor reports errors as text. */
	if (*answer != '\0') {
		code = cmd_error(CMD_ERROR, "key '%s': %.*s", key, (int)strcspn(answer, "\r\n"),
				 answer);
	}
	free(answer);
	nanosleep(&nap, NULL);
	return code;
}

static int keys_type(struct cmd_line *line, struct qmp *qmp, const char *text)
{
	char key[32];
	int code = CMD_OK;

	for (const char *p = text; *p != '\0' && code == CMD_OK; p++) {
		if (!keys_of_char(*p, key, sizeof(key))) {
			return cmd_error(CMD_USAGE, "no key types the character 0x%02x",
					 (unsigned char)*p);
		}
		code = keys_press(line, qmp, key);
	}
	return code;
}

int cmd_send_key(struct cmd_line *line)
{
	struct hvdom_info info;
	struct qmp qmp;
	int code;

	for (unsigned int i = 1; i < line->nr_args; i++) {
		if (!keys_valid(line->args[i])) {
			return cmd_error(CMD_USAGE,
					 "'%s' is not a key, like ret or ctrl-alt-delete",
					 line->args[i]);
		}
	}
	if (line->nr_args == 1 && !cmd_has(line, 'x')) {
		return cmd_error(CMD_USAGE, "which keys? (or --text TEXT)");
	}
	code = monitor_open(line, &info, &qmp);
	if (code != CMD_OK) {
		return code;
	}
	if (cmd_has(line, 'x')) {
		code = keys_type(line, &qmp, cmd_value(line, 'x'));
	}
	for (unsigned int i = 1; i < line->nr_args && code == CMD_OK; i++) {
		code = keys_press(line, &qmp, line->args[i]);
	}
	qmp_close(&qmp);
	return code;
}

/* Text from QEMU for the terminal: nothing but text. */
static void keys_print_clean(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
		if (*p == '\n' || *p == '\t' || (*p >= 0x20 && *p < 0x7f)) {
			putchar(*p);
		} else if (*p != '\r') {
			putchar('?');
		}
	}
}

int cmd_monitor(struct cmd_line *line)
{
	char command[1024] = "";
	struct hvdom_info info;
	struct qmp qmp;
	char *answer = NULL;
	size_t at = 0;
	int code;
	int rc;

	for (unsigned int i = 1; i < line->nr_args; i++) {
		size_t n = strlen(line->args[i]);

		if (at + n + 2 > sizeof(command)) {
			return cmd_error(CMD_USAGE, "the command is too long");
		}
		at += (size_t)snprintf(command + at, sizeof(command) - at, "%s%s", i > 1 ? " " : "",
				       line->args[i]);
	}
	code = monitor_open(line, &info, &qmp);
	if (code != CMD_OK) {
		return code;
	}
	rc = monitor_human(&qmp, command, &answer);
	if (rc != 0) {
		code = monitor_error(line, &qmp, rc);
	} else {
		keys_print_clean(answer);
		free(answer);
	}
	qmp_close(&qmp);
	return code;
}
