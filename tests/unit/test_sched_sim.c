/* sched*.c on made-up CPUs: shares, wake-up latency, caps, affinity, and that nothing happens when nothing is to be done. */
#include "core/sched_credit.h"
#include "core/sched_cpu.h"
#include "fake/sched_world.h"
#include "fake/suite.h"
#include "lib/err.h"
#include "lib/util.h"

static void setup(void)
{
	world_reset(1);
}

/* Is a within `permille` of b? */
static bool near(uint64_t a, uint64_t b, uint64_t permille)
{
	uint64_t diff = a > b ? a - b : b - a;

	return diff * 1000 <= b * permille;
}

/* One CPU: time by weight to 1 %, from the smallest weights to the largest. */
START_TEST(test_weights)
{
	static const uint32_t weight[] = { 256, 512, 1024, 128, 3 };
	struct world_unit *w[ARRAY_SIZE(weight)];
	uint64_t sum = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(weight); i++) {
		w[i] = world_add(0, false, 0, 0, 0);
		sched_set_weight(&w[i]->unit, weight[i]);
		sum += weight[i];
	}
	world_run(100000 * MS);
	for (unsigned int i = 0; i < ARRAY_SIZE(weight); i++) {
		ck_assert_msg(near(world_ran(w[i]), 100000 * MS * weight[i] / sum, i < 4 ? 10 : 100),
			      "weight %u ran %lu of %lu", weight[i], world_ran(w[i]), 100000 * MS * weight[i] / sum);
	}
}
END_TEST

START_TEST(test_weight_extremes)
{
	struct world_unit *high = world_add(0, false, 0, 0, 0), *low = world_add(0, false, 0, 0, 0);

	sched_set_weight(&high->unit, 65535);
	sched_set_weight(&low->unit, 256);
	world_run(10000 * MS);
	ck_assert(near(world_ran(low), 10000 * MS / 257, 100));
	ck_assert_uint_eq(world_ran(low) + world_ran(high), 10000 * MS);
}
END_TEST

/* Weights hold from the moment they change. */
START_TEST(test_weight_change)
{
	struct world_unit *a = world_add(0, false, 0, 0, 0), *b = world_add(0, false, 0, 0, 0);
	uint64_t before;

	world_run(2000 * MS);
	ck_assert(near(world_ran(a), 1000 * MS, 20));
	sched_set_weight(&b->unit, 768);
	before = world_ran(b);
	world_run(4000 * MS);
	ck_assert(near(world_ran(b) - before, 3000 * MS, 20));
}
END_TEST

/* Units that fit badly on the CPUs: each has its part of all CPUs together. */
START_TEST(test_shares_across_cpus)
{
	static const struct { unsigned int cpus, units; } cases[] = { { 2, 3 }, { 2, 5 }, { 3, 4 }, { 4, 7 }, { 8, 9 } };

	for (unsigned int c = 0; c < ARRAY_SIZE(cases); c++) {
		struct world_unit *w[16];

		world_reset(cases[c].cpus);
		for (unsigned int i = 0; i < cases[c].units; i++) {
			w[i] = world_add(i % cases[c].cpus, false, 0, 0, 0);
		}
		world_run(20000 * MS);
		for (unsigned int i = 0; i < cases[c].units; i++) {
			ck_assert_msg(near(world_ran(w[i]), 20000 * MS * cases[c].cpus / cases[c].units, 50),
				      "%u CPUs, %u units: unit %u ran %lu ms", cases[c].cpus, cases[c].units, i,
				      world_ran(w[i]) / MS);
		}
	}
}
END_TEST

/* A heavy unit cannot have more than one CPU; the others share the rest. */
START_TEST(test_weights_across_cpus)
{
	struct world_unit *w[3];

	world_reset(2);
	for (unsigned int i = 0; i < 3; i++) {
		w[i] = world_add(0, false, 0, 0, 0);
	}
	sched_set_weight(&w[0]->unit, 2048);
	world_run(20000 * MS);
	ck_assert_msg(world_ran(w[0]) >= 19000 * MS, "%lu", world_ran(w[0]) / MS);
	ck_assert(near(world_ran(w[1]), world_ran(w[2]), 50));
}
END_TEST

