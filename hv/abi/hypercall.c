/*
 * THE HYPERCALL TABLE, dispatch and multicall.
 *
 * A number without a row, and every operation that a row's handler does not know, is -ENOSYS: Linux and the tools fall
 * back where the ABI lets them.
 */
#include "abi/args.h"
#include "abi/compat.h"
#include "abi/ostler_op.h"
#include "core/log.h"
#include "core/trace.h"
#include "dom/evtchn.h"
#include "hvm/hvm.h"
#include "lib/nospec.h"

static const struct hypercall table[] = {
	[__HYPERVISOR_platform_op]      = { "platform_op",      hc_platform,    1, HC_PRIVILEGED },
	[__HYPERVISOR_memory_op]        = { "memory_op",        hc_memory,      2, HC_ANY },
	[__HYPERVISOR_multicall]        = { "multicall",        hc_multicall,   2, HC_ANY },
	[__HYPERVISOR_set_timer_op]     = { "set_timer_op",     hc_set_timer,   2, HC_ANY },
	[__HYPERVISOR_xen_version]      = { "xen_version",      hc_xen_version, 2, HC_ANY },
	[__HYPERVISOR_console_io]       = { "console_io",       hc_console_io,  3, HC_ANY },
	[__HYPERVISOR_grant_table_op]   = { "grant_table_op",   hc_grant,       3, HC_ANY },
	[__HYPERVISOR_vm_assist]        = { "vm_assist",        hc_vm_assist,   2, HC_ANY },
	[__HYPERVISOR_vcpu_op]          = { "vcpu_op",          hc_vcpu,        3, HC_ANY },
	[__HYPERVISOR_sched_op]         = { "sched_op",         hc_sched,       2, HC_ANY },
	[__HYPERVISOR_event_channel_op] = { "event_channel_op", hc_evtchn,      2, HC_ANY },
	[__HYPERVISOR_physdev_op]       = { "physdev_op",       hc_physdev,     2, HC_ANY },
	[__HYPERVISOR_hvm_op]           = { "hvm_op",           hc_hvm,         2, HC_ANY },
	[__HYPERVISOR_sysctl]           = { "sysctl",           hc_sysctl,      1, HC_PRIVILEGED },
	[__HYPERVISOR_domctl]           = { "domctl",           hc_domctl,      1, HC_PRIVILEGED },
	[__HYPERVISOR_dm_op]            = { "dm_op",            hc_dm_op,       3, HC_ANY },
	[OSTLER_OP_NUMBER]              = { "ostler_op",        hc_ostler,      2, HC_PRIVILEGED },
};

static const struct hypercall *find(uint64_t nr)
{
	const struct hypercall *h = &table[nospec_index(nr, ARRAY_SIZE(table))];

	return nr < ARRAY_SIZE(table) && h->fn != NULL ? h : NULL;
}

const char *hypercall_name(unsigned int nr)
{
	const struct hypercall *h = find(nr);

	return h != NULL ? h->name : NULL;
}

/* The arguments from nargs on are 0. */
static int64_t run(struct hc_call *c, const struct hypercall *h)
{
	int64_t rc;

	if (h->who == HC_PRIVILEGED && !access_privileged(c->d)) {
		return -EPERM;
	}
	rc = h->fn(c);
	/* Internal: whoever waited for something was told that the domain dies. It will not see this. */
	return rc == -ERESTART ? -EINTR : rc;
}

/* Registers with the arguments, of a 32-bit and of a 64-bit caller. */
static const uint8_t arg_gpr[2][6] = {
	{ GPR_RBX, GPR_RCX, GPR_RDX, GPR_RSI, GPR_RDI, GPR_RBP },
	{ GPR_RDI, GPR_RSI, GPR_RDX, GPR_R10, GPR_R8, GPR_R9 },
};

uint64_t hypercall_dispatch(struct vcpu *v, bool long64)
{
	const uint64_t *gpr = v->arch.regs.gpr, mask = long64 ? ~0ull : UINT32_MAX;
	struct hc_call c = { .v = v, .d = v->domain, .compat = !long64 };
	uint64_t nr = gpr[GPR_RAX] & mask;
	const struct hypercall *h = find(nr);
	int64_t rc = -ENOSYS;

	if (h != NULL) {
		for (unsigned int i = 0; i < h->nargs; i++) {
			c.arg[i] = gpr[arg_gpr[long64][i]] & mask;
		}
		rc = run(&c, h);
	}
	trace(TRC_HYPERCALL_DONE, v->domain->id, (uint16_t)v->id, nr, (uint64_t)rc);
	return (uint64_t)rc & mask;
}

bool hc_preempt(struct hc_call *c)
{
	sched_check();
	return READ_ONCE(c->d->dying);
}

/* ---- multicall ---- */

static int multicall_one(struct hc_call *outer, uint64_t entry)
{
	struct hc_call c = { .v = outer->v, .d = outer->d, .compat = outer->compat, .nested = true };
	struct multicall_entry e;
	const struct hypercall *h;
	int rc = hc_get(outer, entry, &e);

	if (rc != 0) {
		return rc;
	}
	h = find(e.op);
	for (unsigned int i = 0; h != NULL && i < h->nargs; i++) {
		c.arg[i] = e.args[i];
	}
	e.result = (xen_ulong_t)(h != NULL ? run(&c, h) : -ENOSYS);
	return hc_put_bytes(outer, entry + offsetof(struct multicall_entry, result), &e.result, sizeof(e.result));
}

static int multicall_one_compat(struct hc_call *outer, uint64_t entry)
{
	struct hc_call c = { .v = outer->v, .d = outer->d, .compat = outer->compat, .nested = true };
	struct compat_multicall_entry e;
	const struct hypercall *h;
	int rc = hc_get(outer, entry, &e);

	if (rc != 0) {
		return rc;
	}
	h = find(e.op);
	for (unsigned int i = 0; h != NULL && i < h->nargs; i++) {
		c.arg[i] = e.args[i];
	}
	e.result = (uint32_t)(h != NULL ? run(&c, h) : -ENOSYS);
	return hc_put_bytes(outer, entry + offsetof(struct compat_multicall_entry, result), &e.result,
			    sizeof(e.result));
}

int64_t hc_multicall(struct hc_call *c)
{
	uint64_t size = c->compat ? sizeof(struct compat_multicall_entry) : sizeof(struct multicall_entry);
	int rc = 0;

	if (c->nested) {
		return -EINVAL;
	}
	for (uint64_t i = 0; i < (uint32_t)c->arg[1] && rc == 0; i++) {
		uint64_t entry = c->arg[0] + i * size;
		if (i != 0 && hc_preempt(c)) {
			return -EINTR;
		}
		rc = c->compat ? multicall_one_compat(c, entry) : multicall_one(c, entry);
	}
	return rc;
}

/* ---- start-up ---- */

static void console_input(void)
{
	evtchn_global_virq(VIRQ_CONSOLE);
}

void hypercall_init(void)
{
	console_input_hook = console_input;
}
