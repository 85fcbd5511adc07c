/*
 * The firmware's order of work, from entry to SeaBIOS.
 *
 * Owns: the order, and the hand-over of results from one step to the next. What each step does is
 * in its own file; README.md has the memory map.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xen/xen.h>
#include <xen/arch-x86/hvm/start_info.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>

#include "hvmloader/acpi.h"
#include "hvmloader/config.h"
#include "hvmloader/e820.h"
#include "hvmloader/hypercall.h"
#include "hvmloader/layout.h"
#include "hvmloader/memory.h"
#include "hvmloader/mptable.h"
#include "hvmloader/pci.h"
#include "hvmloader/platform.h"
#include "hvmloader/seabios.h"
#include "hvmloader/selftest.h"
#include "hvmloader/shared.h"
#include "hvmloader/smbios.h"
#include "hvmloader/smp.h"
#include "hvmloader/traps.h"
#include "hvmloader/util.h"
#include "hvmloader/xenstore.h"

#include "hvmloader/aml.h"

#define VERSION       "0.1"
#define VM86_TSS_SIZE  384
#define VM86_TSS_ALIGN 128
#define SMBIOS_ROOM    0x10000u
#define LAPIC_VERSION  (mmio_read32(LAYOUT_LAPIC + 0x30) & 0xff)

void main(const struct hvm_start_info *start);

/* What later steps need of earlier ones. */
static struct config config;
static struct pci_bus pci;
static struct e820_entry given_map[E820_MAX];
static unsigned int given_count;
static struct e820_map map;
static char version[32];
static uint32_t tables[SEABIOS_TABLES];
static unsigned int table_count;

static void add_table(const void *table)
{
	tables[table_count++] = (uint32_t)table;
}

static void check_start(const struct hvm_start_info *start)
{
	if (start == NULL || start->magic != XEN_HVM_START_MAGIC_VALUE) {
		fatal("not started with a start info structure");
	}
}

static void read_memory_map(void)
{
	struct xen_memory_map request = { .nr_entries = E820_MAX };
	long rc;

	set_xen_guest_handle(request.buffer, given_map);
	rc = hypercall(__HYPERVISOR_memory_op, XENMEM_memory_map, (uint32_t)&request, 0, 0, 0);
	if (rc != 0 || request.nr_entries == 0 || request.nr_entries > E820_MAX) {
		fatal("no memory map from the hypervisor (%d, %u entries)", (int)rc,
		      request.nr_entries);
	}
	given_count = request.nr_entries;
	if (e820_find(given_map, given_count, E820_RESERVED, LAYOUT_RESERVED,
		      LAYOUT_RESERVED_END) != NULL) {
		fatal("the toolstack reserves memory inside %08x-%08x", LAYOUT_RESERVED,
		      LAYOUT_RESERVED_END);
	}
}

static void report_pci(void)
{
	static const char *const kinds[] = { "I/O", "memory", "64-bit memory", "ROM" };

	print("PCI: %u functions, window %08x-%08x\n", pci.functions, pci.mem_start,
	      LAYOUT_PCI_END);
	for (unsigned int i = 0; i < pci.functions; i++) {
		const struct pci_function *f = &pci.function[i];

		print("PCI 00:%02x.%u %04x:%04x class %04x", f->devfn >> 3, f->devfn & 7,
		      f->vendor, f->device, f->class);
		if (f->pin != 0) {
			print(" INT%c irq %u", 'A' + f->pin - 1, f->irq);
		}
		print("\n");
	}
	for (unsigned int i = 0; i < pci.bars; i++) {
		const struct pci_bar *bar = &pci.bar[i];
		const struct pci_function *f = &pci.function[bar->function];

		print("PCI 00:%02x.%u bar %02x %s size %llx", f->devfn >> 3, f->devfn & 7,
		      bar->reg, kinds[bar->kind], bar->size);
		print(bar->base != 0 ? " at %llx\n" : ": no room\n", bar->base);
	}
}

