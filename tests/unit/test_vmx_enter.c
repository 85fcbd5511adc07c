/*
 * enter.c, vmcs.c, msrs.c, caps.c: which VMCS is current when, when a translation may still be used, what an entry
 * writes and an exit reads, the MSRs that go with a vCPU, what a processor must have. The machine is in this file.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "arch/hw.h"
#include "arch/x86.h"
#include "arch/xstate.h"
#include "core/cmdline.h"
#include "core/heap.h"
#include "core/log.h"
#include "core/percpu.h"
#include "core/time.h"
#include "fake/fake_pages.h"
#include "fake/suite.h"
#include "fake/vmx_fake.h"
#include "lib/tscratio.h"
#include "lib/util.h"

#define VMCS_COUNT 4

struct cmdline cmdline;
unsigned int cpu_count;
const char vmx_exit_label[1];

static struct cpu cpu;
static struct vmx_cpu host_cpu;
static struct arch_vcpu a, b;
static uint64_t p2m_gen, dr[8], cr2, cr4, msr[16], feature_control, gdt[5];
static struct vmx_cap_msrs cap;
static unsigned int invepts, invvpids, nmis, mces, heap_live, saves, loads, entry_result;
static bool has_vmx;
static const uint16_t trapped[] = { 0x20, 0x21, 0xcf8, 0xcff, 0, 0 };
static const struct virt_vcpu_config config = { .p2m_root = HPA(0x77000), .p2m_gen = &p2m_gen };
static const struct virt_vcpu_config direct = { .p2m_root = HPA(0x78000), .p2m_gen = &p2m_gen, .direct_io = true,
						.trapped_ports = trapped };

/* ---- the machine: VMCSs by physical address ---- */

static struct {
	uint64_t pa;
	bool active, launched;
	uint64_t field[VMX_FAKE_FIELDS];
} vmcs[VMCS_COUNT];
static int current;
static uint32_t next_reason;

static int find_vmcs(uint64_t pa)
{
	for (int i = 0; i < VMCS_COUNT; i++) {
		if (vmcs[i].pa == pa || vmcs[i].pa == 0) {
			vmcs[i].pa = pa;
			return i;
		}
	}
	abort();
}

bool vmx_clear(uint64_t pa)
{
	int i = find_vmcs(pa);
	vmcs[i].active = vmcs[i].launched = false;
	current = i == current ? -1 : current;
	return true;
}

bool vmx_load(uint64_t pa)
{
	current = find_vmcs(pa);
	vmcs[current].active = true;
	return true;
}

uint64_t vmx_read(uint32_t field)
{
	MUST(current >= 0 && field < VMX_FAKE_FIELDS);
	return vmcs[current].field[field];
}

void vmx_write(uint32_t field, uint64_t value)
{
	MUST(current >= 0 && field < VMX_FAKE_FIELDS);
	vmcs[current].field[field] = value;
}

static uint64_t *of(const struct arch_vcpu *v)
{
	return vmcs[find_vmcs(v->vmx->vmcs_pa.v)].field;
}

unsigned int vmx_enter_guest(uint64_t *gpr, bool launched)
{
	MUST(current >= 0 && launched == vmcs[current].launched);
	if (entry_result != 0) {
		vmx_write(VMCS_INSN_ERROR, 7);
		return entry_result;
	}
	vmcs[current].launched = true;
	gpr[GPR_RAX]++;
	vmx_write(VMCS_EXIT_REASON, next_reason);
	vmx_write(VMCS_EXIT_INSN_LEN, 1);
	vmx_write(VMCS_GUEST_RIP, vmx_read(VMCS_GUEST_RIP) + 5);
	cr2++;
	return 0;
}

