/*
 * The saved document of a running guest, brought up to date. See document.h.
 */
#include "toolstack/document.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "toolstack/config.h"
#include "toolstack/lib/hvdom.h"

#define DOCUMENT_MAX (1u << 20)

static int document_read(const char *path, char **text, size_t *len)
{
	FILE *f = fopen(path, "re");
	int rc = 0;

	*text = NULL;
	if (f == NULL) {
		return -errno;
	}
	*text = malloc(DOCUMENT_MAX + 1);
	if (*text == NULL) {
		rc = -ENOMEM;
		goto close_file;
	}
	*len = fread(*text, 1, DOCUMENT_MAX, f);
	(*text)[*len] = '\0';
	if (ferror(f)) {
		rc = -EIO;
		free(*text);
		*text = NULL;
	}
close_file:
	fclose(f);
	return rc;
}

/* The seconds that a time offset can have. */
static int64_t document_clamp(int64_t seconds)
{
	if (seconds > INT32_MAX) {
		return INT32_MAX;
	}
	return seconds < INT32_MIN ? INT32_MIN : seconds;
}

/* *text becomes the newer one when the guest has set its clock. */
static int document_clock(struct hvcall *hv, uint32_t domid, const struct guest_config *cfg,
			  char **text, size_t *len, bool *changed)
{
	int64_t moved;
	char *newer;
	int rc;

	if (!cfg->clock_kept) {
		return 0;
	}
	rc = hvdom_rtc_moved(hv, domid, &moved);
	if (rc != 0 || moved == 0) {
		/* Another hypervisor does not tell: then the document is all that is known. */
		return rc == -ENOSYS ? 0 : rc;
	}
	newer = config_text_with_adjustment(*text, *len, cfg,
					    document_clamp(cfg->clock_adjustment + moved), len);
	if (newer == NULL) {
		return -ENOMEM;
	}
	free(*text);
	*text = newer;
	*changed = true;
	return 0;
}

int document_now(struct hvcall *hv, uint32_t domid, const char *path, char **text, size_t *len,
		 bool *changed)
{
	struct config_diags diags = {0};
	struct guest_config *cfg = NULL;
	bool differs = false;
	int rc = document_read(path, text, len);

	if (rc != 0) {
		return rc;
	}
	rc = config_load_text(path, *text, *len, &cfg, &diags);
	config_diags_free(&diags);
	if (rc == 0) {
		rc = document_clock(hv, domid, cfg, text, len, &differs);
	}
	config_free(cfg);
	if (rc != 0) {
		free(*text);
		*text = NULL;
	}
	if (changed != NULL) {
		*changed = differs;
	}
	return rc;
}

static int document_write(const char *path, const char *text, size_t len)
{
	char part[256];
	int rc = 0, n = snprintf(part, sizeof(part), "%s.part", path);
	FILE *f;

	if (n < 0 || (size_t)n >= sizeof(part)) {
		return -ENAMETOOLONG;
	}
	f = fopen(part, "we");
	if (f == NULL) {
		return -errno;
	}
	/* The document may hold a VNC password. */
	if (fchmod(fileno(f), 0600) != 0 || fwrite(text, 1, len, f) != len) {
		rc = errno != 0 ? -errno : -EIO;
	}
	if (fclose(f) != 0 && rc == 0) {
		rc = -errno;
	}
	if (rc == 0 && rename(part, path) != 0) {
		rc = -errno;
	}
	if (rc != 0) {
		unlink(part);
	}
	return rc;
}

int document_update(struct hvcall *hv, uint32_t domid, const char *path)
{
	bool changed;
	size_t len;
	char *text;
	int rc = document_now(hv, domid, path, &text, &len, &changed);

	if (rc != 0) {
		return rc;
	}
	if (changed) {
		rc = document_write(path, text, len);
	}
	free(text);
	return rc;
}
