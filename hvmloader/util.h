/*
 * What every impure file of the firmware uses: text on port E9h, ports, MSRs, CPUID, arithmetic.
 */
#ifndef HVMLOADER_UTIL_H
#define HVMLOADER_UTIL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hvmloader/mem.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* %s %c %d %u %x %%, each integer with optional 0-width, ll for 64 bits. */
__attribute__((format(printf, 1, 2))) void print(const char *format, ...);

/* Say why and crash the domain; does not return. */
_Noreturn __attribute__((format(printf, 1, 2))) void fatal(const char *format, ...);

/* value / by; the compiler's library is not linked. by != 0. */
uint64_t div64(uint64_t value, uint32_t by, uint32_t *remainder);

/*
 * Decimal, or hexadecimal with 0x; *end (may be NULL) points behind. No digits: 0, and *end = s.
 */
uint64_t parse_number(const char *s, const char **end);

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
static inline void cpuid(uint32_t leaf, uint32_t regs[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(regs[0]), "=b"(regs[1]), "=c"(regs[2]), "=d"(regs[3])
			 : "a"(leaf), "c"(0)
			 : "memory");
}

static inline void cpuid_sub(uint32_t leaf, uint32_t subleaf, uint32_t regs[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(regs[0]), "=b"(regs[1]), "=c"(regs[2]), "=d"(regs[3])
			 : "a"(leaf), "c"(subleaf)
			 : "memory");
}

static inline void wbinvd(void)
{
	__asm__ volatile("wbinvd" : : : "memory");
}

static inline void cpu_relax(void)
{
	__asm__ volatile("pause" : : : "memory");
}

static inline uint32_t mmio_read(uint32_t address)
{
	return *(volatile uint32_t *)address;
}

static inline void mmio_write(uint32_t address, uint32_t value)
{
	*(volatile uint32_t *)address = value;
}

/* A guest-physical address below 4 GiB as a pointer: paging is off. */
static inline void *at_phys(uint32_t address)
{
	return (void *)address;
}

#endif
