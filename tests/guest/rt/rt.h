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

/* The guest's own part. A result other than 0 is reported as a failure and crashes the domain. */
int guest_main(const struct hvm_start_info *info);

/* Text. %s %c %d %u %x %p %%, each integer with optional 0-width, l (32 bits) or ll (64 bits). */
void rt_putc(char c);
void rt_puts(const char *text);
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

void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);

static inline void outb(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void outw(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void outl(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint8_t inb(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline uint16_t inw(uint16_t port)
{
	uint16_t value;

	__asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline uint32_t inl(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline void rt_pause(void)
{
	__asm__ volatile("pause" : : : "memory");
}

static inline uint64_t rdtsc(void)
{
	uint64_t value;

	__asm__ volatile("rdtsc" : "=A"(value) : : "memory");
	return value;
}

static inline uint64_t rdmsr(uint32_t index)
{
	uint64_t value;

	__asm__ volatile("rdmsr" : "=A"(value) : "c"(index) : "memory");
	return value;
}

static inline void wrmsr(uint32_t index, uint64_t value)
{
	__asm__ volatile("wrmsr" : : "c"(index), "A"(value) : "memory");
}

/* regs: eax, ebx, ecx, edx. */
static inline void cpuid(uint32_t leaf, uint32_t subleaf, uint32_t regs[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(regs[0]), "=b"(regs[1]), "=c"(regs[2]), "=d"(regs[3])
			 : "a"(leaf), "c"(subleaf)
			 : "memory");
}

static inline uint32_t mmio_read32(uintptr_t address)
{
	return *(volatile uint32_t *)address;
}

static inline void mmio_write32(uintptr_t address, uint32_t value)
{
	*(volatile uint32_t *)address = value;
}

#endif
