/*
 * x87 and MMX on behalf of the instruction emulator. Contract in arch/xstate.h.
 *
 * Between exits the registers hold the running vCPU's values, so its x87 instructions are executed right here, on a
 * buffer. Where the hypervisor's own addresses would stay behind in the last-instruction and last-data pointers, the
 * guest's are put. AMD APM volume 2, "FXSAVE"; Intel SDM volume 1, "MMX Technology and the x87 FPU".
 */
#include "arch/xstate.h"
#include "lib/err.h"
#include "lib/mem.h"

#define FSW_OFFSET 2
#define FTW_OFFSET 4
#define FIP_OFFSET 8
#define FDP_OFFSET 16
#define ST_OFFSET  32
#define HEADER_OFFSET 512
#define FSW_ES     (1u << 7)
#define FSW_TOP    (7u << 11)

extern const uint8_t x87_stubs[];       /* x87_stubs.S */

static uint16_t status(const uint8_t *area)
{
	uint16_t fsw;
	memcpy(&fsw, area + FSW_OFFSET, sizeof(fsw));
	return fsw;
}

/* Take a changed legacy area as the vCPU's. */
static void take_over(struct arch_vcpu *v)
{
	if (xstate_supported() != 0) {
		v->xsave[HEADER_OFFSET] |= 1;
	}
	xstate_load(v);
}

static void execute(uint8_t opcode, uint8_t reg, uint8_t *buf)
{
	uintptr_t at = (uintptr_t)x87_stubs + ((opcode & 7u) * 8u + reg) * 4u;
	__extension__ void (*stub)(uint8_t *) = (void (*)(uint8_t *))at;
	stub(buf);
}

/* Run it on two different buffers from the same state: what it stores is the same in both. */
static bool try_store(struct arch_vcpu *v, struct emul_x87 *x)
{
	uint8_t other[16];
	memset(x->buf, 0x5a, x->size);
	memset(other, 0xa5, sizeof(other));
	execute(x->opcode, x->reg, x->buf);
	xstate_load(v);
	execute(x->opcode, x->reg, other);
	xstate_load(v);
	return memcmp(x->buf, other, x->size) == 0;
}

int xstate_x87(struct arch_vcpu *v, struct emul_x87 *x, uint64_t rip)
{
	uint64_t old_fip, fip;
	uint8_t buf[16];
	xstate_save(v);
	if (x->wait && (status(v->xsave) & FSW_ES)) {
		xstate_load(v);
		return -EBUSY;
	}
	if (x->try_only) {
		x->stored = try_store(v, x);
		return 0;
	}
	memcpy(&old_fip, v->xsave + FIP_OFFSET, sizeof(old_fip));
	memcpy(buf, x->buf, x->size);
	xstate_load(v);
	execute(x->opcode, x->reg, buf);
	xstate_save(v);
	memcpy(&fip, v->xsave + FIP_OFFSET, sizeof(fip));
	if (fip != old_fip) {
		memcpy(v->xsave + FIP_OFFSET, &rip, sizeof(rip));
		memcpy(v->xsave + FDP_OFFSET, &x->linear, sizeof(x->linear));
	}
	take_over(v);
	return 0;
}

/* Every MMX instruction makes the stack's top 0 and all its registers valid; the registers themselves do not move. */
static void to_mmx(uint8_t *area)
{
	uint8_t st[8][16];
	uint16_t fsw = status(area);
	unsigned int top = (fsw & FSW_TOP) >> 11;
	for (unsigned int i = 0; i < 8; i++) {
		memcpy(st[(top + i) & 7], area + ST_OFFSET + i * 16, 16);
	}
	memcpy(area + ST_OFFSET, st, sizeof(st));
	fsw &= (uint16_t)~FSW_TOP;
	memcpy(area + FSW_OFFSET, &fsw, sizeof(fsw));
	area[FTW_OFFSET] = 0xff;
}

int xstate_mmx(struct arch_vcpu *v, unsigned int n, void *buf, bool write)
{
	if (n > 7) {
		return -EINVAL;
	}
	xstate_save(v);
	if (status(v->xsave) & FSW_ES) {
		xstate_load(v);
		return -EBUSY;
	}
	to_mmx(v->xsave);
	uint8_t *mm = v->xsave + ST_OFFSET + n * 16;
	if (write) {
		memcpy(mm, buf, 8);
		memset(mm + 8, 0xff, 2);
	} else {
		memcpy(buf, mm, 8);
	}
	take_over(v);
	return 0;
}
