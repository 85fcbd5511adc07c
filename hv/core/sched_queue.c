/* One CPU's run queue (contract in sched_queue.h). Pure. */
#include "core/sched_queue.h"
#include "core/sched_credit.h"
#include "lib/atomic.h"
#include "lib/util.h"

/* How far below the virtual time the ring begins; the rest of it lies above. */
#define BELOW_NS (SCHED_LAG_NS + SCHED_BONUS_NS)
/* Units that one decision takes out of the parked list, and that a search for one to move looks at. */
#define FEW 4u

_Static_assert(SCHED_SLOTS == 64 * 64, "the summary is one word");

void sched_queue_init(struct sched_queue *q, struct sched_unit *idle, unsigned int cpu)
{
	*q = (struct sched_queue){ .running = idle, .idle = idle, .cpu = cpu };
	list_init(&q->parked);
	list_init(&q->outbox);
	for (unsigned int i = 0; i < SCHED_SLOTS; i++) {
		list_init(&q->slot[i]);
	}
}

static int64_t first_step(const struct sched_queue *q)
{
	return sched_credit_step(q->vtime - BELOW_NS) - 1;
}

/* How far into the ring a slot is. */
static unsigned int distance(int64_t begin, unsigned int slot)
{
	return (slot - (unsigned int)begin) % SCHED_SLOTS;
}

void sched_queue_add(struct sched_queue *q, struct sched_unit *u)
{
	int64_t begin = first_step(q), low = q->vtime - BELOW_NS, high = (begin + SCHED_SLOTS - 1) << SCHED_STEP_SHIFT;
	unsigned int slot;

	u->credit = MIN(MAX(u->credit, low), high);
	slot = (uint64_t)sched_credit_step(u->credit) % SCHED_SLOTS;
	u->slot = (uint16_t)slot;
	u->place = SCHED_PLACE_QUEUE;
	list_add_tail(&q->slot[slot], &u->link);
	q->map[slot / 64] |= BIT(slot % 64);
	q->summary |= BIT(slot / 64);
	q->queued++;
	q->boosted += u->boost;
	if (q->first == NULL || distance(begin, slot) < distance(begin, q->first->slot)) {
		q->first = u;
	}
}

/* The first slot that is not empty, from `from` on around the ring. The queue is not empty. */
static unsigned int next_slot(const struct sched_queue *q, unsigned int from)
{
	unsigned int word = from / 64;
	uint64_t bits = q->map[word] & (~0ull << (from % 64));
	uint64_t words = word == 63 ? 0 : q->summary & (~0ull << (word + 1));

	if (bits == 0) {
		word = (unsigned int)__builtin_ctzll(words != 0 ? words : q->summary);
		bits = q->map[word];
	}
	return word * 64 + (unsigned int)__builtin_ctzll(bits);
}

static unsigned int begin(const struct sched_queue *q)
{
	return (uint64_t)first_step(q) % SCHED_SLOTS;
}

static struct sched_unit *find_first(const struct sched_queue *q)
{
	if (q->queued == 0) {
		return NULL;
	}
	return list_entry(q->slot[next_slot(q, begin(q))].next, struct sched_unit, link);
}

void sched_queue_remove(struct sched_queue *q, struct sched_unit *u)
{
	unsigned int slot = u->slot;
	bool queued = u->place == SCHED_PLACE_QUEUE;

	if (u->place == SCHED_PLACE_NONE || u->place == SCHED_PLACE_MOVING) {
		return;
	}
	list_del(&u->link);
	u->place = SCHED_PLACE_NONE;
	if (!queued) {
		return;
	}
	q->queued--;
	q->boosted -= u->boost;
	if (q->answered == u) {
		q->answered = NULL;
	}
	if (list_empty(&q->slot[slot])) {
		q->map[slot / 64] &= ~BIT(slot % 64);
		if (q->map[slot / 64] == 0) {
			q->summary &= ~BIT(slot / 64);
		}
	}
	if (q->first == u) {
		q->first = find_first(q);
	}
}

void sched_queue_settle(struct sched_queue *q, uint64_t now)
{
	struct sched_unit *u = q->running;
	const struct sched_unit *first = q->first;

	if (now > u->run_start) {
		sched_credit_charge(u, now - u->run_start);
		u->run_start = now;
	}
	if (u != q->idle && (first == NULL || (u->state == SCHED_RUNNING && u->credit < first->credit))) {
		first = u;
	}
	if (first != NULL) {
		q->vtime = MAX(q->vtime, first->credit);
	} else if (now > q->settled_at) {
		/* Time that nobody wanted: who sleeps meanwhile is not held to what it used before. */
		q->vtime += (int64_t)(now - q->settled_at);
	}
	q->settled_at = now;
}

/* Into no queue but aside: it may not run now, or not here. The parked list is in order of time because all periods end
 * together. */
static void put_aside(struct sched_queue *q, struct sched_unit *u, uint64_t now)
{
	bool here = sched_queue_may_use(u, q->cpu);

	u->place = here ? SCHED_PLACE_PARKED : SCHED_PLACE_OUTBOX;
	u->parked_until = now - now % SCHED_PERIOD_NS + SCHED_PERIOD_NS;
	list_add_tail(here ? &q->parked : &q->outbox, &u->link);
}

