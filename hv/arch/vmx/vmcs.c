/*
 * Building, resetting and loading a VMCS.
 *
 * Owns: which VMCS is current on a CPU. Follows Intel SDM volume 3, "Virtual Machine Control Structures". When vCPUs can
 * move, a VMCS is cleared (written back to memory) whenever its vCPU leaves its CPU: the switch hook runs where no other
 * CPU may be waited for, so fetching it later from where it was is not possible.
 */
#include "arch/hw.h"
#include "arch/layout.h"
#include "arch/vmx/vmx.h"
#include "arch/vmx/vmx_ops.h"
#include "arch/x86.h"
#include "core/heap.h"
#include "core/page_alloc.h"
#include "core/percpu.h"
#include "lib/bug.h"
#include "lib/err.h"
#include "lib/mem.h"

#define PAT_RESET 0x0007040600070406ull

/* #DB and #AC exit because a guest can make the processor loop delivering them. */
#define EXITING_EXCEPTIONS (1u << EXC_DB | 1u << EXC_AC | 1u << EXC_MC)

/* Cycles: PAUSEs no further apart are one loop; a loop of this length leaves the guest ("PAUSE-Loop Exiting"). */
#define PAUSE_GAP    128
#define PAUSE_WINDOW 4096

static void load(struct vmx_cpu *c, struct vmx_vcpu *s)
{
	if (s != NULL && c->loaded != s) {
		BUG_ON(!vmx_load(s->vmcs_pa.v));
	}
	c->loaded = s;
}

static void clear(struct vmx_vcpu *s)
{
	BUG_ON(!vmx_clear(s->vmcs_pa.v));
	s->launched = false;
}

struct vmx_vcpu *vmx_open_other(const struct arch_vcpu *v)
{
	struct vmx_cpu *c = this_cpu()->virt;
	struct vmx_vcpu *before = c->loaded;
	load(c, v->vmx);
	return before;
}

void vmx_close_other(const struct arch_vcpu *v, struct vmx_vcpu *before)
{
	struct vmx_cpu *c = this_cpu()->virt;
	if (cpu_count > 1 && c->owner != v) {
		clear(v->vmx);
		c->loaded = NULL;
	}
	if (before != NULL) {
		load(c, before);
	}
}

/* The task register's base, from its descriptor of 16 bytes. */
static uint64_t tss_base(const struct hw_table *gdt)
{
	uint64_t d[2];
	memcpy(d, (const void *)(gdt->base + (hw_str() & ~7u)), sizeof(d));
	return (d[0] >> 16 & 0xffffff) | (d[0] >> 32 & 0xff000000) | d[1] << 32;
}

/* An exit sets the limits of GDT and IDT to FFFFh and of the TSS to 67h, which is what it has. */
void vmx_set_host_state(void)
{
	struct hw_table gdt, idt;
	vmx_sgdt(&gdt);
	vmx_sidt(&idt);
	vmx_write(VMCS_HOST_CS, SEL_CODE);
	vmx_write(VMCS_HOST_SS, SEL_DATA);
	vmx_write(VMCS_HOST_DS, SEL_DATA);
	vmx_write(VMCS_HOST_ES, SEL_DATA);
	vmx_write(VMCS_HOST_FS, 0);
	vmx_write(VMCS_HOST_GS, 0);
	vmx_write(VMCS_HOST_TR, SEL_TSS);
	vmx_write(VMCS_HOST_CR0, hw_read_cr0());
	vmx_write(VMCS_HOST_CR3, hw_read_cr3());
	vmx_write(VMCS_HOST_CR4, hw_read_cr4());
	vmx_write(VMCS_HOST_FS_BASE, 0);
	vmx_write(VMCS_HOST_GS_BASE, (uint64_t)this_cpu());
	vmx_write(VMCS_HOST_TR_BASE, tss_base(&gdt));
	vmx_write(VMCS_HOST_GDTR_BASE, gdt.base);
	vmx_write(VMCS_HOST_IDTR_BASE, idt.base);
	vmx_write(VMCS_HOST_SYSENTER_CS, 0);
	vmx_write(VMCS_HOST_SYSENTER_ESP, 0);
	vmx_write(VMCS_HOST_SYSENTER_EIP, 0);
	vmx_write(VMCS_HOST_PAT, hw_rdmsr(MSR_PAT));
	vmx_write(VMCS_HOST_EFER, hw_rdmsr(MSR_EFER));
	vmx_write(VMCS_HOST_RIP, (uint64_t)vmx_exit_label);
}