bool vmx_on(uint64_t region_pa) { return true; }
bool vmx_invept(uint64_t type, uint64_t ept_pointer) { invepts++; return true; }
bool vmx_invvpid(uint64_t type, uint16_t vpid) { invvpids++; return true; }
void vmx_sidt(struct hw_table *t) { *t = (struct hw_table){ 0xfff, 0x5000 }; }
void vmx_sgdt(struct hw_table *t) { *t = (struct hw_table){ sizeof(gdt) - 1, (uint64_t)(uintptr_t)gdt }; }
uint64_t time_tsc_khz(void) { return 3200000; }
void vmx_host_nmi(void) { nmis++; }
void vmx_host_mce(void) { mces++; }
struct cpu *hw_cpu_base(void) { return &cpu; }
uint16_t hw_str(void) { return 0x18; }
uint64_t hw_read_cr0(void) { return 0x80000033; }
uint64_t hw_read_cr2(void) { return cr2; }
void hw_write_cr2(uint64_t v) { cr2 = v; }
uint64_t hw_read_cr3(void) { return 0x99000; }
uint64_t hw_read_cr4(void) { return cr4; }
void hw_write_cr4(uint64_t v) { cr4 = v; }
uint64_t hw_read_dr(unsigned int n) { return dr[n]; }
void hw_write_dr(unsigned int n, uint64_t v) { dr[n] = v; }
void xstate_load(struct arch_vcpu *v) { loads++; }
void xstate_save(struct arch_vcpu *v) { saves++; }
void log_at(enum log_level level, const char *fmt, ...) { }

/* The five that go with a vCPU, and TSC_AUX. */
static uint64_t *msr_slot(uint32_t n)
{
	return n >= MSR_STAR && n <= MSR_SFMASK ? &msr[n - MSR_STAR] : n == MSR_KERNEL_GS_BASE ? &msr[4] :
	       n == MSR_TSC_AUX ? &msr[5] : n == MSR_FEATURE_CONTROL ? &feature_control : NULL;
}

uint64_t hw_rdmsr(uint32_t n)
{
	const uint64_t caps[] = { cap.basic, 0, 0, 0, 0 };
	const uint64_t *slot = msr_slot(n);

	switch (n) {
	case MSR_VMX_BASIC:
		return caps[0];
	case MSR_VMX_TRUE_PIN:
		return cap.pin;
	case MSR_VMX_TRUE_PROC:
		return cap.proc;
	case MSR_VMX_PROC2:
		return cap.proc2;
	case MSR_VMX_TRUE_EXIT:
		return cap.exit;
	case MSR_VMX_TRUE_ENTRY:
		return cap.entry;
	case MSR_VMX_EPT_VPID:
		return cap.ept_vpid;
	case MSR_VMX_MISC:
		return 0x6005;
	case MSR_VMX_CR0_FIXED0:
		return 0x80000021;
	case MSR_VMX_CR4_FIXED0:
		return 0x2000;
	default:
		return slot != NULL ? *slot : n == MSR_EFER ? 0x500 : n == MSR_PAT ? 0x606 : 0;
	}
}

void hw_wrmsr(uint32_t n, uint64_t v)
{
	MUST(msr_slot(n) != NULL);
	*msr_slot(n) = v;
}

bool hw_wrmsr_safe(uint32_t n, uint64_t v)
{
	hw_wrmsr(n, v);
	return v != 0xbad;
}

void hw_cpuid(uint32_t leaf, uint32_t subleaf, struct hw_cpuid_regs *r)
{
	*r = (struct hw_cpuid_regs){ .ecx = has_vmx ? 1u << 5 : 0 };
}

void *heap_alloc(size_t size)
{
	heap_live++;
	return calloc(1, size);
}

void heap_free(void *p)
{
	heap_live -= p != NULL;
	free(p);
}