/*
 * THE BOUND: a unit that uses no more than its share runs when it wakes; with n others of that kind awake on its CPU,
 * within n looks. 20 units that want all the time do not matter.
 */
START_TEST(test_wake_alone)
{
	struct world_unit *idle;

	for (unsigned int i = 0; i < 20; i++) {
		(void)world_add(0, false, 0, 0, 0);
	}
	idle = world_add(0, false, MS / 10, 7 * MS, 300 * MS + 333);
	world_run(5300 * MS);
	ck_assert_uint_ge(idle->wakes, 700);
	ck_assert_uint_eq(idle->worst_wait, 0);
}
END_TEST

static void wake_many(unsigned int n, uint64_t burst, uint64_t sleep, uint32_t hog_weight)
{
	struct world_unit *w[16];

	world_reset(1);
	for (unsigned int i = 0; i < 10; i++) {
		sched_set_weight(&world_add(0, false, 0, 0, 0)->unit, hog_weight);
	}
	for (unsigned int i = 0; i < n; i++) {
		w[i] = world_add(0, false, burst, sleep, 300 * MS);
	}
	world_run(10000 * MS);
	for (unsigned int i = 0; i < n; i++) {
		ck_assert_uint_ge(w[i]->wakes, 10);
		ck_assert_msg(w[i]->worst_wait <= (n - 1) * SCHED_LOOK_NS, "%u of %u waited %lu us", i, n,
			      w[i]->worst_wait / 1000);
	}
}

/* All at the same moment, which is the worst case; also with bursts that are longer than a look, and heavy others. */
START_TEST(test_wake_many)
{
	wake_many(2, 3 * MS, 150 * MS, 256);
	wake_many(8, MS / 2, 100 * MS, 256);
	wake_many(16, 5 * MS, 700 * MS, 256);
	wake_many(8, 2 * MS, 1000 * MS, 4096);
}
END_TEST

/* Who takes more than its share and calls it bursts gets its share, not more. */
START_TEST(test_greedy_sleeper)
{
	struct world_unit *hog = world_add(0, false, 0, 0, 0), *greedy = world_add(0, false, 4 * MS, 1000, 0);

	world_run(10000 * MS);
	ck_assert_msg(near(world_ran(hog), 5000 * MS, 50), "%lu", world_ran(hog) / MS);
	ck_assert(near(world_ran(greedy), 5000 * MS, 50));
}
END_TEST

START_TEST(test_cap)
{
	struct sched_group g = { 0 };
	struct world_unit *w[4], *other;
	uint64_t sum = 0;

	world_reset(2);
	for (unsigned int i = 0; i < 4; i++) {
		w[i] = world_add(i % 2, false, 0, 0, 0);
		sched_join(&w[i]->unit, &g);
	}
	other = world_add(0, false, 0, 0, 0);
	sched_set_cap(&g, 30);
	world_run(10000 * MS);
	for (unsigned int i = 0; i < 4; i++) {
		sum += world_ran(w[i]);
	}
	/* 30 % of one CPU, although nobody else wants the second CPU. */
	ck_assert_msg(near(sum, 3000 * MS, 20), "%lu", sum / MS);
	ck_assert_uint_ge(world_ran(other), 9000 * MS);
	/* In any second, too. */
	for (unsigned int s = 0; s < 5; s++) {
		uint64_t before = sum;

		world_run(1000 * MS);
		sum = 0;
		for (unsigned int i = 0; i < 4; i++) {
			sum += world_ran(w[i]);
		}
		ck_assert(near(sum - before, 300 * MS, 50));
	}
	sched_set_cap(&g, 0);
	sum = world_ran(w[0]) + world_ran(w[1]) + world_ran(w[2]) + world_ran(w[3]);
	world_run(1000 * MS);
	ck_assert_uint_ge(world_ran(w[0]) + world_ran(w[1]) + world_ran(w[2]) + world_ran(w[3]) - sum, 1500 * MS);
}
END_TEST

