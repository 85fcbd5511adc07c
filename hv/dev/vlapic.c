/*
 * Local APIC: registers, priorities, EOI, the IA32_APIC_BASE state machine.
 *
 * One table describes every register for both views of it: the index is the MMIO offset / 10h and
 * the x2APIC MSR - 800h. Manual: Intel SDM, "Advanced Programmable Interrupt Controller (APIC)".
 * The timer is in vlapic_timer.c, ICR and destinations in vlapic_ipi.c. Locking: see vlapic.h.
 */
#include "lib/atomic.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/util.h"
#include "dev/vlapic_int.h"

#define MSR_APIC_BASE     0x1bu
#define MSR_X2APIC_FIRST  0x800u
#define MSR_X2APIC_LAST   0x83fu
#define MSR_TSC_DEADLINE  0x6e0u

#define BASE_ADDRESS      0x000ffffffffff000ull
#define BASE_RESERVED     (~(BASE_ADDRESS | APIC_BASE_BSP | APIC_BASE_X2APIC | APIC_BASE_ENABLE))

/* Version 14h, highest LVT entry 6 (CMCI). */
#define VERSION_VALUE     0x00060014u
#define VERSION_SUPPRESS  (1u << 24)
#define SVR_VALID         (0x000003ffu | SVR_SUPPRESS)
#define DFR_ONES          0x0fffffffu
#define ICR_INDEX         0x30

struct reg {
	uint32_t (*read)(const struct vlapic *v, unsigned int index);
	void (*write)(struct vlapic *v, unsigned int index, uint32_t value);
	uint32_t x2_valid;              /* any other bit set in an x2APIC write is #GP */
	enum { BOTH, XAPIC_ONLY, X2APIC_ONLY } where;
};

/* What software may write of an LVT entry; status and remote IRR are read-only zeros here. */
#define LVT_VALID_PLAIN 0x000107ffu     /* vector, delivery mode, mask */
#define LVT_VALID_TIMER 0x000700ffu     /* vector, mask, timer mode */
#define LVT_VALID_LINT  0x0001a7ffu     /* plain, polarity, trigger mode */
#define LVT_VALID_ERROR 0x000100ffu     /* vector, mask */

static const uint32_t lvt_valid[] = {
	[LVT_CMCI] = LVT_VALID_PLAIN,  [LVT_TIMER] = LVT_VALID_TIMER,
	[LVT_THERMAL] = LVT_VALID_PLAIN, [LVT_PERF] = LVT_VALID_PLAIN,
	[LVT_LINT0] = LVT_VALID_LINT,  [LVT_LINT1] = LVT_VALID_LINT,
	[LVT_ERROR] = LVT_VALID_ERROR,
};
#define LVT_READ_ONLY 0x00005000u

static uint64_t bit_word(const uint64_t *map, unsigned int i)
{
	return READ_ONCE(map[i]);
}

/* Highest bit set in a 256-bit map, or -1. */
static int highest(const uint64_t *map)
{
	for (int i = 3; i >= 0; i--) {
		uint64_t word = bit_word(map, i);

		if (word != 0) {
			return i * 64 + 63 - __builtin_clzll(word);
		}
	}
	return -1;
}

bool vlapic_hw_enabled(const struct vlapic *v)
{
	return READ_ONCE(v->base) & APIC_BASE_ENABLE;
}

bool vlapic_sw_enabled(const struct vlapic *v)
{
	return vlapic_hw_enabled(v) && (READ_ONCE(v->svr) & SVR_ENABLE);
}

static void dest_changed(struct vlapic *v)
{
	if (v->host->dest_changed != NULL) {
		v->host->dest_changed(v->host->ctx);
	}
}

/* ---- Priorities and the way of one interrupt ---- */

uint8_t vlapic_ppr(const struct vlapic *v)
{
	int isr = highest(v->isr);
	uint8_t in_service = isr < 0 ? 0 : isr & 0xf0;

	return (v->tpr & 0xf0) >= in_service ? v->tpr : in_service;
}

