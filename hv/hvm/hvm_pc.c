/*
 * The virtual PC of a guest: its chips, their wires, clocks and addresses.
 *
 * Locks: LOCK_HVM around every chip. Chips call back into this file with it held.
 */
#include "core/time.h"
#include "hvm/hvm.h"
#include "hvm/hvm_pc.h"
#include "hvm/hvm_state.h"
#include "lib/atomic.h"
#include "lib/err.h"

#define IOAPIC_ID 1

/* ---- what chips ask of the world ---- */

static uint64_t chip_now(void *ctx)
{
	const struct hvm_chip *c = ctx;
	return hvm_now(c->hvm->domain);
}

static void chip_timer_set(void *ctx, unsigned int id, uint64_t deadline_ns)
{
	struct hvm_chip *c = ctx;
	if (deadline_ns == 0 || c->hvm->stopped) {
		/* LOCK_HVM is held, and a callback that runs on another CPU waits for it: do not wait for that one. */
		timer_disarm(&c->timer[id].timer);
	} else {
		timer_set(&c->timer[id].timer, deadline_ns + c->hvm->domain->created_ns);
	}
}

static void chip_irq_set(void *ctx, unsigned int gsi, bool level)
{
	struct hvm_chip *c = ctx;
	(void)irqline_set(&c->hvm->irq, c->id == CHIP_HPET ? IRQLINE_HPET : IRQLINE_CHIP, gsi, level);
}

static void chip_msi_send(void *ctx, uint64_t addr, uint32_t data)
{
	struct hvm_chip *c = ctx;
	(void)hvm_inject_msi(c->hvm->domain, addr, data);
}

static bool chip_irq_waiting(void *ctx, unsigned int gsi)
{
	const struct hvm_chip *c = ctx;
	return hvm_gsi_waiting(c->hvm, gsi);
}

static bool chip_msi_waiting(void *ctx, uint64_t addr, uint32_t data)
{
	const struct hvm_chip *c = ctx;
	return hvm_msi_waiting(c->hvm, addr, data);
}

static void chip_timer_fired(void *arg)
{
	struct chip_timer *t = arg;
	struct hvm_domain *h = t->chip->hvm;
	unsigned int id = (unsigned int)(t - t->chip->timer);
	spin_lock(&h->lock);
	switch (t->chip->id) {
	case CHIP_PIT:
		vpit_timer(&h->pit, id);
		break;
	case CHIP_RTC:
		vrtc_timer(&h->rtc, id);
		break;
	case CHIP_HPET:
		vhpet_timer(&h->hpet, id);
		break;
	case CHIP_PM:
		vpmtimer_timer(&h->pm, id);
		break;
	case CHIP_COUNT:
		break;
	}
	hvm_ticks_note(h);
	spin_unlock(&h->lock);
}

static void pic_intr(void *ctx, bool level)
{
	struct hvm_domain *h = ctx;
	struct vcpu *first = h->domain->vcpu != NULL ? READ_ONCE(h->domain->vcpu[0]) : NULL;
	if (level && first != NULL) {
		vcpu_kick(first);
	}
}

static void ioapic_send(void *ctx, const struct apic_msg *m)
{
	struct hvm_domain *h = ctx;
	hvm_deliver(h->domain, m, NULL);
}

static void debug_line(void *ctx, const char *text)
{
	struct hvm_domain *h = ctx;
	guest_text(h->domain, text);
}

/* ---- addresses ---- */

static enum io_result io_pic(void *dev, struct io_access *a)
{
	return vpic_io(dev, a);
}

static enum io_result io_pit(void *dev, struct io_access *a)
{
	return vpit_io(dev, a);
}

static enum io_result io_rtc(void *dev, struct io_access *a)
{
	return vrtc_io(dev, a);
}

static enum io_result io_pm(void *dev, struct io_access *a)
{
	return vpmtimer_io(dev, a);
}

static enum io_result io_debug(void *dev, struct io_access *a)
{
	return debugcon_io(dev, a);
}

