/*
 * Private to hvm/: what this layer keeps for a domain and a vCPU, and what its files call in each other.
 */
#ifndef HVM_HVM_STATE_H
#define HVM_HVM_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include "hvm/stats.h"
#include "arch/virt.h"
#include "core/spinlock.h"
#include "core/timer.h"
#include "dev/bus.h"
#include "dev/chips.h"
#include "dev/irqline.h"
#include "dev/vlapic.h"
#include "dom/domain.h"
#include "dom/guest_walk.h"
#include "hvm/cpu_features.h"
#include "hvm/topology.h"
#include "lib/atomic.h"

enum chip_id { CHIP_PIT, CHIP_RTC, CHIP_HPET, CHIP_PM, CHIP_COUNT };
#define CHIP_TIMERS 4

struct hvm_chip;

struct chip_timer {
	struct timer timer;
	struct hvm_chip *chip;          /* const */
};

/* A timer chip's connection to the world: ctx of its struct vdev_host. */
struct hvm_chip {
	struct hvm_domain *hvm;         /* const */
	enum chip_id id;                /* const */
	struct vdev_host host;          /* const */
	struct chip_timer timer[CHIP_TIMERS];
};

/* How an event-channel upcall reaches the guest (HVM_PARAM_CALLBACK_IRQ). */
enum callback_kind { CALLBACK_NONE, CALLBACK_GSI, CALLBACK_PCI, CALLBACK_VECTOR };

struct hvm_domain {
	struct domain *domain;          /* const */
	bool has_pc;                    /* const: the chips below exist (not for Dom0) */
	struct topology topology;       /* const once there are vCPUs */
	struct spinlock lock;           /* LOCK_HVM: all chips, wires and the callback */
	struct irqline irq;
	struct vpic pic;
	struct vioapic ioapic;
	struct vpit pit;
	struct vrtc rtc;
	struct vhpet hpet;
	struct vpmtimer pm;
	struct debugcon dbg;
	struct vpic_host pic_host;      /* const after init, like the next two */
	struct vioapic_host ioapic_host;
	struct debugcon_host dbg_host;
	struct bus pio, mmio;           /* const after init */
	struct hvm_chip chip[CHIP_COUNT];
	uint32_t pci_address;           /* [lock] last 4-byte write to CF8h */
	uint8_t callback_kind;          /* [lock writes] enum callback_kind */
	uint8_t callback_vector;        /* [lock writes] */
	uint8_t callback_gsi;           /* [lock] */
	uint8_t callback_dev, callback_intx;
	bool callback_level;            /* [lock] the callback wire is high */
	uint32_t invalidate_gen;        /* atomic: RAM went away so many times */
	struct cpu_features features;   /* [domain paused writes] */
	uint32_t unknown_insn[3][8];    /* atomic: opcodes by map that have been logged as not emulated */
	bool hpet_on;                   /* [lock] HVM_PARAM_HPET_ENABLED */
	bool stopped;                   /* [lock] the domain goes away: no timer is armed any more */
	bool ticks_owed;                /* [lock writes] a timer chip waits for its interrupt to be taken */
	uint8_t lapic_policy;           /* [lock writes] enum vtick_policy of the local APICs' timers */
	uint32_t lowest_turn;           /* [any, a hint] the vCPU to ask first for a lowest-priority interrupt */
};

/* Requests to a vCPU from others; its own loop serves them. */
enum { VREQ_INIT = 1u << 16, VREQ_SIPI = 1u << 17 /* vector in bits 7:0 */ };

/* Last code page, so that the length of CPUID and its like costs no page walk. */
struct code_cache {
	uint64_t linear, cr3, gen;
	const uint8_t *page;            /* NULL: nothing cached */
	uint64_t gfn, gfn_gen;          /* where the emulator last read code, and since when that stands */
	const uint8_t *gfn_page;        /* NULL: nothing cached */
};

#define MTRR_VARIABLE 8

