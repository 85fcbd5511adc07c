/*
 * dumpxml and vncdisplay: what is known about a running guest's configuration.
 */
#include "toolstack/cmd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/lib/rundir.h"
#include "toolstack/out.h"

#define DUMP_FIRST_VNC_PORT 5900

int cmd_dumpxml(struct cmd_line *line)
{
	struct hvdom_info info;
	char buf[4096];
	char *path;
	size_t n;
	FILE *f;
	int code = cmd_domain(line, 0, &info);

	if (code != CMD_OK) {
		return code;
	}
	path = store_readf(&line->st, RUNDIR_XS_BASE "/%u/" RUNDIR_XS_XML, info.domid);
	f = path != NULL ? fopen(path, "re") : NULL;
	if (f == NULL) {
		code = cmd_error(CMD_ERROR, "the document of domain '%s' is not there: %s",
				 line->args[0],
				 path != NULL ? strerror(errno) : "not created by ostler");
		free(path);
		return code;
	}
	while ((n = fread(buf, 1, sizeof(buf), f)) != 0) {
		fwrite(buf, 1, n, stdout);
	}
	if (ferror(f)) {
		code = cmd_error(CMD_ERROR, "cannot read %s: %s", path, strerror(errno));
	}
	fclose(f);
	free(path);
	return code;
}

static void dump_vnc(const struct cmd_line *line, const char *listen, const char *port,
		     const char *socket)
{
	struct out_json json;

	if (cmd_has(line, 'J')) {
		out_json_start(&json, stdout, OUT_JSON_LINES);
		out_json_object(&json, NULL);
		out_json_string(&json, "socket", socket);
		out_json_string(&json, "listen", listen);
		if (port != NULL) {
			out_json_number(&json, "port", strtoul(port, NULL, 10));
		}
		out_json_close_object(&json);
	} else if (socket != NULL) {
		printf("unix:%s\n\n", socket);
	} else {
		printf("%s:%ld\n\n", listen != NULL ? listen : "",
		       strtol(port, NULL, 10) - DUMP_FIRST_VNC_PORT);
	}
}

int cmd_vncdisplay(struct cmd_line *line)
{
	struct hvdom_info info;
	char *listen;
	char *socket;
	char *port;
	int code = cmd_domain(line, 0, &info);

	if (code != CMD_OK) {
		return code;
	}
	listen = store_readf(&line->st, "/local/domain/%u/console/vnc-listen", info.domid);
	port = store_readf(&line->st, "/local/domain/%u/console/vnc-port", info.domid);
	socket = store_readf(&line->st, "/local/domain/%u/console/vnc-socket", info.domid);
	if (port == NULL && socket == NULL) {
		code = cmd_error(CMD_ERROR, "domain '%s' has no VNC display", line->args[0]);
	} else {
		dump_vnc(line, listen, port, socket);
	}
	free(listen);
	free(port);
	free(socket);
	return code;
}
