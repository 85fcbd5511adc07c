/*
 * L7: start-up. The only place that knows the order.
 */
#include "core/console.h"
#include "core/log.h"
#include "arch/hw.h"
#include "arch/cpu/uart.h"
#include "arch/cpu/vga.h"

/* Up-call of arch/boot/head.S: the loader's magic number and the physical address of its information. */
_Noreturn void hv_start(uint32_t magic, uint32_t info);

static void console_start(void)
{
	const struct console_device *devices[] = { uart_init(1), vga_init(), e9_init() };

	for (unsigned int i = 0; i < ARRAY_SIZE(devices); i++) {
		if (devices[i]) {
			console_add(devices[i]);
		}
	}
}

void hv_start(uint32_t magic, uint32_t info)
{
	console_start();
	log_info("Ostler %s (%s), loader %x", OSTLER_VERSION, __VERSION__, magic);
	hw_stop();
}
