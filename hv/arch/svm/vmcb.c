/*
 * Building and resetting a VMCB.
 *
 * Owns: which events leave the guest. Follows AMD APM volume 2, "Secure Virtual Machine".
 */
#include "arch/x86.h"
#include "arch/svm/svm.h"
#include "core/heap.h"
#include "core/page_alloc.h"
#include "lib/err.h"
#include "lib/mem.h"


#define PAT_RESET 0x0007040600070406ull

/* #DB and #AC are intercepted because a guest can make the processor loop delivering them. */
#define INTERCEPTED_EXCEPTIONS (1u << 1 | 1u << 17 | 1u << 18)

/*
 * A loop of so many PAUSE, each within so many cycles of the one before, is a wait that yielding shortens (AMD APM volume 2,
 * "Pause Intercept Filtering"). Without the filter every PAUSE leaves the guest.
 */
#define PAUSE_COUNT     3000
#define PAUSE_THRESHOLD 128

static void intercept_pause(struct vmcb *c)
{
	c->intercept1 |= SVM_I1_PAUSE;
	c->pause_count = svm_caps.pause_filter ? PAUSE_COUNT : 0;
	c->pause_threshold = svm_caps.pause_threshold ? PAUSE_THRESHOLD : 0;
}

static void set_intercepts(struct vmcb *c)
{
	c->exceptions = INTERCEPTED_EXCEPTIONS;
	c->intercept1 = SVM_I1_INTR | SVM_I1_NMI | SVM_I1_INIT | SVM_I1_RDPMC | SVM_I1_CPUID |
			SVM_I1_RSM | SVM_I1_INVD | SVM_I1_HLT | SVM_I1_INVLPGA | SVM_I1_IOIO |
			SVM_I1_MSR | SVM_I1_TASK | SVM_I1_FERR | SVM_I1_SHUTDOWN;
	c->intercept2 = SVM_I2_VMRUN | SVM_I2_VMMCALL | SVM_I2_VMLOAD | SVM_I2_VMSAVE |
			SVM_I2_STGI | SVM_I2_CLGI | SVM_I2_SKINIT | SVM_I2_ICEBP | SVM_I2_WBINVD |
			SVM_I2_MONITOR | SVM_I2_MWAIT | SVM_I2_XSETBV | SVM_I2_RDPRU;
}

int svm_vcpu_init(struct arch_vcpu *v, const struct virt_vcpu_config *config)
{
	struct svm_vcpu *s = heap_new(struct svm_vcpu);
	if (s == NULL) {
		return -ENOMEM;
	}
	s->vmcb = page_alloc_virt();
	hpa_t iopm = svm_iopm(config->direct_io, config->trapped_ports);
	if (s->vmcb == NULL || iopm.v == 0) {
		page_free_virt(s->vmcb);
		heap_free(s);
		return -ENOMEM;
	}
	s->vmcb_pa = virt_hpa(s->vmcb);
	v->svm = s;
	v->p2m_root = config->p2m_root;
	v->p2m_gen = config->p2m_gen;
	s->pause_exits = config->pause_exits;
	s->vmcb->iopm = iopm.v;
	s->vmcb->msrpm = svm_msrpm().v;
	svm_vcpu_reset(v);
	return 0;
}

void svm_vcpu_free(struct arch_vcpu *v)
{
	if (v->svm != NULL) {
		page_free_virt(v->svm->vmcb);
		heap_free(v->svm);
		v->svm = NULL;
	}
}

/* Real mode at F000:FFF0 (AMD APM volume 2, "Processor Initialization State"). */
void svm_vcpu_reset(struct arch_vcpu *v)
{
	static const struct vmcb_seg data = { 0, 0x093, 0xffff, 0 };
	struct svm_vcpu *s = v->svm;
	struct vmcb *c = s->vmcb;
	uint64_t iopm = c->iopm, msrpm = c->msrpm;
	memset(c, 0, sizeof(*c));
	c->iopm = iopm;
	c->msrpm = msrpm;
	set_intercepts(c);
	if (s->pause_exits) {
		intercept_pause(c);
	}
	c->vintr = VINTR_MASKING;
	c->np_enable = 1;
	c->n_cr3 = v->p2m_root.v;
	c->tsc_offset = (uint64_t)v->tsc_offset;
	c->es = c->ss = c->ds = c->fs = c->gs = data;
	c->cs = (struct vmcb_seg){ 0xf000, 0x09b, 0xffff, 0xffff0000 };
	c->gdtr.limit = c->idtr.limit = 0xffff;
	c->ldtr = (struct vmcb_seg){ 0, 0x082, 0xffff, 0 };
	c->tr = (struct vmcb_seg){ 0, 0x08b, 0xffff, 0 };
	c->cr0 = CR0_ET | CR0_CD | CR0_NW;
	c->efer = EFER_SVME;
	c->dr6 = 0xffff0ff0;
	c->dr7 = 0x400;
	c->g_pat = PAT_RESET;
	s->asid_cpu = ~0u;
	s->nmi_masked = s->iret_seen = s->stepping = s->virq = s->leave_soon = false;
	memset(&v->regs, 0, sizeof(v->regs));
	v->regs.gpr[GPR_RDX] = 0x600;
	v->regs.rip = 0xfff0;
	v->regs.rflags = 2;
	v->injected.valid = false;
	memset(v->guest_dr, 0, sizeof(v->guest_dr));
	v->cr8 = 0;
}
