/*
 * Starting the other processors, one at a time. (Intel SDM, "Multiple-Processor (MP) Initialization".) Boot CPU only.
 *
 * A processor that does not report in time is given up: it finds that out itself and stays halted.
 */
#include "arch/acpi.h"
#include "arch/cpu/desc.h"
#include "arch/cpu/lapic.h"
#include "arch/cpu/nmi_mce.h"
#include "arch/cpu/paging.h"
#include "arch/cpu/smp_boot.h"
#include "arch/hw.h"
#include "core/log.h"
#include "core/memlayout.h"
#include "core/page_alloc.h"
#include "core/panic.h"
#include "core/percpu.h"
#include "core/time.h"
#include "lib/atomic.h"
#include "lib/mem.h"

#define START_TIMEOUT_NS 5000000000ull

enum { BOOT_STARTING, BOOT_RUNNING, BOOT_GIVEN_UP };

extern const char trampoline_start[], trampoline_end[];
extern uint64_t boot_pml4[512];

static void delay_us(uint64_t us)
{
	uint64_t end = time_now() + us * 1000;

	while (time_now() < end) {
		hw_pause();
	}
}

static void prepare(struct cpu *c)
{
	char *page = mfn_virt(hpa_to_mfn(HPA(memlayout.trampoline)));
	struct smp_boot *b = (struct smp_boot *)(page + PAGE_SIZE - sizeof(*b));

	memcpy(page, trampoline_start, (size_t)(trampoline_end - trampoline_start));
	*b = (struct smp_boot){ virt_hpa(boot_pml4).v, paging_root(), c->stack_top, c };
	fence_full();
}

static bool reported(const struct cpu *c)
{
	return load_acquire(&c->boot_state) == BOOT_RUNNING;
}

/* All clocks are one: a CPU whose TSC stands elsewhere would make time jump. */
static void check_tsc(const struct cpu *c, uint64_t before)
{
	uint64_t after = hw_rdtsc();

	if (c->boot_tsc < before || c->boot_tsc > after) {
		log_warn("CPU %u: TSC %lu is not between the boot CPU's %lu and %lu: time will jump", c->id, c->boot_tsc, before,
			 after);
	}
}

static bool start(struct cpu *c)
{
	uint32_t starting = BOOT_STARTING;
	uint64_t end, before = hw_rdtsc();

	prepare(c);
	lapic_send(c->apic_id, LAPIC_ICR_INIT | LAPIC_ICR_LEVEL | LAPIC_ICR_ASSERT);
	delay_us(10000);
	for (unsigned int i = 0; i < 2 && !reported(c); i++) {
		lapic_send(c->apic_id, LAPIC_ICR_STARTUP | LAPIC_ICR_ASSERT | (uint32_t)(memlayout.trampoline >> 12));
		delay_us(1000);
	}
	for (end = time_now() + START_TIMEOUT_NS; !reported(c) && time_now() < end;) {
		hw_pause();
	}
	if (atomic_cas(&c->boot_state, &starting, BOOT_GIVEN_UP)) {
		return false;
	}
	check_tsc(c, before);
	return true;
}

unsigned int smp_boot_all(unsigned int max)
{
	for (unsigned int i = 0; i < acpi_info.cpus && (!max || cpu_count < max); i++) {
		struct cpu *c;

		if (acpi_info.apic_id[i] == boot_cpu.apic_id) {
			continue;
		}
		if (!lapic_is_x2apic() && acpi_info.apic_id[i] > 254) {
			log_warn("CPU with APIC ID %u cannot be reached in xAPIC mode", acpi_info.apic_id[i]);
			continue;
		}
		c = percpu_new(acpi_info.apic_id[i]);
		if (!c) {
			log_warn("no memory, or more than %u CPUs: the rest is not used", MAX_CPUS);
			break;
		}
		if (start(c)) {
			percpu_commit();
		} else {
			log_warn("CPU with APIC ID %u did not start", c->apic_id);
		}
	}
	return cpu_count;
}

bool smp_boot_report(void)
{
	struct cpu *c = this_cpu();
	uint32_t starting = BOOT_STARTING;

	c->online = true;
	c->boot_tsc = hw_rdtsc();
	if (!atomic_cas(&c->boot_state, &starting, BOOT_RUNNING)) {
		c->online = false;
	}
	return c->online;
}

_Noreturn void smp_boot_entry(struct cpu *c)
{
	BUG_ON(this_cpu() != c || desc_alloc(c));
	desc_load();
	lapic_cpu_init();
	lapic_timer_cpu_init();
	hv_start_cpu();
}
