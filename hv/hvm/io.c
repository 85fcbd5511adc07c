/*
 * Where an access goes: a chip inside the hypervisor, the local APIC, a device model, or nowhere (all-ones).
 *
 * Locks: LOCK_HVM around chips, none while a device model answers.
 */
#include "dom/ioreq_server.h"
#include "hvm/hvm_state.h"
#include "hvm/ioreq_client.h"
#include "lib/atomic.h"
#include "lib/checked.h"
#include "lib/err.h"

#define PCI_ADDRESS_PORT 0xcf8
#define PCI_DATA_PORT    0xcfc
#define PCI_ENABLE       (1u << 31)

#define ATA_DATA_PRIMARY   0x1f0
#define ATA_DATA_SECONDARY 0x170
#define ATA_SECTOR_WORDS   256

static uint64_t size_mask(unsigned int size)
{
	return size >= 8 ? ~0ull : BIT(size * 8) - 1;
}

/* Chips: their bus ranges never change after the domain was built, so finding needs no lock. */
static inline bool io_chip(struct vcpu *v, const struct bus *bus, struct io_access *a)
{
	struct hvm_domain *h = v->domain->hvm;
	const struct bus_range *r = bus_find(bus, a->addr);
	if (r == NULL) {
		return false;
	}
	spin_lock(&h->lock);
	enum io_result done = r->fn(r->dev, a);
	spin_unlock(&h->lock);
	if (a->write) {
		hvm_look_again(v);
	}
	return done == IO_DONE;
}

static bool in_apic_page(struct vcpu *v, uint64_t addr)
{
	return (addr & PAGE_MASK) == (READ_ONCE(v->hvm->lapic.base) & 0x000ffffffffff000ull);
}

bool hvm_io_internal(struct vcpu *v, const struct io_access *a)
{
	const struct hvm_domain *h = v->domain->hvm;
	if (a->space == IO_MMIO && in_apic_page(v, a->addr)) {
		return true;
	}
	return bus_find(a->space == IO_PIO ? &h->pio : &h->mmio, a->addr) != NULL;
}

static struct ioreq request_of(const struct io_access *a)
{
	static const uint8_t types[] = { [IO_PIO] = IOREQ_TYPE_PIO, [IO_MMIO] = IOREQ_TYPE_COPY,
					 [IO_PCI] = IOREQ_TYPE_PCI_CONFIG };
	return (struct ioreq){
		.type = types[a->space],
		.addr = a->addr,
		.size = a->size,
		.count = 1,
		.dir = a->write ? IOREQ_WRITE : IOREQ_READ,
		.data = a->write ? a->data & size_mask(a->size) : 0,
	};
}

/* The function that CF8h points at, when this is an access to its configuration space. */
static bool pci_target(struct domain *d, const struct io_access *a, uint32_t *sbdf, uint32_t *reg)
{
	uint32_t address = READ_ONCE(d->hvm->pci_address);
	if (a->space != IO_PIO || a->addr < PCI_DATA_PORT || a->addr + a->size > PCI_DATA_PORT + 4 ||
	    !(address & PCI_ENABLE)) {
		return false;
	}
	*sbdf = address >> 8 & 0xffff;
	*reg = (address & 0xfc) | (uint32_t)(a->addr & 3);
	/* AMD's extended configuration registers: address bits 27:24 are register bits 11:8. */
	*reg |= (address >> 24 & 15) << 8;
	return true;
}

/* The device model that answers, with a reference, and the request as it wants it. */
static struct ioreq_server *select_server(struct domain *d, struct io_access *a)
{
	uint32_t sbdf, reg;
	if (pci_target(d, a, &sbdf, &reg)) {
		struct ioreq_server *s = ioreq_server_select(d, IOREQ_RANGE_PCI, sbdf, 1);
		if (s != NULL) {
			a->space = IO_PCI;
			a->addr = (uint64_t)sbdf << 32 | reg;
			return s;
		}
	}
	return ioreq_server_select(d, a->space == IO_PIO ? IOREQ_RANGE_PORT : IOREQ_RANGE_MEMORY,
				   a->addr, a->size);
}

