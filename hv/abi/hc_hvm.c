/* hvm_op (34): parameters, the upcall vector, and questions about memory. */
#include "abi/args.h"
#include "core/time.h"
#include "dom/p2m.h"
#include "dom/shared_info.h"
#include "hvm/hvm.h"
#include "ioreq/private_abi.h"
#include "lib/nospec.h"
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>

#define VECTOR_MIN 0x10

/* Who may do what with a parameter; the values themselves are checked in hvm/. */
enum { GUEST_GET = 1, GUEST_SET = 2, ONCE = 4, GONE = 8 };

static const uint8_t param_rule[PRIVATE_HVM_PARAMS] = {
	[HVM_PARAM_CALLBACK_IRQ] = GUEST_GET | GUEST_SET,
	[HVM_PARAM_STORE_PFN] = GUEST_GET,
	[HVM_PARAM_STORE_EVTCHN] = GUEST_GET | GUEST_SET,
	[HVM_PARAM_PAE_ENABLED] = GONE,
	[HVM_PARAM_IOREQ_PFN] = ONCE,
	[HVM_PARAM_BUFIOREQ_PFN] = ONCE,
	[HVM_PARAM_VIRIDIAN] = ONCE,
	[HVM_PARAM_DM_DOMAIN] = GONE,
	[HVM_PARAM_VM86_TSS] = GUEST_GET | GUEST_SET,
	[HVM_PARAM_CONSOLE_PFN] = GUEST_GET,
	[HVM_PARAM_CONSOLE_EVTCHN] = GUEST_GET | GUEST_SET,
	[HVM_PARAM_ACPI_IOPORTS_LOCATION] = GUEST_GET | GUEST_SET,
	[HVM_PARAM_MEMORY_EVENT_CR0] = GONE,
	[HVM_PARAM_MEMORY_EVENT_CR3] = GONE,
	[HVM_PARAM_MEMORY_EVENT_CR4] = GONE,
	[HVM_PARAM_MEMORY_EVENT_INT3] = GONE,
	[HVM_PARAM_NESTEDHVM] = GONE,
	[HVM_PARAM_MEMORY_EVENT_SINGLE_STEP] = GONE,
	[HVM_PARAM_BUFIOREQ_EVTCHN] = GONE,
	[HVM_PARAM_MEMORY_EVENT_MSR] = GONE,
	[HVM_PARAM_IOREQ_SERVER_PFN] = ONCE,
	[HVM_PARAM_NR_IOREQ_SERVER_PAGES] = ONCE,
	[HVM_PARAM_VM_GENERATION_ID_ADDR] = GUEST_GET | GUEST_SET,
	[HVM_PARAM_ALTP2M] = GUEST_GET | ONCE,
	[HVM_PARAM_X87_FIP_WIDTH] = GUEST_GET | GUEST_SET,
	[HVM_PARAM_VM86_TSS_SIZED] = GUEST_GET | GUEST_SET,
	[HVM_PARAM_MCA_CAP] = ONCE,
};

_Static_assert(HVM_NR_PARAMS == PRIVATE_HVM_PARAM_TOPOLOGY && PRIVATE_HVM_PARAMS <= ARRAY_SIZE(((struct domain *)0)->hvm_param), "parameters");

/* Read the argument, find the domain, and check that the caller may. */
static int param_begin(struct hc_call *c, struct xen_hvm_param *p, uint8_t need, struct domain **d)
{
	int rc;

	if (hc_get(c, c->arg[1], p) != 0) {
		return -EFAULT;
	}
	if (p->index >= PRIVATE_HVM_PARAMS) {
		return -EINVAL;
	}
	p->index = (uint32_t)nospec_index(p->index, PRIVATE_HVM_PARAMS);
	rc = access_target(c, p->domid, d);
	if (rc != 0) {
		return rc;
	}
	if (param_rule[p->index] & GONE) {
		rc = -EINVAL;
	} else if (!access_privileged(c->d) && !(param_rule[p->index] & need)) {
		rc = -EPERM;
	}
	if (rc != 0) {
		domain_put(*d);
	}
	return rc;
}

