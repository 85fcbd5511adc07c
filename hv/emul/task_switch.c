/*
 * The hardware task switch: save to the old TSS, check and read the new one, load all of it.
 *
 * Two phases. Before the commit every fault is the old task's and nothing of ctxt has changed; after it
 * every fault is the new task's. Owns the layout of both kinds of TSS. Pure; no locking.
 * Intel SDM volume 3, "Task Management".
 */
#include "emul/task_switch.h"
#include "emul/insn.h"

#define TSS_MAX        104u
#define TSS_LINK       0u
#define TSS32_CR3      0x1cu
#define TSS32_TRAP     0x64u
#define TYPE_TSS16     1u
#define TYPE_LDT       2u
#define TYPE_TSS_BUSY  2u
#define TYPE_TSS32     9u
#define SEG_ATTR_CONF  4u       /* conforming code */
#define SEG_ATTR_G     0x800u
#define DR7_LOCAL      0x155ull
#define SAVED_FLAGS    0x3f7fd5ull

/* Where the two kinds of TSS have what. Registers and selectors follow in the order of our enums. */
static const struct tss_layout {
	uint8_t size, width, ip, flags, gprs, segs, seg_count, ldt;
} layouts[] = {
	{ .size = 0x2c, .width = 2, .ip = 0x0e, .flags = 0x10, .gprs = 0x12, .segs = 0x22,
	  .seg_count = 4, .ldt = 0x2a },
	{ .size = 0x68, .width = 4, .ip = 0x20, .flags = 0x24, .gprs = 0x28, .segs = 0x48,
	  .seg_count = 6, .ldt = 0x60 },
};

static const struct tss_layout *layout_of(const struct emul_segment *tss)
{
	return &layouts[(tss->attr & 0xd) == TYPE_TSS32];
}

static enum emul_result task_fault(struct emul_ctxt *c, uint8_t vector, uint16_t sel)
{
	c->fault = (struct emul_fault){ .vector = vector, .has_error = true, .error = sel & ~3u };
	return EMUL_FAULT;
}

static struct emul_segment unpack(uint16_t sel, uint64_t d)
{
	struct emul_segment s = {
		.sel = sel,
		.attr = (uint16_t)((d >> 40 & 0xff) | (d >> 44 & 0xf00)),
		.base = (d >> 16 & 0xffffff) | (d >> 32 & 0xff000000),
		.limit = (uint32_t)((d & 0xffff) | (d >> 32 & 0xf0000)),
	};

	if (s.attr & SEG_ATTR_G) {
		s.limit = s.limit << 12 | 0xfff;
	}
	return s;
}

/* Fetch a descriptor; *at is its linear address. A selector outside of its table is the given fault. */
static enum emul_result read_descriptor(struct emul_ctxt *c, const struct task_switch *t,
					uint16_t sel, uint8_t vector, struct emul_segment *s,
					uint64_t *at)
{
	bool local = sel & 4;
	uint32_t limit = local ? t->ldtr.limit : t->gdt_limit;
	uint64_t d;

	if ((local && !(t->ldtr.attr & SEG_ATTR_P)) || (sel | 7u) > limit) {
		return task_fault(c, vector, sel);
	}
	*at = (uint32_t)((local ? t->ldtr.base : t->gdt_base) + (sel & ~7u));
	enum emul_result r = c->ops->read(c, *at, &d, sizeof(d), EMUL_ACC_SYSTEM);
	if (r == EMUL_OK) {
		*s = unpack(sel, d);
	}
	return r;
}

static enum emul_result write_attr(struct emul_ctxt *c, uint64_t descriptor, uint16_t attr)
{
	uint8_t b = (uint8_t)attr;

	return c->ops->write(c, descriptor + 5, &b, 1, EMUL_ACC_SYSTEM);
}

static uint32_t get(const uint8_t *tss, unsigned int at, unsigned int width)
{
	uint32_t v = 0;

	memcpy(&v, tss + at, width);
	return v;
}

/* --- the old task --- */

