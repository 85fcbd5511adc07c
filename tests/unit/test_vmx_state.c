/* arch/vmx/ controls.c, ept.c, state.c, inject.c, check.c: control words, entries, registers, events, entry checks. */
#include <string.h>
#include "arch/x86.h"
#include "fake/suite.h"
#include "fake/vmx_fake.h"
#include "lib/util.h"

static uint64_t *const f = vmx_fake.field;
static struct arch_vcpu *const v = &vmx_fake_vcpu;
static struct vmx_vcpu *const s = &vmx_fake_state;

static void setup(void)
{
	vmx_fake_reset();
}

/* ---- controls ---- */

/* Everything may be on; must be on: what old processors fix. */
static struct vmx_cap_msrs all(void)
{
	return (struct vmx_cap_msrs){
		.basic = 0x00da040000000012ull | VMX_BASIC_TRUE, .pin = 0xff00000016ull, .proc = 0xfff9fffe04006172ull,
		.proc2 = 0x000fffff00000000ull, .exit = 0x007fffff00036dfbull, .entry = 0x0000ffff000011fbull,
		.ept_vpid = 0x00000f0106734141ull,
	};
}

START_TEST(test_negotiate)
{
	struct vmx_cap_msrs m = all();
	struct vmx_caps c = { 0 };

	ck_assert_ptr_null(vmx_negotiate(&m, &c));
	ck_assert_uint_eq(c.pin, 0x16 | 1 | 8 | 0x20 | PIN_TIMER);
	ck_assert_uint_eq(c.proc2 & 0xaa, 0xaa);
	ck_assert(c.proc2 & 1u << 12);
	ck_assert_uint_eq(c.proc & (3u << 15 | 1u << 9 | 1u << 12 | PROC_INTR_WINDOW | PROC_NMI_WINDOW), 0);
	ck_assert_uint_eq(c.proc & 0xb0000000, 0xb0000000 & c.proc);
	ck_assert(c.proc >> 31 && c.proc >> 28 & 1 && c.proc >> 25 & 1);
	ck_assert(!(c.entry & ENTRY_IA32E));
	ck_assert(!(c.exit & 1u << 15));
	ck_assert_uint_eq(c.revision, 0x12);
	ck_assert(c.vpid && c.tpr_shadow && c.ept_1g && c.invept_single);
}
END_TEST

static void missing(const struct vmx_cap_msrs *m, const char *name)
{
	struct vmx_caps c;
	const char *got = vmx_negotiate(m, &c);

	ck_assert_ptr_nonnull(got);
	ck_assert_ptr_nonnull(strstr(got, name));
}

START_TEST(test_refusals)
{
	struct vmx_cap_msrs m = all();

	m.proc2 &= ~(1ull << 39);
	missing(&m, "unrestricted guest");
	m.proc2 = 0;
	missing(&m, "EPT");
	m = all();
	m.pin &= ~(1ull << 37);
	missing(&m, "virtual NMIs");
	m = all();
	m.proc |= 1u << 15;
	missing(&m, "CR3 writes without exits");
	m = all();
	m.exit |= 1u << 15;
	missing(&m, "interrupts left pending");
	m = all();
	m.entry |= ENTRY_IA32E;
	missing(&m, "64-bit guests");
	m = all();
	m.ept_vpid &= ~(1ull << 16);
	missing(&m, "2 MiB EPT pages");
	m.ept_vpid = 0;
	missing(&m, "EPT of four levels");
}
END_TEST

START_TEST(test_optional)
{
	struct vmx_cap_msrs m = all();
	struct vmx_caps c;

	m.proc2 &= ~(1ull << 37);
	m.proc &= ~(1ull << 53);
	m.ept_vpid &= ~(1ull << 17);
	ck_assert_ptr_null(vmx_negotiate(&m, &c));
	ck_assert(!c.vpid && !c.tpr_shadow && !c.ept_1g);
	/* VPIDs that cannot be flushed are not used */
	m = all();
	m.ept_vpid &= ~(1ull << 42);
	ck_assert_ptr_null(vmx_negotiate(&m, &c));
	ck_assert(!c.vpid && !(c.proc2 & PROC2_VPID));
}
END_TEST

/* ---- EPT ---- */

