/* vlapic_timer.c: the three modes of the SDM's APIC timer, divisors, and missed ticks by policy. */
#include "fake/vlapic_world.h"

START_TEST(test_timer_one_shot)
{
	wr(0x320, 0x40);
	wr(0x3e0, 0x3);                 /* divide by 16 */
	wr(0x380, 1000);
	ck_assert_uint_eq(w.timer, 1000000 + 16000);
	advance(1600);
	ck_assert_uint_eq(rd(0x390), 900);
	advance(14399);
	ck_assert_uint_eq(rd(0x390), 1);
	ck_assert_uint_eq(take(0x40), 0);
	advance(1);
	ck_assert_uint_eq(rd(0x390), 0);
	ck_assert_uint_eq(take(0x40), 1);
	advance(1000000);
	ck_assert_uint_eq(take(0x40), 0);
	ck_assert_uint_eq(rd(0x380), 1000);
	wr(0x380, 1000);
	wr(0x380, 0);
	ck_assert_uint_eq(w.timer, 0);
	ck_assert_uint_eq(rd(0x390), 0);
}
END_TEST

START_TEST(test_timer_divisors)
{
	static const uint8_t dcr[] = { 0xb, 0x0, 0x1, 0x2, 0x3, 0x8, 0x9, 0xa };

	wr(0x320, 0x40);
	for (unsigned int i = 0; i < 8; i++) {
		wr(0x3e0, dcr[i]);
		wr(0x380, 100000);
		ck_assert_uint_eq(w.timer - w.now, 100000u << i);
	}
	/* A change on the way keeps the count. */
	wr(0x3e0, 0xb);
	wr(0x380, 100000);
	advance(40000);
	wr(0x3e0, 0x0);
	ck_assert_uint_eq(rd(0x390), 60000);
	ck_assert_uint_eq(w.timer - w.now, 120000);
	wr(0x3e0, 0xff);
	ck_assert_uint_eq(rd(0x3e0), 0xb);
}
END_TEST

START_TEST(test_timer_periodic)
{
	const uint64_t start = w.now;

	wr(0x3e0, 0xb);
	wr(0x320, 0x20040);
	wr(0x380, 300000);
	for (unsigned int i = 1; i <= 10; i++) {
		advance(300000);
		ck_assert_uint_eq(take(0x40), 1);
	}
	/* Late service merges rounds and keeps to the grid. */
	w.now += 1000000;
	w.timer = 0;
	vlapic_timer_expired(&v);
	ck_assert_uint_eq(take(0x40), 1);
	ck_assert_uint_eq(w.timer, start + 14 * 300000);
	ck_assert_uint_eq(rd(0x390), 200000);
	/* Early service fires nothing. */
	vlapic_timer_expired(&v);
	ck_assert_uint_eq(take(0x40), 0);
	/* Masked it counts on silently; unmasked it continues. */
	wr(0x320, 0x30040);
	ck_assert_uint_eq(w.timer, 0);
	advance(600000);
	ck_assert_uint_eq(rd(0x390), 200000);
	wr(0x320, 0x20040);
	ck_assert_uint_eq(take(0x40), 0);
	ck_assert_uint_eq(w.timer - w.now, 200000);
	/* To one-shot: the current round is the last. */
	wr(0x320, 0x40);
	advance(200000);
	ck_assert_uint_eq(take(0x40), 1);
	ck_assert_uint_eq(w.timer, 0);
}
END_TEST

START_TEST(test_timer_policies)
{
	unsigned int taken = 0;

	/* Catching up: one in the request register, the others as each is taken. */
	v.tick.policy = VTICK_CATCHUP;
	wr(0x3e0, 0xb);
	wr(0x320, 0x20040);
	wr(0x380, 300000);
	advance(10 * 300000 + 150000);
	while (take(0x40)) {
		taken++;
	}
	ck_assert_uint_eq(taken, 10);
	ck_assert_uint_eq(rd(0x390), 150000);
	/* Another vector gives none; masked they are forgotten. */
	advance(2 * 300000);
	vlapic_set_irq(&v, 0x51, false);
	ck_assert_uint_eq(take(0x51), 1);
	ck_assert_uint_eq(v.tick.owed, 1);
	wr(0x320, 0x30040);
	ck_assert_uint_eq(v.tick.owed, 0);
	ck_assert_uint_eq(take(0x40), 1);
	ck_assert_uint_eq(take(0x40), 0);
	/* Delay: the countdown begins anew with the late one. */
	v.tick.policy = VTICK_DELAY;
	wr(0x320, 0x20040);
	wr(0x380, 300000);
	advance(10 * 300000 + 150000);
	ck_assert_uint_eq(take(0x40), 1);
	ck_assert_uint_eq(take(0x40), 0);
	ck_assert_uint_eq(rd(0x390), 300000);
	advance(299999);
	ck_assert_uint_eq(take(0x40), 0);
	advance(1);
	ck_assert_uint_eq(take(0x40), 1);
	/* Discard: found late, none; the next on the grid. */
	v.tick.policy = VTICK_DISCARD;
	w.now += 5 * 300000 + 150000;
	w.timer = 0;
	vlapic_timer_expired(&v);
	ck_assert_uint_eq(take(0x40), 0);
	advance(150000);
	ck_assert_uint_eq(take(0x40), 1);
}
END_TEST

