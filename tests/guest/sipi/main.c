/*
 * INIT and start-up messages: where a CPU starts, that a running one does not hear them, that INIT stops it, that an NMI
 * does not start it. Manual: "Intel 64 and IA-32 Architectures Software Developer's Manual", multiple-processor management.
 */
#include "tests/guest/rt/smp.h"

static unsigned int cpus;

/* Each at its page, with the APIC ID that it should have; nobody else starts with it. */
static void first_start(void)
{
	for (unsigned int i = 1; i < cpus; i++) {
		RT_CHECK(smp_starts(i) == 0);
		smp_start(i, i % 2 == 0 ? SMP_PAGE : SMP_OTHER_PAGE);
		RT_CHECK(smp_starts(i) == 1 && smp_page(i) == (i % 2 == 0 ? SMP_PAGE : SMP_OTHER_PAGE));
		RT_CHECK(smp_alive(i));
	}
}

static void running_does_not_hear(void)
{
	smp_startup(1, SMP_PAGE);
	RT_CHECK(smp_alive(1) && smp_starts(1) == 1);
	/* the level de-assert of old is not an INIT */
	lapic_send(0xff, ICR_LEVEL | ICR_INIT);
	lapic_send(0, ICR_ALL | ICR_LEVEL | ICR_INIT);
	for (unsigned int i = 1; i < cpus; i++) {
		RT_CHECK(smp_alive(i) && smp_starts(i) == 1);
	}
}

/* After INIT: deaf for interrupts and NMI, until the start-up message; of two the first counts. */
static void stop_and_start(void)
{
	lapic_send(smp_apic_id(1), ICR_ASSERT | ICR_INIT);
	RT_CHECK(smp_dead(1));
	lapic_send(smp_apic_id(1), ICR_NMI);
	lapic_send(smp_apic_id(1), SMP_VECTOR);
	RT_CHECK(smp_dead(1) && smp_starts(1) == 1);
	smp_start(1, SMP_PAGE);
	smp_startup(1, SMP_OTHER_PAGE);
	RT_CHECK(smp_alive(1) && smp_starts(1) == 2 && smp_page(1) == SMP_PAGE);
	RT_CHECK(smp_got() == 0 && smp_got_nmi() == 0);
}

/* INIT to all others stops them all. */
static void broadcast(void)
{
	lapic_send(0, ICR_OTHERS | ICR_ASSERT | ICR_INIT);
	for (unsigned int i = 1; i < cpus; i++) {
		RT_CHECK(smp_dead(i));
	}
	for (unsigned int i = 1; i < cpus; i++) {
		smp_start(i, SMP_PAGE);
		RT_CHECK(smp_alive(i));
	}
}

static volatile uint32_t halting;

static void halt_for_ever(void *arg)
{
	(void)arg;
	halting = 1;
	for (;;) {
		__asm__ volatile("cli; hlt" : : : "memory");
	}
}

/* A CPU that halts with interrupts off hears NMI, and INIT with start-up. */
static void halted(void)
{
	unsigned int before = smp_starts(1);

	smp_forget();
	RT_CHECK(cpus > 1);
	smp_send_call(1, halt_for_ever, NULL);
	/* its idle loop comes round once more on the way there */
	while (!halting) {
		rt_pause();
	}
	RT_CHECK(smp_dead(1));
	lapic_send(smp_apic_id(1), ICR_NMI);
	smp_wait_nmi(1);
	smp_start(1, SMP_OTHER_PAGE);
	RT_CHECK(smp_alive(1) && smp_starts(1) == before + 1 && smp_page(1) == SMP_OTHER_PAGE);
}

int guest_main(const struct hvm_start_info *info)
{
	(void)info;
	cpus = smp_init();
	RT_CHECK(cpus > 1);
	first_start();
	running_does_not_hear();
	stop_and_start();
	broadcast();
	halted();
	rt_puts("sipi: OK\n");
	return 0;
}