/* The descriptor of the new task's TSS, and whether it may be switched to. */
static enum emul_result find_new(struct emul_ctxt *c, const struct task_switch *t,
				 struct emul_segment *s, uint64_t *at)
{
	uint8_t vector = t->source == TASK_IRET ? VEC_TS : VEC_GP;
	uint16_t busy = t->source == TASK_IRET ? TYPE_TSS_BUSY : 0;

	if ((t->sel & 4) || (t->sel & ~3u) == 0) {
		return task_fault(c, vector, t->sel);
	}
	enum emul_result r = read_descriptor(c, t, t->sel, vector, s, at);
	if (r != EMUL_OK) {
		return r;
	}
	uint16_t type = s->attr & (SEG_ATTR_TYPE | SEG_ATTR_S);
	if (type != (TYPE_TSS16 | busy) && type != (TYPE_TSS32 | busy)) {
		return task_fault(c, vector, t->sel);
	}
	if (!(s->attr & SEG_ATTR_P)) {
		return task_fault(c, VEC_NP, t->sel);
	}
	return s->limit + 1ull < layout_of(s)->size ? task_fault(c, VEC_TS, t->sel) : EMUL_OK;
}

/* Registers and selectors into the old TSS: one run of at most 64 bytes in either layout. */
static enum emul_result save_old(struct emul_ctxt *c, const struct task_switch *t)
{
	const struct tss_layout *l = layout_of(&c->tr);
	unsigned int end = l->segs + l->seg_count * l->width;
	uint32_t flags = (uint32_t)c->rflags;
	uint8_t tss[TSS_MAX] = { 0 };

	if (c->tr.limit + 1ull < l->size) {
		return task_fault(c, VEC_TS, c->tr.sel);
	}
	if (t->source == TASK_IRET) {
		flags &= ~(uint32_t)FLAG_NT;
	}
	memcpy(tss + l->ip, &c->rip, l->width);
	memcpy(tss + l->flags, &flags, l->width);
	for (unsigned int n = 0; n < 8; n++) {
		memcpy(tss + l->gprs + n * l->width, &c->gpr[n], l->width);
	}
	for (unsigned int n = 0; n < l->seg_count; n++) {
		memcpy(tss + l->segs + n * l->width, &c->seg[n].sel, 2);
	}
	return c->ops->write(c, (uint32_t)(c->tr.base + l->ip), tss + l->ip, end - l->ip,
			     EMUL_ACC_SYSTEM);
}

static enum emul_result read_new(struct emul_ctxt *c, const struct emul_segment *s, uint8_t *tss)
{
	unsigned int size = layout_of(s)->size, first = MIN(size, 64);
	enum emul_result r = c->ops->read(c, (uint32_t)s->base, tss, first, EMUL_ACC_SYSTEM);

	if (r == EMUL_OK && size > first) {
		r = c->ops->read(c, (uint32_t)(s->base + first), tss + first, size - first,
				 EMUL_ACC_SYSTEM);
	}
	return r;
}

/* Back link and busy bits: who is in a chain of tasks. */
static enum emul_result link_tasks(struct emul_ctxt *c, const struct task_switch *t,
				   struct emul_segment *s, uint64_t at)
{
	bool nested = t->source == TASK_CALL || t->source == TASK_GATE;
	enum emul_result r = EMUL_OK;

	if (nested) {
		r = c->ops->write(c, (uint32_t)(s->base + TSS_LINK), &c->tr.sel, 2,
				  EMUL_ACC_SYSTEM);
	} else {
		struct emul_segment old;
		uint64_t old_at;
		r = read_descriptor(c, t, c->tr.sel, VEC_TS, &old, &old_at);
		if (r == EMUL_OK) {
			r = write_attr(c, old_at, old.attr & ~TYPE_TSS_BUSY);
		}
	}
	/* The one in the register is always busy, and so is what IRET returns to. */
	s->attr |= TYPE_TSS_BUSY;
	return r == EMUL_OK ? write_attr(c, at, s->attr) : r;
}

/* --- the new task --- */

