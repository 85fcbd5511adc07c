/*
 * Elements of the domain document outside domain/devices -> struct guest_config.
 * See config_rules.h; each handler is called with the reader standing on its element.
 */
#include "toolstack/config_rules.h"

#include <string.h>
#include <xen/hvm/params.h>

#include "toolstack/cpuid.h"
#include "toolstack/cpulist.h"

void config_dom_domain(struct cx *cx, xmlNode *node)
{
	static const struct cx_word types[] = {{"xen", 0}, {0}};
	int type;

	if (cx_attr_needed(cx, node, "type") != NULL) {
		cx_enum(cx, node, "type", types, &type);
	}
}

void config_dom_name(struct cx *cx, xmlNode *node)
{
	cx->cfg->where.name = cx_where(cx, node, NULL);
	cx_keep(cx, &cx->cfg->name, cx_text_needed(cx, node));
}

void config_dom_uuid(struct cx *cx, xmlNode *node)
{
	const char *text = cx_text_needed(cx, node);

	if (text == NULL) {
		return;
	}
	if (config_uuid_parse(text, cx->cfg->uuid) != 0) {
		cx_error(cx, node, NULL,
			 "'%s' is not a UUID (32 hexadecimal digits, dashes optional)", text);
		return;
	}
	cx->cfg->uuid_given = true;
}

void config_dom_title(struct cx *cx, xmlNode *node)
{
	cx_keep(cx, &cx->cfg->title, cx_text(cx, node));
}

void config_dom_description(struct cx *cx, xmlNode *node)
{
	cx_keep(cx, &cx->cfg->description, cx_text(cx, node));
}

void config_dom_memory_max(struct cx *cx, xmlNode *node)
{
	cx->cfg->where.memory = cx_where(cx, node, NULL);
	cx_memory(cx, node, &cx->cfg->memory_kib);
}

void config_dom_memory_current(struct cx *cx, xmlNode *node)
{
	cx->cfg->where.current_memory = cx_where(cx, node, NULL);
	cx_memory(cx, node, &cx->cfg->current_memory_kib);
}

/* A list of CPUs; NULL text: not said. */
static void config_cpuset(struct cx *cx, xmlNode *node, const char *text, uint64_t *set)
{
	if (text != NULL && !cpulist_parse(text, set)) {
		*set = 0;
		cx_error(cx, node, "cpuset", "'%s' is not a list of CPUs (like 0-3,^2,8; CPUs 0 to 63)", text);
	}
}

void config_dom_vcpu(struct cx *cx, xmlNode *node)
{
	int64_t max = 1;
	int64_t now;

	cx->cfg->where.vcpu = cx_where(cx, node, NULL);
	if (!cx_number(cx, node, NULL, 1, CONFIG_MAX_VCPUS, &max)) {
		return;
	}
	now = max;
	cx_number(cx, node, "current", 1, max, &now);
	cx->cfg->max_vcpus = (unsigned int)max;
	cx->cfg->vcpus = (unsigned int)now;
	config_cpuset(cx, node, cx_attr(cx, node, "cpuset"), &cx->cfg->cpuset);
}

void config_dom_shares(struct cx *cx, xmlNode *node)
{
	int64_t shares = 0;

	cx_number(cx, node, NULL, 1, CONFIG_MAX_WEIGHT, &shares);
	cx->cfg->weight = (unsigned int)shares;
}

void config_dom_period(struct cx *cx, xmlNode *node)
{
	int64_t us = CONFIG_CPU_PERIOD_US;

	cx_number(cx, node, NULL, 1000, 1000000, &us);
	cx->cfg->cpu_period_us = (unsigned int)us;
}

/* libvirt's way to say "no limit" is a quota of 0 or less. */
void config_dom_quota(struct cx *cx, xmlNode *node)
{
	int64_t us = 0;

	if (cx_number(cx, node, NULL, INT32_MIN, INT32_MAX, &us) && us > 0 && us < 1000) {
		cx_error(cx, node, NULL, "'%lld' is too small; at least 1000 (microseconds)", (long long)us);
	}
	cx->cfg->cpu_quota_us = us > 0 ? (unsigned int)us : 0;
}

