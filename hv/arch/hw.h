/*
 * THE SEAM: the whole list of machine primitives. Everything above it is C that runs anywhere.
 *
 * Two implementations, with the same names: arch/hw_x86.h on the machine, tests/fake/hw_fake.h on the
 * host. Inline assembly lives in hw_x86.h, the vendors' *_ops.h and *.S, nowhere else.
 *
 *   MSRs         hw_rdmsr hw_wrmsr; hw_rdmsr_safe hw_wrmsr_safe (false: the processor refused)
 *   ports        hw_in8/16/32 hw_out8/16/32
 *   time         hw_rdtsc
 *   CPUID        hw_cpuid
 *   control      hw_read_cr0/2/3/4 hw_write_cr0/2/3/4, hw_read_xcr0 hw_write_xcr0,
 *                hw_read_dr hw_write_dr
 *   TLB          hw_invlpg hw_tlb_flush hw_wbinvd
 *   interrupts   hw_irq_enable hw_irq_disable hw_irq_save hw_irq_restore hw_irq_enabled
 *   waiting      hw_pause, hw_idle (enable interrupts and halt, no wake-up lost), hw_stop
 *   tables       hw_lgdt hw_lidt hw_ltr hw_load_segments hw_str
 *   FPU          hw_fxsave hw_fxrstor hw_xsave hw_xrstor hw_fpu_on hw_fpu_off
 *   per-CPU base hw_cpu_base hw_set_cpu_base
 *   device memory hw_mmio_read32 hw_mmio_write32
 */
#ifndef ARCH_HW_H
#define ARCH_HW_H

#if __STDC_HOSTED__
#include "fake/hw_fake.h"
#else
#include "arch/hw_x86.h"
#endif

#endif