static enum io_route io_device_model(struct vcpu *v, struct io_access *a)
{
	struct io_access routed = *a;
	struct ioreq_server *s = select_server(v->domain, &routed);
	if (s == NULL) {
		a->data = a->write ? a->data : size_mask(a->size);
		return ROUTE_DONE;
	}
	struct ioreq r = request_of(&routed);
	enum io_route route = ioreq_forward(v, s, &r);
	ioreq_server_put(s);
	if (!a->write) {
		a->data = r.data & size_mask(a->size);
	}
	return route;
}

/* The latch at CF8h, and what no chip here has claimed. Not part of its caller, whose way to a chip needs few registers. */
static APART enum io_route io_outside(struct vcpu *v, struct io_access *a)
{
	if (a->space == IO_PIO && a->addr == PCI_ADDRESS_PORT && a->size == 4) {
		/* Latched here for routing, and in the device model for its own use. */
		if (a->write) {
			WRITE_ONCE(v->domain->hvm->pci_address, (uint32_t)a->data);
		} else {
			a->data = READ_ONCE(v->domain->hvm->pci_address);
			return ROUTE_DONE;
		}
	}
	return io_device_model(v, a);
}

enum io_route hvm_port(struct vcpu *v, struct io_access *a)
{
	return io_chip(v, &v->domain->hvm->pio, a) ? ROUTE_DONE : io_outside(v, a);
}

static enum io_route hvm_mmio(struct vcpu *v, struct io_access *a)
{
	if (in_apic_page(v, a->addr) && vlapic_mmio(&v->hvm->lapic, a) == IO_DONE) {
		if (a->write) {
			hvm_look_again(v);
		}
		return ROUTE_DONE;
	}
	return io_chip(v, &v->domain->hvm->mmio, a) ? ROUTE_DONE : io_outside(v, a);
}

enum io_route hvm_io(struct vcpu *v, struct io_access *a)
{
	return a->space == IO_PIO ? hvm_port(v, a) : hvm_mmio(v, a);
}

/*
 * Whole sectors through an ATA data port go two words at a time, which halves the device model's work. A host adapter
 * makes two 16-bit cycles of a 32-bit access to that port (AT Attachment, "PIO data transfers"; the 82371SB's prefetch
 * does the reverse), so the drive cannot tell. Not for shorter runs: a packet may end with an odd word.
 */
static bool is_ata_sectors(const struct io_access *a, bool pointer, bool down, uint32_t count)
{
	return a->space == IO_PIO && (a->addr == ATA_DATA_PRIMARY || a->addr == ATA_DATA_SECONDARY) && pointer &&
	       !down && a->size == 2 && count % ATA_SECTOR_WORDS == 0;
}

/* The device model for all of a string access, with a reference. */
static struct ioreq_server *select_bulk(struct domain *d, const struct io_access *a, bool down, uint32_t count)
{
	unsigned int span;
	if (a->space == IO_PIO) {
		return ioreq_server_select(d, IOREQ_RANGE_PORT, a->addr, a->size);
	}
	if (mul_overflows(count, a->size, &span)) {
		return NULL;
	}
	return ioreq_server_select(d, IOREQ_RANGE_MEMORY, down ? a->addr - (uint64_t)(count - 1) * a->size : a->addr, span);
}

enum io_route hvm_io_bulk(struct vcpu *v, struct io_access *a, bool pointer, uint64_t data, bool down,
			  uint32_t *count)
{
	struct ioreq_server *s = NULL;
	struct ioreq r = request_of(a);
	r.count = *count;
	if (is_ata_sectors(a, pointer, down, *count)) {
		s = ioreq_server_select(v->domain, IOREQ_RANGE_PORT, a->addr, 4);
	}
	if (s != NULL) {
		r.size = 4;
		r.count /= 2;
	} else {
		s = select_bulk(v->domain, a, down, *count);
	}
	if (s == NULL) {
		*count = 0;
		return ROUTE_DONE;
	}
	r.data = data;
	r.data_is_ptr = pointer;
	r.df = down;
	enum io_route route = ioreq_forward(v, s, &r);
	ioreq_server_put(s);
	return route;
}