START_TEST(test_ept)
{
	const struct p2m_format *p = &vmx_ept_format;
	uint64_t e = p->leaf(MFN(0x12345), 1, P2M_ACC_RWX, P2M_CACHE_WB, 1);

	ck_assert_uint_eq(e, 0x0010000012345037ull);
	ck_assert(p2m_fmt_present(p, e) && p2m_fmt_is_leaf(p, e, 1));
	ck_assert_uint_eq(p2m_fmt_mfn(e).v, 0x12345);
	ck_assert_uint_eq(p2m_fmt_type(p, e), 1);
	ck_assert_uint_eq(p->access(e), P2M_ACC_RWX);
	ck_assert_uint_eq(p->leaf(MFN(0x200), 2, P2M_ACC_RX, P2M_CACHE_WB, 15), 0x00f00000002000b5ull);
	ck_assert_uint_eq(p->leaf(MFN(0x40000), 3, P2M_ACC_RW, P2M_CACHE_DEVICE, 4), 0x0040000040000083ull);
	ck_assert_uint_eq(p->leaf(MFN(1), 1, P2M_ACC_R, P2M_CACHE_WC, 0), 0x1009);
	ck_assert_uint_eq(p->leaf(MFN(1), 1, P2M_ACC_NONE, P2M_CACHE_WB, 3), 3ull << 52);
	e = p->absent(9);
	ck_assert(!p2m_fmt_present(p, e));
	ck_assert_uint_eq(p2m_fmt_type(p, e), 9);
	ck_assert_uint_eq(p->access(e), P2M_ACC_NONE);
	e = p->table(MFN(0x777));
	ck_assert_uint_eq(e, 0x777007);
	ck_assert(p2m_fmt_present(p, e) && !p2m_fmt_is_leaf(p, e, 2));
	ck_assert_uint_eq(vmx_ept_pointer(HPA(0x5000)), 0x501e);
	for (unsigned int acc = 1; acc < 8; acc++) {
		e = p->leaf(MFN(5), 1, acc | P2M_ACC_R, P2M_CACHE_WB, 1);
		ck_assert_uint_eq(p->access(e), acc | P2M_ACC_R);
	}
}
END_TEST

/* ---- segments and system registers ---- */

START_TEST(test_rights)
{
	for (unsigned int a = 0; a < 0x1000; a++) {
		uint32_t ar = vmx_ar_from_attr((uint16_t)a);
		MUST(((ar & AR_UNUSABLE) != 0) == !(a & 0x80));
		MUST((ar & 0xf00) == 0 && (ar & 0xff) == (a & 0xff) && (ar >> 12 & 15) == a >> 8);
		MUST(vmx_attr_from_ar(ar) == a);
	}
	/* a segment that cannot be used may have any rights left in it */
	ck_assert_uint_eq(vmx_attr_from_ar(0x1c0f3), 0xc73);
}
END_TEST

START_TEST(test_segments)
{
	struct emul_segment in = { .sel = 0x10, .attr = 0xa9a, .limit = ~0u, .base = 0x1234 }, out;

	vmx_set_seg(v, VSEG_CS, &in);
	ck_assert_uint_eq(f[0x802], 0x10);
	ck_assert_uint_eq(f[0x4816], 0xa09b);           /* accessed */
	ck_assert_uint_eq(f[0x4802], 0xffffffff);
	ck_assert_uint_eq(f[0x6808], 0x1234);
	vmx_get_seg(v, VSEG_CS, &out);
	ck_assert_uint_eq(out.attr, 0xa9b);
	ck_assert_uint_eq(out.sel, 0x10);
	in.attr = 0x089;                                /* an available TSS becomes busy */
	vmx_set_seg(v, VSEG_TR, &in);
	ck_assert_uint_eq(f[0x4822], 0x8b);
	in.attr = 0x082;
	vmx_set_seg(v, VSEG_LDTR, &in);
	ck_assert_uint_eq(f[0x4820], 0x82);
	in.attr = 0x060;                                /* null SS at privilege level 3 */
	vmx_set_seg(v, VSEG_SS, &in);
	ck_assert_uint_eq(f[0x4818], AR_UNUSABLE | 0x60);
	ck_assert_uint_eq(vmx_cpl(v), 3);
}
END_TEST

