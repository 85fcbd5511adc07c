/*
 * Dom0: a stock kernel through its PVH entry, on identity-mapped memory with the machine's own devices.
 *
 * Owns: Dom0's memory map, its start information, the interrupts of its devices. Runs once, at start-up, on the boot
 * CPU; nothing else runs yet.
 */
#include <stddef.h>
#include <stdint.h>
#include <xen/elfnote.h>
#include <xen/arch-x86/hvm/start_info.h>
#include "arch/acpi.h"
#include "arch/bootinfo.h"
#include "arch/irq.h"
#include "core/cmdline.h"
#include "core/log.h"
#include "core/memlayout.h"
#include "core/page_alloc.h"
#include "core/percpu.h"
#include "dom/domain.h"
#include "dom/populate.h"
#include "hvm/dom0_acpi.h"
#include "hvm/hvm.h"
#include "hvm/hvm_state.h"
#include "lib/elf.h"
#include "lib/err.h"
#include "lib/mem.h"

/* Fixed places in Dom0's memory, below the hypervisor's image at 2 MiB. */
#define START_INFO   0x100000ull        /* start info, module list, memory map, command lines: 32 KiB */
#define START_SIZE   0x8000ull
#define ACPI_BASE    0x1f0000ull        /* RSDP, XSDT, MADT: 64 KiB, marked as ACPI memory */
#define ACPI_SIZE    0x10000ull
#define FOUR_GIB     0x100000000ull
#define LAPIC_PAGE   0xfee00000ull
#define MEMMAP_MAX   127                /* Linux copies into a table of 128 and adds one itself */

struct start_area {
	struct hvm_start_info info;
	struct hvm_modlist_entry module;
	struct hvm_memmap_table_entry map[MEMMAP_MAX];
	char cmdline[1024];
	char initrd_cmdline[1024];
};

_Static_assert(sizeof(struct start_area) <= START_SIZE, "start area too large");

/* ---- memory ---- */

/* The largest leaf that fits at this address. */
static unsigned int order_at(uint64_t gfn, uint64_t left)
{
	if ((gfn & MASK(PAGE_ORDER_1G)) == 0 && left >= BIT(PAGE_ORDER_1G)) {
		return PAGE_ORDER_1G;
	}
	return (gfn & MASK(PAGE_ORDER_2M)) == 0 && left >= BIT(PAGE_ORDER_2M) ? PAGE_ORDER_2M : 0;
}

/* Identity-map the whole pages of [start, end). */
static int map_identity(struct domain *d, uint64_t start, uint64_t end, enum p2m_type type)
{
	uint64_t gfn = start >> PAGE_SHIFT, last = end >> PAGE_SHIFT;
	while (gfn < last) {
		unsigned int order = order_at(gfn, last - gfn);
		int rc = p2m_map(d, GFN(gfn), MFN(gfn), order, type);
		if (rc != 0) {
			return rc;
		}
		gfn += BIT(order);
	}
	return 0;
}

static int map_ram(struct domain *d)
{
	const struct rangeset *ram = &memlayout.dom0_ram;
	for (unsigned int i = 0; i < ram->count; i++) {
		uint64_t start = ram->range[i].first, end = ram->range[i].last + 1;
		populate_adopt(d, MFN(start >> PAGE_SHIFT), (end - start) >> PAGE_SHIFT);
		int rc = map_identity(d, start, end, P2M_RAM);
		if (rc != 0) {
			return rc;
		}
	}
	return 0;
}

/* A stretch without RAM: the machine's devices, tables and ROMs. The local APIC's page is virtual. */
static int map_devices(struct domain *d, uint64_t start, uint64_t end)
{
	if (start <= LAPIC_PAGE && LAPIC_PAGE < end) {
		int rc = map_identity(d, start, LAPIC_PAGE, P2M_MMIO_DIRECT);
		return rc != 0 ? rc : map_identity(d, LAPIC_PAGE + PAGE_SIZE, end, P2M_MMIO_DIRECT);
	}
	return map_identity(d, start, end, P2M_MMIO_DIRECT);
}

/* Everything below 4 GiB that is not RAM, whoever owns the RAM. Pages that are RAM only in part count as not. */
static int map_holes(struct domain *d)
{
	uint64_t at = 0;
	for (unsigned int i = 0; i < bootinfo.regions && at < FOUR_GIB; i++) {
		const struct boot_region *r = &bootinfo.map[i];
		if (r->type != E820_RAM) {
			continue;
		}
		uint64_t start = ALIGN_UP(r->start, PAGE_SIZE), end = ALIGN_DOWN(r->start + r->size, PAGE_SIZE);
		if (start > at) {
			int rc = map_devices(d, at, MIN(start, FOUR_GIB));
			if (rc != 0) {
				return rc;
			}
		}
		at = MAX(at, end);
	}
	return at < FOUR_GIB ? map_devices(d, at, FOUR_GIB) : 0;
}

