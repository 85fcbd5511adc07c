/*
 * Chips of the virtual PC that firmware programs.
 *
 * Owns: ports CF8h/CFCh, ELCR, CMOS memory sizes, the ACPI mode switch, APIC start values.
 * One CPU. Manuals: "82093AA I/O Advanced Programmable Interrupt Controller (IOAPIC)", "82371AB
 * PCI-TO-ISA / IDE XCELERATOR (PIIX4)", "MC146818A Real-Time Clock plus RAM".
 */
#include "hvmloader/platform.h"

#include "hvmloader/layout.h"
#include "hvmloader/util.h"

#define PCI_ADDRESS     0xcf8
#define PCI_DATA        0xcfc
#define PCI_ENABLE      0x80000000u

enum { LAPIC_SPIV = 0x0f0, LAPIC_LVT0 = 0x350, LAPIC_LVT1 = 0x360 };
enum { IOAPIC_REG_ID = 0x00, IOAPIC_REG_PIN0 = 0x10, IOAPIC_WINDOW = 0x10 };
#define SPIV_ENABLE     0x1ffu
#define LVT_EXTINT      0x700u
#define LVT_NMI         0x400u
#define LVT_MASKED      0x10000u

#define SCI_ENABLED     1u
#define SMI_ACPI_ON     0xf1
#define SCI_TRIES       1000

enum {
	CMOS_BASE_LOW = 0x15, CMOS_EXT_LOW = 0x17, CMOS_EXT2_LOW = 0x30, CMOS_BIG_LOW = 0x34,
	CMOS_ABOVE_4G = 0x5b
};
#define BASE_KIB        640u
#define MIB1            0x100000ull
#define MIB16           0x1000000ull

enum { UART_IER = 1, UART_SCRATCH = 7 };

static uint32_t pci_selected; /* what the address register holds; 0: unknown */

/*
 * Select a register and return the data port of it. The device model is far away: the address
 * register is not written again when it already says so.
 */
static uint16_t config_select(uint8_t devfn, uint8_t reg)
{
	uint32_t address = PCI_ENABLE | (uint32_t)devfn << 8 | (reg & 0xfcu);

	if (address != pci_selected) {
		outl(PCI_ADDRESS, address);
		pci_selected = address;
	}
	return (uint16_t)(PCI_DATA + (reg & 3));
}

static uint32_t config_read(void *ctx, uint8_t devfn, uint8_t reg, unsigned int size)
{
	uint16_t port = config_select(devfn, reg);

	(void)ctx;
	switch (size) {
	case 1:
		return inb(port);
	case 2:
		return inw(port);
	default:
		return inl(port);
	}
}

static void config_write(void *ctx, uint8_t devfn, uint8_t reg, unsigned int size, uint32_t value)
{
	uint16_t port = config_select(devfn, reg);

	(void)ctx;
	switch (size) {
	case 1:
		outb(port, (uint8_t)value);
		break;
	case 2:
		outw(port, (uint16_t)value);
		break;
	default:
		outl(port, value);
		break;
	}
}

const struct pci_ops platform_pci = { config_read, config_write, NULL };

static void ioapic_write(uint32_t reg, uint32_t value)
{
	mmio_write32(LAYOUT_IOAPIC, reg);
	mmio_write32(LAYOUT_IOAPIC + IOAPIC_WINDOW, value);
}

void platform_init_interrupts(void)
{
	/* The 8259 pair reaches CPU 0 through pin 0 of the I/O APIC. */
	ioapic_write(IOAPIC_REG_ID, (uint32_t)IOAPIC_ID << 24);
	ioapic_write(IOAPIC_REG_PIN0 + 1, 0);
	ioapic_write(IOAPIC_REG_PIN0, LVT_EXTINT);
	mmio_write32(LAYOUT_LAPIC + LAPIC_SPIV, SPIV_ENABLE);
	mmio_write32(LAYOUT_LAPIC + LAPIC_LVT0, LVT_EXTINT | LVT_MASKED);
	mmio_write32(LAYOUT_LAPIC + LAPIC_LVT1, LVT_NMI);
	/* The interrupts of PCI links are level-triggered. */
	outb(PORT_ELCR, PCI_ISA_MASK & 0xff);
	outb(PORT_ELCR + 1, PCI_ISA_MASK >> 8);
}

static void cmos_write16(uint8_t index, uint32_t value)
{
	outb(PORT_CMOS, index);
	outb(PORT_CMOS + 1, (uint8_t)value);
	outb(PORT_CMOS, (uint8_t)(index + 1));
	outb(PORT_CMOS + 1, (uint8_t)(value >> 8));
}

static uint32_t at_most(uint64_t value, uint32_t limit)
{
	return value > limit ? limit : (uint32_t)value;
}

void platform_write_cmos(uint64_t low_end, uint64_t high_end)
{
	uint32_t extended = low_end > MIB1 ? at_most((low_end - MIB1) >> 10, 0xffff) : 0;
	uint32_t big = low_end > MIB16 ? at_most((low_end - MIB16) >> 16, 0xffff) : 0;
	uint32_t above = high_end > GIB4 ? at_most((high_end - GIB4) >> 16, 0xffffff) : 0;

	cmos_write16(CMOS_BASE_LOW, BASE_KIB);
	cmos_write16(CMOS_EXT_LOW, extended);
	cmos_write16(CMOS_EXT2_LOW, extended);
	cmos_write16(CMOS_BIG_LOW, big);
	cmos_write16(CMOS_ABOVE_4G, above);
	outb(PORT_CMOS, CMOS_ABOVE_4G + 2);
	outb(PORT_CMOS + 1, (uint8_t)(above >> 16));
}

bool platform_enable_acpi(void)
{
	if (inw(PORT_PM1A_CNT) & SCI_ENABLED) {
		return true;
	}
	outb(PORT_SMI_CMD, SMI_ACPI_ON);
	for (unsigned int i = 0; i < SCI_TRIES; i++) {
		if (inw(PORT_PM1A_CNT) & SCI_ENABLED) {
			return true;
		}
		cpu_relax();
	}
	return false;
}

bool platform_has_uart(uint16_t base)
{
	uint8_t scratch = inb((uint16_t)(base + UART_SCRATCH));
	bool found;

	outb((uint16_t)(base + UART_SCRATCH), 0x5a);
	found = inb((uint16_t)(base + UART_SCRATCH)) == 0x5a &&
		(inb((uint16_t)(base + UART_IER)) & 0xf0) == 0;
	outb((uint16_t)(base + UART_SCRATCH), scratch);
	return found;
}

bool platform_has_parallel(uint16_t base)
{
	uint8_t data = inb(base);
	bool found;

	outb(base, 0xa5);
	found = inb(base) == 0xa5;
	outb(base, data);
	return found;
}

uint32_t platform_hpet_id(void)
{
	uint32_t id = mmio_read32(LAYOUT_HPET);

	return id >> 16 == 0x8086 ? id : 0;
}
