/*
 * Domain XML -> struct guest_config: parse, walk the tree by the table of config_rules.c, check.
 * See config.h.
 */
#include "toolstack/config_rules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <libxml/parser.h>
#include <libxml/xmlerror.h>

/* A domain document is a few KiB; this bounds what a wrong file can cost. */
#define CONFIG_MAX_TEXT (1u << 20)

#define CX_NS_QEMU "http://libvirt.org/schemas/domain/qemu/1.0"
#define CX_NS_XEN  "http://libvirt.org/schemas/domain/xen/1.0"

/* Is `name` in a list of words separated by spaces? */
static bool cx_listed(const char *list, const char *name)
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

static void cx_unknown_element(struct cx *cx, const xmlNode *node, const char *parent)
{
	char accepted[2048];

	config_rule_children(parent, accepted, sizeof(accepted));
	cx_error(cx, node, NULL, "the element is not known here; accepted: %s", accepted);
}

static void cx_check_attrs(struct cx *cx, const xmlNode *node, const struct cx_rule *rule)
{
	for (const xmlAttr *a = node->properties; a != NULL; a = a->next) {
		const char *name = (const char *)a->name;

		/* Attributes of foreign namespaces are other tools' bookkeeping. */
		if (a->ns != NULL || cx_listed(rule->attrs, name) || cx_listed(rule->quiet, name)) {
			continue;
		}
		if (cx_listed(rule->noted, name)) {
			cx_warn(cx, node, name, "the attribute is accepted but has no effect");
			continue;
		}
		cx_error(cx, node, name, "the attribute is not known here; accepted: %s",
			 rule->attrs != NULL ? rule->attrs : "none");
	}
}

/* The name a rule uses: "name", or "qemu:name" and "xen:name" whatever the document's prefixes. */
static bool cx_rule_name(const xmlNode *node, char *out, size_t size)
{
	const char *uri = node->ns != NULL ? (const char *)node->ns->href : NULL;
	const char *prefix = "";

	if (uri != NULL && strcmp(uri, CX_NS_QEMU) == 0) {
		prefix = "qemu:";
	} else if (uri != NULL && strcmp(uri, CX_NS_XEN) == 0) {
		prefix = "xen:";
	} else if (uri != NULL) {
		prefix = "?:";
	}
	return snprintf(out, size, "%s%s", prefix, (const char *)node->name) < (int)size;
}

static void cx_walk(struct cx *cx, xmlNode *node);

static void cx_walk_children(struct cx *cx, xmlNode *node)
{
	for (xmlNode *child = node->children; child != NULL; child = child->next) {
		if (child->type == XML_ELEMENT_NODE) {
			cx_walk(cx, child);
		}
	}
}

/* After a device's children are read, its pointer must not catch those of the next one. */
static void cx_leave(struct cx *cx, const char *path)
{
	if (strcmp(path, "domain/devices/disk") == 0) {
		cx->disk = NULL;
	} else if (strcmp(path, "domain/devices/interface") == 0) {
		cx->nic = NULL;
	} else if (strcmp(path, "domain/devices/serial") == 0 ||
		   strcmp(path, "domain/devices/parallel") == 0 ||
		   strcmp(path, "domain/devices/console") == 0) {
		cx->chr = NULL;
	}
}

static void cx_apply_rule(struct cx *cx, xmlNode *node, const struct cx_rule *rule)
{
	switch (rule->kind) {
	case CX_USE:
		cx_check_attrs(cx, node, rule);
		if (rule->enter != NULL) {
			rule->enter(cx, node);
		}
		cx_walk_children(cx, node);
		cx_leave(cx, rule->path);
		break;
	case CX_NOTE:
		cx_warn(cx, node, NULL, "accepted but has no effect: %s", rule->why);
		break;
	case CX_QUIET:
		break;
	case CX_REJECT:
		cx_error(cx, node, NULL, "not supported: %s", rule->why);
		break;
	}
}

static void cx_walk(struct cx *cx, xmlNode *node)
{
	char name[96];
	char parent[CX_PATH_MAX];
	const struct cx_rule *rule;
	size_t len = strlen(cx->path);

	memcpy(parent, cx->path, len + 1);
	if (!cx_rule_name(node, name, sizeof(name)) || len + strlen(name) + 2 > sizeof(cx->path)) {
		cx_error(cx, node, NULL, "an element inside has a name that is too long");
		return;
	}
	snprintf(cx->path + len, sizeof(cx->path) - len, "%s%s", len != 0 ? "/" : "", name);
	rule = config_rule_find(cx->path);
	if (rule == NULL) {
		cx_unknown_element(cx, node, parent);
	} else {
		cx_apply_rule(cx, node, rule);
	}
	cx->path[len] = '\0';
}

/*
 * Hang the positions on the tree. Result: false when the two disagree (then lines alone are used).
 */
