/* Nested page faults: a race that is over, Dom0's device memory, or an instruction to emulate. */
#include "hvm/hvm_state.h"
#include "core/log.h"
#include "lib/err.h"

static bool allowed(const struct p2m_entry *p, const struct vmexit *e)
{
	enum p2m_access acc = p2m_type_access(p->type);
	if (!mfn_valid(p->mfn)) {
		return false;
	}
	return (!e->npf.write || (acc & P2M_ACC_W)) && (!e->npf.fetch || (acc & P2M_ACC_X));
}

static enum verdict emulate(struct vcpu *v, const struct vmexit *e, bool hole)
{
	enum verdict verdict;
	if (hole && hvm_mmio_mov(v, e, &verdict)) {
		return verdict;
	}
	v->hvm->mmio_gpa = e->npf.gpa.v;
	v->hvm->mmio_write = e->npf.write;
	v->hvm->mmio_hole = hole;
	verdict = hvm_emulate(v);
	v->hvm->mmio_gpa = ~0ull;
	return verdict;
}

/* A chip inside the hypervisor, as the processor found nothing there: no need to ask the map as well. */
static bool is_chip(struct vcpu *v, const struct vmexit *e)
{
	const struct io_access a = { .space = IO_MMIO, .addr = e->npf.gpa.v };
	return !e->npf.present && hvm_io_internal(v, &a);
}

/* Accesses that are no instruction's operand: there is nothing that could be emulated. */
static const char *not_an_operand(const struct vmexit *e)
{
	return e->npf.fetch           ? "instruction fetch"
	       : e->npf.table_walk    ? "page table"
	       : e->interrupted.valid ? "delivery of an event"
				      : NULL;
}

enum verdict exit_npf(struct vcpu *v, const struct vmexit *e)
{
	const char *what = not_an_operand(e);
	if (what == NULL && is_chip(v, e)) {
		return emulate(v, e, true);
	}
	struct p2m_entry p = p2m_lookup(v->domain, gpa_to_gfn(e->npf.gpa));
	if (allowed(&p, e)) {
		return EXIT_RESUME;
	}
	if (p.type == P2M_HOLE && (v->domain->flags & DOMF_PRIVILEGED) &&
	    dom0_map_device(v->domain, e->npf.gpa)) {
		return EXIT_RESUME;
	}
	if (what != NULL) {
		guest_crash(v->domain, "vCPU %u: %s at %#lx, where there is no memory", v->id, what,
			    (unsigned long)e->npf.gpa.v);
		return EXIT_CRASH;
	}
	return emulate(v, e, p.type == P2M_HOLE || p.type == P2M_MMIO_DM);
}
