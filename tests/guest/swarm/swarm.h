/* What the files of the swarm share; the guest itself is described in main.c. */
#ifndef GUEST_SWARM_H
#define GUEST_SWARM_H

#include "tests/guest/rt/rt.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define SWARM_MAX     8
#define SWARM_STACK   16384u

#define APIC       0xfee00000u
#define APIC_EOI   0x0b0
#define APIC_SPIV  0x0f0
#define APIC_ICR   0x300
#define APIC_ICR_2 0x310
#define HPET       0xfed00000u
#define HOLE       0xe0000000u
#define VGA        0xa0000u

/* Linear addresses of pages whose page-table entries are changed all the time, by anybody, without telling. */
#define WINDOW       0x40000000u
#define WINDOW_PAGES 4u
#define TOYS         8u         /* pages of memory that come and go */

/* At the bottom of each CPU's stack. */
struct swarm_cpu {
	uint32_t esp;           /* of swarm_try(); first: assembly knows */
	uint32_t rng;
	uint32_t number;
	volatile uint32_t rounds, faults, starts;
};

extern volatile uint64_t swarm_pt[512];        /* of the window */
extern uint8_t swarm_toy[TOYS][4096];
extern unsigned int swarm_cpus;

struct swarm_cpu *swarm_self(void);
struct swarm_cpu *swarm_cpu(unsigned int number);
uint32_t swarm_below(uint32_t n);
/* Run op; an exception ends it. */
void swarm_try(void (*op)(void));
/* Have a CPU, not the first, begin again: INIT and start-up. */
void swarm_restart(unsigned int number);

/* ops.c: one of the operations that the guest survives. */
void swarm_op(void);
/* end.c: all CPUs together end the guest in the way that has this name. Returns if there is none. */
void swarm_end(const char *name);
/* On the other CPUs, each round: join in the end that the first CPU has begun. */
void swarm_join(void);

#endif
