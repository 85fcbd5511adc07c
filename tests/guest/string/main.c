/*
 * String port I/O and repeated moves on device memory: direction, count, page crossing, register
 * results. Needs only chips of the hypervisor: CMOS register D, the local APIC.
 */
#include "tests/guest/rt/rt.h"

#define REG_D      0x0d
#define VALID      0x80
#define PAGE       4096u
#define LAPIC_DFR  0xfee000e0
#define LAPIC_TPR  0xfee00080

static uint8_t buffer[3 * PAGE] __attribute__((aligned(4096)));

static void ins_forward(uint32_t offset, uint32_t count)
{
	uint8_t *to = buffer + offset;
	uint32_t left = count;

	memset(buffer, 0, sizeof(buffer));
	outb(0x70, REG_D);
	__asm__ volatile("rep insb" : "+D"(to), "+c"(left) : "d"(0x71) : "memory");
	RT_CHECK(left == 0);
	RT_CHECK(to == buffer + offset + count);
	for (uint32_t i = 0; i < sizeof(buffer); i++) {
		RT_CHECK(buffer[i] == (i >= offset && i < offset + count ? VALID : 0));
	}
}

static void ins_backward(void)
{
	uint8_t *to = buffer + PAGE + 2;
	uint32_t left = 8;

	memset(buffer, 0, sizeof(buffer));
	outb(0x70, REG_D);
	__asm__ volatile("std; rep insb; cld" : "+D"(to), "+c"(left) : "d"(0x71) : "memory");
	RT_CHECK(left == 0);
	RT_CHECK(to == buffer + PAGE + 2 - 8);
	for (uint32_t i = 0; i < sizeof(buffer); i++) {
		RT_CHECK(buffer[i] == (i > PAGE + 2 - 8 && i <= PAGE + 2 ? VALID : 0));
	}
}

/* A count of 0 does nothing, and no access is made. */
static void ins_none(void)
{
	uint8_t *to = buffer;
	uint32_t left = 0;

	buffer[0] = 0x11;
	__asm__ volatile("rep insb" : "+D"(to), "+c"(left) : "d"(0x71) : "memory");
	RT_CHECK(to == buffer && left == 0 && buffer[0] == 0x11);
}

/* Text goes out as a string too: one line that the harness could read. */
static void outs(void)
{
	const char *text = "string: written by rep outsb\n", *from = text;
	uint32_t left = (uint32_t)strlen(text);

	__asm__ volatile("rep outsb" : "+S"(from), "+c"(left) : "d"(0xe9) : "memory");
	RT_CHECK(left == 0 && from == text + strlen(text));
}

/* Every form of access to device memory that drivers use. */
static void device_memory(void)
{
	uint32_t value = 0x40, sum;
	void *from = &value, *to = (void *)LAPIC_TPR;

	__asm__ volatile("movsl" : "+S"(from), "+D"(to) : : "memory");
	RT_CHECK(mmio_read32(LAPIC_TPR) == 0x40);
	__asm__ volatile("movl $0x30, (%0)" : : "r"(LAPIC_TPR) : "memory");
	__asm__ volatile("orl $0x05, (%0)" : : "r"(LAPIC_TPR) : "memory", "cc");
	RT_CHECK(mmio_read32(LAPIC_TPR) == 0x35);
	__asm__ volatile("addl (%1), %0" : "=r"(sum) : "r"(LAPIC_TPR), "0"(1) : "memory", "cc");
	RT_CHECK(sum == 0x36);
	__asm__ volatile("xchgl %0, (%1)" : "+r"(value) : "r"(LAPIC_TPR) : "memory");
	RT_CHECK(value == 0x35 && mmio_read32(LAPIC_TPR) == 0x40);
	__asm__ volatile("movzbl (%1), %0" : "=r"(sum) : "r"(LAPIC_TPR) : "memory");
	RT_CHECK(sum == 0x40);
	__asm__ volatile("push (%1); pop %0" : "=r"(sum) : "r"(LAPIC_TPR) : "memory");
	RT_CHECK(sum == 0x40);
	__asm__ volatile("testl $0x40, (%1); setnz %b0" : "=q"(sum) : "r"(LAPIC_TPR) : "memory", "cc");
	RT_CHECK((sum & 0xff) == 1);
	mmio_write32(LAPIC_TPR, 0);
	RT_CHECK(mmio_read32(LAPIC_DFR) == 0xffffffff);
}

int guest_main(const struct hvm_start_info *info)
{
	(void)info;
	ins_forward(0, 1);
	ins_forward(PAGE - 3, 8);
	ins_forward(10, 2 * PAGE);
	ins_backward();
	ins_none();
	outs();
	device_memory();
	rt_puts("string: OK\n");
	return 0;
}
