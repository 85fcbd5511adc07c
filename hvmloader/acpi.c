/*
 * ACPI tables of the guest machine.
 *
 * Owns: RSDP, RSDT, XSDT, FADT (both revisions), FACS, MADT, HPET, WAET, the information page of
 * the DSDT and the VM generation ID. Does not own: where memory comes from, the AML itself.
 * Pure. Manual: "Advanced Configuration and Power Interface Specification", ACPI software
 * programming model; "Windows ACPI Emulated Devices Table".
 */
#include "hvmloader/acpi.h"

#include "hvmloader/layout.h"
#include "hvmloader/mem.h"

#define MAX_TABLES   24
#define OEM_REVISION 0
#define CREATOR_REV  1
#define HEADER_CHECKSUM 9

struct header {
	char signature[4];
	uint32_t length;
	uint8_t revision, checksum;
	char oem_id[6], oem_table_id[8];
	uint32_t oem_revision;
	char creator_id[4];
	uint32_t creator_revision;
} __attribute__((packed));

struct address {
	uint8_t space, width, offset, access;
	uint64_t address;
} __attribute__((packed));

enum { SPACE_MEMORY = 0, SPACE_IO = 1 };
enum { ACCESS_BYTE = 1, ACCESS_WORD = 2, ACCESS_DWORD = 3 };

struct fadt {
	struct header h;
	uint32_t facs, dsdt;
	uint8_t reserved0, profile;
	uint16_t sci;
	uint32_t smi_command;
	uint8_t acpi_enable, acpi_disable, s4bios, pstate;
	uint32_t pm1a_evt, pm1b_evt, pm1a_cnt, pm1b_cnt, pm2_cnt, pm_tmr, gpe0, gpe1;
	uint8_t pm1_evt_len, pm1_cnt_len, pm2_cnt_len, pm_tmr_len, gpe0_len, gpe1_len, gpe1_base;
	uint8_t cst;
	uint16_t c2_latency, c3_latency, flush_size, flush_stride;
	uint8_t duty_offset, duty_width, day_alarm, month_alarm, century;
	uint16_t boot_arch;
	uint8_t reserved1;
	uint32_t flags;
	/* The revision of ACPI 1.0 ends here. */
	struct address reset;
	uint8_t reset_value, reserved2[3];
	uint64_t x_facs, x_dsdt;
	struct address x_pm1a_evt, x_pm1b_evt, x_pm1a_cnt, x_pm1b_cnt, x_pm2_cnt, x_pm_tmr, x_gpe0;
	struct address x_gpe1;
} __attribute__((packed));
#define FADT_REV1_SIZE 116

enum {
	FADT_WBINVD = 1 << 0, FADT_PROC_C1 = 1 << 2, FADT_RTC_NOT_FIXED = 1 << 6,
	FADT_TMR_32BIT = 1 << 8, FADT_USE_PLATFORM_CLOCK = 1 << 15
};
#define BOOT_ARCH_8042  (1 << 1)
#define LATENCY_NO_C2   0x0fff
#define LATENCY_NO_C3   0x0fff

struct facs {
	char signature[4];
	uint32_t length, hardware_signature, waking_vector, lock, flags;
	uint64_t x_waking_vector;
	uint8_t version, reserved[31];
} __attribute__((packed));

struct madt {
	struct header h;
	uint32_t lapic_address, flags;
} __attribute__((packed));

struct madt_lapic {
	uint8_t type, length, uid, apic_id;
	uint32_t flags;
} __attribute__((packed));

struct madt_ioapic {
	uint8_t type, length, id, reserved;
	uint32_t address, gsi_base;
} __attribute__((packed));

struct madt_override {
	uint8_t type, length, bus, irq;
	uint32_t gsi;
	uint16_t flags;
} __attribute__((packed));

enum { MADT_LAPIC = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2 };
#define MADT_PCAT_COMPAT     1
#define MADT_LAPIC_ENABLED   1
#define MADT_LEVEL_LOW       0xf

struct hpet {
	struct header h;
	uint32_t block_id;
	struct address base;
	uint8_t number;
	uint16_t min_tick;
	uint8_t protection;
} __attribute__((packed));

struct waet {
	struct header h;
	uint32_t flags;
} __attribute__((packed));
enum { WAET_RTC_NO_ACK = 1, WAET_PM_TIMER_ONE_READ = 2 };

