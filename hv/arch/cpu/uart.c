/*
 * 16550 console. One line is used at a time. Output is polled with a limit, so a line whose other end is
 * gone cannot stop the hypervisor. (National Semiconductor, PC16550D data sheet, "Registers".)
 * Lock: the console's.
 */
#include "arch/cpu/uart.h"
#include "arch/hw.h"
#include "lib/util.h"

enum { UART_DATA, UART_IER, UART_FCR, UART_LCR, UART_MCR, UART_LSR, UART_MSR, UART_SCRATCH };

#define LCR_8N1       0x03
#define LCR_DIVISOR   0x80
#define FCR_ON        0xc7              /* FIFOs on and cleared, trigger at 14 */
#define MCR_DTR_RTS   0x03
#define LSR_DATA      0x01
#define LSR_TX_EMPTY  0x20
#define TX_TRIES      20000
#define TX_FIFO       16

static uint16_t base;                   /* 0: none; const after init */
static unsigned int stuck;              /* [console lock] bytes given up in a row */

static bool tx_ready(void)
{
	for (unsigned int i = 0; i < TX_TRIES; i++) {
		if (hw_in8(base + UART_LSR) & LSR_TX_EMPTY) {
			return true;
		}
		hw_pause();
	}
	return false;
}

static void put_byte(uint8_t byte)
{
	/* After some lost bytes the line is tried only once in a while. */
	if (stuck > TX_FIFO && stuck++ % 1024) {
		return;
	}
	if (!tx_ready()) {
		stuck++;
		return;
	}
	stuck = 0;
	hw_out8(base + UART_DATA, byte);
}

static void uart_put(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n') {
			put_byte('\r');
		}
		put_byte((uint8_t)text[i]);
	}
}

static int uart_get(void)
{
	uint8_t lsr = hw_in8(base + UART_LSR);

	return lsr != 0xff && (lsr & LSR_DATA) ? hw_in8(base + UART_DATA) : -1;
}

static const struct console_device uart = { .name = "com", .put = uart_put, .get = uart_get };

const struct console_device *uart_init(unsigned int n)
{
	static const uint16_t ports[] = { 0, 0x3f8, 0x2f8 };
	uint16_t port = n < ARRAY_SIZE(ports) ? ports[n] : 0;

	if (!port) {
		return NULL;
	}
	hw_out8(port + UART_SCRATCH, 0x5a);
	if (hw_in8(port + UART_SCRATCH) != 0x5a) {
		return NULL;
	}
	hw_out8(port + UART_IER, 0);
	hw_out8(port + UART_LCR, LCR_DIVISOR);
	hw_out8(port + UART_DATA, 1);
	hw_out8(port + UART_IER, 0);
	hw_out8(port + UART_LCR, LCR_8N1);
	hw_out8(port + UART_FCR, FCR_ON);
	hw_out8(port + UART_MCR, MCR_DTR_RTS);
	base = port;
	return &uart;
}

void uart_ports(unsigned int *first, unsigned int *last)
{
	*first = base;
	*last = base ? base + 7u : 0;
}
