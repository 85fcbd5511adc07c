/*
 * The VMX instructions on the host: the current VMCS is an array by field encoding, everything else is counted.
 *
 * Names and contracts are those of arch/vmx/vmx_ops.h.
 */
#ifndef TESTS_FAKE_VMX_FAKE_H
#define TESTS_FAKE_VMX_FAKE_H

#include <stdbool.h>
#include <stdint.h>
#include "arch/hw.h"
#include "arch/vmx/vmcs_fields.h"
#include "arch/vmx/vmx.h"

#define VMX_FAKE_FIELDS 0x7000u

extern struct vmx_fake {
	uint64_t field[VMX_FAKE_FIELDS];
	uint64_t dr6;
	bool loaded;                    /* the vCPU's registers are in the CPU */
	unsigned int writes, flushes, wrmsrs;
} vmx_fake;

/* One vCPU with an empty VMCS, in its CPU. */
extern struct arch_vcpu vmx_fake_vcpu;
extern struct vmx_vcpu vmx_fake_state;
void vmx_fake_reset(void);

uint64_t vmx_read(uint32_t field);
void vmx_write(uint32_t field, uint64_t value);
/* Defined by the test that links what calls them. */
bool vmx_on(uint64_t region_pa);
bool vmx_clear(uint64_t vmcs_pa);
bool vmx_load(uint64_t vmcs_pa);
bool vmx_invept(uint64_t type, uint64_t ept_pointer);
bool vmx_invvpid(uint64_t type, uint16_t vpid);
void vmx_sgdt(struct hw_table *t);
void vmx_sidt(struct hw_table *t);

#endif