struct hvm_vcpu {
	struct hvm_stats stats;         /* hvm/stats.h */
	struct vlapic lapic;
	struct vlapic_host lapic_host;  /* const; ctx is the vCPU */
	struct timer lapic_timer;
	bool lapic_fired;               /* [lapic_timer sets, own clears] */
	bool nmi_pending;               /* [any sets, own clears] */
	uint32_t request;               /* atomic: VREQ_* */
	bool wait_sipi;                 /* [own or offline] new, or parked by INIT: only a SIPI starts it */
	struct vm_event pending;        /* [own] exception or interrupted event for the next entry */
	bool callback_due;              /* [any sets, own clears] upcall_pending rose, not yet delivered */
	uint8_t upcall_vector;          /* [own or offline] HVMOP_set_evtchn_upcall_vector; 0: none */
	uint32_t invalidate_seen;       /* [own] */
	struct code_cache code;         /* [own] */
	/* [own] the last exit whose instruction was not found, and how many before it in a row */
	struct {
		uint64_t rip, exits;
		unsigned int count;
	} odd;
	struct {
		uint64_t def_type, fixed[11], base[MTRR_VARIABLE], mask[MTRR_VARIABLE];
	} mtrr;                         /* [own] */
	uint64_t misc_enable;           /* [own] */
	uint64_t spec_ctrl;             /* [own] in the processor while the vCPU is on it, in the hypervisor too */
	uint64_t tsc_adjust;            /* [own] */
	uint64_t mmio_gpa;              /* [own] of the exit being emulated; ~0: none */
	bool mmio_write;                /* [own] */
	bool mmio_hole;                 /* [own] there is no memory at mmio_gpa */
	struct walk_regs walk;          /* [own] of the instruction being emulated */
	struct vmexit exit;             /* [own] the last one, for crash reports */
	bool window_intr, window_tpr;   /* [own] what was asked of the vendor */
};

/* What a handler decides; only loop.c acts on it. */
enum verdict {
	EXIT_RESUME,            /* enter again at the same instruction */
	EXIT_NEXT,              /* the instruction is done: step over it */
	EXIT_FAULT,             /* hvm_raise() was called: deliver it, RIP stays */
	EXIT_CRASH              /* the domain has been crashed */
};

typedef enum verdict (*exit_fn)(struct vcpu *v, const struct vmexit *e);

/* loop.c */
void hvm_vcpu_loop(void *vcpu);
/* emul_glue.c: code bytes at a linear address, as many as can be read; remember the page. */
unsigned int hvm_fetch(struct vcpu *v, uint64_t linear, uint8_t *bytes, unsigned int size);
/* The code at a linear address in the paging mode of hvm->walk, in place, and how many bytes (15, less at a page's
 * end); NULL: not plain memory of the guest's. Good while the map's generation is. */
const uint8_t *hvm_code_at(struct vcpu *v, uint64_t linear, unsigned int *n);
/* Asked after reading them: were they the guest's until now? Another vCPU may have given the page up meanwhile, and then
 * this was somebody else's memory. */