/* A cap of more than one CPU. */
START_TEST(test_cap_above_one)
{
	struct sched_group g = { 0 };
	uint64_t sum = 0;

	world_reset(4);
	for (unsigned int i = 0; i < 4; i++) {
		sched_join(&world_add(i, false, 0, 0, 0)->unit, &g);
	}
	sched_set_cap(&g, 250);
	world_run(4000 * MS);
	for (unsigned int i = 0; i < 4; i++) {
		sum += world_ran(&world_unit[i]);
	}
	ck_assert_msg(near(sum, 10000 * MS, 20), "%lu", sum / MS);
}
END_TEST

/* Hard affinity: never elsewhere, from the next decision on, in whatever state it is. */
START_TEST(test_hard_affinity)
{
	struct world_unit *w[6];

	world_reset(3);
	for (unsigned int i = 0; i < 6; i++) {
		w[i] = world_add(i % 3, false, i == 5 ? MS : 0, 5 * MS, 0);
	}
	world_run(200 * MS);
	for (unsigned int i = 0; i < 6; i++) {
		ck_assert_int_eq(sched_set_affinity(&w[i]->unit, BIT(2), SCHED_ANY_CPU), 0);
	}
	world_run(1000);
	ck_assert_ptr_eq(cpus[0]->current, cpus[0]->idle);
	ck_assert_ptr_eq(cpus[1]->current, cpus[1]->idle);
	world_run(1000 * MS);
	for (unsigned int i = 0; i < 6; i++) {
		ck_assert_uint_eq(w[i]->unit.cpu, 2);
	}
	ck_assert_uint_ge(sched_run_time(cpus[0]->idle), 900 * MS);
	/* Back to all: the other CPUs take their part. */
	for (unsigned int i = 0; i < 6; i++) {
		ck_assert_int_eq(sched_set_affinity(&w[i]->unit, SCHED_ANY_CPU, SCHED_ANY_CPU), 0);
	}
	world_run(1000);
	ck_assert_ptr_ne(cpus[0]->current, cpus[0]->idle);
	ck_assert_ptr_ne(cpus[1]->current, cpus[1]->idle);
}
END_TEST

/* A unit that comes from a busy CPU, and was capped there, does not keep those waiting that wake on its new CPU. */
START_TEST(test_newcomer)
{
	struct sched_group g = { 0 };
	struct world_unit *dom0[2], *burn[2];

	world_reset(2);
	for (unsigned int i = 0; i < 2; i++) {
		dom0[i] = world_add(i, true, MS / 5, 4 * MS, 0);
		burn[i] = world_add(1, false, 0, 0, 100 * MS);
		ck_assert_int_eq(sched_set_affinity(&burn[i]->unit, BIT(1), SCHED_ANY_CPU), 0);
	}
	sched_join(&burn[0]->unit, &g);
	world_run(3000 * MS);
	sched_set_cap(&g, 20);
	world_run(3000 * MS);
	for (unsigned int i = 0; i < 200; i++) {
		world_on(i % 2);
		if (i == 50) {
			sched_set_cap(&g, 0);
		}
		ck_assert_int_eq(sched_set_affinity(&burn[0]->unit, BIT(i % 2), SCHED_ANY_CPU), 0);
		world_run(7 * MS + i * 1000);
		ck_assert_uint_eq(burn[0]->unit.cpu, i % 2);
	}
	world_run(100 * MS);
	for (unsigned int i = 0; i < 2; i++) {
		ck_assert_uint_ge(dom0[i]->wakes, 1500);
		/* At the start two others wake on its CPU. */
		ck_assert_msg(dom0[i]->worst_wait <= 2 * SCHED_LOOK_NS, "%lu us", dom0[i]->worst_wait / 1000);
	}
}
END_TEST

