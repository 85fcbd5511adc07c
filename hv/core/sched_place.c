/*
 * Which CPU a unit runs on: the choice when it wakes, moving it by its affinity, and balance between CPUs.
 *
 * Each CPU has a place in the machine's virtual time: its queue's virtual time plus an offset. A CPU that shares its time
 * among many falls behind one with few units; who is behind gives its first unit to who is ahead, where that unit
 * catches up, because a unit keeps its place when it moves. So units that may move get equal shares (by weight) of all CPUs together.
 *
 * Lock: LOCK_SCHED of one CPU at a time. A unit that has left one queue and not yet reached the other is
 * SCHED_PLACE_MOVING; only who moves it puts it into a queue.
 */
#include "core/counters.h"
#include "core/sched_cpu.h"
#include "core/sched_credit.h"
#include "core/softirq.h"
#include "core/time.h"
#include "arch/hw.h"
#include "lib/err.h"
#include "lib/util.h"

/* How often a CPU looks whether others have less to do, and how far it must be behind. */
#define BALANCE_NS  20000000ull
#define BEHIND_NS   10000000ll

_Static_assert(MAX_CPUS <= 64, "a set of CPUs is one word");

/* Atomic. A hint: which CPUs have nothing to do. */
static uint64_t idle_cpus;
/* Written without a lock, may be a little behind: the farthest place of any CPU. */
static int64_t front;

static int64_t place_of(const struct sched_cpu *s)
{
	return READ_ONCE(s->q.vtime) + READ_ONCE(s->q.offset);
}

void sched_place_note(const struct sched_cpu *s)
{
	uint64_t me = BIT(s->q.cpu);
	bool idle = s->q.running == s->q.idle;

	if (((READ_ONCE(idle_cpus) & me) != 0) != idle) {
		if (idle) {
			(void)atomic_or(&idle_cpus, me);
		} else {
			(void)atomic_and(&idle_cpus, ~me);
		}
	}
	if (place_of(s) > READ_ONCE(front)) {
		WRITE_ONCE(front, place_of(s));
	}
}

void sched_place_busy(struct sched_cpu *s)
{
	/* A CPU that had time to spare is not behind anybody. */
	if (s->q.running == s->q.idle && s->q.queued == 0) {
		s->q.offset = MAX(s->q.offset, READ_ONCE(front) - s->q.vtime);
	}
}

/* An idle CPU of the set; CPUs that already have somebody on the way do not count. cpu_count: none. */
static unsigned int idle_among(uint64_t set)
{
	for (set &= READ_ONCE(idle_cpus); set != 0; set &= set - 1) {
		unsigned int cpu = (unsigned int)__builtin_ctzll(set);

		if (cpu < cpu_count && READ_ONCE(sched_of(cpu)->q.queued) == 0) {
			return cpu;
		}
	}
	return cpu_count;
}

/* The CPU of the set with the fewest waiting units. */
static unsigned int shortest_among(uint64_t set)
{
	unsigned int best = cpu_count;

	for (unsigned int i = 0; i < cpu_count; i++) {
		if ((set >> i & 1) && (best == cpu_count || READ_ONCE(sched_of(i)->q.queued) < READ_ONCE(sched_of(best)->q.queued))) {
			best = i;
		}
	}
	return best;
}

/* Where a unit that cannot stay goes. */
static unsigned int elsewhere(const struct sched_unit *u)
{
	unsigned int to = idle_among(u->hard & u->soft);

	to = to < cpu_count ? to : idle_among(u->hard);
	to = to < cpu_count ? to : shortest_among(u->hard & u->soft);
	return to < cpu_count ? to : shortest_among(u->hard);
}

unsigned int sched_place_wake(const struct sched_cpu *s, const struct sched_unit *u)
{
	unsigned int cpu = s->q.cpu, to;
	bool here = sched_queue_may_use(u, cpu);
	uint64_t liked = u->hard & u->soft;

	/* With its stack still in use it can only wait here; the next decision sends it on. */
	if (u->pinned || load_acquire(&u->on_stack) || (here && s->q.running == s->q.idle && (liked >> cpu & 1))) {
		return cpu;
	}
	if (!here) {
		to = elsewhere(u);
		return to < cpu_count ? to : cpu;
	}
	to = idle_among(liked);
	if (to >= cpu_count && s->q.running != s->q.idle) {
		to = idle_among(u->hard);
	}
	return to < cpu_count ? to : cpu;
}

void sched_place_leave(struct sched_unit *u, struct sched_cpu *from, unsigned int to)
{
	const struct sched_cpu *s = sched_of(to);

	u->credit += from->q.offset - READ_ONCE(s->q.offset);
	u->place = SCHED_PLACE_MOVING;
	from->units--;
	counter_add(COUNTER_MIGRATE, 1);
	WRITE_ONCE(u->cpu, to);
}

void sched_place_arrive(struct sched_unit *u)
{
	uint64_t flags, now = time_now();
	struct sched_cpu *s = sched_lock_of(u, &flags);
	bool look = false;

	s->units++;
	u->place = SCHED_PLACE_NONE;
	if (u->pause_count == 0) {
		sched_queue_settle(&s->q, now);
		sched_place_busy(s);
		sched_credit_arrive(u, s->q.vtime);
		sched_queue_add(&s->q, u);
		look = sched_queue_urgent(&s->q, u, now, READ_ONCE(s->slice.deadline));
	}
	spin_unlock_irqrestore(&s->lock, flags);
	if (look) {
		softirq_raise_on(u->cpu, SOFTIRQ_SCHED);
	}
}

