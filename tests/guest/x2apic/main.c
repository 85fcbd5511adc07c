/*
 * The local APIC in x2APIC mode: every register by MSR, whoever answers (the hypervisor, or the processor in its place),
 * what cannot be read or written, interrupts, and the way back. Manual: "Intel 64 and IA-32 Architectures Software
 * Developer's Manual", "Extended XAPIC (x2APIC)".
 */
#include "tests/guest/rt/rt.h"

#define MSR_APIC_BASE 0x1bu
#define BASE_X2APIC   0x400u
#define BASE_ENABLE   0x800u
#define MMIO_VERSION  0xfee00030u
#define MASKED        0x10000u

enum { ID = 0x802, VERSION, TPR = 0x808, PPR = 0x80a, EOI, LDR = 0x80d, SVR = 0x80f, ISR = 0x810, IRR = 0x820, ESR = 0x828,
       LVT_TIMER = 0x832, LVT_LINT0 = 0x835, LVT_ERROR = 0x837, INITIAL, CURRENT, DIVIDE = 0x83e, SELF = 0x83f };
enum { GP = 13, VECTOR = 0x51, OTHER = 0x91 };

static unsigned int faults, taken;
static uint8_t last;

static void on_fault(struct rt_frame *frame)
{
	faults++;
	frame->eip += 2;
}

static void on_irq(struct rt_frame *frame)
{
	last = (uint8_t)frame->vector;
	taken++;
	RT_CHECK(rdmsr(ISR + frame->vector / 32) >> frame->vector % 32 & 1);
	wrmsr(EOI, 0);
	RT_CHECK(!(rdmsr(ISR + frame->vector / 32) >> frame->vector % 32 & 1));
}

static void keeps(uint32_t msr, uint32_t value)
{
	wrmsr(msr, value);
	RT_CHECK(rdmsr(msr) == value);
	/* again, and nothing of it in another */
	RT_CHECK(rdmsr(msr) == value);
}

static void registers(uint32_t version)
{
	RT_CHECK(rdmsr(ID) == 0);
	RT_CHECK(rdmsr(VERSION) == version);
	RT_CHECK(rdmsr(LDR) == 1);
	keeps(SVR, 0x1ff);
	keeps(TPR, 0x35);
	RT_CHECK(rdmsr(PPR) == 0x35);
	keeps(TPR, 0);
	keeps(LVT_TIMER, MASKED | VECTOR);
	keeps(LVT_LINT0, MASKED | 0x700);
	keeps(LVT_ERROR, MASKED | 0xfe);
	keeps(DIVIDE, 0xb);
	keeps(DIVIDE, 0x3);
	keeps(INITIAL, 1000000000);
	RT_CHECK(rdmsr(CURRENT) <= 1000000000 && rdmsr(CURRENT) > 0);
	RT_CHECK(rdmsr(CURRENT) > rdmsr(CURRENT));
	keeps(INITIAL, 0);
	RT_CHECK(rdmsr(LVT_TIMER) == (MASKED | VECTOR));
	wrmsr(ESR, 0);
	RT_CHECK(rdmsr(ESR) == 0);
}

/* No such register, one that is read-only, one that is write-only, reserved bits. */
static void refused(void)
{
	static const struct {
		uint32_t msr;
		bool write;
		uint32_t value;
	} rows[] = {
		{ 0x804, false, 0 }, { EOI, false, 0 }, { SELF, false, 0 }, { ID, true, 1 }, { VERSION, true, 0 }, { LDR, true, 2 },
		{ PPR, true, 0 }, { TPR, true, 0x100 }, { EOI, true, 1 }, { CURRENT, true, 5 }, { ESR, true, 1 },
	};

	rt_set_handler(GP, on_fault);
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		faults = 0;
		if (rows[i].write) {
			wrmsr(rows[i].msr, rows[i].value);
		} else {
			(void)rdmsr(rows[i].msr);
		}
		if (faults != 1) {
			rt_printf("FAIL x2apic: %s of %x: %u faults\n", rows[i].write ? "write" : "read", rows[i].msr, faults);
			RT_CHECK(false);
		}
	}
	rt_set_handler(GP, NULL);
}

static void interrupts(void)
{
	rt_set_handler(VECTOR, on_irq);
	rt_set_handler(OTHER, on_irq);
	wrmsr(SELF, VECTOR);
	RT_CHECK(rdmsr(IRR + VECTOR / 32) >> VECTOR % 32 & 1);
	rt_irq_on();
	__asm__ volatile("nop");
	rt_irq_off();
	RT_CHECK(taken == 1 && last == VECTOR);
	/* held back by the priority, then not */
	wrmsr(TPR, 0x60);
	wrmsr(SELF, VECTOR);
	wrmsr(SELF, OTHER);
	rt_irq_on();
	__asm__ volatile("nop");
	rt_irq_off();
	RT_CHECK(taken == 2 && last == OTHER);
	rt_irq_on();
	wrmsr(TPR, 0);
	__asm__ volatile("nop");
	rt_irq_off();
	RT_CHECK(taken == 3 && last == VECTOR);
	wrmsr(LVT_TIMER, VECTOR);
	wrmsr(INITIAL, 20000);
	rt_wait_irq();
	RT_CHECK(taken == 4 && last == VECTOR);
	wrmsr(LVT_TIMER, MASKED);
}

int guest_main(const struct hvm_start_info *info)
{
	uint32_t version = mmio_read32(MMIO_VERSION), r[4];
	uint64_t base = rdmsr(MSR_APIC_BASE);

	(void)info;
	cpuid(1, 0, r);
	RT_CHECK(r[2] & 1u << 21);              /* x2APIC */
	wrmsr(MSR_APIC_BASE, base | BASE_X2APIC);
	RT_CHECK(rdmsr(MSR_APIC_BASE) == (base | BASE_X2APIC));
	registers(version);
	refused();
	interrupts();
	/* The way back goes through "disabled". */
	wrmsr(MSR_APIC_BASE, base & ~(uint64_t)(BASE_X2APIC | BASE_ENABLE));
	wrmsr(MSR_APIC_BASE, base);
	RT_CHECK(mmio_read32(MMIO_VERSION) == version);
	rt_set_handler(GP, on_fault);
	faults = 0;
	(void)rdmsr(VERSION);
	RT_CHECK(faults == 1);
	rt_puts("x2apic: OK\n");
	return 0;
}
