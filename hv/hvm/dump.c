/*
 * What every vCPU is doing, for the debug key: registers, why it waits, which interrupts stand where.
 *
 * Reads running vCPUs' state without stopping them: numbers may be torn, never followed as pointers.
 */
#include "core/log.h"
#include "core/trace.h"
#include "dom/domain.h"
#include "hvm/dump.h"
#include "hvm/hvm_state.h"

static const char *const unit_states[] = { "blocked", "runnable", "running", "ended" };

static void dump_vcpu(const struct vcpu *v)
{
	const struct hvm_vcpu *h = v->hvm;
	const uint64_t *irr = h->lapic.irr, *isr = h->lapic.isr;
	log_info("  d%uv%u: %s, cpu %u, %s%s%srip %#lx rflags %#lx, last exit %u (%#lx %#lx %#lx)", v->domain->id,
		 v->id, v->unit.state < 4 ? unit_states[v->unit.state] : "?", v->unit.cpu,
		 v->online ? "" : "offline, ", v->blocked ? "waits, " : "", v->unit.pause_count ? "paused, " : "",
		 v->arch.regs.rip, v->arch.regs.rflags, h->exit.kind, h->exit.raw[0], h->exit.raw[1],
		 h->exit.raw[2]);
	log_info("    local APIC%s: base %#lx svr %#x tpr %#x lvt0 %#x timer %#x irr %lx %lx %lx %lx isr %lx %lx %lx %lx",
		 h->nmi_pending ? " (an NMI waits)" : "", h->lapic.base, h->lapic.svr, h->lapic.tpr, h->lapic.lvt[LVT_LINT0], h->lapic.lvt[LVT_TIMER],
		 irr[0], irr[1], irr[2], irr[3], isr[0], isr[1], isr[2], isr[3]);
}

static void dump_chips(const struct hvm_domain *h)
{
	for (unsigned int i = 0; i < 2; i++) {
		const struct vpic_chip *c = &h->pic.chip[i];
		log_info("    8259 %u: irr %02x imr %02x isr %02x base %02x elcr %02x intr %u", i, c->irr, c->imr,
			 c->isr, c->irq_base, c->elcr, c->intr);
	}
	for (unsigned int i = 0; i < VIOAPIC_PINS; i++) {
		if (!(h->ioapic.rte[i] & 1u << 16)) {
			log_info("    I/O APIC pin %u: %#lx level %lu", i, h->ioapic.rte[i],
				 h->ioapic.level >> i & 1);
		}
	}
}

void hvm_dump_all(void)
{
	struct domain *d;
	for (domid_t id = 0; (d = domain_get_from(id)) != NULL; id = d->id + 1) {
		log_info("domain %u: %lu pages of %lu, %u vCPUs%s%s, map: %lu 4K %lu 2M %lu 1G leaves", d->id,
			 d->tot_pages, d->max_pages, d->max_vcpus, d->shutdown ? ", shut down" : "",
			 d->dying ? ", dying" : "", d->p2m.leaves[0], d->p2m.leaves[1], d->p2m.leaves[2]);
		for (unsigned int i = 0; i < d->max_vcpus; i++) {
			if (d->vcpu[i] != NULL && d->vcpu[i]->hvm != NULL) {
				dump_vcpu(d->vcpu[i]);
			}
		}
		if (d->hvm != NULL && d->hvm->has_pc) {
			dump_chips(d->hvm);
			trace_dump(64, d->id);
		}
		domain_put(d);
	}
}
