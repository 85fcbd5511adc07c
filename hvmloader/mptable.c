/*
 * MultiProcessor table and PCI interrupt routing table.
 *
 * Owns: their contents. Says the same as the MADT does: processors with the same APIC IDs, one I/O APIC,
 * ISA interrupts one to one except 0 on pin 2. Pure.
 * Manuals: "MultiProcessor Specification"; "PCI IRQ Routing Table Specification".
 */
#include "hvmloader/mptable.h"

#include "hvmloader/layout.h"
#include "hvmloader/mem.h"

struct mp_pointer {
	char signature[4];
	uint32_t table;
	uint8_t length, revision, checksum, feature[5];
} __attribute__((packed));

struct mp_header {
	char signature[4];
	uint16_t length;
	uint8_t revision, checksum;
	char oem_id[8], product_id[12];
	uint32_t oem_table;
	uint16_t oem_size, entries;
	uint32_t lapic;
	uint16_t extended_length;
	uint8_t extended_checksum, reserved;
} __attribute__((packed));

struct mp_cpu {
	uint8_t type, apic_id, apic_version, flags;
	uint32_t signature, features, reserved[2];
} __attribute__((packed));

struct mp_bus {
	uint8_t type, id;
	char name[6];
} __attribute__((packed));

struct mp_ioapic {
	uint8_t type, id, version, flags;
	uint32_t address;
} __attribute__((packed));

struct mp_interrupt {
	uint8_t type, kind;
	uint16_t flags;
	uint8_t bus, irq, apic, pin;
} __attribute__((packed));

enum { MP_CPU = 0, MP_BUS = 1, MP_IOAPIC = 2, MP_IO_INT = 3, MP_LOCAL_INT = 4 };
enum { KIND_INT = 0, KIND_NMI = 1, KIND_EXTINT = 3 };
enum { CPU_ENABLED = 1, CPU_BOOT = 2 };
#define LEVEL_LOW     0xf
#define ALL_APICS     0xff
#define ISA_IRQS      16
#define LOCAL_INTS    2
#define REVISION_1_4  4

_Static_assert(sizeof(struct mp_pointer) == 16, "floating pointer");
_Static_assert(sizeof(struct mp_header) == 44, "table header");
_Static_assert(sizeof(struct mp_cpu) == 20, "processor entry");

/* The cascade (2) is no interrupt; the external-interrupt entry of pin 0 makes up for it. */
#define ISA_ENTRIES   ISA_IRQS

uint32_t mptable_size(unsigned int nr_cpus)
{
	return (uint32_t)(sizeof(struct mp_pointer) + sizeof(struct mp_header) +
			  nr_cpus * sizeof(struct mp_cpu) + sizeof(struct mp_bus) +
			  sizeof(struct mp_ioapic) +
			  (ISA_ENTRIES + LOCAL_INTS) * sizeof(struct mp_interrupt));
}

static uint8_t *append(uint8_t *at, const void *entry, size_t size)
{
	memcpy(at, entry, size);
	return at + size;
}

static uint8_t *put_cpus(uint8_t *at, const struct mptable_world *w)
{
	for (unsigned int i = 0; i < w->nr_cpus; i++) {
		struct mp_cpu cpu = { .type = MP_CPU,
				      .apic_id = w->apic_id[i],
				      .apic_version = w->lapic_version,
				      .flags = CPU_ENABLED | (i == 0 ? CPU_BOOT : 0),
				      .signature = w->cpu_signature,
				      .features = w->cpu_features };

		at = append(at, &cpu, sizeof(cpu));
	}
	return at;
}

static uint8_t *put_isa(uint8_t *at)
{
	for (uint8_t irq = 0; irq < ISA_IRQS; irq++) {
		struct mp_interrupt in = { .type = MP_IO_INT, .irq = irq, .apic = IOAPIC_ID,
					   .pin = irq };

		if (irq == 0) {
			in.pin = 2;
		} else if (irq == 2) {
			in = (struct mp_interrupt){ .type = MP_IO_INT, .kind = KIND_EXTINT,
						    .apic = IOAPIC_ID };
		} else if (PCI_ISA_MASK & (1u << irq)) {
			in.flags = LEVEL_LOW;
		}
		at = append(at, &in, sizeof(in));
	}
	return at;
}

