/*
 * Hypercalls of Dom0 and two guests with arguments made of anything: small numbers, domain ids, pointers into the
 * caller's memory and elsewhere. Where a call changes a guest-physical map, another vCPU may make a whole call of its
 * own first: what was looked up before may then not be so any more. Oracle: the fakes' checks (locks free and in order, no copy under a lock, reference
 * counts), the sanitizers, and that every frame is free again when the guests are destroyed.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/domctl.h>
#include <xen/platform.h>
#include <xen/sysctl.h>
#include <xen/hvm/dm_op.h>
#include "abi/hypercall.h"
#include "dom/grant.h"
#include "dom/populate.h"
#include "fake/fake_hv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CALLS_MAX 64
#define WORDS     16

struct input {
	const uint8_t *at;
	size_t left;
};

static uint8_t byte(struct input *in)
{
	if (in->left == 0) {
		return 0;
	}
	in->left--;
	return *in->at++;
}

/* 32 bits that often mean something. */
static uint32_t number(struct input *in)
{
	static const uint32_t odd[] = { ~0u, 0x7fffffff, 0x80000000, DOMID_SELF, 4096, 4095, 1024, 0xfeffc };
	uint8_t kind = byte(in);

	switch (kind & 7) {
	case 0:
	case 1:
		return kind >> 3;
	case 2:
		return 0;
	case 3:
		return 1u + (kind >> 3) % 3;
	case 4:
		return FAKE_GUEST_BASE + byte(in) * 8u;
	case 5:
		return odd[(kind >> 3) % ARRAY_SIZE(odd)];
	case 6:
		return byte(in);
	default:
		return (uint32_t)byte(in) << 24 | (uint32_t)byte(in) << 16 | (uint32_t)byte(in) << 8 | byte(in);
	}
}

static uint64_t word(struct input *in)
{
	uint64_t lo = number(in);

	/* Mostly one member of 64 bits, or one of 32 with padding; sometimes two, or two of 16 in the low half. */
	switch (byte(in) & 3) {
	case 0:
		return lo | (uint64_t)number(in) << 32;
	case 1:
		return (lo & 0xffff) | (uint64_t)(number(in) & 0xffff) << 16 | (uint64_t)number(in) << 32;
	default:
		return lo;
	}
}

static uint64_t block(struct input *in, uint64_t *words)
{
	for (unsigned int i = 0; i < WORDS; i++) {
		words[i] = in->left != 0 ? word(in) : 0;
	}
	return fake_put(words, WORDS * sizeof(*words));
}

/* ---- calls that mean something, so that they meet each other ---- */

static uint64_t race_gfn;               /* where the interrupted call is at work */

static uint64_t some_gfn(struct input *in)
{
	uint8_t b = byte(in);

	if (b % 2 != 0) {
		return race_gfn - b % 8 / 2;
	}
	return b < 250 ? b % 40u : 1ull << (b - 210);
}

static domid_t some_domid(struct input *in)
{
	uint8_t b = byte(in);

	return b < 128 ? DOMID_SELF : b % 4u;
}

static void meant_memory(struct input *in, uint64_t *arg)
{
	uint64_t gfns[3] = { some_gfn(in), some_gfn(in), some_gfn(in) };
	uint64_t words[4] = { 0 };
	uint8_t spaces[] = { XENMAPSPACE_shared_info, XENMAPSPACE_grant_table, XENMAPSPACE_gmfn,
			     XENMAPSPACE_gmfn_range };

	switch (byte(in) % 4) {
	case 0:
	case 1:
		arg[0] = byte(in) % 3 == 0 ? XENMEM_decrease_reservation : XENMEM_populate_physmap;
		words[0] = fake_put(gfns, sizeof(gfns));
		words[1] = 1u + byte(in) % 3;
		words[2] = byte(in) % 4;
		words[3] = some_domid(in);
		break;
	case 2:
		arg[0] = XENMEM_add_to_physmap;
		words[0] = some_domid(in) | (uint64_t)(byte(in) % 8) << 16 |
			   (uint64_t)spaces[byte(in) % sizeof(spaces)] << 32;
		words[1] = gfns[0];
		words[2] = gfns[1];
		break;
	default:
		arg[0] = XENMEM_remove_from_physmap;
		words[0] = some_domid(in);
		words[1] = gfns[0];
		break;
	}
	arg[1] = FAKE_PUT(words);
}