static void setup_pci(void)
{
	struct pci_limits limits = { .low_ram_end = memory_low_end(),
				     .high_ram_end = memory_high_end(),
				     .allow_relocate = config.allow_relocate,
				     .hole_size = config.hole_size,
				     .address_limit = 1ull << smp_phys_bits() };

	pci_scan(&pci, &platform_pci);
	pci_place(&pci, &limits);
	report_pci();
	memory_move_low(pci.move_ram);
	pci_commit(&pci, &platform_pci);
}

static void setup_smbios(void)
{
	struct smbios_world w = { .strings = config.strings, .default_version = version,
				  .nr_cpus = memory_info()->nr_vcpus,
				  .cpu_mhz = shared_cpu_mhz(),
				  .battery = config.smbios_battery,
				  .memory_bytes = memory_low_end() };
	struct smbios_result result;
	uint8_t *table, *entry;
	uint32_t r[4];

	if (memory_high_end() > GIB4) {
		w.memory_bytes += memory_high_end() - GIB4;
	}
	if (config.smbios_length != 0) {
		w.given = at_phys(config.smbios_address);
		w.given_size = config.smbios_length;
	}
	cpuid(1, 0, r);
	w.cpu_signature = r[0];
	w.cpu_features = r[3];
	hypercall_uuid(w.uuid);
	/* Its size is known only afterwards: built in free low memory, then copied. */
	table = at_phys(LAYOUT_SCRATCH_END);
	if (!smbios_build(&w, table, SMBIOS_ROOM, &result)) {
		fatal("SMBIOS structures cannot be built");
	}
	table = memcpy(memory_reserved(result.length, 16), table, result.length);
	entry = memory_scratch(SMBIOS_ENTRY_SIZE, 16);
	smbios_entry(entry, (uint32_t)table, &result);
	add_table(entry);
	print("SMBIOS: %u structures at %08x, processor clock %u MHz\n", result.count,
	      (uint32_t)table, w.cpu_mhz);
}

static void setup_mp_tables(void)
{
	const struct hvm_info_table *info = memory_info();
	struct mptable_world w = { .nr_cpus = info->nr_vcpus, .apic_id = smp_apic_ids(info->nr_vcpus) };
	uint8_t *mp, *pir;
	uint32_t r[4];

	if (info->nr_vcpus <= 1 && !info->apic_mode) {
		return;
	}
	cpuid(1, 0, r);
	w.cpu_signature = r[0];
	w.cpu_features = r[3];
	w.lapic_version = (uint8_t)LAPIC_VERSION;
	mp = memory_reserved(mptable_size(w.nr_cpus), 16);
	mptable_build(&w, mp, (uint32_t)mp);
	add_table(mp);
	pir = memory_scratch(PIRTABLE_SIZE, 16);
	pirtable_build(pir);
	add_table(pir);
	print("MP table at %08x, interrupt routing table at %05x\n", (uint32_t)mp, (uint32_t)pir);
}

static void fill_acpi_world(struct acpi_world *w)
{
	const struct hvm_info_table *info = memory_info();
	unsigned int ssdts = 0;

	w->nr_cpus = info->nr_vcpus;
	w->apic_id = smp_apic_ids(info->nr_vcpus);
	memcpy(w->online, info->vcpu_online, sizeof(w->online));
	w->com1 = platform_has_uart(0x3f8);
	w->com2 = platform_has_uart(0x2f8);
	w->lpt1 = platform_has_parallel(0x378);
	w->hpet_id = platform_hpet_id();
	w->hpet = w->hpet_id != 0;
	w->pci_min = pci.mem_start;
	w->pci_len = LAYOUT_PCI_END - pci.mem_start;
	w->pci_high_min = pci.high_start;
	w->pci_high_len = pci.high_end - pci.high_start;
	w->has_generation_id = config.has_generation_id;
	w->generation_id[0] = config.generation_id[0];
	w->generation_id[1] = config.generation_id[1];
	w->dsdt = (struct acpi_blob){ aml_dsdt, sizeof(aml_dsdt) };
	if (config.acpi_s3) {
		w->ssdt[ssdts++] = (struct acpi_blob){ aml_ssdt_s3, sizeof(aml_ssdt_s3) };
	}
	if (config.acpi_s4) {
		w->ssdt[ssdts++] = (struct acpi_blob){ aml_ssdt_s4, sizeof(aml_ssdt_s4) };
	}
	if (config.acpi_length != 0) {
		w->extra = (struct acpi_blob){ at_phys(config.acpi_address), config.acpi_length };
	}
}

