/*
 * The end of the machine's run: stop the other CPUs, reset, power off. (ACPI Specification, "Reset Register" and "PM1
 * Control Registers".) Everything is tried in turn; nothing here may fail loudly.
 */
#include "arch/acpi.h"
#include "arch/cpu/lapic.h"
#include "arch/hw.h"
#include "arch/machine.h"
#include "core/page_alloc.h"
#include "lib/atomic.h"
#include "lib/util.h"

#define SLEEP_ENABLE     BIT(13)
#define SPACE_MEMORY     0
#define SPACE_IO         1
#define KEYBOARD_PORT    0x64
#define KEYBOARD_RESET   0xfe
#define RESET_PORT       0xcf9

static bool stopping;

bool machine_stopping(void)
{
	return READ_ONCE(stopping);
}

/* Some time, whatever state the clock is in. */
static void wait_a_little(unsigned int turns)
{
	for (unsigned int i = 0; i < turns; i++) {
		hw_in8(0x80);
	}
}

void machine_stop_others(void)
{
	WRITE_ONCE(stopping, true);
	fence_full();
	lapic_send_others(LAPIC_ICR_NMI | LAPIC_ICR_ASSERT);
	wait_a_little(2000);
}

static void reset_by_acpi(void)
{
	if (!acpi_info.reset_addr) {
		return;
	}
	if (acpi_info.reset_space == SPACE_IO) {
		hw_out8((uint16_t)acpi_info.reset_addr, acpi_info.reset_value);
	} else if (acpi_info.reset_space == SPACE_MEMORY && acpi_info.reset_addr < 4ull << 30) {
		*(volatile uint8_t *)hpa_virt(HPA(acpi_info.reset_addr)) = acpi_info.reset_value;
	}
	wait_a_little(50000);
}

_Noreturn void machine_reset_or_stop(bool halt)
{
	static const struct hw_table none;

	hw_irq_disable();
	if (halt) {
		hw_stop();
	}
	reset_by_acpi();
	hw_out8(RESET_PORT, 2);
	hw_out8(RESET_PORT, 6);
	wait_a_little(50000);
	hw_out8(KEYBOARD_PORT, KEYBOARD_RESET);
	wait_a_little(50000);
	/* An exception without an interrupt table shuts the processor down. */
	hw_lidt(&none);
	__builtin_trap();
}

void machine_power_off(uint8_t sleep_type)
{
	if (acpi_info.pm1a_cnt_port) {
		hw_out16(acpi_info.pm1a_cnt_port, (uint16_t)((sleep_type & 7) << 10 | SLEEP_ENABLE));
		wait_a_little(50000);
	}
}
