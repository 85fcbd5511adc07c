/*
 * Why an entry failed: the processor says only that the guest's state was wrong; this says which rule was broken.
 *
 * Follows Intel SDM volume 3, "Checks on the Guest State Area". The checks are pure: an image of the fields in, a
 * sentence out. They are for the message only; nothing relies on them.
 */
#include "arch/vmx/vmx.h"
#include "arch/vmx/vmx_ops.h"
#include "arch/x86.h"
#include "core/log.h"

#define RFLAGS_RESERVED (~0x3f7fd7ull)
#define RFLAGS_ONE      2ull

static bool canonical(uint64_t a)
{
	return (int64_t)(a << 16) >> 16 == (int64_t)a;
}

static bool usable(const struct vmx_guest_image *g, enum vseg seg)
{
	return !(g->seg[seg].ar & AR_UNUSABLE);
}

static unsigned int type_of(const struct vmx_guest_image *g, enum vseg seg)
{
	return g->seg[seg].ar & 15;
}

static unsigned int dpl_of(const struct vmx_guest_image *g, enum vseg seg)
{
	return g->seg[seg].ar >> 5 & 3;
}

/* What CR3 points to in 32-bit PAE paging: bits that are reserved on every processor. */
static bool pdptes_ok(const struct vmx_guest_image *g)
{
	bool pae = (g->cr0 & CR0_PG) && (g->cr4 & CR4_PAE) && !(g->entry & ENTRY_IA32E);
	for (unsigned int i = 0; pae && i < 4; i++) {
		if ((g->pdpte[i] & 1) && (g->pdpte[i] & 0xfff00000000001e6ull) != 0) {
			return false;
		}
	}
	return true;
}

/* Each byte of it names a memory type; 2, 3 and all above 7 are none. */
static bool pat_ok(uint64_t pat)
{
	for (; pat != 0; pat >>= 8) {
		if ((pat & 0xff) > 7 || (pat & 0xfe) == 2) {
			return false;
		}
	}
	return true;
}

static const char *check_fixed(const struct vmx_guest_image *g)
{
	if ((g->cr0 & g->cr0_must) != g->cr0_must || (g->cr4 & g->cr4_must) != g->cr4_must) {
		return "CR0 or CR4: a bit that VMX needs is clear";
	}
	if (!pat_ok(g->pat)) {
		return "PAT: a memory type that does not exist";
	}
	return pdptes_ok(g) ? NULL : "PAE paging: reserved bits in an entry that CR3 points to";
}

static const char *check_control(const struct vmx_guest_image *g)
{
	bool ia32e = g->entry & ENTRY_IA32E, paging = g->cr0 & CR0_PG;
	if (paging && !(g->cr0 & CR0_PE)) {
		return "CR0: paging without protection";
	}
	if (ia32e && !(paging && (g->cr4 & CR4_PAE))) {
		return "64-bit mode without PAE paging";
	}
	if (!ia32e && (g->cr4 & CR4_PCIDE)) {
		return "CR4.PCIDE outside 64-bit mode";
	}
	if (((g->efer & EFER_LMA) != 0) != ia32e || (paging && !(g->efer & EFER_LMA) != !(g->efer & EFER_LME))) {
		return "EFER.LMA does not go with the mode";
	}
	if (g->efer & ~(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)) {
		return "EFER: reserved bits";
	}
	if (g->cr3 >> 52 != 0) {
		return "CR3: address too large";
	}
	if (g->dr7 >> 32 != 0) {
		return "DR7: upper half";
	}
	if (!canonical(g->sysenter_esp) || !canonical(g->sysenter_eip)) {
		return "SYSENTER address not canonical";
	}
	return g->link != ~0ull ? "VMCS link pointer" : NULL;
}

/* Limits and granularity must agree. */
static bool limit_ok(const struct vmx_guest_image *g, enum vseg seg)
{
	uint32_t limit = g->seg[seg].limit;
	bool g_bit = g->seg[seg].ar & AR_G;
	return !((limit & 0xfff) != 0xfff && g_bit) && !(limit >> 20 != 0 && !g_bit);
}