uint8_t vlapic_apr(const struct vlapic *v)
{
	int isr = highest(v->isr), irr = highest(v->irr);
	uint8_t tpr = READ_ONCE(v->tpr), in_service = isr < 0 ? 0 : isr & 0xf0;
	uint8_t waiting = irr < 0 ? 0 : irr & 0xf0;

	if ((tpr & 0xf0) >= waiting && (tpr & 0xf0) > in_service) {
		return tpr;
	}
	return MAX((uint8_t)(tpr & 0xf0 & in_service), waiting);
}

bool vlapic_set_irq(struct vlapic *v, uint8_t vector, bool level)
{
	if (vector < 16) {
		vlapic_error(v, APIC_ESR_RECEIVE_ILLEGAL);
		return false;
	}
	if (!vlapic_sw_enabled(v)) {
		return false;
	}
	/* The trigger mode must be there before anybody can acknowledge the vector. */
	if (level) {
		atomic_set_bit(v->tmr, vector);
	} else if (test_bit(v->tmr, vector)) {
		atomic_clear_bit(v->tmr, vector);
	}
	return !atomic_set_bit(v->irr, vector);
}

bool vlapic_waiting(const struct vlapic *v, uint8_t vector)
{
	/* in this order: lending writes the second before it empties the first */
	return test_bit(v->irr, vector) || test_bit(v->lent, vector);
}

int vlapic_pending(const struct vlapic *v)
{
	int irr = highest(v->irr);

	if (irr < 0 || !vlapic_sw_enabled(v) || (irr & 0xf0) <= (vlapic_ppr(v) & 0xf0)) {
		return -1;
	}
	return irr;
}

bool vlapic_blocked_by_tpr(const struct vlapic *v)
{
	int irr = (v->tpr & 0xf0) != 0 ? highest(v->irr) : -1, isr;

	/* Nearly always nothing waits; and of the lowest class, which a priority of 0 blocks, there is nothing. */
	if (irr < 0) {
		return false;
	}
	isr = highest(v->isr);
	return vlapic_sw_enabled(v) && (irr & 0xf0) <= (int)(v->tpr & 0xf0) &&
	       (irr & 0xf0) > (isr < 0 ? 0 : isr & 0xf0);
}

void vlapic_ack(struct vlapic *v, uint8_t vector)
{
	atomic_clear_bit(v->irr, vector);
	v->isr[vector / 64] |= BIT(vector % 64);
	if (v->tick.owed != 0) {
		vlapic_timer_taken(v, vector);
	}
}

void vlapic_write_eoi(struct vlapic *v)
{
	int vector = highest(v->isr);

	if (vector < 0) {
		return;
	}
	v->isr[vector / 64] &= ~BIT(vector % 64);
	if (test_bit(v->tmr, vector) && !(v->svr & SVR_SUPPRESS)) {
		v->host->eoi(v->host->ctx, vector);
	}
}

void vlapic_set_cr8(struct vlapic *v, uint64_t cr8)
{
	v->tpr = (cr8 & 0xf) << 4;
}

uint64_t vlapic_get_cr8(const struct vlapic *v)
{
	return v->tpr >> 4;
}

/* ---- Local sources and errors ---- */

void vlapic_error(struct vlapic *v, uint32_t esr_bit)
{
	uint32_t lvt = READ_ONCE(v->lvt[LVT_ERROR]);

	/* One interrupt per write of the ESR: the errors that follow only gather. */
	if (atomic_or(&v->esr_pending, esr_bit) != 0 || (lvt & LVT_MASKED)) {
		return;
	}
	if ((lvt & LVT_VECTOR) < 16) {
		/* Reporting this by another error interrupt would never end. */
		atomic_or(&v->esr_pending, APIC_ESR_RECEIVE_ILLEGAL);
		return;
	}
	vlapic_set_irq(v, lvt & LVT_VECTOR, false);
}

