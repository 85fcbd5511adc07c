/* Private to arch/vmx/: the vendor's state of a vCPU and of a CPU, and what the files call in each other. */
#ifndef ARCH_VMX_VMX_H
#define ARCH_VMX_VMX_H

#include <stdbool.h>
#include <stdint.h>
#include "arch/virt.h"
#include "arch/vmx/vmcs_fields.h"
#include "core/percpu.h"

/* MSRs that the processor does not switch and the hypervisor does not use: loaded with the vCPU. */
#define VMX_SWITCHED_MSRS 5

struct vmx_vcpu {
	void *vmcs;
	hpa_t vmcs_pa;
	uint8_t *virtual_apic;          /* NULL: no TPR shadow */
	bool launched;                  /* VMRESUME, not VMLAUNCH; cleared by VMCLEAR */
	bool host_state_set;            /* for CPU arch.last_cpu */
	bool want_tpr;                  /* an exit when the guest lowers its task priority */
	uint8_t tpr_threshold;          /* what the VMCS holds */
	uint64_t eoi_exits[4];          /* likewise */
	uint32_t vpid;                  /* of CPU arch.last_cpu; valid while vpid_gen is that CPU's */
	uint64_t vpid_gen;              /* 0: never valid */
	uint64_t ept_pointer;
	uint32_t proc, entry;           /* what the VMCS holds */
	uint32_t event;                 /* entry event of the next entry; 0: none */
	uint32_t last_reason;           /* of the last exit, with the failure bit */
	uint32_t insn_error;            /* why VMLAUNCH or VMRESUME itself failed; 0: it did not */
	uint64_t cr0_shadow, cr4_shadow; /* what the guest reads in the bits that the host owns */
	uint64_t efer, cr2, dr6;        /* dr6: while not loaded */
	uint64_t msr[VMX_SWITCHED_MSRS]; /* while not loaded; order: msrs.c */
};

/* One a CPU; this_cpu()->virt. */
struct vmx_cpu {
	void *vmxon_region;
	struct vmx_vcpu *loaded;        /* its VMCS is current here */
	const struct arch_vcpu *owner;  /* its registers are in this CPU: between switch_in and switch_out */
	uint32_t next_vpid;
	uint64_t vpid_gen;
};

/* What this processor does; const after start-up. */
struct vmx_caps {
	uint32_t pin, proc, proc2, exit, entry; /* the control words of every VMCS */
	uint32_t revision;
	uint32_t timer_ticks;           /* of the preemption timer: the longest run without an exit */
	bool apic_registers;            /* RDMSR of x2APIC registers needs no exit: possible, then wanted */
	bool virtual_intr;              /* virtual-interrupt delivery: possible, then wanted */
	bool tsc_scaling;
	bool vpid, tpr_shadow, ept_2m, ept_1g, invept_single, invvpid_all;
	uint64_t cr0_fixed, cr4_fixed;          /* bits that must be set while a guest runs */
	uint64_t cr4_host_owned;
};
extern struct vmx_caps vmx_caps;

/* CR0 bits that the hypervisor owns: NE must be set; CD and NW are not switched by the processor; PG decides the entry
 * control "IA-32e mode guest". */
#define VMX_CR0_OWNED (CR0_NE | CR0_CD | CR0_NW | CR0_PG)

/* caps.c: -ENODEV: no VMX at all, nothing logged; -EOPNOTSUPP: it lacks or forbids something, one clear line logged. */
int vmx_caps_read(void);
int vmx_cpu_up(void);
/* controls.c: the capability MSRs as read; NULL, or the name of what is missing. */
struct vmx_cap_msrs {
	uint64_t basic, pin, proc, proc2, exit, entry, ept_vpid;
};
const char *vmx_negotiate(const struct vmx_cap_msrs *m, struct vmx_caps *out);

/* msrs.c: permission maps, and the MSRs that go with a vCPU. */
int vmx_maps_init(void);
/* x2apic: with what apicv.c lets through. */
hpa_t vmx_msr_bitmap(bool x2apic);
/* Two frames in a row: ports below and above 8000h. HPA(0): no memory. */
hpa_t vmx_io_bitmap(bool direct, const uint16_t *trapped);
void vmx_msrs_load(const struct vmx_vcpu *s);
void vmx_msrs_save(struct vmx_vcpu *s);
int vmx_msr_read(const struct arch_vcpu *v, uint32_t msr, uint64_t *value);
int vmx_msr_write(struct arch_vcpu *v, uint32_t msr, uint64_t value);

