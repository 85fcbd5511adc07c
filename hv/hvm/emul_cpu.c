/*
 * Control registers, MSRs, CPUID and segment loads for the emulator.
 *
 * The vCPU's own loop only. Intel SDM volume 3, "Segment Descriptors" and the MOV to segment description of volume 2.
 */
#include "arch/x86.h"
#include "hvm/emul_cpu.h"
#include "hvm/exit_cr.h"
#include "hvm/hvm_state.h"
#include "lib/err.h"

static struct vcpu *vcpu_of(struct emul_ctxt *c)
{
	return c->opaque;
}

static enum emul_result fault(struct emul_ctxt *c, uint8_t vector, bool has_error, uint32_t error)
{
	c->fault = (struct emul_fault){ vector, has_error, error, 0 };
	return EMUL_FAULT;
}

enum emul_result emul_cpu_read_cr(struct emul_ctxt *c, unsigned int cr, uint64_t *value)
{
	return hvm_cr_read(vcpu_of(c), cr, value) == 0 ? EMUL_OK : fault(c, EXC_UD, false, 0);
}

enum emul_result emul_cpu_write_cr(struct emul_ctxt *c, unsigned int cr, uint64_t value)
{
	int rc = hvm_cr_write(vcpu_of(c), cr, value);
	return rc == 0 ? EMUL_OK : fault(c, rc == -ENOENT ? EXC_UD : EXC_GP, rc != -ENOENT, 0);
}

enum emul_result emul_cpu_read_dr(struct emul_ctxt *c, unsigned int dr, uint64_t *value)
{
	return hvm_dr_read(vcpu_of(c), dr, value) == 0 ? EMUL_OK : fault(c, EXC_UD, false, 0);
}

enum emul_result emul_cpu_write_dr(struct emul_ctxt *c, unsigned int dr, uint64_t value)
{
	int rc = hvm_dr_write(vcpu_of(c), dr, value);
	return rc == 0 ? EMUL_OK : fault(c, rc == -ENOENT ? EXC_UD : EXC_GP, rc != -ENOENT, 0);
}

enum emul_result emul_cpu_read_msr(struct emul_ctxt *c, uint32_t msr, uint64_t *value)
{
	return hvm_msr_read(vcpu_of(c), msr, value) == 0 ? EMUL_OK : fault(c, EXC_GP, true, 0);
}

enum emul_result emul_cpu_write_msr(struct emul_ctxt *c, uint32_t msr, uint64_t value)
{
	return hvm_msr_write(vcpu_of(c), msr, value) == 0 ? EMUL_OK : fault(c, EXC_GP, true, 0);
}

enum emul_result emul_cpu_cpuid(struct emul_ctxt *c, uint32_t r[4])
{
	hvm_cpuid(vcpu_of(c), r[0], r[2], r);
	return EMUL_OK;
}

/* Real and virtual-8086 mode: base is the selector times 16, the rest stays. */
static void load_real(struct vcpu *v, enum emul_seg seg, uint16_t sel)
{
	struct emul_segment s;
	virt->get_seg(&v->arch, (enum vseg)seg, &s);
	s.sel = sel;
	s.base = (uint32_t)sel << 4;
	virt->set_seg(&v->arch, (enum vseg)seg, &s);
}

static enum emul_result read_descriptor(struct emul_ctxt *c, uint16_t sel, uint64_t *desc, uint64_t *at)
{
	struct vcpu *v = vcpu_of(c);
	struct emul_segment ldt;
	struct sys_regs s;
	virt->get_sys(&v->arch, &s);
	virt->get_seg(&v->arch, VSEG_LDTR, &ldt);
	bool local = sel & 4;
	uint64_t limit = local ? ldt.limit : s.gdt_limit;
	if ((local && (ldt.sel & ~3u) == 0) || (sel | 7u) > limit) {
		return fault(c, EXC_GP, true, sel & ~3u);
	}
	*at = (local ? ldt.base : s.gdt_base) + (sel & ~7u);
	return c->ops->read(c, *at, desc, 8, EMUL_ACC_SYSTEM);
}

