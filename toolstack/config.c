/*
 * Life of a guest_config and its messages: release, diagnostics, uuid text. See config.h.
 */
#include "toolstack/config.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* A document that is wrong everywhere need not be described everywhere. */
#define CONFIG_MAX_DIAGS 200

static void config_free_chardevs(struct config_chardev *list, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		free(list[i].path);
		free(list[i].host);
		free(list[i].service);
		free(list[i].local_host);
		free(list[i].local_service);
	}
}

static void config_free_devices(struct guest_config *cfg)
{
	for (unsigned int i = 0; i < cfg->nr_disks; i++) {
		free(cfg->disks[i].target);
		free(cfg->disks[i].path);
		free(cfg->disks[i].serial);
	}
	for (unsigned int i = 0; i < cfg->nr_nics; i++) {
		free(cfg->nics[i].bridge);
		free(cfg->nics[i].script);
		free(cfg->nics[i].target);
	}
	config_free_chardevs(cfg->serials, cfg->nr_serials);
	config_free_chardevs(cfg->parallels, cfg->nr_parallels);
	free(cfg->graphics.listen);
	free(cfg->graphics.socket);
	if (cfg->graphics.passwd != NULL) {
		explicit_bzero(cfg->graphics.passwd, strlen(cfg->graphics.passwd));
	}
	free(cfg->graphics.passwd);
	free(cfg->graphics.keymap);
}

void config_free(struct guest_config *cfg)
{
	if (cfg == NULL) {
		return;
	}
	config_free_devices(cfg);
	for (unsigned int i = 0; i < cfg->nr_qemu_args; i++) {
		free(cfg->qemu_args[i]);
	}
	for (unsigned int i = 0; i < cfg->nr_cpu_features; i++) {
		free(cfg->cpu_features[i].name);
	}
	free(cfg->cpu_model);
	free(cfg->file);
	free(cfg->name);
	free(cfg->title);
	free(cfg->description);
	free(cfg->loader);
	free(cfg->kernel);
	free(cfg->initrd);
	free(cfg->cmdline);
	free(cfg->emulator);
	free(cfg);
}

static void config_diag_vadd(struct config_diags *diags, enum config_severity severity,
			     struct config_pos pos, const char *path, const char *fmt, va_list args)
{
	struct config_diag *grown;
	struct config_diag diag = {.severity = severity, .pos = pos};

	if (severity == CONFIG_ERROR) {
		diags->errors++;
	}
	if (diags->nr >= CONFIG_MAX_DIAGS) {
		return;
	}
	grown = reallocarray(diags->list, diags->nr + 1, sizeof(*grown));
	if (grown == NULL) {
		return;
	}
	diags->list = grown;
	if (vasprintf(&diag.text, fmt, args) < 0) {
		diag.text = NULL;
	}
	diag.path = path != NULL ? strdup(path) : NULL;
	grown[diags->nr++] = diag;
}

void config_diag_add(struct config_diags *diags, enum config_severity severity,
		     struct config_pos pos, const char *path, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	config_diag_vadd(diags, severity, pos, path, fmt, args);
	va_end(args);
}

void config_diags_print(const struct config_diags *diags, enum config_severity least, FILE *to)
{
	static const char *const names[] = {
		[CONFIG_NOTE] = "note",
		[CONFIG_WARNING] = "warning",
		[CONFIG_ERROR] = "error",
	};

	for (size_t i = 0; i < diags->nr; i++) {
		const struct config_diag *d = &diags->list[i];

		if (d->severity < least) {
			continue;
		}
		fprintf(to, "%s:", diags->file != NULL ? diags->file : "-");
		if (d->pos.line != 0) {
			fprintf(to, "%u:%u:", d->pos.line, d->pos.column);
		}
		fprintf(to, " %s: ", names[d->severity]);
		if (d->path != NULL) {
			fprintf(to, "%s: ", d->path);
		}
		fprintf(to, "%s\n", d->text != NULL ? d->text : "(out of memory)");
	}
}

void config_diags_free(struct config_diags *diags)
{
	for (size_t i = 0; i < diags->nr; i++) {
		free(diags->list[i].path);
		free(diags->list[i].text);
	}
	free(diags->list);
	diags->list = NULL;
	diags->nr = 0;
	diags->errors = 0;
}

void config_uuid_text(const uint8_t uuid[16], char text[CONFIG_UUID_LEN])
{
	size_t at = 0;

	for (unsigned int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10) {
			text[at++] = '-';
		}
		at += (size_t)snprintf(text + at, CONFIG_UUID_LEN - at, "%02x", uuid[i]);
	}
}

static int config_hex(char c)
{
	if (!isxdigit((unsigned char)c)) {
		return -1;
	}
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

int config_uuid_parse(const char *text, uint8_t uuid[16])
{
	unsigned int digits = 0;

	for (; *text != '\0'; text++) {
		int value = config_hex(*text);

		if (*text == '-' && digits != 0 && digits % 2 == 0) {
			continue;
		}
		if (value < 0 || digits >= 32) {
			return -EINVAL;
		}
		if (digits % 2 == 0) {
			uuid[digits / 2] = (uint8_t)(value << 4);
		} else {
			uuid[digits / 2] |= (uint8_t)value;
		}
		digits++;
	}
	return digits == 32 ? 0 : -EINVAL;
}
