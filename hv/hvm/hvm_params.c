/*
 * HVM parameters: values, checks and side effects (Xen's public header hvm/params.h).
 *
 * Stored in d->hvm_param under LOCK_DOMAIN; side effects take LOCK_HVM. Who may set what is hc_hvm.c's question.
 */
#include <stddef.h>
#include <stdint.h>
#include <xen/hvm/params.h>
#include <xen/sched.h>
#include "dom/shared_info.h"
#include "hvm/hvm.h"
#include "hvm/hvm_pc.h"
#include "hvm/hvm_state.h"
#include "ioreq/private_abi.h"
#include "lib/err.h"
#include "lib/nospec.h"

#define CALLBACK_TYPE_SHIFT 56

static int set_callback(struct domain *d, uint64_t value)
{
	struct hvm_domain *h = d->hvm;
	uint8_t type = (uint8_t)(value >> CALLBACK_TYPE_SHIFT);
	spin_lock(&h->lock);
	h->callback_kind = CALLBACK_NONE;
	switch (type) {
	case 0:
		h->callback_gsi = (uint8_t)value;
		h->callback_kind = value != 0 && value < IRQLINE_GSIS ? CALLBACK_GSI : CALLBACK_NONE;
		break;
	case 1:
		h->callback_dev = value >> 11 & 31;
		h->callback_intx = value & 3;
		h->callback_kind = CALLBACK_PCI;
		break;
	case 2:
		h->callback_vector = (uint8_t)value;
		h->callback_kind = h->callback_vector >= 16 ? CALLBACK_VECTOR : CALLBACK_NONE;
		break;
	default:
		break;
	}
	spin_unlock(&h->lock);
	return 0;
}

static int set_hpet(struct domain *d, uint64_t value)
{
	if (value > 1) {
		return -EINVAL;
	}
	d->hvm->hpet_on = value;
	return 0;
}

static int set_pm_location(struct domain *d, uint64_t value)
{
	if (!d->hvm->has_pc) {
		return -EINVAL;
	}
	spin_lock(&d->hvm->lock);
	int rc = hvm_pm_relocate(d->hvm, value);
	spin_unlock(&d->hvm->lock);
	return rc;
}

static int check_fip_width(struct domain *d, uint64_t value)
{
	return value == 0 || value == 4 || value == 8 ? 0 : -EINVAL;
}

static int check_triple_fault(struct domain *d, uint64_t value)
{
	return value > SHUTDOWN_MAX ? -EINVAL : 0;
}

/* Only before the guest has run: APIC IDs follow. */
static int set_topology(struct domain *d, uint64_t value)
{
	struct topology t = d->hvm->topology;
	t.threads = (uint16_t)value;
	t.cores = (uint16_t)(value >> 16);
	if (!d->hvm->has_pc || value >> 32 != 0 || !topology_valid(&t)) {
		return -EINVAL;
	}
	for (unsigned int i = 0; i < d->max_vcpus; i++) {
		if (READ_ONCE(d->vcpu[i]->unit.switched) != 0) {
			return -EBUSY;
		}
	}
	d->hvm->topology = t;
	for (unsigned int i = 0; i < d->max_vcpus; i++) {
		vlapic_set_id(&d->vcpu[i]->hvm->lapic, topology_apic_id(&t, i));
	}
	return 0;
}

static int refuse(struct domain *d, uint64_t value)
{
	return -EINVAL;
}

static int refuse_nonzero(struct domain *d, uint64_t value)
{
	return value != 0 ? -EOPNOTSUPP : 0;
}

enum { PARAM_ONCE = 1 };

