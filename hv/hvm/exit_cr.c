/*
 * Control and debug registers: values a guest may read and write (Intel SDM volume 3, "Control Registers").
 *
 * With nested paging guests change CR0, CR3 and CR4 by themselves; what comes here is CR8 while a task-priority window
 * is open, and what the emulator meets.
 */
#include "arch/hw.h"
#include "arch/x86.h"
#include "hvm/exit_cr.h"
#include "hvm/hvm_state.h"
#include "lib/err.h"

int hvm_cr_read(struct vcpu *v, unsigned int cr, uint64_t *value)
{
	struct sys_regs s;
	virt->get_sys(&v->arch, &s);
	switch (cr) {
	case 0:
		*value = s.cr0;
		return 0;
	case 2:
		*value = s.cr2;
		return 0;
	case 3:
		*value = s.cr3;
		return 0;
	case 4:
		*value = s.cr4;
		return 0;
	case 8:
		*value = vlapic_get_cr8(&v->hvm->lapic);
		return 0;
	default:
		return -ENOENT;
	}
}

static int write_cr0(struct vcpu *v, uint64_t value)
{
	struct emul_segment cs;
	struct sys_regs s;
	virt->get_sys(&v->arch, &s);
	virt->get_seg(&v->arch, VSEG_CS, &cs);
	bool was_paging = s.cr0 & CR0_PG, paging = value & CR0_PG;
	if (was_paging && !paging && (s.cr4 & CR4_PCIDE)) {
		return -EINVAL;
	}
	if (value >> 32 != 0 || (paging && !(value & CR0_PE)) || ((value & CR0_NW) && !(value & CR0_CD))) {
		return -EINVAL;
	}
	if (!was_paging && paging && (s.efer & EFER_LME)) {
		if (!(s.cr4 & CR4_PAE) || (cs.attr & 1u << 9)) {
			return -EINVAL;
		}
		s.efer |= EFER_LMA;
	} else if (was_paging && !paging && (s.efer & EFER_LMA)) {
		if (cs.attr & 1u << 9) {
			return -EINVAL;
		}
		s.efer &= ~EFER_LMA;
	}
	s.cr0 = value | CR0_ET;
	virt->set_sys(&v->arch, &s, SYS_CR0 | SYS_EFER);
	return 0;
}

static int write_cr4(struct vcpu *v, uint64_t value)
{
	struct sys_regs s;
	virt->get_sys(&v->arch, &s);
	if ((value & ~hvm_cr4_allowed()) != 0 || ((s.efer & EFER_LMA) && !(value & CR4_PAE)) ||
	    ((value & CR4_PCIDE) && !(s.efer & EFER_LMA))) {
		return -EINVAL;
	}
	if ((value & ~s.cr4 & CR4_PCIDE) && (s.cr3 & 0xfff) != 0) {
		return -EINVAL;
	}
	s.cr4 = value;
	virt->set_sys(&v->arch, &s, SYS_CR4);
	return 0;
}

/* With process identifiers bit 63 says that translations may stay; it is not kept. Bits 62:52 are never an address. */
static int write_cr3(struct vcpu *v, uint64_t value)
{
	struct sys_regs s;
	virt->get_sys(&v->arch, &s);
	if (s.cr4 & CR4_PCIDE) {
		value &= ~BIT(63);
	}
	if (value >> 52 != 0) {
		return -EINVAL;
	}
	s.cr3 = value;
	virt->set_sys(&v->arch, &s, SYS_CR3);
	return 0;
}

int hvm_cr_write(struct vcpu *v, unsigned int cr, uint64_t value)
{
	struct sys_regs s;
	switch (cr) {
	case 0:
		return write_cr0(v, value);
	case 2:
		virt->get_sys(&v->arch, &s);
		s.cr2 = value;
		virt->set_sys(&v->arch, &s, SYS_CR2);
		return 0;
	case 3:
		return write_cr3(v, value);
	case 4:
		return write_cr4(v, value);
	case 8:
		if (value > 15) {
			return -EINVAL;
		}
		vlapic_set_cr8(&v->hvm->lapic, value);
		hvm_look_again(v);
		return 0;
	default:
		return -ENOENT;
	}
}

static int dr_index(struct vcpu *v, unsigned int dr, unsigned int *out)
{
	struct sys_regs s;
	virt->get_sys(&v->arch, &s);
	if (dr == 4 || dr == 5) {
		if (s.cr4 & 1u << 3) {
			return -ENOENT;
		}
		dr += 2;
	}
	*out = dr;
	return dr > 7 ? -ENOENT : 0;
}

int hvm_dr_read(struct vcpu *v, unsigned int dr, uint64_t *value)
{
	struct sys_regs s;
	int rc = dr_index(v, dr, &dr);
	if (rc != 0) {
		return rc;
	}
	virt->get_sys(&v->arch, &s);
	*value = dr == 6 ? s.dr6 : dr == 7 ? s.dr7 : hw_read_dr(dr);
	return 0;
}

int hvm_dr_write(struct vcpu *v, unsigned int dr, uint64_t value)
{
	struct sys_regs s;
	int rc = dr_index(v, dr, &dr);
	if (rc != 0) {
		return rc;
	}
	virt->get_sys(&v->arch, &s);
	if (dr < 4) {
		hw_write_dr(dr, value);
		return 0;
	}
	if (value >> 32 != 0) {
		return -EINVAL;
	}
	s.dr6 = dr == 6 ? (value & 0x1e00f) | 0xffff0ff0 : s.dr6;
	s.dr7 = dr == 7 ? (value & 0xffff2bff) | 0x400 : s.dr7;
	virt->set_sys(&v->arch, &s, SYS_DR);
	return 0;
}

enum verdict exit_cr(struct vcpu *v, const struct vmexit *e)
{
	return hvm_emulate(v);
}

enum verdict exit_dr(struct vcpu *v, const struct vmexit *e)
{
	return hvm_emulate(v);
}