static enum io_result io_ioapic(void *dev, struct io_access *a)
{
	return vioapic_mmio(dev, a);
}

static enum io_result io_hpet(void *dev, struct io_access *a)
{
	struct hvm_domain *h = dev;
	if (!h->hpet_on) {
		return IO_UNCLAIMED;
	}
	enum io_result rc = vhpet_mmio(&h->hpet, a);
	if (a->write) {
		irqline_set_legacy_replacement(&h->irq, vhpet_legacy(&h->hpet));
	}
	return rc;
}

static int wire_bus(struct hvm_domain *h)
{
	const struct {
		struct bus *bus;
		uint64_t first, last;
		bus_fn fn;
		void *dev;
	} ranges[] = {
		{ &h->pio, 0x20, 0x21, io_pic, &h->pic },
		{ &h->pio, 0x40, 0x43, io_pit, &h->pit },
		{ &h->pio, 0x61, 0x61, io_pit, &h->pit },
		{ &h->pio, 0x70, 0x71, io_rtc, &h->rtc },
		{ &h->pio, 0xa0, 0xa1, io_pic, &h->pic },
		{ &h->pio, DEBUGCON_PORT, DEBUGCON_PORT, io_debug, &h->dbg },
		{ &h->pio, 0x4d0, 0x4d1, io_pic, &h->pic },
		{ &h->pio, VPMTIMER_BASE_0, VPMTIMER_BASE_0 + VPMTIMER_PORTS - 1, io_pm, &h->pm },
		{ &h->pio, VPMTIMER_BASE_1, VPMTIMER_BASE_1 + VPMTIMER_PORTS - 1, io_pm, &h->pm },
		{ &h->mmio, VIOAPIC_BASE, VIOAPIC_BASE + 0xfff, io_ioapic, &h->ioapic },
		{ &h->mmio, VHPET_BASE, VHPET_BASE + VHPET_SIZE - 1, io_hpet, h },
	};
	bus_init(&h->pio);
	bus_init(&h->mmio);
	for (unsigned int i = 0; i < ARRAY_SIZE(ranges); i++) {
		int rc = bus_add(ranges[i].bus, ranges[i].first, ranges[i].last, ranges[i].fn, ranges[i].dev);
		if (rc != 0) {
			return rc;
		}
	}
	return 0;
}

/* ---- construction ---- */

static void init_chip(struct hvm_domain *h, enum chip_id id)
{
	struct hvm_chip *c = &h->chip[id];
	c->hvm = h;
	c->id = id;
	c->host = (struct vdev_host){ .now_ns = chip_now, .timer_set = chip_timer_set,
				      .irq_set = chip_irq_set, .msi_send = chip_msi_send,
				      .irq_waiting = chip_irq_waiting, .msi_waiting = chip_msi_waiting, .ctx = c };
	for (unsigned int i = 0; i < CHIP_TIMERS; i++) {
		c->timer[i].chip = c;
		timer_init(&c->timer[i].timer, chip_timer_fired, &c->timer[i]);
	}
}

/* The RTC shows UTC, shifted by the domain's time offset. [LOCK_HVM] */
static void set_rtc(struct hvm_domain *h)
{
	uint64_t sec;
	uint32_t nsec;
	time_wallclock(&sec, &nsec);
	uint64_t ns = h->domain->created_ns + nsec;
	vrtc_set_time(&h->rtc, (int64_t)(sec + ns / 1000000000u) + READ_ONCE(h->domain->time_offset),
		      (uint32_t)(ns % 1000000000u));
}

