/*
 * What this AMD processor must and may offer, and turning SVM on (AMD APM volume 2, "Enabling SVM").
 */
#include "arch/hw.h"
#include "arch/svm/svm.h"
#include "arch/x86.h"
#include "core/heap.h"
#include "core/log.h"
#include "core/page_alloc.h"
#include "core/percpu.h"
#include "lib/err.h"

struct svm_caps svm_caps;

#define VM_CR_SVMDIS (1ull << 4)

/* Bits of CPUID 8000000Ah EDX. */
static const struct {
	uint8_t bit;
	bool required;
	const char *name;
	bool *have;
} features[] = {
	{ 0, true, "nested paging", NULL },
	{ 3, false, "next-RIP save", &svm_caps.nrip },
	{ 6, false, "flush by ASID", &svm_caps.flush_by_asid },
	{ 7, false, "decode assists", &svm_caps.decode },
	{ 10, false, "PAUSE filter", &svm_caps.pause_filter },
	{ 12, false, "PAUSE filter threshold", &svm_caps.pause_threshold },
};

int svm_caps_read(void)
{
	struct hw_cpuid_regs r;
	hw_cpuid(0x80000000, 0, &r);
	if (r.eax < 0x8000000a) {
		return -ENODEV;
	}
	hw_cpuid(0x80000001, 0, &r);
	if (!(r.ecx & 1u << 2)) {
		return -ENODEV;
	}
	if (hw_rdmsr(MSR_AMD_VM_CR) & VM_CR_SVMDIS) {
		log_err("Ostler needs SVM: this processor has it, but the firmware has disabled it\n");
		return -EOPNOTSUPP;
	}
	hw_cpuid(0x8000000a, 0, &r);
	svm_caps.asids = r.ebx;
	if (svm_caps.asids < 2) {
		/* number 0 is the host's */
		log_err("Ostler needs address-space identifiers: this processor's SVM has none for guests\n");
		return -EOPNOTSUPP;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(features); i++) {
		bool have = r.edx >> features[i].bit & 1;
		if (!have && features[i].required) {
			log_err("Ostler needs %s: this processor's SVM does not have it\n",
				features[i].name);
			return -EOPNOTSUPP;
		}
		if (features[i].have != NULL) {
			*features[i].have = have;
		}
	}
	svm_caps.eventinj_repeats = !svm_caps.nrip;
	log_info("SVM: %u ASIDs%s%s%s%s\n", svm_caps.asids, svm_caps.nrip ? ", next-RIP save" : "",
		 svm_caps.decode ? ", decode assists" : "",
		 svm_caps.flush_by_asid ? ", flush by ASID" : "",
		 svm_caps.pause_filter ? ", PAUSE filter" : "");
	return 0;
}

int svm_cpu_up(void)
{
	struct svm_cpu *c = heap_new(struct svm_cpu);
	if (c == NULL) {
		return -ENOMEM;
	}
	c->host = page_alloc_virt();
	void *hsave = page_alloc_virt();
	if (c->host == NULL || hsave == NULL) {
		return -ENOMEM;
	}
	c->host_pa = virt_hpa(c->host);
	c->hsave_pa = virt_hpa(hsave);
	c->max_asid = svm_caps.asids - 1;
	c->asid_gen = 1;
	c->id = this_cpu()->id;
	c->next_asid = 1;
	hw_wrmsr(MSR_EFER, hw_rdmsr(MSR_EFER) | EFER_SVME);
	hw_wrmsr(MSR_AMD_VM_HSAVE, c->hsave_pa.v);
	svm_save_host(c->host_pa.v);
	this_cpu()->virt = c;
	return 0;
}
