/*
 * A vCPU of this layer: creation, reset, start states, INIT and SIPI, switch hooks, TSC.
 *
 * Its local APIC's connections to the world are here too. Locking: hvm_state.h says it by member.
 */
#include <stddef.h>
#include <stdint.h>
#include <xen/vcpu.h>
#include <xen/hvm/save.h>
#include "arch/hw.h"
#include "arch/irq.h"
#include "arch/x86.h"
#include "arch/xstate.h"
#include "core/heap.h"
#include "core/percpu.h"
#include "core/time.h"
#include "dom/shared_info.h"
#include "hvm/exit_cr.h"
#include "hvm/hvm.h"
#include "hvm/hvm_pc.h"
#include "hvm/hvm_state.h"
#include "lib/atomic.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/tscratio.h"

/* What a guest may be told that its TSC counts: below, the scale of its clock loses bits; above, no processor is. */
#define TSC_KHZ_MIN 100000u
#define TSC_KHZ_MAX 16000000u

/* ---- the local APIC's world ---- */

static uint64_t lapic_now(void *ctx)
{
	return hvm_now(((struct vcpu *)ctx)->domain);
}

static uint64_t lapic_tsc(void *ctx)
{
	return hvm_guest_tsc(ctx, hw_rdtsc());
}

static uint64_t lapic_tsc_to_ns(void *ctx, uint64_t guest_tsc)
{
	const struct vcpu *v = ctx;
	uint64_t host_tsc = tscratio_undo(v->arch.tsc_ratio, guest_tsc - (uint64_t)v->arch.tsc_offset);
	return time_from_tsc(host_tsc) - v->domain->created_ns;
}

static void lapic_timer_set(void *ctx, uint64_t deadline_ns)
{
	struct vcpu *v = ctx;
	timer_set(&v->hvm->lapic_timer, deadline_ns == 0 ? 0 : deadline_ns + v->domain->created_ns);
}

/* The APIC belongs to the vCPU's own loop: leave it a note. */
static void lapic_timer_fired(void *arg)
{
	struct vcpu *v = arg;
	WRITE_ONCE(v->hvm->lapic_fired, true);
	vcpu_kick(v);
}

static void lapic_ipi(void *ctx, const struct apic_msg *m)
{
	struct vcpu *v = ctx;
	hvm_deliver(v->domain, m, v);
}

static void lapic_eoi(void *ctx, uint8_t vector)
{
	struct vcpu *v = ctx;
	struct hvm_domain *h = v->domain->hvm;
	if (!h->has_pc) {
		irq_ack_level(vector);
		return;
	}
	spin_lock(&h->lock);
	vioapic_eoi(&h->ioapic, vector);
	spin_unlock(&h->lock);
}

/* An upcall that came while the APIC was off is signalled now. */
static void lapic_enabled(void *ctx)
{
	struct vcpu *v = ctx;
	if (shared_info_upcall_pending(v)) {
		hvm_upcall(v);
	}
}

static void lapic_dest_changed(void *ctx)
{
	struct vcpu *v = ctx;
	if (!v->domain->hvm->has_pc && v == current_vcpu()) {
		irq_set_logical_dest(v->hvm->lapic.ldr, v->hvm->lapic.dfr);
	}
}

/* ---- create, reset, free ---- */

static const uint16_t dom0_trapped_ports[] = {
	0x20, 0x21, 0xa0, 0xa1, 0x40, 0x43, 0x61, 0x61,         /* 8259 pair, 8254: absent */
	0x3f8, 0x3ff,                                           /* the hypervisor's console */
	0, 0
};

static uint32_t initial_apic_id(const struct vcpu *v)
{
	const struct hvm_domain *h = v->domain->hvm;
	return h->has_pc ? topology_apic_id(&h->topology, v->id) : cpus[v->unit.cpu]->apic_id;
}

static bool host_has_tsc_aux(void)
{
	struct hw_cpuid_regs r;
	hw_cpuid(0x80000001, 0, &r);
	return r.edx >> 27 & 1;
}