static inline bool hvm_code_kept(const struct vcpu *v)
{
	fence_acquire();
	return v->hvm->code.gfn_gen == load_acquire(&v->domain->p2m.gen);
}
void hvm_code_cache_fill(struct vcpu *v, uint64_t linear, uint64_t cr3);
/* exit.c: the table */
enum verdict hvm_handle_exit(struct vcpu *v, const struct vmexit *e);
enum verdict exit_pio(struct vcpu *v, const struct vmexit *e);
/* mmio_mov.c: a device register touched by a plain MOV. False: the emulator has to look at it. */
bool hvm_mmio_mov(struct vcpu *v, const struct vmexit *e, enum verdict *verdict);
enum verdict exit_npf(struct vcpu *v, const struct vmexit *e);
enum verdict exit_msr(struct vcpu *v, const struct vmexit *e);
enum verdict exit_cr(struct vcpu *v, const struct vmexit *e);
enum verdict exit_dr(struct vcpu *v, const struct vmexit *e);
enum verdict exit_cpuid(struct vcpu *v, const struct vmexit *e);
enum verdict exit_hypercall(struct vcpu *v, const struct vmexit *e);
/* inject.c */
void hvm_raise(struct vcpu *v, uint8_t vector, bool has_error, uint32_t error, uint64_t cr2);
/* #DB behind an instruction that was stepped over for the guest: DR6 says so. */
void hvm_raise_step(struct vcpu *v);
enum verdict hvm_fault_gp(struct vcpu *v);
enum verdict hvm_fault_ud(struct vcpu *v);
/* An event whose delivery an exit cut short. */
/* SHUTDOWN of the processor: what HVM_PARAM_TRIPLE_FAULT_REASON says, default reboot. */
void hvm_triple_fault(struct vcpu *v);
void hvm_requeue(struct vcpu *v, const struct vm_event *e);
/* The vCPU's own loop: something about its interrupts changed, look before the next entry. */
static inline void hvm_look_again(struct vcpu *v)
{
	WRITE_ONCE(v->kicked, (uint32_t)VCPU_LOOK);
}
/* intr.c */
void hvm_intr_prepare(struct vcpu *v);
bool hvm_wake_event(struct vcpu *v);
void hvm_upcall(struct vcpu *v);
/* With arch.apic_delivery: the local APIC's interrupts into the processor's hands before an entry, and back after it. */
void hvm_apic_lend(struct vcpu *v);
void hvm_apic_return(struct vcpu *v);
void hvm_deliver(struct domain *d, const struct apic_msg *msg, struct vcpu *source);
void hvm_callback_update(struct domain *d);
/* io.c */
enum io_route { ROUTE_DONE, ROUTE_CRASH };
enum io_route hvm_io(struct vcpu *v, struct io_access *a);
/* The same for a port. */
enum io_route hvm_port(struct vcpu *v, struct io_access *a);
/* Is the access answered inside the hypervisor? */
bool hvm_io_internal(struct vcpu *v, const struct io_access *a);
/* Bulk request with a guest buffer (gpa) or one repeated value; *count in: wanted, out: done (0: not possible). */
enum io_route hvm_io_bulk(struct vcpu *v, struct io_access *a, bool pointer, uint64_t data, bool down,
			  uint32_t *count);
/* ioreq_client.c */
void hvm_ioreq_invalidate(struct vcpu *v);
/* exit_task.c */
enum verdict exit_task(struct vcpu *v, const struct vmexit *e);
/* emul_glue.c: emulate the instruction at RIP. */
enum verdict hvm_emulate(struct vcpu *v);
/* cpuid_policy.c: leaf and subleaf in eax and ecx; r is filled. */
void hvm_cpuid(struct vcpu *v, uint32_t leaf, uint32_t subleaf, uint32_t r[4]);
/* How wide a guest's physical addresses are; CR4 and XCR0 bits that the domain may set. */
unsigned int hvm_address_bits(void);
uint64_t hvm_cr4_allowed(const struct domain *d);
uint64_t hvm_xcr0_allowed(const struct domain *d);
/* One package of so many cores as the domain has vCPUs. */
void hvm_topology_default(struct domain *d);
/* exit_msr.c: a register of the local APIC, or its mode, is another. */
void hvm_apic_changed(struct vcpu *v);
/* exit_msr.c, for the emulator and start state too: 0, or -EINVAL for #GP. */
int hvm_msr_read(struct vcpu *v, uint32_t msr, uint64_t *value);
int hvm_msr_write(struct vcpu *v, uint32_t msr, uint64_t value);
/* hvm_vcpu.c */
int hvm_vcpu_init(struct vcpu *v);
void hvm_vcpu_free(struct vcpu *v);
void hvm_vcpu_reset(struct vcpu *v);
/* Registers of the PVH entry (also hvmloader's): 32-bit protected mode, EBX = start info. */
void hvm_vcpu_start_state(struct vcpu *v, uint64_t entry, uint64_t start_info);
void hvm_serve_requests(struct vcpu *v);
/* hvm_domain.c */
int hvm_domain_init(struct domain *d);
void hvm_domain_free(struct domain *d);
/* ACPI_IOPORTS_LOCATION: the PM block at 1F40h (0) or B000h (1). [LOCK_HVM] */
int hvm_pm_relocate(struct hvm_domain *h, uint64_t location);
uint64_t hvm_now(const struct domain *d);
/* Give dom/ its connections to this layer: before the first domain is made. */
void hvm_start(void);
/* dom0_build.c */
int dom0_build(void);
/* Direct mapping of a device window above the RAM that Dom0 touches for the first time. */
bool dom0_map_device(struct domain *d, gpa_t gpa);

#endif