struct rsdp {
	char signature[8];
	uint8_t checksum;
	char oem_id[6];
	uint8_t revision;
	uint32_t rsdt, length;
	uint64_t xsdt;
	uint8_t x_checksum, reserved[3];
} __attribute__((packed));
#define RSDP_REV0_SIZE 20

_Static_assert(sizeof(struct header) == 36, "table header");
_Static_assert(sizeof(struct fadt) == 244, "FADT of ACPI 3.0 and 4.0");
_Static_assert(offsetof(struct fadt, reset) == FADT_REV1_SIZE, "FADT of ACPI 1.0");
_Static_assert(sizeof(struct facs) == 64, "FACS");
_Static_assert(sizeof(struct hpet) == 56, "HPET");
_Static_assert(sizeof(struct rsdp) == ACPI_RSDP_SIZE, "RSDP");
_Static_assert(sizeof(struct acpi_info) == 40, "information page");
_Static_assert(sizeof(struct madt_lapic) == 8, "the DSDT steps through these by 8");

/* The work in progress: what goes into RSDT and XSDT, and where memory comes from. */
struct build {
	const struct acpi_world *world;
	const struct acpi_mem *mem;
	struct acpi_result *result;
	uint32_t facs, fadt_rev1;
	unsigned int count;
	uint32_t table[MAX_TABLES];
};

static void finish(struct header *h)
{
	h->checksum = 0;
	h->checksum = (uint8_t)-mem_sum(h, h->length);
}

static void *new_blob(struct build *b, uint32_t size, uint32_t align, uint32_t *phys)
{
	return b->mem->alloc(b->mem->ctx, size, align, phys);
}

static void *new_table(struct build *b, const char *signature, uint8_t revision, uint32_t size,
		       uint32_t *phys)
{
	struct header *h = new_blob(b, size, 16, phys);

	if (h == NULL) {
		return NULL;
	}
	memcpy(h->signature, signature, 4);
	h->length = size;
	h->revision = revision;
	memcpy(h->oem_id, "Xen\0\0\0", 6);
	memcpy(h->oem_table_id, "HVM\0\0\0\0\0", 8);
	h->oem_revision = OEM_REVISION;
	memcpy(h->creator_id, "OSTL", 4);
	h->creator_revision = CREATOR_REV;
	return h;
}

static bool list_table(struct build *b, uint32_t phys)
{
	if (b->count == MAX_TABLES) {
		return false;
	}
	b->table[b->count++] = phys;
	return true;
}

static bool build_facs(struct build *b)
{
	struct facs *facs = new_blob(b, sizeof(*facs), 64, &b->facs);

	if (facs == NULL) {
		return false;
	}
	memcpy(facs->signature, "FACS", 4);
	facs->length = sizeof(*facs);
	facs->version = 1;
	return true;
}

static bool build_dsdt(struct build *b)
{
	void *dsdt = new_blob(b, b->world->dsdt.size, 64, &b->result->dsdt);

	if (dsdt == NULL) {
		return false;
	}
	memcpy(dsdt, b->world->dsdt.data, b->world->dsdt.size);
	return true;
}

static struct address io_address(uint16_t port, uint8_t bytes, uint8_t access)
{
	return (struct address){ .space = SPACE_IO,
				 .width = (uint8_t)(bytes * 8),
				 .access = access,
				 .address = port };
}

static void fill_fadt(struct fadt *f, const struct build *b)
{
	f->facs = b->facs;
	f->dsdt = b->result->dsdt;
	f->sci = SCI_IRQ;
	f->pm1a_evt = PORT_PM1A_EVT;
	f->pm1a_cnt = PORT_PM1A_CNT;
	f->pm_tmr = PORT_PM_TMR;
	f->gpe0 = PORT_GPE0;
	f->pm1_evt_len = 4;
	f->pm1_cnt_len = 2;
	f->pm_tmr_len = 4;
	f->gpe0_len = 4;
	f->c2_latency = LATENCY_NO_C2;
	f->c3_latency = LATENCY_NO_C3;
	f->boot_arch = BOOT_ARCH_8042;
	f->flags = FADT_WBINVD | FADT_PROC_C1 | FADT_RTC_NOT_FIXED | FADT_TMR_32BIT |
		   FADT_USE_PLATFORM_CLOCK;
	f->reset = io_address(0xcf9, 1, ACCESS_BYTE);
	f->reset_value = 6;
	f->x_dsdt = f->dsdt;
	f->x_pm1a_evt = io_address(PORT_PM1A_EVT, 4, ACCESS_WORD);
	f->x_pm1a_cnt = io_address(PORT_PM1A_CNT, 2, ACCESS_WORD);
	f->x_pm_tmr = io_address(PORT_PM_TMR, 4, ACCESS_DWORD);
	f->x_gpe0 = io_address(PORT_GPE0, 4, ACCESS_BYTE);
}

