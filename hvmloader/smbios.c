/*
 * SMBIOS structures of the guest.
 *
 * Owns: structure contents and their order. A structure that the toolstack passes in takes the
 * place of ours of the same type; types 128 and up are added. Version 2.4, so the UUID stands in
 * the order in which it is printed. Pure.
 * Manual: "System Management BIOS (SMBIOS) Reference Specification".
 */
#include "hvmloader/smbios.h"

#include "hvmloader/mem.h"

#define DEVICE_MIB    0x4000u /* one memory device holds at most 16 GiB */

enum {
	TYPE_BIOS = 0, TYPE_SYSTEM = 1, TYPE_BOARD = 2, TYPE_CASE = 3, TYPE_CPU = 4, TYPE_OEM = 11,
	TYPE_MEM_ARRAY = 16, TYPE_MEM_DEVICE = 17, TYPE_MEM_ARRAY_MAP = 19, TYPE_MEM_DEVICE_MAP = 20,
	TYPE_BATTERY = 22, TYPE_BOOT = 32, TYPE_POWER = 39, TYPE_VENDOR = 128, TYPE_END = 127
};

enum { STATUS_SAFE = 3, OTHER = 1, UNKNOWN = 2, NONE = 3 };

/* The table so far. ok turns false once and stays so: callers check at the end. */
struct out {
	const struct smbios_world *world;
	uint8_t *table;
	uint32_t room, used;
	uint16_t handle, count, max_size;
	bool ok;
	/* The structure being written. */
	uint32_t start, fixed;
	uint8_t strings;
};

static void put(struct out *o, const void *data, uint32_t n)
{
	if (!o->ok || o->room - o->used < n) {
		o->ok = false;
		return;
	}
	memcpy(o->table + o->used, data, n);
	o->used += n;
}

static void put8(struct out *o, uint8_t value)
{
	put(o, &value, 1);
}

static void put16(struct out *o, uint16_t value)
{
	put(o, &value, 2);
}

static void put32(struct out *o, uint32_t value)
{
	put(o, &value, 4);
}

/* Header of a structure whose fixed part has the given length. */
static void begin(struct out *o, uint8_t type, uint8_t length, uint16_t handle)
{
	o->start = o->used;
	o->fixed = length;
	o->strings = 0;
	put8(o, type);
	put8(o, length);
	put16(o, handle);
}

/* A field too many or too few is our own mistake, and found by the tests. */
static void check_fixed(struct out *o)
{
	if (o->strings == 0 && o->used - o->start != o->fixed) {
		o->ok = false;
	}
}

/* After the fixed part: strings are numbered in the order in which they are added. */
static void add_string(struct out *o, const char *text)
{
	check_fixed(o);
	put(o, text, (uint32_t)strlen(text) + 1);
	o->strings++;
}

static void end(struct out *o)
{
	uint32_t size;

	check_fixed(o);
	if (o->strings == 0) {
		put8(o, 0);
	}
	put8(o, 0);
	size = o->used - o->start;
	if (size > o->max_size) {
		o->max_size = (uint16_t)size;
	}
	o->count++;
}

static const char *or_default(const char *text, const char *fallback)
{
	return text != NULL && *text != '\0' ? text : fallback;
}

static bool present(const char *text)
{
	return text != NULL && *text != '\0';
}

/* Number of the next string if there is one to add; the same order must be used to add them. */
static uint8_t number(const char *text, uint8_t *next)
{
	return present(text) ? (*next)++ : 0;
}

static void add_present(struct out *o, const char *text)
{
	if (present(text)) {
		add_string(o, text);
	}
}

static uint32_t get32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

/* Copy the structures passed in that have the type; returns how many. */
static unsigned int copy_given(struct out *o, uint8_t low, uint8_t high)
{
	const uint8_t *at = o->world->given;
	uint32_t left = o->world->given_size;
	unsigned int found = 0;

	while (o->ok && left >= 4) {
		uint32_t size = get32(at);

		/* Header, and the two zeroes that end it. */
		if (size < 6 || size > left - 4 || at[4 + 1] < 4 || at[4 + 1] > size - 2) {
			o->ok = false;
			return found;
		}
		if (at[4] >= low && at[4] <= high) {
			o->start = o->used;
			put(o, at + 4, size);
			if (size > o->max_size) {
				o->max_size = (uint16_t)size;
			}
			o->count++;
			found++;
		}
		at += 4 + size;
		left -= 4 + size;
	}
	return found;
}