START_TEST(test_control_registers)
{
	struct sys_regs in = { .cr0 = 0x80000001 | CR0_CD | CR0_WP, .cr2 = 0x22, .cr3 = 0x3000, .cr4 = CR4_PAE | CR4_MCE,
			       .efer = EFER_LME | EFER_LMA | EFER_FFXSR, .dr6 = 0xffff0ff0, .dr7 = 0x400, .gdt_base = 0x111,
			       .gdt_limit = 0x12345, .idt_base = 0x222, .idt_limit = 0xfff }, out;

	s->entry = 0x11ff;
	vmx_set_sys(v, &in, SYS_ALL);
	ck_assert_uint_eq(f[VMCS_GUEST_CR0], 0x80000001 | CR0_WP | CR0_NE | CR0_ET);
	ck_assert_uint_eq(f[VMCS_CR0_SHADOW], in.cr0 | CR0_ET);
	ck_assert_uint_eq(f[VMCS_GUEST_CR4], CR4_PAE | CR4_MCE | CR4_VMXE);
	ck_assert_uint_eq(f[VMCS_CR4_SHADOW], in.cr4);
	ck_assert_uint_eq(f[VMCS_GUEST_EFER], EFER_LME | EFER_LMA);
	ck_assert_uint_eq(f[VMCS_ENTRY_CONTROLS], 0x11ff | ENTRY_IA32E);
	ck_assert_uint_eq(f[VMCS_GUEST_GDTR_LIMIT], 0x2345);
	ck_assert_uint_eq(vmx_fake.dr6, 0xffff0ff0);
	ck_assert_uint_eq(vmx_fake.flushes, 1);
	/* what the guest changed by itself, and what it may not see */
	f[VMCS_GUEST_CR0] |= CR0_TS;
	f[VMCS_GUEST_CR4] |= CR4_PGE;
	vmx_get_sys(v, &out);
	ck_assert_uint_eq(out.cr0, in.cr0 | CR0_ET | CR0_TS);
	ck_assert_uint_eq(out.cr4, in.cr4 | CR4_PGE);
	ck_assert_uint_eq(out.efer, EFER_LME | EFER_LMA);
	ck_assert_uint_eq(out.cr2, 0x22);
	ck_assert_uint_eq(out.dr7, 0x400);
	struct virt_code code;
	f[VMCS_GUEST_BASE + 2 * VSEG_CS] = 0x77;
	f[VMCS_GUEST_AR + 2 * VSEG_CS] = AR_L;
	memset(&code, 0xff, sizeof(code));
	vmx_get_code(v, &code);
	ck_assert_uint_eq(code.cs_base, 0x77);
	ck_assert_uint_eq(code.cr0, out.cr0);
	ck_assert_uint_eq(code.cr3, 0x3000);
	ck_assert_uint_eq(code.cr4, out.cr4);
	ck_assert_uint_eq(code.efer, out.efer);
	ck_assert(code.long64);
	/* leaving long mode */
	in.efer = EFER_LME;
	vmx_set_sys(v, &in, SYS_EFER);
	ck_assert_uint_eq(f[VMCS_ENTRY_CONTROLS], 0x11ff);
	/* off its CPU the debug status waits in memory */
	vmx_fake.loaded = false;
	in.dr6 = 0xffff0ff1;
	vmx_set_sys(v, &in, SYS_DR);
	ck_assert_uint_eq(vmx_fake.dr6, 0xffff0ff0);
	vmx_get_sys(v, &out);
	ck_assert_uint_eq(out.dr6, 0xffff0ff1);
}
END_TEST

/* ---- events ---- */

