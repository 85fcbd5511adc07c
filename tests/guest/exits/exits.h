/*
 * Shared by the files of this guest: run one instruction with every register known, compare every register after it.
 *
 * A case is: exits_fresh(), changes to exits_in, exits_run() with the instruction's bytes, changes to exits_want (what
 * the instruction is to change), exits_check(). Whatever is not changed in exits_want must be as it was, the segment,
 * control and table registers included.
 */
#ifndef GUEST_EXITS_H
#define GUEST_EXITS_H

#include "tests/guest/rt/rt.h"

enum { DE = 0, DB = 1, NMI = 2, BP = 3, OF = 4, BR = 5, UD = 6, NM = 7, TS = 10, NP = 11, SS = 12, GP = 13, PF = 14, AC = 17 };

enum {
	KERNEL_CODE = 0x08, KERNEL_DATA = 0x10, USER_CODE = 0x1b, USER_DATA = 0x23, ABSENT = 0x28, TSS_MAIN = 0x30,
	TSS_OTHER = 0x38, SELECTORS = 0x40
};

#define EFLAGS_CF   0x001u
#define EFLAGS_TF   0x100u
#define EFLAGS_IF   0x200u
#define EFLAGS_DF   0x400u
#define EFLAGS_OF   0x800u
#define EFLAGS_NT   0x4000u
#define EFLAGS_RF   0x10000u
#define EFLAGS_AC   0x40000u
#define EFLAGS_MATH 0x8d5u

#define CR0_MP 0x2u
#define CR0_TS 0x8u
#define CR0_NE 0x20u
#define CR0_WP 0x10000u
#define CR0_AM 0x40000u
#define CR0_NW 0x20000000u
#define CR0_CD 0x40000000u
#define CR0_PG 0x80000000u
#define CR4_DE  0x8u
#define CR4_PSE 0x10u
#define CR4_PAE 0x20u
#define CR4_MCE 0x40u
#define CR4_PGE 0x80u
#define CR4_VMXE 0x2000u
#define CR4_OSXSAVE 0x40000u

#define LAPIC 0xfee00000u
enum { APIC_ID = 0x20, APIC_VERSION = 0x30, APIC_TPR = 0x80, APIC_EOI = 0xb0, APIC_SPIV = 0xf0, APIC_ICR = 0x300,
       APIC_LVT_TIMER = 0x320, APIC_INITIAL = 0x380, APIC_DIVIDE = 0x3e0 };
#define APIC_SELF     0x40000u
#define APIC_NMI      0x4400u           /* to APIC ID 0; the shorthand "self" takes no NMI */

struct exits_regs {
	uint32_t eax, ecx, edx, ebx, esp, ebp, esi, edi, eflags;
};

extern struct exits_regs exits_in, exits_out, exits_want;
extern uint8_t exits_hole[32];          /* where the instruction under test lies, padded by NOPs */
extern struct rt_frame exits_seen;      /* of the last exception or interrupt */
extern unsigned int exits_taken;        /* how many there were since exits_run() */

/* Count and say a failure; the guest goes on, so that one run shows all. */
void exits_fail(const char *name, const char *what, uint32_t got, uint32_t want);

/* Patterns in all registers, of the current round; interrupts off. */
void exits_fresh(void);
void exits_run_bytes(const uint8_t *code, unsigned int length, bool user);
#define CODE(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })
#define exits_run(...) exits_run_bytes(CODE(__VA_ARGS__), false)
#define exits_run_user(...) exits_run_bytes(CODE(__VA_ARGS__), true)
void exits_check(const char *name);

/* The instruction raised this one exception, `at` bytes into the hole, and changed nothing. */
void exits_check_fault(const char *name, uint8_t vector, uint32_t error, uint32_t at);
/* One number. */
void exits_equal(const char *name, const char *what, uint32_t got, uint32_t want);
void exits_handle(uint8_t vector, rt_handler handler);
/* Exception handler: note it, go on behind the hole. */
void exits_on_fault(struct rt_frame *frame);

/* Control registers have been changed on purpose: what they are now is what they must stay. */
void exits_new_ambient(void);
uint32_t exits_cr0(void);
uint32_t exits_cr4(void);

static inline void apic_put(uint32_t reg, uint32_t value)
{
	mmio_write32(LAPIC + reg, value);
}

static inline uint32_t apic_get(uint32_t reg)
{
	return mmio_read32(LAPIC + reg);
}

/* registers.c */
void exits_registers(void);
/* io.c */
void exits_io(void);
/* events.c */
void exits_events(void);
/* tasks.c */
void exits_tasks(void);
void exits_tables(void);        /* GDT with TSSs; once, first */
void exits_user_gate(void);     /* INT 81h may come from ring 3 */

#endif
