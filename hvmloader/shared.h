/*
 * The shared information page while the firmware runs: time and event channels.
 */
#ifndef HVMLOADER_SHARED_H
#define HVMLOADER_SHARED_H

#include <stdbool.h>
#include <stdint.h>

/* Map the page; memory must be ready. */
void shared_init(void);

/* System time of the domain in nanoseconds, from the time stamp counter. */
uint64_t shared_now(void);

/* Processor clock in MHz; 0 when the hypervisor did not say. */
uint32_t shared_cpu_mhz(void);

/* Was the port pending? Clears it. */
bool shared_take_event(uint32_t port);

/* Leave the page as the next user expects it: nothing pending, nothing masked. */
void shared_clear(void);

#endif
