/* Port I/O exits: one access, or a string through the emulator. */
#include "hvm/hvm_state.h"
#include "arch/x86.h"

/* IN writes AL, AX or EAX; the 32-bit form clears the upper half. */
static void merge_rax(uint64_t *rax, uint64_t data, unsigned int size)
{
	switch (size) {
	case 1:
		*rax = (*rax & ~0xffull) | (data & 0xff);
		break;
	case 2:
		*rax = (*rax & ~0xffffull) | (data & 0xffff);
		break;
	default:
		*rax = (uint32_t)data;
		break;
	}
}

enum verdict exit_pio(struct vcpu *v, const struct vmexit *e)
{
	if (e->pio.string) {
		return hvm_emulate(v);
	}
	struct io_access a = {
		.space = IO_PIO,
		.write = e->pio.write,
		.size = e->pio.size,
		.addr = e->pio.port,
		.data = v->arch.regs.gpr[GPR_RAX] & (BIT(e->pio.size * 8) - 1),
	};
	if (hvm_port(v, &a) == ROUTE_CRASH) {
		return EXIT_CRASH;
	}
	if (!a.write) {
		merge_rax(&v->arch.regs.gpr[GPR_RAX], a.data, a.size);
	}
	return EXIT_NEXT;
}