static void setup(void)
{
	fake_pages_reset();
	memset(vmcs, 0, sizeof(vmcs));
	memset(&cpu, 0, sizeof(cpu));
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	memset(msr, 0, sizeof(msr));
	memset(&cmdline, 0, sizeof(cmdline));
	host_cpu = (struct vmx_cpu){ .next_vpid = 1, .vpid_gen = 1 };
	cpu.id = 4;
	cpu.virt = &host_cpu;
	cpu_count = 1;
	current = -1;
	p2m_gen = 1;
	cr4 = CR4_VMXE | CR4_MCE;
	has_vmx = true;
	feature_control = FEATURE_CONTROL_LOCK | FEATURE_CONTROL_VMXON;
	gdt[3] = 0x12008b345678ffffull;
	gdt[4] = 0x9abc;
	next_reason = REASON_HLT;
	entry_result = invepts = invvpids = nmis = mces = heap_live = saves = loads = 0;
	cap = (struct vmx_cap_msrs){ .basic = 0x12 | VMX_BASIC_TRUE, .pin = ~0ull << 32, .proc = ~0ull << 32,
				     .proc2 = ~0ull << 32, .exit = ~0ull << 32, .entry = ~0ull << 32,
				     .ept_vpid = ~0ull };
	a.last_cpu = b.last_cpu = ~0u;
	ck_assert_int_eq(vmx_caps_read(), 0);
	ck_assert_int_eq(vmx_maps_init(), 0);
	ck_assert_int_eq(vmx_vcpu_init(&a, &config), 0);
	ck_assert_int_eq(vmx_vcpu_init(&b, &direct), 0);
}

static void run(struct arch_vcpu *v)
{
	struct vmexit e;

	vmx_ops.switch_in(v);
	vmx_enter(v, &e);
	ck_assert_int_eq(e.kind, VMEXIT_HLT);
	ck_assert_uint_eq(e.insn_len, 1);
	vmx_ops.switch_out(v);
}

START_TEST(test_reset)
{
	/* one CPU: nothing is written back for nothing */
	ck_assert_int_eq(current, 0);
	ck_assert(vmcs[0].active && vmcs[1].active);
	ck_assert_uint_eq(of(&a)[VMCS_GUEST_RIP], 0);
	ck_assert_uint_eq(a.regs.rip, 0xfff0);
	ck_assert_uint_eq(of(&a)[VMCS_GUEST_BASE + 2 * VSEG_CS], 0xffff0000);
	ck_assert_uint_eq(of(&a)[VMCS_GUEST_CR0], CR0_NE | CR0_ET);
	ck_assert_uint_eq(of(&a)[VMCS_CR0_SHADOW], CR0_ET | CR0_CD | CR0_NW);
	ck_assert_uint_eq(of(&a)[VMCS_GUEST_CR4], CR4_VMXE | CR4_MCE);
	ck_assert_uint_eq(of(&a)[VMCS_EPT_POINTER], 0x7701e);
	ck_assert_uint_eq(of(&a)[VMCS_LINK_POINTER], ~0ull);
	ck_assert_uint_eq(of(&a)[VMCS_GUEST_TIMER], 1000001);
	ck_assert_uint_ne(of(&a)[VMCS_IO_BITMAP_A], of(&b)[VMCS_IO_BITMAP_A]);
	ck_assert_uint_eq(of(&a)[VMCS_IO_BITMAP_B], of(&a)[VMCS_IO_BITMAP_A] + PAGE_SIZE);
}
END_TEST

START_TEST(test_enter)
{
	a.regs.gpr[GPR_RSP] = 0x1234;
	a.regs.rip = 0x1000;
	a.regs.rflags = 0x202;
	a.vmx->cr2 = 0x4000;
	run(&a);
	ck_assert_uint_eq(of(&a)[VMCS_GUEST_RSP], 0x1234);
	ck_assert_uint_eq(of(&a)[VMCS_GUEST_RFLAGS], 0x202);
	ck_assert_uint_eq(a.regs.rip, 0x1005);
	ck_assert_uint_eq(a.regs.gpr[GPR_RAX], 1);
	ck_assert_uint_eq(a.vmx->cr2, 0x4001);
	ck_assert_uint_eq(of(&a)[VMCS_HOST_GS_BASE], (uint64_t)(uintptr_t)&cpu);
	ck_assert_uint_eq(of(&a)[VMCS_HOST_TR_BASE], 0x9abc12345678ull);
	ck_assert_uint_eq(of(&a)[VMCS_HOST_CR3], 0x99000);
	ck_assert_uint_eq(of(&a)[VMCS_HOST_EFER], 0x500);
	run(&a);
	ck_assert_uint_eq(a.regs.rip, 0x100a);
	ck_assert_uint_eq(loads, 2);
	ck_assert_uint_eq(saves, 2);
}
END_TEST