static void setup_acpi(void)
{
	struct acpi_world w = { 0 };
	struct acpi_mem mem = { memory_acpi, NULL };
	struct acpi_result result;
	void *rsdp;

	if (!config.acpi) {
		print("ACPI is switched off\n");
		return;
	}
	fill_acpi_world(&w);
	rsdp = memory_scratch(ACPI_RSDP_SIZE, 16);
	if (!acpi_build(&w, &mem, memory_fixed(LAYOUT_ACPI_INFO), rsdp, &result)) {
		fatal("ACPI tables cannot be built");
	}
	add_table(rsdp);
	if (!platform_enable_acpi()) {
		print("warning: the chipset does not switch to ACPI mode\n");
	}
	(void)hypercall_set_param(HVM_PARAM_ACPI_IOPORTS_LOCATION, 1);
	if (result.generation_id != 0) {
		(void)hypercall_set_param(HVM_PARAM_VM_GENERATION_ID_ADDR, result.generation_id);
	}
	print("ACPI: %u tables, FADT %08x, XSDT %08x%s%s%s%s\n", result.tables, result.fadt,
	      result.xsdt, w.com1 ? ", COM1" : "", w.com2 ? ", COM2" : "",
	      w.lpt1 ? ", LPT1" : "", w.hpet ? ", HPET" : "");
}

/* Processors without unrestricted guest mode run real mode as a task with this segment. */
static void setup_vm86_tss(void)
{
	void *tss = memory_reserved(VM86_TSS_SIZE, VM86_TSS_ALIGN);

	memset(tss, 0, VM86_TSS_SIZE);
	(void)hypercall_set_param(HVM_PARAM_VM86_TSS_SIZED,
				  (uint64_t)VM86_TSS_SIZE << 32 | (uint32_t)tss);
}

static void setup_memory_map(uint32_t bios_start)
{
	struct e820_world w = { .given = given_map, .given_count = given_count,
				.bios_start = bios_start, .acpi_end = memory_acpi_end(),
				.low_ram_end = memory_low_end(),
				.high_ram_end = memory_high_end() };

	if (!e820_build(&map, &w)) {
		fatal("the memory map has too many entries");
	}
	for (unsigned int i = 0; i < map.count; i++) {
		const struct e820_entry *e = &map.entry[i];

		print("e820: %016llx-%016llx %s\n", e->addr, e->addr + e->size,
		      e820_type_name(e->type));
	}
}

void main(const struct hvm_start_info *start)
{
	uint32_t bios_start;

	traps_init();
	print("ostler hvmloader " VERSION "\n");
	hypercall_init();
	check_start(start);
	memory_init();
	hypercall_version(version);
	read_memory_map();
	shared_init();
	xenstore_init();
	config_load(&config);
	bios_start = seabios_load(start);
	platform_init_interrupts();
	setup_pci();
	smp_init(memory_info()->nr_vcpus, pci.mem_start, LAYOUT_PCI_END, pci.high_start,
		 pci.high_end);
	selftest_run(config.selftest);
	setup_smbios();
	setup_mp_tables();
	setup_acpi();
	setup_vm86_tss();
	platform_write_cmos(memory_low_end(), memory_high_end());
	setup_memory_map(bios_start);
	seabios_handover(tables, table_count, &map);
	xenstore_shutdown();
	shared_clear();
	seabios_enter();
}
