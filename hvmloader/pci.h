/*
 * PCI bus 0: find functions, size base address registers, place them, switch decoding on. Pure:
 * configuration space is reached through a callback table.
 */
#ifndef HVMLOADER_PCI_H
#define HVMLOADER_PCI_H

#include <stdbool.h>
#include <stdint.h>

#define PCI_MAX_FUNCTIONS 256
#define PCI_MAX_BARS      512

/* Configuration space of bus 0; size is 1, 2 or 4 and reg is aligned to it. */
struct pci_ops {
	uint32_t (*read)(void *ctx, uint8_t devfn, uint8_t reg, unsigned int size);
	void (*write)(void *ctx, uint8_t devfn, uint8_t reg, unsigned int size, uint32_t value);
	void *ctx;
};

struct pci_function {
	uint8_t devfn;
	uint16_t vendor, device, class;
	uint16_t command; /* the command register, decoding off */
	uint8_t pin;      /* 0: none, 1..4: INTA..INTD */
	uint8_t irq;      /* ISA interrupt written to the interrupt line register, 0: none */
	bool decode_io, decode_mem; /* has something placed to decode */
};

enum pci_bar_kind { PCI_BAR_IO, PCI_BAR_MEM, PCI_BAR_MEM64, PCI_BAR_ROM };

struct pci_bar {
	uint64_t size;
	uint64_t base;    /* 0: not placed */
	uint16_t function; /* index into pci_bus.function */
	uint8_t reg;
	uint8_t kind;     /* enum pci_bar_kind */
	bool high;        /* goes above 4 GiB */
};

struct pci_limits {
	uint64_t low_ram_end, high_ram_end; /* before any RAM is moved */
	bool allow_relocate;                /* RAM below 4 GiB may move to make room */
	uint64_t hole_size;                 /* the toolstack's wish, 0: none */
	uint64_t address_limit;             /* first address the processor cannot reach */
};

struct pci_bus {
	unsigned int functions, bars;
	struct pci_function function[PCI_MAX_FUNCTIONS];
	struct pci_bar bar[PCI_MAX_BARS]; /* after pci_place(): by descending size */
	/* Results of pci_place(). */
	uint32_t mem_start;               /* the window is [mem_start, LAYOUT_PCI_END) */
	uint64_t high_start, high_end;    /* window above 4 GiB; equal: none */
	uint64_t move_ram;                /* bytes of low RAM above mem_start that must move */
	unsigned int unplaced;            /* base address registers for which there is no room */
};

/*
 * Find all functions of bus 0, switch their decoding off, apply what the chipset functions need,
 * route their interrupts and size their base address registers.
 */
void pci_scan(struct pci_bus *bus, const struct pci_ops *ops);

/* Decide all addresses; touches no device. */
void pci_place(struct pci_bus *bus, const struct pci_limits *limits);

/* Write addresses and switch decoding on. */
void pci_commit(struct pci_bus *bus, const struct pci_ops *ops);

/* The PCI link (0..3, LNKA..LNKD) of a function's interrupt pin (1..4). */
unsigned int pci_link(uint8_t devfn, uint8_t pin);

#endif
