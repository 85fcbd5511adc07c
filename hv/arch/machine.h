/*
 * What the core asks of the whole machine, implemented by arch/cpu.
 */
#ifndef ARCH_MACHINE_H
#define ARCH_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

/* Stop all other CPUs for good (panic, reboot). Never fails, never waits for long. */
void machine_stop_others(void);
/* machine_stop_others() was called: an NMI means "stop". */
bool machine_stopping(void);
/* Restart the machine; with halt: stay as it is. */
_Noreturn void machine_reset_or_stop(bool halt);
/* Power off by ACPI where the tables say how (PM1a control, S5 sleep type typ); returns when that did not work. */
void machine_power_off(uint8_t sleep_type);
/* Is this virtual address part of the image or of the direct map of RAM? */
bool machine_addr_mapped(uint64_t addr);

/* The timer of this CPU: interrupt at time_now() >= deadline (0: off). Interrupts off. */
void machine_timer_arm(uint64_t deadline_ns);
/* Interrupt another CPU with one of the hypervisor's vectors (arch/irq.h). */
void machine_send_ipi(unsigned int cpu, uint8_t vector);

/* Device pages mapped uncached; NULL when it cannot be mapped. Start-up only. */
volatile void *machine_map_device(uint64_t hpa, uint64_t size);

#endif
