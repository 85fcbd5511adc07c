/*
 * The table of every element the domain document may have: what it means to us, which attributes it
 * takes. Private to config_*.c.
 *
 * What the table does not have is an error; what it has without effect is said. Nothing is dropped
 * silently.
 */
#ifndef TOOLSTACK_CONFIG_RULES_H
#define TOOLSTACK_CONFIG_RULES_H

#include "toolstack/config_read.h"

enum cx_kind {
	CX_USE = 1, /* read: attributes and children are looked up too */
	CX_NOTE,    /* accepted without effect, with a warning; the subtree is not read */
	CX_QUIET,   /* accepted without effect and without a word: bookkeeping of other tools */
	CX_REJECT,  /* an error: doing without it would give another machine than was asked for */
};

struct cx_rule {
	const char *path;
	enum cx_kind kind;
	const char *attrs; /* attributes that are read, separated by spaces */
	const char *quiet; /* attributes accepted without effect and without a word */
	const char *noted; /* attributes accepted without effect, with a warning */
	void (*enter)(struct cx *cx, xmlNode *node);
	const char *why; /* NOTE and REJECT: the reason */
};

/* The rule of a path ("domain/os/boot"), or NULL. */
const struct cx_rule *config_rule_find(const char *path);
/* The names that may stand under `parent`, separated by ", "; "none" when there are none. */
void config_rule_children(const char *parent, char *out, size_t size);

/* Handlers outside domain/devices (config_domain.c). */
void config_dom_domain(struct cx *cx, xmlNode *node);
void config_dom_name(struct cx *cx, xmlNode *node);
void config_dom_uuid(struct cx *cx, xmlNode *node);
void config_dom_title(struct cx *cx, xmlNode *node);
void config_dom_description(struct cx *cx, xmlNode *node);
void config_dom_memory_max(struct cx *cx, xmlNode *node);
void config_dom_memory_current(struct cx *cx, xmlNode *node);
void config_dom_vcpu(struct cx *cx, xmlNode *node);
void config_dom_shares(struct cx *cx, xmlNode *node);
void config_dom_period(struct cx *cx, xmlNode *node);
void config_dom_quota(struct cx *cx, xmlNode *node);
void config_dom_vcpupin(struct cx *cx, xmlNode *node);
void config_dom_os(struct cx *cx, xmlNode *node);
void config_dom_os_type(struct cx *cx, xmlNode *node);
void config_dom_os_loader(struct cx *cx, xmlNode *node);
void config_dom_os_boot(struct cx *cx, xmlNode *node);
void config_dom_os_bootmenu(struct cx *cx, xmlNode *node);
void config_dom_os_kernel(struct cx *cx, xmlNode *node);
void config_dom_os_initrd(struct cx *cx, xmlNode *node);
void config_dom_os_cmdline(struct cx *cx, xmlNode *node);
void config_dom_acpi(struct cx *cx, xmlNode *node);
void config_dom_apic(struct cx *cx, xmlNode *node);
void config_dom_pae(struct cx *cx, xmlNode *node);
void config_dom_hap(struct cx *cx, xmlNode *node);
void config_dom_viridian(struct cx *cx, xmlNode *node);
void config_dom_hyperv(struct cx *cx, xmlNode *node);
void config_dom_hyperv_bit(struct cx *cx, xmlNode *node);
void config_dom_clock(struct cx *cx, xmlNode *node);
void config_dom_timer(struct cx *cx, xmlNode *node);
void config_dom_on_poweroff(struct cx *cx, xmlNode *node);
void config_dom_on_reboot(struct cx *cx, xmlNode *node);
void config_dom_on_crash(struct cx *cx, xmlNode *node);
void config_dom_cpu(struct cx *cx, xmlNode *node);
void config_dom_cpu_model(struct cx *cx, xmlNode *node);
void config_dom_cpu_feature(struct cx *cx, xmlNode *node);
void config_dom_cpu_topology(struct cx *cx, xmlNode *node);
void config_dom_qemu_arg(struct cx *cx, xmlNode *node);

#endif
