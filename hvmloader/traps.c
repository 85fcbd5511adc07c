/*
 * Exceptions while the firmware runs.
 *
 * Owns: the interrupt descriptor table. Interrupts stay off; without this an exception would be a
 * triple fault, and nobody would know where. Manual: "Intel 64 and IA-32 Architectures Software
 * Developer's Manual", interrupt and exception handling.
 */
#include "hvmloader/traps.h"

#include "hvmloader/util.h"

#define EXCEPTIONS     32
#define STUB_SIZE      16
#define CODE_SELECTOR  0x08
#define GATE_PRESENT32 0x8e00u

/* Stack of a stub: pushed by pusha, by the stub, by the processor. */
struct frame {
	uint32_t edi, esi, ebp, esp, ebx, edx, ecx, eax;
	uint32_t vector, error, eip, cs, eflags;
};

extern const uint8_t trap_stubs[];
void traps_fatal(const struct frame *frame);

static uint64_t table[EXCEPTIONS];

void traps_init(void)
{
	struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) pointer = { sizeof(table) - 1, (uint32_t)table };

	for (uint32_t i = 0; i < EXCEPTIONS; i++) {
		uint32_t stub = (uint32_t)trap_stubs + i * STUB_SIZE;

		table[i] = (uint64_t)((stub & 0xffff0000) | GATE_PRESENT32) << 32 |
			   CODE_SELECTOR << 16 | (stub & 0xffff);
	}
	__asm__ volatile("lidt %0" : : "m"(pointer));
}

/* From head.S. */
void traps_fatal(const struct frame *f)
{
	uint32_t cr2;

	__asm__ volatile("mov %%cr2, %0" : "=r"(cr2));
	print("eax %08x ebx %08x ecx %08x edx %08x\n", f->eax, f->ebx, f->ecx, f->edx);
	print("esi %08x edi %08x ebp %08x esp %08x cr2 %08x\n", f->esi, f->edi, f->ebp,
	      (uint32_t)(f + 1), cr2);
	fatal("exception %u, error code %x, at %08x", f->vector, f->error, f->eip);
}
