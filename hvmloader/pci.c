/*
 * PCI bus 0 of the virtual i440FX machine.
 *
 * Owns: enumeration, base address placement, the chipset functions' registers that firmware sets.
 * Does not own: moving RAM out of the window (memory.c does what bus->move_ram says), ELCR.
 * Pure: the world is struct pci_ops. Manuals: "PCI Local Bus Specification", configuration space;
 * "82371AB PCI-TO-ISA / IDE XCELERATOR (PIIX4)".
 */
#include "hvmloader/pci.h"

#include "hvmloader/layout.h"
#include "hvmloader/mem.h"

enum {
	REG_VENDOR = 0x00, REG_DEVICE = 0x02, REG_COMMAND = 0x04, REG_CLASS = 0x0a,
	REG_HEADER = 0x0e, REG_BAR0 = 0x10, REG_ROM = 0x30, REG_BRIDGE_ROM = 0x38,
	REG_IRQ_LINE = 0x3c, REG_IRQ_PIN = 0x3d
};
enum { COMMAND_IO = 1, COMMAND_MEM = 2, COMMAND_MASTER = 4 };
enum { CLASS_IDE = 0x0101, CLASS_VGA = 0x0300, CLASS_BRIDGE_OTHER = 0x0680 };

#define VENDOR_INTEL   0x8086
#define PIIX3_ISA      0x7000
#define PIIX3_IDE      0x7010
#define PIIX4_PM       0x7113
#define HEADER_MULTI   0x80
#define BIG_BAR        (1ull << 30)
#define ROM_ENABLE     1u

static const uint8_t link_irq[4] = PCI_LINK_IRQS;

unsigned int pci_link(uint8_t devfn, uint8_t pin)
{
	return ((unsigned int)(devfn >> 3) + pin - 1u) & 3;
}

static uint32_t get(const struct pci_ops *ops, uint8_t devfn, uint8_t reg, unsigned int size)
{
	return ops->read(ops->ctx, devfn, reg, size);
}

static void put(const struct pci_ops *ops, uint8_t devfn, uint8_t reg, unsigned int size,
		uint32_t value)
{
	ops->write(ops->ctx, devfn, reg, size, value);
}

/* The ISA bridge routes the four links to ISA interrupts. */
static void setup_isa_bridge(const struct pci_ops *ops, uint8_t devfn)
{
	for (unsigned int link = 0; link < 4; link++) {
		put(ops, devfn, (uint8_t)(0x60 + link), 1, link_irq[link]);
	}
}

/* Power management: I/O base and its enable bit, interrupt line fixed to the SCI. */
static void setup_pm(const struct pci_ops *ops, uint8_t devfn)
{
	put(ops, devfn, 0x20, 2, 0);
	put(ops, devfn, 0x22, 2, 0);
	put(ops, devfn, 0xd2, 2, 0);
	put(ops, devfn, REG_IRQ_LINE, 1, SCI_IRQ);
	put(ops, devfn, REG_IRQ_PIN, 1, 1);
	put(ops, devfn, 0x40, 4, PORT_PM_BASE | 1);
	put(ops, devfn, 0x80, 1, 1);
}

/* Both IDE channels answer at their legacy ports. */
static void setup_ide(const struct pci_ops *ops, uint8_t devfn)
{
	put(ops, devfn, 0x40, 2, 0x8000);
	put(ops, devfn, 0x42, 2, 0x8000);
}

static const struct {
	uint16_t device;
	uint16_t class;
	void (*setup)(const struct pci_ops *ops, uint8_t devfn);
} intel_setup[] = {
	{ PIIX3_ISA, 0x0601, setup_isa_bridge },
	{ PIIX3_IDE, CLASS_IDE, setup_ide },
	{ PIIX4_PM, CLASS_BRIDGE_OTHER, setup_pm },
};

static void setup_chipset(const struct pci_ops *ops, const struct pci_function *f)
{
	for (unsigned int i = 0; i < sizeof(intel_setup) / sizeof(intel_setup[0]); i++) {
		if (f->vendor == VENDOR_INTEL && f->device == intel_setup[i].device &&
		    f->class == intel_setup[i].class) {
			intel_setup[i].setup(ops, f->devfn);
		}
	}
}