static bool given(struct out *o, uint8_t type)
{
	return copy_given(o, type, type) != 0;
}

static void type_bios(struct out *o)
{
	const struct smbios_strings *s = &o->world->strings;

	begin(o, TYPE_BIOS, 24, 0x0000);
	put8(o, 1);                 /* vendor */
	put8(o, 2);                 /* version */
	put16(o, 0xe800);           /* start segment */
	put8(o, 3);                 /* release date */
	put8(o, 0);                 /* ROM size */
	put32(o, 1u << 3);          /* characteristics are not told */
	put32(o, 0);
	put8(o, 1u << 0);           /* ACPI is supported */
	put8(o, 1u << 2);           /* content distribution; and nothing else */
	put8(o, 4);                 /* release of the BIOS, as the default version has it */
	put8(o, 17);
	put16(o, 0xffff);           /* no embedded controller */
	add_string(o, or_default(s->bios_vendor, "Xen"));
	add_string(o, or_default(s->bios_version, o->world->default_version));
	add_string(o, "01/01/2024");
	end(o);
}

static void type_system(struct out *o)
{
	const struct smbios_strings *s = &o->world->strings;
	bool serial = present(s->system_serial);

	begin(o, TYPE_SYSTEM, 27, 0x0100);
	put8(o, 1);
	put8(o, 2);
	put8(o, 3);
	put8(o, serial ? 4 : 0);
	put(o, o->world->uuid, 16);
	put8(o, 6);                 /* woken by the power switch */
	put8(o, 0);                 /* SKU, family */
	put8(o, 0);
	add_string(o, or_default(s->system_manufacturer, "Xen"));
	add_string(o, or_default(s->system_product, "HVM domU"));
	add_string(o, or_default(s->system_version, o->world->default_version));
	add_present(o, s->system_serial);
	end(o);
}

/* Only when somebody named one. */
static void type_board(struct out *o)
{
	const struct smbios_strings *s = &o->world->strings;
	uint8_t next = 1;

	if (!present(s->board_manufacturer) && !present(s->board_product) &&
	    !present(s->board_version) && !present(s->board_serial) && !present(s->board_tag) &&
	    !present(s->board_location)) {
		return;
	}
	begin(o, TYPE_BOARD, 15, 0x0200);
	put8(o, number(s->board_manufacturer, &next));
	put8(o, number(s->board_product, &next));
	put8(o, number(s->board_version, &next));
	put8(o, number(s->board_serial, &next));
	put8(o, number(s->board_tag, &next));
	put8(o, 1);                 /* hosts the system */
	put8(o, number(s->board_location, &next));
	put16(o, 0x0300);           /* in the chassis */
	put8(o, 10);                /* motherboard */
	put8(o, 0);
	add_present(o, s->board_manufacturer);
	add_present(o, s->board_product);
	add_present(o, s->board_version);
	add_present(o, s->board_serial);
	add_present(o, s->board_tag);
	add_present(o, s->board_location);
	end(o);
}

static void type_case(struct out *o)
{
	const struct smbios_strings *s = &o->world->strings;
	uint8_t next = 2;

	begin(o, TYPE_CASE, 21, 0x0300);
	put8(o, 1);
	put8(o, OTHER);
	put8(o, 0);                 /* version */
	put8(o, number(s->case_serial, &next));
	put8(o, number(s->case_tag, &next));
	put8(o, STATUS_SAFE);       /* boot-up */
	put8(o, STATUS_SAFE);       /* power supply */
	put8(o, STATUS_SAFE);       /* thermal */
	put8(o, UNKNOWN);           /* security */
	put32(o, 0);
	put8(o, 0);                 /* height, power cords */
	put8(o, 0);
	put8(o, 0);                 /* no contained elements */
	put8(o, 0);
	add_string(o, or_default(s->case_manufacturer, "Xen"));
	add_present(o, s->case_serial);
	add_present(o, s->case_tag);
	end(o);
}

/* "CPU 12" for any number below 1000. */
static void socket_name(char *text, unsigned int n)
{
	unsigned int at = 4, div = n >= 100 ? 100 : n >= 10 ? 10 : 1;

	memcpy(text, "CPU ", 4);
	for (; div > 0; div /= 10) {
		text[at++] = (char)('0' + n / div % 10);
	}
	text[at] = '\0';
}

