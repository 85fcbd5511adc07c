/*
 * enter.c, vmcb.c, caps.c: what goes into a VMRUN and comes out, when a translation may still be used (address-space
 * identifiers), the reset state, what a processor must have. The world switch itself is a function of this file.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "arch/hw.h"
#include "arch/irq.h"
#include "arch/machine.h"
#include "arch/svm/svm.h"
#include "arch/x86.h"
#include "arch/xstate.h"
#include "core/heap.h"
#include "core/log.h"
#include "core/percpu.h"
#include "fake/fake_pages.h"
#include "fake/suite.h"

static struct cpu cpu;
static struct svm_cpu host_cpu;
static struct arch_vcpu a, b;
static uint64_t p2m_gen;
static uint64_t dr[4], efer, hsave, vm_cr, aux;
static struct hw_cpuid_regs leaf_svm;
static uint32_t max_extended, features;
static unsigned int heap_live, heap_fail, saves, loads;
static const struct virt_vcpu_config config = { .p2m_root = HPA(0x77000), .p2m_gen = &p2m_gen };

/* What VMRUN saw, and what it leaves behind. */
static struct vmcb seen;
static void (*guest)(struct vmcb *c, uint64_t *gpr);

struct cpu *hw_cpu_base(void) { return &cpu; }
uint64_t hw_read_dr(unsigned int n) { return dr[n]; }
void hw_write_dr(unsigned int n, uint64_t v) { dr[n] = v; }
void xstate_load(struct arch_vcpu *v) { loads++; }
void xstate_save(struct arch_vcpu *v) { saves++; }
void log_at(enum log_level level, const char *fmt, ...) { }
void svm_save_host(uint64_t host_pa) { }

uint64_t hw_rdmsr(uint32_t msr)
{
	return msr == MSR_EFER ? efer : msr == MSR_AMD_VM_CR ? vm_cr : 0;
}

void hw_wrmsr(uint32_t msr, uint64_t v)
{
	uint64_t *slot = msr == MSR_EFER ? &efer : msr == MSR_AMD_VM_HSAVE ? &hsave : msr == MSR_TSC_AUX ? &aux : NULL;

	MUST(slot != NULL);
	*slot = v;
}

void hw_cpuid(uint32_t leaf, uint32_t subleaf, struct hw_cpuid_regs *r)
{
	*r = (struct hw_cpuid_regs){ 0 };
	if (leaf == 0x80000000) {
		r->eax = max_extended;
	} else if (leaf == 0x80000001) {
		r->ecx = features;
	} else if (leaf == 0x8000000a) {
		*r = leaf_svm;
	}
}

void *heap_alloc(size_t size)
{
	if (heap_fail != 0 && --heap_fail == 0) {
		return NULL;
	}
	heap_live++;
	return calloc(1, size);
}

void heap_free(void *p)
{
	heap_live -= p != NULL;
	free(p);
}

void svm_enter_guest(uint64_t *gpr, uint64_t vmcb_pa, uint64_t host_pa)
{
	struct vmcb *c = hpa_virt(HPA(vmcb_pa));

	MUST(host_pa == 0x123000);
	seen = *c;
	c->exitcode = SVM_EXIT_HLT;
	if (guest != NULL) {
		guest(c, gpr);
	}
}

static unsigned int kicks;

void machine_send_ipi(unsigned int to, uint8_t vector)
{
	MUST(to == cpu.id && vector == IRQ_VECTOR_KICK);
	kicks++;
}

static void setup(void)
{
	fake_pages_reset();
	memset(&cpu, 0, sizeof(cpu));
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	host_cpu = (struct svm_cpu){ .host_pa = HPA(0x123000), .next_asid = 1, .max_asid = 3, .asid_gen = 1, .id = 4 };
	cpu.id = 4;
	cpu.virt = &host_cpu;
	p2m_gen = 1;
	guest = NULL;
	svm_caps = (struct svm_caps){ .nrip = true, .asids = 4 };
	heap_live = heap_fail = saves = loads = 0;
	ck_assert_int_eq(svm_maps_init(), 0);
	ck_assert_int_eq(svm_vcpu_init(&a, &config), 0);
	ck_assert_int_eq(svm_vcpu_init(&b, &config), 0);
	max_extended = 0x8000000a;
	features = 4;
	vm_cr = 0;
	leaf_svm = (struct hw_cpuid_regs){ 1, 0x8000, 0, 0xffffffff };
}

