/*
 * The local APIC of one vCPU (Intel SDM, "Advanced Programmable Interrupt Controller").
 *
 * Owns: APIC registers in xAPIC and x2APIC mode, priorities, the APIC timer, ICR decoding.
 * Does not own: who gets an inter-processor interrupt (host->ipi does).
 * Locking: vlapic_set_irq() may be called from any CPU at any time (IRR and TMR are atomic);
 * everything else only by the vCPU's own loop, or while the vCPU does not run.
 */
#ifndef DEV_VLAPIC_H
#define DEV_VLAPIC_H

#include <stdbool.h>
#include <stdint.h>
#include "dev/vdev.h"
#include "dev/vtick.h"

#define VLAPIC_DEFAULT_BASE 0xfee00000ull
#define APIC_BASE_BSP       (1ull << 8)
#define APIC_BASE_X2APIC    (1ull << 10)
#define APIC_BASE_ENABLE    (1ull << 11)

enum apic_delivery {
	APIC_DM_FIXED, APIC_DM_LOWEST, APIC_DM_SMI, APIC_DM_RESERVED, APIC_DM_NMI, APIC_DM_INIT,
	APIC_DM_STARTUP, APIC_DM_EXTINT
};
enum apic_shorthand { APIC_DEST_FIELD, APIC_DEST_SELF, APIC_DEST_ALL, APIC_DEST_OTHERS };

/* An interrupt on its way to local APICs: from an ICR, an I/O APIC pin or an MSI. */
struct apic_msg {
	uint32_t dest;                  /* 8-bit in xAPIC format, 32-bit in x2APIC format */
	uint8_t vector;
	uint8_t delivery;               /* enum apic_delivery */
	uint8_t shorthand;              /* enum apic_shorthand; ICR only */
	bool logical;
	bool level;                     /* trigger mode */
	bool assert;                    /* level-triggered INIT de-assert has this clear */
	bool x2apic;                    /* dest is in x2APIC format */
};

struct vlapic_host {
	uint64_t (*now_ns)(void *ctx);
	/* Guest TSC now, and the domain time in ns at which the guest TSC reaches a value. */
	uint64_t (*tsc)(void *ctx);
	uint64_t (*tsc_to_ns)(void *ctx, uint64_t guest_tsc);
	/* Arm (0: disarm) this APIC's timer; vlapic_timer_expired() is called at or after it. */
	void (*timer_set)(void *ctx, uint64_t deadline_ns);
	/* Deliver an ICR message to the domain's vCPUs (this one included). */
	void (*ipi)(void *ctx, const struct apic_msg *msg);
	/* A level-triggered vector was acknowledged: tell the I/O APICs. */
	void (*eoi)(void *ctx, uint8_t vector);
	/* The APIC became software-enabled (SPIV): pending upcalls may now be delivered. */
	void (*enabled)(void *ctx);
	/*
	 * Registers that matter to a Dom0 vCPU's physical APIC changed (LDR, DFR, enable); may be
	 * NULL.
	 */
	void (*dest_changed)(void *ctx);
	void *ctx;
};

struct vlapic {
	const struct vlapic_host *host; /* const after init */
	uint32_t id;                    /* const once the vCPU runs: initial APIC ID */
	bool bsp;                       /* const after init */
	/*
	 * const after init: the guest may enter x2APIC mode, and suppress EOI broadcasts, for its I/O APICs are ours
	 * and take an EOI by themselves.
	 */
	bool x2apic_ok;
	uint64_t base;                  /* IA32_APIC_BASE */
	uint64_t irr[4], tmr[4];        /* atomic: any CPU */
	uint64_t isr[4];
	uint64_t lent[4];               /* requests that the processor has in hand while the guest runs */
	uint32_t xapic_id;              /* ID register in xAPIC mode, bits 31:24 */
	uint32_t tpr, ldr, dfr, esr;
	uint32_t svr;                   /* written by the owner, read by any CPU */
	uint32_t esr_pending;           /* atomic: any CPU */
	uint64_t icr;
	uint32_t lvt[7];                /* CMCI, timer, thermal, perf, LINT0, LINT1, error */
	uint32_t timer_icr, timer_dcr;
	uint64_t timer_start_ns;        /* domain time at which the current countdown began */
	uint64_t timer_deadline_ns;     /* 0: not armed */
	bool timer_running;             /* one-shot or periodic countdown is under way */
	uint64_t tsc_deadline;          /* IA32_TSC_DEADLINE */
	struct vtick tick;              /* of the periodic timer */
};

/* APIC bus: one count is 1 ns at divide-by-1 (1 GHz); CPUID leaf 15h and PV leaves agree. */
#define VLAPIC_BUS_NS 1