static void type_cpu(struct out *o, unsigned int n)
{
	const struct smbios_strings *s = &o->world->strings;
	uint16_t mhz = o->world->cpu_mhz > 0xffff ? 0xffff : (uint16_t)o->world->cpu_mhz;
	char name[8];

	begin(o, TYPE_CPU, 35, (uint16_t)(0x0400 + n));
	put8(o, 1);                 /* socket */
	put8(o, 3);                 /* central processor */
	put8(o, OTHER);             /* family */
	put8(o, 2);
	put32(o, o->world->cpu_signature);
	put32(o, o->world->cpu_features);
	put8(o, 0);                 /* version */
	put8(o, 0);                 /* voltage */
	put16(o, 0);                /* external clock */
	put16(o, mhz);
	put16(o, mhz);
	put8(o, 0x41);              /* populated, enabled */
	put8(o, OTHER);             /* upgrade */
	put16(o, 0xffff);           /* caches are not described */
	put16(o, 0xffff);
	put16(o, 0xffff);
	put8(o, 0);                 /* serial, asset tag, part number */
	put8(o, 0);
	put8(o, 0);
	socket_name(name, n + 1);
	add_string(o, name);
	add_string(o, or_default(s->system_manufacturer, "Xen"));
	end(o);
}

static void type_oem(struct out *o)
{
	const struct smbios_strings *s = &o->world->strings;

	if (s->oem_count == 0) {
		return;
	}
	begin(o, TYPE_OEM, 5, 0x0b00);
	put8(o, (uint8_t)s->oem_count);
	for (unsigned int i = 0; i < s->oem_count; i++) {
		add_string(o, s->oem[i]);
	}
	end(o);
}

static void type_mem_array(struct out *o, uint64_t mib, unsigned int devices)
{
	uint64_t kib = mib << 10;

	begin(o, TYPE_MEM_ARRAY, 15, 0x1000);
	put8(o, OTHER);             /* location */
	put8(o, 3);                 /* system memory */
	put8(o, 6);                 /* multi-bit error correction */
	put32(o, kib < 0x80000000 ? (uint32_t)kib : 0x80000000); /* the latter: unknown */
	put16(o, 0xfffe);           /* no error information */
	put16(o, (uint16_t)devices);
	end(o);
}

static void type_mem_device(struct out *o, unsigned int n, uint32_t mib)
{
	char name[12];

	begin(o, TYPE_MEM_DEVICE, 27, (uint16_t)(0x1100 + n));
	put16(o, 0x1000);
	put16(o, 0xfffe);
	put16(o, 64);               /* total and data width */
	put16(o, 64);
	put16(o, (uint16_t)mib);
	put8(o, 9);                 /* DIMM */
	put8(o, 0);
	put8(o, 1);                 /* locator */
	put8(o, 0);
	put8(o, 7);                 /* RAM */
	put16(o, 0);
	put16(o, 0);                /* speed unknown */
	put8(o, 0);                 /* manufacturer, serial, tag, part */
	put8(o, 0);
	put8(o, 0);
	put8(o, 0);
	socket_name(name, n);
	memcpy(name, "DIM ", 4);
	add_string(o, name);
	end(o);
}

static void type_mem_array_map(struct out *o, uint64_t mib, unsigned int devices)
{
	begin(o, TYPE_MEM_ARRAY_MAP, 15, 0x1300);
	put32(o, 0);
	put32(o, (uint32_t)((mib << 10) - 1));
	put16(o, 0x1000);
	put8(o, devices > 0xff ? 0xff : (uint8_t)devices);
	end(o);
}

static void type_mem_device_map(struct out *o, unsigned int n, uint32_t mib)
{
	uint64_t start = (uint64_t)n * DEVICE_MIB << 10;

	begin(o, TYPE_MEM_DEVICE_MAP, 19, (uint16_t)(0x1400 + n));
	put32(o, (uint32_t)start);
	put32(o, (uint32_t)(start + ((uint64_t)mib << 10) - 1));
	put16(o, (uint16_t)(0x1100 + n));
	put16(o, 0x1300);
	put8(o, 1);                 /* row */
	put8(o, 0);
	put8(o, 0);
	end(o);
}