START_TEST(test_translations)
{
	unsigned int before;

	run(&a);
	run(&b);
	ck_assert_uint_eq(of(&a)[VMCS_VPID], 1);
	ck_assert_uint_eq(of(&b)[VMCS_VPID], 2);
	before = invepts;
	run(&a);
	ck_assert_uint_eq(of(&a)[VMCS_VPID], 1);
	ck_assert_uint_eq(invepts, before);
	p2m_gen++;                              /* the map changed: each tells the CPU once */
	run(&a);
	run(&a);
	run(&b);
	ck_assert_uint_eq(invepts, before + 2);
	ck_assert_uint_eq(of(&a)[VMCS_VPID], 1);
	vmx_flush(&a);
	run(&a);
	ck_assert_uint_eq(of(&a)[VMCS_VPID], 3);
	/* on another CPU, and back: neither may use what it has from before */
	cpu.id = 5;
	run(&a);
	ck_assert_uint_eq(invepts, before + 3);
	ck_assert_uint_eq(of(&a)[VMCS_VPID], 4);
	cpu.id = 4;
	run(&a);
	ck_assert_uint_eq(invepts, before + 4);
	/* numbers used up: everything goes, then also the others get new ones */
	host_cpu.next_vpid = 0x10000;
	vmx_flush(&a);
	run(&a);
	ck_assert_uint_eq(invvpids, 1);
	ck_assert_uint_eq(of(&a)[VMCS_VPID], 1);
	run(&b);
	ck_assert_uint_eq(of(&b)[VMCS_VPID], 2);
}
END_TEST

/* A look at another vCPU leaves this one's VMCS current; where vCPUs can move, none stays behind on a CPU. */
START_TEST(test_current)
{
	struct sys_regs s;

	vmx_ops.switch_in(&a);
	vmx_get_sys(&b, &s);
	ck_assert_int_eq(current, find_vmcs(a.vmx->vmcs_pa.v));
	cpu_count = 2;
	vmx_get_sys(&b, &s);
	ck_assert_int_eq(current, find_vmcs(a.vmx->vmcs_pa.v));
	ck_assert(!vmcs[find_vmcs(b.vmx->vmcs_pa.v)].active);
	vmx_ops.switch_out(&a);
	ck_assert(!vmcs[find_vmcs(a.vmx->vmcs_pa.v)].active);
	ck_assert_ptr_null(host_cpu.loaded);
	run(&a);
	run(&a);
}
END_TEST

START_TEST(test_msrs)
{
	uint64_t got;

	ck_assert_int_eq(vmx_msr_write(&a, MSR_LSTAR, 0x1111), 0);
	ck_assert_uint_eq(msr[1], 0);
	vmx_ops.switch_in(&a);
	ck_assert_uint_eq(msr[1], 0x1111);
	msr[1] = 0x2222;                        /* the guest by itself */
	ck_assert_int_eq(vmx_msr_read(&a, MSR_LSTAR, &got), 0);
	ck_assert_uint_eq(got, 0x2222);
	ck_assert_int_eq(vmx_msr_write(&a, MSR_KERNEL_GS_BASE, 0xbad), -EINVAL);
	ck_assert_int_eq(vmx_msr_write(&a, MSR_KERNEL_GS_BASE, 0x5000), 0);
	vmx_ops.switch_out(&a);
	vmx_ops.switch_in(&b);
	ck_assert_uint_eq(msr[1], 0);
	vmx_ops.switch_out(&b);
	ck_assert_int_eq(vmx_msr_read(&a, MSR_LSTAR, &got), 0);
	ck_assert_uint_eq(got, 0x2222);
	ck_assert_int_eq(vmx_msr_read(&a, MSR_KERNEL_GS_BASE, &got), 0);
	ck_assert_uint_eq(got, 0x5000);
	ck_assert_int_eq(vmx_msr_write(&a, MSR_FS_BASE, 0x7000), 0);
	ck_assert_uint_eq(of(&a)[VMCS_GUEST_BASE + 2 * VSEG_FS], 0x7000);
	ck_assert_int_eq(vmx_msr_read(&a, 0x10, &got), -ENOENT);
	ck_assert_int_eq(vmx_msr_write(&a, 0x10, 1), -ENOENT);
}
END_TEST

