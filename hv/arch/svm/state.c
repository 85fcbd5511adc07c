/*
 * Guest registers that live in the VMCB: segments, control registers, switched MSRs.
 */
#include "arch/svm/svm.h"
#include "arch/x86.h"
#include "core/log.h"
#include "lib/err.h"
#include "lib/mem.h"

static struct vmcb_seg *seg_of(struct vmcb *c, enum vseg seg)
{
	switch (seg) {
	case VSEG_ES:
		return &c->es;
	case VSEG_CS:
		return &c->cs;
	case VSEG_SS:
		return &c->ss;
	case VSEG_DS:
		return &c->ds;
	case VSEG_FS:
		return &c->fs;
	case VSEG_GS:
		return &c->gs;
	case VSEG_LDTR:
		return &c->ldtr;
	default:
		return &c->tr;
	}
}

void svm_get_seg(const struct arch_vcpu *v, enum vseg seg, struct emul_segment *s)
{
	const struct vmcb_seg *g = seg_of(v->svm->vmcb, seg);
	s->sel = g->sel;
	s->attr = g->attr;
	s->limit = g->limit;
	s->base = g->base;
}

void svm_get_code(const struct arch_vcpu *v, struct virt_code *c)
{
	const struct vmcb *b = v->svm->vmcb;
	c->cs_base = b->cs.base;
	c->cr0 = b->cr0;
	c->cr3 = b->cr3;
	c->cr4 = b->cr4;
	c->efer = b->efer & ~EFER_SVME;
	c->big = b->cs.attr & VMCB_ATTR_D;
	c->long64 = (b->efer & EFER_LMA) && (b->cs.attr & VMCB_ATTR_L);
}

void svm_set_seg(struct arch_vcpu *v, enum vseg seg, const struct emul_segment *s)
{
	struct vmcb *c = v->svm->vmcb;
	*seg_of(c, seg) = (struct vmcb_seg){ s->sel, s->attr & 0xfff, s->limit, s->base };
	/* The processor keeps CPL apart; it is SS's DPL, or CS's in real and conforming cases. */
	if (seg == VSEG_SS) {
		c->cpl = s->attr >> 5 & 3;
	}
}

void svm_get_sys(const struct arch_vcpu *v, struct sys_regs *s)
{
	const struct vmcb *c = v->svm->vmcb;
	*s = (struct sys_regs){
		.cr0 = c->cr0, .cr2 = c->cr2, .cr3 = c->cr3, .cr4 = c->cr4,
		.efer = c->efer & ~EFER_SVME, .dr6 = c->dr6, .dr7 = c->dr7,
		.gdt_base = c->gdtr.base, .gdt_limit = c->gdtr.limit,
		.idt_base = c->idtr.base, .idt_limit = c->idtr.limit,
	};
}

void svm_set_sys(struct arch_vcpu *v, const struct sys_regs *s, unsigned int which)
{
	struct vmcb *c = v->svm->vmcb;
	c->cr0 = which & SYS_CR0 ? s->cr0 | CR0_ET : c->cr0;
	c->cr2 = which & SYS_CR2 ? s->cr2 : c->cr2;
	c->cr3 = which & SYS_CR3 ? s->cr3 : c->cr3;
	c->cr4 = which & SYS_CR4 ? s->cr4 : c->cr4;
	c->efer = which & SYS_EFER ? s->efer | EFER_SVME : c->efer;
	if (which & SYS_DR) {
		c->dr6 = s->dr6;
		c->dr7 = s->dr7;
	}
	if (which & SYS_DT) {
		c->gdtr.base = s->gdt_base;
		c->gdtr.limit = s->gdt_limit;
		c->idtr.base = s->idt_base;
		c->idtr.limit = s->idt_limit;
	}
	if (which & (SYS_CR0 | SYS_CR3 | SYS_CR4 | SYS_EFER)) {
		svm_flush(v);
	}
}

unsigned int svm_cpl(const struct arch_vcpu *v)
{
	return v->svm->vmcb->cpl;
}

/* One row an MSR that the VMCB carries. */
static const struct {
	uint32_t msr;
	uint16_t offset;
} vmcb_msrs[] = {
	{ MSR_STAR, offsetof(struct vmcb, star) },
	{ MSR_LSTAR, offsetof(struct vmcb, lstar) },
	{ MSR_CSTAR, offsetof(struct vmcb, cstar) },
	{ MSR_SFMASK, offsetof(struct vmcb, sfmask) },
	{ MSR_SYSENTER_CS, offsetof(struct vmcb, sysenter_cs) },
	{ MSR_SYSENTER_ESP, offsetof(struct vmcb, sysenter_esp) },
	{ MSR_SYSENTER_EIP, offsetof(struct vmcb, sysenter_eip) },
	{ MSR_FS_BASE, offsetof(struct vmcb, fs) + offsetof(struct vmcb_seg, base) },
	{ MSR_GS_BASE, offsetof(struct vmcb, gs) + offsetof(struct vmcb_seg, base) },
	{ MSR_KERNEL_GS_BASE, offsetof(struct vmcb, kernel_gs_base) },
	{ MSR_PAT, offsetof(struct vmcb, g_pat) },
	{ MSR_DEBUGCTL, offsetof(struct vmcb, dbgctl) },
};

static uint64_t *vmcb_msr(struct vmcb *c, uint32_t msr)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(vmcb_msrs); i++) {
		if (vmcb_msrs[i].msr == msr) {
			return (uint64_t *)((char *)c + vmcb_msrs[i].offset);
		}
	}
	return NULL;
}

int svm_msr_read(const struct arch_vcpu *v, uint32_t msr, uint64_t *value)
{
	const uint64_t *p = vmcb_msr(v->svm->vmcb, msr);
	if (p == NULL) {
		return -ENOENT;
	}
	*value = *p;
	return 0;
}

int svm_msr_write(struct arch_vcpu *v, uint32_t msr, uint64_t value)
{
	uint64_t *p = vmcb_msr(v->svm->vmcb, msr);
	if (p == NULL) {
		return -ENOENT;
	}
	*p = value;
	return 0;
}

void svm_dump(const struct arch_vcpu *v)
{
	static const char name[][5] = { "es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr" };
	const struct vmcb *c = v->svm->vmcb;
	log_warn("  VMCB: exit %#lx info1 %#lx info2 %#lx intinfo %#lx eventinj %#lx\n",
		 (unsigned long)c->exitcode, (unsigned long)c->exitinfo1,
		 (unsigned long)c->exitinfo2, (unsigned long)c->exitintinfo,
		 (unsigned long)c->eventinj);
	log_warn("  cr0 %08lx cr2 %016lx cr3 %016lx cr4 %08lx efer %04lx\n", (unsigned long)c->cr0,
		 (unsigned long)c->cr2, (unsigned long)c->cr3, (unsigned long)c->cr4,
		 (unsigned long)c->efer);
	log_warn("  rflags %08lx vintr %#lx shadow %#lx cpl %u gdt %lx/%x idt %lx/%x\n",
		 (unsigned long)c->rflags, (unsigned long)c->vintr, (unsigned long)c->shadow, c->cpl,
		 (unsigned long)c->gdtr.base, c->gdtr.limit, (unsigned long)c->idtr.base,
		 c->idtr.limit);
	for (unsigned int i = 0; i < VSEG_COUNT; i++) {
		const struct vmcb_seg *g = seg_of((struct vmcb *)(uintptr_t)c, i);
		log_warn("  %-4s %04x attr %03x limit %08x base %016lx\n", name[i], g->sel, g->attr,
			 g->limit, (unsigned long)g->base);
	}
}
