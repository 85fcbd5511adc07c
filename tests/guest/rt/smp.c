/*
 * Secondary CPUs (contract in smp.h).
 *
 * Manual: "Intel 64 and IA-32 Architectures Software Developer's Manual", multiple-processor management; advanced programmable
 * interrupt controller. Each CPU writes its own struct only, but for call, which CPU 0 sets and it clears.
 */
#include "tests/guest/rt/smp.h"

#include <xen/vcpu.h>

#define STACK_SIZE 4096
#define FENCE      0x31         /* of a lower priority than SMP_VECTOR: whoever got it has taken that */
#define WAKE       0x32
#define MSR_X2APIC 0x800u
#define LONG_TIME  (1ull << 36)

extern const uint8_t rt_trampoline[], rt_trampoline_end[];
void rt_smp_ap(uint32_t page);
uint8_t *rt_smp_stack;

static struct cpu {
	uint32_t apic_id;
	volatile uint32_t starts, page, loops, hits, nmis, fences;
	void (*volatile call)(void *);
	void *volatile arg;
	uint8_t stack[STACK_SIZE] __attribute__((aligned(16)));
} cpus[SMP_MAX];
static unsigned int count;

static uint32_t own_apic_id(void)
{
	uint32_t r[4];

	cpuid(1, 0, r);
	return r[1] >> 24;
}

static struct cpu *self(void)
{
	uint32_t id = own_apic_id();

	for (unsigned int i = 0; i < count; i++) {
		if (cpus[i].apic_id == id) {
			return &cpus[i];
		}
	}
	rt_fail(__FILE__, __LINE__, "an APIC ID that no CPU has");
}

uint32_t smp_apic_id(unsigned int cpu)
{
	return cpus[cpu].apic_id;
}

/* ---- the local APIC ---- */

static bool x2apic(void)
{
	return (rdmsr(MSR_APIC_BASE) & APIC_BASE_X2) == APIC_BASE_X2;
}

uint32_t lapic_get(uint32_t reg)
{
	return x2apic() ? (uint32_t)rdmsr(MSR_X2APIC + reg / 16) : mmio_read32(LAPIC + reg);
}

void lapic_put(uint32_t reg, uint32_t value)
{
	if (x2apic()) {
		wrmsr(MSR_X2APIC + reg / 16, value);
	} else {
		mmio_write32(LAPIC + reg, value);
	}
}

void lapic_send(uint32_t dest, uint32_t command)
{
	if (x2apic()) {
		wrmsr(MSR_X2APIC + LAPIC_ICR / 16, (uint64_t)dest << 32 | command);
	} else {
		mmio_write32(LAPIC + LAPIC_ICR_HIGH, dest << 24);
		mmio_write32(LAPIC + LAPIC_ICR, command);
	}
}

/* ---- interrupts ---- */

static void on_hit(struct rt_frame *f)
{
	self()->hits++;
	lapic_put(LAPIC_EOI, 0);
}

static void on_fence(struct rt_frame *f)
{
	self()->fences++;
	lapic_put(LAPIC_EOI, 0);
}

static void on_wake(struct rt_frame *f)
{
	lapic_put(LAPIC_EOI, 0);
}

static void on_nmi(struct rt_frame *f)
{
	self()->nmis++;
}

/* Wait until a number has changed; CPU 0 takes interrupts meanwhile. */
static void wait_change(const volatile uint32_t *n, uint32_t from, const char *what)
{
	uint64_t end = rdtsc() + LONG_TIME;

	while (*n == from) {
		rt_irq_on();
		rt_pause();
		rt_irq_off();
		if (rdtsc() > end) {
			rt_fail(__FILE__, __LINE__, what);
		}
	}
}

/* Whatever was sent before has been taken by every CPU that has started. */
static void settle(void)
{
	uint32_t before[SMP_MAX];

	for (unsigned int i = 0; i < count; i++) {
		before[i] = cpus[i].fences;
	}
	lapic_send(0, ICR_ALL | FENCE);
	for (unsigned int i = 0; i < count; i++) {
		if (i == 0 || cpus[i].starts != 0) {
			wait_change(&cpus[i].fences, before[i], "a CPU does not get the interrupt for all");
		}
	}
}

void smp_forget(void)
{
	settle();
	for (unsigned int i = 0; i < count; i++) {
		cpus[i].hits = cpus[i].nmis = 0;
	}
}

uint32_t smp_got(void)
{
	uint32_t mask = 0;

	settle();
	for (unsigned int i = 0; i < count; i++) {
		mask |= i < 32 ? (uint32_t)(cpus[i].hits == 1) << i : 0;
		RT_CHECK(cpus[i].hits <= 1);
	}
	return mask;
}