static const char *check_cs(const struct vmx_guest_image *g)
{
	uint32_t ar = g->seg[VSEG_CS].ar;
	unsigned int type = type_of(g, VSEG_CS);
	if (!usable(g, VSEG_CS) || !(ar & AR_S) || !(ar & AR_P)) {
		return "CS: not a usable code segment";
	}
	if (type != 3 && (type & 9) != 9) {
		return "CS: type";
	}
	if (type == 3 && dpl_of(g, VSEG_CS) != 0) {
		return "CS: data segment of DPL above 0";
	}
	if (type == 9 || type == 11) {
		if (dpl_of(g, VSEG_CS) != dpl_of(g, VSEG_SS)) {
			return "CS: DPL differs from SS";
		}
	}
	if ((g->entry & ENTRY_IA32E) && (ar & AR_L) && (ar & AR_DB)) {
		return "CS: both L and D";
	}
	return limit_ok(g, VSEG_CS) ? NULL : "CS: limit and granularity";
}

static const char *check_data(const struct vmx_guest_image *g)
{
	static const char *const names[VSEG_COUNT] = {
		"ES: type, rights, limit or base", "", "SS: type, rights, limit or base", "DS: type, rights, limit or base",
		"FS: type, rights, limit or base", "GS: type, rights, limit or base",
	};
	for (unsigned int i = VSEG_ES; i <= VSEG_GS; i++) {
		uint32_t ar = g->seg[i].ar;
		if (i == VSEG_CS || !usable(g, (enum vseg)i)) {
			continue;
		}
		bool bad_type = !(ar & 1) || ((ar & 8) && !(ar & 2));
		if (i == VSEG_SS ? (ar & 15) != 3 && (ar & 15) != 7 : bad_type) {
			return names[i];
		}
		if (!(ar & AR_S) || !(ar & AR_P) || !limit_ok(g, (enum vseg)i) || ar & 0xf00 ||
		    ((i == VSEG_FS || i == VSEG_GS) ? !canonical(g->seg[i].base) : g->seg[i].base >> 32 != 0)) {
			return names[i];
		}
	}
	bool real = !(g->cr0 & CR0_PE) || type_of(g, VSEG_CS) == 3;
	return real && dpl_of(g, VSEG_SS) != 0 ? "SS: DPL above 0 in real mode" : NULL;
}

static const char *check_v86(const struct vmx_guest_image *g)
{
	for (unsigned int i = VSEG_ES; i <= VSEG_GS; i++) {
		if (g->seg[i].base != (uint64_t)g->seg[i].sel << 4 || g->seg[i].limit != 0xffff ||
		    g->seg[i].ar != 0xf3) {
			return "virtual-8086 mode: segment not as the selector makes it";
		}
	}
	return NULL;
}

static const char *check_system(const struct vmx_guest_image *g)
{
	bool ia32e = g->entry & ENTRY_IA32E;
	unsigned int tr = type_of(g, VSEG_TR);
	if (!usable(g, VSEG_TR) || (tr != 11 && (tr != 3 || ia32e)) || (g->seg[VSEG_TR].ar & AR_S) ||
	    !(g->seg[VSEG_TR].ar & AR_P) || (g->seg[VSEG_TR].sel & 4) || !limit_ok(g, VSEG_TR)) {
		return "TR: not a busy task segment";
	}
	if (usable(g, VSEG_LDTR) && (type_of(g, VSEG_LDTR) != 2 || (g->seg[VSEG_LDTR].ar & AR_S) ||
				     (g->seg[VSEG_LDTR].sel & 4) || !limit_ok(g, VSEG_LDTR))) {
		return "LDTR: not a local descriptor table";
	}
	if (!canonical(g->gdt_base) || !canonical(g->idt_base) || !canonical(g->seg[VSEG_TR].base) ||
	    g->gdt_limit > 0xffff || g->idt_limit > 0xffff) {
		return "descriptor table base or limit";
	}
	return NULL;
}