/* The clocks of an idle CPU and of a busy one come apart; who moves between them pays for that in no direction. */
START_TEST(test_clocks_apart)
{
	struct world_unit *hog, *guest;
	uint64_t before;

	world_reset(2);
	hog = world_add(0, true, 0, 0, 0);
	(void)world_add(0, true, 0, 0, 0);
	guest = world_add(1, false, 0, 0, 60000 * MS);
	ck_assert_int_eq(sched_set_affinity(&guest->unit, BIT(1), SCHED_ANY_CPU), 0);
	world_run(60100 * MS);
	for (unsigned int i = 0; i < 4; i++) {
		ck_assert_int_eq(sched_set_affinity(&guest->unit, BIT(i % 2), SCHED_ANY_CPU), 0);
		before = world_ran(guest);
		world_run(3000 * MS);
		ck_assert_msg(near(world_ran(guest) - before, (i % 2 ? 3000 : 1000) * MS, 250), "%u: %lu", i,
			      (world_ran(guest) - before) / MS);
	}
	ck_assert_uint_ge(world_ran(hog), 32000 * MS);
}
END_TEST

/* Soft affinity: there while there is room, elsewhere before it waits. */
START_TEST(test_soft_affinity)
{
	struct world_unit *w, *hog;

	world_reset(2);
	w = world_add(0, false, MS, MS, 0);
	ck_assert_int_eq(sched_set_affinity(&w->unit, SCHED_ANY_CPU, BIT(1)), 0);
	world_run(100 * MS);
	ck_assert_uint_eq(w->unit.cpu, 1);
	hog = world_add(1, true, 0, 0, 0);
	world_run(100 * MS);
	ck_assert_uint_eq(w->unit.cpu, 0);
	ck_assert_uint_ge(world_ran(hog), 98 * MS);
}
END_TEST

START_TEST(test_affinity_refused)
{
	struct world_unit *free_unit, *pinned;
	uint64_t hard, soft;

	world_reset(2);
	free_unit = world_add(0, false, 0, 0, 0);
	pinned = world_add(1, true, 0, 0, 0);
	ck_assert_int_eq(sched_set_affinity(&free_unit->unit, BIT(2) | BIT(63), SCHED_ANY_CPU), -EINVAL);
	ck_assert_int_eq(sched_set_affinity(&pinned->unit, BIT(0), SCHED_ANY_CPU), -EBUSY);
	ck_assert_int_eq(sched_set_affinity(&pinned->unit, BIT(1), BIT(1)), 0);
	sched_get_affinity(&pinned->unit, &hard, &soft);
	ck_assert_uint_eq(hard, BIT(1));
	ck_assert_uint_eq(soft, BIT(1));
}
END_TEST

/* Paused units do not run, wherever they were; then they go on. */
START_TEST(test_pause)
{
	struct world_unit *a = world_add(0, false, 0, 0, 0), *b = world_add(0, false, 0, 0, 0);
	struct world_unit *c = world_add(0, false, MS, MS, 0);
	uint64_t ran;

	world_run(50 * MS);
	world_on(0);
	sched_pause_nosync(&a->unit);
	sched_pause_nosync(&b->unit);
	sched_pause_nosync(&c->unit);
	world_run(1000);
	ran = world_ran(a) + world_ran(b) + world_ran(c);
	world_run(50 * MS);
	ck_assert_uint_eq(world_ran(a) + world_ran(b) + world_ran(c), ran);
	ck_assert_ptr_eq(cpus[0]->current, cpus[0]->idle);
	sched_unpause(&b->unit);
	world_run(50 * MS);
	ck_assert_uint_ge(world_ran(a) + world_ran(b) + world_ran(c), ran + 50 * MS - 2000);
}
END_TEST