static uint8_t *put_local(uint8_t *at)
{
	const struct mp_interrupt ext = { .type = MP_LOCAL_INT, .kind = KIND_EXTINT };
	const struct mp_interrupt nmi = { .type = MP_LOCAL_INT, .kind = KIND_NMI, .apic = ALL_APICS,
					  .pin = 1 };

	at = append(at, &ext, sizeof(ext));
	return append(at, &nmi, sizeof(nmi));
}

void mptable_build(const struct mptable_world *w, uint8_t *table, uint32_t phys)
{
	const struct mp_bus bus = { .type = MP_BUS, .name = { 'I', 'S', 'A', ' ', ' ', ' ' } };
	const struct mp_ioapic ioapic = { .type = MP_IOAPIC, .id = IOAPIC_ID,
					  .version = IOAPIC_VERSION, .flags = 1,
					  .address = LAYOUT_IOAPIC };
	struct mp_pointer p = { .table = phys + (uint32_t)sizeof(p), .length = 1,
				.revision = REVISION_1_4 };
	struct mp_header h = { .length = (uint16_t)(mptable_size(w->nr_cpus) - sizeof(p)),
			       .revision = REVISION_1_4,
			       .entries = (uint16_t)(w->nr_cpus + 2 + ISA_ENTRIES + LOCAL_INTS),
			       .lapic = LAYOUT_LAPIC };
	uint8_t *at = table + sizeof(p) + sizeof(h);

	memcpy(p.signature, "_MP_", 4);
	p.checksum = (uint8_t)-mem_sum(&p, sizeof(p));
	memcpy(table, &p, sizeof(p));
	memcpy(h.signature, "PCMP", 4);
	memcpy(h.oem_id, "Xen     ", 8);
	memcpy(h.product_id, "HVM domU    ", 12);
	at = put_cpus(at, w);
	at = append(at, &bus, sizeof(bus));
	at = append(at, &ioapic, sizeof(ioapic));
	at = put_isa(at);
	(void)put_local(at);
	memcpy(table + sizeof(p), &h, sizeof(h));
	h.checksum = (uint8_t)-mem_sum(table + sizeof(p), h.length);
	memcpy(table + sizeof(p), &h, sizeof(h));
}

struct pir_header {
	char signature[4];
	uint16_t version, size;
	uint8_t router_bus, router_devfn;
	uint16_t exclusive_irqs;
	uint16_t router_vendor, router_device;
	uint32_t miniport_data;
	uint8_t reserved[11], checksum;
} __attribute__((packed));

struct pir_slot {
	uint8_t bus, devfn;
	struct {
		uint8_t link;
		uint16_t irqs;
	} __attribute__((packed)) pin[4];
	uint8_t slot, reserved;
} __attribute__((packed));

_Static_assert(sizeof(struct pir_header) == 32, "$PIR header");
_Static_assert(sizeof(struct pir_slot) == 16, "$PIR slot");

#define ROUTER_DEVFN 0x08
#define LINK_REG     0x60

void pirtable_build(uint8_t *table)
{
	struct pir_header h = { .version = 0x0100, .size = PIRTABLE_SIZE,
				.router_devfn = ROUTER_DEVFN, .exclusive_irqs = PCI_ISA_MASK,
				.router_vendor = 0x8086, .router_device = 0x7000 };

	memcpy(h.signature, "$PIR", 4);
	memcpy(table, &h, sizeof(h));
	for (unsigned int dev = 1; dev <= PIRTABLE_SLOTS; dev++) {
		struct pir_slot s = { .devfn = (uint8_t)(dev << 3), .slot = (uint8_t)dev };

		for (unsigned int pin = 0; pin < 4; pin++) {
			s.pin[pin].link = (uint8_t)(LINK_REG + ((dev + pin) & 3));
			s.pin[pin].irqs = PCI_ISA_MASK;
		}
		memcpy(table + sizeof(h) + (dev - 1) * sizeof(s), &s, sizeof(s));
	}
	h.checksum = (uint8_t)-mem_sum(table, PIRTABLE_SIZE);
	memcpy(table, &h, sizeof(h));
}
