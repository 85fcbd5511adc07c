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

enum verdict exit_npf(struct vcpu *v, const struct vmexit *e)
{
	struct p2m_entry p = p2m_lookup(v->domain, gpa_to_gfn(e->npf.gpa));
	if (allowed(&p, e)) {
		return EXIT_RESUME;
	}
	if (p.type == P2M_HOLE && (v->domain->flags & DOMF_PRIVILEGED) &&
	    dom0_map_device(v->domain, e->npf.gpa)) {
		return EXIT_RESUME;
	}
	if (e->npf.fetch || e->npf.table_walk) {
		guest_crash(v->domain, "vCPU %u: %s at %#lx, where there is no memory", v->id,
			    e->npf.fetch ? "instruction fetch" : "page table",
			    (unsigned long)e->npf.gpa.v);
		return EXIT_CRASH;
	}
	v->hvm->mmio_gpa = e->npf.gpa.v;
	v->hvm->mmio_write = e->npf.write;
	v->hvm->mmio_hole = p.type == P2M_HOLE || p.type == P2M_MMIO_DM;
	enum verdict verdict = hvm_emulate(v);
	v->hvm->mmio_gpa = ~0ull;
	return verdict;
}