void config_dom_vcpupin(struct cx *cx, xmlNode *node)
{
	const char *set = cx_attr_needed(cx, node, "cpuset");
	int64_t vcpu = -1;

	if (cx_attr_needed(cx, node, "vcpu") == NULL || set == NULL ||
	    !cx_number(cx, node, "vcpu", 0, CONFIG_MAX_VCPUS - 1, &vcpu)) {
		return;
	}
	if (cx->cfg->vcpu_pin[vcpu] != 0) {
		cx_error(cx, node, "vcpu", "vCPU %d is pinned a second time", (int)vcpu);
	}
	config_cpuset(cx, node, set, &cx->cfg->vcpu_pin[vcpu]);
}

void config_dom_os(struct cx *cx, xmlNode *node)
{
	static const struct cx_word firmware[] = {{"bios", 0}, {0}};
	int value;

	cx_enum(cx, node, "firmware", firmware, &value);
}

void config_dom_os_type(struct cx *cx, xmlNode *node)
{
	static const struct cx_word types[] = {{"hvm", 0}, {0}};
	static const struct cx_word archs[] = {{"x86_64", 0}, {"i686", 0}, {0}};
	static const struct cx_word machines[] = {{"xenfv", 0}, {0}};
	int value;

	cx_enum(cx, node, NULL, types, &value);
	cx_enum(cx, node, "arch", archs, &value);
	cx_enum(cx, node, "machine", machines, &value);
}

/*
 * hvmloader and SeaBIOS under whatever path mean ours: an XML from a Xen host must work as it is.
 */
static bool cx_is_bios_path(const char *path)
{
	const char *base = strrchr(path, '/');

	base = base != NULL ? base + 1 : path;
	return strcmp(base, "hvmloader") == 0 || strncmp(base, "seabios", 7) == 0 ||
	       strcmp(base, "bios-256k.bin") == 0 || strcmp(base, "bios.bin") == 0;
}

void config_dom_os_loader(struct cx *cx, xmlNode *node)
{
	static const struct cx_word types[] = {{"rom", 0}, {0}};
	const char *path = cx_text(cx, node);
	int value = 0;

	cx->cfg->where.loader = cx_where(cx, node, NULL);
	if (!cx_enum(cx, node, "type", types, &value) || *path == '\0') {
		return;
	}
	if (strstr(path, "OVMF") != NULL || strstr(path, "ovmf") != NULL) {
		cx_error(cx, node, NULL, "UEFI firmware '%s' is not supported; name hvmloader",
			 path);
		return;
	}
	if (cx_is_bios_path(path)) {
		return;
	}
	cx->cfg->firmware = CONFIG_FW_IMAGE;
	cx_keep(cx, &cx->cfg->loader, path);
}

void config_dom_os_boot(struct cx *cx, xmlNode *node)
{
	static const struct cx_word devices[] = {
		{"fd", CONFIG_BOOT_FLOPPY},
		{"hd", CONFIG_BOOT_DISK},
		{"cdrom", CONFIG_BOOT_CDROM},
		{"network", CONFIG_BOOT_NETWORK},
		{0},
	};
	struct guest_config *cfg = cx->cfg;
	int device = CONFIG_BOOT_DISK;

	cfg->where.boot = cx_where(cx, node, NULL);
	if (cx_attr_needed(cx, node, "dev") == NULL ||
	    !cx_enum(cx, node, "dev", devices, &device)) {
		return;
	}
	for (unsigned int i = 0; i < cfg->nr_boot; i++) {
		if (cfg->boot[i] == (enum config_boot_dev)device) {
			cx_error(cx, node, "dev", "named twice");
			return;
		}
	}
	cfg->boot[cfg->nr_boot++] = (enum config_boot_dev)device;
}

void config_dom_os_bootmenu(struct cx *cx, xmlNode *node)
{
	cx_bool(cx, node, "enable", &cx->cfg->boot_menu);
}

void config_dom_os_kernel(struct cx *cx, xmlNode *node)
{
	cx->cfg->where.kernel = cx_where(cx, node, NULL);
	cx_keep(cx, &cx->cfg->kernel, cx_text_needed(cx, node));
}