void vlapic_fire_lvt(struct vlapic *v, unsigned int i)
{
	uint32_t lvt;
	struct apic_msg msg = { .shorthand = APIC_DEST_SELF, .assert = true };

	if (i >= ARRAY_SIZE(v->lvt) || !vlapic_hw_enabled(v)) {
		return;
	}
	lvt = v->lvt[i];
	if (lvt & LVT_MASKED) {
		return;
	}
	if (i == LVT_PERF) {
		/* The processor masks the counter's entry with each interrupt it sends. */
		v->lvt[i] |= LVT_MASKED;
	}
	msg.vector = lvt & LVT_VECTOR;
	msg.delivery = lvt >> LVT_DELIVERY_SHIFT & 7;
	msg.x2apic = vlapic_in_x2apic(v);
	/* The timer and error entries have no delivery mode field: it reads as fixed. */
	switch (msg.delivery) {
	case APIC_DM_FIXED:
		vlapic_set_irq(v, msg.vector, false);
		break;
	case APIC_DM_NMI:
	case APIC_DM_SMI:
	case APIC_DM_INIT:
		v->host->ipi(v->host->ctx, &msg);
		break;
	default:
		break;
	}
}

bool vlapic_accepts_pic(const struct vlapic *v)
{
	uint32_t lint0 = READ_ONCE(v->lvt[LVT_LINT0]);

	if (!vlapic_hw_enabled(v)) {
		return v->bsp;
	}
	return !(lint0 & LVT_MASKED) && (lint0 >> LVT_DELIVERY_SHIFT & 7) == APIC_DM_EXTINT;
}

/* ---- Registers ---- */

static uint32_t read_id(const struct vlapic *v, unsigned int index)
{
	return vlapic_in_x2apic(v) ? v->id : v->xapic_id;
}

static uint32_t read_version(const struct vlapic *v, unsigned int index)
{
	return VERSION_VALUE | (v->x2apic_ok ? VERSION_SUPPRESS : 0);
}

static uint32_t read_zero(const struct vlapic *v, unsigned int index)
{
	return 0;
}

static uint32_t read_tpr(const struct vlapic *v, unsigned int index)
{
	return v->tpr;
}

static uint32_t read_ppr(const struct vlapic *v, unsigned int index)
{
	return vlapic_ppr(v);
}

static uint32_t read_ldr(const struct vlapic *v, unsigned int index)
{
	return v->ldr;
}

static uint32_t read_dfr(const struct vlapic *v, unsigned int index)
{
	return v->dfr;
}

static uint32_t read_svr(const struct vlapic *v, unsigned int index)
{
	return v->svr;
}

/* ISR, TMR and IRR are eight 32-bit registers each. */
static uint32_t read_bits(const struct vlapic *v, unsigned int index)
{
	static const size_t maps[] = { offsetof(struct vlapic, isr), offsetof(struct vlapic, tmr),
				       offsetof(struct vlapic, irr) };
	const uint64_t *map = (const uint64_t *)((const char *)v + maps[(index - 0x10) / 8]);
	unsigned int i = index % 8;

	return bit_word(map, i / 2) >> (i % 2 * 32);
}

static uint32_t read_esr(const struct vlapic *v, unsigned int index)
{
	return v->esr;
}

static uint32_t read_icr_low(const struct vlapic *v, unsigned int index)
{
	return v->icr;
}

static uint32_t read_icr_high(const struct vlapic *v, unsigned int index)
{
	return v->icr >> 32;
}

static unsigned int lvt_of(unsigned int index)
{
	return index == 0x2f ? LVT_CMCI : index - 0x32 + LVT_TIMER;
}

static uint32_t read_lvt(const struct vlapic *v, unsigned int index)
{
	return v->lvt[lvt_of(index)];
}

static uint32_t read_timer_icr(const struct vlapic *v, unsigned int index)
{
	return v->timer_icr;
}

static uint32_t read_timer_count(const struct vlapic *v, unsigned int index)
{
	return vlapic_timer_count(v);
}

static uint32_t read_timer_dcr(const struct vlapic *v, unsigned int index)
{
	return v->timer_dcr;
}

static void write_tpr(struct vlapic *v, unsigned int index, uint32_t value)
{
	v->tpr = value & 0xff;
}

