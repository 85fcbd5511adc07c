/* The recording struct vdev_host. */
#include <check.h>
#include <string.h>
#include "fake/fake_vdev_host.h"

static uint64_t now_ns(void *ctx)
{
	return ((struct fake_world *)ctx)->now;
}

static void timer_set(void *ctx, unsigned int id, uint64_t deadline_ns)
{
	struct fake_world *w = ctx;

	ck_assert_uint_lt(id, FAKE_TIMERS);
	w->deadline[id] = deadline_ns;
	w->armed += deadline_ns != 0;
}

static void irq_set(void *ctx, unsigned int gsi, bool level)
{
	struct fake_world *w = ctx;

	ck_assert_uint_lt(gsi, FAKE_GSIS);
	if (level && !w->level[gsi]) {
		w->rises[gsi]++;
		w->last_rise[gsi] = w->now;
	}
	w->level[gsi] = level;
}

static void msi_send(void *ctx, uint64_t addr, uint32_t data)
{
	struct fake_world *w = ctx;

	w->msis++;
	w->msi_addr = addr;
	w->msi_data = data;
}

static bool irq_waiting(void *ctx, unsigned int gsi)
{
	ck_assert_uint_lt(gsi, FAKE_GSIS);
	return ((struct fake_world *)ctx)->waiting[gsi];
}

static bool msi_waiting(void *ctx, uint64_t addr, uint32_t data)
{
	return ((struct fake_world *)ctx)->msi_waiting;
}

void fake_world_init(struct fake_world *w, uint64_t now, void (*timer)(void *dev, unsigned int id),
		     void *dev)
{
	memset(w, 0, sizeof(*w));
	w->now = now;
	w->timer = timer;
	w->dev = dev;
	w->host = (struct vdev_host){ .now_ns = now_ns, .timer_set = timer_set, .irq_set = irq_set,
				      .msi_send = msi_send, .irq_waiting = irq_waiting,
				      .msi_waiting = msi_waiting, .ctx = w };
}

/* The armed timer with the earliest deadline up to a time, or -1. */
static int earliest(const struct fake_world *w, uint64_t until)
{
	int best = -1;

	for (unsigned int i = 0; i < FAKE_TIMERS; i++) {
		if (w->deadline[i] != 0 && w->deadline[i] <= until &&
		    (best < 0 || w->deadline[i] < w->deadline[best])) {
			best = i;
		}
	}
	return best;
}

void fake_run_to(struct fake_world *w, uint64_t ns)
{
	int id;

	while ((id = earliest(w, ns)) >= 0) {
		if (w->deadline[id] > w->now) {
			w->now = w->deadline[id];
		}
		w->deadline[id] = 0;
		w->fired++;
		w->timer(w->dev, id);
	}
	w->now = ns;
}

void fake_run(struct fake_world *w, uint64_t ns)
{
	fake_run_to(w, w->now + ns);
}
