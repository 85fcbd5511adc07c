/*
 * hvm/intr.c over five vCPUs with real local APICs: who gets a message in each destination and delivery mode, arbitration,
 * INIT and start-up requests.
 */
#include <string.h>
#include "core/trace.h"
#include "dom/shared_info.h"
#include "fake/fake_vcpu.h"
#include "fake/suite.h"
#include "hvm/hvm.h"
#include "hvm/hvm_pc.h"

#define N 5

static struct vcpu vcpu[N];
static struct hvm_vcpu hvm[N];
static struct vcpu *list[N];
static struct hvm_domain hvm_domain;
static struct domain d;
static unsigned int kicks[N];

/* ---- what intr.c calls ---- */

void vcpu_kick(struct vcpu *v)
{
	kicks[v->id]++;
}

bool shared_info_upcall_pending(struct vcpu *v)
{
	return false;
}

void spin_lock(struct spinlock *l)
{
}

void spin_unlock(struct spinlock *l)
{
}

uint64_t trace(enum trace_id id, uint16_t domain, uint16_t vcpu_id, uint64_t a, uint64_t b)
{
	return 0;
}

void hvm_ticks_taken(struct hvm_domain *h)
{
}

/* ---- the APICs' world ---- */

static uint64_t zero(void *ctx)
{
	return 0;
}

static uint64_t zero_of(void *ctx, uint64_t tsc)
{
	return 0;
}

static void nothing(void *ctx)
{
}

static void no_timer(void *ctx, uint64_t deadline)
{
}

static void no_eoi(void *ctx, uint8_t vector)
{
}

static void ipi(void *ctx, const struct apic_msg *m)
{
	hvm_deliver(&d, m, ctx);
}

static void wr(unsigned int i, uint32_t reg, uint32_t value)
{
	struct io_access a = { .space = IO_MMIO, .write = true, .size = 4, .addr = VLAPIC_DEFAULT_BASE + reg, .data = value };

	ck_assert_int_eq(vlapic_mmio(&hvm[i].lapic, &a), IO_DONE);
}

static void setup(void)
{
	memset(vcpu, 0, sizeof(vcpu));
	memset(hvm, 0, sizeof(hvm));
	memset(kicks, 0, sizeof(kicks));
	hvm_domain = (struct hvm_domain){ .domain = &d, .has_pc = true };
	d = (struct domain){ .max_vcpus = N, .vcpu = list, .hvm = &hvm_domain };
	for (unsigned int i = 0; i < N; i++) {
		list[i] = &vcpu[i];
		vcpu[i] = (struct vcpu){ .domain = &d, .id = i, .hvm = &hvm[i] };
		hvm[i].lapic_host = (struct vlapic_host){ .now_ns = zero, .tsc = zero, .tsc_to_ns = zero_of,
							  .timer_set = no_timer, .ipi = ipi, .eoi = no_eoi,
							  .enabled = nothing, .ctx = &vcpu[i] };
		vlapic_init(&hvm[i].lapic, &hvm[i].lapic_host, i * 2, i == 0, true);
		wr(i, 0xf0, 0x1ff);
		wr(i, 0xd0, 1u << (24 + i));
	}
}

/* Which APICs hold the vector, as bits; taken out. */
static uint32_t holders(uint8_t vector)
{
	uint32_t mask = 0;

	for (unsigned int i = 0; i < N; i++) {
		if (vlapic_pending(&hvm[i].lapic) == vector) {
			vlapic_ack(&hvm[i].lapic, vector);
			vlapic_write_eoi(&hvm[i].lapic);
			mask |= 1u << i;
		}
	}
	return mask;
}

static uint32_t kicked(void)
{
	uint32_t mask = 0;

	for (unsigned int i = 0; i < N; i++) {
		mask |= (uint32_t)(kicks[i] != 0) << i;
	}
	memset(kicks, 0, sizeof(kicks));
	return mask;
}

static uint32_t nmis(void)
{
	uint32_t mask = 0;

	for (unsigned int i = 0; i < N; i++) {
		mask |= (uint32_t)hvm[i].nmi_pending << i;
		hvm[i].nmi_pending = false;
	}
	return mask;
}

