/*
 * How the swarm ends: all CPUs at once, each in its own way. The first CPU says which end it is; the others come to it
 * after their round, or in the middle of it when they are started again.
 */
#include "tests/guest/swarm/swarm.h"

#include <xen/memory.h>
#include <xen/sched.h>

static void (*volatile swarm_ending)(void);

/* Each CPU has another reason. */
static void end_shutdown(void)
{
	struct sched_shutdown s = { .reason = swarm_self()->number % 2 ? SHUTDOWN_crash : SHUTDOWN_reboot };

	(void)rt_hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown, (uintptr_t)&s, 0, 0, 0);
}

static void end_triple(void)
{
	struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) none = { 0, 0 };

	for (unsigned int i = swarm_self()->number; i != 0; i--) {
		(void)inb(0x1f7);
	}
	__asm__ volatile("lidt %0; int3" : : "m"(none));
}

/* The page with the window's table goes, and all look through it. */
static void end_tables(void)
{
	xen_pfn_t gfn = (uintptr_t)swarm_pt >> 12;
	struct xen_memory_reservation r = { .nr_extents = 1, .domid = DOMID_SELF };

	set_xen_guest_handle(r.extent_start, &gfn);
	swarm_pt[0] = HPET | 3;
	for (;;) {
		if (swarm_self()->number == 0) {
			(void)rt_hypercall(__HYPERVISOR_memory_op, XENMEM_decrease_reservation, (uintptr_t)&r, 0, 0, 0);
		}
		__asm__ volatile("mov %%cr3, %%eax; mov %%eax, %%cr3" : : : "eax", "memory");
		(void)mmio_read32(WINDOW + 0xf0);
	}
}

/* INIT for everybody, oneself too: nobody is left to start anybody. */
static void end_init(void)
{
	for (;;) {
		mmio_write32(APIC + APIC_ICR_2, 0xff000000);
		mmio_write32(APIC + APIC_ICR, 0x4500);
	}
}

/* Halted for good, one after the other: the last one ends the guest. */
static void end_halt(void)
{
	for (;;) {
		__asm__ volatile("cli; hlt");
	}
}

/* Random bytes, changed by all while all run them. */
static void end_wild(void)
{
	static uint8_t bytes[256] __attribute__((aligned(4096)));
	uint32_t at = WINDOW + 0x80;

	swarm_pt[0] = HPET | 3;
	for (;;) {
		for (unsigned int i = 0; i < 64; i++) {
			bytes[swarm_below(200)] = (uint8_t)swarm_below(256);
		}
		bytes[255] = 0xc3;
		__asm__ volatile("call *%4" : "+b"(at), "+S"(at), "+D"(at) : "d"(0x80), "a"(&bytes[swarm_below(200)]), "c"(20)
				 : "memory", "cc");
	}
}

static const struct {
	const char *name;
	void (*end)(void);
} ends[] = {
	{ "shutdown", end_shutdown }, { "triple", end_triple }, { "tables", end_tables },
	{ "init", end_init },         { "halt", end_halt },     { "wild", end_wild },
};

void swarm_join(void)
{
	void (*end)(void) = swarm_ending;

	if (end != NULL) {
		swarm_try(end);
	}
}

void swarm_end(const char *name)
{
	for (unsigned int i = 0; name != NULL && i < ARRAY_SIZE(ends); i++) {
		if (memcmp(name, ends[i].name, strlen(ends[i].name)) == 0) {
			rt_printf("swarm: end %s\n", ends[i].name);
			swarm_ending = ends[i].end;
			for (unsigned int cpu = 1; cpu < swarm_cpus; cpu++) {
				swarm_restart(cpu);
			}
			for (;;) {
				swarm_join();
			}
		}
	}
}