void config_dom_os_initrd(struct cx *cx, xmlNode *node)
{
	cx->cfg->where.initrd = cx_where(cx, node, NULL);
	cx_keep(cx, &cx->cfg->initrd, cx_text_needed(cx, node));
}

void config_dom_os_cmdline(struct cx *cx, xmlNode *node)
{
	cx_keep(cx, &cx->cfg->cmdline, cx_text(cx, node));
}

void config_dom_acpi(struct cx *cx, xmlNode *node)
{
	cx->cfg->acpi = true;
}

void config_dom_apic(struct cx *cx, xmlNode *node)
{
	cx->cfg->apic = true;
}

void config_dom_pae(struct cx *cx, xmlNode *node)
{
	cx->cfg->pae = true;
}

void config_dom_hap(struct cx *cx, xmlNode *node)
{
	static const struct cx_word states[] = {{"on", 1}, {0}};
	int value;

	cx_enum(cx, node, "state", states, &value);
}

void config_dom_viridian(struct cx *cx, xmlNode *node)
{
	cx->cfg->viridian |=
		HVMPV_base_freq | HVMPV_time_ref_count | HVMPV_reference_tsc | HVMPV_apic_assist;
}

void config_dom_hyperv(struct cx *cx, xmlNode *node)
{
	static const struct cx_word modes[] = {{"custom", 0}, {0}};
	int value;

	cx->cfg->where.hyperv = cx_where(cx, node, NULL);
	cx_enum(cx, node, "mode", modes, &value);
}

/* One <hyperv> child with an effect: which bits it means. Everything needs the base interface. */
void config_dom_hyperv_bit(struct cx *cx, xmlNode *node)
{
	static const struct cx_word bits[] = {
		{"vapic", HVMPV_apic_assist}, {"vpindex", 0},
		{"synic", HVMPV_synic},       {"stimer", HVMPV_stimer | HVMPV_time_ref_count},
		{"frequencies", 0},           {"tlbflush", HVMPV_hcall_remote_tlb_flush},
		{"ipi", HVMPV_hcall_ipi},     {0},
	};
	bool on = false;

	if (!cx_bool(cx, node, "state", &on) || !on) {
		return;
	}
	for (const struct cx_word *b = bits; b->word != NULL; b++) {
		if (strcmp(b->word, (const char *)node->name) == 0) {
			cx->cfg->viridian |= HVMPV_base_freq | (unsigned int)b->value;
		}
	}
}

void config_dom_clock(struct cx *cx, xmlNode *node)
{
	static const struct cx_word offsets[] = {
		{"utc", CONFIG_CLOCK_UTC},
		{"localtime", CONFIG_CLOCK_LOCALTIME},
		{"variable", CONFIG_CLOCK_VARIABLE},
		{0},
	};
	static const struct cx_word bases[] = {{"utc", 0}, {"localtime", 1}, {0}};
	int offset = CONFIG_CLOCK_UTC;
	int basis = 0;
	int64_t adjustment = 0;
	const char *text = cx_attr(cx, node, "adjustment");

	cx_enum(cx, node, "offset", offsets, &offset);
	cx_enum(cx, node, "basis", bases, &basis);
	cx->cfg->clock_kept = offset == CONFIG_CLOCK_VARIABLE;
	if (text != NULL && strcmp(text, "reset") != 0) {
		cx_number(cx, node, "adjustment", INT32_MIN, INT32_MAX, &adjustment);
		cx->cfg->clock_kept = true;
	}
	/* A number of seconds makes any clock a variable one, counted from what it was. */
	if (offset == CONFIG_CLOCK_VARIABLE && basis == 1) {
		offset = CONFIG_CLOCK_LOCALTIME;
	} else if (offset == CONFIG_CLOCK_UTC && adjustment != 0) {
		offset = CONFIG_CLOCK_VARIABLE;
	}
	cx->cfg->clock = (enum config_clock)offset;
	cx->cfg->clock_adjustment = adjustment;
}