START_TEST(test_timer_replaced)
{
	/* A countdown that ended unseen fires before the next one begins. */
	wr(0x3e0, 0xb);
	wr(0x320, 0x40);
	wr(0x380, 5000);
	w.now += 5000;
	wr(0x380, 7000);
	ck_assert_uint_eq(take(0x40), 1);
	ck_assert_uint_eq(rd(0x390), 7000);
}
END_TEST

START_TEST(test_timer_periodic_is_bounded)
{
	wr(0x3e0, 0xb);
	wr(0x320, 0x20040);
	w.timer_sets = 0;
	wr(0x380, 1);
	advance(20000000);
	ck_assert_uint_le(w.timer_sets, 101);
	ck_assert_uint_ge(w.timer_sets, 90);
}
END_TEST

START_TEST(test_timer_one_shot_masked_end)
{
	wr(0x3e0, 0xb);
	wr(0x320, 0x10040);
	wr(0x380, 5000);
	advance(10000);
	wr(0x320, 0x40);
	ck_assert_uint_eq(w.timer, 0);
	ck_assert_uint_eq(take(0x40), 0);
	wr(0x320, 0x20040);
	ck_assert_uint_eq(w.timer, 0);
}
END_TEST

START_TEST(test_timer_tsc_deadline)
{
	wrmsr_ok(0x6e0, 3100000);
	ck_assert_uint_eq(rdmsr(0x6e0), 0);             /* not in that mode */
	wr(0x320, 0x40040);
	wr(0x380, 7);
	ck_assert_uint_eq(rd(0x380), 0);
	wrmsr_ok(0x6e0, 3600000);
	ck_assert_uint_eq(rdmsr(0x6e0), 3600000);
	ck_assert_uint_eq(w.timer, 1200000);
	ck_assert_uint_eq(rd(0x390), 0);
	advance(200000);
	ck_assert_uint_eq(rdmsr(0x6e0), 0);
	ck_assert_uint_eq(take(0x40), 1);
	/* In the past: at once. Rounded early: again. */
	wrmsr_ok(0x6e0, 1);
	ck_assert_uint_eq(take(0x40), 1);
	ck_assert_uint_eq(w.timer, 0);
	wrmsr_ok(0x6e0, 3600000 + 302);
	ck_assert_uint_eq(w.timer, 1200100);
	advance(100);
	ck_assert_uint_eq(take(0x40), 0);
	advance(1);
	ck_assert_uint_eq(take(0x40), 1);
	/* So far away that its time in ns is not a number: not at once, and not with a timer that never rests. */
	wrmsr_ok(0x6e0, ~0ull);
	ck_assert_uint_gt(w.timer, w.now + 1000000000);
	w.timer_sets = 0;
	advance(3600ull * 1000000000);
	ck_assert_uint_lt(w.timer_sets, 10);
	ck_assert_uint_eq(take(0x40), 0);
	ck_assert_uint_eq(rdmsr(0x6e0), ~0ull);
	/* 0 disarms, and so does leaving the mode. */
	wrmsr_ok(0x6e0, 1ull << 60);
	wrmsr_ok(0x6e0, 0);
	ck_assert_uint_eq(w.timer, 0);
	wrmsr_ok(0x6e0, 1ull << 60);
	wr(0x320, 0x40);
	ck_assert_uint_eq(w.timer, 0);
	ck_assert_uint_eq(rdmsr(0x6e0), 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_timer_one_shot, test_timer_divisors, test_timer_periodic, test_timer_periodic_is_bounded,
		test_timer_policies, test_timer_replaced, test_timer_one_shot_masked_end, test_timer_tsc_deadline, NULL
	};

	return suite_run("vlapic_timer", setup, tests);
}
