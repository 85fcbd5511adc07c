/*
 * Secondary CPUs during firmware.
 *
 * Owns: the start-up code at LAYOUT_TRAMPOLINE (head.S), memory type registers of every CPU.
 * One secondary CPU runs at a time, on its own stack, and writes only ap_done and ap_report; INIT
 * afterwards leaves it waiting for the operating system's start-up message.
 * Manual: "Intel 64 and IA-32 Architectures Software Developer's Manual", multiple-processor
 * management, and advanced programmable interrupt controller.
 */
#include "hvmloader/smp.h"

#include "hvmloader/hypercall.h"
#include "hvmloader/layout.h"
#include "hvmloader/mtrr.h"
#include "hvmloader/shared.h"
#include "hvmloader/topology.h"
#include "hvmloader/util.h"

enum { LAPIC_ICR_LOW = 0x300, LAPIC_ICR_HIGH = 0x310 };
#define ICR_INIT      0x4500u
#define ICR_STARTUP   0x4600u
#define ICR_BUSY      0x1000u
#define TIMEOUT_NS    10000000000ull
#define DEFAULT_BITS  36
#define CPUID1_EDX_MTRR (1u << 12)

extern const uint8_t ap_trampoline[], ap_trampoline_end[];
void smp_ap_main(void);

static struct mtrr_range windows[2];
static volatile bool ap_done;
static struct mtrr_report ap_report;
static uint8_t apic_id[TOPOLOGY_MAX_CPUS];

unsigned int smp_phys_bits(void)
{
	uint32_t r[4];

	cpuid(0x80000000, 0, r);
	if (r[0] < 0x80000008) {
		return DEFAULT_BITS;
	}
	cpuid(0x80000008, 0, r);
	return r[0] & 0xff;
}

const uint8_t *smp_apic_ids(unsigned int cpus)
{
	uint32_t r[4], thread[4] = { 0 }, core[4] = { 0 };

	cpuid(0, 0, r);
	if (r[0] >= 0xb) {
		cpuid(0xb, 0, thread);
		cpuid(0xb, 1, core);
	}
	topology_apic_ids(cpus, thread, core, apic_id);
	return apic_id;
}

static uint64_t read_msr(void *ctx, uint32_t index)
{
	(void)ctx;
	return rdmsr(index);
}

static void write_msr(void *ctx, uint32_t index, uint64_t value)
{
	(void)ctx;
	wrmsr(index, value);
}

static void set_memory_types(struct mtrr_report *report)
{
	static const struct mtrr_ops ops = { read_msr, write_msr, NULL };
	uint32_t r[4];

	*report = (struct mtrr_report){ .complete = true };
	cpuid(1, 0, r);
	if (!(r[3] & CPUID1_EDX_MTRR)) {
		return;
	}
	wbinvd();
	mtrr_program(&ops, smp_phys_bits(), windows, ARRAY_SIZE(windows), report);
	wbinvd();
}

/* A secondary CPU, from head.S. Halts when this returns. */
void smp_ap_main(void)
{
	set_memory_types(&ap_report);
	__atomic_store_n(&ap_done, true, __ATOMIC_RELEASE);
}

static void send(unsigned int cpu, uint32_t command)
{
	mmio_write32(LAYOUT_LAPIC + LAPIC_ICR_HIGH, (uint32_t)apic_id[cpu] << 24);
	mmio_write32(LAYOUT_LAPIC + LAPIC_ICR_LOW, command);
	while (mmio_read32(LAYOUT_LAPIC + LAPIC_ICR_LOW) & ICR_BUSY) {
		cpu_relax();
	}
}

static void report(unsigned int cpu, const struct mtrr_report *r)
{
	print("CPU %u: memory types set, %s fixed ranges, %u of %u variable ranges%s\n", cpu,
	      r->fixed ? "with" : "no", r->used, r->available, r->complete ? "" : ", too few");
}

static bool wait_done(void)
{
	uint64_t deadline = shared_now() + TIMEOUT_NS;

	while (!__atomic_load_n(&ap_done, __ATOMIC_ACQUIRE)) {
		if (shared_now() > deadline) {
			return false;
		}
		hypercall_yield();
	}
	return true;
}

static void start(unsigned int cpu)
{
	ap_done = false;
	send(cpu, ICR_INIT);
	send(cpu, ICR_STARTUP | LAYOUT_TRAMPOLINE >> PAGE_SHIFT);
	send(cpu, ICR_STARTUP | LAYOUT_TRAMPOLINE >> PAGE_SHIFT);
	if (wait_done()) {
		report(cpu, &ap_report);
	} else {
		print("CPU %u: does not start\n", cpu);
	}
	send(cpu, ICR_INIT);
}

void smp_init(unsigned int cpus, uint64_t low_start, uint64_t low_end, uint64_t high_start,
	      uint64_t high_end)
{
	struct mtrr_report own;

	(void)smp_apic_ids(cpus);
	windows[0] = (struct mtrr_range){ low_start, low_end };
	windows[1] = (struct mtrr_range){ high_start, high_end };
	set_memory_types(&own);
	report(0, &own);
	memcpy(at_phys(LAYOUT_TRAMPOLINE), ap_trampoline,
	       (size_t)(ap_trampoline_end - ap_trampoline));
	for (unsigned int cpu = 1; cpu < cpus; cpu++) {
		start(cpu);
	}
}