static void enter(struct arch_vcpu *v)
{
	struct vmexit e;

	svm_enter(v, &e);
	ck_assert_int_eq(e.kind, VMEXIT_HLT);
}

/* Enter; the identifier that was used, with 0x100 when everything was flushed. */
static unsigned int asid(struct arch_vcpu *v)
{
	enter(v);
	ck_assert(seen.tlb_control == 0 || seen.tlb_control == 1);
	return seen.asid | (unsigned int)seen.tlb_control << 8;
}

START_TEST(test_leave_soon)
{
	kicks = 0;
	a.svm->leave_soon = true;
	enter(&a);
	enter(&a);
	ck_assert_uint_eq(kicks, 1);
}
END_TEST

START_TEST(test_asid)
{
	ck_assert_uint_eq(asid(&a), 1);
	ck_assert_uint_eq(asid(&a), 1);
	ck_assert_uint_eq(asid(&b), 2);
	ck_assert_uint_eq(asid(&a), 1);
	/* The map changed: nothing old is used, by either. */
	p2m_gen++;
	ck_assert_uint_eq(asid(&a), 3);
	ck_assert_uint_eq(asid(&a), 3);
	/* Identifiers are used up: everything goes, and then also the others' are new. */
	ck_assert_uint_eq(asid(&b), 0x101);
	ck_assert_uint_eq(asid(&b), 1);
	ck_assert_uint_eq(asid(&a), 2);
	ck_assert_uint_eq(asid(&a), 2);
	svm_flush(&a);
	ck_assert_uint_eq(asid(&a), 3);
	svm_flush(&a);
	ck_assert_uint_eq(asid(&a), 0x101);
	ck_assert_uint_eq(asid(&b), 2);
}
END_TEST

START_TEST(test_asid_moves)
{
	static struct svm_cpu second = { .host_pa = HPA(0x123000), .next_asid = 1, .max_asid = 3, .asid_gen = 1,
					 .id = 5 };

	ck_assert_uint_eq(asid(&b), 1);
	ck_assert_uint_eq(asid(&a), 2);
	/* Another CPU numbers by itself. */
	cpu.id = 5;
	cpu.virt = &second;
	ck_assert_uint_eq(asid(&a), 1);
	ck_assert_uint_eq(asid(&a), 1);
	/* Back: what the first CPU remembers under the old number may be old. */
	cpu.id = 4;
	cpu.virt = &host_cpu;
	ck_assert_uint_eq(asid(&a), 3);
	ck_assert_uint_eq(asid(&b), 1);
}
END_TEST

static void changes(struct vmcb *c, uint64_t *gpr)
{
	ck_assert_uint_eq(gpr[GPR_RBX], 0xb);
	c->rax = 0xaa;
	c->rsp = 0x55;
	c->rip = 0x2000;
	c->rflags = 0x246;
	gpr[GPR_RBX] = 0xbb;
	c->vintr = (c->vintr & ~0xffull) | 9;
}

START_TEST(test_registers)
{
	a.regs.gpr[GPR_RAX] = 0xa;
	a.regs.gpr[GPR_RBX] = 0xb;
	a.regs.gpr[GPR_RSP] = 0x5;
	a.regs.rip = 0x1000;
	a.regs.rflags = 0x202;
	a.cr8 = 7;
	a.svm->vmcb->eventinj = 0x80000306;
	guest = changes;
	enter(&a);
	ck_assert_uint_eq(seen.rax, 0xa);
	ck_assert_uint_eq(seen.rsp, 5);
	ck_assert_uint_eq(seen.rip, 0x1000);
	ck_assert_uint_eq(seen.rflags, 0x202);
	ck_assert_uint_eq(seen.vintr, VINTR_MASKING | 7);
	ck_assert_uint_eq(seen.eventinj, 0x80000306);
	ck_assert_uint_eq(seen.n_cr3, 0x77000);
	ck_assert_uint_eq(a.regs.gpr[GPR_RAX], 0xaa);
	ck_assert_uint_eq(a.regs.gpr[GPR_RBX], 0xbb);
	ck_assert_uint_eq(a.regs.gpr[GPR_RSP], 0x55);
	ck_assert_uint_eq(a.regs.rip, 0x2000);
	ck_assert_uint_eq(a.regs.rflags, 0x246);
	ck_assert_uint_eq(a.cr8, 9);
	/* An event is injected once. */
	guest = NULL;
	enter(&a);
	ck_assert_uint_eq(seen.eventinj, 0);
	svm_set_tsc_offset(&a, -5);
	enter(&a);
	ck_assert_uint_eq(seen.tsc_offset, (uint64_t)-5);
	ck_assert_int_eq(a.tsc_offset, -5);
}
END_TEST