static struct emul_segment unpack(uint16_t sel, uint64_t d)
{
	struct emul_segment s = {
		.sel = sel,
		.attr = (uint16_t)((d >> 40 & 0xff) | (d >> 44 & 0xf00)),
		.base = (d >> 16 & 0xffffff) | (d >> 32 & 0xff000000),
		.limit = (uint32_t)((d & 0xffff) | (d >> 32 & 0xf0000)),
	};
	if (s.attr & 1u << 11) {
		s.limit = s.limit << 12 | 0xfff;
	}
	return s;
}

/* The privilege and type rules; 0 or the vector to raise with the selector. */
static uint8_t check_data_load(const struct emul_ctxt *c, enum emul_seg seg, const struct emul_segment *s)
{
	unsigned int dpl = s->attr >> 5 & 3, rpl = s->sel & 3;
	bool system = !(s->attr & 0x10), code = s->attr & 8;
	if (seg == SEG_SS) {
		if (system || code || !(s->attr & 2) || rpl != c->cpl || dpl != c->cpl) {
			return EXC_GP;
		}
		return s->attr & 0x80 ? 0 : EXC_SS;
	}
	if (system || (code && !(s->attr & 2))) {
		return EXC_GP;
	}
	if (!(code && (s->attr & 4)) && (rpl > dpl || c->cpl > dpl)) {
		return EXC_GP;
	}
	return s->attr & 0x80 ? 0 : EXC_NP;
}

static enum emul_result load_protected(struct emul_ctxt *c, enum emul_seg seg, uint16_t sel)
{
	struct vcpu *v = vcpu_of(c);
	uint64_t desc, at;
	if ((sel & ~3u) == 0) {
		bool long64 = (c->efer & EFER_LMA) && (c->seg[SEG_CS].attr & 1u << 9);
		if (seg == SEG_SS && (!long64 || c->cpl == 3 || (sel & 3) != c->cpl)) {
			return fault(c, EXC_GP, true, 0);
		}
		/* unusable, but SS keeps its privilege level */
		struct emul_segment null = { .sel = sel, .attr = (uint16_t)(seg == SEG_SS ? c->cpl << 5 : 0) };
		virt->set_seg(&v->arch, (enum vseg)seg, &null);
		return EMUL_OK;
	}
	enum emul_result rc = read_descriptor(c, sel, &desc, &at);
	if (rc != EMUL_OK) {
		return rc;
	}
	struct emul_segment s = unpack(sel, desc);
	uint8_t vector = check_data_load(c, seg, &s);
	if (vector != 0) {
		return fault(c, vector, true, sel & ~3u);
	}
	if (!(s.attr & 1)) {
		uint8_t type = (uint8_t)(desc >> 40) | 1;
		rc = c->ops->write(c, at + 5, &type, 1, EMUL_ACC_SYSTEM);
		s.attr |= 1;
	}
	if (rc == EMUL_OK) {
		virt->set_seg(&v->arch, (enum vseg)seg, &s);
	}
	return rc;
}

enum emul_result emul_cpu_load_seg(struct emul_ctxt *c, enum emul_seg seg, uint16_t sel)
{
	if (seg == SEG_CS) {
		return EMUL_UNHANDLED;
	}
	enum emul_result rc = EMUL_OK;
	if (!(c->cr0 & CR0_PE) || (c->rflags & RFLAGS_VM)) {
		load_real(vcpu_of(c), seg, sel);
	} else {
		rc = load_protected(c, seg, sel);
	}
	virt->get_seg(&vcpu_of(c)->arch, (enum vseg)seg, &c->seg[seg]);
	return rc;
}

/* A far JMP's: no change of privilege, so a conforming segment's may be lower, and another's is ours. */
enum emul_result emul_cpu_code_seg(struct emul_ctxt *c, uint16_t sel, struct emul_segment *s)
{
	uint64_t desc, at;
	if ((sel & ~3u) == 0) {
		return fault(c, EXC_GP, true, 0);
	}
	enum emul_result rc = read_descriptor(c, sel, &desc, &at);
	if (rc != EMUL_OK) {
		return rc;
	}
	*s = unpack(sel, desc);
	unsigned int dpl = s->attr >> 5 & 3, rpl = sel & 3;
	bool conforming = s->attr & 4, lma = c->efer & EFER_LMA;
	if (!(s->attr & 0x10)) {
		return EMUL_UNHANDLED;
	}
	if (!(s->attr & 8) || (conforming ? dpl > c->cpl : dpl != c->cpl || rpl > c->cpl) ||
	    (lma && (s->attr & 0x600) == 0x600)) {
		return fault(c, EXC_GP, true, sel & ~3u);
	}
	if (!(s->attr & 0x80)) {
		return fault(c, EXC_NP, true, sel & ~3u);
	}
	if (!(s->attr & 1)) {
		uint8_t type = (uint8_t)(desc >> 40) | 1;
		rc = c->ops->write(c, at + 5, &type, 1, EMUL_ACC_SYSTEM);
		s->attr |= 1;
	}
	s->sel = (uint16_t)((sel & ~3u) | c->cpl);
	return rc;
}