int hvm_pc_init(struct hvm_domain *h)
{
	for (unsigned int i = 0; i < CHIP_COUNT; i++) {
		init_chip(h, i);
	}
	h->pic_host = (struct vpic_host){ .intr = pic_intr, .ctx = h };
	h->ioapic_host = (struct vioapic_host){ .send = ioapic_send, .ctx = h };
	h->dbg_host = (struct debugcon_host){ .line = debug_line, .ctx = h };
	int rc = wire_bus(h);
	if (rc != 0) {
		return rc;
	}
	spin_lock(&h->lock);
	vpic_init(&h->pic, &h->pic_host);
	vioapic_init(&h->ioapic, &h->ioapic_host, IOAPIC_ID);
	irqline_init(&h->irq, &h->pic, &h->ioapic);
	vpit_init(&h->pit, &h->chip[CHIP_PIT].host);
	vrtc_init(&h->rtc, &h->chip[CHIP_RTC].host);
	set_rtc(h);
	vhpet_init(&h->hpet, &h->chip[CHIP_HPET].host);
	vpmtimer_init(&h->pm, &h->chip[CHIP_PM].host);
	debugcon_init(&h->dbg, &h->dbg_host);
	vpic_reset(&h->pic);
	vioapic_reset(&h->ioapic);
	vpit_reset(&h->pit);
	vrtc_reset(&h->rtc);
	vhpet_reset(&h->hpet);
	vpmtimer_reset(&h->pm);
	spin_unlock(&h->lock);
	return 0;
}

void hvm_pc_stop(struct hvm_domain *h)
{
	/* A chip's timer may arm another one of it: not after that one was stopped below. */
	spin_lock(&h->lock);
	h->stopped = true;
	spin_unlock(&h->lock);
	for (unsigned int i = 0; i < CHIP_COUNT; i++) {
		for (unsigned int j = 0; j < CHIP_TIMERS; j++) {
			timer_stop(&h->chip[i].timer[j].timer);
		}
	}
	debugcon_flush(&h->dbg);
}

int hvm_pm_relocate(struct hvm_domain *h, uint64_t location)
{
	return vpmtimer_set_location(&h->pm, location);
}

/* ---- for the hypercall layer ---- */

void hvm_time_offset_changed(struct domain *d)
{
	if (!d->hvm->has_pc) {
		return;
	}
	spin_lock(&d->hvm->lock);
	set_rtc(d->hvm);
	/* its alarm is due at another moment now */
	vrtc_timer(&d->hvm->rtc, VRTC_TIMER_UPDATE);
	spin_unlock(&d->hvm->lock);
}

int64_t hvm_rtc_moved(struct domain *d)
{
	int64_t moved;

	if (!d->hvm->has_pc) {
		return 0;
	}
	spin_lock(&d->hvm->lock);
	moved = vrtc_moved(&d->hvm->rtc);
	spin_unlock(&d->hvm->lock);
	return moved;
}

int hvm_set_pci_intx(struct domain *d, unsigned int dev, unsigned int intx, bool level)
{
	spin_lock(&d->hvm->lock);
	int rc = irqline_set_pci(&d->hvm->irq, dev, intx, level);
	spin_unlock(&d->hvm->lock);
	return rc;
}

int hvm_set_isa_irq(struct domain *d, unsigned int irq, bool level)
{
	spin_lock(&d->hvm->lock);
	int rc = irqline_set_isa(&d->hvm->irq, irq, level);
	spin_unlock(&d->hvm->lock);
	return rc;
}

int hvm_set_pci_link(struct domain *d, unsigned int link, unsigned int irq)
{
	spin_lock(&d->hvm->lock);
	int rc = irqline_set_link(&d->hvm->irq, link, irq);
	spin_unlock(&d->hvm->lock);
	return rc;
}

/* Dom0 has the machine's own buttons. */
int hvm_power_button(struct domain *d)
{
	if (!d->hvm->has_pc) {
		return -EINVAL;
	}
	spin_lock(&d->hvm->lock);
	vpmtimer_power_button(&d->hvm->pm);
	spin_unlock(&d->hvm->lock);
	return 0;
}

int hvm_sleep_button(struct domain *d)
{
	if (!d->hvm->has_pc) {
		return -EINVAL;
	}
	spin_lock(&d->hvm->lock);
	vpmtimer_sleep_button(&d->hvm->pm);
	spin_unlock(&d->hvm->lock);
	return 0;
}
