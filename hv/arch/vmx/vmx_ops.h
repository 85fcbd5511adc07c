/*
 * The VMX instructions (Intel SDM volume 3, "VMX Instruction Reference"). Inline assembly of this folder is here and in
 * entry.S only.
 *
 * vmx_read() and vmx_write() act on the VMCS that is current on this CPU; a field that the processor does not know is a
 * bug of ours. The others return false when the instruction failed.
 */
#ifndef ARCH_VMX_VMX_OPS_H
#define ARCH_VMX_VMX_OPS_H

#if __STDC_HOSTED__
#include "fake/vmx_fake.h"
#else

#include <stdbool.h>
#include <stdint.h>
#include "arch/hw.h"
#include "arch/vmx/vmcs_fields.h"
#include "lib/bug.h"

static inline uint64_t vmx_read(uint32_t field)
{
	uint64_t v;
	bool failed;

	__asm__ volatile("vmread %2, %0" : "=r"(v), "=@ccbe"(failed) : "r"((uint64_t)field));
	BUG_ON(failed);
	return v;
}

static inline void vmx_write(uint32_t field, uint64_t value)
{
	bool failed;

	__asm__ volatile("vmwrite %1, %2" : "=@ccbe"(failed) : "r"(value), "r"((uint64_t)field));
	BUG_ON(failed);
}

static inline bool vmx_on(uint64_t region_pa)
{
	bool failed;

	__asm__ volatile("vmxon %1" : "=@ccbe"(failed) : "m"(region_pa) : "memory");
	return !failed;
}

static inline bool vmx_clear(uint64_t vmcs_pa)
{
	bool failed;

	__asm__ volatile("vmclear %1" : "=@ccbe"(failed) : "m"(vmcs_pa) : "memory");
	return !failed;
}

static inline bool vmx_load(uint64_t vmcs_pa)
{
	bool failed;

	__asm__ volatile("vmptrld %1" : "=@ccbe"(failed) : "m"(vmcs_pa) : "memory");
	return !failed;
}

/* type 1: one EPT pointer, 2: all. */
static inline bool vmx_invept(uint64_t type, uint64_t ept_pointer)
{
	const uint64_t desc[2] = { ept_pointer, 0 };
	bool failed;

	__asm__ volatile("invept %1, %2" : "=@ccbe"(failed) : "m"(desc), "r"(type) : "memory");
	return !failed;
}

/* type 1: one VPID, 2: all. */
static inline bool vmx_invvpid(uint64_t type, uint16_t vpid)
{
	const uint64_t desc[2] = { vpid, 0 };
	bool failed;

	__asm__ volatile("invvpid %1, %2" : "=@ccbe"(failed) : "m"(desc), "r"(type) : "memory");
	return !failed;
}

static inline void vmx_sgdt(struct hw_table *t)
{
	__asm__ volatile("sgdt %0" : "=m"(*t));
}

static inline void vmx_sidt(struct hw_table *t)
{
	__asm__ volatile("sidt %0" : "=m"(*t));
}

#endif
#endif
