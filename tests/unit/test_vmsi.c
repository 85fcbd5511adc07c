/* vmsi.c: the message formats of the SDM. */
#include <errno.h>
#include "dev/vmsi.h"
#include "fake/rnd.h"
#include "fake/suite.h"

static struct apic_msg m;

static void setup(void)
{
}

START_TEST(test_fields)
{
	ck_assert_int_eq(vmsi_decode(0xfee05000, 0x0041, &m), 0);
	ck_assert_uint_eq(m.dest, 5);
	ck_assert_uint_eq(m.vector, 0x41);
	ck_assert_uint_eq(m.delivery, APIC_DM_FIXED);
	ck_assert_uint_eq(m.shorthand, APIC_DEST_FIELD);
	ck_assert(!m.logical && !m.level && m.assert && !m.x2apic);
	ck_assert_int_eq(vmsi_decode(0xfeeff00c, 0x0041, &m), 0);
	ck_assert_uint_eq(m.dest, 0xff);
	ck_assert(m.logical);
	ck_assert_uint_eq(m.delivery, APIC_DM_LOWEST);
	ck_assert_int_eq(vmsi_decode(0xfee01008, 0x0041, &m), 0);
	ck_assert_uint_eq(m.delivery, APIC_DM_FIXED);   /* hint without a group */
	ck_assert_int_eq(vmsi_decode(0xfee01004, 0xc1f1, &m), 0);
	ck_assert_uint_eq(m.delivery, APIC_DM_LOWEST);
	ck_assert(m.level && m.assert);
	ck_assert_int_eq(vmsi_decode(0xfee01000, 0x8031, &m), 0);
	ck_assert(m.level && !m.assert);
	ck_assert_int_eq(vmsi_decode(0xfee01000, 0x0400, &m), 0);
	ck_assert_uint_eq(m.delivery, APIC_DM_NMI);
	ck_assert_int_eq(vmsi_decode(0xfee02000, 0x8500, &m), 0);
	ck_assert_uint_eq(m.delivery, APIC_DM_INIT);
	ck_assert(!m.level && m.assert);                /* the trigger mode is the pins' */
}
END_TEST

START_TEST(test_refused)
{
	ck_assert_int_eq(vmsi_decode(0xfed05000, 0x0041, &m), -EINVAL);
	ck_assert_int_eq(vmsi_decode(0x1fee05000, 0x0041, &m), -EINVAL);
	ck_assert_int_eq(vmsi_decode(0, 0x0041, &m), -EINVAL);
	ck_assert_int_eq(vmsi_decode(0xfee05000, 0x000f, &m), -EINVAL);
	ck_assert_int_eq(vmsi_decode(0xfee05000, 0x010f, &m), -EINVAL);
	ck_assert_int_eq(vmsi_decode(0xfee05000, 0x0341, &m), -EINVAL);
	ck_assert_int_eq(vmsi_decode(0xfee05000, 0x0641, &m), -EINVAL);
	ck_assert_int_eq(vmsi_decode(0xfee05000, 0x0241, &m), -EINVAL);  /* SMI */
	ck_assert_int_eq(vmsi_decode(0xfee05000, 0x0741, &m), -EINVAL);  /* ExtINT */
}
END_TEST

START_TEST(test_random)
{
	struct rnd r = { 3 };

	for (unsigned int i = 0; i < 100000; i++) {
		uint64_t addr = rnd_next(&r);

		if (rnd_below(&r, 2)) {
			addr = 0xfee00000 | (addr & 0xfffff);
		}
		if (vmsi_decode(addr, rnd_next(&r), &m) == 0) {
			ck_assert_uint_le(m.dest, 0xff);
			ck_assert_uint_le(m.delivery, 7);
		}
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_fields, test_refused, test_random, NULL };

	return suite_run("vmsi", setup, tests);
}