/* From vCPU `from`, through its ICR: high half, low half. */
static uint32_t icr(unsigned int from, uint32_t high, uint32_t low)
{
	wr(from, 0x310, high << 24);
	wr(from, 0x300, low);
	return holders((uint8_t)low);
}

START_TEST(test_fixed)
{
	/* physical, the sender too; nobody; everybody */
	ck_assert_uint_eq(icr(0, 6, 0x41), 1 << 3);
	ck_assert_uint_eq(kicked(), 1 << 3);
	ck_assert_uint_eq(icr(2, 4, 0x41), 1 << 2);
	ck_assert_uint_eq(icr(0, 5, 0x41), 0);
	ck_assert_uint_eq(icr(0, 0xff, 0x41), 0x1f);
	/* logical flat */
	for (uint32_t mask = 0; mask < 0x20; mask++) {
		ck_assert_uint_eq(icr(1, mask, 0x841), mask);
	}
	/* shorthands */
	ck_assert_uint_eq(icr(1, 6, 0x40041), 1 << 1);
	ck_assert_uint_eq(icr(1, 6, 0x80041), 0x1f);
	ck_assert_uint_eq(icr(1, 6, 0xc0041), 0x1d);
}
END_TEST

/* Who waits already is not woken twice for the same vector; a switched-off APIC takes nothing. */
START_TEST(test_kicks)
{
	(void)kicked();
	wr(0, 0x310, 2u << 24);
	wr(0, 0x300, 0x41);
	ck_assert_uint_eq(kicks[1], 1);
	wr(0, 0x300, 0x41);
	ck_assert_uint_eq(kicks[1], 1);
	wr(0, 0x300, 0x42);
	ck_assert_uint_eq(kicks[1], 2);
	wr(3, 0xf0, 0xff);
	ck_assert_uint_eq(icr(0, 6, 0x41), 0);
	ck_assert_uint_eq(kicks[3], 0);
	/* NMI, INIT and start-up reach it all the same */
	wr(0, 0x300, 0x400);
	ck_assert_uint_eq(nmis(), 1 << 3);
}
END_TEST

START_TEST(test_lowest)
{
	/* equals take turns */
	ck_assert_uint_eq(icr(0, 0x1e, 0x941), 1 << 1);
	ck_assert_uint_eq(icr(0, 0x1e, 0x941), 1 << 2);
	ck_assert_uint_eq(icr(0, 0x1e, 0x941), 1 << 3);
	ck_assert_uint_eq(icr(0, 0x1e, 0x941), 1 << 4);
	ck_assert_uint_eq(icr(0, 0x1e, 0x941), 1 << 1);
	/* the least task priority */
	for (unsigned int i = 0; i < N; i++) {
		wr(i, 0x80, i == 3 ? 0x20 : 0x30);
	}
	ck_assert_uint_eq(icr(0, 0x1f, 0x941), 1 << 3);
	ck_assert_uint_eq(icr(0, 0x1f, 0x941), 1 << 3);
	ck_assert_uint_eq(icr(0, 0x07, 0x941) & ~7u, 0);
	/* one that waits for a higher vector is busier */
	ck_assert(vlapic_set_irq(&hvm[3].lapic, 0x99, false));
	ck_assert_uint_eq(icr(0, 0x18, 0x941), 1 << 4);
	/* a switched-off one is not asked */
	wr(4, 0xf0, 0xff);
	wr(0, 0x310, 0x18u << 24);
	wr(0, 0x300, 0x941);
	ck_assert_uint_eq(holders(0x99), 1 << 3);
	ck_assert_uint_eq(holders(0x41), 1 << 3);
}
END_TEST

/* Intel SDM volume 3, "Arbitration priority": the three cases. */
START_TEST(test_apr)
{
	struct vlapic *l = &hvm[0].lapic;

	ck_assert_uint_eq(vlapic_apr(l), 0);
	wr(0, 0x80, 0x35);
	ck_assert_uint_eq(vlapic_apr(l), 0x35);
	ck_assert(vlapic_set_irq(l, 0x91, false));
	ck_assert_uint_eq(vlapic_apr(l), 0x90);
	vlapic_ack(l, 0x91);
	/* 30h and 90h have 10h in common */
	ck_assert_uint_eq(vlapic_apr(l), 0x10);
}
END_TEST

