/* Per-CPU areas (contract in percpu.h). Filled at start-up by the boot CPU, const afterwards. */
#include "core/percpu.h"

struct cpu boot_cpu;
struct cpu *cpus[MAX_CPUS] = { &boot_cpu };
unsigned int cpu_count = 1;
