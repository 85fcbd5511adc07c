/*
 * The guest's FPU and vector state (cpu/xstate.c): switched eagerly with the vCPU. The hypervisor itself uses none
 * of it, so between switches the registers hold the running vCPU's values.
 */
#ifndef ARCH_XSTATE_H
#define ARCH_XSTATE_H

#include <stdbool.h>
#include <stdint.h>
#include "arch/vcpu_arch.h"

/* Read what the processor has; turn XSAVE on for this CPU. */
void xstate_init_cpu(void);
/* XCR0 bits that guests may use; 0: no XSAVE. */
uint64_t xstate_supported(void);
/* Reset values into v's save area (FCW 37Fh, MXCSR 1F80h, XCR0 1). Allocates it on first use: -ENOMEM. */
int xstate_reset(struct arch_vcpu *v);
void xstate_free(struct arch_vcpu *v);
void xstate_load(struct arch_vcpu *v);          /* area -> registers */
void xstate_save(struct arch_vcpu *v);          /* registers -> area */
/* XSETBV by the running vCPU: -EINVAL for an impossible value. */
int xstate_set_xcr0(struct arch_vcpu *v, uint64_t value);
/* One vector register of the running vCPU: 16 bytes of XMM n, 32 of YMM n (a write clears the rest of ZMM n), 64 of ZMM n,
 * or a mask register. -EINVAL: not there, or not turned on. */
int xstate_read_vec(struct arch_vcpu *v, unsigned int n, void *buf, unsigned int size);
int xstate_write_vec(struct arch_vcpu *v, unsigned int n, const void *buf, unsigned int size);
int xstate_read_mask(struct arch_vcpu *v, unsigned int n, uint64_t *value);

/* PKRU of the running vCPU; 0 when the processor has none. */
uint32_t xstate_pkru(struct arch_vcpu *v);
/* cpu/x87.c: an x87 instruction at rip, and MMX register n (8 bytes), of the running vCPU. -EBUSY: a numeric exception is
 * waiting to be reported (#MF). */
int xstate_x87(struct arch_vcpu *v, struct emul_x87 *x, uint64_t rip);
int xstate_mmx(struct arch_vcpu *v, unsigned int n, void *buf, bool write);

#endif
