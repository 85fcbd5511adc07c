/*
 * Exceptions of the hypervisor itself, and the hand-over of interrupts to irq.c. (Intel SDM, "Interrupt and Exception
 * Handling".) An exception is fatal unless the exception table knows the instruction.
 */
#include "arch/cpu/irq_dispatch.h"
#include "arch/cpu/nmi_mce.h"
#include "arch/cpu/traps.h"
#include "arch/hw.h"
#include "core/log.h"
#include "core/panic.h"

#define FIRST_INTERRUPT 16

enum { TRAP_NMI = 2, TRAP_BREAKPOINT = 3, TRAP_PAGE_FAULT = 14, TRAP_MACHINE_CHECK = 18, EXCEPTIONS = 32 };

struct ex_entry {
	uint64_t from, to;
};

extern const struct ex_entry image_ex_table[], image_ex_table_end[];

static const char *const names[EXCEPTIONS] = {
	"divide error", "debug", "NMI", "breakpoint", "overflow", "bound range", "invalid opcode",
	"device not available", "double fault", "coprocessor overrun", "invalid TSS", "segment not present",
	"stack fault", "general protection", "page fault", "reserved", "x87 error", "alignment check", "machine check",
	"SIMD error", "virtualization", "control protection", "reserved", "reserved", "reserved", "reserved", "reserved",
	"reserved", "hypervisor injection", "VMM communication", "security", "reserved",
};

/* Exceptions 16 and up that come without an error code share their numbers with device vectors. */
static bool may_be_interrupt(uint64_t vector)
{
	return vector >= FIRST_INTERRUPT && vector != 17 && vector != TRAP_MACHINE_CHECK && vector != 21 &&
	       vector != 29 && vector != 30;
}

static void show_frame(const void *frame)
{
	traps_dump(frame);
}

void traps_dump(const struct trap_frame *f)
{
	log_err(" rip %016lx %pS cs %04lx rflags %08lx", f->rip, (void *)f->rip, f->cs, f->rflags);
	log_err(" rax %016lx rbx %016lx rcx %016lx rdx %016lx", f->rax, f->rbx, f->rcx, f->rdx);
	log_err(" rsi %016lx rdi %016lx rbp %016lx rsp %016lx", f->rsi, f->rdi, f->rbp, f->rsp);
	log_err(" r8  %016lx r9  %016lx r10 %016lx r11 %016lx", f->r8, f->r9, f->r10, f->r11);
	log_err(" r12 %016lx r13 %016lx r14 %016lx r15 %016lx", f->r12, f->r13, f->r14, f->r15);
	log_err(" cr0 %08lx cr2 %016lx cr3 %08lx cr4 %08lx", hw_read_cr0(), hw_read_cr2(), hw_read_cr3(),
		hw_read_cr4());
}

static bool fixed_up(struct trap_frame *f)
{
	for (const struct ex_entry *e = image_ex_table; e < image_ex_table_end; e++) {
		if (e->from == f->rip) {
			f->rip = e->to;
			return true;
		}
	}
	return false;
}

static void exception(struct trap_frame *f)
{
	if (f->vector == TRAP_NMI) {
		nmi_handle(f);
		return;
	}
	if (f->vector == TRAP_MACHINE_CHECK) {
		mce_handle(f);
		return;
	}
	if (fixed_up(f)) {
		return;
	}
	panic_with_frame(show_frame, f, f->rbp, "%s (vector %lu, error %lx) at %pS, cr2 %lx", names[f->vector], f->vector,
			 f->error, (void *)f->rip, f->vector == TRAP_PAGE_FAULT ? hw_read_cr2() : 0);
}

void traps_dispatch(struct trap_frame *f)
{
	if (f->vector >= EXCEPTIONS || (may_be_interrupt(f->vector) && irq_in_service((uint8_t)f->vector))) {
		irq_dispatch((uint8_t)f->vector);
	} else {
		exception(f);
	}
}