/* ---- table registers, LDTR and TR ---- */

enum emul_result emul_cpu_read_table(struct emul_ctxt *c, bool idt, struct emul_table *t)
{
	struct sys_regs s;
	virt->get_sys(&vcpu_of(c)->arch, &s);
	*t = (struct emul_table){ idt ? s.idt_base : s.gdt_base, (uint16_t)(idt ? s.idt_limit : s.gdt_limit) };
	return EMUL_OK;
}

enum emul_result emul_cpu_write_table(struct emul_ctxt *c, bool idt, const struct emul_table *t)
{
	struct vcpu *v = vcpu_of(c);
	struct sys_regs s;
	virt->get_sys(&v->arch, &s);
	*(idt ? &s.idt_base : &s.gdt_base) = t->base;
	*(idt ? &s.idt_limit : &s.gdt_limit) = t->limit;
	virt->set_sys(&v->arch, &s, SYS_DT);
	return EMUL_OK;
}

enum emul_result emul_cpu_read_system(struct emul_ctxt *c, bool task, uint16_t *sel)
{
	struct emul_segment s;
	virt->get_seg(&vcpu_of(c)->arch, task ? VSEG_TR : VSEG_LDTR, &s);
	*sel = s.sel;
	return EMUL_OK;
}

/* The upper half of a 16-byte descriptor, which only the modes above 4 GiB have. */
static enum emul_result upper_base(struct emul_ctxt *c, uint64_t at, struct emul_segment *s)
{
	uint64_t high;
	if (!(c->efer & EFER_LMA)) {
		return EMUL_OK;
	}
	enum emul_result rc = c->ops->read(c, at + 8, &high, 8, EMUL_ACC_SYSTEM);
	if (rc == EMUL_OK && (high >> 40 & 0x1f) != 0) {
		return fault(c, EXC_GP, true, s->sel & ~3u);
	}
	s->base |= rc == EMUL_OK ? high << 32 : 0;
	return rc;
}

enum emul_result emul_cpu_load_system(struct emul_ctxt *c, bool task, uint16_t sel)
{
	struct vcpu *v = vcpu_of(c);
	uint64_t desc, at;
	if ((sel & ~3u) == 0 && !task) {
		struct emul_segment null = { .sel = sel, .attr = 2 };
		virt->set_seg(&v->arch, VSEG_LDTR, &null);
		return EMUL_OK;
	}
	if ((sel & 4) || (sel & ~3u) == 0) {
		return fault(c, EXC_GP, true, sel & ~3u);
	}
	enum emul_result rc = read_descriptor(c, sel, &desc, &at);
	if (rc != EMUL_OK) {
		return rc;
	}
	struct emul_segment s = unpack(sel, desc);
	unsigned int type = s.attr & 0x1f;
	/* available 32-bit (or 64-bit) TSS; the 16-bit one too where it exists; LDT */
	bool ok = task ? type == 9 || (type == 1 && !(c->efer & EFER_LMA)) : type == 2;
	if (!ok || !(s.attr & 0x80)) {
		return fault(c, ok ? EXC_NP : EXC_GP, true, sel & ~3u);
	}
	rc = upper_base(c, at, &s);
	if (rc == EMUL_OK && task) {
		uint8_t busy = (uint8_t)(desc >> 40) | 2;
		rc = c->ops->write(c, at + 5, &busy, 1, EMUL_ACC_SYSTEM);
		s.attr |= 2;
	}
	if (rc == EMUL_OK) {
		virt->set_seg(&v->arch, task ? VSEG_TR : VSEG_LDTR, &s);
		if (task) {
			c->tr = s;
		}
	}
	return rc;
}