START_TEST(test_switch)
{
	a.guest_dr[0] = 0x10;
	a.guest_dr[3] = 0x13;
	a.tsc_aux = 0x77;
	aux = 0;
	svm_ops.switch_in(&a);
	ck_assert_uint_eq(dr[0], 0x10);
	ck_assert_uint_eq(dr[3], 0x13);
	ck_assert_uint_eq(aux, 0);
	dr[1] = 0x21;
	svm_ops.switch_out(&a);
	ck_assert_uint_eq(a.guest_dr[1], 0x21);
	ck_assert_uint_eq(a.guest_dr[3], 0x13);
	a.tsc_aux_ok = true;
	svm_ops.switch_in(&a);
	ck_assert_uint_eq(aux, 0x77);
	ck_assert_uint_eq(loads, 2);
	ck_assert_uint_eq(saves, 1);
	ck_assert_mem_eq(svm_ops.hypercall_insn, "\x0f\x01\xd9", 3);
	ck_assert_ptr_eq(svm_ops.p2m, &svm_npt_format);
}
END_TEST

/* AMD APM volume 2, "Processor Initialization State". */
START_TEST(test_reset)
{
	struct emul_segment s;

	a.regs.gpr[GPR_RCX] = 5;
	a.injected.valid = true;
	a.svm->nmi_masked = true;
	a.guest_dr[2] = 7;
	a.cr8 = 3;
	a.tsc_offset = 0x1234;
	uint64_t iopm = a.svm->vmcb->iopm, msrpm = a.svm->vmcb->msrpm;
	a.svm->vmcb->eventinj = 0x80000306;
	svm_vcpu_reset(&a);
	ck_assert_uint_eq(a.regs.rip, 0xfff0);
	ck_assert_uint_eq(a.regs.rflags, 2);
	ck_assert_uint_eq(a.regs.gpr[GPR_RDX], 0x600);
	ck_assert_uint_eq(a.regs.gpr[GPR_RCX], 0);
	svm_get_seg(&a, VSEG_CS, &s);
	ck_assert(s.sel == 0xf000 && s.base == 0xffff0000 && s.limit == 0xffff && s.attr == 0x9b);
	svm_get_seg(&a, VSEG_SS, &s);
	ck_assert(s.sel == 0 && s.base == 0 && s.limit == 0xffff && s.attr == 0x93);
	const struct vmcb *c = a.svm->vmcb;
	ck_assert_uint_eq(c->cr0, 0x60000010);
	ck_assert_uint_eq(c->cr3 | c->cr4 | c->cr2, 0);
	ck_assert_uint_eq(c->efer, EFER_SVME);
	ck_assert_uint_eq(c->dr6, 0xffff0ff0);
	ck_assert_uint_eq(c->dr7, 0x400);
	ck_assert_uint_eq(c->g_pat, 0x0007040600070406ull);
	ck_assert(c->gdtr.limit == 0xffff && c->idtr.limit == 0xffff && c->gdtr.base == 0);
	ck_assert_uint_eq(c->iopm, iopm);
	ck_assert_uint_eq(c->msrpm, msrpm);
	ck_assert_uint_eq(c->np_enable, 1);
	ck_assert_uint_eq(c->n_cr3, 0x77000);
	ck_assert_uint_eq(c->tsc_offset, 0x1234);
	ck_assert_uint_eq(c->eventinj, 0);
	ck_assert_uint_eq(c->vintr, VINTR_MASKING);
	ck_assert(!a.injected.valid && !a.svm->nmi_masked && a.guest_dr[2] == 0 && a.cr8 == 0);
	/* What must never run in a guest unseen */
	ck_assert_uint_eq(c->intercept2 & 0x7f, 0x7f);
	ck_assert_uint_eq(c->intercept1 & (SVM_I1_INTR | SVM_I1_NMI | SVM_I1_INIT | SVM_I1_IOIO | SVM_I1_MSR |
		SVM_I1_SHUTDOWN | SVM_I1_INVLPGA | SVM_I1_HLT | SVM_I1_CPUID | SVM_I1_INVD | SVM_I1_RSM),
		SVM_I1_INTR | SVM_I1_NMI | SVM_I1_INIT | SVM_I1_IOIO | SVM_I1_MSR | SVM_I1_SHUTDOWN |
		SVM_I1_INVLPGA | SVM_I1_HLT | SVM_I1_CPUID | SVM_I1_INVD | SVM_I1_RSM);
	/* A guest can loop a processor in these. */
	ck_assert_uint_eq(c->exceptions & (1u << EXC_DB | 1u << EXC_AC), 1u << EXC_DB | 1u << EXC_AC);
}
END_TEST

