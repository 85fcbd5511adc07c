/*
 * Device registers touched by a plain MOV, which is how all drivers do it: decoded and done without the emulator's
 * whole view of the vCPU.
 *
 * The processor has checked segments and paging and has told the physical address; only direction, width and register
 * are left to find. Everything that is not exactly that goes to the emulator. The vCPU's own loop only, no lock held.
 */
#include "arch/x86.h"
#include "emul/mov.h"
#include "hvm/hvm.h"
#include "hvm/hvm_state.h"
#include "lib/mem.h"
#include "lib/util.h"

/* How the code is to be read: 64-bit, 32-bit, or not by this file. */
static bool code_mode(struct vcpu *v, struct virt_code *code)
{
	virt->get_code(&v->arch, code);
	return code->long64 || ((code->cr0 & CR0_PE) && code->big && !(v->arch.regs.rflags & RFLAGS_VM));
}

/* Is the base of the operand's segment a multiple of any operand's size? In 64-bit code it is 0. */
static bool flat(struct vcpu *v, const struct emul_mov *m, bool long64)
{
	struct emul_segment s;
	if (long64) {
		return true;
	}
	virt->get_seg(&v->arch, m->stack ? VSEG_SS : VSEG_DS, &s);
	return (s.base & 7) == 0;
}

/* Was it this operand that the processor could not reach? An access that crosses pages may be told as the second one's
 * start: an aligned operand crosses none. */
static bool is_operand(struct vcpu *v, const struct emul_mov *m, const struct vmexit *e, bool long64)
{
	uint64_t offset = gpa_offset(e->npf.gpa), mask = m->size - 1u;
	if ((offset & mask) != 0 || m->write != e->npf.write) {
		return false;
	}
	return offset != 0 || ((m->address & mask) == 0 && flat(v, m, long64));
}

bool hvm_mmio_mov(struct vcpu *v, const struct vmexit *e, enum verdict *verdict)
{
	struct virt_code code;
	struct emul_mov m;
	uint8_t insn[15];
	unsigned int n;
	uint64_t *gpr = v->arch.regs.gpr, rip = v->arch.regs.rip;
	/* an event that was being delivered has made the access, not the instruction */
	if (e->interrupted.valid || !code_mode(v, &code)) {
		return false;
	}
	v->hvm->walk = (struct walk_regs){ code.cr0, code.cr3, code.cr4, code.efer, v->arch.regs.rflags, 0 };
	const uint8_t *bytes = hvm_code_at(v, code.long64 ? rip : (uint32_t)(code.cs_base + rip), &n);
	if (bytes == NULL || n < sizeof(insn)) {
		return false;
	}
	/* Read once: another vCPU may write there meanwhile. */
	memcpy(insn, bytes, sizeof(insn));
	if (!hvm_code_kept(v) || !emul_mov_decode(insn, sizeof(insn), code.long64, gpr, rip, &m) ||
	    !is_operand(v, &m, e, code.long64)) {
		return false;
	}
	uint64_t value = m.immediate ? m.value : gpr[m.reg];
	struct io_access a = { .space = IO_MMIO, .write = m.write, .size = m.size, .addr = e->npf.gpa.v,
			       .data = m.size == 8 ? value : (uint32_t)value };
	if (hvm_io(v, &a) == ROUTE_CRASH) {
		*verdict = EXIT_CRASH;
		return true;
	}
	if (!m.write) {
		gpr[m.reg] = m.size == 8 ? a.data : (uint32_t)a.data;
	}
	v->hvm->exit.insn_len = m.length;
	*verdict = EXIT_NEXT;
	return true;
}