START_TEST(test_nmi)
{
	ck_assert_uint_eq(icr(0, 2, 0x400), 0);
	ck_assert_uint_eq(nmis(), 1 << 1);
	ck_assert_uint_eq(kicked(), 1 << 1);
	(void)icr(0, 0x16, 0xc00);
	ck_assert_uint_eq(nmis(), 0x16);
	(void)icr(2, 0, 0xc0400);
	ck_assert_uint_eq(nmis(), 0x1b);
	(void)icr(2, 0xff, 0x400);
	ck_assert_uint_eq(nmis(), 0x1f);
}
END_TEST

START_TEST(test_init_sipi)
{
	(void)icr(0, 2, 0x4500);
	ck_assert_uint_eq(hvm[1].request, VREQ_INIT);
	(void)icr(0, 2, 0x4612);
	ck_assert_uint_eq(hvm[1].request, VREQ_INIT | VREQ_SIPI | 0x12);
	/* the first start-up message counts */
	(void)icr(0, 2, 0x46ff);
	ck_assert_uint_eq(hvm[1].request, VREQ_INIT | VREQ_SIPI | 0x12);
	/* until the next INIT */
	(void)icr(0, 2, 0x4500);
	ck_assert_uint_eq(hvm[1].request, VREQ_INIT);
	(void)icr(0, 2, 0x46ff);
	ck_assert_uint_eq(hvm[1].request, VREQ_INIT | VREQ_SIPI | 0xff);
	/* the level de-assert is no INIT */
	(void)icr(0, 4, 0x8500);
	ck_assert_uint_eq(hvm[2].request, 0);
	(void)icr(0, 4, 0xc500);
	ck_assert_uint_eq(hvm[2].request, VREQ_INIT);
	(void)icr(0, 0, 0xc4500);
	ck_assert_uint_eq(hvm[0].request, 0);
	for (unsigned int i = 1; i < N; i++) {
		ck_assert_uint_eq(hvm[i].request, VREQ_INIT);
	}
}
END_TEST

static void x2(unsigned int from, uint64_t value)
{
	ck_assert_int_eq(vlapic_msr_write(&hvm[from].lapic, 0x830, value), 0);
}

START_TEST(test_x2apic)
{
	for (unsigned int i = 0; i < N; i++) {
		/* one of them in the second cluster */
		vlapic_set_id(&hvm[i].lapic, i == 4 ? 0x21 : i * 2);
		ck_assert_int_eq(vlapic_msr_write(&hvm[i].lapic, 0x1b, VLAPIC_DEFAULT_BASE | 0xc00), 0);
	}
	/* physical: 32 bits count */
	x2(0, 6ull << 32 | 0x41);
	ck_assert_uint_eq(holders(0x41), 1 << 3);
	x2(0, 0x106ull << 32 | 0x41);
	x2(0, 0xffull << 32 | 0x41);
	ck_assert_uint_eq(holders(0x41), 0);
	x2(0, 0x21ull << 32 | 0x41);
	ck_assert_uint_eq(holders(0x41), 1 << 4);
	x2(0, 0xffffffffull << 32 | 0x41);
	ck_assert_uint_eq(holders(0x41), 0x1f);
	/* logical: cluster and one bit of sixteen */
	x2(1, 0x00000055ull << 32 | 0x841);
	ck_assert_uint_eq(holders(0x41), 0xf);
	x2(1, 0x00000014ull << 32 | 0x841);
	ck_assert_uint_eq(holders(0x41), 6);
	x2(1, 0x00020002ull << 32 | 0x841);
	ck_assert_uint_eq(holders(0x41), 1 << 4);
	x2(1, 0x00020001ull << 32 | 0x841);
	x2(1, 0x00010002ull << 32 | 0x841);
	ck_assert_uint_eq(holders(0x41), 0);
	x2(1, 0xffffffffull << 32 | 0x841);
	ck_assert_uint_eq(holders(0x41), 0x1f);
	/* lowest priority, shorthands, NMI, INIT */
	x2(0, 0x00000050ull << 32 | 0x941);
	ck_assert_uint_eq(holders(0x41), 1 << 2);
	x2(0, 0x00000050ull << 32 | 0x941);
	ck_assert_uint_eq(holders(0x41), 1 << 3);
	x2(2, 0xc0041);
	ck_assert_uint_eq(holders(0x41), 0x1b);
	x2(2, 0xc0400);
	ck_assert_uint_eq(nmis(), 0x1b);
	x2(2, 0x21ull << 32 | 0x500);
	ck_assert_uint_eq(hvm[4].request, VREQ_INIT);
	/* SELF IPI */
	ck_assert_int_eq(vlapic_msr_write(&hvm[2].lapic, 0x83f, 0x41), 0);
	ck_assert_uint_eq(holders(0x41), 1 << 2);
}
END_TEST

