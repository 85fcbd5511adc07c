/* The VMX instructions on the host (contract in vmx_fake.h), and what the pure files of arch/vmx/ call in the others. */
#include <stdlib.h>
#include <string.h>
#include "arch/hw.h"
#include "core/log.h"
#include "fake/vmx_fake.h"

struct vmx_fake vmx_fake;
struct arch_vcpu vmx_fake_vcpu;
struct vmx_vcpu vmx_fake_state;
struct vmx_caps vmx_caps;
static struct cpu cpu;
static struct vmx_cpu machine;

void vmx_fake_reset(void)
{
	memset(&vmx_fake, 0, sizeof(vmx_fake));
	memset(&vmx_fake_vcpu, 0, sizeof(vmx_fake_vcpu));
	memset(&vmx_fake_state, 0, sizeof(vmx_fake_state));
	vmx_fake_vcpu.vmx = &vmx_fake_state;
	vmx_fake.loaded = true;
	vmx_caps = (struct vmx_caps){ .cr0_fixed = 0x20, .cr4_fixed = 0x2040, .cr4_host_owned = 0x3040 };
}

static uint64_t *slot(uint32_t field)
{
	if (field >= VMX_FAKE_FIELDS) {
		abort();
	}
	return &vmx_fake.field[field];
}

uint64_t vmx_read(uint32_t field)
{
	return *slot(field);
}

void vmx_write(uint32_t field, uint64_t value)
{
	vmx_fake.writes++;
	*slot(field) = value;
}

struct cpu *hw_cpu_base(void)
{
	machine.owner = vmx_fake.loaded ? &vmx_fake_vcpu : NULL;
	machine.loaded = &vmx_fake_state;
	cpu.virt = &machine;
	return &cpu;
}

/* There is only one. */
struct vmx_vcpu *vmx_open_other(const struct arch_vcpu *v)
{
	abort();
}

void vmx_close_other(const struct arch_vcpu *v, struct vmx_vcpu *before)
{
	abort();
}

void vmx_flush(struct arch_vcpu *v)
{
	vmx_fake.flushes++;
}

uint64_t hw_read_dr(unsigned int n)
{
	return n == 6 ? vmx_fake.dr6 : 0;
}

void hw_write_dr(unsigned int n, uint64_t v)
{
	if (n == 6) {
		vmx_fake.dr6 = v;
	}
}

void log_at(enum log_level level, const char *fmt, ...)
{
}
