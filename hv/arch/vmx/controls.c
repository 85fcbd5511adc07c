/*
 * What an Intel processor must and may offer (Intel SDM volume 3, "VMX Capability Reporting Facility"). Pure: capability
 * MSRs in, control words or the name of what is missing out.
 *
 * Owns: the control words of every VMCS, from one table.
 */
#include <stddef.h>
#include "arch/vmx/vmx.h"
#include "lib/util.h"

enum want {
	WANT_ON,                /* required, and always on */
	WANT_SWITCH,            /* required to be switchable; off at first */
	WANT_OFF,               /* it must be possible to leave it off */
	WANT_TRY                /* on where there */
};

enum control { CTL_PIN, CTL_PROC, CTL_PROC2, CTL_EXIT, CTL_ENTRY, CTL_COUNT };

/* Secondary controls come first, so that the message names what matters to the user. */
static const struct {
	uint8_t control, bit, want;
	const char *name;
} rows[] = {
	{ CTL_PROC2, 1, WANT_ON, "EPT (extended page tables)" },
	{ CTL_PROC2, 7, WANT_ON, "unrestricted guest" },
	{ CTL_PROC2, 3, WANT_TRY, "RDTSCP" },
	{ CTL_PROC2, 5, WANT_TRY, "VPID" },
	{ CTL_PROC2, 6, WANT_TRY, "WBINVD exits" },
	{ CTL_PROC2, 10, WANT_TRY, "PAUSE-loop exits" },
	{ CTL_PROC2, 12, WANT_TRY, "INVPCID" },
	{ CTL_PIN, 0, WANT_ON, "external-interrupt exits" },
	{ CTL_PIN, 3, WANT_ON, "NMI exits" },
	{ CTL_PIN, 5, WANT_ON, "virtual NMIs" },
	{ CTL_PIN, 6, WANT_TRY, "preemption timer" },
	{ CTL_PROC, 2, WANT_SWITCH, "interrupt-window exits" },
	{ CTL_PROC, 3, WANT_ON, "TSC offsetting" },
	{ CTL_PROC, 7, WANT_ON, "HLT exits" },
	{ CTL_PROC, 9, WANT_OFF, "INVLPG without exits" },
	{ CTL_PROC, 10, WANT_ON, "MWAIT exits" },
	{ CTL_PROC, 11, WANT_ON, "RDPMC exits" },
	{ CTL_PROC, 12, WANT_OFF, "RDTSC without exits" },
	{ CTL_PROC, 15, WANT_OFF, "CR3 writes without exits" },
	{ CTL_PROC, 16, WANT_OFF, "CR3 reads without exits" },
	{ CTL_PROC, 19, WANT_SWITCH, "CR8 write exits" },
	{ CTL_PROC, 20, WANT_SWITCH, "CR8 read exits" },
	{ CTL_PROC, 21, WANT_TRY, "TPR shadow" },
	{ CTL_PROC, 22, WANT_SWITCH, "NMI-window exits" },
	{ CTL_PROC, 23, WANT_OFF, "debug register moves without exits" },
	{ CTL_PROC, 25, WANT_ON, "I/O bitmaps" },
	{ CTL_PROC, 28, WANT_ON, "MSR bitmaps" },
	{ CTL_PROC, 29, WANT_ON, "MONITOR exits" },
	{ CTL_PROC, 31, WANT_ON, "secondary controls" },
	{ CTL_EXIT, 2, WANT_ON, "saving of debug controls at exits" },
	{ CTL_EXIT, 9, WANT_ON, "a 64-bit host" },
	{ CTL_EXIT, 15, WANT_OFF, "interrupts left pending at exits" },
	{ CTL_EXIT, 18, WANT_ON, "saving of PAT at exits" },
	{ CTL_EXIT, 19, WANT_ON, "loading of PAT at exits" },
	{ CTL_EXIT, 21, WANT_ON, "loading of EFER at exits" },
	{ CTL_ENTRY, 2, WANT_ON, "loading of debug controls at entries" },
	{ CTL_ENTRY, 9, WANT_SWITCH, "64-bit guests" },
	{ CTL_ENTRY, 14, WANT_ON, "loading of PAT at entries" },
	{ CTL_ENTRY, 15, WANT_ON, "loading of EFER at entries" },
};

