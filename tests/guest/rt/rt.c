/*
 * Runtime of the micro-guests: start, hypercall page, end. Contract in rt.h.
 *
 * Owns the hypercall page. Runs on one CPU, interrupts off: no locking.
 */
#include "tests/guest/rt/rt.h"

#include <xen/sched.h>
#include <xen/arch-x86/cpuid.h>

#define LEAF_STEP 0x100
#define LEAF_END 0x40010000

#define VECTORS        256
#define STUB_SIZE      16
#define CODE_SELECTOR  0x08
#define GATE_PRESENT32 0x8e00u

extern const uint8_t rt_stubs[];
void rt_interrupt(struct rt_frame *frame);

static uint64_t idt[VECTORS];
static rt_handler handlers[VECTORS];
static uint8_t hypercall_page[4096] __attribute__((aligned(4096)));
static uint32_t xen_leaf;

void rt_printf(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	text_format(format, &args);
	va_end(args);
}

uint32_t rt_xen_leaf(void)
{
	return xen_leaf;
}

static uint32_t find_xen_leaf(void)
{
	uint32_t r[4];

	for (uint32_t leaf = XEN_CPUID_FIRST_LEAF; leaf < LEAF_END; leaf += LEAF_STEP) {
		cpuid(leaf, 0, r);
		if (r[1] == XEN_CPUID_SIGNATURE_EBX && r[2] == XEN_CPUID_SIGNATURE_ECX &&
		    r[3] == XEN_CPUID_SIGNATURE_EDX && r[0] - leaf >= 2) {
			return leaf;
		}
	}
	return 0;
}

static void hypercall_setup(void)
{
	uint32_t r[4];

	xen_leaf = find_xen_leaf();
	if (xen_leaf == 0) {
		rt_puts("guest: no hypervisor found by CPUID\n");
		return;
	}
	cpuid(xen_leaf + 2, 0, r);
	wrmsr(r[1], (uint32_t)(uintptr_t)hypercall_page);
}

long rt_hypercall(unsigned int nr, unsigned long a1, unsigned long a2, unsigned long a3,
		  unsigned long a4, unsigned long a5)
{
	long result;

	__asm__ volatile("call *%[stub]"
			 : "=a"(result), "+b"(a1), "+c"(a2), "+d"(a3), "+S"(a4), "+D"(a5)
			 : [stub] "0"(hypercall_page + nr * 32)
			 : "memory", "cc");
	return result;
}

void rt_shutdown(unsigned int reason)
{
	struct sched_shutdown request = { .reason = reason };

	if (xen_leaf != 0) {
		(void)rt_hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown, (uintptr_t)&request, 0,
				   0, 0);
		rt_puts("guest: shutdown hypercall returned\n");
	}
	for (;;) {
		__asm__ volatile("cli; hlt");
	}
}

void rt_poweroff(void)
{
	rt_shutdown(SHUTDOWN_poweroff);
}

void rt_fail(const char *file, int line, const char *what)
{
	rt_printf("FAIL %s:%d: %s\n", file, line, what);
	rt_shutdown(SHUTDOWN_crash);
}

void rt_set_handler(uint8_t vector, rt_handler handler)
{
	handlers[vector] = handler;
}

/* From start.S, for every vector. */
void rt_interrupt(struct rt_frame *f)
{
	if (handlers[f->vector] != NULL) {
		handlers[f->vector](f);
		return;
	}
	rt_printf("FAIL vector %u, error code %x, at %08x, eflags %08x\n", f->vector, f->error,
		  f->eip, f->eflags);
	rt_shutdown(SHUTDOWN_crash);
}

void rt_load_idt(void)
{
	struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) pointer = { sizeof(idt) - 1, (uint32_t)(uintptr_t)idt };

	__asm__ volatile("lidt %0" : : "m"(pointer));
}

static void idt_setup(void)
{
	for (uint32_t i = 0; i < VECTORS; i++) {
		uint32_t stub = (uint32_t)(uintptr_t)rt_stubs + i * STUB_SIZE;

		idt[i] = (uint64_t)((stub & 0xffff0000) | GATE_PRESENT32) << 32 |
			 CODE_SELECTOR << 16 | (stub & 0xffff);
	}
	rt_load_idt();
}

/* Called by start.S with the loader's structure. */
_Noreturn void rt_start(const struct hvm_start_info *info);
_Noreturn void rt_start(const struct hvm_start_info *info)
{
	int result;

	idt_setup();
	hypercall_setup();
	if (info == NULL || info->magic != XEN_HVM_START_MAGIC_VALUE) {
		rt_fail(__FILE__, __LINE__, "EBX does not point to a start info");
	}
	result = guest_main(info);
	if (result != 0) {
		rt_printf("FAIL guest_main returned %d\n", result);
		rt_shutdown(SHUTDOWN_crash);
	}
	rt_poweroff();
}