/* One runnable unit on a CPU, or none: the scheduler's timer stays silent. */
START_TEST(test_no_timer)
{
	world_reset(2);
	(void)world_add(0, true, 0, 0, 0);
	world_run(10000 * MS);
	ck_assert_uint_le(world_timer_fires, 1);
	(void)world_add(1, false, 0, 0, 0);
	world_run(10000 * MS);
	ck_assert_uint_le(world_timer_fires, 2);
}
END_TEST

/* A CPU that was idle for an hour is no worse a place than others, and one that ran alone for an hour is not punished. */
START_TEST(test_after_a_long_time)
{
	struct world_unit *w[3];

	world_reset(2);
	w[0] = world_add(0, false, 0, 0, 0);
	world_run(3600000 * MS);
	w[1] = world_add(0, false, 0, 0, world_now);
	w[2] = world_add(0, false, 0, 0, world_now);
	uint64_t before = world_ran(w[0]);
	world_run(3000 * MS);
	for (unsigned int i = 0; i < 3; i++) {
		uint64_t ran = world_ran(w[i]) - (i == 0 ? before : 0);
		ck_assert_msg(near(ran, 2000 * MS, 100), "%u: %lu", i, ran / MS);
	}
}
END_TEST

/* A unit that asks another for something all the time goes on as soon as it is answered, not when the other is done. */
START_TEST(test_answered)
{
	struct world_unit *server = world_add(0, true, 0, 0, 0), *client = world_add(0, false, MS / 100, MS / 50, MS);

	client->answered = true;
	world_run(100 * MS);
	client->worst_wait = 0;
	uint64_t before = client->wakes;
	world_run(300 * MS);
	ck_assert_uint_eq(client->worst_wait, 0);
	ck_assert_msg(near(client->wakes - before, 10000, 50), "%lu answers", client->wakes - before);
	ck_assert(near(world_ran(server), 2 * world_ran(client), 50));
}
END_TEST

/* It gets no more than its share by that, nor does it take others' shares. */
START_TEST(test_answered_share)
{
	for (unsigned int others = 1; others <= 3; others++) {
		struct world_unit *w[3], *client;

		world_reset(1);
		for (unsigned int i = 0; i < others; i++) {
			w[i] = world_add(0, i == 0, 0, 0, 0);
		}
		client = world_add(0, false, 9 * MS / 10, MS / 50, 0);
		client->answered = true;
		world_run(10000 * MS);
		ck_assert_msg(world_ran(client) < 10000 * MS / (others + 1) * 102 / 100, "%lu of %u", world_ran(client), others);
		for (unsigned int i = 0; i < others; i++) {
			ck_assert_msg(near(world_ran(w[i]), (10000 * MS - world_ran(client)) / others, 20), "%lu of %lu",
				      world_ran(w[i]), world_ran(client));
		}
		/* Who has answered does not wait for long, although the client always wants the CPU. */
		w[0]->burst = 2 * MS;
		w[0]->left = MS;
		w[0]->sleep = 20 * MS;
		world_run(100 * MS);
		w[0]->worst_wait = 0;
		world_run(1000 * MS);
		ck_assert_msg(w[0]->worst_wait <= 2 * SCHED_LOOK_NS, "%lu", w[0]->worst_wait);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_weights, test_weight_extremes, test_weight_change, test_shares_across_cpus, test_weights_across_cpus,
		test_wake_alone, test_wake_many, test_greedy_sleeper, test_cap, test_cap_above_one, test_hard_affinity,
		test_newcomer, test_clocks_apart, test_soft_affinity, test_affinity_refused, test_pause, test_no_timer, test_after_a_long_time,
		test_answered, test_answered_share, NULL
	};

	/* Minutes of made-up time take seconds on a loaded machine. */
	setenv("CK_DEFAULT_TIMEOUT", "120", 0);
	return suite_run("sched_sim", setup, tests);
}
