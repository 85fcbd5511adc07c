/*
 * The hypervisor's command line: one table of options with help text; values are read at start-up.
 * Unknown options are named on the console. Also kept whole for XENVER_commandline.
 */
#ifndef CORE_CMDLINE_H
#define CORE_CMDLINE_H

#include <stdbool.h>
#include <stdint.h>

struct cmdline {
	char text[1024];                /* as given, "-" removed */
	char console[32];               /* console=com1|com2|vga|none, comma list */
	uint64_t dom0_mem;              /* bytes; 0: default */
	uint32_t dom0_max_vcpus;        /* 0: one per CPU */
	uint32_t max_cpus;              /* 0: all */
	uint8_t loglevel;               /* enum log_level */
	bool noreboot;                  /* after a panic: halt instead of reboot */
	bool no_tpr_shadow;             /* Intel: CR8 accesses exit instead */
	bool apic_registers;            /* Intel: the processor answers reads of x2APIC registers */
	bool virtual_intr;              /* Intel: the processor delivers interrupts to guests in x2APIC mode */
	bool selftest;                  /* run the vendor self tests at start-up */
	char panic[32];                 /* how to die at the end of start-up; empty: do not */
};

extern struct cmdline cmdline;          /* const after start-up */
void cmdline_parse(const char *text);

#endif
