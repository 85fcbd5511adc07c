/*
 * The console: a ring of everything written, output devices, and input from the serial line.
 *
 * Output devices register once at start-up. The declarations that others use are in log.h.
 * Lock: LOCK_CONSOLE inside; in a panic it is ignored.
 */
#ifndef CORE_CONSOLE_H
#define CORE_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

struct console_device {
	const char *name;
	/* Called with the console lock, interrupts off. */
	void (*put)(const char *text, size_t len);
	/* Next byte typed, or -1. NULL: no input. */
	int (*get)(void);
};

#define CONSOLE_DEVICES_MAX 4

void console_add(const struct console_device *dev);
/* Stop using a device (Dom0 takes it over). Unknown names are ignored. */
void console_remove(const char *name);
/* Fetch what was typed; called from deferred work every console_poll_ms. */
void console_poll(void);
bool console_has_input(void);
/* From now on no lock is taken: the last words of a dying hypervisor. */
void console_force(void);

#endif
