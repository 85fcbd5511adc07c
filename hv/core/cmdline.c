/* The command line: one table of options. Parsed once at start-up by the boot CPU. */
#include "core/cmdline.h"
#include "core/log.h"
#include "lib/mem.h"
#include "lib/util.h"

struct cmdline cmdline = { .console = "com1,vga", .loglevel = LOG_INFO };

enum option_type { OPT_TEXT, OPT_SIZE, OPT_NUMBER, OPT_LEVEL, OPT_BOOL };

struct option {
	const char *name;
	enum option_type type;
	void *value;
	const char *help;
};

static const struct option options[] = {
	{ "console", OPT_TEXT, cmdline.console, "com1, com2, vga or none; a comma list" },
	{ "dom0_mem", OPT_SIZE, &cmdline.dom0_mem, "Dom0's memory: SIZE[K|M|G]; default half of all, at most 1G" },
	{ "dom0_max_vcpus", OPT_NUMBER, &cmdline.dom0_max_vcpus, "Dom0's virtual CPUs; default one per CPU" },
	{ "max_cpus", OPT_NUMBER, &cmdline.max_cpus, "use at most this many CPUs" },
	{ "loglevel", OPT_LEVEL, &cmdline.loglevel, "err, warn, info or debug" },
	{ "noreboot", OPT_BOOL, &cmdline.noreboot, "stay halted after a panic" },
	{ "no_tpr_shadow", OPT_BOOL, &cmdline.no_tpr_shadow, "Intel: do not use the processor's TPR shadow" },
	{ "apic_registers", OPT_BOOL, &cmdline.apic_registers,
	  "Intel: let the processor answer a guest's reads of x2APIC registers, where it can" },
	{ "virtual_intr", OPT_BOOL, &cmdline.virtual_intr,
	  "Intel: let the processor deliver the interrupts of guests in x2APIC mode, where it can" },
	{ "selftest", OPT_BOOL, &cmdline.selftest, "run the self tests at start-up" },
	{ "panic", OPT_TEXT, cmdline.panic, "die at the end of start-up: 1 (panic), write (to code), lock (order)" },
};

static bool set_size(uint64_t *out, const char *text)
{
	const char *end;
	unsigned int shift = 20;        /* a bare number: MiB */

	if (!str_to_u64(text, &end, out)) {
		return false;
	}
	switch (*end | 0x20) {
	case 'b':
		shift = 0;
		end++;
		break;
	case 'k':
		shift = 10;
		end++;
		break;
	case 'm':
		end++;
		break;
	case 'g':
		shift = 30;
		end++;
		break;
	default:
		break;
	}
	if (*end || *out > UINT64_MAX >> shift) {
		return false;
	}
	*out <<= shift;
	return true;
}

static bool set_number(uint32_t *out, const char *text)
{
	const char *end;
	uint64_t v;

	if (!str_to_u64(text, &end, &v) || *end || v > UINT32_MAX) {
		return false;
	}
	*out = (uint32_t)v;
	return true;
}

static bool set_level(uint8_t *out, const char *text)
{
	static const char *const names[] = { "err", "warn", "info", "debug" };

	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(text, names[i]) == 0) {
			*out = (uint8_t)i;
			return true;
		}
	}
	return false;
}

static bool set_bool(bool *out, const char *text)
{
	if (!*text || strcmp(text, "1") == 0 || strcmp(text, "yes") == 0) {
		*out = true;
		return true;
	}
	*out = false;
	return strcmp(text, "0") == 0 || strcmp(text, "no") == 0;
}

static bool set_option(const struct option *o, const char *text)
{
	switch (o->type) {
	case OPT_TEXT:
		return str_copy(o->value, text, sizeof(cmdline.console));
	case OPT_SIZE:
		return set_size(o->value, text);
	case OPT_NUMBER:
		return set_number(o->value, text);
	case OPT_LEVEL:
		return set_level(o->value, text);
	case OPT_BOOL:
		return set_bool(o->value, text);
	}
	return false;
}

static void parse_word(const char *word)
{
	const char *eq = strchr(word, '=');
	size_t n = eq ? (size_t)(eq - word) : strlen(word);

	for (unsigned int i = 0; i < ARRAY_SIZE(options); i++) {
		const struct option *o = &options[i];

		if (strlen(o->name) == n && strncmp(o->name, word, n) == 0) {
			if (!set_option(o, eq ? eq + 1 : "")) {
				log_warn("command line: \"%s\" is not understood (%s)", word, o->help);
			}
			return;
		}
	}
	log_warn("command line: unknown option \"%s\"; known are:", word);
	for (unsigned int i = 0; i < ARRAY_SIZE(options); i++) {
		log_warn("  %-14s %s", options[i].name, options[i].help);
	}
}

void cmdline_parse(const char *text)
{
	char word[128];
	size_t n = 0;

	str_copy(cmdline.text, text, sizeof(cmdline.text));
	for (const char *p = cmdline.text;; p++) {
		if (*p && *p != ' ' && *p != '\t') {
			if (n + 1 < sizeof(word)) {
				word[n++] = *p;
			}
			continue;
		}
		word[n] = '\0';
		/* A loader may put the image's own path first. */
		if (n > 0 && (strchr(word, '=') || !strchr(word, '/'))) {
			parse_word(word);
		}
		n = 0;
		if (!*p) {
			break;
		}
	}
}