static bool bit(const uint8_t *map, unsigned int n)
{
	return map[n / 8] >> n % 8 & 1;
}

START_TEST(test_maps)
{
	const uint8_t *m = hpa_virt(vmx_msr_bitmap(false)), *io = hpa_virt(vmx_io_bitmap(true, trapped));
	const uint8_t *guest = hpa_virt(vmx_io_bitmap(false, NULL));

	for (unsigned int n = 0; n < 0x2000; n++) {
		bool own = n >= 0x174 && n <= 0x176;
		bool own_high = (n >= 0x81 && n <= 0x84) || (n >= 0x100 && n <= 0x102);
		MUST(bit(m, n) == !own && bit(m + 0x800, n) == !own);
		MUST(bit(m + 0x400, n) == !own_high && bit(m + 0xc00, n) == !own_high);
	}
	for (unsigned int p = 0; p < 0x10000; p++) {
		MUST(bit(guest, p));
		MUST(bit(io, p) == (p == 0x20 || p == 0x21 || (p >= 0xcf8 && p <= 0xcff)));
	}
}
END_TEST

START_TEST(test_priority)
{
	a.cr8 = 5;
	vmx_want_window(&a, WINDOW_TPR, true);
	run(&a);
	ck_assert_uint_eq(of(&a)[VMCS_TPR_THRESHOLD], 5);
	ck_assert_uint_eq(a.vmx->virtual_apic[0x80], 0x50);
	ck_assert_uint_eq(a.cr8, 5);
	vmx_want_window(&a, WINDOW_TPR, false);
	run(&a);
	ck_assert_uint_eq(of(&a)[VMCS_TPR_THRESHOLD], 0);
}
END_TEST

/* Reads of x2APIC registers: only when asked for, only in that mode, only of what does not change by itself. */
START_TEST(test_apic_registers)
{
	uint32_t reg[64] = { [2] = 7, [3] = 0x50014, [0xa] = 0x99, [0x39] = 0x1234, [0x3e] = 0xb };
	const uint64_t assist = PROC2_X2APIC | PROC2_APIC_REGISTERS;

	ck_assert(!a.apic_registers && !vmx_caps.apic_registers && !vmx_caps.virtual_intr);
	cmdline.apic_registers = true;
	ck_assert_int_eq(vmx_caps_read(), 0);
	ck_assert_int_eq(vmx_maps_init(), 0);
	ck_assert(vmx_caps.apic_registers && !(vmx_caps.proc2 & assist));
	vmx_set_apic(&a, reg);
	ck_assert_uint_eq(of(&a)[VMCS_PROC2_CONTROLS] & assist, assist);
	const uint8_t *m = hpa_virt(HPA(of(&a)[VMCS_MSR_BITMAP])), *page = a.vmx->virtual_apic;
	ck_assert(!bit(m, 0x802) && !bit(m, 0x808) && !bit(m, 0x83e) && bit(m, 0x80a) && bit(m, 0x839) && bit(m, 0x830));
	ck_assert(bit(m + 0x800, 0x802) && bit(m + 0x800, 0x808) && bit(m + 0x800, 0x80b));
	ck_assert(page[0x20] == 7 && page[0x30] == 0x14 && page[0x3e0] == 0xb && page[0xa0] == 0 && page[0x390] == 0);
	vmx_set_apic(&a, NULL);
	ck_assert_uint_eq(of(&a)[VMCS_PROC2_CONTROLS] & assist, 0);
	m = hpa_virt(HPA(of(&a)[VMCS_MSR_BITMAP]));
	ck_assert(bit(m, 0x802) && bit(m, 0x808));
	/* not without the TPR shadow, not on a processor that lacks one of the two */
	cmdline.no_tpr_shadow = true;
	ck_assert_int_eq(vmx_caps_read(), 0);
	ck_assert(!vmx_caps.apic_registers);
	cmdline.no_tpr_shadow = false;
	cap.proc2 = ~(uint64_t)PROC2_X2APIC << 32;
	ck_assert_int_eq(vmx_caps_read(), 0);
	ck_assert(!vmx_caps.apic_registers);
}
END_TEST