START_TEST(test_inject)
{
	static const struct {
		struct vm_event event;
		uint32_t field;
	} row[] = {
		{ { .type = EVENT_EXTINT, .vector = 0xec }, 0x800000ec },
		{ { .type = EVENT_NMI, .vector = 2 }, 0x80000202 },
		{ { .type = EVENT_EXCEPTION, .vector = EXC_UD }, 0x80000306 },
		{ { .type = EVENT_EXCEPTION, .vector = EXC_GP, .has_error = true, .error = 0xf1234 }, 0x80000b0d },
		{ { .type = EVENT_SOFTINT, .vector = 0x80, .insn_len = 2 }, 0x80000480 },
	};

	f[VMCS_GUEST_CR0] = CR0_PE;
	for (unsigned int i = 0; i < ARRAY_SIZE(row); i++) {
		f[VMCS_GUEST_SHADOW] = SHADOW_STI | SHADOW_NMI;
		vmx_inject(v, &row[i].event);
		ck_assert_uint_eq(s->event, row[i].field);
		ck_assert_uint_eq(f[VMCS_GUEST_SHADOW], i == 0 ? SHADOW_NMI : i == 1 ? 0 : SHADOW_STI | SHADOW_NMI);
	}
	ck_assert_uint_eq(f[VMCS_ENTRY_ERROR], 0x1234);
	ck_assert_uint_eq(f[VMCS_ENTRY_INSN_LEN], 2);
	struct vm_event pf = { .type = EVENT_EXCEPTION, .vector = EXC_PF, .has_error = true, .error = 6, .cr2 = 0x77 };
	vmx_inject(v, &pf);
	ck_assert_uint_eq(s->cr2, 0x77);
	/* real mode pushes no error code */
	f[VMCS_GUEST_CR0] = 0;
	vmx_inject(v, &row[3].event);
	ck_assert_uint_eq(s->event, 0x8000030d);
}
END_TEST

START_TEST(test_windows)
{
	v->regs.rflags = RFLAGS_IF;
	ck_assert(vmx_can_take(v, WINDOW_INTR) && vmx_can_take(v, WINDOW_NMI));
	f[VMCS_GUEST_SHADOW] = SHADOW_NMI;
	ck_assert(vmx_can_take(v, WINDOW_INTR) && !vmx_can_take(v, WINDOW_NMI));
	f[VMCS_GUEST_SHADOW] = SHADOW_MOVSS;
	ck_assert(!vmx_can_take(v, WINDOW_INTR) && !vmx_can_take(v, WINDOW_NMI));
	f[VMCS_GUEST_SHADOW] = 0;
	v->regs.rflags = 0;
	ck_assert(!vmx_can_take(v, WINDOW_INTR) && vmx_can_take(v, WINDOW_NMI));
	s->event = VMX_EVENT_VALID;
	ck_assert(!vmx_can_take(v, WINDOW_NMI));
	vmx_want_window(v, WINDOW_INTR, true);
	vmx_want_window(v, WINDOW_NMI, true);
	ck_assert_uint_eq(f[VMCS_PROC_CONTROLS], PROC_INTR_WINDOW | PROC_NMI_WINDOW);
	vmx_want_window(v, WINDOW_INTR, false);
	ck_assert_uint_eq(f[VMCS_PROC_CONTROLS], PROC_NMI_WINDOW);
	vmx_want_window(v, WINDOW_TPR, true);
	ck_assert(s->want_tpr);
}
END_TEST

START_TEST(test_shadow)
{
	v->regs.rflags = RFLAGS_IF;
	f[VMCS_GUEST_SHADOW] = SHADOW_NMI;
	vmx_set_shadow(v, true);
	ck_assert_uint_eq(f[VMCS_GUEST_SHADOW], SHADOW_NMI | SHADOW_STI);
	ck_assert(vmx_get_shadow(v));
	v->regs.rflags = 0;
	vmx_set_shadow(v, true);
	ck_assert_uint_eq(f[VMCS_GUEST_SHADOW], SHADOW_NMI | SHADOW_MOVSS);
	vmx_set_shadow(v, false);
	ck_assert_uint_eq(f[VMCS_GUEST_SHADOW], SHADOW_NMI);
	ck_assert(!vmx_get_shadow(v));
}
END_TEST

/* ---- entry checks ---- */

static struct vmx_guest_image image(bool long64)
{
	struct vmx_guest_image g = {
		.cr0 = 0x80000031, .cr4 = CR4_PAE | CR4_VMXE, .efer = long64 ? EFER_LME | EFER_LMA : 0,
		.entry = long64 ? ENTRY_IA32E : 0, .dr7 = 0x400, .rip = 0x1000, .rflags = 2, .link = ~0ull,
	};
	for (unsigned int i = 0; i < VSEG_COUNT; i++) {
		g.seg[i].ar = 0xc093;
		g.seg[i].limit = ~0u;
	}
	g.seg[VSEG_CS].ar = long64 ? 0xa09b : 0xc09b;
	g.seg[VSEG_TR].ar = 0x8b;
	g.seg[VSEG_TR].limit = 0x67;
	g.seg[VSEG_LDTR].ar = AR_UNUSABLE;
	return g;
}

