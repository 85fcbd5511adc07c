/*
 * A guest that sets its RTC and reboots, twice: into 2031, then into 2033, the second time with the clock running on
 * while it is set. Who runs it lets its clock be kept from one start to the next (<clock offset='variable'>).
 */
#include "tests/guest/rt/clock.h"

#include <xen/sched.h>

enum { DAY = 7, MONTH = 8, YEAR = 9, REG_A = 0x0a, REG_B = 0x0b };
#define B_SET 0x80

static uint8_t date(uint8_t reg)
{
	while (clock_cmos(REG_A) & 0x80) {
	}
	return clock_cmos(reg);
}

static void again(void)
{
	rt_shutdown(SHUTDOWN_reboot);
}

int guest_main(const struct hvm_start_info *info)
{
	uint8_t year = date(YEAR);

	rt_printf("rtckeep: begins in 20%02x-%02x-%02x\n", year, date(MONTH), date(DAY));
	if (year == 0x31) {
		RT_CHECK(date(MONTH) == 0x05 && date(DAY) == 0x17);
		clock_cmos_set(YEAR, 0x33);
		again();
	} else if (year != 0x33) {
		clock_cmos_set(REG_B, clock_cmos(REG_B) | B_SET);
		clock_cmos_set(YEAR, 0x31);
		clock_cmos_set(MONTH, 0x05);
		clock_cmos_set(DAY, 0x17);
		clock_cmos_set(0, 0);
		clock_cmos_set(2, 0);
		clock_cmos_set(REG_B, clock_cmos(REG_B) & ~B_SET);
		again();
	}
	RT_CHECK(date(MONTH) == 0x05 && date(DAY) == 0x17);
	rt_puts("rtckeep: OK\n");
	return 0;
}
