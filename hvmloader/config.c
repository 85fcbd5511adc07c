/*
 * What the toolstack wants of the firmware.
 *
 * Owns: the names of the xenstore keys and their defaults. Directories are listed first, so that
 * a key that is not there costs nothing: a round trip to xenstored is slow.
 */
#include "hvmloader/config.h"

#include <xen/hvm/hvm_xs_strings.h>

#include "hvmloader/util.h"
#include "hvmloader/xenstore.h"

#define LIST_SIZE   4096
#define POOL_SIZE   16384
#define VALUE_SIZE  256

static char pool[POOL_SIZE];  /* strings that live on */
static uint32_t pool_used;

static void set_bool(void *field, const char *value)
{
	*(bool *)field = parse_number(value, NULL) != 0;
}

static void set_u64(void *field, const char *value)
{
	*(uint64_t *)field = parse_number(value, NULL);
}

static void set_u32(void *field, const char *value)
{
	*(uint32_t *)field = (uint32_t)parse_number(value, NULL);
}

static void set_string(void *field, const char *value)
{
	uint32_t n = (uint32_t)strlen(value) + 1;

	if (n > POOL_SIZE - pool_used) {
		print("config: strings too long, one is left out\n");
		return;
	}
	memcpy(pool + pool_used, value, n);
	*(const char **)field = pool + pool_used;
	pool_used += n;
}

/* "low:high", both decimal. */
static void set_generation_id(void *field, const char *value)
{
	struct config *c = field;
	const char *end;

	c->generation_id[0] = parse_number(value, &end);
	if (end == value || *end != ':') {
		return;
	}
	value = end + 1;
	c->generation_id[1] = parse_number(value, &end);
	c->has_generation_id = end != value;
}

static void check_bios(void *field, const char *value)
{
	(void)field;
	if (strcmp(value, "seabios") != 0) {
		fatal("the configuration wants the BIOS \"%s\", only seabios is supported", value);
	}
}

struct key {
	const char *path;
	void (*set)(void *field, const char *value);
	uint32_t offset;
};

#define KEY(path, set, member) { path, set, offsetof(struct config, member) }
#define TEXT(path, member)     KEY(path, set_string, strings.member)

static const struct key keys[] = {
	{ HVM_XS_BIOS, check_bios, 0 },
	KEY(HVM_XS_ALLOW_MEMORY_RELOCATE, set_bool, allow_relocate),
	KEY("hvmloader/selftest", set_bool, selftest),
	KEY("platform/mmio_hole_size", set_u64, hole_size),
	KEY("platform/acpi", set_bool, acpi),
	KEY("platform/acpi_s3", set_bool, acpi_s3),
	KEY("platform/acpi_s4", set_bool, acpi_s4),
	{ "platform/generation-id", set_generation_id, 0 },
	KEY(HVM_XS_ACPI_PT_ADDRESS, set_u32, acpi_address),
	KEY(HVM_XS_ACPI_PT_LENGTH, set_u32, acpi_length),
	KEY(HVM_XS_SMBIOS_PT_ADDRESS, set_u32, smbios_address),
	KEY(HVM_XS_SMBIOS_PT_LENGTH, set_u32, smbios_length),
	KEY(HVM_XS_SMBIOS_DEFAULT_BATTERY, set_bool, smbios_battery),
	TEXT(HVM_XS_BIOS_VENDOR, bios_vendor),
	TEXT(HVM_XS_BIOS_VERSION, bios_version),
	TEXT(HVM_XS_SYSTEM_MANUFACTURER, system_manufacturer),
	TEXT(HVM_XS_SYSTEM_PRODUCT_NAME, system_product),
	TEXT(HVM_XS_SYSTEM_VERSION, system_version),
	TEXT(HVM_XS_SYSTEM_SERIAL_NUMBER, system_serial),
	TEXT(HVM_XS_BASEBOARD_MANUFACTURER, board_manufacturer),
	TEXT(HVM_XS_BASEBOARD_PRODUCT_NAME, board_product),
	TEXT(HVM_XS_BASEBOARD_VERSION, board_version),
	TEXT(HVM_XS_BASEBOARD_SERIAL_NUMBER, board_serial),
	TEXT(HVM_XS_BASEBOARD_ASSET_TAG, board_tag),
	TEXT(HVM_XS_BASEBOARD_LOCATION_IN_CHASSIS, board_location),
	TEXT(HVM_XS_ENCLOSURE_MANUFACTURER, case_manufacturer),
	TEXT(HVM_XS_ENCLOSURE_SERIAL_NUMBER, case_serial),
	TEXT(HVM_XS_ENCLOSURE_ASSET_TAG, case_tag),
	TEXT(HVM_XS_BATTERY_MANUFACTURER, battery_manufacturer),
	TEXT(HVM_XS_BATTERY_DEVICE_NAME, battery_name),
};

/* "dir/name" -> true when path is exactly that. */
static bool is_path(const char *path, const char *dir, const char *name)
{
	size_t n = strlen(dir);

	return memcmp(path, dir, n < strlen(path) ? n : strlen(path)) == 0 && strlen(path) > n &&
	       path[n] == '/' && strcmp(path + n + 1, name) == 0;
}

static void load_key(struct config *c, const char *dir, const char *name)
{
	char value[VALUE_SIZE];

	for (unsigned int i = 0; i < ARRAY_SIZE(keys); i++) {
		if (is_path(keys[i].path, dir, name) &&
		    xenstore_read(keys[i].path, value, sizeof(value)) > 0) {
			keys[i].set((char *)c + keys[i].offset, value);
		}
	}
}

/* bios-strings/oem-1 .. oem-99, in that order, up to the first that is missing. */
static void load_oem(struct config *c)
{
	for (unsigned int i = 1; i <= SMBIOS_OEM_STRINGS; i++) {
		char path[] = "bios-strings/oem-\0\0", value[VALUE_SIZE];
		char *digit = path + sizeof("bios-strings/oem-") - 1;

		if (i >= 10) {
			*digit++ = (char)('0' + i / 10);
		}
		*digit = (char)('0' + i % 10);
		if (xenstore_read(path, value, sizeof(value)) <= 0) {
			return;
		}
		set_string(&c->strings.oem[i - 1], value);
		if (c->strings.oem[i - 1] == NULL) {
			return;
		}
		c->strings.oem_count = i;
	}
}

static void load_directory(struct config *c, const char *dir)
{
	static char list[LIST_SIZE];
	int length = xenstore_list(dir, list, sizeof(list));
	bool oem = false;

	for (int at = 0; at < length; at += (int)strlen(list + at) + 1) {
		load_key(c, dir, list + at);
		oem = oem || strcmp(list + at, "oem-1") == 0;
	}
	if (oem) {
		load_oem(c);
	}
}

void config_load(struct config *c)
{
	static const char *const directories[] = { HVM_XS_HVMLOADER, HVM_XS_HVMLOADER "/acpi",
						   HVM_XS_HVMLOADER "/smbios", "platform",
						   HVM_XS_BIOS_STRINGS };

	*c = (struct config){ .allow_relocate = true, .acpi = true, .acpi_s3 = true,
			      .acpi_s4 = true };
	for (unsigned int i = 0; i < ARRAY_SIZE(directories); i++) {
		load_directory(c, directories[i]);
	}
}
