/*
 * The hypervisor as the firmware sees it: hypercall page and the few calls it makes.
 */
#ifndef HVMLOADER_HYPERCALL_H
#define HVMLOADER_HYPERCALL_H

#include <stdbool.h>
#include <stdint.h>

#include <xen/xen.h>

/* Find the hypervisor by CPUID and let it fill the hypercall page; ends the guest if it cannot. */
void hypercall_init(void);

/* Raw call; the result is 0 or positive, or -errno. */
long hypercall(unsigned int nr, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t a4, uint32_t a5);

/* SHUTDOWN_crash; waits forever when that is impossible. */
_Noreturn void hypercall_crash(void);

/* HVM parameters of this domain. get: 0 when it cannot be read. */
uint64_t hypercall_get_param(uint32_t index);
bool hypercall_set_param(uint32_t index, uint64_t value);

/* "4.17.1" into a buffer of at least 32 bytes. */
void hypercall_version(char *text);
void hypercall_uuid(uint8_t uuid[16]);

/* One page of new RAM at a frame number; false when the domain may have no more. */
bool hypercall_populate(uint32_t gfn);
/* Move pages of RAM; size 1..65535. False: nothing is known about how many moved. */
bool hypercall_move_pages(uint32_t from_gfn, uint32_t to_gfn, uint16_t pages);
bool hypercall_map_shared_info(uint32_t gfn);

/* Event channels. */
void hypercall_notify(uint32_t port);
/* Sleep until the port is pending or a system time (ns) is reached. */
void hypercall_poll(uint32_t port, uint64_t deadline);
void hypercall_yield(void);

#endif