static void config_tick_policy(struct cx *cx, xmlNode *node, int timer)
{
	static const struct cx_word policies[] = {
		{"delay", CONFIG_TICK_DELAY},
		{"catchup", CONFIG_TICK_CATCHUP},
		{"discard", CONFIG_TICK_DISCARD},
		{"merge", CONFIG_TICK_MERGE},
		{0},
	};
	int policy = CONFIG_TICK_DEFAULT;

	if (cx_attr(cx, node, "tickpolicy") == NULL) {
		return;
	}
	if (timer >= CONFIG_TIMERS) {
		cx_error(cx, node, "tickpolicy", "this timer has no ticks");
	} else if (cx_enum(cx, node, "tickpolicy", policies, &policy)) {
		cx->cfg->tick[timer] = (enum config_tick)policy;
	}
}

void config_dom_timer(struct cx *cx, xmlNode *node)
{
	/* Those without ticks come after those that have some. */
	enum { TSC = CONFIG_TIMERS, HYPERVCLOCK, KVMCLOCK };
	static const struct cx_word names[] = {
		{"pit", CONFIG_TIMER_PIT},     {"rtc", CONFIG_TIMER_RTC},
		{"hpet", CONFIG_TIMER_HPET},   {"lapic", CONFIG_TIMER_LAPIC},
		{"platform", CONFIG_TIMER_PLATFORM},
		{"tsc", TSC},                  {"hypervclock", HYPERVCLOCK},
		{"kvmclock", KVMCLOCK},        {0},
	};
	static const struct cx_word modes[] = {
		{"auto", CONFIG_TSC_AUTO},
		{"emulate", CONFIG_TSC_EMULATE},
		{"native", CONFIG_TSC_NATIVE},
		{"paravirt", CONFIG_TSC_PARAVIRT},
		{0},
	};
	int name = KVMCLOCK;
	int mode = CONFIG_TSC_AUTO;
	int64_t hertz = 0;

	if (cx_attr_needed(cx, node, "name") == NULL || !cx_enum(cx, node, "name", names, &name)) {
		return;
	}
	config_tick_policy(cx, node, name);
	if (name == TSC) {
		cx_enum(cx, node, "mode", modes, &mode);
		cx->cfg->tsc_mode = (enum config_tsc_mode)mode;
		if (cx_attr(cx, node, "frequency") != NULL &&
		    cx_number(cx, node, "frequency", 100000000, 16000000000, &hertz)) {
			cx->cfg->tsc_khz = (uint32_t)(hertz / 1000);
		}
	} else if (name == CONFIG_TIMER_HPET) {
		cx_bool(cx, node, "present", &cx->cfg->hpet);
	} else if (name == HYPERVCLOCK) {
		bool present = true;

		if (cx_bool(cx, node, "present", &present) && present) {
			cx->cfg->viridian |=
				HVMPV_base_freq | HVMPV_time_ref_count | HVMPV_reference_tsc;
		}
	}
}

/* on_poweroff, on_reboot, on_crash share their words. */
static void cx_action(struct cx *cx, const xmlNode *node, enum config_action *out)
{
	static const struct cx_word words[] = {
		{"destroy", CONFIG_ACTION_DESTROY},
		{"restart", CONFIG_ACTION_RESTART},
		{"preserve", CONFIG_ACTION_PRESERVE},
		{"rename-restart", CONFIG_ACTION_RENAME_RESTART},
		{0},
	};
	int value = *out;

	if (cx_enum(cx, node, NULL, words, &value)) {
		*out = (enum config_action)value;
	}
}

void config_dom_on_poweroff(struct cx *cx, xmlNode *node)
{
	cx_action(cx, node, &cx->cfg->on_poweroff);
}

void config_dom_on_reboot(struct cx *cx, xmlNode *node)
{
	cx_action(cx, node, &cx->cfg->on_reboot);
}

void config_dom_on_crash(struct cx *cx, xmlNode *node)
{
	const char *text = cx_text(cx, node);

	/* The core dump part of these two is not made; what follows it is done. */
	if (strncmp(text, "coredump-", 9) == 0) {
		bool restart = strcmp(text, "coredump-restart") == 0;

		if (restart || strcmp(text, "coredump-destroy") == 0) {
			cx_warn(cx, node, NULL, "no core dump is written; taken as '%s'", text + 9);
			cx->cfg->on_crash = restart ? CONFIG_ACTION_RESTART : CONFIG_ACTION_DESTROY;
			return;
		}
	}
	cx_action(cx, node, &cx->cfg->on_crash);
}

