/* What processor this is, and whether it has what the hypervisor itself needs. */
#ifndef ARCH_CPU_IDENTIFY_H
#define ARCH_CPU_IDENTIFY_H

/* Boot CPU: log vendor, model and features; panics with one clear line when something is missing. */
void identify_boot(void);
/* Every CPU: the control register bits the hypervisor and its guests' state need. */
void identify_cpu_init(void);

#endif
