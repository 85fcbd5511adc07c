/*
 * Hypercalls of Dom0 and two guests with arguments made of anything: small numbers, domain ids, pointers into the
 * caller's memory and elsewhere. Oracle: the fakes' checks (locks free and in order, no copy under a lock, reference
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
		v = dom0->vcpu[0];
	} else {
		v = d->vcpu[pick / 3 % d->max_vcpus];
	}
	if (d != NULL) {
		domain_put(d);
	}
	return v;
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
	if (byte(in) % 16 == 0) {
		fake_fail_nth(1u + byte(in) % 4);
	}
	uint64_t rc = hypercall_dispatch(current_vcpu(), nr, arg);
	fake_fail_nth(0);
	if (getenv("FUZZ_VERBOSE") != NULL) {
		fprintf(stderr, "d%u: %s(%#lx, %#lx, %#lx) = %ld\n", current_vcpu()->domain->id, hypercall_name(nr),
			arg[0], arg[1], arg[2], (long)rc);
	}
}

static void make_guest(domid_t id)
{
	struct domain *g = fake_guest_id(id, 2, 64);

	for (uint64_t i = 0; i < 24; i++) {
		if (populate_add(g, GFN(i), 0) != 0) {
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
		dom0->max_pages = 64;
		/* Dom0 keeps a table that has grown. */
		if (grant_grow(dom0, 64) != 0) {
			abort();
		}
		fake_hv_set_base();
	}
	make_guest(1);
	make_guest(2);
	for (unsigned int i = 0; i < CALLS_MAX && in.left > 8; i++) {
		one_call(&in);
		fake_advance(500);
	}
	fake_wide = true;
	fake_hv_clear_dom0();
	fake_hv_check_leaks();
	return 0;
}