static const struct {
	int (*set)(struct domain *d, uint64_t value);   /* NULL: just stored */
	uint8_t flags;
	bool known;
} params[PRIVATE_HVM_PARAMS] = {
	[HVM_PARAM_CALLBACK_IRQ] = { set_callback, 0, true },
	[HVM_PARAM_STORE_PFN] = { NULL, 0, true },
	[HVM_PARAM_STORE_EVTCHN] = { NULL, 0, true },
	[HVM_PARAM_IOREQ_PFN] = { NULL, PARAM_ONCE, true },
	[HVM_PARAM_BUFIOREQ_PFN] = { NULL, PARAM_ONCE, true },
	[HVM_PARAM_VIRIDIAN] = { refuse_nonzero, 0, true },
	[HVM_PARAM_TIMER_MODE] = { hvm_set_timer_mode, 0, true },
	[HVM_PARAM_HPET_ENABLED] = { set_hpet, 0, true },
	[HVM_PARAM_IDENT_PT] = { NULL, 0, true },
	[HVM_PARAM_ACPI_S_STATE] = { refuse_nonzero, 0, true },
	[HVM_PARAM_VM86_TSS] = { NULL, 0, true },
	[HVM_PARAM_VPT_ALIGN] = { NULL, 0, true },
	[HVM_PARAM_CONSOLE_PFN] = { NULL, 0, true },
	[HVM_PARAM_CONSOLE_EVTCHN] = { NULL, 0, true },
	[HVM_PARAM_ACPI_IOPORTS_LOCATION] = { set_pm_location, 0, true },
	[HVM_PARAM_PAGING_RING_PFN] = { NULL, 0, true },
	[HVM_PARAM_MONITOR_RING_PFN] = { NULL, 0, true },
	[HVM_PARAM_SHARING_RING_PFN] = { NULL, 0, true },
	[HVM_PARAM_TRIPLE_FAULT_REASON] = { check_triple_fault, 0, true },
	[HVM_PARAM_IOREQ_SERVER_PFN] = { NULL, PARAM_ONCE, true },
	[HVM_PARAM_NR_IOREQ_SERVER_PAGES] = { NULL, PARAM_ONCE, true },
	[HVM_PARAM_VM_GENERATION_ID_ADDR] = { NULL, 0, true },
	[HVM_PARAM_ALTP2M] = { refuse_nonzero, 0, true },
	[HVM_PARAM_X87_FIP_WIDTH] = { check_fip_width, 0, true },
	[HVM_PARAM_VM86_TSS_SIZED] = { NULL, 0, true },
	[HVM_PARAM_MCA_CAP] = { refuse_nonzero, 0, true },
	[PRIVATE_HVM_PARAM_TOPOLOGY] = { set_topology, 0, true },
};

int hvm_set_param(struct domain *d, uint32_t index, uint64_t value)
{
	uint64_t row = nospec_index(index, PRIVATE_HVM_PARAMS);
	if (index >= PRIVATE_HVM_PARAMS || !params[row].known) {
		return refuse(d, value);
	}
	if (params[row].set != NULL) {
		int rc = params[row].set(d, value);
		if (rc != 0) {
			return rc;
		}
	}
	int rc = 0;
	spin_lock(&d->lock);
	if ((params[row].flags & PARAM_ONCE) && d->hvm_param[row] != 0 &&
	    d->hvm_param[row] != value) {
		rc = -EEXIST;
	} else {
		d->hvm_param[row] = value;
	}
	spin_unlock(&d->lock);
	if (rc == 0 && index == HVM_PARAM_CALLBACK_IRQ) {
		hvm_callback_update(d);
		for (unsigned int i = 0; i < d->max_vcpus; i++) {
			hvm_upcall(d->vcpu[i]);
		}
	}
	return rc;
}

int hvm_get_param(struct domain *d, uint32_t index, uint64_t *value)
{
	uint64_t row = nospec_index(index, PRIVATE_HVM_PARAMS);
	if (index >= PRIVATE_HVM_PARAMS || !params[row].known) {
		return -EINVAL;
	}
	spin_lock(&d->lock);
	*value = d->hvm_param[row];
	spin_unlock(&d->lock);
	return 0;
}

int hvm_set_upcall_vector(struct vcpu *v, uint8_t vector)
{
	if (vector < 16) {
		return -EINVAL;
	}
	v->hvm->upcall_vector = vector;
	if (shared_info_upcall_pending(v)) {
		hvm_upcall(v);
	}
	return 0;
}