static uint32_t in_page(unsigned int at)
{
	uint32_t value;

	memcpy(&value, a.vmx->virtual_apic + at, sizeof(value));
	return value;
}

/* Virtual-interrupt delivery: only when asked for, only in x2APIC mode; lent state stands where the processor looks. */
START_TEST(test_virtual_intr)
{
	const uint32_t reg[64] = { [2] = 7, [8] = 0x35 };
	const uint64_t assist = PROC2_X2APIC | PROC2_VIRTUAL_INTR;
	struct virt_apic s = { .irr = { 1ull << 0x31, 0, 0, 1ull << 40 }, .isr = { 0, 0, 1ull << 33, 0 },
			       .eoi_exit = { 0x10, 0, 0, 1 }, .tpr = 0x24 };

	cmdline.virtual_intr = true;
	ck_assert_int_eq(vmx_caps_read(), 0);
	ck_assert(vmx_caps.virtual_intr && !vmx_caps.apic_registers && !(vmx_caps.proc2 & assist));
	ck_assert_int_eq(vmx_maps_init(), 0);
	vmx_vcpu_free(&a);
	ck_assert_int_eq(vmx_vcpu_init(&a, &config), 0);
	ck_assert(a.apic_registers && !a.apic_delivery);
	vmx_set_apic(&a, reg);
	ck_assert(a.apic_delivery && in_page(0x80) == 0x35);
	ck_assert_uint_eq(of(&a)[VMCS_PROC2_CONTROLS] & (assist | PROC2_APIC_REGISTERS), assist);
	const uint8_t *m = hpa_virt(HPA(of(&a)[VMCS_MSR_BITMAP]));
	ck_assert(bit(m, 0x802) && !bit(m, 0x808) && bit(m, 0x80b) && bit(m, 0x80a) && bit(m, 0x820));
	ck_assert(!bit(m + 0x800, 0x808) && !bit(m + 0x800, 0x80b) && bit(m + 0x800, 0x83f) && bit(m + 0x800, 0x830));
	vmx_lend_apic(&a, &s);
	ck_assert_uint_eq(of(&a)[VMCS_GUEST_INTR_STATUS], 0xa1e8);
	ck_assert(in_page(0x210) == 1u << 17 && in_page(0x270) == 1u << 8 && in_page(0x200) == 0);
	ck_assert(in_page(0x150) == 2 && in_page(0x140) == 0);
	ck_assert(of(&a)[VMCS_EOI_EXITS] == 0x10 && of(&a)[VMCS_EOI_EXITS + 6] == 1 && of(&a)[VMCS_EOI_EXITS + 2] == 0);
	/* the entry keeps all eight bits of the task priority, and the mark is not in it */
	a.cr8 = 2 | CR8_APIC_LENT;
	run(&a);
	ck_assert(in_page(0x80) == 0x24 && a.cr8 == 2);
	ck_assert_uint_eq(of(&a)[VMCS_TPR_THRESHOLD], 0);
	memset(a.vmx->virtual_apic + 0x270, 0, 4);
	memset(a.vmx->virtual_apic + 0x150, 0, 4);
	vmx_return_apic(&a, &s);
	ck_assert(s.irr[0] == 1ull << 0x31 && s.irr[3] == 0 && s.isr[2] == 0 && s.tpr == 0x24 && s.ended == -1);
	/* an EOI that somebody waits for */
	next_reason = REASON_EOI;
	of(&a)[VMCS_QUALIFICATION] = 0x31;
	vmx_lend_apic(&a, &s);
	struct vmexit e;
	vmx_ops.switch_in(&a);
	vmx_enter(&a, &e);
	ck_assert_int_eq(e.kind, VMEXIT_NONE);
	vmx_return_apic(&a, &s);
	ck_assert_int_eq(s.ended, 0x31);
	/* an entry that did not come about has ended nothing */
	vmx_lend_apic(&a, &s);
	vmx_return_apic(&a, &s);
	ck_assert_int_eq(s.ended, -1);
	vmx_set_apic(&a, NULL);
	ck_assert(!a.apic_delivery && !(of(&a)[VMCS_PROC2_CONTROLS] & assist));
	vmx_ops.switch_out(&a);
	cmdline.no_tpr_shadow = true;
	ck_assert_int_eq(vmx_caps_read(), 0);
	ck_assert(!vmx_caps.virtual_intr);
	cmdline.no_tpr_shadow = false;
	cap.proc2 = ~(uint64_t)PROC2_VIRTUAL_INTR << 32;
	ck_assert_int_eq(vmx_caps_read(), 0);
	ck_assert(!vmx_caps.virtual_intr);
}
END_TEST

