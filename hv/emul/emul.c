/*
 * Entry points of the emulator: decode, check what the opcode's row demands, execute, commit RIP.
 *
 * Owns the order of the checks (#UD, #NM, then #GP for privilege) and the out flags of struct
 * emul_ctxt. Pure; no locking. Intel SDM volume 3, "Priority Among Concurrent Events".
 */
#include "emul/insn.h"

/* CR0.EM, CR0.TS and the CR4 bits by which an operating system claims the registers. */
static enum emul_result check_simd(struct emul_ctxt *c, const struct insn *i)
{
	uint64_t cr4_needed = i->vex ? CR4_OSXSAVE : i->op->flags & OPF_SSE ? CR4_OSFXSR : 0;

	if ((!i->vex && (c->cr0 & CR0_EM)) || (c->cr4 & cr4_needed) != cr4_needed) {
		return insn_fault(c, VEC_UD);
	}
	return c->cr0 & CR0_TS ? insn_fault(c, VEC_NM) : EMUL_OK;
}

static enum emul_result check_vex(struct emul_ctxt *c, const struct insn *i)
{
	if (!(i->op->flags & OPF_VEX)) {
		return EMUL_UNHANDLED;
	}
	if (i->mode == MODE_REAL || i->mode == MODE_VM86 ||
	    (i->vex_l && (i->op->flags & OPF_VEX128)) ||
	    (i->vvvv && !(i->op->flags & OPF_VVVV))) {
		return insn_fault(c, VEC_UD);
	}
	return EMUL_OK;
}

static enum emul_result check_row(struct emul_ctxt *c, const struct insn *i)
{
	uint32_t flags = i->op->flags;
	bool virtual_mode = i->mode == MODE_REAL || i->mode == MODE_VM86;

	if (((flags & OPF_NO64) && i->mode == MODE_LONG64) || ((flags & OPF_MEM) && !i->mem) ||
	    ((flags & OPF_PROT) && virtual_mode)) {
		return insn_fault(c, VEC_UD);
	}
	if (flags & (OPF_SSE | OPF_MMX)) {
		enum emul_result r = check_simd(c, i);
		if (r != EMUL_OK) {
			return r;
		}
	}
	if ((flags & OPF_PRIV) && i->mode != MODE_REAL && (c->cpl || i->mode == MODE_VM86)) {
		return insn_fault(c, VEC_GP);
	}
	return EMUL_OK;
}

static enum emul_result check_insn(struct emul_ctxt *c, const struct insn *i)
{
	uint32_t flags = i->op->flags;

	if (i->lock && !((flags & OPF_LOCK) && i->mem) && !(flags & OPF_ALTCR8)) {
		return insn_fault(c, VEC_UD);
	}
	if (i->vex) {
		enum emul_result r = check_vex(c, i);
		if (r != EMUL_OK) {
			return r;
		}
	}
	return flags & OPF_CHECKED ? check_row(c, i) : EMUL_OK;
}

/*
 * Emulate the instruction at CS:RIP. Context: any; may block only where the ops do. See enum
 * emul_result; a REP may return EMUL_OK with rip unchanged, to be called again.
 */
enum emul_result emul_one(struct emul_ctxt *c)
{
	struct insn i;

	c->shadow_sti = c->shadow_ss = c->hlt = false;
	c->segs_changed = 0;
	c->singlestep = c->rflags & FLAG_TF;
	enum emul_result r = decode_insn(c, &i);
	if (r != EMUL_OK) {
		return r;
	}
	if (!i.op->exec) {
		return EMUL_UNHANDLED;
	}
	r = check_insn(c, &i);
	if (r == EMUL_OK) {
		r = i.op->exec(c, &i);
	}
	if (r == EMUL_OK) {
		c->rip = i.next_rip;
		c->rflags &= ~FLAG_RF;
	}
	return r;
}

/* Length of the instruction at CS:RIP, or 0; fills c->decoded and may fill c->fault. */
unsigned int emul_insn_length(struct emul_ctxt *c)
{
	struct insn i;

	return decode_insn(c, &i) == EMUL_OK ? i.pos : 0;
}

static bool is_prefix(uint8_t b, bool long64)
{
	switch (b) {
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
	case 0x64 ... 0x67:
	case 0xf0:
	case 0xf2:
	case 0xf3:
		return true;
	case 0x40 ... 0x4f:
		return long64;
	default:
		return false;
	}
}

unsigned int emul_match_length(const uint8_t *insn, unsigned int avail, const uint8_t *opcode,
			       unsigned int opcode_len, bool long64)
{
	unsigned int n = 0;

	avail = MIN(avail, INSN_MAX_LENGTH);
	while (n < avail && is_prefix(insn[n], long64)) {
		n++;
	}
	if (avail - n < opcode_len || memcmp(insn + n, opcode, opcode_len) != 0) {
		return 0;
	}
	return n + opcode_len;
}
