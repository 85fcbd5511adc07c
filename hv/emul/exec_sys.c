/*
 * Ports, flags, control and debug registers, MSRs, CPUID, HLT and the do-nothing instructions.
 *
 * CPL 0 rows are checked by emul.c; what depends on IOPL, the I/O permission bitmap or CR4 is checked
 * here. What a register write means is for the ops. Pure. Intel SDM volumes 2 and 3; AMD APM 2 and 3.
 */
#include "emul/insn.h"

#define CR4_DE            BIT(3)
#define CR0_LMSW_MASK     0xfull
#define MSR_TSC           0x10u
#define TSS_BITMAP_OFFSET 0x66u
#define TSS_MIN_LIMIT     0x67u
#define TSS_TYPE_BUSY     2u    /* the bit that tells a busy TSS from an available one */
#define TSS_TYPE_32       9u    /* available 32- or 64-bit TSS */

static unsigned int effective_cpl(const struct emul_ctxt *c, enum insn_mode mode)
{
	return mode == MODE_REAL ? 0 : mode == MODE_VM86 ? 3 : c->cpl;
}

static unsigned int iopl(const struct emul_ctxt *c)
{
	return c->rflags >> 12 & 3;
}

static enum emul_result read_tss(struct emul_ctxt *c, const struct insn *i, uint32_t offset,
				 uint16_t *v)
{
	uint64_t linear = emul_get_seg(c, SEG_COUNT)->base + offset;

	if (!(c->efer & EFER_LMA)) {
		linear = (uint32_t)linear;
	} else if (!operand_canonical(c, linear)) {
		return insn_fault(c, VEC_GP);
	}
	return c->ops->read(c, linear, v, sizeof(*v), EMUL_ACC_SYSTEM);
}

enum emul_result exec_sys_io_check(struct emul_ctxt *c, const struct insn *i, uint16_t port,
				   unsigned int size)
{
	uint16_t map, bits;

	if (i->mode == MODE_REAL || (i->mode != MODE_VM86 && c->cpl <= iopl(c))) {
		return EMUL_OK;
	}
	const struct emul_segment *tr = emul_get_seg(c, SEG_COUNT);
	if (!(tr->attr & SEG_ATTR_P) || tr->limit < TSS_MIN_LIMIT ||
	    (tr->attr & (SEG_ATTR_TYPE | SEG_ATTR_S) & ~TSS_TYPE_BUSY) != TSS_TYPE_32) {
		return insn_fault(c, VEC_GP);
	}
	enum emul_result r = read_tss(c, i, TSS_BITMAP_OFFSET, &map);
	if (r != EMUL_OK) {
		return r;
	}
	/* Two bytes are read always, and both must be inside the TSS. */
	uint32_t offset = map + port / 8u;
	if (offset + 1 > tr->limit) {
		return insn_fault(c, VEC_GP);
	}
	r = read_tss(c, i, offset, &bits);
	if (r == EMUL_OK && (bits >> port % 8 & ((1u << size) - 1))) {
		return insn_fault(c, VEC_GP);
	}
	return r;
}

static uint16_t io_port(const struct emul_ctxt *c, const struct insn *i)
{
	return i->op->src == OPD_IMM ? i->imm & 0xff : c->gpr[GPR_RDX] & 0xffff;
}

enum emul_result exec_sys_in(struct emul_ctxt *c, struct insn *i)
{
	unsigned int size = MIN(i->size, 4);
	uint16_t port = io_port(c, i);
	uint32_t data = 0;
	enum emul_result r = exec_sys_io_check(c, i, port, size);

	if (r == EMUL_OK) {
		r = c->ops->pio(c, false, port, size, &data);
	}
	if (r == EMUL_OK) {
		operand_gpr_write(c, GPR_RAX, data, size);
	}
	return r;
}

enum emul_result exec_sys_out(struct emul_ctxt *c, struct insn *i)
{
	unsigned int size = MIN(i->size, 4);
	uint16_t port = io_port(c, i);
	uint32_t data = (uint32_t)(c->gpr[GPR_RAX] & operand_mask(size));
	enum emul_result r = exec_sys_io_check(c, i, port, size);

	return r == EMUL_OK ? c->ops->pio(c, true, port, size, &data) : r;
}

