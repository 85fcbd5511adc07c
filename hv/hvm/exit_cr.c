/*
 * Control and debug registers: values a guest may read and write (Intel SDM volume 3, "Control Registers").
 *
 * With nested paging guests change most bits by themselves; what comes here is what the vendor's processor cannot leave
 * to them, CR8 while a task-priority window is open, and what the emulator meets.
 */
#include "arch/hw.h"
#include "arch/x86.h"
#include "hvm/exit_cr.h"
#include "hvm/hvm.h"
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

#define PDPTE_RESERVED 0x1e6ull         /* and everything above the physical address */

/*
 * 32-bit PAE paging: the processor keeps four entries, read when CR0, CR3 or CR4 is written. They are checked then, too.
 * To be called after set_sys(); -EINVAL: an entry is wrong, and the caller undoes what it did.
 */
int hvm_load_pdptes(struct vcpu *v)
{
	struct sys_regs s;
	uint64_t pdpte[4];
	virt->get_sys(&v->arch, &s);
	if (virt->set_pdptes == NULL || !(s.cr0 & CR0_PG) || !(s.cr4 & CR4_PAE) || (s.efer & EFER_LMA)) {
		return 0;
	}
	if (!p2m_read(v->domain, GPA(s.cr3 & 0xffffffe0), pdpte, sizeof(pdpte))) {
		return -EINVAL;
	}
	for (unsigned int i = 0; i < 4; i++) {
		if ((pdpte[i] & 1) && (pdpte[i] & (PDPTE_RESERVED | ~0ull << 52))) {
			return -EINVAL;
		}
	}
	virt->set_pdptes(&v->arch, pdpte);
	return 0;
}

/* All or nothing. */
static int take_over(struct vcpu *v, const struct sys_regs *s, unsigned int which)
{
	struct sys_regs old;
	virt->get_sys(&v->arch, &old);
	virt->set_sys(&v->arch, s, which);
	int rc = hvm_load_pdptes(v);
	if (rc != 0) {
		virt->set_sys(&v->arch, &old, which);
	}
	return rc;
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
	return take_over(v, &s, SYS_CR0 | SYS_EFER);
}

static int write_cr4(struct vcpu *v, uint64_t value)
{
	struct sys_regs s;
	virt->get_sys(&v->arch, &s);
	if ((value & ~hvm_cr4_allowed(v->domain)) != 0 || ((s.efer & EFER_LMA) && !(value & CR4_PAE)) ||
	    ((value & CR4_PCIDE) && !(s.efer & EFER_LMA))) {
		return -EINVAL;
	}
	if ((value & ~s.cr4 & CR4_PCIDE) && (s.cr3 & 0xfff) != 0) {
		return -EINVAL;
	}
	s.cr4 = value;
	return take_over(v, &s, SYS_CR4);
}

/* With process identifiers bit 63 says that translations may stay; it is not kept. In 64-bit mode bits beyond the
 * physical addresses are refused; before, only 32 can be written. */
static int write_cr3(struct vcpu *v, uint64_t value)
{
	struct sys_regs s;
	virt->get_sys(&v->arch, &s);
	if (s.cr4 & CR4_PCIDE) {
		value &= ~BIT(63);
	}
	if (s.efer & EFER_LMA ? value >> hvm_address_bits() != 0 : value >> 52 != 0) {
		return -EINVAL;
	}
	s.cr3 = value;
	return take_over(v, &s, SYS_CR3);
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

/* LMSW cannot clear PE. */
static uint64_t with_lmsw(uint64_t cr0, uint16_t source)
{
	return (cr0 & ~(CR0_MP | CR0_EM | CR0_TS)) | (source & 15);
}

static int decoded_write(struct vcpu *v, const struct vmexit *e)
{
	uint64_t value, cr0;
	if (e->cr.clts || e->cr.lmsw) {
		int rc = hvm_cr_read(v, 0, &cr0);
		value = e->cr.clts ? cr0 & ~CR0_TS : with_lmsw(cr0, e->cr.lmsw_source);
		return rc != 0 ? rc : hvm_cr_write(v, 0, value);
	}
	value = v->arch.regs.gpr[e->cr.gpr];
	return hvm_cr_write(v, e->cr.cr, hvm_guest_is_64bit(v) ? value : (uint32_t)value);
}

/* Processors that tell all of it need no emulator. */
enum verdict exit_cr(struct vcpu *v, const struct vmexit *e)
{
	if (!e->cr.decoded || e->insn_len == 0 || virt->cpl(&v->arch) != 0) {
		return hvm_emulate(v);
	}
	int rc = e->cr.write ? decoded_write(v, e)
			     : hvm_cr_read(v, e->cr.cr, &v->arch.regs.gpr[e->cr.gpr]);
	if (rc == -ENOENT) {
		return hvm_fault_ud(v);
	}
	return rc == 0 ? EXIT_NEXT : hvm_fault_gp(v);
}

enum verdict exit_dr(struct vcpu *v, const struct vmexit *e)
{
	return hvm_emulate(v);
}