uint32_t smp_got_nmi(void)
{
	uint32_t mask = 0;

	settle();
	for (unsigned int i = 0; i < count; i++) {
		mask |= i < 32 ? (uint32_t)(cpus[i].nmis != 0) << i : 0;
	}
	return mask;
}

void smp_expect(uint32_t mask)
{
	uint32_t got = smp_got();

	if (got != mask) {
		rt_printf("CPUs %x got it instead of %x\n", got, mask);
		RT_CHECK(got == mask);
	}
	smp_forget();
}

void smp_wait_nmi(unsigned int cpu)
{
	wait_change(&cpus[cpu].nmis, 0, "an NMI does not arrive");
}

/* ---- secondary CPUs ---- */

/* From start.S, on a stack of its own. */
void rt_smp_ap(uint32_t page)
{
	struct cpu *c = self();

	rt_load_idt();
	lapic_put(LAPIC_SPIV, 0x1ff);
	c->page = page;
	c->starts++;
	for (;;) {
		void (*call)(void *) = c->call;

		c->loops++;
		if (call != NULL) {
			call(c->arg);
			c->call = NULL;
		} else {
			rt_wait_irq();
		}
	}
}

void smp_startup(unsigned int cpu, uint8_t page)
{
	lapic_send(cpus[cpu].apic_id, ICR_STARTUP | page);
}

void smp_start(unsigned int cpu, uint8_t page)
{
	uint32_t before = cpus[cpu].starts;

	rt_smp_stack = cpus[cpu].stack + STACK_SIZE;
	cpus[cpu].call = NULL;
	lapic_send(cpus[cpu].apic_id, ICR_ASSERT | ICR_INIT);
	smp_startup(cpu, page);
	wait_change(&cpus[cpu].starts, before, "a CPU does not start");
}

unsigned int smp_starts(unsigned int cpu)
{
	return cpus[cpu].starts;
}

uint8_t smp_page(unsigned int cpu)
{
	return (uint8_t)cpus[cpu].page;
}

static bool comes_round(unsigned int cpu, uint64_t patience)
{
	uint32_t before = cpus[cpu].loops;
	uint64_t end = rdtsc() + patience;

	lapic_send(cpus[cpu].apic_id, WAKE);
	while (cpus[cpu].loops == before && rdtsc() < end) {
		rt_pause();
	}
	return cpus[cpu].loops != before;
}

bool smp_alive(unsigned int cpu)
{
	return comes_round(cpu, LONG_TIME);
}

bool smp_dead(unsigned int cpu)
{
	return !comes_round(cpu, LONG_TIME >> 8);
}

void smp_send_call(unsigned int cpu, void (*fn)(void *arg), void *arg)
{
	cpus[cpu].arg = arg;
	cpus[cpu].call = fn;
	lapic_send(cpus[cpu].apic_id, WAKE);
}

void smp_wait_call(unsigned int cpu)
{
	uint64_t end = rdtsc() + LONG_TIME;

	while (cpus[cpu].call != NULL) {
		rt_pause();
		RT_CHECK(rdtsc() < end);
	}
}

void smp_call(unsigned int cpu, void (*fn)(void *arg), void *arg)
{
	smp_send_call(cpu, fn, arg);
	smp_wait_call(cpu);
}

/* As the hypervisor numbers them: by leaf Bh, else each on an even number. */
static void find_apic_ids(void)
{
	uint32_t thread[4] = { 0 }, core[4] = { 0 }, r[4];

	cpuid(0, 0, r);
	if (r[0] >= 0xb) {
		cpuid(0xb, 0, thread);
		cpuid(0xb, 1, core);
	}
	for (unsigned int i = 0; i < count; i++) {
		if ((thread[1] & 0xffff) == 0 || (core[1] & 0xffff) == 0) {
			cpus[i].apic_id = i * 2;
		} else {
			uint32_t threads = thread[1] & 0xffff, all = core[1] & 0xffff;

			cpus[i].apic_id = i / all << (core[0] & 31) | i % all / threads << (thread[0] & 31) |
					  i % threads;
		}
	}
}

unsigned int smp_init(void)
{
	size_t size = (size_t)(rt_trampoline_end - rt_trampoline);

	count = 1;
	while (count < SMP_MAX && rt_hypercall(__HYPERVISOR_vcpu_op, VCPUOP_is_up, count, 0, 0, 0) >= 0) {
		count++;
	}
	find_apic_ids();
	memcpy((void *)(SMP_PAGE << 12), rt_trampoline, size);
	memcpy((void *)(SMP_OTHER_PAGE << 12), rt_trampoline, size);
	rt_set_handler(SMP_VECTOR, on_hit);
	rt_set_handler(FENCE, on_fence);
	rt_set_handler(WAKE, on_wake);
	rt_set_handler(2, on_nmi);
	lapic_put(LAPIC_SPIV, 0x1ff);
	return count;
}