static const char *check_flags(const struct vmx_guest_image *g)
{
	bool ia32e = g->entry & ENTRY_IA32E;
	bool code64 = ia32e && (g->seg[VSEG_CS].ar & AR_L);
	if (!code64 && g->rip >> 32 != 0) {
		return "RIP: above 4 GiB outside 64-bit code";
	}
	if (code64 && !canonical(g->rip)) {
		return "RIP: not canonical";
	}
	if ((g->rflags & RFLAGS_RESERVED) || !(g->rflags & RFLAGS_ONE)) {
		return "RFLAGS: reserved bits";
	}
	if ((g->rflags & RFLAGS_VM) && (ia32e || !(g->cr0 & CR0_PE))) {
		return "RFLAGS.VM in this mode";
	}
	bool extint = (g->event & (VMX_EVENT_VALID | 0x700)) == VMX_EVENT_VALID;
	return extint && !(g->rflags & RFLAGS_IF) ? "interrupt injected with RFLAGS.IF clear" : NULL;
}

static const char *check_shadow(const struct vmx_guest_image *g)
{
	bool shadow = g->shadow & (SHADOW_STI | SHADOW_MOVSS), valid = g->event & VMX_EVENT_VALID;
	unsigned int type = g->event >> 8 & 7;
	if (g->activity != 0) {
		return "activity state";
	}
	if ((g->shadow & SHADOW_STI) && (!(g->rflags & RFLAGS_IF) || (g->shadow & SHADOW_MOVSS))) {
		return "shadow of STI without RFLAGS.IF, or with that of MOV SS";
	}
	if (valid && type == VMX_TYPE_EXTINT && shadow) {
		return "interrupt injected in a shadow";
	}
	if (valid && type == VMX_TYPE_NMI && (g->shadow & (SHADOW_MOVSS | SHADOW_NMI))) {
		return "NMI injected while NMIs are blocked";
	}
	bool must_bs = shadow && (g->rflags & RFLAGS_TF) && !(g->debugctl & 2);
	if (shadow && ((g->pending_db & PENDING_DB_BS) != 0) != must_bs) {
		return "pending single step and shadow do not agree";
	}
	return NULL;
}

const char *vmx_check(const struct vmx_guest_image *g)
{
	const char *(*const checks[])(const struct vmx_guest_image *) = {
		check_control, check_fixed, check_flags, check_system, check_shadow,
	};
	for (unsigned int i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		const char *wrong = checks[i](g);
		if (wrong != NULL) {
			return wrong;
		}
	}
	if (g->rflags & RFLAGS_VM) {
		return check_v86(g);
	}
	const char *wrong = check_cs(g);
	return wrong != NULL ? wrong : check_data(g);
}

