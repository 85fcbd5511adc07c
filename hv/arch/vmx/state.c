/*
 * Guest registers that live in the VMCS or beside it: segments, control registers, debug status.
 *
 * CR0 and CR4: bits that the hypervisor owns have their real value in the guest field and what the guest sees in the read
 * shadow (Intel SDM volume 3, "Guest/Host Masks and Read Shadows for CR0 and CR4"). The entry control "IA-32e mode guest"
 * follows EFER.LMA.
 */
#include "arch/hw.h"
#include "arch/vmx/vmx.h"
#include "arch/vmx/vmx_ops.h"
#include "arch/x86.h"
#include "lib/err.h"
#include "lib/util.h"

#define ATTR_P 0x80u
#define ATTR_S 0x10u

/* An absent segment cannot be used; of SS the privilege level still counts. */
uint32_t vmx_ar_from_attr(uint16_t attr)
{
	uint32_t ar = (attr & 0xffu) | (attr & 0xf00u) << 4;
	return attr & ATTR_P ? ar : ar | AR_UNUSABLE;
}

uint16_t vmx_attr_from_ar(uint32_t ar)
{
	uint16_t attr = (uint16_t)((ar & 0xff) | (ar >> 4 & 0xf00));
	return ar & AR_UNUSABLE ? attr & (uint16_t)~ATTR_P : attr;
}

/* What loading a segment register always leaves behind, and an entry insists on: accessed, or a busy task. */
static uint32_t loaded_ar(enum vseg seg, uint16_t attr)
{
	if (!(attr & ATTR_P)) {
		return vmx_ar_from_attr(attr);
	}
	if (seg == VSEG_TR) {
		attr |= 2;
	} else if (seg != VSEG_LDTR && (attr & ATTR_S)) {
		attr |= 1;
	}
	return vmx_ar_from_attr(attr);
}

static inline void read_seg(enum vseg seg, struct emul_segment *s)
{
	s->sel = (uint16_t)vmx_read(VMCS_GUEST_SEL + 2 * seg);
	s->attr = vmx_attr_from_ar((uint32_t)vmx_read(VMCS_GUEST_AR + 2 * seg));
	s->limit = (uint32_t)vmx_read(VMCS_GUEST_LIMIT + 2 * seg);
	s->base = vmx_read(VMCS_GUEST_BASE + 2 * seg);
}

static COLD void read_seg_of_other(const struct arch_vcpu *v, enum vseg seg, struct emul_segment *s)
{
	struct vmx_vcpu *before = vmx_open(v);
	read_seg(seg, s);
	vmx_close(v, before);
}

void vmx_get_seg(const struct arch_vcpu *v, enum vseg seg, struct emul_segment *s)
{
	if (vmx_is_current(v)) {
		read_seg(seg, s);
	} else {
		read_seg_of_other(v, seg, s);
	}
}

/* CR0 and CR4 as the guest sees them. */
static uint64_t read_cr0(const struct vmx_vcpu *x)
{
	uint64_t own = VMX_CR0_OWNED | vmx_caps.cr0_fixed;
	return (vmx_read(VMCS_GUEST_CR0) & ~own) | (x->cr0_shadow & own);
}

static uint64_t read_cr4(const struct vmx_vcpu *x)
{
	uint64_t own = vmx_caps.cr4_host_owned;
	return (vmx_read(VMCS_GUEST_CR4) & ~own) | (x->cr4_shadow & own);
}

static inline void read_code(const struct vmx_vcpu *x, struct virt_code *c)
{
	uint64_t ar = vmx_read(VMCS_GUEST_AR + 2 * VSEG_CS);
	*c = (struct virt_code){
		.cs_base = vmx_read(VMCS_GUEST_BASE + 2 * VSEG_CS),
		.cr0 = read_cr0(x),
		.cr3 = vmx_read(VMCS_GUEST_CR3),
		.cr4 = read_cr4(x),
		.efer = x->efer,
		.long64 = (x->efer & EFER_LMA) && (ar & AR_L),
		.big = ar & AR_D,
	};
}

static COLD void read_code_of_other(const struct arch_vcpu *v, struct virt_code *c)
{
	struct vmx_vcpu *before = vmx_open(v);
	read_code(v->vmx, c);
	vmx_close(v, before);
}

void vmx_get_code(const struct arch_vcpu *v, struct virt_code *c)
{
	if (vmx_is_current(v)) {
		read_code(v->vmx, c);
	} else {
		read_code_of_other(v, c);
	}
}

void vmx_set_seg(struct arch_vcpu *v, enum vseg seg, const struct emul_segment *s)
{
	struct vmx_vcpu *before = vmx_open(v);
	vmx_write(VMCS_GUEST_SEL + 2 * seg, s->sel);
	vmx_write(VMCS_GUEST_AR + 2 * seg, loaded_ar(seg, s->attr));
	vmx_write(VMCS_GUEST_LIMIT + 2 * seg, s->limit);
	vmx_write(VMCS_GUEST_BASE + 2 * seg, s->base);
	vmx_close(v, before);
}