bool dom0_map_device(struct domain *d, gpa_t gpa)
{
	mfn_t mfn = MFN(gpa.v >> PAGE_SHIFT);
	if (gpa.v < FOUR_GIB || mfn_page(mfn) != NULL) {
		return false;
	}
	return p2m_map(d, gpa_to_gfn(gpa), mfn, 0, P2M_MMIO_DIRECT) == 0;
}

/* ---- the memory map that Dom0 reads ---- */

static void map_add(struct start_area *s, uint64_t start, uint64_t end, uint32_t type)
{
	if (start >= end || s->info.memmap_entries >= MEMMAP_MAX) {
		return;
	}
	s->map[s->info.memmap_entries++] = (struct hvm_memmap_table_entry){
		.addr = start, .size = end - start, .type = type };
}

static void sort_map(struct start_area *s)
{
	for (unsigned int i = 1; i < s->info.memmap_entries; i++) {
		struct hvm_memmap_table_entry e = s->map[i];
		unsigned int j = i;
		for (; j > 0 && s->map[j - 1].addr > e.addr; j--) {
			s->map[j] = s->map[j - 1];
		}
		s->map[j] = e;
	}
}

/*
 * Dom0's RAM, what the machine's map says of the rest, and the hypervisor's own pieces below as reserved. RAM above
 * Dom0's share stays out of the map: an address range that Linux takes for foreign mappings.
 */
static void build_memmap(struct start_area *s)
{
	const struct rangeset *ram = &memlayout.dom0_ram;
	for (unsigned int i = 0; i < ram->count; i++) {
		uint64_t start = ram->range[i].first, end = ram->range[i].last + 1;
		if (start < ACPI_BASE && end >= ACPI_BASE + ACPI_SIZE) {
			map_add(s, start, ACPI_BASE, XEN_HVM_MEMMAP_TYPE_RAM);
			map_add(s, ACPI_BASE, ACPI_BASE + ACPI_SIZE, XEN_HVM_MEMMAP_TYPE_ACPI);
			start = ACPI_BASE + ACPI_SIZE;
		}
		map_add(s, start, end, XEN_HVM_MEMMAP_TYPE_RAM);
	}
	for (unsigned int i = 0; i < bootinfo.regions; i++) {
		const struct boot_region *r = &bootinfo.map[i];
		if (r->type != E820_RAM) {
			map_add(s, r->start, r->start + r->size, r->type);
		}
	}
	map_add(s, memlayout.hv_start, memlayout.hv_end, XEN_HVM_MEMMAP_TYPE_RESERVED);
	map_add(s, memlayout.trampoline, memlayout.trampoline + PAGE_SIZE, XEN_HVM_MEMMAP_TYPE_RESERVED);
	sort_map(s);
}

/* ---- kernel and initial RAM disk ---- */

static int copy_segment(void *arg, uint64_t paddr, const void *src, uint64_t filesz, uint64_t memsz)
{
	if (memsz == 0) {
		return 0;
	}
	if (!rangeset_contains(&memlayout.dom0_ram, paddr, paddr + memsz - 1)) {
		log_err("Dom0 kernel: segment %#lx+%#lx does not fit into Dom0's memory (dom0_mem=)\n",
			(unsigned long)paddr, (unsigned long)memsz);
		return -ENOMEM;
	}
	uint64_t *highest = arg;
	memcpy(hpa_virt(HPA(paddr)), src, filesz);
	memset(hpa_virt(HPA(paddr + filesz)), 0, memsz - filesz);
	*highest = MAX(*highest, paddr + memsz);
	return 0;
}

static int load_kernel(uint64_t *entry, uint64_t *kernel_end)
{
	const struct boot_module *m = &bootinfo.module[0];
	if (bootinfo.modules == 0) {
		log_err("no Dom0 kernel: give it as the first boot module\n");
		return -ENOENT;
	}
	const void *image = hpa_virt(m->start);
	int rc = elf64_load(image, m->size, copy_segment, kernel_end);
	if (rc == -ENOEXEC) {
		log_err("Dom0 kernel: not a whole ELF64 image for x86-64; a compressed bzImage has to be extracted first\n");
	}
	if (rc != 0) {
		return rc;
	}
	rc = elf64_note(image, m->size, "Xen", XEN_ELFNOTE_PHYS32_ENTRY, entry);
	if (rc != 0) {
		log_err("Dom0 kernel: it has no PVH entry (ELF note PHYS32_ENTRY)\n");
	}
	return rc;
}

/* At the top of Dom0's memory below 4 GiB, page-aligned. */
static int load_initrd(struct start_area *s, uint64_t kernel_end)
{
	if (bootinfo.modules < 2) {
		return 0;
	}
	const struct boot_module *m = &bootinfo.module[1];
	uint64_t size = ALIGN_UP(m->size, PAGE_SIZE), at = 0;
	const struct rangeset *ram = &memlayout.dom0_ram;
	for (unsigned int i = 0; i < ram->count; i++) {
		uint64_t end = MIN(ram->range[i].last + 1, FOUR_GIB);
		if (end > ram->range[i].first && end - ram->range[i].first >= size) {
			at = end - size;
		}
	}
	if (at < kernel_end) {
		log_err("Dom0: %lu KiB of initial RAM disk do not fit (dom0_mem=)\n",
			(unsigned long)(m->size >> 10));
		return -ENOMEM;
	}
	memcpy(hpa_virt(HPA(at)), hpa_virt(m->start), m->size);
	s->module.paddr = at;
	s->module.size = m->size;
	s->info.nr_modules = 1;
	s->info.modlist_paddr = START_INFO + offsetof(struct start_area, module);
	return 0;
}

