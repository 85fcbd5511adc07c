/*
 * What the upper layer (abi/) calls in the layer that runs guests: virtual interrupts, parameters, start state.
 * Locks are taken inside: callers hold none above LOCK_DOMAIN.
 */
#ifndef HVM_HVM_H
#define HVM_HVM_H

#include <stdbool.h>
#include <stdint.h>
#include "core/time.h"
#include "dom/domain.h"

/* Device-model interrupts. -EINVAL: out of range. */
int hvm_set_pci_intx(struct domain *d, unsigned int dev, unsigned int intx, bool level);
int hvm_set_isa_irq(struct domain *d, unsigned int irq, bool level);
int hvm_set_pci_link(struct domain *d, unsigned int link, unsigned int irq);
int hvm_inject_msi(struct domain *d, uint64_t addr, uint32_t data);
/* Power or sleep button (fixed-feature, PM1a). */
int hvm_power_button(struct domain *d);
int hvm_sleep_button(struct domain *d);
int hvm_inject_nmi(struct vcpu *v);
/* d->time_offset has a new value: the guest's RTC shows it from now on. */
void hvm_time_offset_changed(struct domain *d);
/* By how many seconds the guest has set its RTC forward since then; 0 without one. */
int64_t hvm_rtc_moved(struct domain *d);

/* HVM parameters: side effects and checks of the value; who may do it is the caller's question (hc_hvm.c). */
int hvm_set_param(struct domain *d, uint32_t index, uint64_t value);
int hvm_get_param(struct domain *d, uint32_t index, uint64_t *value);
int hvm_set_upcall_vector(struct vcpu *v, uint8_t vector);

/* vCPU state as the ABI's save record (struct hvm_hw_cpu), for domctl get/sethvmcontext. The domain is paused. */
struct hvm_hw_cpu;
void hvm_get_cpu(struct vcpu *v, struct hvm_hw_cpu *r);
int hvm_set_cpu(struct vcpu *v, const struct hvm_hw_cpu *r);    /* -EINVAL: impossible state */

/*
 * The CPUID policy as a list: entry i (-ENOENT: past the end; -EINVAL: the domain has no vCPU yet); and what the
 * domain keeps of a leaf's features, before it first runs (-EINVAL: want has more than the domain may have). What is
 * no feature is not changed. subleaf: XEN_CPUID_NO_SUBLEAF where the leaf has none.
 */
int hvm_cpu_policy_leaf(struct domain *d, unsigned int i, uint32_t *leaf, uint32_t *subleaf, uint32_t r[4]);
int hvm_cpu_policy_set(struct domain *d, uint32_t leaf, uint32_t subleaf, const uint32_t want[4]);

/* Is the vCPU's code 64-bit right now? Decides the layout of hypercall arguments. */
bool hvm_guest_is_64bit(struct vcpu *v);
/* The guest's TSC for a host TSC value; what vcpu_time_info wants. */
uint64_t hvm_guest_tsc(struct vcpu *v, uint64_t host_tsc);
/* The rate of its TSC; another one than the machine's (or 0) before it has run. -EOPNOTSUPP: the processor cannot. */
static inline uint32_t hvm_tsc_khz(const struct domain *d)
{
	return d->tsc_khz != 0 ? d->tsc_khz : (uint32_t)time_tsc_khz();
}
int hvm_set_tsc_khz(struct domain *d, uint32_t khz);

/* RAM went away from the guest's map: its device models must forget cached mappings. Sent before the vCPU that caused
 * it (or, if another domain did, any vCPU of d) runs again. Only marks; never blocks. */
void hvm_mapcache_invalidate(struct domain *d);

/* Up-call, defined in abi/: the vCPU made a hypercall (number and arguments in its registers, caller at CPL 0, in 64-bit
 * code or not). Returns the value for the result register. */
uint64_t hypercall_dispatch(struct vcpu *v, bool long64);

#endif
