/* The 16550 serial line as a console: COM1 or COM2, 115200 8N1. */
#ifndef ARCH_CPU_UART_H
#define ARCH_CPU_UART_H

#include "core/console.h"

/* n: 1 or 2. NULL: no such port answers. */
const struct console_device *uart_init(unsigned int n);
/* First and last I/O port of the line in use; both 0: none. Dom0 must not have them. */
void uart_ports(unsigned int *first, unsigned int *last);

#endif