/* Virtual-8086 mode: the selector says it all. */
static struct emul_segment v86_segment(uint16_t sel)
{
	return (struct emul_segment){ .sel = sel, .attr = 0xf3, .limit = 0xffff, .base = (uint64_t)sel << 4 };
}

/*
 * From here on there is no way back. Until their descriptors have been checked, CS and SS stand in
 * as flat segments, so that a fault can be delivered from a state that processors accept.
 */
static void commit(struct emul_ctxt *c, struct task_switch *t, const struct emul_segment *s,
		   const uint8_t *tss)
{
	const struct tss_layout *l = layout_of(s);
	bool nested = t->source == TASK_CALL || t->source == TASK_GATE;

	t->switched = true;
	c->tr = *s;
	c->rip = get(tss, l->ip, l->width);
	c->rflags = (get(tss, l->flags, l->width) & SAVED_FLAGS) | FLAG_FIXED |
		    (nested ? FLAG_NT : 0);
	for (unsigned int n = 0; n < 8; n++) {
		c->gpr[n] = get(tss, l->gprs + n * l->width, l->width);
	}
	for (unsigned int n = 0; n < SEG_COUNT; n++) {
		uint16_t sel = n < l->seg_count ? (uint16_t)get(tss, l->segs + n * l->width, 2) : 0;
		c->seg[n] = c->rflags & FLAG_VM ? v86_segment(sel) : (struct emul_segment){ .sel = sel };
	}
	c->cpl = c->rflags & FLAG_VM ? 3 : c->seg[SEG_CS].sel & 3;
	if (!(c->rflags & FLAG_VM)) {
		c->seg[SEG_CS].attr = (uint16_t)(0xc9b | c->cpl << 5);
		c->seg[SEG_SS].attr = (uint16_t)(0xc93 | c->cpl << 5);
		c->seg[SEG_CS].limit = c->seg[SEG_SS].limit = UINT32_MAX;
	}
	t->ldtr = (struct emul_segment){ .sel = (uint16_t)get(tss, l->ldt, 2) };
	t->debug_trap = l->width == 4 && (tss[TSS32_TRAP] & 1);
}

static enum emul_result load_control(struct emul_ctxt *c, const struct emul_segment *s,
				     const uint8_t *tss)
{
	enum emul_result r = EMUL_OK;
	uint64_t v;

	if (c->ops->read_dr && c->ops->write_dr) {
		r = c->ops->read_dr(c, 7, &v);
		if (r == EMUL_OK) {
			r = c->ops->write_dr(c, 7, v & ~DR7_LOCAL);
		}
	}
	if (r == EMUL_OK && layout_of(s)->width == 4 && (c->cr0 & BIT(31))) {
		r = c->ops->write_cr(c, 3, get(tss, TSS32_CR3, 4));
	}
	if (r == EMUL_OK) {
		c->cr0 |= CR0_TS;
		r = c->ops->write_cr(c, 0, c->cr0);
	}
	return r;
}

static enum emul_result load_ldt(struct emul_ctxt *c, struct task_switch *t)
{
	uint16_t sel = t->ldtr.sel;
	struct emul_segment s;
	uint64_t at;

	if ((sel & ~3u) == 0) {
		return EMUL_OK;
	}
	if (sel & 4) {
		return task_fault(c, VEC_TS, sel);
	}
	enum emul_result r = read_descriptor(c, t, sel, VEC_TS, &s, &at);
	if (r != EMUL_OK) {
		return r;
	}
	if ((s.attr & (SEG_ATTR_TYPE | SEG_ATTR_S)) != TYPE_LDT || !(s.attr & SEG_ATTR_P)) {
		return task_fault(c, VEC_TS, sel);
	}
	t->ldtr = s;
	return EMUL_OK;
}