static void write_eoi(struct vlapic *v, unsigned int index, uint32_t value)
{
	vlapic_write_eoi(v);
}

static void write_ldr(struct vlapic *v, unsigned int index, uint32_t value)
{
	WRITE_ONCE(v->ldr, value & 0xff000000);
	dest_changed(v);
}

static void write_dfr(struct vlapic *v, unsigned int index, uint32_t value)
{
	WRITE_ONCE(v->dfr, value | DFR_ONES);
	dest_changed(v);
}

static void write_lvt(struct vlapic *v, unsigned int index, uint32_t value)
{
	unsigned int i = lvt_of(index);

	value &= lvt_valid[i];
	if (!(v->svr & SVR_ENABLE)) {
		value |= LVT_MASKED;
	}
	if (i == LVT_TIMER) {
		vlapic_timer_write_lvt(v, value);
	} else {
		WRITE_ONCE(v->lvt[i], value);
	}
}

static void write_svr(struct vlapic *v, unsigned int index, uint32_t value)
{
	uint32_t old = v->svr;

	value &= v->x2apic_ok ? SVR_VALID : SVR_VALID & ~SVR_SUPPRESS;
	WRITE_ONCE(v->svr, value);
	if (((old ^ value) & SVR_ENABLE) == 0) {
		return;
	}
	dest_changed(v);
	if (value & SVR_ENABLE) {
		v->host->enabled(v->host->ctx);
		return;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(v->lvt); i++) {
		if (i == LVT_TIMER) {
			vlapic_timer_write_lvt(v, v->lvt[i] | LVT_MASKED);
		} else {
			WRITE_ONCE(v->lvt[i], v->lvt[i] | LVT_MASKED);
		}
	}
}

static void write_esr(struct vlapic *v, unsigned int index, uint32_t value)
{
	v->esr = atomic_xchg(&v->esr_pending, 0);
}

static void write_icr_low(struct vlapic *v, unsigned int index, uint32_t value)
{
	vlapic_write_icr(v, (v->icr & ~0xffffffffull) | value);
}

static void write_icr_high(struct vlapic *v, unsigned int index, uint32_t value)
{
	v->icr = (uint64_t)(value & 0xff000000) << 32 | (uint32_t)v->icr;
}

static void write_timer_icr(struct vlapic *v, unsigned int index, uint32_t value)
{
	vlapic_timer_write_icr(v, value);
}

static void write_timer_dcr(struct vlapic *v, unsigned int index, uint32_t value)
{
	vlapic_timer_write_dcr(v, value);
}

static void write_self_ipi(struct vlapic *v, unsigned int index, uint32_t value)
{
	vlapic_ipi_self(v, value);
}

#define LVT_ROW(kind) { read_lvt, write_lvt, LVT_VALID_##kind | LVT_READ_ONLY, BOTH }

static const struct reg regs[0x40] = {
	[0x02] = { read_id, NULL, 0, BOTH },
	[0x03] = { read_version, NULL, 0, BOTH },
	[0x08] = { read_tpr, write_tpr, 0xff, BOTH },
	[0x09] = { read_zero, NULL, 0, XAPIC_ONLY },          /* arbitration priority */
	[0x0a] = { read_ppr, NULL, 0, BOTH },
	[0x0b] = { NULL, write_eoi, 0, BOTH },
	[0x0c] = { read_zero, NULL, 0, XAPIC_ONLY },          /* remote read */
	[0x0d] = { read_ldr, write_ldr, 0, BOTH },            /* x2APIC: read-only */
	[0x0e] = { read_dfr, write_dfr, 0, XAPIC_ONLY },
	[0x0f] = { read_svr, write_svr, SVR_VALID, BOTH },
	[0x10 ... 0x27] = { read_bits, NULL, 0, BOTH },
	[0x28] = { read_esr, write_esr, 0, BOTH },
	[0x2f] = LVT_ROW(PLAIN),
	[ICR_INDEX] = { read_icr_low, write_icr_low, ICR_LOW_VALID, BOTH },
	[0x31] = { read_icr_high, write_icr_high, 0, XAPIC_ONLY },
	[0x32] = LVT_ROW(TIMER),
	[0x33] = LVT_ROW(PLAIN),
	[0x34] = LVT_ROW(PLAIN),
	[0x35] = LVT_ROW(LINT),
	[0x36] = LVT_ROW(LINT),
	[0x37] = LVT_ROW(ERROR),
	[0x38] = { read_timer_icr, write_timer_icr, 0xffffffff, BOTH },
	[0x39] = { read_timer_count, NULL, 0, BOTH },
	[0x3e] = { read_timer_dcr, write_timer_dcr, 0xb, BOTH },
	[0x3f] = { NULL, write_self_ipi, 0xff, X2APIC_ONLY },
};