enum emul_result exec_sys_nop(struct emul_ctxt *c, struct insn *i)
{
	return EMUL_OK;
}

/* 0F AE /5../7: the fences, and CLFLUSH, which only checks its address as a read would. */
enum emul_result exec_sys_touch(struct emul_ctxt *c, struct insn *i)
{
	uint64_t linear;

	if (!i->mem) {
		return EMUL_OK;
	}
	if ((i->modrm >> 3 & 7) != 7) {
		return EMUL_UNHANDLED;
	}
	return operand_linear(c, i, i->mem_seg, i->ea, 1, false, &linear);
}

enum emul_result exec_sys_hlt(struct emul_ctxt *c, struct insn *i)
{
	c->hlt = true;
	return EMUL_OK;
}

enum emul_result exec_sys_flag(struct emul_ctxt *c, struct insn *i)
{
	static const struct {
		uint64_t clear, flip;
	} effect[] = {
		[FLAGOP_CLC] = { .clear = FLAG_CF },
		[FLAGOP_STC] = { .clear = FLAG_CF, .flip = FLAG_CF },
		[FLAGOP_CMC] = { .flip = FLAG_CF },
		[FLAGOP_CLD] = { .clear = FLAG_DF },
		[FLAGOP_STD] = { .clear = FLAG_DF, .flip = FLAG_DF },
	};

	c->rflags = (c->rflags & ~effect[i->op->sub].clear) ^ effect[i->op->sub].flip;
	return EMUL_OK;
}

enum emul_result exec_sys_cli_sti(struct emul_ctxt *c, struct insn *i)
{
	if (effective_cpl(c, i->mode) > iopl(c)) {
		/* With VME or PVI it is VIF that changes. */
		bool virtual_if = i->mode == MODE_VM86 ? c->cr4 & CR4_VME
						       : c->cpl == 3 && (c->cr4 & CR4_PVI);
		return virtual_if ? EMUL_UNHANDLED : insn_fault(c, VEC_GP);
	}
	if (i->opcode == 0xfa) {
		c->rflags &= ~FLAG_IF;
		return EMUL_OK;
	}
	c->shadow_sti = !(c->rflags & FLAG_IF);
	c->rflags |= FLAG_IF;
	return EMUL_OK;
}

/* PUSHF, POPF in virtual-8086 mode need IOPL 3, or VME. */
static enum emul_result check_vm86_iopl(struct emul_ctxt *c, const struct insn *i)
{
	if (i->mode != MODE_VM86 || iopl(c) == 3) {
		return EMUL_OK;
	}
	return c->cr4 & CR4_VME ? EMUL_UNHANDLED : insn_fault(c, VEC_GP);
}

enum emul_result exec_sys_pushf(struct emul_ctxt *c, struct insn *i)
{
	uint64_t rsp = c->gpr[GPR_RSP];
	enum emul_result r = check_vm86_iopl(c, i);

	if (r == EMUL_OK) {
		r = operand_push(c, i, &rsp, c->rflags & ~(FLAG_VM | FLAG_RF), i->op_size);
	}
	if (r == EMUL_OK) {
		operand_set_rsp(c, i, rsp);
	}
	return r;
}

uint64_t exec_sys_new_flags(const struct emul_ctxt *c, uint64_t v, unsigned int size)
{
	unsigned int cpl = effective_cpl(c, decode_mode(c));
	uint64_t mask = FLAG_ARITH | FLAG_TF | FLAG_DF | FLAG_NT;

	if (cpl <= iopl(c)) {
		mask |= FLAG_IF;
	}
	if (cpl == 0) {
		mask |= FLAG_IOPL;
	}
	if (size > 2) {
		mask |= FLAG_AC | FLAG_ID;
	}
	return (c->rflags & ~mask) | (v & mask) | FLAG_FIXED;
}

enum emul_result exec_sys_popf(struct emul_ctxt *c, struct insn *i)
{
	uint64_t v, rsp = c->gpr[GPR_RSP];
	enum emul_result r = check_vm86_iopl(c, i);

	if (r == EMUL_OK) {
		r = operand_pop(c, i, &rsp, &v, i->op_size);
	}
	if (r == EMUL_OK) {
		operand_set_rsp(c, i, rsp);
		c->rflags = exec_sys_new_flags(c, v, i->op_size);
	}
	return r;
}