/* The vector that loading this segment raises, or 0. */
static uint8_t check_segment(const struct emul_ctxt *c, unsigned int seg,
			     const struct emul_segment *s)
{
	unsigned int dpl = s->attr >> 5 & 3, rpl = s->sel & 3;
	bool code = s->attr & SEG_ATTR_CODE, rw = s->attr & SEG_ATTR_RW;
	bool conforming = code && (s->attr & SEG_ATTR_CONF);

	if (!(s->attr & SEG_ATTR_S)) {
		return VEC_TS;
	}
	if (seg == SEG_CS) {
		if (!code || (conforming ? dpl > rpl : dpl != rpl)) {
			return VEC_TS;
		}
		return s->attr & SEG_ATTR_P ? 0 : VEC_NP;
	}
	if (seg == SEG_SS) {
		if (code || !rw || dpl != c->cpl || rpl != c->cpl) {
			return VEC_TS;
		}
		return s->attr & SEG_ATTR_P ? 0 : VEC_SS;
	}
	if ((code && !rw) || (!conforming && (dpl < c->cpl || dpl < rpl))) {
		return VEC_TS;
	}
	return s->attr & SEG_ATTR_P ? 0 : VEC_NP;
}

static enum emul_result load_segment(struct emul_ctxt *c, const struct task_switch *t,
				     unsigned int seg)
{
	uint16_t sel = c->seg[seg].sel;
	struct emul_segment s;
	uint64_t at;

	if (c->rflags & FLAG_VM) {
		return EMUL_OK;         /* commit() has made it */
	}
	if ((sel & ~3u) == 0) {
		return seg == SEG_CS || seg == SEG_SS ? task_fault(c, VEC_TS, sel) : EMUL_OK;
	}
	enum emul_result r = read_descriptor(c, t, sel, VEC_TS, &s, &at);
	if (r != EMUL_OK) {
		return r;
	}
	uint8_t vector = check_segment(c, seg, &s);
	if (vector) {
		return task_fault(c, vector, sel);
	}
	if (!(s.attr & 1)) {
		s.attr |= 1;
		r = write_attr(c, at, s.attr);
	}
	if (r == EMUL_OK) {
		c->seg[seg] = s;
	}
	return r;
}

/* LDT and segments, CS before those that depend on the privilege level; then the first fetch's limit. */
static enum emul_result load_segments(struct emul_ctxt *c, struct task_switch *t)
{
	static const uint8_t order[] = { SEG_CS, SEG_SS, SEG_DS, SEG_ES, SEG_FS, SEG_GS };
	enum emul_result r = load_ldt(c, t);

	for (unsigned int n = 0; r == EMUL_OK && n < ARRAY_SIZE(order); n++) {
		r = load_segment(c, t, order[n]);
	}
	if (r == EMUL_OK && c->rip > c->seg[SEG_CS].limit) {
		r = insn_fault(c, VEC_GP);
	}
	return r;
}

/* The event's error code goes onto the new stack, as wide as the new TSS. */
static enum emul_result push_error(struct emul_ctxt *c, const struct task_switch *t)
{
	struct insn i = { .mode = decode_mode(c) };
	uint64_t rsp = c->gpr[GPR_RSP];
	enum emul_result r = operand_push(c, &i, &rsp, t->error, layout_of(&c->tr)->width);

	if (r == EMUL_OK) {
		operand_set_rsp(c, &i, rsp);
	}
	return r;
}

enum emul_result task_switch(struct emul_ctxt *c, struct task_switch *t)
{
	uint8_t tss[TSS_MAX];
	struct emul_segment s;
	uint64_t at;

	t->switched = t->debug_trap = false;
	if (!c->ops->write_cr || decode_mode(c) == MODE_REAL || (c->efer & EFER_LMA)) {
		return EMUL_UNHANDLED;
	}
	enum emul_result r = find_new(c, t, &s, &at);
	if (r == EMUL_OK) {
		r = save_old(c, t);
	}
	if (r == EMUL_OK) {
		r = read_new(c, &s, tss);
	}
	if (r == EMUL_OK) {
		r = link_tasks(c, t, &s, at);
	}
	if (r != EMUL_OK) {
		return r;
	}
	commit(c, t, &s, tss);
	r = load_control(c, &s, tss);
	if (r == EMUL_OK) {
		r = load_segments(c, t);
	}
	if (r == EMUL_OK && t->has_error) {
		r = push_error(c, t);
	}
	return r;
}