/* A guest writes an entry of its table, whatever is in use there. */
static void write_grant(struct input *in)
{
	struct domain *d = domain_get(byte(in) % 3);
	struct page *page;

	if (d != NULL && !d->dying && grant_get_frame(d, 0, &page) == 0) {
		struct grant_entry_v1 *e = page_virt(page);
		e += byte(in) % 16;
		e->flags = byte(in) % 8 != 0 ? GTF_permit_access | (byte(in) & GTF_readonly) : byte(in);
		e->domid = byte(in) % 3;
		e->frame = (uint32_t)some_gfn(in);
		page_put(page);
	}
	if (d != NULL) {
		domain_put(d);
	}
}

static void meant_grant(struct input *in, uint64_t *arg)
{
	uint64_t words[4] = { some_gfn(in) << PAGE_SHIFT };

	write_grant(in);
	if (byte(in) % 3 != 0) {
		arg[0] = GNTTABOP_map_grant_ref;
		words[1] = GNTMAP_host_map | (byte(in) & GNTMAP_readonly) | (uint64_t)(byte(in) % 16) << 32;
		words[2] = byte(in) % 3;
	} else {
		arg[0] = GNTTABOP_unmap_grant_ref;
		words[0] = byte(in) % 2 ? words[0] : 0;
		words[2] = byte(in) % 4;
	}
	arg[1] = FAKE_PUT(words);
	arg[2] = 1;
}

/* True: the arguments are made. */
static bool meant(struct input *in, uint8_t nr, uint64_t *arg)
{
	if (nr == __HYPERVISOR_memory_op) {
		meant_memory(in, arg);
		return true;
	}
	if (nr == __HYPERVISOR_grant_table_op) {
		meant_grant(in, arg);
		return true;
	}
	return false;
}

static void woken(void)
{
	fake_advance(1000);
	vcpu_kick(current_vcpu());
}

static struct vcpu *caller(uint8_t pick)
{
	struct domain *d = domain_get(pick % 3);
	struct vcpu *v;

	if (d == NULL || d->id == 0) {
		v = dom0->vcpu[pick / 3 & 1];
	} else {
		v = d->vcpu[pick / 3 % d->max_vcpus];
	}
	if (d != NULL) {
		domain_put(d);
	}
	return v;
}

static struct input *race_input;        /* what the other vCPU does; NULL: nothing */
static struct vcpu *racing;             /* the vCPU whose call is interrupted */

/* The interrupted vCPU's own domain cannot be torn down before its call ends, and it makes no second call. */
static bool cannot_race(uint8_t nr, const uint64_t *words)
{
	bool destroy = nr == __HYPERVISOR_domctl && (uint32_t)words[0] == XEN_DOMCTL_destroydomain;

	return racing != NULL && (current_vcpu() == racing || (destroy && words[1] == racing->domain->id));
}