/* Two FADTs: systems that know only ACPI 1.0 follow the RSDT and read a short one. */
static bool build_fadt(struct build *b)
{
	struct fadt *f = new_table(b, "FACP", 4, sizeof(*f), &b->result->fadt);
	struct header *old = new_table(b, "FACP", 1, FADT_REV1_SIZE, &b->fadt_rev1);

	if (f == NULL || old == NULL) {
		return false;
	}
	fill_fadt(f, b);
	finish(&f->h);
	memcpy(old + 1, &f->h + 1, FADT_REV1_SIZE - sizeof(*old));
	finish(old);
	return list_table(b, b->result->fadt);
}

static uint8_t *put_overrides(uint8_t *at)
{
	for (uint8_t irq = 0; irq < 16; irq++) {
		struct madt_override o = { .type = MADT_OVERRIDE, .length = sizeof(o), .irq = irq,
					   .gsi = irq };

		if (irq == 0) {
			o.gsi = 2;
		} else if (PCI_ISA_MASK & (1u << irq)) {
			o.flags = MADT_LEVEL_LOW;
		} else {
			continue;
		}
		memcpy(at, &o, sizeof(o));
		at += sizeof(o);
	}
	return at;
}

static uint8_t *put_lapics(uint8_t *at, const struct acpi_world *w)
{
	for (unsigned int i = 0; i < w->nr_cpus; i++) {
		struct madt_lapic l = { .type = MADT_LAPIC,
					.length = sizeof(l),
					.uid = (uint8_t)i,
					.apic_id = w->apic_id[i] };

		if (w->online[i / 8] & (1u << (i % 8))) {
			l.flags = MADT_LAPIC_ENABLED;
		}
		memcpy(at, &l, sizeof(l));
		at += sizeof(l);
	}
	return at;
}

static bool build_madt(struct build *b, struct acpi_info *info)
{
	const unsigned int overrides = 1 + (unsigned int)__builtin_popcount(PCI_ISA_MASK);
	const struct madt_ioapic ioapic = { .type = MADT_IOAPIC,
					    .length = sizeof(ioapic),
					    .id = IOAPIC_ID,
					    .address = LAYOUT_IOAPIC };
	uint32_t size = (uint32_t)(sizeof(struct madt) + overrides * sizeof(struct madt_override) +
				   sizeof(ioapic) + b->world->nr_cpus * sizeof(struct madt_lapic));
	struct madt *m = new_table(b, "APIC", 2, size, &b->result->madt);
	uint8_t *at;

	if (m == NULL) {
		return false;
	}
	m->lapic_address = LAYOUT_LAPIC;
	m->flags = MADT_PCAT_COMPAT;
	at = put_overrides((uint8_t *)(m + 1));
	memcpy(at, &ioapic, sizeof(ioapic));
	at += sizeof(ioapic);
	info->madt_lapic0 = b->result->madt + (uint32_t)(at - (uint8_t *)m);
	info->madt_checksum = b->result->madt + HEADER_CHECKSUM;
	(void)put_lapics(at, b->world);
	finish(&m->h);
	return list_table(b, b->result->madt);
}

static bool build_hpet(struct build *b)
{
	uint32_t phys;
	struct hpet *h;

	if (!b->world->hpet) {
		return true;
	}
	h = new_table(b, "HPET", 1, sizeof(*h), &phys);
	if (h == NULL) {
		return false;
	}
	h->block_id = b->world->hpet_id;
	h->base = (struct address){ .space = SPACE_MEMORY, .address = LAYOUT_HPET };
	finish(&h->h);
	return list_table(b, phys);
}

static bool build_waet(struct build *b)
{
	uint32_t phys;
	struct waet *w = new_table(b, "WAET", 1, sizeof(*w), &phys);

	if (w == NULL) {
		return false;
	}
	w->flags = WAET_RTC_NO_ACK | WAET_PM_TIMER_ONE_READ;
	finish(&w->h);
	return list_table(b, phys);
}

