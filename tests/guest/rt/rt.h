/*
 * Runtime of the micro-guests: text on port E9h, hypercalls, ports, time stamps, power-off.
 *
 * A micro-guest is one C file with guest_main(); it runs on virtual CPU 0 in 32-bit protected mode
 * without paging and with interrupts off, wherever a boot loader image of the firmware's kind is
 * accepted. What it prints is its result: the harness looks for lines. rt_start() calls
 * guest_main() after the hypercall page is set up and powers the machine off when it returns.
 */
#ifndef GUEST_RT_H
#define GUEST_RT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xen/xen.h>
#include <xen/arch-x86/hvm/start_info.h>

#include "hvmloader/cpu.h"
#include "hvmloader/mem.h"
#include "hvmloader/text.h"

/* The guest's own part. A result other than 0 is reported as a failure and crashes the domain. */
int guest_main(const struct hvm_start_info *info);

/* Text; conversions as text_format(). */
static inline void rt_putc(char c)
{
	text_char(c);
}

static inline void rt_puts(const char *text)
{
	text_string(text);
}

__attribute__((format(printf, 1, 2))) void rt_printf(const char *format, ...);

/* End the domain with a SHUTDOWN_* reason of <xen/sched.h>; does not return. */
_Noreturn void rt_shutdown(unsigned int reason);
_Noreturn void rt_poweroff(void);

/* Print what failed, with the place, and crash the domain. */
_Noreturn void rt_fail(const char *file, int line, const char *what);
#define RT_CHECK(c)                                         \
	do {                                                \
		if (!(c)) {                                 \
			rt_fail(__FILE__, __LINE__, #c);    \
		}                                           \
	} while (0)

/* Hypercall through the page; unused arguments are 0. The result is the hypervisor's (-errno). */
long rt_hypercall(unsigned int nr, unsigned long a1, unsigned long a2, unsigned long a3,
		  unsigned long a4, unsigned long a5);
/* The CPUID leaf where the hypervisor's leaves start, 0 when there is none. */
uint32_t rt_xen_leaf(void);

/*
 * Exceptions and interrupts. Without a handler any of them is a failure that names vector and EIP.
 * A handler may change the frame; execution goes on where it then says. Acknowledging a local APIC
 * or a PIC is the handler's business.
 */
struct rt_frame {
	uint32_t edi, esi, ebp, esp, ebx, edx, ecx, eax;
	uint32_t vector, error, eip, cs, eflags;
};
typedef void (*rt_handler)(struct rt_frame *frame);
/* NULL: back to failing. */
void rt_set_handler(uint8_t vector, rt_handler handler);

/* Handle interrupts on this CPU too: for secondary CPUs. */
void rt_load_idt(void);

static inline void rt_irq_on(void)
{
	__asm__ volatile("sti" : : : "memory");
}

static inline void rt_irq_off(void)
{
	__asm__ volatile("cli" : : : "memory");
}

/* Sleep until an interrupt was taken; interrupts are off before and after. */
static inline void rt_wait_irq(void)
{
	__asm__ volatile("sti; hlt; cli" : : : "memory");
}

static inline void rt_pause(void)
{
	cpu_relax();
}

#endif
