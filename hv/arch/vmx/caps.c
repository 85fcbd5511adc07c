/*
 * Finding out what this Intel processor offers (the rules are in controls.c) and turning VMX on (Intel SDM volume 3,
 * "Enabling and Entering VMX Operation").
 */
#include "arch/hw.h"
#include "arch/vmx/vmx.h"
#include "arch/vmx/vmx_ops.h"
#include "arch/x86.h"
#include "core/cmdline.h"
#include "core/heap.h"
#include "core/log.h"
#include "core/page_alloc.h"
#include "core/percpu.h"
#include "core/time.h"
#include "lib/err.h"
#include "lib/mem.h"

/* A guest that runs this long is looked at, whatever interrupts do meanwhile. */
#define LONGEST_RUN_MS 10

struct vmx_caps vmx_caps;

/* Off on the command line, or for want of it: CR8 accesses exit. */
static void without_tpr_shadow(struct vmx_caps *c)
{
	c->tpr_shadow = false;
	c->proc = (c->proc & ~PROC_TPR_SHADOW) | PROC_CR8_LOAD | PROC_CR8_STORE;
}

/* An assist that is off unless the command line asks for it; there: the processor has it; then: and is used. */
static void choose(bool *there, bool asked, const char *option, const char *name, bool tpr_shadow)
{
	bool had = *there;
	*there = had && asked && tpr_shadow;
	if (asked && !*there) {
		log_warn("%s: %s\n", option, had ? "needs the TPR shadow" : "this processor's VMX does not have it");
	}
	log_info("VMX: %s %s\n", name, *there ? "in use" : had ? "there, off" : "not there");
}

static void choose_apic_assists(struct vmx_caps *c)
{
	choose(&c->apic_registers, cmdline.apic_registers, "apic_registers", "APIC-register virtualisation",
		     c->tpr_shadow);
	choose(&c->virtual_intr, cmdline.virtual_intr, "virtual_intr", "virtual-interrupt delivery", c->tpr_shadow);
}

static void read_cap_msrs(struct vmx_cap_msrs *m)
{
	m->basic = hw_rdmsr(MSR_VMX_BASIC);
	bool exact = m->basic & VMX_BASIC_TRUE;
	m->pin = hw_rdmsr(exact ? MSR_VMX_TRUE_PIN : MSR_VMX_PIN);
	m->proc = hw_rdmsr(exact ? MSR_VMX_TRUE_PROC : MSR_VMX_PROC);
	m->exit = hw_rdmsr(exact ? MSR_VMX_TRUE_EXIT : MSR_VMX_EXIT);
	m->entry = hw_rdmsr(exact ? MSR_VMX_TRUE_ENTRY : MSR_VMX_ENTRY);
	m->proc2 = m->proc >> 63 ? hw_rdmsr(MSR_VMX_PROC2) : 0;
	/* the register exists only with one of the two */
	m->ept_vpid = m->proc2 >> 32 & (1u << 1 | PROC2_VPID) ? hw_rdmsr(MSR_VMX_EPT_VPID) : 0;
}

/* PG and PE are the guest's own with unrestricted guest; the machine check of the host must stay on under a guest. */
static void read_fixed_bits(struct vmx_caps *c)
{
	c->cr0_fixed = hw_rdmsr(MSR_VMX_CR0_FIXED0) & ~(CR0_PG | CR0_PE);
	c->cr4_fixed = hw_rdmsr(MSR_VMX_CR4_FIXED0) | (hw_read_cr4() & CR4_MCE);
	c->cr4_host_owned = c->cr4_fixed | CR4_MCE | CR4_VMXE | CR4_LA57;
}

/* The timer counts every 2^n-th tick of the TSC. */
static uint32_t timer_ticks(void)
{
	return (uint32_t)(time_tsc_khz() * LONGEST_RUN_MS >> (hw_rdmsr(MSR_VMX_MISC) & 31)) + 1;
}

static bool allowed_by_firmware(void)
{
	uint64_t control = hw_rdmsr(MSR_FEATURE_CONTROL);
	return !(control & FEATURE_CONTROL_LOCK) || (control & FEATURE_CONTROL_VMXON);
}

int vmx_caps_read(void)
{
	struct hw_cpuid_regs r;
	struct vmx_cap_msrs m;
	hw_cpuid(1, 0, &r);
	if (!(r.ecx & 1u << 5)) {
		return -ENODEV;
	}
	if (!allowed_by_firmware()) {
		log_err("Ostler needs VMX: this processor has it, but the firmware has disabled it\n");
		return -EOPNOTSUPP;
	}
	read_cap_msrs(&m);
	const char *missing = vmx_negotiate(&m, &vmx_caps);
	if (missing != NULL) {
		log_err("Ostler needs %s: this processor's VMX does not have it\n", missing);
		return -EOPNOTSUPP;
	}
	if (!vmx_caps.tpr_shadow || cmdline.no_tpr_shadow) {
		without_tpr_shadow(&vmx_caps);
	}
	choose_apic_assists(&vmx_caps);
	read_fixed_bits(&vmx_caps);
	vmx_caps.timer_ticks = timer_ticks();
	vmx_ept_format.has_1g = vmx_caps.ept_1g;
	log_info("VMX: EPT%s, unrestricted guest%s%s%s%s\n", vmx_caps.ept_1g ? " (1 GiB pages)" : "",
		 vmx_caps.vpid ? ", VPID" : "", vmx_caps.tpr_shadow ? ", TPR shadow" : "",
		 vmx_caps.pin & PIN_TIMER ? ", preemption timer" : "", vmx_caps.tsc_scaling ? ", TSC scaling" : "");
	return 0;
}

/* Unlocked, the register is ours to set; without the lock VMXON would fault. */
static void allow_vmxon(void)
{
	uint64_t control = hw_rdmsr(MSR_FEATURE_CONTROL);
	if (!(control & FEATURE_CONTROL_LOCK)) {
		hw_wrmsr(MSR_FEATURE_CONTROL, control | FEATURE_CONTROL_LOCK | FEATURE_CONTROL_VMXON);
	}
}

int vmx_cpu_up(void)
{
	struct vmx_cpu *c = heap_new(struct vmx_cpu);
	if (c == NULL) {
		return -ENOMEM;
	}
	c->vmxon_region = page_alloc_virt();
	if (c->vmxon_region == NULL) {
		heap_free(c);
		return -ENOMEM;
	}
	memcpy(c->vmxon_region, &vmx_caps.revision, sizeof(vmx_caps.revision));
	c->vpid_gen = 1;
	c->next_vpid = 1;
	if (allowed_by_firmware()) {
		allow_vmxon();
		hw_write_cr4(hw_read_cr4() | CR4_VMXE);
	}
	if (!allowed_by_firmware() || !vmx_on(virt_hpa(c->vmxon_region).v)) {
		log_err("CPU %u: VMX cannot be turned on\n", this_cpu()->id);
		page_free_virt(c->vmxon_region);
		heap_free(c);
		return -EOPNOTSUPP;
	}
	/* what an earlier user of this CPU left in its translation caches */
	vmx_invept(2, 0);
	if (vmx_caps.vpid) {
		vmx_invvpid(2, 0);
	}
	this_cpu()->virt = c;
	return 0;
}
