/*
 * Keeps a device model busy: reads and writes a port and a device memory page that it claims, for ever, and says now
 * and then how many accesses were done. Without the command line "on" it makes a few accesses and powers off.
 *
 * What the device model answers is its own affair: nothing is checked but that the guest goes on.
 */
#include "tests/guest/rt/rt.h"

#define PORT   0x5000u
#define DEVICE 0xf1000000u
#define REPORT 256

static void poke(uint32_t i)
{
	uint8_t *text = (uint8_t *)0x400000;
	uint32_t at = (uint32_t)(uintptr_t)text, to = DEVICE, count = 8;

	(void)inl(PORT);
	outw(PORT + 4, (uint16_t)i);
	(void)mmio_read32(DEVICE + (i & 0xffc));
	mmio_write32(DEVICE + (i & 0xffc), i);
	__asm__ volatile("rep insb" : "+D"(at), "+c"(count) : "d"(PORT) : "memory");
	at = (uint32_t)(uintptr_t)text;
	count = 8;
	__asm__ volatile("rep movsl" : "+S"(at), "+D"(to), "+c"(count) : : "memory");
	/* The clock chip's time of day: a change is told to device models through the buffered ring. */
	outb(0x70, 0);
	outb(0x71, (uint8_t)(i % 60));
}

int guest_main(const struct hvm_start_info *info)
{
	const char *line = (const char *)(uintptr_t)info->cmdline_paddr;
	bool forever = line != NULL && strcmp(line, "on") == 0;

	for (uint32_t i = 1; forever || i <= 16; i++) {
		poke(i);
		if (i % REPORT == 0) {
			rt_printf("poke: %u\n", i);
		}
	}
	rt_puts("poke: OK\n");
	return 0;
}