void sched_place_flush(struct sched_cpu *s)
{
	while (!list_empty(&s->q.outbox)) {
		uint64_t flags = spin_lock_irqsave(&s->lock);
		struct sched_unit *u = NULL;

		if (!list_empty(&s->q.outbox)) {
			unsigned int to;

			u = list_entry(s->q.outbox.next, struct sched_unit, link);
			sched_queue_remove(&s->q, u);
			to = elsewhere(u);
			sched_place_leave(u, s, to < cpu_count ? to : s->q.cpu);
		}
		spin_unlock_irqrestore(&s->lock, flags);
		if (u != NULL) {
			sched_place_arrive(u);
		}
	}
}

/* Move a waiting unit that may go there from one CPU to another. */
static bool move_one(struct sched_cpu *from, unsigned int to, bool any)
{
	uint64_t flags = spin_lock_irqsave(&from->lock);
	struct sched_unit *u = from->q.running == from->q.idle ? NULL : sched_queue_movable(&from->q, to, any);

	if (u != NULL) {
		sched_queue_settle(&from->q, time_now());
		sched_queue_remove(&from->q, u);
		sched_place_leave(u, from, to);
	}
	spin_unlock_irqrestore(&from->lock, flags);
	if (u != NULL) {
		sched_place_arrive(u);
	}
	return u != NULL;
}

bool sched_place_pull(struct cpu *c)
{
	for (unsigned int i = 0; i < cpu_count; i++) {
		struct sched_cpu *s = sched_of(i);

		if (i != c->id && READ_ONCE(s->q.queued) != 0 && move_one(s, c->id, true)) {
			return true;
		}
	}
	return false;
}

/* How far another CPU has come by now: what it runs alone since its last decision counts too. Read without its lock: a
 * hint. */
static int64_t place_now(const struct sched_cpu *s, uint64_t now)
{
	uint64_t since = READ_ONCE(s->q.settled_at), weight = READ_ONCE(s->q.weight);

	if (READ_ONCE(s->q.running) == s->q.idle || READ_ONCE(s->q.queued) != 0 || now < since || weight == 0) {
		return place_of(s);
	}
	return place_of(s) + (int64_t)((now - since) * SCHED_WEIGHT_DEFAULT / weight);
}

void sched_place_push(struct cpu *c, uint64_t now)
{
	struct sched_cpu *s = c->sched;
	int64_t mine = place_of(s), far = mine + BEHIND_NS;
	unsigned int to = cpu_count;

	if (now < s->balance_at) {
		return;
	}
	s->balance_at = now + BALANCE_NS;
	for (unsigned int i = 0; i < cpu_count && s->q.queued != 0; i++) {
		int64_t place = i == c->id ? mine : place_now(sched_of(i), now);

		if (place > far) {
			far = place;
			to = i;
		}
	}
	if (to < cpu_count) {
		(void)move_one(s, to, false);
	}
	/* Who is far behind because its units cannot move does not stay so for ever. */
	if (place_of(s) < READ_ONCE(front) - SCHED_LAG_NS) {
		uint64_t flags = spin_lock_irqsave(&s->lock);

		s->q.offset = MAX(s->q.offset, READ_ONCE(front) - SCHED_LAG_NS - s->q.vtime);
		spin_unlock_irqrestore(&s->lock, flags);
	}
}

/* ---- affinity ---- */

int sched_set_affinity(struct sched_unit *u, uint64_t hard, uint64_t soft)
{
	uint64_t flags, all = MASK(cpu_count);
	struct sched_cpu *s;
	bool leaves = false, running;

	if ((hard & all) == 0) {
		return -EINVAL;
	}
	s = sched_lock_of(u, &flags);
	if (u->pinned && !sched_queue_may_use(u, u->cpu)) {
		spin_unlock_irqrestore(&s->lock, flags);
		return -EINVAL;
	}
	if (u->pinned && (hard & all) != BIT(u->cpu)) {
		spin_unlock_irqrestore(&s->lock, flags);
		return -EBUSY;
	}
	u->hard = u->pinned ? BIT(u->cpu) : hard;
	u->soft = soft;
	running = s->q.running == u && !sched_queue_may_use(u, s->q.cpu);
	if (u->place == SCHED_PLACE_QUEUE && !sched_queue_may_use(u, s->q.cpu) && !load_acquire(&u->on_stack)) {
		sched_queue_settle(&s->q, time_now());
		sched_queue_remove(&s->q, u);
		sched_place_leave(u, s, elsewhere(u));
		leaves = true;
	}
	spin_unlock_irqrestore(&s->lock, flags);
	if (leaves) {
		sched_place_arrive(u);
	} else if (running) {
		softirq_raise_on(u->cpu, SOFTIRQ_SCHED);
	}
	return 0;
}

void sched_get_affinity(const struct sched_unit *u, uint64_t *hard, uint64_t *soft)
{
	uint64_t flags;
	struct sched_cpu *s = sched_lock_of(u, &flags);

	*hard = u->hard;
	*soft = u->soft;
	spin_unlock_irqrestore(&s->lock, flags);
}
