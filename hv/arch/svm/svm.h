/* Private to arch/svm/: the vendor's state of a vCPU and of a CPU, and what the files call in each other. */
#ifndef ARCH_SVM_SVM_H
#define ARCH_SVM_SVM_H

#include <stdbool.h>
#include <stdint.h>
#include "arch/svm/vmcb.h"
#include "arch/virt.h"

struct svm_vcpu {
	struct vmcb *vmcb;
	hpa_t vmcb_pa;
	uint32_t asid;                  /* valid while asid_cpu and asid_gen match */
	uint32_t asid_cpu;
	uint64_t asid_gen;
	bool nmi_masked;                /* an NMI is being handled: no other until its IRET */
	bool virq;                      /* an interrupt is on its way as a virtual one (see inject.c) */
	bool leave_soon;                /* it went through EVENTINJ on a processor that needs an exit right after */
	bool pause_exits;               /* const: virt_vcpu_config's */
	bool iret_seen;                 /* its IRET is about to execute at iret_rip */
	uint64_t iret_rip;
	bool stepping;                  /* over that IRET, because another NMI waits (see inject.c) */
	bool step_trap;                 /* the guest's own RFLAGS.TF before it */
};

/* One a CPU; this_cpu()->virt. */
struct svm_cpu {
	struct vmcb *host;              /* host state for VMLOAD after each exit */
	hpa_t host_pa;
	hpa_t hsave_pa;
	unsigned int id;                /* struct cpu's */
	uint32_t next_asid, max_asid;
	uint64_t asid_gen;
};

/* What this processor offers beyond the required; const after start-up. */
struct svm_caps {
	bool nrip, decode, flush_by_asid, pause_filter, pause_threshold;
	bool eventinj_repeats;          /* emulator's fault: see inject.c */
	uint32_t asids;
};
extern struct svm_caps svm_caps;

/* caps.c: -ENODEV: no SVM at all, nothing logged; -EOPNOTSUPP: it lacks or forbids something, one clear line logged. */
int svm_caps_read(void);
int svm_cpu_up(void);
/* msrpm.c: shared permission maps; physical addresses. */
int svm_maps_init(void);
hpa_t svm_msrpm(void);
hpa_t svm_iopm(bool direct, const uint16_t *trapped);
/* exit.c */
void svm_decode_exit(struct arch_vcpu *v, struct svm_vcpu *s, struct vmexit *e);
/* state.c */
extern struct p2m_format const svm_npt_format;
void svm_get_seg(const struct arch_vcpu *v, enum vseg seg, struct emul_segment *s);
void svm_get_code(const struct arch_vcpu *v, struct virt_code *c);
void svm_set_seg(struct arch_vcpu *v, enum vseg seg, const struct emul_segment *s);
void svm_get_sys(const struct arch_vcpu *v, struct sys_regs *s);
void svm_set_sys(struct arch_vcpu *v, const struct sys_regs *s, unsigned int which);
unsigned int svm_cpl(const struct arch_vcpu *v);
int svm_msr_read(const struct arch_vcpu *v, uint32_t msr, uint64_t *value);
int svm_msr_write(struct arch_vcpu *v, uint32_t msr, uint64_t value);
void svm_dump(const struct arch_vcpu *v);
/* inject.c */
/* After an exit, while s->virq: what was not taken becomes e->interrupted. */
void svm_collect_virq(struct svm_vcpu *s, struct vmexit *e);
void svm_inject(struct arch_vcpu *v, const struct vm_event *e);
bool svm_can_take(const struct arch_vcpu *v, enum virt_window w);
void svm_want_window(struct arch_vcpu *v, enum virt_window w, bool on);
bool svm_get_shadow(const struct arch_vcpu *v);
void svm_set_shadow(struct arch_vcpu *v, bool on);
/* After the exit that ends a step; true: it was the step's own, and nothing of it is the guest's. */
bool svm_end_step(struct arch_vcpu *v);
/* vmcb.c */
int svm_vcpu_init(struct arch_vcpu *v, const struct virt_vcpu_config *config);
void svm_vcpu_free(struct arch_vcpu *v);
void svm_vcpu_reset(struct arch_vcpu *v);
/* enter.c */
void svm_enter(struct arch_vcpu *v, struct vmexit *e);
void svm_flush(struct arch_vcpu *v);
void svm_set_tsc_offset(struct arch_vcpu *v, int64_t offset);
/* entry.S: GIF is clear inside; general registers are exchanged with regs, rax and rsp through the VMCB. */
/* VMSAVE of the host state that a guest exchanges (FS, GS, TR, SYSCALL MSRs). */
void svm_save_host(uint64_t host_pa);
void svm_enter_guest(uint64_t *gpr, uint64_t vmcb_pa, uint64_t host_pa);

#endif
