/*
 * The console: the ring of all output, the devices, and who gets what is typed.
 *
 * Ctrl-A three times moves input between Dom0 and the hypervisor's keys.
 * Lock: LOCK_CONSOLE (interrupt-safe) for ring and devices; input is touched by its poller and Dom0's reader
 * through a single-producer ring.
 */
#include "core/console.h"
#include "core/keyhandler.h"
#include "core/log.h"
#include "core/spinlock.h"
#include "lib/atomic.h"
#include "lib/mem.h"
#include "lib/ring.h"

#define CONSOLE_RING_SIZE (128u << 10)  /* power of two */
#define INPUT_SIZE        1024u         /* power of two */
#define SWITCH_KEY        0x01          /* Ctrl-A */
#define SWITCH_COUNT      3

void (*console_input_hook)(void);

static struct spinlock lock = SPINLOCK_INIT(LOCK_CONSOLE);
static char text_ring[CONSOLE_RING_SIZE];       /* [lock] */
static uint32_t text_end;                       /* [lock] running count of bytes */
static uint32_t text_start;                     /* [lock] oldest byte kept */
static const struct console_device *devices[CONSOLE_DEVICES_MAX]; /* [lock] */
static bool forced;                             /* set once, by panic */

static uint8_t input_bytes[INPUT_SIZE];
static struct ring input = RING_INIT(input_bytes, INPUT_SIZE);
static bool input_to_keys;                      /* [poller] */
static unsigned int switch_presses;             /* [poller] */

void console_force(void)
{
	forced = true;
}

static uint64_t console_lock(void)
{
	return forced ? 0 : spin_lock_irqsave(&lock);
}

static void console_unlock(uint64_t flags)
{
	if (!forced) {
		spin_unlock_irqrestore(&lock, flags);
	}
}

static void ring_add(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		text_ring[text_end++ % CONSOLE_RING_SIZE] = text[i];
	}
	if (text_end - text_start > CONSOLE_RING_SIZE) {
		text_start = text_end - CONSOLE_RING_SIZE;
	}
}

void console_write(const char *text, size_t len)
{
	uint64_t flags = console_lock();

	ring_add(text, len);
	for (unsigned int i = 0; i < CONSOLE_DEVICES_MAX; i++) {
		if (devices[i]) {
			devices[i]->put(text, len);
		}
	}
	console_unlock(flags);
}

/* A device that comes later is told what was said before. */
void console_add(const struct console_device *dev)
{
	uint64_t flags = console_lock();

	for (unsigned int i = 0; i < CONSOLE_DEVICES_MAX; i++) {
		if (!devices[i]) {
			devices[i] = dev;
			if (text_end <= CONSOLE_RING_SIZE) {
				dev->put(text_ring, text_end);
			}
			break;
		}
	}
	console_unlock(flags);
}

void console_remove(const char *name)
{
	uint64_t flags = console_lock();

	for (unsigned int i = 0; i < CONSOLE_DEVICES_MAX; i++) {
		if (devices[i] && strcmp(devices[i]->name, name) == 0) {
			devices[i] = NULL;
		}
	}
	console_unlock(flags);
}

size_t console_ring_read(char *buf, size_t size, uint32_t *index)
{
	uint64_t flags = console_lock();
	uint32_t pos = *index;
	size_t n;

	if (text_end - pos > text_end - text_start) {
		pos = text_start;
	}
	for (n = 0; n < size && pos != text_end; n++, pos++) {
		buf[n] = text_ring[pos % CONSOLE_RING_SIZE];
	}
	*index = pos;
	console_unlock(flags);
	return n;
}

void console_ring_clear(void)
{
	uint64_t flags = console_lock();

	text_start = text_end;
	console_unlock(flags);
}

bool console_has_input(void)
{
	for (unsigned int i = 0; i < CONSOLE_DEVICES_MAX; i++) {
		if (devices[i] && devices[i]->get) {
			return true;
		}
	}
	return false;
}

static void switch_input(void)
{
	input_to_keys = !input_to_keys;
	switch_presses = 0;
	log_info("console input goes to %s", input_to_keys ? "the hypervisor ('?' for help)" : "Dom0");
}

/* True when the byte was taken by the switch sequence or the hypervisor's keys. */
static bool input_taken(uint8_t byte)
{
	switch_presses = byte == SWITCH_KEY ? switch_presses + 1 : 0;
	if (switch_presses == SWITCH_COUNT) {
		switch_input();
		return true;
	}
	if (input_to_keys && byte != SWITCH_KEY) {
		keyhandler_press((char)byte);
	}
	return input_to_keys;
}

void console_poll(void)
{
	bool got = false;

	for (unsigned int i = 0; i < CONSOLE_DEVICES_MAX; i++) {
		const struct console_device *dev = devices[i];
		int c;

		while (dev && dev->get && (c = dev->get()) >= 0) {
			if (!input_taken((uint8_t)c)) {
				got |= ring_put(&input, (uint8_t)c);
			}
		}
	}
	if (got && console_input_hook) {
		console_input_hook();
	}
}

size_t console_read(char *buf, size_t size)
{
	size_t n = 0;
	uint8_t c;

	while (n < size && ring_get(&input, &c)) {
		buf[n++] = (char)c;
	}
	return n;
}
