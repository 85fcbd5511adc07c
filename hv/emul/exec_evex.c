/*
 * The AVX-512 moves (EVEX prefix) between memory and vector registers that memcpy() and drivers use on device memory.
 *
 * One table says which opcodes these are, how wide and in which elements; everything else behind an EVEX prefix is not
 * emulated. Elements that the mask leaves out are not touched in memory. Of a masked store that faults in its second page
 * the elements of the first may have been stored; the program repeats it. Pure. Intel SDM volume 2, "Intel AVX-512
 * Encoding" and "Compressed Displacement (disp8*N)".
 */
#include "emul/insn.h"

#define VEC_BYTES 64u

enum { W0, W1, WANY };

struct evex_form {
	uint8_t map, opcode, prefix, w;
	uint8_t element;                /* bytes that a mask bit stands for; 0: 4 or 8 by W */
	uint8_t bytes;                  /* 0: the vector length */
	bool store, aligned, no_mask;
};

static const struct evex_form forms[] = {
	{ 1, 0x10, 0, W0, 4, 0, false, false, false },          /* VMOVUPS */
	{ 1, 0x11, 0, W0, 4, 0, true, false, false },
	{ 1, 0x10, 0x66, W1, 8, 0, false, false, false },       /* VMOVUPD */
	{ 1, 0x11, 0x66, W1, 8, 0, true, false, false },
	{ 1, 0x10, 0xf3, W0, 4, 4, false, false, false },       /* VMOVSS */
	{ 1, 0x11, 0xf3, W0, 4, 4, true, false, false },
	{ 1, 0x10, 0xf2, W1, 8, 8, false, false, false },       /* VMOVSD */
	{ 1, 0x11, 0xf2, W1, 8, 8, true, false, false },
	{ 1, 0x28, 0, W0, 4, 0, false, true, false },           /* VMOVAPS */
	{ 1, 0x29, 0, W0, 4, 0, true, true, false },
	{ 1, 0x28, 0x66, W1, 8, 0, false, true, false },        /* VMOVAPD */
	{ 1, 0x29, 0x66, W1, 8, 0, true, true, false },
	{ 1, 0x2b, 0, W0, 4, 0, true, true, true },             /* VMOVNTPS */
	{ 1, 0x2b, 0x66, W1, 8, 0, true, true, true },          /* VMOVNTPD */
	{ 1, 0x6f, 0x66, WANY, 0, 0, false, true, false },      /* VMOVDQA32/64 */
	{ 1, 0x7f, 0x66, WANY, 0, 0, true, true, false },
	{ 1, 0x6f, 0xf3, WANY, 0, 0, false, false, false },     /* VMOVDQU32/64 */
	{ 1, 0x7f, 0xf3, WANY, 0, 0, true, false, false },
	{ 1, 0x6f, 0xf2, W0, 1, 0, false, false, false },       /* VMOVDQU8 */
	{ 1, 0x7f, 0xf2, W0, 1, 0, true, false, false },
	{ 1, 0x6f, 0xf2, W1, 2, 0, false, false, false },       /* VMOVDQU16 */
	{ 1, 0x7f, 0xf2, W1, 2, 0, true, false, false },
	{ 1, 0x6e, 0x66, W0, 4, 4, false, false, true },        /* VMOVD, VMOVQ */
	{ 1, 0x6e, 0x66, W1, 8, 8, false, false, true },
	{ 1, 0x7e, 0x66, W0, 4, 4, true, false, true },
	{ 1, 0x7e, 0x66, W1, 8, 8, true, false, true },
	{ 1, 0x7e, 0xf3, W1, 8, 8, false, false, true },
	{ 1, 0xd6, 0x66, W1, 8, 8, true, false, true },
	{ 1, 0xe7, 0x66, W0, 4, 0, true, true, true },          /* VMOVNTDQ, VMOVNTDQA */
	{ 2, 0x2a, 0x66, W0, 4, 0, false, true, true },
};

/* Where in the table it is, or its size. */
static unsigned int find(const struct insn *i, uint8_t map)
{
	uint8_t prefix = i->opsize_prefix ? 0x66 : i->rep, w = i->rex & 8 ? W1 : W0;
	unsigned int n;

	for (n = 0; n < ARRAY_SIZE(forms); n++) {
		const struct evex_form *f = &forms[n];
		if (f->map == map && f->opcode == i->opcode && f->prefix == prefix && (f->w == w || f->w == WANY)) {
			break;
		}
	}
	return n;
}