/* A guest's TSC starts with its domain, at the domain's rate; Dom0's is the machine's. */
static int start_tsc(struct vcpu *v)
{
	const struct domain *d = v->domain;
	uint64_t ratio = d->tsc_khz != 0 ? tscratio_make(time_tsc_khz(), d->tsc_khz) : 0;
	int rc = virt->set_tsc_ratio != NULL ? virt->set_tsc_ratio(&v->arch, ratio) : 0;
	uint64_t at_start = tscratio_apply(v->arch.tsc_ratio, time_to_tsc(d->created_ns));
	virt->set_tsc_offset(&v->arch, d->hvm->has_pc ? -(int64_t)at_start : 0);
	return rc;
}

int hvm_vcpu_init(struct vcpu *v)
{
	struct domain *d = v->domain;
	const struct virt_vcpu_config config = {
		.p2m_root = d->p2m.root,
		.p2m_gen = &d->p2m.gen,
		.direct_io = !d->hvm->has_pc,
		.trapped_ports = dom0_trapped_ports,
		.pause_exits = d->hvm->has_pc && d->max_vcpus > 1,
	};
	v->hvm = heap_new(struct hvm_vcpu);
	if (v->hvm == NULL) {
		return -ENOMEM;
	}
	v->hvm->mmio_gpa = ~0ull;
	timer_init(&v->hvm->lapic_timer, lapic_timer_fired, v);
	v->hvm->lapic_host = (struct vlapic_host){
		.now_ns = lapic_now, .tsc = lapic_tsc, .tsc_to_ns = lapic_tsc_to_ns,
		.timer_set = lapic_timer_set, .ipi = lapic_ipi, .eoi = lapic_eoi,
		.enabled = lapic_enabled, .dest_changed = lapic_dest_changed, .ctx = v,
	};
	v->arch.tsc_aux_ok = host_has_tsc_aux();
	v->arch.last_cpu = ~0u;
	int rc = xstate_reset(&v->arch);
	if (rc == 0) {
		rc = virt->vcpu_init(&v->arch, &config);
	}
	if (rc != 0) {
		hvm_vcpu_free(v);
		return rc;
	}
	(void)start_tsc(v);
	vlapic_init(&v->hvm->lapic, &v->hvm->lapic_host, initial_apic_id(v), v->id == 0, d->hvm->has_pc);
	v->hvm->lapic.tick.policy = d->hvm->lapic_policy;
	v->hvm->misc_enable = 0x1801;           /* fast strings; no branch trace, no PEBS */
	v->hvm->wait_sipi = true;
	return 0;
}

void hvm_vcpu_free(struct vcpu *v)
{
	if (v->hvm != NULL) {
		if (v->domain->hvm->has_pc && READ_ONCE(v->domain->dying)) {
			/* a chip's interrupt may be on its way to this vCPU, from another CPU's timer */
			hvm_pc_stop(v->domain->hvm);
		}
		timer_stop(&v->hvm->lapic_timer);
		virt->vcpu_free(&v->arch);
		xstate_free(&v->arch);
		heap_free(v->hvm);
		v->hvm = NULL;
	}
}

void hvm_vcpu_reset(struct vcpu *v)
{
	struct hvm_vcpu *h = v->hvm;
	virt->vcpu_reset(&v->arch);
	h->pending.valid = false;
	h->wait_sipi = false;
	h->window_intr = h->window_tpr = false;
	h->code.page = h->code.gfn_page = NULL;
}

void hvm_vcpu_start_state(struct vcpu *v, uint64_t entry, uint64_t start_info)
{
	static const struct emul_segment code = { .attr = 0xc9b, .limit = ~0u };
	static const struct emul_segment data = { .attr = 0xc93, .limit = ~0u };
	static const struct emul_segment tr = { .attr = 0x08b, .limit = 0x67 };
	struct sys_regs s = { .cr0 = CR0_PE | CR0_ET, .dr6 = 0xffff0ff0, .dr7 = 0x400 };
	hvm_vcpu_reset(v);
	virt->set_sys(&v->arch, &s, SYS_ALL);
	virt->set_seg(&v->arch, VSEG_CS, &code);
	for (unsigned int i = 0; i <= VSEG_GS; i++) {
		if (i != VSEG_CS) {
			virt->set_seg(&v->arch, (enum vseg)i, &data);
		}
	}
	virt->set_seg(&v->arch, VSEG_TR, &tr);
	memset(&v->arch.regs, 0, sizeof(v->arch.regs));
	v->arch.regs.gpr[GPR_RBX] = start_info;
	v->arch.regs.rip = entry;
	v->arch.regs.rflags = 2;
}