static void take_image(struct vmx_guest_image *g)
{
	*g = (struct vmx_guest_image){
		.cr0 = vmx_read(VMCS_GUEST_CR0), .cr3 = vmx_read(VMCS_GUEST_CR3), .cr4 = vmx_read(VMCS_GUEST_CR4),
		.efer = vmx_read(VMCS_GUEST_EFER), .dr7 = vmx_read(VMCS_GUEST_DR7),
		.rip = vmx_read(VMCS_GUEST_RIP), .rflags = vmx_read(VMCS_GUEST_RFLAGS),
		.pending_db = vmx_read(VMCS_GUEST_PENDING_DB), .link = vmx_read(VMCS_LINK_POINTER),
		.debugctl = vmx_read(VMCS_GUEST_DEBUGCTL), .pat = vmx_read(VMCS_GUEST_PAT),
		.cr0_must = vmx_caps.cr0_fixed, .cr4_must = vmx_caps.cr4_fixed,
		.gdt_base = vmx_read(VMCS_GUEST_GDTR_BASE), .idt_base = vmx_read(VMCS_GUEST_IDTR_BASE),
		.sysenter_esp = vmx_read(VMCS_GUEST_SYSENTER_ESP),
		.sysenter_eip = vmx_read(VMCS_GUEST_SYSENTER_EIP),
		.gdt_limit = (uint32_t)vmx_read(VMCS_GUEST_GDTR_LIMIT),
		.idt_limit = (uint32_t)vmx_read(VMCS_GUEST_IDTR_LIMIT),
		.entry = (uint32_t)vmx_read(VMCS_ENTRY_CONTROLS), .event = (uint32_t)vmx_read(VMCS_ENTRY_EVENT),
		.shadow = (uint32_t)vmx_read(VMCS_GUEST_SHADOW),
		.activity = (uint32_t)vmx_read(VMCS_GUEST_ACTIVITY),
	};
	for (unsigned int i = 0; i < 4; i++) {
		g->pdpte[i] = vmx_read(VMCS_GUEST_PDPTE0 + 2 * i);
	}
	for (unsigned int i = 0; i < VSEG_COUNT; i++) {
		g->seg[i].sel = (uint16_t)vmx_read(VMCS_GUEST_SEL + 2 * i);
		g->seg[i].ar = (uint32_t)vmx_read(VMCS_GUEST_AR + 2 * i);
		g->seg[i].limit = (uint32_t)vmx_read(VMCS_GUEST_LIMIT + 2 * i);
		g->seg[i].base = vmx_read(VMCS_GUEST_BASE + 2 * i);
	}
}

static void say_why(const struct vmx_vcpu *s, const struct vmx_guest_image *g)
{
	const char *wrong = vmx_check(g);
	if (s->insn_error != 0) {
		log_warn("  VM entry refused: error %u of the instruction\n", s->insn_error);
	} else if (s->last_reason & REASON_ENTRY_FAILED) {
		log_warn("  VM entry refused (reason %u): %s\n", s->last_reason & 0xffff,
			 wrong != NULL ? wrong : "none of the known rules is broken");
	}
}

void vmx_dump(const struct arch_vcpu *v)
{
	static const char name[][5] = { "es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr" };
	const struct vmx_vcpu *s = v->vmx;
	struct vmx_guest_image g;
	struct vmx_vcpu *before = vmx_open(v);
	take_image(&g);
	say_why(s, &g);
	log_warn("  VMCS: reason %#x qualification %#lx vectoring %#lx entry event %#x gpa %#lx\n", s->last_reason,
		 (unsigned long)vmx_read(VMCS_QUALIFICATION), (unsigned long)vmx_read(VMCS_VECTORING_EVENT),
		 g.event, (unsigned long)vmx_read(VMCS_GUEST_PHYSICAL));
	log_warn("  cr0 %08lx (reads %08lx) cr2 %016lx cr3 %016lx cr4 %08lx (reads %08lx) efer %04lx\n",
		 (unsigned long)g.cr0, (unsigned long)s->cr0_shadow, (unsigned long)s->cr2,
		 (unsigned long)g.cr3, (unsigned long)g.cr4, (unsigned long)s->cr4_shadow,
		 (unsigned long)g.efer);
	log_warn("  rip %016lx rflags %08lx shadow %#x controls %#x entry %#x gdt %lx/%x idt %lx/%x\n",
		 (unsigned long)g.rip, (unsigned long)g.rflags, g.shadow, s->proc, g.entry,
		 (unsigned long)g.gdt_base, g.gdt_limit, (unsigned long)g.idt_base, g.idt_limit);
	for (unsigned int i = 0; i < VSEG_COUNT; i++) {
		log_warn("  %-4s %04x rights %05x limit %08x base %016lx\n", name[i], g.seg[i].sel, g.seg[i].ar,
			 g.seg[i].limit, (unsigned long)g.seg[i].base);
	}
	vmx_close(v, before);
}