void vmx_get_sys(const struct arch_vcpu *v, struct sys_regs *s)
{
	const struct vmx_vcpu *x = v->vmx;
	struct vmx_vcpu *before = vmx_open(v);
	*s = (struct sys_regs){
		.cr0 = read_cr0(x),
		.cr2 = x->cr2,
		.cr3 = vmx_read(VMCS_GUEST_CR3),
		.cr4 = read_cr4(x),
		.efer = x->efer,
		.dr6 = vmx_is_loaded(v) ? hw_read_dr(6) : x->dr6,
		.dr7 = vmx_read(VMCS_GUEST_DR7),
		.gdt_base = vmx_read(VMCS_GUEST_GDTR_BASE),
		.gdt_limit = (uint32_t)vmx_read(VMCS_GUEST_GDTR_LIMIT),
		.idt_base = vmx_read(VMCS_GUEST_IDTR_BASE),
		.idt_limit = (uint32_t)vmx_read(VMCS_GUEST_IDTR_LIMIT),
	};
	vmx_close(v, before);
}

/* CD and NW of the real register stay the host's whatever the field says. */
static void set_cr0(struct vmx_vcpu *x, uint64_t cr0)
{
	x->cr0_shadow = cr0 | CR0_ET;
	vmx_write(VMCS_CR0_SHADOW, x->cr0_shadow);
	vmx_write(VMCS_GUEST_CR0, ((cr0 | CR0_ET) & ~(CR0_CD | CR0_NW)) | vmx_caps.cr0_fixed);
}

static void set_cr4(struct vmx_vcpu *x, uint64_t cr4)
{
	x->cr4_shadow = cr4;
	vmx_write(VMCS_CR4_SHADOW, cr4);
	vmx_write(VMCS_GUEST_CR4, (cr4 & ~vmx_caps.cr4_host_owned) | vmx_caps.cr4_fixed);
}

/* FFXSR is AMD's: here it is a reserved bit, at which the entry would fail. */
static void set_efer(struct vmx_vcpu *x, uint64_t efer)
{
	x->efer = efer & (EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE);
	x->entry = efer & EFER_LMA ? x->entry | ENTRY_IA32E : x->entry & ~ENTRY_IA32E;
	vmx_write(VMCS_GUEST_EFER, x->efer);
	vmx_write(VMCS_ENTRY_CONTROLS, x->entry);
}

static void set_debug(struct arch_vcpu *v, uint64_t dr6, uint64_t dr7)
{
	v->vmx->dr6 = dr6;
	if (vmx_is_loaded(v)) {
		hw_write_dr(6, dr6);
	}
	vmx_write(VMCS_GUEST_DR7, dr7);
}

static void set_tables(const struct sys_regs *s)
{
	vmx_write(VMCS_GUEST_GDTR_BASE, s->gdt_base);
	vmx_write(VMCS_GUEST_GDTR_LIMIT, s->gdt_limit & 0xffff);
	vmx_write(VMCS_GUEST_IDTR_BASE, s->idt_base);
	vmx_write(VMCS_GUEST_IDTR_LIMIT, s->idt_limit & 0xffff);
}

void vmx_set_sys(struct arch_vcpu *v, const struct sys_regs *s, unsigned int which)
{
	struct vmx_vcpu *x = v->vmx;
	struct vmx_vcpu *before = vmx_open(v);
	if (which & SYS_CR0) {
		set_cr0(x, s->cr0);
	}
	x->cr2 = which & SYS_CR2 ? s->cr2 : x->cr2;
	if (which & SYS_CR3) {
		vmx_write(VMCS_GUEST_CR3, s->cr3);
	}
	if (which & SYS_CR4) {
		set_cr4(x, s->cr4);
	}
	if (which & SYS_EFER) {
		set_efer(x, s->efer);
	}
	if (which & SYS_DR) {
		set_debug(v, s->dr6, s->dr7);
	}
	if (which & SYS_DT) {
		set_tables(s);
	}
	vmx_close(v, before);
	if (which & (SYS_CR0 | SYS_CR3 | SYS_CR4 | SYS_EFER)) {
		vmx_flush(v);
	}
}

void vmx_set_pdptes(struct arch_vcpu *v, const uint64_t pdpte[4])
{
	struct vmx_vcpu *before = vmx_open(v);
	for (unsigned int i = 0; i < 4; i++) {
		vmx_write(VMCS_GUEST_PDPTE0 + 2 * i, pdpte[i]);
	}
	vmx_close(v, before);
}

/* SS keeps the privilege level even when it cannot be used. */
unsigned int vmx_cpl(const struct arch_vcpu *v)
{
	struct vmx_vcpu *before = vmx_open(v);
	unsigned int cpl = vmx_read(VMCS_GUEST_AR + 2 * VSEG_SS) >> 5 & 3;
	vmx_close(v, before);
	return cpl;
}