static void route_interrupt(const struct pci_ops *ops, struct pci_function *f)
{
	uint8_t pin = (uint8_t)get(ops, f->devfn, REG_IRQ_PIN, 1);

	if (pin < 1 || pin > 4) {
		return;
	}
	f->pin = pin;
	f->irq = link_irq[pci_link(f->devfn, pin)];
	put(ops, f->devfn, REG_IRQ_LINE, 1, f->irq);
}

/*
 * Write ones, read what sticks. The old value is lost: pci_commit() gives every register that
 * exists a new one, and each access is a long way.
 */
static uint32_t probe(const struct pci_ops *ops, uint8_t devfn, uint8_t reg, uint32_t ones)
{
	put(ops, devfn, reg, 4, ones);
	return get(ops, devfn, reg, 4);
}

/* Lowest set bit: the size that a mask of address bits means. */
static uint64_t mask_to_size(uint64_t mask)
{
	return mask & (~mask + 1);
}

static void add_bar(struct pci_bus *bus, uint8_t reg, enum pci_bar_kind kind, uint64_t size)
{
	if (size == 0 || bus->bars == PCI_MAX_BARS) {
		return;
	}
	bus->bar[bus->bars++] = (struct pci_bar){ .size = size,
						  .function = (uint16_t)(bus->functions - 1),
						  .reg = reg,
						  .kind = (uint8_t)kind };
}

/* Size one register; returns how many registers it takes. */
static unsigned int size_bar(struct pci_bus *bus, const struct pci_ops *ops, uint8_t devfn,
			     uint8_t reg, bool last)
{
	uint32_t mask = probe(ops, devfn, reg, 0xffffffff);
	uint64_t wide;

	if (mask == 0 || mask == 0xffffffff) {
		return 1;
	}
	if (mask & 1) {
		add_bar(bus, reg, PCI_BAR_IO, mask_to_size(mask & 0xfffc));
		return 1;
	}
	if ((mask & 6) != 4 || last) {
		add_bar(bus, reg, PCI_BAR_MEM, mask_to_size(mask & 0xfffffff0));
		return 1;
	}
	wide = (uint64_t)probe(ops, devfn, (uint8_t)(reg + 4), 0xffffffff) << 32;
	add_bar(bus, reg, PCI_BAR_MEM64, mask_to_size(wide | (mask & 0xfffffff0)));
	return 2;
}

static void size_bars(struct pci_bus *bus, const struct pci_ops *ops, uint8_t devfn, uint8_t header)
{
	unsigned int count, n = 0;
	uint8_t rom;

	switch (header & ~HEADER_MULTI) {
	case 0:
		count = 6;
		rom = REG_ROM;
		break;
	case 1:
		count = 2;
		rom = REG_BRIDGE_ROM;
		break;
	default:
		return;
	}
	while (n < count) {
		n += size_bar(bus, ops, devfn, (uint8_t)(REG_BAR0 + 4 * n), n + 1 == count);
	}
	add_bar(bus, rom, PCI_BAR_ROM,
		mask_to_size(probe(ops, devfn, rom, ~ROM_ENABLE) & 0xfffff800));
}

/* Returns false when nothing answers. */
static bool scan_function(struct pci_bus *bus, const struct pci_ops *ops, uint8_t devfn,
			  uint8_t *header)
{
	uint32_t id = get(ops, devfn, REG_VENDOR, 4);
	struct pci_function *f;

	if ((id & 0xffff) == 0xffff || (id & 0xffff) == 0) {
		return false;
	}
	f = &bus->function[bus->functions++];
	*f = (struct pci_function){ .devfn = devfn,
				    .vendor = (uint16_t)id,
				    .device = (uint16_t)(id >> 16),
				    .class = (uint16_t)get(ops, devfn, REG_CLASS, 2) };
	*header = (uint8_t)get(ops, devfn, REG_HEADER, 1);
	setup_chipset(ops, f);
	f->command = (uint16_t)(get(ops, devfn, REG_COMMAND, 2) & ~(COMMAND_IO | COMMAND_MEM));
	put(ops, devfn, REG_COMMAND, 2, f->command);
	size_bars(bus, ops, devfn, *header);
	route_interrupt(ops, f);
	return true;
}

