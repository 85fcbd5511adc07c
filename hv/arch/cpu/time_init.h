/* Start-up of the clock; its use is core/time.h. */
#ifndef ARCH_CPU_TIME_INIT_H
#define ARCH_CPU_TIME_INIT_H

/* Calibrate the TSC and start time_now(); read the wall clock. Needs acpi_info. */
void time_init(void);

#endif