#define WRONG(change, word)                                             \
	do {                                                            \
		struct vmx_guest_image g = image(true);                 \
		change;                                                 \
		const char *why = vmx_check(&g);                        \
		ck_assert_ptr_nonnull(why);                             \
		ck_assert_ptr_nonnull(strstr(why, word));               \
	} while (0)

START_TEST(test_check)
{
	struct vmx_guest_image good = image(true);

	ck_assert_ptr_null(vmx_check(&good));
	good = image(false);
	ck_assert_ptr_null(vmx_check(&good));
	WRONG(g.cr0 = 0x80000030, "without protection");
	WRONG(g.cr4_must = 0x40, "needs is clear");
	WRONG(g.pat = 0x0007040600070206ull, "PAT");
	WRONG(g.pat = 0x0807040600070406ull, "PAT");
	WRONG((g = image(false), g.pdpte[2] = 0x1003), "PAE paging");
	WRONG(g.cr4 = 0, "without PAE");
	WRONG(g.efer = EFER_LME, "EFER.LMA");
	WRONG(g.efer |= EFER_FFXSR, "EFER: reserved");
	WRONG(g.dr7 |= 1ull << 40, "DR7");
	WRONG(g.link = 0, "link");
	WRONG(g.rip = 1ull << 48, "RIP");
	WRONG(g.rflags = 0, "RFLAGS");
	WRONG(g.rflags |= RFLAGS_VM, "RFLAGS.VM");
	WRONG(g.event = 0x80000030, "RFLAGS.IF clear");
	WRONG(g.shadow = SHADOW_STI, "STI");
	WRONG((g.rflags |= RFLAGS_IF, g.shadow = SHADOW_STI, g.event = 0x80000030), "in a shadow");
	WRONG((g.shadow = SHADOW_NMI, g.event = 0x80000202), "NMI");
	WRONG((g.rflags |= RFLAGS_TF, g.shadow = SHADOW_MOVSS), "single step");
	WRONG(g.seg[VSEG_TR].ar = 0x89, "TR");
	WRONG(g.seg[VSEG_LDTR].ar = 0x83, "LDTR");
	WRONG(g.seg[VSEG_CS].ar = 0xe09b, "both L and D");
	WRONG(g.seg[VSEG_CS].ar = AR_UNUSABLE, "CS");
	WRONG(g.seg[VSEG_CS].limit = 0x12345, "limit");
	WRONG(g.seg[VSEG_DS].ar = 0xc092, "DS");
	WRONG(g.seg[VSEG_SS].ar = 0xc09b, "SS");
	WRONG(g.seg[VSEG_FS].base = 1ull << 60, "FS");
	WRONG(g.activity = 1, "activity");
	WRONG((g = image(false), g.rip = 1ull << 32), "4 GiB");
}
END_TEST

START_TEST(test_check_modes)
{
	struct vmx_guest_image g = image(false);

	/* the reset state */
	g.cr0 = CR0_NE | CR0_ET;
	g.rip = 0xfff0;
	for (unsigned int i = 0; i < VSEG_COUNT; i++) {
		g.seg[i].ar = 0x93;
		g.seg[i].limit = 0xffff;
	}
	g.seg[VSEG_CS].ar = 0x9b;
	g.seg[VSEG_TR].ar = 0x8b;
	g.seg[VSEG_LDTR].ar = 0x82;
	ck_assert_ptr_null(vmx_check(&g));
	g.seg[VSEG_SS].ar = 0xf3;
	ck_assert_ptr_nonnull(vmx_check(&g));
	/* virtual-8086 mode */
	g = image(false);
	g.rflags |= RFLAGS_VM;
	for (unsigned int i = VSEG_ES; i <= VSEG_GS; i++) {
		g.seg[i].sel = (uint16_t)(0x100 * i);
		g.seg[i].base = 0x1000ull * i;
		g.seg[i].limit = 0xffff;
		g.seg[i].ar = 0xf3;
	}
	ck_assert_ptr_null(vmx_check(&g));
	g.seg[VSEG_GS].base++;
	ck_assert_ptr_nonnull(strstr(vmx_check(&g), "8086"));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_negotiate, test_refusals, test_optional, test_ept, test_rights, test_segments,
		test_control_registers, test_inject, test_windows, test_shadow, test_check, test_check_modes, NULL };

	return suite_run("vmx_state", setup, tests);
}
