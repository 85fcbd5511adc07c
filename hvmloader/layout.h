/*
 * Every fixed guest-physical address and I/O port of the guest machine, in one table.
 *
 * Pure: constants only. The toolstack, the hypervisor and QEMU rely on these; most cannot be moved.
 */
#ifndef HVMLOADER_LAYOUT_H
#define HVMLOADER_LAYOUT_H

#define PAGE_SIZE  0x1000
#define PAGE_SHIFT 12
#define GIB4       0x100000000ull

/* Low memory. */
#define LAYOUT_TRAMPOLINE     0x00001000 /* start-up code of secondary CPUs, then: */
#define LAYOUT_SEABIOS_INFO   0x00001000 /* hand-over block that SeaBIOS looks for */
#define LAYOUT_HANDOVER       0x00002000 /* 16-bit code of the hand-over */
#define LAYOUT_SCRATCH        0x00010000 /* small tables that SeaBIOS copies from */
#define LAYOUT_SCRATCH_END    0x00020000
#define LAYOUT_HYPERCALL_PAGE 0x00080000
#define LAYOUT_HVM_INFO       0x0009f800 /* written by the toolstack */
#define LAYOUT_LOW_END        0x000a0000
#define LAYOUT_BIOS_LOWEST    0x000c0000
#define LAYOUT_BIOS_END       0x00100000
#define LAYOUT_FIRMWARE       0x00100000 /* this program */

/* Below 4 GiB. */
#define LAYOUT_PCI_START      0xf0000000 /* PCI window before it is grown */
#define LAYOUT_PCI_LOWEST     0x80000000
#define LAYOUT_PCI_END        0xfc000000
#define LAYOUT_ACPI_INFO      0xfc000000 /* the DSDT reads this page */
#define LAYOUT_ACPI           0xfc001000
#define LAYOUT_ACPI_END       0xfc100000
#define LAYOUT_RESERVED       0xfc100000 /* our own additions, allocated upwards ... */
#define LAYOUT_RESERVED_END   0xfe000000 /* ... and downwards without memory behind them */
#define LAYOUT_IOAPIC         0xfec00000
#define LAYOUT_HPET           0xfed00000
#define LAYOUT_LAPIC          0xfee00000

#define IOAPIC_ID      1
#define IOAPIC_VERSION 0x20

/* Ports. */
#define PORT_DEBUG      0xe9
#define PORT_ELCR       0x4d0
#define PORT_CMOS       0x70
#define PORT_SMI_CMD    0xb2
#define PORT_PM_BASE    0xb000
#define PORT_PM1A_EVT   0xb000
#define PORT_PM1A_CNT   0xb004
#define PORT_PM_TMR     0xb008
#define PORT_GPE0       0xafe0
#define PORT_PCI_FIRST  0xc000
#define PORT_PCI_END    0x10000

/* ACPI interrupt, and the ISA interrupts of the four PCI links. */
#define SCI_IRQ        9
#define PCI_LINK_IRQS  { 5, 10, 11, 5 }
#define PCI_ISA_MASK   0x0c20

/* Local APIC of virtual CPU i, where the hypervisor's CPUID does not say otherwise (topology.h). */
#define LAYOUT_APIC_ID(i) ((i) * 2u)

#endif
