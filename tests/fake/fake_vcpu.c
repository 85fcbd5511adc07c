/* One vCPU for tests: see fake_vcpu.h. */
#include <string.h>
#include "arch/x86.h"
#include "fake/fake_vcpu.h"
#include "lib/err.h"

struct fake_vcpu fake_vcpu;

static void get_seg(const struct arch_vcpu *v, enum vseg seg, struct emul_segment *s)
{
	*s = fake_vcpu.seg[seg];
}

static void set_seg(struct arch_vcpu *v, enum vseg seg, const struct emul_segment *s)
{
	fake_vcpu.seg[seg] = *s;
	fake_vcpu.set_seg_calls++;
}

static void get_code(const struct arch_vcpu *v, struct virt_code *c)
{
	const struct sys_regs *s = &fake_vcpu.sys;

	*c = (struct virt_code){ .cs_base = fake_vcpu.seg[VSEG_CS].base, .cr0 = s->cr0, .cr3 = s->cr3, .cr4 = s->cr4,
				 .efer = s->efer };
	c->big = fake_vcpu.seg[VSEG_CS].attr >> 10 & 1;
	c->long64 = (s->efer & EFER_LMA) && (fake_vcpu.seg[VSEG_CS].attr & 1u << 9);
}

static void get_sys(const struct arch_vcpu *v, struct sys_regs *s)
{
	*s = fake_vcpu.sys;
}

static void set_sys(struct arch_vcpu *v, const struct sys_regs *s, unsigned int which)
{
	struct sys_regs *r = &fake_vcpu.sys;

	fake_vcpu.set_sys_calls++;
	fake_vcpu.sys_which |= which;
	r->cr0 = which & SYS_CR0 ? s->cr0 : r->cr0;
	r->cr2 = which & SYS_CR2 ? s->cr2 : r->cr2;
	r->cr3 = which & SYS_CR3 ? s->cr3 : r->cr3;
	r->cr4 = which & SYS_CR4 ? s->cr4 : r->cr4;
	r->efer = which & SYS_EFER ? s->efer : r->efer;
	r->dr6 = which & SYS_DR ? s->dr6 : r->dr6;
	r->dr7 = which & SYS_DR ? s->dr7 : r->dr7;
	if (which & SYS_DT) {
		r->gdt_base = s->gdt_base;
		r->gdt_limit = s->gdt_limit;
		r->idt_base = s->idt_base;
		r->idt_limit = s->idt_limit;
	}
}

static void set_pdptes(struct arch_vcpu *v, const uint64_t pdpte[4])
{
	fake_vcpu.set_pdptes_calls++;
	memcpy(fake_vcpu.pdpte, pdpte, sizeof(fake_vcpu.pdpte));
}

static unsigned int cpl(const struct arch_vcpu *v)
{
	return fake_vcpu.cpl;
}

static bool get_shadow(const struct arch_vcpu *v)
{
	return fake_vcpu.shadow;
}

static void set_shadow(struct arch_vcpu *v, bool on)
{
	fake_vcpu.shadow = on;
}

static uint64_t *msr_slot(uint32_t msr)
{
	for (unsigned int i = 0; i < FAKE_VENDOR_MSRS && fake_vcpu.msr[i].msr != 0; i++) {
		if (fake_vcpu.msr[i].msr == msr) {
			return &fake_vcpu.msr[i].value;
		}
	}
	return NULL;
}

static int msr_read(const struct arch_vcpu *v, uint32_t msr, uint64_t *value)
{
	const uint64_t *slot = msr_slot(msr);

	if (slot == NULL) {
		return -ENOENT;
	}
	*value = *slot;
	return 0;
}

static int msr_write(struct arch_vcpu *v, uint32_t msr, uint64_t value)
{
	uint64_t *slot = msr_slot(msr);

	if (slot == NULL) {
		return -ENOENT;
	}
	*slot = value;
	return 0;
}

static void set_tsc_offset(struct arch_vcpu *v, int64_t offset)
{
	fake_vcpu.tsc_offset = offset;
	v->tsc_offset = offset;
}

static const struct virt_ops ops = {
	.name = "fake",
	.hypercall_insn = "\x0f\x01\xd9",
	.efer_bits = EFER_SCE | EFER_LME | EFER_NXE | EFER_FFXSR,
	.get_seg = get_seg,
	.set_seg = set_seg,
	.get_sys = get_sys,
	.get_code = get_code,
	.set_sys = set_sys,
	.set_pdptes = set_pdptes,
	.cpl = cpl,
	.get_shadow = get_shadow,
	.set_shadow = set_shadow,
	.msr_read = msr_read,
	.msr_write = msr_write,
	.set_tsc_offset = set_tsc_offset,
};
const struct virt_ops *virt = &ops;

void fake_vcpu_reset(void)
{
	static const uint32_t vendor[] = { MSR_STAR, MSR_LSTAR, MSR_CSTAR, MSR_SFMASK, MSR_SYSENTER_CS,
		MSR_SYSENTER_ESP, MSR_SYSENTER_EIP, MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE, MSR_PAT,
		MSR_DEBUGCTL };
	struct fake_vcpu *f = &fake_vcpu;

	memset(f, 0, sizeof(*f));
	f->v.domain = &f->d;
	f->v.hvm = &f->hvm;
	f->d.id = 7;
	f->d.max_vcpus = 1;
	f->d.hvm = &f->hvm_domain;
	f->hvm_domain.domain = &f->d;
	f->hvm.mmio_gpa = ~0ull;
	for (unsigned int i = 0; i < VSEG_COUNT; i++) {
		f->seg[i] = (struct emul_segment){ 0x18, 0xc93, ~0u, 0 };
	}
	f->seg[VSEG_CS] = (struct emul_segment){ 0x10, 0xa9b, ~0u, 0 };
	f->seg[VSEG_LDTR] = (struct emul_segment){ 0, 0x82, 0, 0 };
	f->seg[VSEG_TR] = (struct emul_segment){ 0x40, 0x8b, 0x67, 0 };
	f->sys = (struct sys_regs){ .cr0 = CR0_PE | CR0_ET | CR0_NE | CR0_WP | CR0_PG, .cr3 = 0x1000,
		.cr4 = CR4_PAE, .efer = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE, .dr6 = 0xffff0ff0,
		.dr7 = 0x400 };
	for (unsigned int i = 0; i < ARRAY_SIZE(vendor); i++) {
		f->msr[i].msr = vendor[i];
	}
}