/* Whose turn to be parked has the earliest end; NULL: nobody is. */
static struct sched_unit *first_parked(const struct sched_queue *q)
{
	return list_empty(&q->parked) ? NULL : list_entry(q->parked.next, struct sched_unit, link);
}

/* A new period has begun for those at the head of the list; who is still in debt waits for another. */
static void unpark(struct sched_queue *q, uint64_t now)
{
	struct sched_unit *u;

	for (unsigned int i = 0; i < FEW && (u = first_parked(q)) != NULL && u->parked_until <= now; i++) {
		sched_queue_remove(q, u);
		if (sched_credit_in_cap(u, now)) {
			/* It does not catch up on the time that the cap took. */
			u->credit = MAX(u->credit, q->vtime);
			sched_queue_add(q, u);
		} else {
			put_aside(q, u, now);
		}
	}
}

/* The first of the queue that may run now and here. */
static struct sched_unit *best(struct sched_queue *q, uint64_t now)
{
	struct sched_unit *u;

	while ((u = q->first) != NULL &&
	       (!sched_queue_may_use(u, q->cpu) || !sched_credit_in_cap(u, now))) {
		sched_queue_remove(q, u);
		put_aside(q, u, now);
	}
	return u;
}

/* The unit that had the CPU does not any more. */
static void dismiss(struct sched_queue *q, struct sched_unit *u, uint64_t now)
{
	if (u == q->idle || u->state != SCHED_RUNNING) {
		return;
	}
	u->state = SCHED_RUNNABLE;
	if (u->pause_count != 0) {
		return;
	}
	if (sched_queue_may_use(u, q->cpu) && sched_credit_in_cap(u, now)) {
		sched_queue_add(q, u);
	} else {
		put_aside(q, u, now);
	}
}

static bool may_stay(const struct sched_queue *q, struct sched_unit *u, uint64_t now)
{
	return u != q->idle && u->state == SCHED_RUNNING && u->pause_count == 0 && sched_queue_may_use(u, q->cpu) &&
	       sched_credit_in_cap(u, now);
}

/* When to decide again. */
static uint64_t look_again(const struct sched_queue *q, uint64_t now)
{
	uint64_t turn = now - q->turn_start, look = 0, left;
	const struct sched_unit *parked = first_parked(q);

	if (q->running != q->idle && q->queued != 0) {
		look = q->boosted != 0 ? SCHED_LOOK_NS : turn < SCHED_SLICE_NS ? SCHED_SLICE_NS - turn : SCHED_SLICE_NS;
	}
	left = q->running != q->idle ? sched_credit_cap_left(q->running) : 0;
	if (left != 0 && (look == 0 || left < look)) {
		look = left;
	}
	if (parked != NULL) {
		left = parked->parked_until > now ? parked->parked_until - now : 1;
		look = look == 0 ? left : MIN(look, left);
	}
	return look;
}

uint64_t sched_queue_decide(struct sched_queue *q, uint64_t now, bool yield)
{
	struct sched_unit *cur = q->running, *next;
	bool stays, answered;

	sched_queue_settle(q, now);
	unpark(q, now);
	stays = may_stay(q, cur, now);
	next = best(q, now);
	answered = next != NULL && next == q->answered && sched_credit_goes_first(next, cur);
	q->answered = NULL;
	if (stays && (next == NULL || !(yield || answered || sched_credit_better(next, cur, now - q->turn_start)))) {
		next = cur;
		if (now - q->turn_start >= SCHED_SLICE_NS) {
			q->turn_start = now;
		}
	} else {
		/* Who lets somebody go first comes back as if it had just been woken. */
		if (stays && answered) {
			cur->boost = 1;
		}
		dismiss(q, cur, now);
		next = next != NULL ? next : q->idle;
		sched_queue_remove(q, next);
		next->state = SCHED_RUNNING;
		next->run_start = now;
		next->boost = 0;
		next->switched++;
		q->running = next;
		q->turn_start = now;
	}
	q->weight = q->running->weight;
	return look_again(q, now);
}

bool sched_queue_urgent(const struct sched_queue *q, const struct sched_unit *u, uint64_t now, uint64_t timer_at)
{
	if (q->running == q->idle || timer_at == 0) {
		return true;
	}
	if (u == q->answered && sched_credit_goes_first(u, q->running)) {
		return true;
	}
	return u->boost && (u->credit + SCHED_GRAIN_NS < q->running->credit || timer_at > now + SCHED_LOOK_NS);
}

struct sched_unit *sched_queue_movable(const struct sched_queue *q, unsigned int cpu, bool any)
{
	unsigned int slot = begin(q), seen = 0;

	while (seen < q->queued && seen < FEW) {
		slot = next_slot(q, slot);
		list_for_each (pos, &q->slot[slot]) {
			struct sched_unit *u = list_entry(pos, struct sched_unit, link);

			if (!u->pinned && sched_queue_may_use(u, cpu) && (any || u->arrears == 0) && !load_acquire(&u->on_stack)) {
				return u;
			}
			if (++seen == FEW) {
				return NULL;
			}
		}
		slot = (slot + 1) % SCHED_SLOTS;
	}
	return NULL;
}