void vlapic_write_icr(struct vlapic *v, uint64_t icr)
{
	uint64_t dest = vlapic_in_x2apic(v) ? 0xffffffff00000000ull : 0xff00000000000000ull;

	v->icr = icr & (dest | ICR_LOW_VALID);
	vlapic_ipi_send(v);
}

/* ---- The MMIO view ---- */

static const struct reg *find_xapic(unsigned int index)
{
	/* The mask keeps a mispredicted bounds check inside the table. */
	const struct reg *r = index < ARRAY_SIZE(regs) ? &regs[index & 0x3f] : NULL;

	if (r == NULL || r->where == X2APIC_ONLY || (r->read == NULL && r->write == NULL)) {
		return NULL;
	}
	return r;
}

enum io_result vlapic_mmio(struct vlapic *v, struct io_access *a)
{
	uint64_t offset = a->addr - (v->base & BASE_ADDRESS);
	unsigned int index = offset >> 4, byte = offset & 0xf;
	const struct reg *r;

	if (!vlapic_hw_enabled(v) || vlapic_in_x2apic(v) || offset >= 0x1000) {
		return IO_UNCLAIMED;
	}
	if (!a->write) {
		a->data = 0;
	}
	if (a->write ? byte != 0 || a->size != 4 : byte >= 4) {
		return IO_DONE;
	}
	r = find_xapic(index);
	if (r == NULL) {
		vlapic_error(v, APIC_ESR_ILLEGAL_REGISTER);
	} else if (a->write && r->write != NULL) {
		r->write(v, index, a->data);
	} else if (!a->write && r->read != NULL) {
		a->data = (uint64_t)r->read(v, index) >> (byte * 8) & MASK(a->size * 8u);
	}
	return IO_DONE;
}

/* ---- The MSR view ---- */

static void enter_x2apic(struct vlapic *v)
{
	/* Derived from the ID: cluster in the high half, one bit of sixteen in the low half. */
	WRITE_ONCE(v->ldr, (v->id >> 4) << 16 | 1u << (v->id & 0xf));
	v->icr &= 0xffffffff;
}

static int write_base(struct vlapic *v, uint64_t value)
{
	uint64_t mode = APIC_BASE_ENABLE | APIC_BASE_X2APIC, old = v->base;
	uint64_t from = old & mode, to = value & mode;

	if ((value & BASE_RESERVED) || (to & ~(v->x2apic_ok ? mode : APIC_BASE_ENABLE))) {
		return -EINVAL;
	}
	/* x2APIC is entered from xAPIC only, and left for "disabled" only. */
	if (to == APIC_BASE_X2APIC || (from == mode && to == APIC_BASE_ENABLE) ||
	    (from == 0 && to == mode)) {
		return -EINVAL;
	}
	value = (value & ~APIC_BASE_BSP) | (v->bsp ? APIC_BASE_BSP : 0);
	if (from != 0 && to == 0) {
		vlapic_reset(v, true);
		WRITE_ONCE(v->ldr, 0);
	}
	WRITE_ONCE(v->base, value);
	if (to == mode && from != mode) {
		enter_x2apic(v);
	}
	if (old != value) {
		dest_changed(v);
	}
	return 0;
}

