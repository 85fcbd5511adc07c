/*
 * VGA text console (80x25 at B8000h) and the debug port E9h of emulators. The VGA one is given up with
 * console_remove("vga") when Dom0 takes the screen. Lock: the console's.
 */
#include "arch/cpu/vga.h"
#include "arch/hw.h"
#include "arch/layout.h"
#include "lib/mem.h"

#define COLUMNS 80u
#define ROWS    25u
#define BLANK   0x0720
#define GREY    0x0700

static uint16_t *const screen = (uint16_t *)(DIRECT_VIRT + 0xb8000);
static unsigned int row, column;        /* [console lock] */

static void new_line(void)
{
	column = 0;
	if (++row < ROWS) {
		return;
	}
	row = ROWS - 1;
	memmove(screen, screen + COLUMNS, (ROWS - 1) * COLUMNS * sizeof(*screen));
	for (unsigned int i = 0; i < COLUMNS; i++) {
		screen[row * COLUMNS + i] = BLANK;
	}
}

static void vga_put(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n') {
			new_line();
		} else if (text[i] >= ' ') {
			if (column == COLUMNS) {
				new_line();
			}
			screen[row * COLUMNS + column++] = (uint16_t)(GREY | (uint8_t)text[i]);
		}
	}
}

static const struct console_device vga = { .name = "vga", .put = vga_put };

const struct console_device *vga_init(void)
{
	/* CRT controller in colour mode and memory that holds what is written: text mode, very likely. */
	uint16_t old = screen[0];

	screen[0] = 0x0741;
	if (screen[0] != 0x0741) {
		return NULL;
	}
	screen[0] = old;
	for (unsigned int i = 0; i < ROWS * COLUMNS; i++) {
		screen[i] = BLANK;
	}
	row = column = 0;
	return &vga;
}

static void e9_put(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		hw_out8(0xe9, (uint8_t)text[i]);
	}
}

static const struct console_device e9 = { .name = "e9", .put = e9_put };

const struct console_device *e9_init(void)
{
	/* The port reads as its own number where it exists. */
	return hw_in8(0xe9) == 0xe9 ? &e9 : NULL;
}
