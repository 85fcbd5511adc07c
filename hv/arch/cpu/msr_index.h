/* Numbers and bits of the model-specific registers that the machine drivers use. */
#ifndef ARCH_CPU_MSR_INDEX_H
#define ARCH_CPU_MSR_INDEX_H

#define MSR_APIC_BASE      0x1bu
#define MSR_TSC_ADJUST     0x3bu
#define MSR_MCG_CAP        0x179u
#define MSR_MCG_STATUS     0x17au
#define MSR_PAT            0x277u
#define MSR_MC0_CTL        0x400u
#define MSR_MC0_STATUS     0x401u
#define MSR_TSC_DEADLINE   0x6e0u
#define MSR_X2APIC         0x800u       /* + register offset / 16 */
#define MSR_EFER           0xc0000080u
#define MSR_FS_BASE        0xc0000100u
#define MSR_GS_BASE        0xc0000101u
#define MSR_KERNEL_GS_BASE 0xc0000102u
#define MSR_TSC_AUX        0xc0000103u

#define APIC_BASE_X2APIC   0x400u
#define APIC_BASE_ENABLE   0x800u

#endif