#define FLAGS_AH (FLAG_SF | FLAG_ZF | FLAG_AF | FLAG_PF | FLAG_CF)

enum emul_result exec_sys_lahf(struct emul_ctxt *c, struct insn *i)
{
	uint64_t v = (c->rflags & FLAGS_AH) | FLAG_FIXED;

	c->gpr[GPR_RAX] = (c->gpr[GPR_RAX] & ~0xff00ull) | v << 8;
	return EMUL_OK;
}

enum emul_result exec_sys_sahf(struct emul_ctxt *c, struct insn *i)
{
	c->rflags = (c->rflags & ~FLAGS_AH) | (c->gpr[GPR_RAX] >> 8 & FLAGS_AH);
	return EMUL_OK;
}

/* LOCK MOV CR0 names CR8 on AMD processors that have it (AltMovCr8), and is #UD elsewhere. */
static enum emul_result alternate_cr8(struct emul_ctxt *c, unsigned int *cr)
{
	uint32_t regs[4] = { 0x80000001u, 0, 0, 0 };

	if (*cr != 0 || !c->ops->cpuid) {
		return insn_fault(c, VEC_UD);
	}
	enum emul_result r = c->ops->cpuid(c, regs);
	if (r == EMUL_OK && !(regs[2] >> 4 & 1)) {
		r = insn_fault(c, VEC_UD);
	}
	*cr = 8;
	return r;
}

/* A register that does not exist is #UD even where the privilege is missing: no OPF_PRIV rows. */
enum emul_result exec_sys_mov_cr(struct emul_ctxt *c, struct insn *i)
{
	unsigned int cr = i->reg, size = i->mode == MODE_LONG64 ? 8 : 4;
	enum emul_result r = EMUL_OK;
	uint64_t v;

	if (i->lock) {
		r = alternate_cr8(c, &cr);
	} else if (cr != 0 && cr != 2 && cr != 3 && cr != 4 && cr != 8) {
		r = insn_fault(c, VEC_UD);
	}
	if (r == EMUL_OK && effective_cpl(c, i->mode) != 0) {
		r = insn_fault(c, VEC_GP);
	}
	if (r != EMUL_OK) {
		return r;
	}
	if (i->op->sub) {
		v = c->gpr[i->rm] & operand_mask(size);
		return c->ops->write_cr ? c->ops->write_cr(c, cr, v) : EMUL_UNHANDLED;
	}
	r = c->ops->read_cr ? c->ops->read_cr(c, cr, &v) : EMUL_UNHANDLED;
	if (r == EMUL_OK) {
		operand_gpr_write(c, i->rm, v, size);
	}
	return r;
}

enum emul_result exec_sys_mov_dr(struct emul_ctxt *c, struct insn *i)
{
	unsigned int dr = i->reg, size = i->mode == MODE_LONG64 ? 8 : 4;
	uint64_t v;

	if (dr >= 8) {
		return insn_fault(c, VEC_UD);
	}
	if (effective_cpl(c, i->mode) != 0) {
		return insn_fault(c, VEC_GP);
	}
	if ((dr & ~1u) == 4) {
		/* DR4 and DR5 are old names of DR6 and DR7. */
		if (c->cr4 & CR4_DE) {
			return insn_fault(c, VEC_UD);
		}
		dr += 2;
	}
	if (i->op->sub) {
		v = c->gpr[i->rm] & operand_mask(size);
		return c->ops->write_dr ? c->ops->write_dr(c, dr, v) : EMUL_UNHANDLED;
	}
	enum emul_result r = c->ops->read_dr ? c->ops->read_dr(c, dr, &v) : EMUL_UNHANDLED;
	if (r == EMUL_OK) {
		operand_gpr_write(c, i->rm, v, size);
	}
	return r;
}

/* CR0 = (CR0 & ~clear) | set, for CLTS and LMSW. */
static enum emul_result change_cr0(struct emul_ctxt *c, uint64_t clear, uint64_t set)
{
	uint64_t cr0;

	if (!c->ops->read_cr || !c->ops->write_cr) {
		return EMUL_UNHANDLED;
	}
	enum emul_result r = c->ops->read_cr(c, 0, &cr0);
	return r == EMUL_OK ? c->ops->write_cr(c, 0, (cr0 & ~clear) | set) : r;
}

