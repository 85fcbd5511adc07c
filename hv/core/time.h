/* Time of the machine: nanoseconds since start-up from the TSC, and the wall clock. */
#ifndef CORE_TIME_H
#define CORE_TIME_H

#include <stdint.h>

uint64_t time_now(void);                        /* ns since start-up; monotonic on and across CPUs */
uint64_t time_tsc_khz(void);
uint64_t time_tsc_to_ns(uint64_t tsc_delta);
uint64_t time_ns_to_tsc(uint64_t ns_delta);
uint64_t time_from_tsc(uint64_t tsc);           /* the time_now() at which the host TSC has this value */
uint64_t time_to_tsc(uint64_t ns);              /* inverse */
/* tsc_to_ns as the ABI wants it: ns = ((tsc << or >> shift) * mul) >> 32. */
void time_pv_scale(uint32_t *mul, int8_t *shift);
/* UTC seconds and ns at time_now() == 0; Dom0 may correct it. */
void time_wallclock(uint64_t *sec, uint32_t *nsec);
void time_set_wallclock(uint64_t sec, uint32_t nsec, uint64_t at_ns);

#endif