void pci_scan(struct pci_bus *bus, const struct pci_ops *ops)
{
	memset(bus, 0, sizeof(*bus));
	for (unsigned int dev = 0; dev < 32; dev++) {
		uint8_t header = 0, ignored;

		if (!scan_function(bus, ops, (uint8_t)(dev << 3), &header) ||
		    !(header & HEADER_MULTI)) {
			continue;
		}
		for (unsigned int fn = 1; fn < 8; fn++) {
			(void)scan_function(bus, ops, (uint8_t)(dev << 3 | fn), &ignored);
		}
	}
}

/* Largest first, else in the order found: then natural alignment wastes nothing. */
static void sort_bars(struct pci_bus *bus)
{
	for (unsigned int i = 1; i < bus->bars; i++) {
		struct pci_bar bar = bus->bar[i];
		unsigned int at = i;

		while (at > 0 && bus->bar[at - 1].size < bar.size) {
			bus->bar[at] = bus->bar[at - 1];
			at--;
		}
		bus->bar[at] = bar;
	}
}

static uint64_t align_up(uint64_t value, uint64_t size)
{
	return (value + size - 1) & ~(size - 1);
}

static bool is_low_mem(const struct pci_bar *bar)
{
	return bar->kind != PCI_BAR_IO && !bar->high;
}

/* End of the low registers when placed from start on. */
static uint64_t low_end(const struct pci_bus *bus, uint64_t start)
{
	for (unsigned int i = 0; i < bus->bars; i++) {
		if (is_low_mem(&bus->bar[i])) {
			start = align_up(start, bus->bar[i].size) + bus->bar[i].size;
		}
	}
	return start;
}

/* With RAM that may not move inside the window, the free part begins behind it. */
static uint64_t free_start(const struct pci_limits *limits, uint64_t start)
{
	return limits->allow_relocate || limits->low_ram_end < start ? start : limits->low_ram_end;
}

static bool low_fits(const struct pci_bus *bus, const struct pci_limits *limits, uint64_t start)
{
	return low_end(bus, free_start(limits, start)) <= LAYOUT_PCI_END;
}

static uint64_t first_window(const struct pci_limits *limits)
{
	if (limits->hole_size >= GIB4 - LAYOUT_PCI_START && limits->hole_size <= GIB4 / 2) {
		return (GIB4 - limits->hole_size) & ~(uint64_t)(PAGE_SIZE - 1);
	}
	return LAYOUT_PCI_START;
}

/* The next larger window: the start with its highest clear bit's place given up (f, e, c, 8). */
static uint64_t grow_window(uint64_t start)
{
	uint64_t next = (start << 1) & 0xffffffffull;

	return next >= LAYOUT_PCI_LOWEST && next < start ? next : 0;
}

static void choose_window(struct pci_bus *bus, const struct pci_limits *limits)
{
	uint64_t start = first_window(limits);

	while (!low_fits(bus, limits, start)) {
		uint64_t next = grow_window(start);

		if (next == 0 || (!limits->allow_relocate && next < limits->low_ram_end)) {
			break;
		}
		start = next;
	}
	for (unsigned int i = 0; i < bus->bars && !low_fits(bus, limits, start); i++) {
		if (bus->bar[i].kind == PCI_BAR_MEM64) {
			bus->bar[i].high = true;
		}
	}
	bus->mem_start = (uint32_t)start;
	if (limits->allow_relocate && limits->low_ram_end > start) {
		bus->move_ram = limits->low_ram_end - start;
	}
}

