/*
 * The seam on the machine (list and contracts: arch/hw.h). The only header with inline assembly
 * besides the vendors' own.
 */
#ifndef ARCH_HW_X86_H
#define ARCH_HW_X86_H

#include <stdbool.h>
#include <stdint.h>

struct hw_cpuid_regs {
	uint32_t eax, ebx, ecx, edx;
};

/* Operand of LGDT and LIDT. */
struct hw_table {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

static inline uint64_t hw_rdmsr(uint32_t msr)
{
	uint64_t lo, hi;                /* 64-bit mode clears the upper halves */

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return hi << 32 | lo;
}

static inline void hw_wrmsr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

/* The exception table pairs the instruction with the place to go on when it faults. */
#define HW_EX_TABLE(from, to) ".pushsection .ex_table, \"a\"\n.quad " from ", " to "\n.popsection\n"

static inline bool hw_rdmsr_safe(uint32_t msr, uint64_t *value)
{
	uint32_t lo = 0, hi = 0, ok = 0;

	__asm__ volatile("1: rdmsr\n\tmovl $1, %2\n2:\n" HW_EX_TABLE("1b", "2b")
			 : "+a"(lo), "+d"(hi), "+r"(ok)
			 : "c"(msr));
	*value = (uint64_t)hi << 32 | lo;
	return ok;
}

static inline bool hw_wrmsr_safe(uint32_t msr, uint64_t value)
{
	uint32_t ok = 0;

	__asm__ volatile("1: wrmsr\n\tmovl $1, %0\n2:\n" HW_EX_TABLE("1b", "2b")
			 : "+r"(ok)
			 : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
			 : "memory");
	return ok;
}

static inline uint8_t hw_in8(uint16_t port)
{
	uint8_t v;

	__asm__ volatile("inb %w1, %b0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline uint16_t hw_in16(uint16_t port)
{
	uint16_t v;

	__asm__ volatile("inw %w1, %w0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline uint32_t hw_in32(uint16_t port)
{
	uint32_t v;

	__asm__ volatile("inl %w1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline void hw_out8(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %b0, %w1" : : "a"(v), "Nd"(port));
}

static inline void hw_out16(uint16_t port, uint16_t v)
{
	__asm__ volatile("outw %w0, %w1" : : "a"(v), "Nd"(port));
}

static inline void hw_out32(uint16_t port, uint32_t v)
{
	__asm__ volatile("outl %0, %w1" : : "a"(v), "Nd"(port));
}

static inline uint32_t hw_mmio_read32(const volatile void *p)
{
	uint32_t v;

	__asm__ volatile("movl %1, %0" : "=r"(v) : "m"(*(const volatile uint32_t *)p) : "memory");
	return v;
}

static inline void hw_mmio_write32(volatile void *p, uint32_t v)
{
	__asm__ volatile("movl %1, %0" : "=m"(*(volatile uint32_t *)p) : "r"(v) : "memory");
}

/* Not ordered against earlier or later instructions more than the processor does by itself. */
static inline uint64_t hw_rdtsc(void)
{
	uint64_t lo, hi;                /* 64-bit mode clears the upper halves */

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return hi << 32 | lo;
}

static inline void hw_cpuid(uint32_t leaf, uint32_t subleaf, struct hw_cpuid_regs *r)
{
	__asm__ volatile("cpuid"
			 : "=a"(r->eax), "=b"(r->ebx), "=c"(r->ecx), "=d"(r->edx)
			 : "a"(leaf), "c"(subleaf));
}

#define HW_CR_ACCESS(n)                                                      \
	static inline uint64_t hw_read_cr##n(void)                           \
	{                                                                    \
		uint64_t v;                                                  \
                                                                             \
		__asm__ volatile("mov %%cr" #n ", %0" : "=r"(v) : : "memory"); \
		return v;                                                    \
	}                                                                    \
	static inline void hw_write_cr##n(uint64_t v)                        \
	{                                                                    \
		__asm__ volatile("mov %0, %%cr" #n : : "r"(v) : "memory");   \
	}
HW_CR_ACCESS(0)
HW_CR_ACCESS(2)
HW_CR_ACCESS(3)
HW_CR_ACCESS(4)

/* CR4.OSXSAVE must be set. */
static inline uint64_t hw_read_xcr0(void)
{
	uint32_t lo, hi;

	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return (uint64_t)hi << 32 | lo;
}

static inline void hw_write_xcr0(uint64_t v)
{
	__asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)) : "memory");
}

#define HW_DR_CASE_READ(n)                                          \
	case n:                                                     \
		__asm__ volatile("mov %%db" #n ", %0" : "=r"(v));   \
		break
#define HW_DR_CASE_WRITE(n)                                         \
	case n:                                                     \
		__asm__ volatile("mov %0, %%db" #n : : "r"(v));     \
		break

/* n: 0-3, 6, 7; anything else reads 0. */
static inline uint64_t hw_read_dr(unsigned int n)
{
	uint64_t v = 0;

	switch (n) {
	HW_DR_CASE_READ(0);
	HW_DR_CASE_READ(1);
	HW_DR_CASE_READ(2);
	HW_DR_CASE_READ(3);
	HW_DR_CASE_READ(6);
	HW_DR_CASE_READ(7);
	default:
		break;
	}
	return v;
}

static inline void hw_write_dr(unsigned int n, uint64_t v)
{
	switch (n) {
	HW_DR_CASE_WRITE(0);
	HW_DR_CASE_WRITE(1);
	HW_DR_CASE_WRITE(2);
	HW_DR_CASE_WRITE(3);
	HW_DR_CASE_WRITE(6);
	HW_DR_CASE_WRITE(7);
	default:
		break;
	}
}

static inline void hw_invlpg(const void *p)
{
	__asm__ volatile("invlpg %0" : : "m"(*(const char *)p) : "memory");
}

/* This CPU's translations, global pages not included (the hypervisor uses none). */
static inline void hw_tlb_flush(void)
{
	hw_write_cr3(hw_read_cr3());
}

static inline void hw_wbinvd(void)
{
	__asm__ volatile("wbinvd" : : : "memory");
}

#define HW_RFLAGS_IF 0x200ull

static inline void hw_irq_enable(void)
{
	__asm__ volatile("sti" : : : "memory");
}

static inline void hw_irq_disable(void)
{
	__asm__ volatile("cli" : : : "memory");
}

static inline uint64_t hw_read_flags(void)
{
	uint64_t f;

	__asm__ volatile("pushfq\n\tpopq %0" : "=r"(f) : : "memory");
	return f;
}

static inline bool hw_irq_enabled(void)
{
	return hw_read_flags() & HW_RFLAGS_IF;
}

/* Disable; the result goes to hw_irq_restore(). */
static inline uint64_t hw_irq_save(void)
{
	uint64_t f = hw_read_flags();

	hw_irq_disable();
	return f;
}

static inline void hw_irq_restore(uint64_t flags)
{
	if (flags & HW_RFLAGS_IF) {
		hw_irq_enable();
	}
}

static inline void hw_pause(void)
{
	__asm__ volatile("pause" : : : "memory");
}

/* Interrupts off before; on after. STI takes effect after HLT: an interrupt in between wakes it. */
static inline void hw_idle(void)
{
	__asm__ volatile("sti\n\thlt" : : : "memory");
}

static inline _Noreturn void hw_stop(void)
{
	for (;;) {
		__asm__ volatile("cli\n\thlt" : : : "memory");
	}
}

static inline void hw_lgdt(const struct hw_table *t)
{
	__asm__ volatile("lgdt %0" : : "m"(*t) : "memory");
}

static inline void hw_lidt(const struct hw_table *t)
{
	__asm__ volatile("lidt %0" : : "m"(*t) : "memory");
}

static inline void hw_ltr(uint16_t sel)
{
	__asm__ volatile("ltr %w0" : : "r"(sel) : "memory");
}

static inline uint16_t hw_str(void)
{
	uint16_t sel;

	__asm__ volatile("str %w0" : "=r"(sel));
	return sel;
}

/* Reload CS and the data segments after a new GDT; FS and GS keep their bases. */
static inline void hw_load_segments(uint16_t code, uint16_t data)
{
	__asm__ volatile("pushq %q0\n\tleaq 1f(%%rip), %%rax\n\tpushq %%rax\n\tlretq\n1:\n\t"
			 "movl %1, %%ds\n\tmovl %1, %%es\n\tmovl %1, %%ss"
			 :
			 : "r"((uint64_t)code), "r"((uint32_t)data)
			 : "rax", "memory");
}

/* 512 bytes, 16-aligned. */
static inline void hw_fxsave(void *area)
{
	__asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

static inline void hw_fxrstor(const void *area)
{
	__asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
}

/* 64-aligned area, as large as CPUID leaf Dh says for these components. */
static inline void hw_xsave(void *area, uint64_t mask)
{
	__asm__ volatile("xsave64 (%0)" : : "r"(area), "a"((uint32_t)mask), "d"((uint32_t)(mask >> 32)) : "memory");
}

static inline void hw_xrstor(const void *area, uint64_t mask)
{
	__asm__ volatile("xrstor64 (%0)" : : "r"(area), "a"((uint32_t)mask), "d"((uint32_t)(mask >> 32)) : "memory");
}

static inline void hw_fpu_on(void)
{
	__asm__ volatile("clts" : : : "memory");
}

#define HW_CR0_TS 0x8ull

static inline void hw_fpu_off(void)
{
	hw_write_cr0(hw_read_cr0() | HW_CR0_TS);
}

#define HW_MSR_GS_BASE 0xc0000101u

struct cpu;

static inline struct cpu *hw_cpu_base(void)
{
	struct cpu *c;

	/*
	 * struct cpu starts with a pointer to itself. Volatile: the answer changes whenever a unit goes on elsewhere, so the
	 * compiler must not ask once for a whole loop.
	 */
	__asm__ volatile("movq %%gs:0, %0" : "=r"(c));
	return c;
}

static inline void hw_set_cpu_base(struct cpu *c)
{
	hw_wrmsr(HW_MSR_GS_BASE, (uint64_t)c);
}

/* This function's frame, for backtraces. */
static inline uint64_t hw_frame(void)
{
	return (uint64_t)__builtin_frame_address(0);
}

#endif
