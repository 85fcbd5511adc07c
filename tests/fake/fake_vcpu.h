/*
 * One vCPU of one domain for the tests of hvm/: registers in plain memory behind a recording struct virt_ops.
 *
 * fake_vcpu_reset() makes it a running 64-bit kernel: paging on, flat segments, CPL 0. Nothing else of the hypervisor
 * is there; what the code under test calls besides virt is the test's to define.
 */
#ifndef TESTS_FAKE_FAKE_VCPU_H
#define TESTS_FAKE_FAKE_VCPU_H

#include "arch/virt.h"
#include "hvm/hvm_state.h"

#define FAKE_VENDOR_MSRS 16

extern struct fake_vcpu {
	struct vcpu v;
	struct domain d;
	struct hvm_vcpu hvm;
	struct hvm_domain hvm_domain;
	struct emul_segment seg[VSEG_COUNT];
	struct sys_regs sys;
	unsigned int cpl;
	unsigned int set_sys_calls, sys_which;  /* `which` of all calls, or-ed */
	unsigned int set_seg_calls;
	uint64_t pdpte[4];
	unsigned int set_pdptes_calls;
	bool shadow;
	int64_t tsc_offset;
	struct {
		uint32_t msr;
		uint64_t value;
	} msr[FAKE_VENDOR_MSRS];                /* what msr_read and msr_write know; 0 ends it */
} fake_vcpu;

void fake_vcpu_reset(void);

#endif
