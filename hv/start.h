/*
 * What start-up (init.c) calls in the parts above the core.
 */
#ifndef HV_START_H
#define HV_START_H

/* Choose the vendor back end; -errno after one clear line: the machine cannot run guests. Boot CPU, once. */
int virt_init(void);
/* Turn it on for this CPU, interrupts on, before anything else runs here; -errno: the CPU is not used. */
int virt_cpu_up(void);
/* Build Dom0 and make its vCPUs runnable; all CPUs are up and wait. -errno after one clear line. */
int dom0_build(void);

#endif
