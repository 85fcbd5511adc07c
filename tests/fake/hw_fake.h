/*
 * The seam on the host: arch/hw.h's names as plain functions, and no more.
 *
 * A test program (or the fake it links) defines what the code under test calls, so that machine access where none is
 * expected is a link error.
 */
#ifndef TESTS_FAKE_HW_FAKE_H
#define TESTS_FAKE_HW_FAKE_H

#include <stdbool.h>
#include <stdint.h>

struct cpu;

#define HW_RFLAGS_IF 0x200ull

struct hw_cpuid_regs {
	uint32_t eax, ebx, ecx, edx;
};

/* Operand of LGDT and LIDT. */
struct hw_table {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

uint64_t hw_rdmsr(uint32_t msr);
void hw_wrmsr(uint32_t msr, uint64_t value);
bool hw_rdmsr_safe(uint32_t msr, uint64_t *value);
bool hw_wrmsr_safe(uint32_t msr, uint64_t value);

uint8_t hw_in8(uint16_t port);
uint16_t hw_in16(uint16_t port);
uint32_t hw_in32(uint16_t port);
void hw_out8(uint16_t port, uint8_t v);
void hw_out16(uint16_t port, uint16_t v);
void hw_out32(uint16_t port, uint32_t v);
uint32_t hw_mmio_read32(const volatile void *p);
void hw_mmio_write32(volatile void *p, uint32_t v);

uint64_t hw_rdtsc(void);
void hw_cpuid(uint32_t leaf, uint32_t subleaf, struct hw_cpuid_regs *r);

uint64_t hw_read_cr0(void);
uint64_t hw_read_cr2(void);
uint64_t hw_read_cr3(void);
uint64_t hw_read_cr4(void);
void hw_write_cr0(uint64_t v);
void hw_write_cr2(uint64_t v);
void hw_write_cr3(uint64_t v);
void hw_write_cr4(uint64_t v);
uint64_t hw_read_xcr0(void);
void hw_write_xcr0(uint64_t v);
uint64_t hw_read_dr(unsigned int n);
void hw_write_dr(unsigned int n, uint64_t v);

uint16_t hw_str(void);
void hw_invlpg(const void *p);
void hw_tlb_flush(void);
void hw_wbinvd(void);

void hw_irq_enable(void);
void hw_irq_disable(void);
bool hw_irq_enabled(void);
uint64_t hw_irq_save(void);
void hw_irq_restore(uint64_t flags);
void hw_pause(void);
void hw_idle(void);
_Noreturn void hw_stop(void);

void hw_fxsave(void *area);
void hw_fxrstor(const void *area);
void hw_xsave(void *area, uint64_t mask);
void hw_xrstor(const void *area, uint64_t mask);
void hw_fpu_on(void);
void hw_fpu_off(void);

/* The CPU that the code under test runs on. */
struct cpu *hw_cpu_base(void);

#endif
