/* hvm/inject.c: what two events make together, and what is delivered again. */
#include <stdarg.h>
#include <string.h>
#include "arch/x86.h"
#include "fake/fake_vcpu.h"
#include "fake/suite.h"

static struct vcpu *const v = &fake_vcpu.v;
static struct vm_event *const pending = &fake_vcpu.hvm.pending;
static unsigned int triples;

void guest_log(struct domain *d, const char *fmt, ...)
{
}

void hvm_triple_fault(struct vcpu *w)
{
	triples++;
}

static void setup(void)
{
	fake_vcpu_reset();
	triples = 0;
}

static void pending_is(uint8_t type, uint8_t vector, bool has_error, uint32_t error, uint64_t cr2)
{
	MUST(pending->valid);
	MUST(pending->type == type && pending->vector == vector);
	MUST(pending->has_error == has_error && pending->error == error && pending->cr2 == cr2);
}

START_TEST(test_alone)
{
	hvm_raise(v, EXC_PF, true, 6, 0x1234000);
	pending_is(EVENT_EXCEPTION, EXC_PF, true, 6, 0x1234000);
	setup();
	ck_assert_int_eq(hvm_fault_gp(v), EXIT_FAULT);
	pending_is(EVENT_EXCEPTION, EXC_GP, true, 0, 0);
	setup();
	ck_assert_int_eq(hvm_fault_ud(v), EXIT_FAULT);
	pending_is(EVENT_EXCEPTION, EXC_UD, false, 0, 0);
	ck_assert_uint_eq(triples, 0);
}
END_TEST

/* A fault's handler finds RF in the saved flags, a trap's does not. */
START_TEST(test_resume_flag)
{
	static const uint8_t traps[] = { EXC_DB, EXC_BP, EXC_OF, EXC_DF, EXC_MC };

	for (unsigned int i = 0; i < ARRAY_SIZE(traps); i++) {
		setup();
		v->arch.regs.rflags = 2;
		hvm_raise(v, traps[i], traps[i] == EXC_DF, 0, 0);
		ck_assert_uint_eq(v->arch.regs.rflags, 2);
	}
	static const uint8_t faults[] = { EXC_DE, EXC_BR, EXC_UD, EXC_NM, EXC_TS, EXC_GP, EXC_PF, EXC_AC };
	for (unsigned int i = 0; i < ARRAY_SIZE(faults); i++) {
		setup();
		v->arch.regs.rflags = 2;
		hvm_raise(v, faults[i], faults[i] >= EXC_TS, 0, 0);
		ck_assert_uint_eq(v->arch.regs.rflags, 2 | RFLAGS_RF);
	}
}
END_TEST

START_TEST(test_step)
{
	fake_vcpu.sys.dr6 = 0xffff0ff1;
	hvm_raise_step(v);
	pending_is(EVENT_EXCEPTION, EXC_DB, false, 0, 0);
	ck_assert_uint_eq(fake_vcpu.sys.dr6, 0xffff4ff1);
	ck_assert_uint_eq(fake_vcpu.sys_which, SYS_DR);
	ck_assert_uint_eq(v->arch.regs.rflags & RFLAGS_RF, 0);
}
END_TEST

enum class { BENIGN, CONTRIBUTORY, PAGE_FAULT };

/* Intel SDM volume 3, "Interrupt and Exception Classes". */
static enum class class_of(unsigned int vector)
{
	switch (vector) {
	case 0:
	case 10:
	case 11:
	case 12:
	case 13:
		return CONTRIBUTORY;
	case 14:
		return PAGE_FAULT;
	default:
		return BENIGN;
	}
}

START_TEST(test_pairs)
{
	static const unsigned int vectors[] = { 0, 1, 3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 16, 17, 18, 19 };

	for (unsigned int i = 0; i < ARRAY_SIZE(vectors); i++) {
		for (unsigned int k = 0; k < ARRAY_SIZE(vectors); k++) {
			unsigned int first = vectors[i], second = vectors[k];
			enum class a = class_of(first), b = class_of(second);
			bool df = (a == CONTRIBUTORY && b == CONTRIBUTORY) || (a == PAGE_FAULT && b != BENIGN);
			setup();
			hvm_raise(v, (uint8_t)first, first == 13, 0x11, 0x1000);
			hvm_raise(v, (uint8_t)second, second == 14, 0x22, 0x2000);
			MUST(triples == 0);
			if (df) {
				pending_is(EVENT_EXCEPTION, EXC_DF, true, 0, 0);
			} else {
				pending_is(EVENT_EXCEPTION, (uint8_t)second, second == 14, 0x22, 0x2000);
			}
		}
	}
}
END_TEST

START_TEST(test_after_double_fault)
{
	for (unsigned int vector = 0; vector < 20; vector++) {
		if (vector == 2 || vector == 8 || vector == 9 || vector == 15) {
			continue;
		}
		setup();
		hvm_raise(v, EXC_DF, true, 0, 0);
		hvm_raise(v, (uint8_t)vector, false, 0, 0);
		MUST(triples == (class_of(vector) != BENIGN));
	}
	setup();
	hvm_raise(v, EXC_GP, true, 0, 0);
	hvm_raise(v, EXC_NP, true, 8, 0);
	hvm_raise(v, EXC_PF, true, 0, 0x1000);
	ck_assert_uint_eq(triples, 1);
}
END_TEST

/* A fault during the delivery of an interrupt is just that fault. */
START_TEST(test_after_interrupt)
{
	*pending = (struct vm_event){ .valid = true, .type = EVENT_EXTINT, .vector = 14 };
	hvm_raise(v, EXC_PF, true, 2, 0x1000);
	pending_is(EVENT_EXCEPTION, EXC_PF, true, 2, 0x1000);
	*pending = (struct vm_event){ .valid = true, .type = EVENT_NMI, .vector = 2 };
	hvm_raise(v, EXC_GP, true, 0, 0);
	pending_is(EVENT_EXCEPTION, EXC_GP, true, 0, 0);
	/* An event that was taken away is no first one. */
	*pending = (struct vm_event){ .valid = false, .type = EVENT_EXCEPTION, .vector = EXC_DF };
	hvm_raise(v, EXC_GP, true, 0, 0);
	pending_is(EVENT_EXCEPTION, EXC_GP, true, 0, 0);
	ck_assert_uint_eq(triples, 0);
}
END_TEST

START_TEST(test_requeue)
{
	static const struct {
		uint8_t type, vector;
		bool again;
	} row[] = {
		{ EVENT_EXTINT, 0xec, true }, { EVENT_NMI, 2, true }, { EVENT_EXCEPTION, EXC_PF, true },
		{ EVENT_EXCEPTION, EXC_DB, true }, { EVENT_EXCEPTION, EXC_DF, true },
		/* The guest executes these instructions again. */
		{ EVENT_SOFTINT, 0x80, false }, { EVENT_EXCEPTION, EXC_BP, false },
		{ EVENT_EXCEPTION, EXC_OF, false },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(row); i++) {
		setup();
		struct vm_event e = { .valid = true, .type = row[i].type, .vector = row[i].vector,
				      .has_error = row[i].vector == EXC_PF, .error = 5, .cr2 = 0x7000 };
		hvm_requeue(v, &e);
		ck_assert_int_eq(pending->valid, row[i].again);
		if (row[i].again) {
			pending_is(row[i].type, row[i].vector, row[i].vector == EXC_PF, 5, 0x7000);
		}
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_alone, test_pairs, test_after_double_fault, test_after_interrupt,
		test_requeue, test_resume_flag, test_step, NULL };

	return suite_run("hvm_inject", setup, tests);
}
