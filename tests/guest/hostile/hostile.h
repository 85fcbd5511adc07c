/* What the files of the hostile guest call in each other; the guest itself is described in main.c. */
#ifndef GUEST_HOSTILE_H
#define GUEST_HOSTILE_H

#include "tests/guest/rt/rt.h"

#define CODE_SELECTOR   0x08
#define ARRAY_SIZE(a)   (sizeof(a) / sizeof((a)[0]))
#define HOSTILE_SCRATCH 8192

#define APIC_BASE 0xfee00000u
#define APIC_ICR  0x300u
#define CR0_PE    0x1u
#define CR0_PG    0x80000000u

extern uint8_t hostile_scratch[HOSTILE_SCRATCH];
extern uint64_t hostile_pdpt[4];

uint32_t hostile_random(void);
/* Numbers that code gets wrong, and any others. */
uint32_t hostile_any32(void);

static inline uint32_t below(uint32_t n)
{
	return hostile_random() % n;
}

static inline uint32_t any32(void)
{
	return hostile_any32();
}

/* Where an exception, or a task, goes on: at the end of hostile_try(), with this stack. */
extern const char hostile_failed[];
extern uint32_t hostile_esp;
/* task.c: one task switch; gentle: into a task that can go on. */
void hostile_task(bool gentle);
/* Run op; 1 when an exception ended it. */
int hostile_try(void (*op)(void));
/* All operations at random, those that end the guest too. */
void hostile_all(void);
void hostile_switch(void);
/* end.c: end in the way that has this name; NULL or another name: return. May return from any of them. */
void hostile_end(const char *name);

#endif