enum emul_result exec_sys_clts(struct emul_ctxt *c, struct insn *i)
{
	return change_cr0(c, CR0_TS, 0);
}

static enum emul_result do_smsw(struct emul_ctxt *c, struct insn *i)
{
	uint64_t cr0;

	if ((c->cr4 & CR4_UMIP) && effective_cpl(c, i->mode) > 0) {
		return insn_fault(c, VEC_GP);
	}
	enum emul_result r = c->ops->read_cr ? c->ops->read_cr(c, 0, &cr0) : EMUL_UNHANDLED;
	return r == EMUL_OK ? operand_store(c, i, OPD_RM, i->mem ? 2 : i->op_size, cr0) : r;
}

/* LMSW can set PE but not clear it. */
static enum emul_result do_lmsw(struct emul_ctxt *c, struct insn *i)
{
	uint64_t v;
	enum emul_result r = operand_load(c, i, OPD_RM, 2, &v);

	return r == EMUL_OK ? change_cr0(c, CR0_LMSW_MASK & ~CR0_PE, v & CR0_LMSW_MASK) : r;
}

/* INVLPG forms an address but makes no access: only a non-canonical one is left alone. */
static enum emul_result do_invlpg(struct emul_ctxt *c, struct insn *i)
{
	uint64_t linear = i->ea;

	if (!i->mem || !c->ops->invlpg) {
		return EMUL_UNHANDLED;
	}
	if (effective_cpl(c, i->mode) != 0) {
		return insn_fault(c, VEC_GP);
	}
	if (i->mode != MODE_LONG64) {
		linear = (uint32_t)(linear + emul_get_seg(c, i->mem_seg)->base);
	} else if (i->mem_seg == SEG_FS || i->mem_seg == SEG_GS) {
		linear += emul_get_seg(c, i->mem_seg)->base;
	}
	return operand_canonical(c, linear) ? c->ops->invlpg(c, linear) : EMUL_OK;
}

enum emul_result exec_sys_group7(struct emul_ctxt *c, struct insn *i)
{
	switch (i->op->sub) {
	case 4:
		return do_smsw(c, i);
	case 6:
		return do_lmsw(c, i);
	default:
		return do_invlpg(c, i);
	}
}

static enum emul_result read_msr_to_regs(struct emul_ctxt *c, uint32_t msr)
{
	uint64_t v;
	enum emul_result r = c->ops->read_msr ? c->ops->read_msr(c, msr, &v) : EMUL_UNHANDLED;

	if (r == EMUL_OK) {
		c->gpr[GPR_RAX] = (uint32_t)v;
		c->gpr[GPR_RDX] = v >> 32;
	}
	return r;
}

enum emul_result exec_sys_rdmsr(struct emul_ctxt *c, struct insn *i)
{
	return read_msr_to_regs(c, (uint32_t)c->gpr[GPR_RCX]);
}

enum emul_result exec_sys_rdtsc(struct emul_ctxt *c, struct insn *i)
{
	if ((c->cr4 & CR4_TSD) && effective_cpl(c, i->mode) > 0) {
		return insn_fault(c, VEC_GP);
	}
	return read_msr_to_regs(c, MSR_TSC);
}

enum emul_result exec_sys_wrmsr(struct emul_ctxt *c, struct insn *i)
{
	uint64_t v = c->gpr[GPR_RDX] << 32 | (uint32_t)c->gpr[GPR_RAX];

	return c->ops->write_msr ? c->ops->write_msr(c, (uint32_t)c->gpr[GPR_RCX], v)
				 : EMUL_UNHANDLED;
}

enum emul_result exec_sys_cpuid(struct emul_ctxt *c, struct insn *i)
{
	uint32_t regs[4] = { (uint32_t)c->gpr[GPR_RAX], 0, (uint32_t)c->gpr[GPR_RCX], 0 };
	enum emul_result r = c->ops->cpuid ? c->ops->cpuid(c, regs) : EMUL_UNHANDLED;

	if (r == EMUL_OK) {
		c->gpr[GPR_RAX] = regs[0];
		c->gpr[GPR_RBX] = regs[1];
		c->gpr[GPR_RCX] = regs[2];
		c->gpr[GPR_RDX] = regs[3];
	}
	return r;
}