/* What stays the same for the life of the vCPU. */
static void set_controls(struct arch_vcpu *v, hpa_t io, bool pause_exits)
{
	struct vmx_vcpu *s = v->vmx;
	bool pause_loop = pause_exits && (vmx_caps.proc2 & PROC2_PAUSE_LOOP);
	vmx_write(VMCS_PIN_CONTROLS, vmx_caps.pin);
	vmx_write(VMCS_PROC2_CONTROLS, pause_loop ? vmx_caps.proc2 : vmx_caps.proc2 & ~PROC2_PAUSE_LOOP);
	if (pause_loop) {
		vmx_write(VMCS_PLE_GAP, PAUSE_GAP);
		vmx_write(VMCS_PLE_WINDOW, PAUSE_WINDOW);
	}
	vmx_write(VMCS_EXIT_CONTROLS, vmx_caps.exit);
	vmx_write(VMCS_EXCEPTION_BITMAP, EXITING_EXCEPTIONS);
	vmx_write(VMCS_PF_MASK, 0);
	vmx_write(VMCS_PF_MATCH, 0);
	vmx_write(VMCS_CR3_TARGETS, 0);
	vmx_write(VMCS_EXIT_MSR_STORES, 0);
	vmx_write(VMCS_EXIT_MSR_LOADS, 0);
	vmx_write(VMCS_ENTRY_MSR_LOADS, 0);
	vmx_write(VMCS_IO_BITMAP_A, io.v);
	vmx_write(VMCS_IO_BITMAP_B, io.v + PAGE_SIZE);
	vmx_write(VMCS_MSR_BITMAP, vmx_msr_bitmap(false).v);
	vmx_write(VMCS_EPT_POINTER, s->ept_pointer);
	vmx_write(VMCS_LINK_POINTER, ~0ull);
	vmx_write(VMCS_CR0_MASK, VMX_CR0_OWNED | vmx_caps.cr0_fixed);
	vmx_write(VMCS_CR4_MASK, vmx_caps.cr4_host_owned);
	if (vmx_caps.vpid) {
		vmx_write(VMCS_VPID, 0);
	}
	for (unsigned int i = 0; vmx_caps.virtual_intr && i < 4; i++) {
		vmx_write(VMCS_EOI_EXITS + 2 * i, 0);
	}
	if (vmx_caps.pin & PIN_TIMER) {
		vmx_write(VMCS_GUEST_TIMER, vmx_caps.timer_ticks);
	}
	if (s->virtual_apic != NULL) {
		vmx_write(VMCS_VIRTUAL_APIC, virt_hpa(s->virtual_apic).v);
		vmx_write(VMCS_TPR_THRESHOLD, 0);
	}
}

static void free_pages(struct vmx_vcpu *s)
{
	page_free_virt(s->vmcs);
	page_free_virt(s->virtual_apic);
	heap_free(s);
}