static bool cx_attach(struct cx *cx, xmlNode *node, size_t *next)
{
	for (; node != NULL; node = node->next) {
		if (node->type != XML_ELEMENT_NODE) {
			continue;
		}
		if (*next >= cx->pos.nr_elements) {
			return false;
		}
		node->_private = &cx->pos.elements[(*next)++];
		if (!cx_attach(cx, node->children, next)) {
			return false;
		}
	}
	return true;
}

static struct guest_config *config_new(const char *name)
{
	struct guest_config *cfg = calloc(1, sizeof(*cfg));

	if (cfg == NULL) {
		return NULL;
	}
	cfg->file = strdup(name);
	cfg->max_vcpus = 1;
	cfg->vcpus = 1;
	cfg->hpet = true;
	cfg->video = CONFIG_VIDEO_NONE;
	cfg->graphics.port = -1;
	cfg->on_poweroff = CONFIG_ACTION_DESTROY;
	cfg->on_reboot = CONFIG_ACTION_RESTART;
	cfg->on_crash = CONFIG_ACTION_DESTROY;
	if (cfg->file == NULL) {
		config_free(cfg);
		return NULL;
	}
	return cfg;
}

/* Random version 4 UUID for a document that has none. */
static int config_make_uuid(uint8_t uuid[16])
{
	if (getrandom(uuid, 16, 0) != 16) {
		return -errno;
	}
	uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40);
	uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
	return 0;
}

struct config_parse_state {
	struct config_diags *diags;
};

static void config_parse_error(void *arg, xmlError *error)
{
	struct config_parse_state *state = arg;
	struct config_pos pos = {
		.line = error->line > 0 ? (unsigned int)error->line : 0,
		.column = error->int2 > 0 ? (unsigned int)error->int2 : 1,
	};
	const char *text = error->message != NULL ? error->message : "not well-formed";
	size_t len = strcspn(text, "\n");

	config_diag_add(state->diags, CONFIG_ERROR, pos, NULL, "%.*s", (int)len, text);
}

/* libxml2's view of the text, or NULL with the reasons in diags. */
static xmlDoc *config_parse(const char *text, size_t len, struct config_diags *diags)
{
	const struct config_pos nowhere = {0, 0};
	struct config_parse_state state = {.diags = diags};
	xmlParserCtxt *ctxt;
	xmlDoc *doc;

	if (len > CONFIG_MAX_TEXT || memchr(text, '\0', len) != NULL) {
		config_diag_add(diags, CONFIG_ERROR, nowhere, NULL, "not a domain document: %s",
				len > CONFIG_MAX_TEXT ? "larger than 1 MiB" : "not UTF-8 text");
		return NULL;
	}
	ctxt = xmlNewParserCtxt();
	if (ctxt == NULL) {
		return NULL;
	}
	xmlSetStructuredErrorFunc(&state, config_parse_error);
	doc = xmlCtxtReadMemory(ctxt, text, (int)len, NULL, NULL,
				XML_PARSE_NONET | XML_PARSE_NOCDATA | XML_PARSE_BIG_LINES);
	xmlSetStructuredErrorFunc(NULL, NULL);
	xmlFreeParserCtxt(ctxt);
	if (doc != NULL && doc->intSubset != NULL) {
		config_diag_add(diags, CONFIG_ERROR, nowhere, NULL,
				"a document type declaration is not accepted");
		xmlFreeDoc(doc);
		return NULL;
	}
	if (doc == NULL && diags->errors == 0) {
		config_diag_add(diags, CONFIG_ERROR, nowhere, NULL, "the document is empty");
	}
	return doc;
}

/* Walk the tree into cx->cfg. */
static void config_read_doc(struct cx *cx, xmlDoc *doc, const char *text, size_t len)
{
	xmlNode *root = xmlDocGetRootElement(doc);
	size_t next = 0;

	/*
	 * Encodings whose bytes differ from ASCII would make the columns nonsense: then lines only.
	 */
	if (xmlpos_scan(text, len, &cx->pos) == 0 &&
	    (!cx_attach(cx, root, &next) || next != cx->pos.nr_elements)) {
		cx_error(cx, root, NULL, "the text is not UTF-8");
		return;
	}
	if (strcmp((const char *)root->name, "domain") != 0 || root->ns != NULL) {
		cx_error(cx, root, NULL, "the document is a <%s>, not a <domain>",
			 (const char *)root->name);
		return;
	}
	cx_walk(cx, root);
}

int config_load_text(const char *name, const char *text, size_t len, struct guest_config **out,
		     struct config_diags *diags)
{
	struct cx cx = {.diags = diags};
	const size_t errors = diags->errors;
	xmlDoc *doc;
	int rc = 0;

