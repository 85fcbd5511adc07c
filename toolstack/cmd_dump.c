/*
 * dumpxml, domblklist, domiflist and vncdisplay: what is known about a running guest's
 * configuration.
 */
#include "toolstack/cmd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/config.h"
#include "toolstack/document.h"
#include "toolstack/lib/rundir.h"
#include "toolstack/out.h"

#define DUMP_FIRST_VNC_PORT 5900

int cmd_dumpxml(struct cmd_line *line)
{
	struct hvdom_info info;
	char *path;
	char *text = NULL;
	size_t len;
	int code = cmd_domain(line, 0, &info);
	int rc = -ENOENT;

	if (code != CMD_OK) {
		return code;
	}
	path = store_readf(&line->st, RUNDIR_XS_BASE "/%u/" RUNDIR_XS_XML, info.domid);
	if (path != NULL) {
		rc = document_now(&line->hv, info.domid, path, &text, &len, NULL);
	}
	if (rc != 0) {
		code = cmd_error(CMD_ERROR, "the document of domain '%s' is not there: %s",
				 line->args[0],
				 path != NULL ? strerror(-rc) : "not created by ostler");
	} else if (fwrite(text, 1, len, stdout) != len) {
		code = cmd_error(CMD_ERROR, "cannot write: %s", strerror(errno));
	}
	free(text);
	free(path);
	return code;
}

/* The configuration of a running guest, from the document it was created from. */
static int dump_config(struct cmd_line *line, struct hvdom_info *info, struct guest_config **cfg)
{
	struct config_diags diags = {0};
	char *path;
	int code = cmd_domain(line, 0, info);
	int rc;

	*cfg = NULL;
	if (code != CMD_OK) {
		return code;
	}
	path = store_readf(&line->st, RUNDIR_XS_BASE "/%u/" RUNDIR_XS_XML, info->domid);
	rc = path != NULL ? config_load_file(path, cfg, &diags) : -ENOENT;
	if (rc != 0) {
		code = cmd_error(CMD_ERROR, "the document of domain '%s' cannot be read: %s",
				 line->args[0], strerror(-rc));
	}
	config_diags_free(&diags);
	free(path);
	return code;
}

static void dump_disks_json(const struct cmd_line *line, const struct guest_config *cfg)
{
	static const char *const devices[] = {
		[CONFIG_DISK_HARD] = "disk",
		[CONFIG_DISK_CDROM] = "cdrom",
		[CONFIG_DISK_FLOPPY] = "floppy",
	};
	struct out_json json;

	out_json_start(&json, stdout, cmd_json_mode(line));
	out_json_array(&json, NULL);
	for (unsigned int i = 0; i < cfg->nr_disks; i++) {
		const struct config_disk *d = &cfg->disks[i];

		out_json_object(&json, NULL);
		out_json_string(&json, "target", d->target);
		out_json_string(&json, "device", devices[d->device]);
		out_json_string(&json, "source", d->path);
		out_json_bool(&json, "readonly", d->readonly);
		out_json_close_object(&json);
	}
	out_json_close_array(&json);
	out_json_end(&json);
}

int cmd_domblklist(struct cmd_line *line)
{
	static const char *const header[] = {"Target", "Source"};
	char *cells[2 * CONFIG_MAX_DISKS];
	char none[] = "-";
	struct guest_config *cfg;
	struct hvdom_info info;
	int code = dump_config(line, &info, &cfg);

	if (code != CMD_OK) {
		return code;
	}
	if (cmd_has(line, 'J')) {
		dump_disks_json(line, cfg);
	} else {
		for (unsigned int i = 0; i < cfg->nr_disks; i++) {
			cells[2 * i] = cfg->disks[i].target;
			cells[2 * i + 1] = cfg->disks[i].path != NULL ? cfg->disks[i].path : none;
		}
		out_table(header, 2, cells, cfg->nr_disks);
		putchar('\n');
	}
	config_free(cfg);
	return CMD_OK;
}

/* What is shown of one network card. */
struct dump_nic {
	char interface[32];
	char mac[18];
	const char *type;
	const char *model;
};

static void dump_nic(const struct config_nic *nic, uint32_t domid, unsigned int index,
		     struct dump_nic *out)
{
	static const char *const types[] = {
		[CONFIG_NIC_USER] = "user",
		[CONFIG_NIC_BRIDGE] = "bridge",
		[CONFIG_NIC_NONE] = "none",
	};
	static const char *const models[] = {
		[CONFIG_NIC_E1000] = "e1000",       [CONFIG_NIC_E1000E] = "e1000e",
		[CONFIG_NIC_RTL8139] = "rtl8139",   [CONFIG_NIC_VIRTIO] = "virtio",
		[CONFIG_NIC_VMXNET3] = "vmxnet3",   [CONFIG_NIC_PCNET] = "pcnet",
		[CONFIG_NIC_NE2K_PCI] = "ne2k_pci",
	};
	const uint8_t *m = nic->mac;

	snprintf(out->mac, sizeof(out->mac), "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2],
		 m[3], m[4], m[5]);
	if (nic->type != CONFIG_NIC_BRIDGE) {
		snprintf(out->interface, sizeof(out->interface), "-");
	} else if (nic->target != NULL) {
		snprintf(out->interface, sizeof(out->interface), "%s", nic->target);
	} else {
		snprintf(out->interface, sizeof(out->interface), "vif%u.%u-emu", domid, index);
	}
	out->type = types[nic->type];
	out->model = models[nic->model];
}

static void dump_nics_json(const struct cmd_line *line, const struct guest_config *cfg,
			   uint32_t domid)
{
	struct out_json json;

	out_json_start(&json, stdout, cmd_json_mode(line));
	out_json_array(&json, NULL);
	for (unsigned int i = 0; i < cfg->nr_nics; i++) {
		struct dump_nic nic;

		dump_nic(&cfg->nics[i], domid, i, &nic);
		out_json_object(&json, NULL);
		out_json_string(&json, "interface", nic.interface);
		out_json_string(&json, "type", nic.type);
		out_json_string(&json, "source", cfg->nics[i].bridge);
		out_json_string(&json, "model", nic.model);
		out_json_string(&json, "mac", nic.mac);
		out_json_close_object(&json);
	}
	out_json_close_array(&json);
	out_json_end(&json);
}

int cmd_domiflist(struct cmd_line *line)
{
	static const char *const header[] = {"Interface", "Type", "Source", "Model", "MAC"};
	struct dump_nic nics[CONFIG_MAX_NICS];
	char *cells[5 * CONFIG_MAX_NICS];
	char none[] = "-";
	struct guest_config *cfg;
	struct hvdom_info info;
	int code = dump_config(line, &info, &cfg);

	if (code != CMD_OK) {
		return code;
	}
	if (cmd_has(line, 'J')) {
		dump_nics_json(line, cfg, info.domid);
	} else {
		for (unsigned int i = 0; i < cfg->nr_nics; i++) {
			char *bridge = cfg->nics[i].bridge;
			char **row = cells + 5 * (size_t)i;

			dump_nic(&cfg->nics[i], info.domid, i, &nics[i]);
			row[0] = nics[i].interface;
			row[1] = (char *)(uintptr_t)nics[i].type;
			row[2] = bridge != NULL ? bridge : none;
			row[3] = (char *)(uintptr_t)nics[i].model;
			row[4] = nics[i].mac;
		}
		out_table(header, 5, cells, cfg->nr_nics);
		putchar('\n');
	}
	config_free(cfg);
	return CMD_OK;
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
