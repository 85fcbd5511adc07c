/*
 * create and validate: from an XML document to a running guest, or to a list of complaints.
 */
#include "toolstack/cmd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "toolstack/build.h"
#include "toolstack/config.h"
#include "toolstack/domain.h"
#include "toolstack/lib/hvhost.h"
#include "toolstack/out.h"

#define CREATE_DM_TIMEOUT_S 60
#define CREATE_MAX_XML      (1u << 20)

/* The document's text: it is parsed, and saved for restarts, from the same bytes. */
static char *create_read(const char *path, size_t *len)
{
	bool is_stdin = strcmp(path, "-") == 0;
	FILE *f = is_stdin ? stdin : fopen(path, "re");
	char *text;

	if (f == NULL) {
		return NULL;
	}
	text = malloc(CREATE_MAX_XML + 1);
	errno = 0;
	if (text != NULL) {
		*len = fread(text, 1, CREATE_MAX_XML + 1, f);
		if (ferror(f)) {
			free(text);
			text = NULL;
		}
	}
	if (!is_stdin) {
		int saved = errno;

		fclose(f);
		errno = saved;
	}
	return text;
}

/* Files that the document names and that must be there before anything is started. */
static void create_check_files(const struct guest_config *cfg, struct config_diags *diags)
{
	struct {
		const char *path;
		struct config_pos pos;
		const char *element;
		int mode;
	} files[] = {
		{cfg->emulator, cfg->where.emulator, "domain/devices/emulator", X_OK},
		{cfg->loader, cfg->where.loader, "domain/os/loader", R_OK},
		{cfg->kernel, cfg->where.kernel, "domain/os/kernel", R_OK},
		{cfg->initrd, cfg->where.initrd, "domain/os/initrd", R_OK},
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (files[i].path != NULL && access(files[i].path, files[i].mode) != 0) {
			config_diag_add(diags, CONFIG_ERROR, files[i].pos, files[i].element,
					"'%s': %s", files[i].path, strerror(errno));
		}
	}
	for (unsigned int i = 0; i < cfg->nr_disks; i++) {
		const struct config_disk *d = &cfg->disks[i];

		if (d->path != NULL && access(d->path, d->readonly ? R_OK : R_OK | W_OK) != 0) {
			config_diag_add(diags, CONFIG_ERROR, d->pos, "domain/devices/disk/source",
					"'%s': %s", d->path, strerror(errno));
		}
	}
}

static int create_load(const struct cmd_line *line, const char *text, size_t len,
		       struct guest_config **cfg)
{
	struct config_diags diags = {0};
	const char *uuid = cmd_value(line, 'u');
	int code = CMD_OK;
	int rc = config_load_text(line->args[0], text, len, cfg, &diags);

	if (rc == 0 && uuid != NULL && !(*cfg)->uuid_given) {
		if (config_uuid_parse(uuid, (*cfg)->uuid) != 0) {
			code = cmd_error(CMD_USAGE, "--uuid: '%s' is not a UUID", uuid);
		}
	}
	if (rc == 0) {
		create_check_files(*cfg, &diags);
	}
	config_diags_print(&diags, cmd_has(line, 'q') ? CONFIG_ERROR : CONFIG_WARNING, stderr);
	if (rc != 0 || diags.errors != 0) {
		code = CMD_CONFIG;
	}
	if (rc != 0 && diags.errors == 0) {
		code = cmd_error(CMD_ERROR, "%s: %s", line->args[0], strerror(-rc));
	}
	config_diags_free(&diags);
	if (code != CMD_OK) {
		config_free(*cfg);
		*cfg = NULL;
	}
	return code;
}

/* The document that is saved, and read again by the supervisor and for restarts, names the UUID. */
static int create_pin_uuid(const struct guest_config *cfg, char **text, size_t *len)
{
	char *pinned;

	if (cfg->uuid_given) {
		return CMD_OK;
	}
	pinned = config_text_with_uuid(*text, *len, cfg->uuid, len);
	if (pinned == NULL) {
		return cmd_error(CMD_ERROR, "out of memory");
	}
	free(*text);
	*text = pinned;
	return CMD_OK;
}

/* Two guests of one name, or of one UUID, would share disks and xenstore nodes. */
static int create_check_unique(struct cmd_line *line, const struct guest_config *cfg)
{
	char uuid[CONFIG_UUID_LEN];
	struct hvdom_info *list;
	int code = CMD_OK;
	size_t nr;
	int rc = hvhost_domains(&line->hv, &list, &nr);

	if (rc != 0) {
		return cmd_error(CMD_ERROR, "cannot list the domains: %s", strerror(-rc));
	}
	config_uuid_text(cfg->uuid, uuid);
	for (size_t i = 0; i < nr && code == CMD_OK; i++) {
		char *name = domain_name(&line->st, list[i].domid);
		bool ended = list[i].dying || list[i].shutdown;

		if (name != NULL && strcmp(name, cfg->name) == 0 && !list[i].dying) {
			code = cmd_error(CMD_ERROR, "domain '%s' already exists with id %u", name,
					 list[i].domid);
		} else if (!ended && memcmp(list[i].uuid, cfg->uuid, 16) == 0) {
			code = cmd_error(CMD_ERROR, "domain '%s' already has uuid %s", name, uuid);
		}
		free(name);
	}
	free(list);
	return code;
}