START_TEST(test_no_memory)
{
	struct arch_vcpu v;
	unsigned int used = fake_pages.used, live = heap_live;

	memset(&v, 0, sizeof(v));
	heap_fail = 1;
	ck_assert_int_eq(svm_vcpu_init(&v, &config), -ENOMEM);
	heap_fail = 0;
	fake_pages.fail_at = fake_pages.allocs + 1;
	ck_assert_int_eq(svm_vcpu_init(&v, &config), -ENOMEM);
	ck_assert_ptr_null(v.svm);
	fake_pages.fail_at = 0;
	ck_assert_uint_eq(fake_pages.used, used);
	ck_assert_uint_eq(heap_live, live);
	ck_assert_int_eq(svm_vcpu_init(&v, &config), 0);
	svm_vcpu_free(&v);
	svm_vcpu_free(&v);
	ck_assert_uint_eq(fake_pages.used, used);
	ck_assert_uint_eq(heap_live, live);
}
END_TEST

START_TEST(test_caps)
{
	ck_assert_int_eq(svm_caps_read(), 0);
	ck_assert(svm_caps.nrip && svm_caps.decode && svm_caps.flush_by_asid);
	ck_assert_uint_eq(svm_caps.asids, 0x8000);
	leaf_svm.edx = 1;
	ck_assert_int_eq(svm_caps_read(), 0);
	ck_assert(!svm_caps.nrip && !svm_caps.decode && !svm_caps.flush_by_asid);
	leaf_svm.edx = 0xfffffffe;
	ck_assert_int_eq(svm_caps_read(), -EOPNOTSUPP);
	leaf_svm.edx = ~0u;
	/* Identifier 0 is the host's: at least one more. */
	leaf_svm.ebx = 1;
	ck_assert_int_eq(svm_caps_read(), -EOPNOTSUPP);
	leaf_svm.ebx = 2;
	ck_assert_int_eq(svm_caps_read(), 0);
	vm_cr = 1 << 4;
	ck_assert_int_eq(svm_caps_read(), -EOPNOTSUPP);
	vm_cr = 0;
	features = 0;
	ck_assert_int_eq(svm_caps_read(), -ENODEV);
	features = 4;
	max_extended = 0x80000008;
	ck_assert_int_eq(svm_caps_read(), -ENODEV);
}
END_TEST

START_TEST(test_cpu_up)
{
	svm_caps.asids = 16;
	efer = EFER_LME | EFER_LMA;
	ck_assert_int_eq(svm_cpu_up(), 0);
	struct svm_cpu *c = cpu.virt;
	ck_assert_uint_eq(efer, EFER_LME | EFER_LMA | EFER_SVME);
	ck_assert_uint_eq(hsave, c->hsave_pa.v);
	ck_assert_uint_ne(c->hsave_pa.v, c->host_pa.v);
	ck_assert_uint_eq(hsave & 0xfff, 0);
	ck_assert_uint_eq(c->max_asid, 15);
	ck_assert_uint_eq(c->next_asid, 1);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_leave_soon, test_asid, test_asid_moves, test_registers, test_switch, test_reset,
		test_no_memory, test_caps, test_cpu_up, NULL };

	return suite_run("svm_enter", setup, tests);
}