static int64_t op_set_param(struct hc_call *c)
{
	struct xen_hvm_param p;
	struct domain *d;
	uint64_t old;
	int64_t rc = param_begin(c, &p, GUEST_SET, &d);

	if (rc != 0) {
		return rc;
	}
	if (p.index == HVM_PARAM_CALLBACK_IRQ && d == c->d) {
		/* From now on it uses the layouts of the mode that it runs in. */
		shared_info_set_width(d, !c->compat);
	}
	if ((param_rule[p.index] & ONCE) && hvm_get_param(d, p.index, &old) == 0 && old != 0 && old != p.value) {
		rc = -EEXIST;
	} else {
		rc = hvm_set_param(d, p.index, p.value);
	}
	domain_put(d);
	return rc;
}

static int64_t op_get_param(struct hc_call *c)
{
	struct xen_hvm_param p;
	struct domain *d;
	int64_t rc = param_begin(c, &p, GUEST_GET, &d);

	if (rc != 0) {
		return rc;
	}
	rc = hvm_get_param(d, p.index, &p.value);
	domain_put(d);
	return rc == 0 ? hc_put(c, c->arg[1], &p) : rc;
}

static int64_t op_get_time(struct hc_call *c)
{
	struct xen_hvm_get_time t = { .now = time_now() };

	return hc_put(c, c->arg[1], &t);
}

static int64_t op_get_mem_type(struct hc_call *c)
{
	static const uint8_t mem_type[P2M_TYPES] = {
		[P2M_HOLE] = HVMMEM_mmio_dm, [P2M_RAM] = HVMMEM_ram_rw, [P2M_RAM_RO] = HVMMEM_ram_ro,
		[P2M_MMIO_DM] = HVMMEM_mmio_dm, [P2M_MMIO_DIRECT] = HVMMEM_mmio_dm, [P2M_FOREIGN] = HVMMEM_ram_rw,
		[P2M_GRANT_RW] = HVMMEM_ram_rw, [P2M_GRANT_RO] = HVMMEM_ram_ro, [P2M_SPECIAL] = HVMMEM_ram_rw,
	};
	struct xen_hvm_get_mem_type m;
	struct domain *d;
	int rc;

	if (hc_get(c, c->arg[1], &m) != 0) {
		return -EFAULT;
	}
	rc = access_target(c, m.domid, &d);
	if (rc != 0) {
		return rc;
	}
	m.mem_type = mem_type[p2m_lookup(d, GFN(m.pfn)).type];
	domain_put(d);
	return hc_put(c, c->arg[1], &m);
}

static int64_t op_set_upcall_vector(struct hc_call *c)
{
	struct xen_hvm_evtchn_upcall_vector u;
	struct vcpu *v;

	if (hc_get(c, c->arg[1], &u) != 0) {
		return -EFAULT;
	}
	v = domain_vcpu(c->d, u.vcpu);
	if (u.vector < VECTOR_MIN) {
		return -EINVAL;
	}
	return v != NULL ? hvm_set_upcall_vector(v, u.vector) : -ENOENT;
}

static int64_t op_unsupported(struct hc_call *c)
{
	return -EOPNOTSUPP;
}

static const struct {
	uint32_t cmd;
	int64_t (*fn)(struct hc_call *c);
} ops[] = {
	{ HVMOP_set_param, op_set_param },
	{ HVMOP_get_param, op_get_param },
	{ HVMOP_get_time, op_get_time },
	{ HVMOP_get_mem_type, op_get_mem_type },
	{ HVMOP_set_evtchn_upcall_vector, op_set_upcall_vector },
	{ HVMOP_guest_request_vm_event, op_unsupported },
	{ HVMOP_altp2m, op_unsupported },
};

int64_t hc_hvm(struct hc_call *c)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++) {
		if (ops[i].cmd == (uint32_t)c->arg[0]) {
			return ops[i].fn(c);
		}
	}
	return -ENOSYS;
}