/* IA32_VMX_EPT_VPID_CAP. */
static const struct {
	uint8_t bit;
	const char *name;       /* NULL: optional */
} ept_rows[] = {
	{ 6, "EPT of four levels" },
	{ 14, "write-back EPT tables" },
	{ 16, "2 MiB EPT pages" },
	{ 20, "INVEPT" },
	{ 26, "INVEPT of all contexts" },
};

#define EPT_CAP_1G          (1ull << 17)
#define EPT_CAP_ONE_CONTEXT (1ull << 25)
#define EPT_CAP_INVVPID     (1ull << 32)
#define EPT_CAP_VPID_ALL    (1ull << 42)

/* The low half of a capability MSR says what must be 1, the high half what may be. */
static const char *negotiate_controls(const uint64_t cap[CTL_COUNT], uint32_t word[CTL_COUNT])
{
	for (unsigned int c = 0; c < CTL_COUNT; c++) {
		word[c] = (uint32_t)cap[c];
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t bit = 1u << rows[i].bit;
		bool must = (uint32_t)cap[rows[i].control] & bit;
		bool may = cap[rows[i].control] >> 32 & bit;
		unsigned int want = rows[i].want;
		if ((want == WANT_ON && !may) || (want == WANT_OFF && must) ||
		    (want == WANT_SWITCH && (must || !may))) {
			return rows[i].name;
		}
		if (may && (want == WANT_ON || want == WANT_TRY)) {
			word[rows[i].control] |= bit;
		}
	}
	return NULL;
}

const char *vmx_negotiate(const struct vmx_cap_msrs *m, struct vmx_caps *out)
{
	const uint64_t cap[CTL_COUNT] = { m->pin, m->proc, m->proc2, m->exit, m->entry };
	uint32_t word[CTL_COUNT];
	const char *missing = negotiate_controls(cap, word);
	if (missing != NULL) {
		return missing;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(ept_rows); i++) {
		if (!(m->ept_vpid >> ept_rows[i].bit & 1)) {
			return ept_rows[i].name;
		}
	}
	/* a VPID is of use only when the numbers can be used again */
	if (!(m->ept_vpid & EPT_CAP_INVVPID) || !(m->ept_vpid & EPT_CAP_VPID_ALL)) {
		word[CTL_PROC2] &= ~PROC2_VPID;
	}
	out->pin = word[CTL_PIN];
	out->proc = word[CTL_PROC];
	out->proc2 = word[CTL_PROC2];
	out->exit = word[CTL_EXIT];
	out->entry = word[CTL_ENTRY];
	out->revision = (uint32_t)m->basic & 0x7fffffff;
	out->vpid = word[CTL_PROC2] & PROC2_VPID;
	out->tpr_shadow = word[CTL_PROC] & PROC_TPR_SHADOW;
	/* reading registers in the place of a guest stands on the TPR shadow */
	out->apic_registers = out->tpr_shadow && (~(m->proc2 >> 32) & (PROC2_X2APIC | PROC2_APIC_REGISTERS)) == 0;
	const uint32_t delivery = PROC2_X2APIC | PROC2_VIRTUAL_INTR;
	out->virtual_intr = out->tpr_shadow && (~(m->proc2 >> 32) & delivery) == 0;
	out->tsc_scaling = m->proc2 >> 32 & PROC2_TSC_SCALING;
	out->ept_1g = m->ept_vpid & EPT_CAP_1G;
	out->invept_single = m->ept_vpid & EPT_CAP_ONE_CONTEXT;
	return NULL;
}