static unsigned int form_bytes(const struct insn *i, const struct evex_form *f)
{
	return f->bytes ? f->bytes : 16u << i->evex.length;
}

/* The row for the opcode byte of an EVEX instruction: one for all, or one that is not known. */
const struct opcode *exec_evex_row(struct insn *i, uint8_t map)
{
	static const struct opcode row = { exec_evex, .flags = OPF_KNOWN | OPF_MODRM };
	static const struct opcode unknown;

	unsigned int n = find(i, map);
	if (n == ARRAY_SIZE(forms) || i->evex.length > 2) {
		return &unknown;
	}
	i->evex.form = (uint8_t)n;
	while (1u << i->evex.disp_shift < form_bytes(i, &forms[n])) {
		i->evex.disp_shift++;
	}
	return &row;
}

static enum emul_result check(struct emul_ctxt *c, const struct insn *i, const struct evex_form *f)
{
	bool mode = i->mode == MODE_LONG64 || i->mode == MODE_PROT;

	if (!mode || !(c->cr4 & CR4_OSXSAVE) || i->evex.broadcast || i->vvvv != 0 || (i->evex.mask && f->no_mask) ||
	    (i->evex.zero && (f->store || !i->evex.mask)) || (f->bytes && f->no_mask && i->evex.length != 0)) {
		return insn_fault(c, VEC_UD);
	}
	return c->cr0 & CR0_TS ? insn_fault(c, VEC_NM) : EMUL_OK;
}

/* Move the elements that the mask has, in pieces as long as possible. Without any there is no access, at whatever address. */
enum emul_result exec_evex_transfer(struct emul_ctxt *c, const struct insn *i, uint8_t *v, uint64_t mask,
				    unsigned int element, unsigned int count, bool store)
{
	for (unsigned int from = 0, to; from < count; from = to) {
		for (to = from; to < count && (mask >> to & 1); to++) {
		}
		if (to == from) {
			to++;
			continue;
		}
		unsigned int at = from * element, n = (to - from) * element;
		uint64_t ea = (i->ea + at) & operand_mask(i->addr_size);
		enum emul_result r = store ? operand_mem_write(c, i, i->mem_seg, ea, v + at, n)
					   : operand_mem_read(c, i, i->mem_seg, ea, v + at, n);
		if (r != EMUL_OK) {
			return r;
		}
	}
	return EMUL_OK;
}

static enum emul_result move(struct emul_ctxt *c, const struct insn *i, const struct evex_form *f, uint8_t *v,
			     uint64_t mask)
{
	unsigned int element = f->element ? f->element : i->rex & 8 ? 8 : 4, count = form_bytes(i, f) / element;

	mask &= ~0ull >> (64 - count);
	if (mask != 0 && f->aligned && operand_misaligned(c, i, form_bytes(i, f))) {
		return insn_fault(c, VEC_GP);
	}
	return exec_evex_transfer(c, i, v, mask, element, count, f->store);
}

enum emul_result exec_evex(struct emul_ctxt *c, struct insn *i)
{
	const struct evex_form *f = &forms[i->evex.form];
	bool old = f->store || (i->evex.mask && !i->evex.zero);
	uint8_t v[VEC_BYTES] = { 0 };
	uint64_t mask = ~0ull;
	enum emul_result r = EMUL_OK;

	if (!i->mem || !c->ops->read_mask || !c->ops->read_vec || !c->ops->write_vec) {
		return EMUL_UNHANDLED;
	}
	r = check(c, i, f);
	if (r == EMUL_OK && i->evex.mask) {
		r = c->ops->read_mask(c, i->evex.mask, &mask);
	}
	if (r == EMUL_OK && old) {
		r = c->ops->read_vec(c, i->reg, v, VEC_BYTES);
	}
	if (r == EMUL_OK) {
		/* a load clears what lies above it */
		memset(v + form_bytes(i, f), 0, f->store ? 0 : VEC_BYTES - form_bytes(i, f));
		r = move(c, i, f, v, mask);
	}
	return r == EMUL_OK && !f->store ? c->ops->write_vec(c, i->reg, v, VEC_BYTES) : r;
}