int vmx_vcpu_init(struct arch_vcpu *v, const struct virt_vcpu_config *config)
{
	struct vmx_vcpu *s = heap_new(struct vmx_vcpu);
	if (s == NULL) {
		return -ENOMEM;
	}
	s->vmcs = page_alloc_virt();
	s->virtual_apic = vmx_caps.tpr_shadow ? page_alloc_virt() : NULL;
	hpa_t io = vmx_io_bitmap(config->direct_io, config->trapped_ports);
	if (s->vmcs == NULL || io.v == 0 || (vmx_caps.tpr_shadow && s->virtual_apic == NULL)) {
		free_pages(s);
		return -ENOMEM;
	}
	s->vmcs_pa = virt_hpa(s->vmcs);
	memcpy(s->vmcs, &vmx_caps.revision, sizeof(vmx_caps.revision));
	s->ept_pointer = vmx_ept_pointer(config->p2m_root);
	s->vpid_gen = 0;
	v->vmx = s;
	v->p2m_root = config->p2m_root;
	v->p2m_gen = config->p2m_gen;
	v->apic_registers = vmx_caps.apic_registers || vmx_caps.virtual_intr;
	clear(s);
	struct vmx_vcpu *before = vmx_open(v);
	set_controls(v, io, config->pause_exits);
	vmx_close(v, before);
	vmx_vcpu_reset(v);
	return 0;
}

void vmx_vcpu_free(struct arch_vcpu *v)
{
	struct vmx_cpu *c = this_cpu()->virt;
	struct vmx_vcpu *s = v->vmx;
	if (s == NULL) {
		return;
	}
	/* Written back before its frame is given away; harmless when it is clear already. */
	clear(s);
	if (c->loaded == s) {
		c->loaded = NULL;
	}
	free_pages(s);
	v->vmx = NULL;
}

/* Real mode at F000:FFF0 (Intel SDM volume 3, "Processor State After Reset"). */
static void reset_fields(struct arch_vcpu *v)
{
	static const struct emul_segment data = { 0, 0x093, 0xffff, 0 };
	static const struct emul_segment code = { 0xf000, 0x09b, 0xffff, 0xffff0000 };
	static const struct emul_segment ldtr = { 0, 0x082, 0xffff, 0 };
	static const struct emul_segment tr = { 0, 0x08b, 0xffff, 0 };
	static const struct sys_regs sys = { .cr0 = CR0_ET | CR0_CD | CR0_NW, .dr6 = 0xffff0ff0, .dr7 = 0x400,
					     .gdt_limit = 0xffff, .idt_limit = 0xffff };
	vmx_set_sys(v, &sys, SYS_ALL);
	for (unsigned int i = 0; i < VSEG_COUNT; i++) {
		vmx_set_seg(v, (enum vseg)i, i == VSEG_CS     ? &code
					     : i == VSEG_LDTR ? &ldtr
					     : i == VSEG_TR   ? &tr
							      : &data);
	}
	vmx_write(VMCS_PROC_CONTROLS, v->vmx->proc);
	vmx_write(VMCS_ENTRY_EVENT, 0);
	vmx_write(VMCS_TSC_OFFSET, (uint64_t)v->tsc_offset);
	vmx_write(VMCS_GUEST_PAT, PAT_RESET);
	vmx_write(VMCS_GUEST_DEBUGCTL, 0);
	vmx_write(VMCS_GUEST_SHADOW, 0);
	vmx_write(VMCS_GUEST_ACTIVITY, 0);
	vmx_write(VMCS_GUEST_PENDING_DB, 0);
	vmx_write(VMCS_GUEST_SYSENTER_CS, 0);
	vmx_write(VMCS_GUEST_SYSENTER_ESP, 0);
	vmx_write(VMCS_GUEST_SYSENTER_EIP, 0);
}

void vmx_vcpu_reset(struct arch_vcpu *v)
{
	struct vmx_vcpu *s = v->vmx;
	struct vmx_vcpu *before = vmx_open(v);
	s->proc = vmx_caps.proc;
	s->entry = vmx_caps.entry;
	s->event = 0;
	s->want_tpr = false;
	s->vpid_gen = 0;
	reset_fields(v);
	vmx_close(v, before);
	memset(s->msr, 0, sizeof(s->msr));
	if (vmx_is_loaded(v)) {
		vmx_msrs_load(s);
	}
	memset(&v->regs, 0, sizeof(v->regs));
	v->regs.gpr[GPR_RDX] = 0x600;
	v->regs.rip = 0xfff0;
	v->regs.rflags = 2;
	v->injected.valid = false;
	memset(v->guest_dr, 0, sizeof(v->guest_dr));
	v->cr8 = 0;
}