START_TEST(test_msi)
{
	/* physical; logical flat; lowest priority of two; level */
	ck_assert_int_eq(hvm_inject_msi(&d, 0xfee06000, 0x51), 0);
	ck_assert_uint_eq(holders(0x51), 1 << 3);
	ck_assert_int_eq(hvm_inject_msi(&d, 0xfee05004, 0x51), 0);
	ck_assert_uint_eq(holders(0x51), 5);
	ck_assert_int_eq(hvm_inject_msi(&d, 0xfee0600c, 0x151), 0);
	ck_assert_int_eq(hvm_inject_msi(&d, 0xfee0600c, 0x151), 0);
	ck_assert_uint_eq(holders(0x51), 6);
}
END_TEST

/* ---- a processor that delivers by itself ---- */

static struct virt_apic page;
static unsigned int injected, windows;

static void inject(struct arch_vcpu *v, const struct vm_event *e)
{
	injected++;
}

static void want_window(struct arch_vcpu *v, enum virt_window w, bool on)
{
	windows += on;
}

static void lend_apic(struct arch_vcpu *v, const struct virt_apic *a)
{
	page = *a;
}

static void return_apic(struct arch_vcpu *v, struct virt_apic *a)
{
	*a = page;
}

static bool can_take(const struct arch_vcpu *v, enum virt_window w)
{
	return true;
}

START_TEST(test_delivery)
{
	static const struct virt_ops ops = { .name = "delivers", .inject = inject, .want_window = want_window, .can_take = can_take,
					     .lend_apic = lend_apic, .return_apic = return_apic };
	struct vcpu *v = &vcpu[1];

	virt = &ops;
	injected = windows = 0;
	v->arch.apic_delivery = true;
	ck_assert(!hvm_wake_event(v));
	(void)vlapic_set_irq(&hvm[1].lapic, 0x41, false);
	(void)vlapic_set_irq(&hvm[1].lapic, 0x63, true);
	vlapic_set_cr8(&hvm[1].lapic, 5);
	/* it wakes, but nothing is put in, and no window is needed */
	ck_assert(hvm_wake_event(v));
	hvm_intr_prepare(v);
	ck_assert(injected == 0 && windows == 0);
	v->arch.cr8 = 5;
	hvm_apic_lend(v);
	ck_assert_uint_eq(v->arch.cr8, 5 | CR8_APIC_LENT);
	ck_assert(page.irr[1] == (1ull << 1 | 1ull << 0x23) && page.eoi_exit[1] == 1ull << 0x23 && page.tpr == 0x50);
	/* the guest takes 63h; its EOI ends the run; meanwhile 41h came again */
	v->kicked = 0;
	ck_assert(vlapic_set_irq(&hvm[1].lapic, 0x41, false));
	page.irr[1] = 1ull << 1;
	page.tpr = 0x30;
	page.ended = 0x63;
	hvm_apic_return(v);
	ck_assert(v->arch.cr8 == 3 && v->kicked);
	ck_assert_int_eq(vlapic_pending(&hvm[1].lapic), 0x41);
	ck_assert(!vlapic_waiting(&hvm[1].lapic, 0x63));
	ck_assert(hvm_wake_event(v));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_fixed, test_kicks, test_lowest, test_apr, test_nmi, test_init_sipi, test_x2apic,
				       test_msi, test_delivery, NULL };

	return suite_run("hvm_intr", setup, tests);
}