/* The TSC at another rate: 48 bits of fraction, rounded so that a deadline is never early. */
START_TEST(test_tsc_ratio)
{
	ck_assert_uint_eq(tscratio_make(3000000, 1500000), 1ull << 47);
	ck_assert_uint_eq(tscratio_make(3000000, 2000000), 0xaaaaaaaaaaaaull);
	ck_assert_uint_eq(tscratio_apply(0, 12345), 12345);
	ck_assert_uint_eq(tscratio_apply(1ull << 47, 0xffffffffffffffffull), 0x7fffffffffffffffull);
	ck_assert_uint_eq(tscratio_apply(0xaaaaaaaaaaaaull, 3000000000000ull), 1999999999999ull);
	for (uint64_t g = 1; g < 1ull << 60; g = g * 3 + 1) {
		uint64_t h = tscratio_undo(0xaaaaaaaaaaaaull, g);
		MUST(tscratio_apply(0xaaaaaaaaaaaaull, h) >= g && tscratio_apply(0xaaaaaaaaaaaaull, h - 1) < g);
	}
	ck_assert(!(of(&a)[VMCS_PROC2_CONTROLS] & PROC2_TSC_SCALING));
	ck_assert_int_eq(vmx_set_tsc_ratio(&a, 1ull << 47), 0);
	ck_assert(of(&a)[VMCS_PROC2_CONTROLS] & PROC2_TSC_SCALING);
	ck_assert(of(&a)[VMCS_TSC_MULTIPLIER] == 1ull << 47 && a.tsc_ratio == 1ull << 47);
	ck_assert(!(of(&b)[VMCS_PROC2_CONTROLS] & PROC2_TSC_SCALING));
	ck_assert_int_eq(vmx_set_tsc_ratio(&a, 0), 0);
	ck_assert(!(of(&a)[VMCS_PROC2_CONTROLS] & PROC2_TSC_SCALING) && a.tsc_ratio == 0);
	cap.proc2 = ~(uint64_t)PROC2_TSC_SCALING << 32;
	ck_assert_int_eq(vmx_caps_read(), 0);
	ck_assert_int_eq(vmx_set_tsc_ratio(&a, 1), -EOPNOTSUPP);
	ck_assert_int_eq(vmx_set_tsc_ratio(&a, 0), 0);
}
END_TEST