static bool copy_table(struct build *b, const void *data, uint32_t size)
{
	uint32_t phys;
	void *table = new_blob(b, size, 16, &phys);

	if (table == NULL) {
		return false;
	}
	memcpy(table, data, size);
	return list_table(b, phys);
}

static bool copy_ssdts(struct build *b)
{
	for (unsigned int i = 0; i < sizeof(b->world->ssdt) / sizeof(b->world->ssdt[0]); i++) {
		const struct acpi_blob *ssdt = &b->world->ssdt[i];

		if (ssdt->size != 0 && !copy_table(b, ssdt->data, ssdt->size)) {
			return false;
		}
	}
	return true;
}

/* Tables of the toolstack: each says its own length; the last one may not reach too far. */
static bool copy_extra(struct build *b)
{
	const uint8_t *at = b->world->extra.data;
	uint32_t left = b->world->extra.size;

	while (left > 0) {
		struct header h;

		if (left < sizeof(h)) {
			return false;
		}
		memcpy(&h, at, sizeof(h));
		if (h.length < sizeof(h) || h.length > left || !copy_table(b, at, h.length)) {
			return false;
		}
		at += h.length;
		left -= h.length;
	}
	return true;
}

static bool build_generation_id(struct build *b, struct acpi_info *info)
{
	uint64_t *id;

	if (!b->world->has_generation_id) {
		return true;
	}
	id = new_blob(b, sizeof(b->world->generation_id), 16, &b->result->generation_id);
	if (id == NULL) {
		return false;
	}
	memcpy(id, b->world->generation_id, sizeof(b->world->generation_id));
	info->generation_id = b->result->generation_id;
	return true;
}

static bool build_roots(struct build *b)
{
	struct header *x = new_table(b, "XSDT", 1, (uint32_t)(sizeof(*x) + b->count * 8),
				     &b->result->xsdt);
	struct header *r = new_table(b, "RSDT", 1, (uint32_t)(sizeof(*r) + b->count * 4),
				     &b->result->rsdt);

	if (x == NULL || r == NULL) {
		return false;
	}
	for (unsigned int i = 0; i < b->count; i++) {
		uint64_t wide = b->table[i];
		uint32_t narrow = b->table[i] == b->result->fadt ? b->fadt_rev1 : b->table[i];

		memcpy((uint8_t *)(x + 1) + i * 8, &wide, 8);
		memcpy((uint8_t *)(r + 1) + i * 4, &narrow, 4);
	}
	finish(x);
	finish(r);
	b->result->tables = b->count;
	return true;
}

static void build_rsdp(const struct build *b, void *rsdp)
{
	struct rsdp r = { .revision = 2, .rsdt = b->result->rsdt, .length = sizeof(r),
			  .xsdt = b->result->xsdt };

	memcpy(r.signature, "RSD PTR ", 8);
	memcpy(r.oem_id, "Xen\0\0\0", 6);
	r.checksum = (uint8_t)-mem_sum(&r, RSDP_REV0_SIZE);
	r.x_checksum = (uint8_t)-mem_sum(&r, sizeof(r));
	memcpy(rsdp, &r, sizeof(r));
}

static void fill_info(struct acpi_info *info, const struct acpi_world *w)
{
	memset(info, 0, sizeof(*info));
	info->com1 = w->com1;
	info->com2 = w->com2;
	info->lpt1 = w->lpt1;
	info->hpet = w->hpet;
	info->nr_cpus = (uint16_t)w->nr_cpus;
	info->pci_min = w->pci_min;
	info->pci_len = w->pci_len;
	info->pci_high_min = w->pci_high_min;
	info->pci_high_len = w->pci_high_len;
}

bool acpi_build(const struct acpi_world *world, const struct acpi_mem *mem, struct acpi_info *info,
		void *rsdp, struct acpi_result *result)
{
	struct build b = { .world = world, .mem = mem, .result = result };

	memset(result, 0, sizeof(*result));
	if (world->nr_cpus == 0 || world->nr_cpus > ACPI_MAX_CPUS) {
		return false;
	}
	fill_info(info, world);
	if (!build_facs(&b) || !build_dsdt(&b) || !build_fadt(&b) || !build_madt(&b, info) ||
	    !build_hpet(&b) || !build_waet(&b) || !copy_ssdts(&b) || !copy_extra(&b) ||
	    !build_generation_id(&b, info) || !build_roots(&b)) {
		return false;
	}
	build_rsdp(&b, rsdp);
	return true;
}
