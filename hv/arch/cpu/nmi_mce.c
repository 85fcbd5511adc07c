/*
 * NMI: the way a panicking CPU stops the others. Machine check: print the banks and stop; nothing is repaired.
 * Both run on their own stacks and take no lock. (Intel SDM, "Machine-Check Architecture".)
 */
#include "arch/cpu/msr_index.h"
#include "arch/cpu/nmi_mce.h"
#include "arch/hw.h"
#include "arch/machine.h"
#include "core/console.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/percpu.h"
#include "lib/util.h"

#define CPUID1_EDX_MCE BIT(7)
#define CPUID1_EDX_MCA BIT(14)
#define CR4_MCE        BIT(6)
#define BANK_VALID     BIT(63)

void nmi_handle(struct trap_frame *f)
{
	if (panic_in_progress() || machine_stopping()) {
		this_cpu()->stop_rip = f->rip;
		this_cpu()->stop_frame = f->rbp;
		this_cpu()->online = false;
		hw_stop();
	}
	/* From the machine: hardware trouble, or a button. Tell and go on. */
	log_err("NMI on CPU %u at %pS (port 61h: %02x)", this_cpu()->id, (void *)f->rip, hw_in8(0x61));
}

static unsigned int bank_count(void)
{
	return (unsigned int)(hw_rdmsr(MSR_MCG_CAP) & 0xff);
}

static void show_banks(void)
{
	for (unsigned int i = 0; i < bank_count(); i++) {
		uint64_t status = hw_rdmsr(MSR_MC0_STATUS + 4 * i);

		if (status & BANK_VALID) {
			log_err("machine check bank %u: status %016lx address %016lx", i, status,
				hw_rdmsr(MSR_MC0_STATUS + 4 * i + 1));
		}
	}
}

void mce_handle(struct trap_frame *f)
{
	console_force();
	show_banks();
	panic("machine check on CPU %u, status %lx, at %pS", this_cpu()->id, hw_rdmsr(MSR_MCG_STATUS), (void *)f->rip);
}

void mce_init(void)
{
	struct hw_cpuid_regs r;

	hw_cpuid(1, 0, &r);
	if ((r.edx & (CPUID1_EDX_MCE | CPUID1_EDX_MCA)) != (CPUID1_EDX_MCE | CPUID1_EDX_MCA)) {
		return;
	}
	for (unsigned int i = 0; i < bank_count(); i++) {
		hw_wrmsr_safe(MSR_MC0_CTL + 4 * i, ~0ull);
		hw_wrmsr_safe(MSR_MC0_STATUS + 4 * i, 0);
	}
	hw_write_cr4(hw_read_cr4() | CR4_MCE);
}
