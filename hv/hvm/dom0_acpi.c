/*
 * Dom0's RSDP, XSDT and MADT (ACPI specification, "Root System Description Pointer", "Multiple APIC Description Table").
 *
 * The machine's other tables stay where they are and are pointed at, except those about hardware that is the
 * hypervisor's: HPET, IOMMUs, and topology that is not Dom0's.
 */
#include "hvm/dom0_acpi.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/util.h"

#define HEADER 36

/* Where the next byte goes; too_long once it did not fit. */
struct out {
	uint8_t *buf;
	uint32_t size, used;
	bool too_long;
};

static void put(struct out *o, const void *p, uint32_t n)
{
	/* Alignment alone may have gone past the end. */
	if (o->too_long || o->used > o->size || n > o->size - o->used) {
		o->too_long = true;
		return;
	}
	memcpy(o->buf + o->used, p, n);
	o->used += n;
}

static void put8(struct out *o, uint8_t v)
{
	put(o, &v, sizeof(v));
}

static void put16(struct out *o, uint16_t v)
{
	put(o, &v, sizeof(v));
}

static void put32(struct out *o, uint32_t v)
{
	put(o, &v, sizeof(v));
}

static void put64(struct out *o, uint64_t v)
{
	put(o, &v, sizeof(v));
}

static void fix_checksum(uint8_t *table, uint32_t len, uint32_t at)
{
	uint8_t sum = 0;
	table[at] = 0;
	for (uint32_t i = 0; i < len; i++) {
		sum = (uint8_t)(sum + table[i]);
	}
	table[at] = (uint8_t)-sum;
}

/* Begin a table: returns its offset. The length and checksum come at the end. */
static uint32_t begin(struct out *o, const char *sig, uint8_t revision)
{
	o->used = ALIGN_UP(o->used, 16);
	uint32_t at = o->used;
	put(o, sig, 4);
	put32(o, 0);
	put8(o, revision);
	put8(o, 0);
	put(o, "OSTLER", 6);
	put(o, "DOM0    ", 8);
	put32(o, 1);
	put(o, "OSTL", 4);
	put32(o, 1);
	return at;
}

static void end(struct out *o, uint32_t at)
{
	if (o->too_long) {
		return;
	}
	uint32_t len = o->used - at;
	memcpy(o->buf + at + 4, &len, sizeof(len));
	fix_checksum(o->buf + at, len, 9);
}

/* No 8259 pair is promised (flags 0): it is not there for Dom0. Processor UIDs are vCPU numbers. */
static uint32_t madt(struct out *o, const struct dom0_acpi *a)
{
	uint32_t at = begin(o, "APIC", 4);
	put32(o, 0xfee00000);
	put32(o, 0);
	for (unsigned int i = 0; i < a->vcpus; i++) {
		if (a->apic_id[i] < 255) {
			put8(o, 0);
			put8(o, 8);
			put8(o, (uint8_t)i);
			put8(o, (uint8_t)a->apic_id[i]);
			put32(o, 1);
		} else {
			put8(o, 9);
			put8(o, 16);
			put16(o, 0);
			put32(o, a->apic_id[i]);
			put32(o, 1);
			put32(o, i);
		}
	}
	for (unsigned int i = 0; i < a->info->ioapics; i++) {
		const struct acpi_ioapic *io = &a->info->ioapic[i];
		put8(o, 1);
		put8(o, 12);
		put8(o, io->id);
		put8(o, 0);
		put32(o, (uint32_t)io->addr.v);
		put32(o, io->gsi_base);
	}
	for (unsigned int i = 0; i < a->info->overrides; i++) {
		const struct acpi_override *v = &a->info->override[i];
		put8(o, 2);
		put8(o, 10);
		put8(o, v->bus);
		put8(o, v->irq);
		put32(o, v->gsi);
		put16(o, v->flags);
	}
	end(o, at);
	return at;
}

static bool is_dom0s(const char *sig)
{
	static const char kept[][5] = { "FACP", "SSDT", "PSDT", "SBST", "MCFG", "SLIC", "MSDM", "WDAT", "FPDT",
					"WAET", "BGRT", "SPCR", "DBGP", "DBG2", "S3PT", "WSMT", "LPIT" };
	for (unsigned int i = 0; i < ARRAY_SIZE(kept); i++) {
		if (strcmp(sig, kept[i]) == 0) {
			return true;
		}
	}
	return false;
}

static uint32_t xsdt(struct out *o, const struct dom0_acpi *a, uint64_t madt_addr)
{
	uint32_t at = begin(o, "XSDT", 1);
	put64(o, madt_addr);
	for (unsigned int i = 0; i < a->tables; i++) {
		if (is_dom0s(a->table[i].sig)) {
			put64(o, a->table[i].addr);
		}
	}
	end(o, at);
	return at;
}

static uint32_t rsdp_table(struct out *o, uint64_t xsdt_addr)
{
	o->used = ALIGN_UP(o->used, 16);
	uint32_t at = o->used;
	put(o, "RSD PTR ", 8);
	put8(o, 0);
	put(o, "OSTLER", 6);
	put8(o, 2);
	put32(o, 0);
	put32(o, HEADER);
	put64(o, xsdt_addr);
	put32(o, 0);
	if (!o->too_long) {
		fix_checksum(o->buf + at, 20, 8);
		fix_checksum(o->buf + at, HEADER, 32);
	}
	return at;
}

int dom0_acpi_build(const struct dom0_acpi *a, uint8_t *buf, uint32_t size, uint64_t base, uint64_t *rsdp)
{
	struct out o = { .buf = buf, .size = size };
	uint32_t m = madt(&o, a);
	uint32_t x = xsdt(&o, a, base + m);
	uint32_t r = rsdp_table(&o, base + x);
	*rsdp = base + r;
	return o.too_long ? -ENOSPC : (int)o.used;
}
