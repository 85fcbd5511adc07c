/*
 * <serial>, <parallel> and <console> -> struct config_chardev. See config_devices.h.
 *
 * <console type=..> with a serial target repeats the serial port for tools that look for a console:
 * it makes a port only when the document has no <serial> for it.
 */
#include "toolstack/config_devices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct cx_word config_chardev_types[] = {
	{"null", CONFIG_CHR_NULL},
	{"pty", CONFIG_CHR_PTY},
	{"file", CONFIG_CHR_FILE},
	{"pipe", CONFIG_CHR_PIPE},
	{"dev", CONFIG_CHR_DEV},
	{"unix", CONFIG_CHR_UNIX},
	{"tcp", CONFIG_CHR_TCP},
	{"udp", CONFIG_CHR_UDP},
	{"stdio", CONFIG_CHR_STDIO},
	{"vc", CONFIG_CHR_VC},
	{0},
};

/* The next free port number of a list. */
static unsigned int config_chardev_next_port(const struct config_chardev *list, unsigned int nr)
{
	unsigned int port = 0;

	for (unsigned int i = 0; i < nr; i++) {
		port = list[i].port >= port ? list[i].port + 1 : port;
	}
	return port;
}

static void config_chardev_new(struct cx *cx, xmlNode *node, struct config_chardev *list,
			       unsigned int *nr)
{
	int type = CONFIG_CHR_PTY;

	if (*nr == CONFIG_MAX_CHARDEVS) {
		cx_error(cx, node, NULL, "more than %d ports", CONFIG_MAX_CHARDEVS);
		return;
	}
	cx_enum(cx, node, "type", config_chardev_types, &type);
	cx->chr = &list[*nr];
	cx->chr->port = config_chardev_next_port(list, *nr);
	cx->chr->pos = cx_where(cx, node, NULL);
	cx->chr->type = (enum config_chardev_type)type;
	(*nr)++;
}

void config_dev_serial(struct cx *cx, xmlNode *node)
{
	config_chardev_new(cx, node, cx->cfg->serials, &cx->cfg->nr_serials);
}

void config_dev_parallel(struct cx *cx, xmlNode *node)
{
	config_chardev_new(cx, node, cx->cfg->parallels, &cx->cfg->nr_parallels);
}

/* The child element of that name, or NULL. */
static const xmlNode *config_chardev_child(const xmlNode *node, const char *name)
{
	for (const xmlNode *c = node->children; c != NULL; c = c->next) {
		if (c->type == XML_ELEMENT_NODE && strcmp((const char *)c->name, name) == 0) {
			return c;
		}
	}
	return NULL;
}

/* Does the document have a <serial> anywhere? Its order with <console> is free. */
static bool config_chardev_has_serial(const xmlNode *console)
{
	return config_chardev_child(console->parent, "serial") != NULL;
}

void config_dev_console(struct cx *cx, xmlNode *node)
{
	enum { SERIAL, XEN, OTHER };
	static const struct cx_word types[] = {
		{"serial", SERIAL},
		{"xen", XEN},
		{"virtio", OTHER},
		{0},
	};
	const xmlNode *target = config_chardev_child(node, "target");
	int type = SERIAL;

	cx->chr = NULL;
	if (target != NULL && !cx_enum(cx, target, "type", types, &type)) {
		return;
	}
	if (type == OTHER) {
		cx_warn(cx, node, NULL, "accepted but has no effect: there is no virtio console");
		return;
	}
	/* The paravirtual console ring is part of every guest. */
	if (type == XEN || config_chardev_has_serial(node) || cx->cfg->nr_serials != 0) {
		return;
	}
	config_chardev_new(cx, node, cx->cfg->serials, &cx->cfg->nr_serials);
}

/* UDP names two ends with two elements; everything else has one. */
static void config_chardev_address(struct cx *cx, xmlNode *node, bool bind)
{
	struct config_chardev *chr = cx->chr;
	const char *host = cx_attr(cx, node, "host");
	const char *service = cx_attr_needed(cx, node, "service");
	char *end;

	if (service == NULL) {
		return;
	}
	if (strtoul(service, &end, 10) - 1 > 65534 || *end != '\0') {
		cx_error(cx, node, "service", "'%s' is not a port number", service);
		return;
	}
	if (chr->type == CONFIG_CHR_UDP && bind) {
		cx_keep(cx, &chr->local_host, host);
		cx_keep(cx, &chr->local_service, service);
	} else {
		cx_keep(cx, &chr->host, host);
		cx_keep(cx, &chr->service, service);
		chr->listen = bind;
	}
}

void config_dev_chr_source(struct cx *cx, xmlNode *node)
{
	static const struct cx_word modes[] = {{"bind", 1}, {"connect", 0}, {0}};
	struct config_chardev *chr = cx->chr;
	int bind = 0;

	if (chr == NULL || !cx_enum(cx, node, "mode", modes, &bind)) {
		return;
	}
	switch (chr->type) {
	case CONFIG_CHR_TCP:
	case CONFIG_CHR_UDP:
		config_chardev_address(cx, node, bind != 0);
		break;
	case CONFIG_CHR_UNIX:
	case CONFIG_CHR_FILE:
	case CONFIG_CHR_PIPE:
	case CONFIG_CHR_DEV:
		cx_keep(cx, &chr->path, cx_attr_needed(cx, node, "path"));
		cx_bool(cx, node, "append", &chr->append);
		chr->listen = bind != 0;
		break;
	case CONFIG_CHR_NULL:
	case CONFIG_CHR_PTY: /* the path is the one of last time */
	case CONFIG_CHR_STDIO:
	case CONFIG_CHR_VC:
		break;
	}
}

void config_dev_chr_target(struct cx *cx, xmlNode *node)
{
	static const struct cx_word types[] = {
		{"isa-serial", 0}, {"serial", 0}, {"xen", 0}, {"virtio", 0}, {0},
	};
	int64_t port;
	int type;

	if (cx->chr == NULL) {
		return;
	}
	port = cx->chr->port;
	cx_enum(cx, node, "type", types, &type);
	if (cx_number(cx, node, "port", 0, CONFIG_MAX_CHARDEVS - 1, &port)) {
		cx->chr->port = (unsigned int)port;
	}
}

void config_dev_chr_protocol(struct cx *cx, xmlNode *node)
{
	static const struct cx_word types[] = {{"raw", 0}, {"telnet", 1}, {0}};
	int telnet = 0;

	if (cx->chr != NULL && cx_enum(cx, node, "type", types, &telnet)) {
		cx->chr->telnet = telnet != 0;
	}
}