/* apicv.c */
void vmx_apic_map(uint8_t *msr_map);
void vmx_set_apic(struct arch_vcpu *v, const uint32_t *reg);
void vmx_lend_apic(struct arch_vcpu *v, const struct virt_apic *a);
void vmx_return_apic(struct arch_vcpu *v, struct virt_apic *a);

/* ept.c */
extern struct p2m_format vmx_ept_format;        /* has_1g: const after start-up */
uint64_t vmx_ept_pointer(hpa_t root);

/* vmcs.c */
int vmx_vcpu_init(struct arch_vcpu *v, const struct virt_vcpu_config *config);
void vmx_vcpu_free(struct arch_vcpu *v);
void vmx_vcpu_reset(struct arch_vcpu *v);
/* Host state of the CPU this runs on, into v's VMCS, which is current. */
void vmx_set_host_state(void);
/*
 * Make v's VMCS current for reads and writes; the return value goes to vmx_close(), which puts back what was current.
 * A VMCS of a vCPU that is not on its CPU is left clear when vCPUs can move, so that any CPU may load it.
 */
struct vmx_vcpu *vmx_open_other(const struct arch_vcpu *v);
void vmx_close_other(const struct arch_vcpu *v, struct vmx_vcpu *before);

/* Can v's VMCS be read as it is? */
static inline bool vmx_is_current(const struct arch_vcpu *v)
{
	const struct vmx_cpu *c = this_cpu()->virt;
	return c->loaded == v->vmx;
}

static inline struct vmx_vcpu *vmx_open(const struct arch_vcpu *v)
{
	return vmx_is_current(v) ? v->vmx : vmx_open_other(v);
}

static inline void vmx_close(const struct arch_vcpu *v, struct vmx_vcpu *before)
{
	if (before != v->vmx) {
		vmx_close_other(v, before);
	}
}

/* Are v's registers in this CPU? */
static inline bool vmx_is_loaded(const struct arch_vcpu *v)
{
	const struct vmx_cpu *c = this_cpu()->virt;
	return c->owner == v;
}

/* exit.c: v's VMCS is current. */
void vmx_decode_exit(struct arch_vcpu *v, const struct vmx_vcpu *s, struct vmexit *e);

/* state.c */
void vmx_get_seg(const struct arch_vcpu *v, enum vseg seg, struct emul_segment *s);
void vmx_get_code(const struct arch_vcpu *v, struct virt_code *c);
void vmx_set_seg(struct arch_vcpu *v, enum vseg seg, const struct emul_segment *s);
void vmx_get_sys(const struct arch_vcpu *v, struct sys_regs *s);
void vmx_set_sys(struct arch_vcpu *v, const struct sys_regs *s, unsigned int which);
void vmx_set_pdptes(struct arch_vcpu *v, const uint64_t pdpte[4]);
unsigned int vmx_cpl(const struct arch_vcpu *v);
uint32_t vmx_ar_from_attr(uint16_t attr);
uint16_t vmx_attr_from_ar(uint32_t ar);

/* inject.c */
void vmx_inject(struct arch_vcpu *v, const struct vm_event *e);
bool vmx_can_take(const struct arch_vcpu *v, enum virt_window w);
void vmx_want_window(struct arch_vcpu *v, enum virt_window w, bool on);
bool vmx_get_shadow(const struct arch_vcpu *v);
void vmx_set_shadow(struct arch_vcpu *v, bool on);

/* check.c: what the processor checks at an entry; NULL: nothing wrong found. */
struct vmx_guest_image {
	uint64_t cr0, cr3, cr4, efer, dr7, rip, rflags, pending_db, link, debugctl;
	uint64_t gdt_base, idt_base, sysenter_esp, sysenter_eip;
	uint64_t pat, pdpte[4], cr0_must, cr4_must;     /* bits that must be set */
	uint32_t gdt_limit, idt_limit, entry, event, shadow, activity;
	struct {
		uint16_t sel;
		uint32_t ar, limit;
		uint64_t base;
	} seg[VSEG_COUNT];
};
const char *vmx_check(const struct vmx_guest_image *g);
void vmx_dump(const struct arch_vcpu *v);

/* enter.c */
void vmx_enter(struct arch_vcpu *v, struct vmexit *e);
void vmx_flush(struct arch_vcpu *v);
void vmx_set_tsc_offset(struct arch_vcpu *v, int64_t offset);
int vmx_set_tsc_ratio(struct arch_vcpu *v, uint64_t ratio);

/* entry.S: 0: the guest ran (or its state was refused, see the exit reason); 1, 2: the instruction failed without and
 * with an error number. */
unsigned int vmx_enter_guest(uint64_t *gpr, bool launched);
void vmx_host_nmi(void);
void vmx_host_mce(void);
extern const char vmx_exit_label[];

#endif