static void types_memory(struct out *o)
{
	uint64_t mib = (o->world->memory_bytes + 0xfffff) >> 20;
	unsigned int devices = (unsigned int)((mib + DEVICE_MIB - 1) / DEVICE_MIB);

	if (!given(o, TYPE_MEM_ARRAY)) {
		type_mem_array(o, mib, devices);
	}
	for (unsigned int i = 0; i < devices; i++) {
		uint64_t left = mib - (uint64_t)i * DEVICE_MIB;

		type_mem_device(o, i, left < DEVICE_MIB ? (uint32_t)left : DEVICE_MIB);
	}
	type_mem_array_map(o, mib, devices);
	for (unsigned int i = 0; i < devices; i++) {
		uint64_t left = mib - (uint64_t)i * DEVICE_MIB;

		type_mem_device_map(o, i, left < DEVICE_MIB ? (uint32_t)left : DEVICE_MIB);
	}
}

static void type_battery(struct out *o)
{
	const struct smbios_strings *s = &o->world->strings;
	uint8_t next = 1;

	if (!o->world->battery) {
		return;
	}
	begin(o, TYPE_BATTERY, 26, 0x1600);
	put8(o, 0);                 /* location */
	put8(o, number(s->battery_manufacturer, &next));
	put8(o, 0);                 /* date, serial */
	put8(o, 0);
	put8(o, number(s->battery_name, &next));
	put8(o, UNKNOWN);           /* chemistry */
	put16(o, 0);                /* capacity, voltage unknown */
	put16(o, 0);
	put8(o, 0);
	put8(o, 0xff);              /* error unknown */
	put16(o, 0);
	put16(o, 0);
	put8(o, 0);
	put8(o, 0);
	put32(o, 0);
	add_present(o, s->battery_manufacturer);
	add_present(o, s->battery_name);
	end(o);
}

static void type_boot(struct out *o)
{
	static const uint8_t reserved[6];

	begin(o, TYPE_BOOT, 11, 0x2000);
	put(o, reserved, sizeof(reserved));
	put8(o, 0);                 /* no errors */
	end(o);
}

static void one_or_given(struct out *o, uint8_t type, void (*make)(struct out *o))
{
	if (!given(o, type)) {
		make(o);
	}
}

bool smbios_build(const struct smbios_world *world, uint8_t *table, uint32_t room,
		  struct smbios_result *result)
{
	struct out o = { .world = world, .table = table, .room = room, .ok = true };

	one_or_given(&o, TYPE_BIOS, type_bios);
	one_or_given(&o, TYPE_SYSTEM, type_system);
	one_or_given(&o, TYPE_BOARD, type_board);
	one_or_given(&o, TYPE_CASE, type_case);
	for (unsigned int i = 0; i < world->nr_cpus; i++) {
		type_cpu(&o, i);
	}
	one_or_given(&o, TYPE_OEM, type_oem);
	types_memory(&o);
	one_or_given(&o, TYPE_BATTERY, type_battery);
	type_boot(&o);
	(void)given(&o, TYPE_POWER);
	(void)copy_given(&o, TYPE_VENDOR, 0xff);
	begin(&o, TYPE_END, 4, 0x7f00);
	end(&o);
	if (!o.ok || o.used > 0xffff) {
		return false;
	}
	*result = (struct smbios_result){ o.used, o.count, o.max_size };
	return true;
}

void smbios_entry(uint8_t *entry, uint32_t table, const struct smbios_result *result)
{
	memset(entry, 0, SMBIOS_ENTRY_SIZE);
	memcpy(entry, "_SM_", 4);
	entry[5] = SMBIOS_ENTRY_SIZE;
	entry[6] = 2;               /* version 2.4 */
	entry[7] = 4;
	memcpy(entry + 8, &result->max_size, 2);
	memcpy(entry + 16, "_DMI_", 5);
	memcpy(entry + 22, &(uint16_t){ (uint16_t)result->length }, 2);
	memcpy(entry + 24, &table, 4);
	memcpy(entry + 28, &result->count, 2);
	entry[30] = 0x24;
	entry[21] = (uint8_t)-mem_sum(entry + 16, 15);
	entry[4] = (uint8_t)-mem_sum(entry, SMBIOS_ENTRY_SIZE);
}