/* ---- INIT and SIPI ---- */

static void start_at(struct vcpu *v, uint8_t vector)
{
	struct emul_segment cs = { .sel = (uint16_t)(vector << 8), .attr = 0x09b, .limit = 0xffff,
				   .base = (uint64_t)vector << 12 };
	hvm_vcpu_reset(v);
	virt->set_seg(&v->arch, VSEG_CS, &cs);
	v->arch.regs.rip = 0;
	vcpu_start(v);
}

/* The boot processor starts over at the reset vector; any other waits for a start-up message. */
static void serve_init(struct vcpu *v)
{
	struct hvm_vcpu *h = v->hvm;
	vlapic_reset(&h->lapic, true);
	hvm_apic_changed(v);
	hvm_vcpu_reset(v);
	h->lapic_fired = false;
	WRITE_ONCE(h->nmi_pending, false);
	h->wait_sipi = !h->lapic.bsp;
	if (h->wait_sipi && v->online) {
		vcpu_park(v);
	} else if (!h->wait_sipi && !v->online) {
		vcpu_start(v);
	}
}

/*
 * A start-up message is heard only by a vCPU that waits for one, and an NMI that came meanwhile is lost (Intel SDM volume 3,
 * "Multiple-Processor (MP) Initialization"). An NMI wakes a vCPU that was halted with interrupts off.
 */
void hvm_serve_requests(struct vcpu *v)
{
	struct hvm_vcpu *h = v->hvm;
	if (load_acquire(&h->request) == 0) {
		if (!v->online && !h->wait_sipi && READ_ONCE(h->nmi_pending)) {
			vcpu_start(v);
		}
		return;
	}
	uint32_t request = atomic_xchg(&h->request, 0u);
	if (request & VREQ_INIT) {
		serve_init(v);
	}
	if ((request & VREQ_SIPI) && h->wait_sipi) {
		WRITE_ONCE(h->nmi_pending, false);
		start_at(v, (uint8_t)request);
	}
}

/* ---- on and off the CPU ---- */

static void hook_switch_out(struct sched_unit *u)
{
	struct vcpu *v = unit_vcpu(u);
	virt->switch_out(&v->arch);
	if (v->hvm->spec_ctrl != 0) {
		hw_wrmsr(MSR_SPEC_CTRL, 0);
	}
	vcpu_runstate_change(v, !v->online || v->blocked ? RUNSTATE_blocked : RUNSTATE_runnable);
}

static void hook_switch_in(struct sched_unit *u)
{
	struct vcpu *v = unit_vcpu(u);
	virt->switch_in(&v->arch);
	if (v->hvm->spec_ctrl != 0) {
		hw_wrmsr(MSR_SPEC_CTRL, v->hvm->spec_ctrl);
	}
	vcpu_runstate_change(v, RUNSTATE_running);
}

const struct sched_hooks vcpu_sched_hooks = {
	.switch_out = hook_switch_out,
	.switch_in = hook_switch_in,
};

uint64_t hvm_guest_tsc(struct vcpu *v, uint64_t host_tsc)
{
	return tscratio_apply(v->arch.tsc_ratio, host_tsc) + (uint64_t)v->arch.tsc_offset;
}