void vlapic_init(struct vlapic *v, const struct vlapic_host *host, uint32_t id, bool bsp,
		 bool x2apic_ok);
/* Another APIC ID, before the vCPU has run. */
void vlapic_set_id(struct vlapic *v, uint32_t id);
/* Power-up or INIT state; INIT keeps the APIC ID and base (init = true). */
void vlapic_reset(struct vlapic *v, bool init);

/*
 * MMIO in the 4 KiB page at the APIC base. a->addr is absolute. Only aligned 4-byte writes do
 * something; a narrower read gives its part of the register. Unclaimed outside the page, in x2APIC
 * mode and while the APIC is disabled.
 */
enum io_result vlapic_mmio(struct vlapic *v, struct io_access *a);
/* IA32_APIC_BASE, x2APIC MSRs 800h-83Fh, IA32_TSC_DEADLINE: 0, or -EINVAL for #GP. */
int vlapic_msr_read(struct vlapic *v, uint32_t msr, uint64_t *value);
int vlapic_msr_write(struct vlapic *v, uint32_t msr, uint64_t value);
bool vlapic_owns_msr(uint32_t msr);

/* Is the APIC globally / software enabled? */
bool vlapic_hw_enabled(const struct vlapic *v);
bool vlapic_sw_enabled(const struct vlapic *v);
/* Set a vector pending (fixed or lowest priority). True when it was not pending before. Any CPU. */
bool vlapic_set_irq(struct vlapic *v, uint8_t vector, bool level);
/* Is the vector requested, and not yet delivered? Any CPU. */
bool vlapic_waiting(const struct vlapic *v, uint8_t vector);
/* Highest pending vector above the processor priority, or -1. */
int vlapic_pending(const struct vlapic *v);
/* Does an interrupt wait that only the task priority holds back? */
bool vlapic_blocked_by_tpr(const struct vlapic *v);
/* The vector is being delivered: IRR to ISR. */
void vlapic_ack(struct vlapic *v, uint8_t vector);
/*
 * What a processor with virtual-interrupt delivery works on while it runs the guest (vlapic_run.c).
 */
struct vlapic_run {
	uint64_t irr[4], isr[4];
	uint64_t level[4];              /* vectors whose EOI somebody waits for */
	uint8_t tpr;
};
/* Before an entry. Until vlapic_run_back() everything else here is only for looking. */
void vlapic_run_lend(struct vlapic *v, struct vlapic_run *r);
/* After the exit; ended: a vector of r->level whose EOI ended the run, or -1. True: an interrupt was taken. */
bool vlapic_run_back(struct vlapic *v, const struct vlapic_run *r, int ended);
/* EOI register write (also from a Hyper-V or hardware assist). */
void vlapic_write_eoi(struct vlapic *v);
/* CR8 and TPR are the same register. cr8 is 0..15. */
void vlapic_set_cr8(struct vlapic *v, uint64_t cr8);
uint64_t vlapic_get_cr8(const struct vlapic *v);
/* The vector that a waiting interrupt of priority has to exceed: needed for TPR windows. */
uint8_t vlapic_ppr(const struct vlapic *v);
/* Arbitration priority: of several APICs that may take an interrupt the one with the least does. Any CPU. */
uint8_t vlapic_apr(const struct vlapic *v);
/* Would this APIC accept the message (destination match only; x2APIC and xAPIC, flat, cluster)? */
bool vlapic_matches(const struct vlapic *v, const struct apic_msg *msg,
		    const struct vlapic *source);
/* Does an 8259's INTR reach this CPU (LINT0 ExtINT unmasked, or APIC disabled)? */
bool vlapic_accepts_pic(const struct vlapic *v);
/*
 * An NMI wire or local interrupt source fires LVT entry i (index into lvt[]). NMI, SMI and INIT
 * leave through host->ipi with shorthand "self"; ExtINT is not fired here (vlapic_accepts_pic()).
 */
enum { LVT_CMCI, LVT_TIMER, LVT_THERMAL, LVT_PERF, LVT_LINT0, LVT_LINT1, LVT_ERROR };
void vlapic_fire_lvt(struct vlapic *v, unsigned int i);
/* Write the whole ICR (x2APIC layout in x2APIC mode, else xAPIC's) and send what it says. */
void vlapic_write_icr(struct vlapic *v, uint64_t icr);
/* The deadline given to timer_set() has passed. */
void vlapic_timer_expired(struct vlapic *v);
/* Report an error as the ESR bit (for example an illegal vector received). Any CPU. */
#define APIC_ESR_SEND_ILLEGAL     (1u << 5)
#define APIC_ESR_RECEIVE_ILLEGAL  (1u << 6)
#define APIC_ESR_ILLEGAL_REGISTER (1u << 7)
void vlapic_error(struct vlapic *v, uint32_t esr_bit);

#endif