/* Arguments of one call as its number wants them, of words that mean anything. */
static void shape(struct input *in, uint8_t nr, uint64_t *words, uint64_t ptr, uint64_t *arg)
{
	if (byte(in) % 8 != 0) {
		arg[0] = byte(in) % 30;
	}
	switch (nr) {
	case __HYPERVISOR_dm_op: {
		struct xen_dm_op_buf buf[2] = { 0 };
		buf[0].h.p = (void *)ptr;
		buf[0].size = byte(in) % 8 != 0 ? 32 : byte(in) % 64;
		buf[1].h.p = (void *)ptr;
		buf[1].size = byte(in);
		words[0] = (byte(in) % 22u) | (uint64_t)(byte(in) == 255) << 32;
		ptr = FAKE_PUT(words);
		buf[0].h.p = (void *)ptr;
		arg[0] = 1u + byte(in) % 3;
		arg[1] = byte(in) % 8 != 0 ? 1 + byte(in) % 2 : byte(in) % 4;
		arg[2] = FAKE_PUT(buf);
		break;
	}
	case __HYPERVISOR_domctl:
		words[0] = (byte(in) % 90u) | (uint64_t)XEN_DOMCTL_INTERFACE_VERSION << 32;
		words[1] &= 0xffff;
		arg[0] = FAKE_PUT(words);
		break;
	case __HYPERVISOR_sysctl:
		words[0] = (byte(in) % 32u) | (uint64_t)XEN_SYSCTL_INTERFACE_VERSION << 32;
		arg[0] = FAKE_PUT(words);
		break;
	case __HYPERVISOR_platform_op:
		words[0] = (byte(in) % 68u) | (uint64_t)XENPF_INTERFACE_VERSION << 32;
		arg[0] = FAKE_PUT(words);
		break;
	case __HYPERVISOR_multicall:
		arg[0] = ptr;
		arg[1] &= 3;
		break;
	case __HYPERVISOR_console_io:
		arg[2] = ptr;
		break;
	case __HYPERVISOR_vcpu_op:
		arg[2] = ptr;
		break;
	case __HYPERVISOR_grant_table_op:
		arg[2] = byte(in) % 8 != 0 ? 1 : arg[2];
		arg[1] = ptr;
		break;
	default:
		arg[1] = ptr;
		break;
	}
}

static void one_call(struct input *in)
{
	static const uint8_t numbers[] = { 7, 12, 12, 12, 13, 15, 17, 18, 20, 20, 20, 21, 24, 29, 32, 32, 33, 34, 35, 36,
		36, 41, 41, 41 };
	uint64_t words[WORDS], arg[6], ptr;
	uint8_t nr = numbers[byte(in) % sizeof(numbers)];

	fake_run_on(caller(nr == 7 || nr >= 35 ? byte(in) / 3 * 3 : byte(in)));
	fake_wide = (byte(in) & 7) != 0;
	ptr = block(in, words);
	for (unsigned int i = 0; i < 6; i++) {
		arg[i] = i < 3 ? number(in) : 0;
	}
	if (byte(in) % 2 == 0 || !meant(in, nr, arg)) {
		shape(in, nr, words, ptr, arg);
	}
	if (cannot_race(nr, words)) {
		return;
	}
	if (byte(in) % 16 == 0) {
		fake_fail_nth(1u + byte(in) % 4);
	}
	uint64_t rc = fake_hypercall(nr, arg);
	fake_fail_nth(0);
	if (getenv("FUZZ_VERBOSE") != NULL) {
		fprintf(stderr, "d%u: %s(%#lx, %#lx, %#lx) = %ld\n", current_vcpu()->domain->id, hypercall_name(nr),
			arg[0], arg[1], arg[2], (long)rc);
	}
}

static void race(gfn_t gfn)
{
	struct input *in = race_input;
	struct vcpu *outer = current_vcpu();
	bool wide = fake_wide;

	if (racing != NULL || in == NULL || in->left < 8 || byte(in) % 2 != 0) {
		return;
	}
	racing = outer;
	race_gfn = gfn.v;
	one_call(in);
	racing = NULL;
	fake_wide = wide;
	fake_run_on(outer);
}

static void make_guest(domid_t id)
{
	struct domain *g = fake_guest_id(id, 2, 64);

	/* With gaps, so that a block meets something in its middle. */
	for (uint64_t i = 0; i < 40; i++) {
		if ((i < 8 || i % 4 == 3) && populate_add(g, GFN(i), 0) != 0) {
			abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	static bool ready;

	if (!ready) {
		ready = true;
		fake_hv_reset(2);
		fake_block_hook = woken;
		fake_map_hook = race;
		dom0->max_pages = 64;
		/* Dom0 keeps a table that has grown. */
		if (grant_grow(dom0, 64) != 0) {
			abort();
		}
		fake_hv_set_base();
	}
	make_guest(1);
	make_guest(2);
	race_input = &in;
	for (unsigned int i = 0; i < CALLS_MAX && in.left > 8; i++) {
		one_call(&in);
		fake_p2m_check();
		fake_advance(500);
	}
	race_input = NULL;
	fake_wide = true;
	fake_hv_clear_dom0();
	fake_hv_check_leaks();
	return 0;
}