int hvm_set_tsc_khz(struct domain *d, uint32_t khz)
{
	uint32_t old = d->tsc_khz;
	int rc = 0;
	if (khz == time_tsc_khz()) {
		khz = 0;
	}
	if (khz != 0 && (!d->hvm->has_pc || virt->set_tsc_ratio == NULL)) {
		return -EOPNOTSUPP;
	}
	if (khz != 0 && (khz < TSC_KHZ_MIN || khz > TSC_KHZ_MAX)) {
		return -EINVAL;
	}
	for (unsigned int i = 0; i < d->max_vcpus; i++) {
		if (d->vcpu[i] != NULL && d->vcpu[i]->online) {
			return -EBUSY;
		}
	}
	d->tsc_khz = khz;
	for (unsigned int i = 0; rc == 0 && i < d->max_vcpus; i++) {
		if (d->vcpu[i] != NULL) {
			rc = start_tsc(d->vcpu[i]);
			shared_info_time_update(d->vcpu[i]);
		}
	}
	d->tsc_khz = rc == 0 ? khz : old;
	return rc;
}

/* ---- the ABI's save record ---- */

static const struct {
	uint16_t sel, limit, base, arbytes;
	uint8_t seg;
} seg_fields[] = {
#define ROW(name, id)                                                                                   \
	{ offsetof(struct hvm_hw_cpu, name##_sel), offsetof(struct hvm_hw_cpu, name##_limit),           \
	  offsetof(struct hvm_hw_cpu, name##_base), offsetof(struct hvm_hw_cpu, name##_arbytes), id }
	ROW(cs, VSEG_CS), ROW(ds, VSEG_DS), ROW(es, VSEG_ES), ROW(fs, VSEG_FS),
	ROW(gs, VSEG_GS), ROW(ss, VSEG_SS), ROW(tr, VSEG_TR), ROW(ldtr, VSEG_LDTR),
#undef ROW
};

static uint64_t *gpr_field(struct hvm_hw_cpu *r, unsigned int i)
{
	uint64_t *const fields[GPR_COUNT] = { &r->rax, &r->rcx, &r->rdx, &r->rbx, &r->rsp, &r->rbp,
					      &r->rsi, &r->rdi, &r->r8, &r->r9, &r->r10, &r->r11,
					      &r->r12, &r->r13, &r->r14, &r->r15 };
	return fields[i];
}

static const struct {
	uint32_t msr;
	uint16_t offset;
} msr_fields[] = {
	{ MSR_SYSENTER_CS, offsetof(struct hvm_hw_cpu, sysenter_cs) },
	{ MSR_SYSENTER_ESP, offsetof(struct hvm_hw_cpu, sysenter_esp) },
	{ MSR_SYSENTER_EIP, offsetof(struct hvm_hw_cpu, sysenter_eip) },
	{ MSR_KERNEL_GS_BASE, offsetof(struct hvm_hw_cpu, shadow_gs) },
	{ MSR_LSTAR, offsetof(struct hvm_hw_cpu, msr_lstar) },
	{ MSR_STAR, offsetof(struct hvm_hw_cpu, msr_star) },
	{ MSR_CSTAR, offsetof(struct hvm_hw_cpu, msr_cstar) },
	{ MSR_SFMASK, offsetof(struct hvm_hw_cpu, msr_syscall_mask) },
};

void hvm_get_cpu(struct vcpu *v, struct hvm_hw_cpu *r)
{
	struct sys_regs s;
	memset(r, 0, sizeof(*r));
	virt->get_sys(&v->arch, &s);
	for (unsigned int i = 0; i < GPR_COUNT; i++) {
		*gpr_field(r, i) = v->arch.regs.gpr[i];
	}
	r->rip = v->arch.regs.rip;
	r->rflags = v->arch.regs.rflags;
	r->cr0 = s.cr0;
	r->cr2 = s.cr2;
	r->cr3 = s.cr3;
	r->cr4 = s.cr4;
	r->msr_efer = s.efer;
	r->dr0 = v->arch.guest_dr[0];
	r->dr1 = v->arch.guest_dr[1];
	r->dr2 = v->arch.guest_dr[2];
	r->dr3 = v->arch.guest_dr[3];
	r->dr6 = s.dr6;
	r->dr7 = s.dr7;
	r->gdtr_base = s.gdt_base;
	r->gdtr_limit = s.gdt_limit;
	r->idtr_base = s.idt_base;
	r->idtr_limit = s.idt_limit;
	for (unsigned int i = 0; i < ARRAY_SIZE(seg_fields); i++) {
		struct emul_segment seg;
		virt->get_seg(&v->arch, seg_fields[i].seg, &seg);
		*(uint32_t *)((char *)r + seg_fields[i].sel) = seg.sel;
		*(uint32_t *)((char *)r + seg_fields[i].limit) = seg.limit;
		*(uint64_t *)((char *)r + seg_fields[i].base) = seg.base;
		*(uint32_t *)((char *)r + seg_fields[i].arbytes) = seg.attr;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(msr_fields); i++) {
		(void)virt->msr_read(&v->arch, msr_fields[i].msr,
				     (uint64_t *)((char *)r + msr_fields[i].offset));
	}
	memcpy(r->fpu_regs, v->arch.xsave, sizeof(r->fpu_regs));
	r->msr_tsc_aux = v->arch.tsc_aux;
	r->tsc = hvm_guest_tsc(v, hw_rdtsc());
	r->flags = XEN_X86_FPU_INITIALISED;
}

static bool cpu_record_ok(const struct domain *d, const struct hvm_hw_cpu *r)
{
	bool lma = r->msr_efer & EFER_LMA;
	bool paging = r->cr0 & CR0_PG;
	if (r->cr0 >> 32 != 0 || (paging && !(r->cr0 & CR0_PE)) || (r->cr4 & ~hvm_cr4_allowed(d)) != 0 ||
	    (r->msr_efer & ~(virt->efer_bits | EFER_LMA)) != 0) {
		return false;
	}
	return !lma || (paging && (r->msr_efer & EFER_LME) && (r->cr4 & CR4_PAE));
}

static void set_cpu_segments(struct vcpu *v, const struct hvm_hw_cpu *r)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(seg_fields); i++) {
		const char *p = (const char *)r;
		struct emul_segment seg = {
			.sel = (uint16_t)*(const uint32_t *)(p + seg_fields[i].sel),
			.limit = *(const uint32_t *)(p + seg_fields[i].limit),
			.base = *(const uint64_t *)(p + seg_fields[i].base),
			.attr = (uint16_t)(*(const uint32_t *)(p + seg_fields[i].arbytes) & 0xfff),
		};
		virt->set_seg(&v->arch, seg_fields[i].seg, &seg);
	}
}

int hvm_set_cpu(struct vcpu *v, const struct hvm_hw_cpu *r)
{
	if (!cpu_record_ok(v->domain, r)) {
		return -EINVAL;
	}
	struct sys_regs s = {
		.cr0 = r->cr0, .cr2 = r->cr2, .cr3 = r->cr3, .cr4 = r->cr4, .efer = r->msr_efer,
		.dr6 = (r->dr6 & 0x1e00f) | 0xffff0ff0, .dr7 = (r->dr7 & 0xffff2bff) | 0x400,
		.gdt_base = r->gdtr_base, .gdt_limit = r->gdtr_limit,
		.idt_base = r->idtr_base, .idt_limit = r->idtr_limit,
	};
	hvm_vcpu_reset(v);
	virt->set_sys(&v->arch, &s, SYS_ALL);
	set_cpu_segments(v, r);
	for (unsigned int i = 0; i < GPR_COUNT; i++) {
		v->arch.regs.gpr[i] = *gpr_field((struct hvm_hw_cpu *)(uintptr_t)r, i);
	}
	v->arch.regs.rip = r->rip;
	v->arch.regs.rflags = (r->rflags & 0x3f7fd5) | 2;
	v->arch.guest_dr[0] = r->dr0;
	v->arch.guest_dr[1] = r->dr1;
	v->arch.guest_dr[2] = r->dr2;
	v->arch.guest_dr[3] = r->dr3;
	for (unsigned int i = 0; i < ARRAY_SIZE(msr_fields); i++) {
		(void)hvm_msr_write(v, msr_fields[i].msr,
				    *(const uint64_t *)((const char *)r + msr_fields[i].offset));
	}
	v->arch.tsc_aux = (uint32_t)r->msr_tsc_aux;
	int rc = hvm_load_pdptes(v);
	return rc != 0 ? rc : xstate_reset(&v->arch);
}