	*out = NULL;
	diags->file = name;
	doc = config_parse(text, len, diags);
	if (doc == NULL) {
		return -EINVAL;
	}
	cx.cfg = config_new(name);
	if (cx.cfg == NULL) {
		rc = -ENOMEM;
		goto free_doc;
	}
	config_read_doc(&cx, doc, text, len);
	if (cx.out_of_memory) {
		rc = -ENOMEM;
		goto free_cfg;
	}
	if (!cx.cfg->uuid_given) {
		rc = config_make_uuid(cx.cfg->uuid);
	}
	if (rc == 0) {
		rc = config_check(cx.cfg, diags);
	}
	if (rc == 0 && diags->errors != errors) {
		rc = -EINVAL;
	}
free_cfg:
	if (rc == 0) {
		*out = cx.cfg;
	} else {
		config_free(cx.cfg);
	}
free_doc:
	cx_finish(&cx);
	xmlFreeDoc(doc);
	return rc;
}

char *config_text_with_uuid(const char *text, size_t len, const uint8_t uuid[16], size_t *out_len)
{
	char line[CONFIG_UUID_LEN + 16];
	char uuid_text[CONFIG_UUID_LEN];
	struct xmlpos pos;
	size_t before;
	size_t line_len;
	char *out = NULL;

	if (xmlpos_scan(text, len, &pos) != 0) {
		return NULL;
	}
	if (pos.nr_elements == 0) {
		goto free_pos;
	}
	config_uuid_text(uuid, uuid_text);
	line_len = (size_t)snprintf(line, sizeof(line), "<uuid>%s</uuid>", uuid_text);
	before = (size_t)(pos.elements[0].body - text);
	out = malloc(len + line_len + 1);
	if (out == NULL) {
		goto free_pos;
	}
	memcpy(out, text, before);
	memcpy(out + before, line, line_len);
	memcpy(out + before + line_len, text + before, len - before);
	*out_len = len + line_len;
	out[*out_len] = '\0';
free_pos:
	xmlpos_free(&pos);
	return out;
}

static xmlNode *config_clock_element(xmlDoc *doc)
{
	xmlNode *root = xmlDocGetRootElement(doc);
	xmlNode *node = root != NULL ? xmlFirstElementChild(root) : NULL;

	while (node != NULL && (node->ns != NULL || strcmp((const char *)node->name, "clock") != 0)) {
		node = xmlNextElementSibling(node);
	}
	return node;
}

static bool config_set_attr(xmlNode *node, const char *name, const char *value)
{
	return xmlSetProp(node, (const xmlChar *)name, (const xmlChar *)value) != NULL;
}

char *config_text_with_adjustment(const char *text, size_t len, const struct guest_config *cfg,
				  int64_t adjustment, size_t *out_len)
{
	const char *basis = cfg->clock == CONFIG_CLOCK_LOCALTIME ? "localtime" : "utc";
	xmlDoc *doc = xmlReadMemory(text, (int)len, NULL, NULL, XML_PARSE_NONET);
	char number[24];
	xmlNode *clock;
	xmlChar *dump = NULL;
	char *out = NULL;
	int size = 0;

	if (doc == NULL) {
		return NULL;
	}
	snprintf(number, sizeof(number), "%lld", (long long)adjustment);
	clock = config_clock_element(doc);
	if (clock != NULL && config_set_attr(clock, "offset", "variable") &&
	    config_set_attr(clock, "basis", basis) &&
	    config_set_attr(clock, "adjustment", number)) {
		xmlDocDumpMemory(doc, &dump, &size);
	}
	if (dump != NULL) {
		*out_len = (size_t)size;
		out = strdup((const char *)dump);
		xmlFree(dump);
	}
	xmlFreeDoc(doc);
	return out;
}

/* The whole of a file, at most one byte more than is accepted. */
static char *config_slurp(FILE *f, size_t *len)
{
	char *text = malloc(CONFIG_MAX_TEXT + 1);

	if (text != NULL) {
		*len = fread(text, 1, CONFIG_MAX_TEXT + 1, f);
	}
	return text;
}

int config_load_file(const char *path, struct guest_config **out, struct config_diags *diags)
{
	const struct config_pos nowhere = {0, 0};
	bool is_stdin = strcmp(path, "-") == 0;
	FILE *f = is_stdin ? stdin : fopen(path, "re");
	size_t len = 0;
	char *text;
	int rc;

	*out = NULL;
	diags->file = path;
	if (f == NULL) {
		rc = -errno;
		config_diag_add(diags, CONFIG_ERROR, nowhere, NULL, "%s", strerror(-rc));
		return rc;
	}
	errno = 0;
	text = config_slurp(f, &len);
	if (text == NULL || ferror(f)) {
		rc = errno != 0 ? -errno : -EIO;
		config_diag_add(diags, CONFIG_ERROR, nowhere, NULL, "%s", strerror(-rc));
	} else {
		rc = config_load_text(path, text, len, out, diags);
	}
	free(text);
	if (!is_stdin) {
		fclose(f);
	}
	return rc;
}