static const struct reg *find_x2apic(uint32_t msr)
{
	/* As in find_xapic(); the caller has checked the range. */
	const struct reg *r = &regs[(msr - MSR_X2APIC_FIRST) & 0x3f];

	return r->where == XAPIC_ONLY ? NULL : r;
}

bool vlapic_owns_msr(uint32_t msr)
{
	return msr == MSR_APIC_BASE || msr == MSR_TSC_DEADLINE ||
	       (msr >= MSR_X2APIC_FIRST && msr <= MSR_X2APIC_LAST);
}

int vlapic_msr_read(struct vlapic *v, uint32_t msr, uint64_t *value)
{
	const struct reg *r;

	if (msr == MSR_APIC_BASE) {
		*value = v->base;
		return 0;
	}
	if (msr == MSR_TSC_DEADLINE) {
		*value = vlapic_timer_read_deadline(v);
		return 0;
	}
	if (!vlapic_owns_msr(msr) || !vlapic_in_x2apic(v)) {
		return -EINVAL;
	}
	r = find_x2apic(msr);
	if (r == NULL || r->read == NULL) {
		return -EINVAL;
	}
	*value = msr == MSR_X2APIC_FIRST + ICR_INDEX ? v->icr : r->read(v, msr - MSR_X2APIC_FIRST);
	return 0;
}

static int write_x2apic(struct vlapic *v, uint32_t msr, uint64_t value)
{
	const struct reg *r = find_x2apic(msr);
	bool icr = msr == MSR_X2APIC_FIRST + ICR_INDEX;

	if (r == NULL || r->write == NULL || r->write == write_ldr) {
		return -EINVAL;
	}
	if ((uint32_t)value & ~r->x2_valid || (!icr && value >> 32 != 0)) {
		return -EINVAL;
	}
	if (icr) {
		vlapic_write_icr(v, value);
	} else {
		r->write(v, msr - MSR_X2APIC_FIRST, value);
	}
	return 0;
}

int vlapic_msr_write(struct vlapic *v, uint32_t msr, uint64_t value)
{
	if (msr == MSR_APIC_BASE) {
		return write_base(v, value);
	}
	if (msr == MSR_TSC_DEADLINE) {
		vlapic_timer_write_deadline(v, value);
		return 0;
	}
	if (!vlapic_owns_msr(msr) || !vlapic_in_x2apic(v)) {
		return -EINVAL;
	}
	return write_x2apic(v, msr, value);
}

/* ---- Life ---- */

void vlapic_reset(struct vlapic *v, bool init)
{
	vlapic_timer_reset(v);
	if (!init) {
		WRITE_ONCE(v->base, VLAPIC_DEFAULT_BASE | APIC_BASE_ENABLE |
					    (v->bsp ? APIC_BASE_BSP : 0));
	}
	for (unsigned int i = 0; i < 4; i++) {
		WRITE_ONCE(v->irr[i], 0);
		WRITE_ONCE(v->tmr[i], 0);
		v->isr[i] = 0;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(v->lvt); i++) {
		WRITE_ONCE(v->lvt[i], LVT_MASKED);
	}
	v->tpr = 0;
	v->icr = 0;
	v->esr = 0;
	WRITE_ONCE(v->esr_pending, 0);
	WRITE_ONCE(v->dfr, 0xffffffff);
	WRITE_ONCE(v->svr, 0xff);
	v->xapic_id = v->id << 24;
	if (vlapic_in_x2apic(v)) {
		enter_x2apic(v);
	} else {
		WRITE_ONCE(v->ldr, 0);
	}
	dest_changed(v);
}

void vlapic_set_id(struct vlapic *v, uint32_t id)
{
	v->id = id;
	v->xapic_id = id << 24;
}

void vlapic_init(struct vlapic *v, const struct vlapic_host *host, uint32_t id, bool bsp,
		 bool x2apic_ok)
{
	memset(v, 0, sizeof(*v));
	v->host = host;
	v->id = id;
	v->bsp = bsp;
	v->x2apic_ok = x2apic_ok;
	vlapic_reset(v, false);
}
