/* Event counters (contract in counters.h). */
#include "core/counters.h"
#include "core/log.h"
#include "lib/atomic.h"

#define COUNTERS_NAME(id, text) [id] = text,

static const char *const names[COUNTER_IDS] = { COUNTERS(COUNTERS_NAME) };

uint64_t counter_read(enum counter id)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < cpu_count; i++) {
		sum += READ_ONCE(cpus[i]->counter[id]);
	}
	return sum;
}

void counters_dump(void)
{
	for (unsigned int id = 0; id < COUNTER_IDS; id++) {
		if (counter_read(id)) {
			log_info("%-16s %12lu", names[id], counter_read(id));
		}
		for (unsigned int i = 0; cpu_count > 1 && i < cpu_count; i++) {
			if (cpus[i]->counter[id]) {
				log_info("  CPU %-3u        %12lu", i, cpus[i]->counter[id]);
			}
		}
	}
}
