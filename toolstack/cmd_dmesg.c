/*
 * dmesg and debug-keys: the hypervisor's own console.
 */
#include "toolstack/cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/lib/hvhost.h"
#include "toolstack/out.h"

/* Guests can get text into the ring: nothing but text may reach the terminal. */
static void dmesg_clean(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c < 0x20 && c != '\n' && c != '\t') || c >= 0x7f) {
			text[i] = c == '\r' ? ' ' : '?';
		}
	}
}

/* One object per line of the log. */
static void dmesg_json(const struct cmd_line *line, char *text)
{
	struct out_json json;
	uint64_t number = 0;
	char *save = NULL;

	out_json_start(&json, stdout,
		       strcmp(cmd_value(line, 'J'), "lines") == 0 ? OUT_JSON_LINES
								  : OUT_JSON_PRETTY);
	out_json_array(&json, NULL);
	for (char *l = strtok_r(text, "\n", &save); l != NULL; l = strtok_r(NULL, "\n", &save)) {
		out_json_object(&json, NULL);
		out_json_number(&json, "line", ++number);
		out_json_string(&json, "text", l);
		out_json_close_object(&json);
	}
	out_json_close_array(&json);
	out_json_end(&json);
}

int cmd_dmesg(struct cmd_line *line)
{
	char *text;
	size_t len;
	int rc = cmd_connect(line);

	if (rc != CMD_OK) {
		return rc;
	}
	rc = hvhost_console(&line->hv, cmd_has(line, 'c'), &text, &len);
	if (rc != 0) {
		return cmd_error(CMD_ERROR, "cannot read the hypervisor's messages: %s",
				 strerror(-rc));
	}
	dmesg_clean(text, len);
	if (cmd_has(line, 'J')) {
		dmesg_json(line, text);
	} else {
		fwrite(text, 1, len, stdout);
	}
	free(text);
	return CMD_OK;
}

int cmd_debug_keys(struct cmd_line *line)
{
	int rc = cmd_connect(line);

	if (rc != CMD_OK) {
		return rc;
	}
	rc = hvhost_debug_keys(&line->hv, line->args[0]);
	return rc == 0 ? CMD_OK : cmd_error(CMD_ERROR, "the hypervisor refuses: %s", strerror(-rc));
}