START_TEST(test_host_events)
{
	struct vmexit e;

	vmx_ops.switch_in(&a);
	next_reason = REASON_EXCEPTION;
	vmx_write(VMCS_EXIT_EVENT, 0x80000202);
	vmx_enter(&a, &e);
	ck_assert_int_eq(e.kind, VMEXIT_NONE);
	ck_assert_uint_eq(nmis, 1);
	vmx_write(VMCS_EXIT_EVENT, 0x80000312);
	vmx_enter(&a, &e);
	ck_assert_uint_eq(mces, 1);
	next_reason = REASON_EXTINT;
	vmx_enter(&a, &e);
	ck_assert_int_eq(e.kind, VMEXIT_NONE);
	ck_assert_uint_eq(nmis + mces, 2);
	/* single step in a shadow: the trap is owed */
	a.regs.rflags = RFLAGS_TF;
	vmx_write(VMCS_GUEST_SHADOW, SHADOW_MOVSS);
	vmx_enter(&a, &e);
	ck_assert_uint_eq(vmx_read(VMCS_GUEST_PENDING_DB), PENDING_DB_BS);
}
END_TEST

START_TEST(test_refused)
{
	struct vmexit e;

	vmx_ops.switch_in(&a);
	entry_result = 2;
	vmx_enter(&a, &e);
	ck_assert_int_eq(e.kind, VMEXIT_ENTRY_FAILED);
	ck_assert_uint_eq(e.other.code, 7);
	ck_assert_uint_eq(a.regs.gpr[GPR_RAX], 0);
	entry_result = 0;
	next_reason = REASON_BAD_STATE | REASON_ENTRY_FAILED;
	vmx_enter(&a, &e);
	ck_assert_int_eq(e.kind, VMEXIT_ENTRY_FAILED);
	vmx_dump(&a);
}
END_TEST

START_TEST(test_no_memory)
{
	struct arch_vcpu v = { .last_cpu = ~0u };
	unsigned int used = fake_pages.used, live = heap_live;

	for (unsigned int n = 1; n <= 2; n++) {
		fake_pages.fail_at = fake_pages.allocs + n;
		ck_assert_int_eq(vmx_vcpu_init(&v, &config), -ENOMEM);
		ck_assert_ptr_null(v.vmx);
		fake_pages.fail_at = 0;
		ck_assert_uint_eq(fake_pages.used, used);
		ck_assert_uint_eq(heap_live, live);
	}
	ck_assert_int_eq(vmx_vcpu_init(&v, &config), 0);
	vmx_vcpu_free(&v);
	vmx_vcpu_free(&v);
	ck_assert_uint_eq(fake_pages.used, used);
	ck_assert_uint_eq(heap_live, live);
}
END_TEST

START_TEST(test_caps)
{
	ck_assert_uint_eq(vmx_caps.cr0_fixed, CR0_NE);
	ck_assert_uint_eq(vmx_caps.cr4_fixed, CR4_VMXE | CR4_MCE);
	ck_assert(vmx_caps.tpr_shadow && vmx_ept_format.has_1g);
	cmdline.no_tpr_shadow = true;
	ck_assert_int_eq(vmx_caps_read(), 0);
	ck_assert(!vmx_caps.tpr_shadow && !(vmx_caps.proc & PROC_TPR_SHADOW));
	ck_assert_uint_eq(vmx_caps.proc & (PROC_CR8_LOAD | PROC_CR8_STORE), PROC_CR8_LOAD | PROC_CR8_STORE);
	feature_control = FEATURE_CONTROL_LOCK;
	ck_assert_int_eq(vmx_caps_read(), -EOPNOTSUPP);
	feature_control = 0;                    /* open: ours to set */
	ck_assert_int_eq(vmx_caps_read(), 0);
	ck_assert_int_eq(vmx_cpu_up(), 0);
	ck_assert_uint_eq(feature_control, FEATURE_CONTROL_LOCK | FEATURE_CONTROL_VMXON);
	cap.proc2 = 0;
	ck_assert_int_eq(vmx_caps_read(), -EOPNOTSUPP);
	has_vmx = false;
	ck_assert_int_eq(vmx_caps_read(), -ENODEV);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_reset, test_enter, test_translations, test_current, test_msrs, test_maps,
		test_priority, test_apic_registers, test_virtual_intr, test_tsc_ratio, test_host_events, test_refused, test_no_memory, test_caps, NULL };

	return suite_run("vmx_enter", setup, tests);
}