static void create_progress(void *arg, unsigned int step, unsigned int steps, const char *what)
{
	out_progress(step, steps, what);
}

static int create_timeout_ms(const struct cmd_line *line)
{
	const char *text = cmd_value(line, 't');
	int seconds = text != NULL ? atoi(text) : CREATE_DM_TIMEOUT_S;

	return (seconds > 0 ? seconds : CREATE_DM_TIMEOUT_S) * 1000;
}

static int create_build(struct cmd_line *line, const struct guest_config *cfg, const char *text,
			size_t len)
{
	bool quiet = cmd_has(line, 'q');
	struct build build = {
		.hv = &line->hv,
		.st = &line->st,
		.cfg = cfg,
		.opts =
			{
				.xml_text = text,
				.xml_len = len,
				.no_device_model = cmd_has(line, 'D'),
				.paused = cmd_has(line, 'p'),
				.dm_timeout_ms = create_timeout_ms(line),
				.progress = quiet ? NULL : create_progress,
			},
	};
	int rc = build_guest(&build);

	if (!quiet) {
		out_progress_end();
	}
	if (rc != 0) {
		cmd_error(CMD_ERROR, "Failed to create domain from %s", line->args[0]);
		return cmd_error(rc == -ETIMEDOUT ? CMD_TIMEOUT : CMD_ERROR, "%s", build.error);
	}
	if (!quiet) {
		printf("Domain '%s' created from %s\n\n", cfg->name, line->args[0]);
	}
	return CMD_OK;
}

int cmd_create(struct cmd_line *line)
{
	struct guest_config *cfg = NULL;
	size_t len = 0;
	char *text = create_read(line->args[0], &len);
	int code;

	if (text == NULL) {
		return cmd_error(CMD_CONFIG, "%s: %s", line->args[0], strerror(errno));
	}
	code = create_load(line, text, len, &cfg);
	if (code == CMD_OK && cmd_has(line, 'n')) {
		printf("%s: the document of domain '%s' is correct\n", line->args[0], cfg->name);
		goto done;
	}
	if (code == CMD_OK) {
		code = cmd_connect(line);
	}
	if (code == CMD_OK) {
		code = create_check_unique(line, cfg);
	}
	if (code == CMD_OK) {
		code = create_pin_uuid(cfg, &text, &len);
	}
	if (code == CMD_OK) {
		code = create_build(line, cfg, text, len);
	}
	if (code == CMD_OK && cmd_has(line, 'c')) {
		line->args[0] = cfg->name;
		code = cmd_console(line);
	}
done:
	config_free(cfg);
	free(text);
	return code;
}

static const char *create_severity_name(enum config_severity severity)
{
	if (severity == CONFIG_ERROR) {
		return "error";
	}
	return severity == CONFIG_WARNING ? "warning" : "note";
}

static void create_validate_json(struct out_json *json, const char *path, bool valid,
				 const struct config_diags *diags)
{
	out_json_object(json, NULL);
	out_json_string(json, "file", path);
	out_json_bool(json, "valid", valid);
	out_json_array(json, "messages");
	for (size_t i = 0; i < diags->nr; i++) {
		const struct config_diag *d = &diags->list[i];

		out_json_object(json, NULL);
		out_json_string(json, "severity", create_severity_name(d->severity));
		out_json_number(json, "line", d->pos.line);
		out_json_number(json, "column", d->pos.column);
		out_json_string(json, "path", d->path);
		out_json_string(json, "message", d->text);
		out_json_close_object(json);
	}
	out_json_close_array(json);
	out_json_close_object(json);
}

int cmd_validate(struct cmd_line *line)
{
	enum out_json_mode mode = OUT_JSON_OFF;
	struct out_json json;
	int code = CMD_OK;

	if (cmd_has(line, 'J')) {
		mode = strcmp(cmd_value(line, 'J'), "lines") == 0 ? OUT_JSON_LINES
								  : OUT_JSON_PRETTY;
		out_json_start(&json, stdout, mode);
		out_json_array(&json, NULL);
	}
	for (unsigned int i = 0; i < line->nr_args; i++) {
		struct config_diags diags = {0};
		struct guest_config *cfg;
		int rc = config_load_file(line->args[i], &cfg, &diags);

		if (mode != OUT_JSON_OFF) {
			create_validate_json(&json, line->args[i], rc == 0, &diags);
		} else {
			config_diags_print(&diags, CONFIG_NOTE, stderr);
			printf("%s %s\n", line->args[i],
			       rc == 0 ? "validates" : "fails to validate");
		}
		if (rc != 0) {
			code = CMD_CONFIG;
		}
		config_diags_free(&diags);
		config_free(cfg);
	}
	if (mode != OUT_JSON_OFF) {
		out_json_close_array(&json);
		out_json_end(&json);
	}
	return code;
}