static void place_low(struct pci_bus *bus, const struct pci_limits *limits)
{
	uint64_t next = free_start(limits, bus->mem_start);

	for (unsigned int i = 0; i < bus->bars; i++) {
		struct pci_bar *bar = &bus->bar[i];
		uint64_t base = align_up(next, bar->size);

		if (is_low_mem(bar) && base + bar->size <= LAYOUT_PCI_END) {
			bar->base = base;
			next = base + bar->size;
		}
	}
}

static void place_io(struct pci_bus *bus)
{
	uint64_t next = PORT_PCI_FIRST;

	for (unsigned int i = 0; i < bus->bars; i++) {
		struct pci_bar *bar = &bus->bar[i];
		uint64_t base = align_up(next, bar->size);

		if (bar->kind == PCI_BAR_IO && base + bar->size <= PORT_PCI_END) {
			bar->base = base;
			next = base + bar->size;
		}
	}
}

static void place_high(struct pci_bus *bus, const struct pci_limits *limits)
{
	uint64_t next = limits->high_ram_end > GIB4 ? limits->high_ram_end : GIB4;

	next += bus->move_ram;
	bus->high_start = bus->high_end = next;
	for (unsigned int i = 0; i < bus->bars; i++) {
		struct pci_bar *bar = &bus->bar[i];
		uint64_t base = align_up(next, bar->size);

		if (!bar->high || base < next || base + bar->size > limits->address_limit) {
			continue;
		}
		if (bus->high_start == bus->high_end) {
			bus->high_start = base;
		}
		bar->base = base;
		next = base + bar->size;
		bus->high_end = next;
	}
}

void pci_place(struct pci_bus *bus, const struct pci_limits *limits)
{
	sort_bars(bus);
	for (unsigned int i = 0; i < bus->bars; i++) {
		bus->bar[i].high = bus->bar[i].kind == PCI_BAR_MEM64 && bus->bar[i].size > BIG_BAR;
	}
	choose_window(bus, limits);
	place_low(bus, limits);
	place_io(bus);
	place_high(bus, limits);
	for (unsigned int i = 0; i < bus->bars; i++) {
		bus->unplaced += bus->bar[i].base == 0;
	}
}

static void commit_bar(struct pci_bus *bus, const struct pci_ops *ops, const struct pci_bar *bar)
{
	struct pci_function *f = &bus->function[bar->function];

	put(ops, f->devfn, bar->reg, 4, (uint32_t)bar->base);
	if (bar->kind == PCI_BAR_MEM64) {
		put(ops, f->devfn, (uint8_t)(bar->reg + 4), 4, (uint32_t)(bar->base >> 32));
	}
	if (bar->base == 0) {
		return;
	}
	f->decode_io |= bar->kind == PCI_BAR_IO;
	f->decode_mem |= bar->kind != PCI_BAR_IO;
}

/*
 * A function with one register left without an address decodes none of that kind: its other
 * registers would work, but the unplaced one would answer at address 0.
 */
static void forbid_unplaced(struct pci_bus *bus)
{
	for (unsigned int i = 0; i < bus->bars; i++) {
		struct pci_function *f = &bus->function[bus->bar[i].function];

		/* A ROM has an enable bit of its own. */
		if (bus->bar[i].base == 0 && bus->bar[i].kind != PCI_BAR_ROM) {
			f->decode_io &= bus->bar[i].kind != PCI_BAR_IO;
			f->decode_mem &= bus->bar[i].kind == PCI_BAR_IO;
		}
	}
}

void pci_commit(struct pci_bus *bus, const struct pci_ops *ops)
{
	for (unsigned int i = 0; i < bus->bars; i++) {
		commit_bar(bus, ops, &bus->bar[i]);
	}
	forbid_unplaced(bus);
	for (unsigned int i = 0; i < bus->functions; i++) {
		const struct pci_function *f = &bus->function[i];
		uint32_t command = f->command | COMMAND_MASTER;

		/* Display adapters answer at legacy ports without a register that says so. */
		if (f->decode_io || f->class == CLASS_VGA) {
			command |= COMMAND_IO;
		}
		if (f->decode_mem) {
			command |= COMMAND_MEM;
		}
		put(ops, f->devfn, REG_COMMAND, 2, command);
	}
}