static bool cx_has_child(const xmlNode *node, const char *name)
{
	for (const xmlNode *n = node->children; n != NULL; n = n->next) {
		if (n->type == XML_ELEMENT_NODE && strcmp((const char *)n->name, name) == 0) {
			return true;
		}
	}
	return false;
}

void config_dom_cpu(struct cx *cx, xmlNode *node)
{
	cx->cfg->where.cpu = cx_where(cx, node, NULL);
	static const struct cx_word modes[] = {
		{"host-passthrough", 0}, {"host-model", 0}, {"maximum", 0}, {"custom", 1}, {0},
	};
	int value = 0;

	if (!cx_enum(cx, node, "mode", modes, &value)) {
		return;
	}
	if (value == 1 && !cx_has_child(node, "model")) {
		cx_error(cx, node, "mode", "'custom' needs a <model>");
	}
}

/* The name counts in mode custom only; host-model documents carry one too, for older hosts. */
void config_dom_cpu_model(struct cx *cx, xmlNode *node)
{
	const char *mode = cx_attr(cx, node->parent, "mode"), *name = cx_text_needed(cx, node);

	if (name == NULL || (mode != NULL && strcmp(mode, "custom") != 0)) {
		return;
	}
	if (!cpuid_model_known(name)) {
		cx_error(cx, node, NULL, "'%s' is not a CPU model known here; known: %s", name,
			 cpuid_model_names());
		return;
	}
	cx_keep(cx, &cx->cfg->cpu_model, name);
}

void config_dom_cpu_feature(struct cx *cx, xmlNode *node)
{
	enum { OFF, ON, AS_IS };
	static const struct cx_word policies[] = {
		{"force", ON},    {"require", ON}, {"optional", AS_IS},
		{"disable", OFF}, {"forbid", OFF}, {0},
	};
	struct guest_config *cfg = cx->cfg;
	const char *name = cx_attr_needed(cx, node, "name");
	struct config_cpu_feature *feature;
	int policy = ON;

	if (name == NULL || !cx_enum(cx, node, "policy", policies, &policy)) {
		return;
	}
	if (!cpuid_known(name)) {
		cx_error(cx, node, "name", "'%s' is not a CPU feature known here", name);
		return;
	}
	if (cfg->nr_cpu_features == CONFIG_MAX_CPU_FEATURES) {
		cx_error(cx, node, NULL, "more than %d CPU features", CONFIG_MAX_CPU_FEATURES);
		return;
	}
	feature = &cfg->cpu_features[cfg->nr_cpu_features++];
	feature->pos = cx_where(cx, node, NULL);
	feature->enable = policy == ON;
	feature->optional = policy == AS_IS;
	cx_keep(cx, &feature->name, name);
}

void config_dom_cpu_topology(struct cx *cx, xmlNode *node)
{
	struct config_topology *t = &cx->cfg->topology;
	int64_t sockets = 1, dies = 1, cores = 1, threads = 1;

	cx->cfg->where.topology = cx_where(cx, node, NULL);
	if (cx_number(cx, node, "sockets", 1, CONFIG_MAX_VCPUS, &sockets) &&
	    cx_number(cx, node, "dies", 1, 1, &dies) &&
	    cx_number(cx, node, "cores", 1, CONFIG_MAX_VCPUS, &cores) &&
	    cx_number(cx, node, "threads", 1, CONFIG_MAX_VCPUS, &threads)) {
		*t = (struct config_topology){(unsigned int)sockets, (unsigned int)cores,
					      (unsigned int)threads};
	}
}

/* qemu:arg and xen:arg. */
void config_dom_qemu_arg(struct cx *cx, xmlNode *node)
{
	struct guest_config *cfg = cx->cfg;
	const char *value = cx_attr_needed(cx, node, "value");

	if (value == NULL) {
		return;
	}
	if (cfg->nr_qemu_args == CONFIG_MAX_ARGS) {
		cx_error(cx, node, NULL, "more than %d arguments", CONFIG_MAX_ARGS);
		return;
	}
	cx_keep(cx, &cfg->qemu_args[cfg->nr_qemu_args++], value);
}