/* ---- ACPI ---- */

static int build_acpi(unsigned int vcpus, uint64_t *rsdp)
{
	static struct dom0_acpi a;
	static uint32_t apic_id[MAX_CPUS];
	hpa_t addr;
	uint32_t length;
	a.info = &acpi_info;
	a.vcpus = vcpus;
	a.apic_id = apic_id;
	for (unsigned int i = 0; i < vcpus; i++) {
		apic_id[i] = cpus[i]->apic_id;
	}
	for (unsigned int i = 0; a.tables < DOM0_ACPI_TABLES; i++) {
		if (!acpi_table(i, &addr, a.table[a.tables].sig, &length)) {
			break;
		}
		a.table[a.tables++].addr = addr.v;
	}
	int rc = dom0_acpi_build(&a, hpa_virt(HPA(ACPI_BASE)), ACPI_SIZE, ACPI_BASE, rsdp);
	return rc < 0 ? rc : 0;
}

/* ---- interrupts of Dom0's devices ---- */

/* They arrive while anything runs here and go to the local APIC of the Dom0 vCPU of this CPU. */
static void device_interrupt(uint8_t vector, bool level)
{
	struct vcpu *v = domain_vcpu(dom0, this_cpu()->id);
	if (v == NULL || !vlapic_sw_enabled(&v->hvm->lapic)) {
		if (level) {
			irq_ack_level(vector);
		}
		return;
	}
	vlapic_set_irq(&v->hvm->lapic, vector, level);
	vcpu_kick(v);
}

/* ---- all together ---- */

static int create(struct domain **d)
{
	unsigned int vcpus = cmdline.dom0_max_vcpus != 0 ? MIN(cmdline.dom0_max_vcpus, cpu_count) : cpu_count;
	const struct domain_config config = {
		.id = 0,
		.flags = DOMF_HVM | DOMF_PRIVILEGED,
		.max_vcpus = (uint16_t)vcpus,
		.max_grant_frames = -1,
		.max_maptrack_frames = -1,
		.max_evtchn_port = ~0u,
	};
	int rc = domain_create(&config, d);
	if (rc == 0) {
		rc = populate_set_max(*d, ~0ull >> PAGE_SHIFT);
	}
	return rc;
}

static int fill_start_area(struct start_area *s, uint64_t kernel_end, unsigned int vcpus)
{
	memset(s, 0, sizeof(*s));
	s->info.magic = XEN_HVM_START_MAGIC_VALUE;
	s->info.version = 1;
	s->info.flags = SIF_PRIVILEGED | SIF_INITDOMAIN;
	s->info.cmdline_paddr = START_INFO + offsetof(struct start_area, cmdline);
	s->info.memmap_paddr = START_INFO + offsetof(struct start_area, map);
	(void)str_copy(s->cmdline, bootinfo.module[0].cmdline, sizeof(s->cmdline));
	int rc = load_initrd(s, kernel_end);
	if (rc == 0) {
		rc = build_acpi(vcpus, &s->info.rsdp_paddr);
	}
	build_memmap(s);
	return rc;
}

static int dom0_load(struct domain *d)
{
	uint64_t entry = 0, kernel_end = 0;
	if (!rangeset_contains(&memlayout.dom0_ram, START_INFO, ACPI_BASE + ACPI_SIZE - 1)) {
		log_err("Dom0: the machine has no RAM between 1 and 2 MiB\n");
		return -ENOMEM;
	}
	int rc = load_kernel(&entry, &kernel_end);
	if (rc == 0) {
		rc = fill_start_area(hpa_virt(HPA(START_INFO)), kernel_end, d->max_vcpus);
	}
	if (rc == 0) {
		hvm_vcpu_start_state(d->vcpu[0], entry, START_INFO);
	}
	return rc;
}

int dom0_build(void)
{
	struct domain *d;
	hvm_start();
	int rc = create(&d);
	if (rc != 0) {
		log_err("Dom0: cannot create the domain (%d)\n", rc);
		return rc;
	}
	rc = map_ram(d);
	if (rc == 0) {
		rc = map_holes(d);
	}
	if (rc != 0) {
		log_err("Dom0: cannot map its memory (%d)\n", rc);
		return rc;
	}
	rc = dom0_load(d);
	if (rc != 0) {
		return rc;
	}
	for (unsigned int i = 0; i < bootinfo.modules; i++) {
		memlayout_release_module(i);
	}
	irq_dom0_hook = device_interrupt;
	log_info("Dom0: %lu MiB, %u vCPUs, kernel command line \"%s\"\n",
		 (unsigned long)(memlayout.dom0_bytes >> 20), d->max_vcpus, bootinfo.module[0].cmdline);
	vcpu_start(d->vcpu[0]);
	return 0;
}
