/* The machine of emul_env.h. */
#include <string.h>
#include "fake/emul_env.h"

struct emul_env env;

static enum emul_result check_access(struct emul_ctxt *c, uint64_t linear, unsigned int size)
{
	bool outside = linear > ENV_MEM || ENV_MEM - linear < size;

	if (outside || (linear < env.bad_to && linear + size > env.bad_from)) {
		enum emul_result r = outside ? EMUL_FAULT : env.bad_result;
		if (r == EMUL_FAULT) {
			c->fault = (struct emul_fault){ .vector = VEC_PF, .has_error = true,
							.cr2 = linear };
		}
		return r;
	}
	return EMUL_OK;
}

static enum emul_result op_read(struct emul_ctxt *c, uint64_t linear, void *buf, unsigned int size,
				enum emul_access acc)
{
	if (acc == EMUL_ACC_FETCH) {
		env.fetches++;
		env.fetch_low = MIN(env.fetch_low, linear);
		env.fetch_high = MAX(env.fetch_high, linear + size - 1);
	} else {
		env.reads++;
	}
	enum emul_result r = check_access(c, linear, size);
	if (r == EMUL_OK) {
		memcpy(buf, env.mem + linear, size);
	}
	return r;
}

static enum emul_result op_write(struct emul_ctxt *c, uint64_t linear, const void *buf,
				 unsigned int size, enum emul_access acc)
{
	enum emul_result r = check_access(c, linear, size);

	env.writes++;
	if (r == EMUL_OK) {
		memcpy(env.mem + linear, buf, size);
	}
	return r;
}

static enum emul_result op_cmpxchg(struct emul_ctxt *c, uint64_t linear, void *old, const void *new,
				   unsigned int size, bool *ok)
{
	enum emul_result r = check_access(c, linear, size);

	env.cmpxchgs++;
	if (r != EMUL_OK) {
		return r;
	}
	if (env.lose_races > 0) {
		env.lose_races--;
		env.mem[linear]++;
	}
	*ok = memcmp(env.mem + linear, old, size) == 0;
	if (*ok) {
		memcpy(env.mem + linear, new, size);
	} else {
		memcpy(old, env.mem + linear, size);
	}
	return EMUL_OK;
}

static enum emul_result op_pio(struct emul_ctxt *c, bool write, uint16_t port, unsigned int size,
			       uint32_t *data)
{
	if (env.pio_result != EMUL_OK) {
		return env.pio_result;
	}
	if (!write) {
		*data = env.pio_in++ & (uint32_t)operand_mask(size);
	}
	if (env.pios < ARRAY_SIZE(env.pio)) {
		env.pio[env.pios++] = (struct env_pio){ write, port, (uint8_t)size, *data };
	}
	return EMUL_OK;
}

static uint64_t element(uint64_t linear, uint64_t n, unsigned int size, bool down)
{
	return down ? linear - n * size : linear + n * size;
}

static enum emul_result op_rep_pio(struct emul_ctxt *c, bool write, uint16_t port,
				   unsigned int size, uint64_t linear, bool down, uint64_t *count)
{
	env.bulks++;
	*count = MIN(*count, env.bulk_max);
	for (uint64_t n = 0; n < *count; n++) {
		uint64_t at = element(linear, n, size, down);
		uint32_t data = (uint32_t)emul_env_get(at, size);
		op_pio(c, write, port, size, &data);
		if (!write) {
			emul_env_put(at, data, size);
		}
	}
	return EMUL_OK;
}

static enum emul_result op_rep_movs(struct emul_ctxt *c, uint64_t src, uint64_t dst,
				    unsigned int size, bool down, uint64_t *count)
{
	env.bulks++;
	*count = MIN(*count, env.bulk_max);
	for (uint64_t n = 0; n < *count; n++) {
		emul_env_put(element(dst, n, size, down),
			     emul_env_get(element(src, n, size, down), size), size);
	}
	return EMUL_OK;
}

static enum emul_result op_rep_stos(struct emul_ctxt *c, uint64_t dst, uint64_t value,
				    unsigned int size, bool down, uint64_t *count)
{
	env.bulks++;
	*count = MIN(*count, env.bulk_max);
	for (uint64_t n = 0; n < *count; n++) {
		emul_env_put(element(dst, n, size, down), value, size);
	}
	return EMUL_OK;
}

static enum emul_result op_read_cr(struct emul_ctxt *c, unsigned int cr, uint64_t *value)
{
	*value = env.cr[cr];
	return env.system_result;
}

static enum emul_result op_write_cr(struct emul_ctxt *c, unsigned int cr, uint64_t value)
{
	env.cr[cr] = value;
	return env.system_result;
}

static enum emul_result op_read_dr(struct emul_ctxt *c, unsigned int dr, uint64_t *value)
{
	*value = env.dr[dr];
	return env.system_result;
}

static enum emul_result op_write_dr(struct emul_ctxt *c, unsigned int dr, uint64_t value)
{
	env.dr[dr] = value;
	return env.system_result;
}

static enum emul_result op_read_msr(struct emul_ctxt *c, uint32_t msr, uint64_t *value)
{
	env.msr = msr;
	*value = env.msr_value;
	return env.system_result;
}

static enum emul_result op_write_msr(struct emul_ctxt *c, uint32_t msr, uint64_t value)
{
	env.msr = msr;
	env.msr_value = value;
	return env.system_result;
}

static enum emul_result op_cpuid(struct emul_ctxt *c, uint32_t regs[4])
{
	uint32_t leaf = regs[0], sub = regs[2];

	regs[1] = leaf == 7 ? env.cpuid_ebx7 : 0xb0b0b0b0;
	regs[2] = leaf == 1 ? env.cpuid_ecx1 : leaf == 0x80000001 ? env.cpuid_ecx_ext : sub;
	regs[3] = 0xd0d0d0d0;
	return EMUL_OK;
}

static enum emul_result op_invlpg(struct emul_ctxt *c, uint64_t linear)
{
	env.invlpg = linear;
	return EMUL_OK;
}

static enum emul_result op_load_seg(struct emul_ctxt *c, enum emul_seg seg, uint16_t sel)
{
	if (sel & 4) {
		return insn_fault(c, VEC_NP);
	}
	c->seg[seg] = (struct emul_segment){ .sel = sel, .attr = 0xc93, .limit = ~0u };
	return EMUL_OK;
}

static enum emul_result op_read_table(struct emul_ctxt *c, bool idt, struct emul_table *t)
{
	*t = env.table[idt];
	return EMUL_OK;
}

static enum emul_result op_write_table(struct emul_ctxt *c, bool idt, const struct emul_table *t)
{
	env.table[idt] = *t;
	return EMUL_OK;
}

static enum emul_result op_read_system(struct emul_ctxt *c, bool task, uint16_t *sel)
{
	*sel = env.system_sel[task];
	return EMUL_OK;
}

static enum emul_result op_load_system(struct emul_ctxt *c, bool task, uint16_t sel)
{
	if (sel & 4) {
		return insn_fault(c, VEC_GP);
	}
	env.system_sel[task] = sel;
	return EMUL_OK;
}

static enum emul_result op_read_vec(struct emul_ctxt *c, unsigned int n, void *buf,
				    unsigned int size)
{
	memcpy(buf, size == 8 ? (void *)&env.mm[n] : env.vec[n], size);
	return EMUL_OK;
}

static enum emul_result op_write_vec(struct emul_ctxt *c, unsigned int n, const void *buf,
				     unsigned int size)
{
	memcpy(size == 8 ? (void *)&env.mm[n] : env.vec[n], buf, size);
	return EMUL_OK;
}

static enum emul_result op_read_mask(struct emul_ctxt *c, unsigned int n, uint64_t *value)
{
	*value = env.mask[n];
	return EMUL_OK;
}

static bool op_interrupt_pending(struct emul_ctxt *c)
{
	return env.pending_after >= 0 && env.pending_after-- == 0;
}

#define COMMON_OPS                                                                              \
	.read = op_read, .write = op_write, .cmpxchg = op_cmpxchg, .pio = op_pio,               \
	.read_cr = op_read_cr, .write_cr = op_write_cr, .read_dr = op_read_dr,                  \
	.write_dr = op_write_dr, .read_msr = op_read_msr, .write_msr = op_write_msr,            \
	.cpuid = op_cpuid, .invlpg = op_invlpg, .load_seg = op_load_seg, .read_vec = op_read_vec, \
	.read_table = op_read_table, .write_table = op_write_table,                             \
	.read_system = op_read_system, .load_system = op_load_system,                           \
	.write_vec = op_write_vec, .read_mask = op_read_mask, .interrupt_pending = op_interrupt_pending

const struct emul_ops emul_env_ops = { COMMON_OPS };
const struct emul_ops emul_env_bulk_ops = {
	COMMON_OPS, .rep_pio = op_rep_pio, .rep_movs = op_rep_movs, .rep_stos = op_rep_stos,
};

static void reset_segments(enum env_mode mode)
{
	static const struct {
		uint16_t code, data;
		uint32_t limit;
	} of[] = {
		[ENV_REAL] = { 0x9b, 0x93, 0xffff },     [ENV_VM86] = { 0xf3, 0xf3, 0xffff },
		[ENV_PROT16] = { 0x9b, 0x93, 0xffff },   [ENV_PROT32] = { 0xc9b, 0xc93, ~0u },
		[ENV_LONG] = { 0xa9b, 0xc93, ~0u },
	};

	for (unsigned int n = 0; n < SEG_COUNT; n++) {
		env.c.seg[n] = (struct emul_segment){
			.attr = n == SEG_CS ? of[mode].code : of[mode].data, .limit = of[mode].limit,
		};
	}
}

void emul_env_reset(enum env_mode mode)
{
	memset(&env, 0, sizeof(env));
	env.c.ops = &emul_env_ops;
	env.c.rip = ENV_CODE;
	env.c.rflags = FLAG_FIXED;
	env.c.gpr[GPR_RSP] = ENV_STACK;
	env.c.cr0 = mode == ENV_REAL ? 0 : CR0_PE;
	env.c.cr4 = CR4_OSFXSR | CR4_OSXSAVE;
	env.c.efer = mode == ENV_LONG ? EFER_LMA : 0;
	if (mode == ENV_VM86) {
		env.c.cpl = 3;
		env.c.rflags |= FLAG_VM;
	}
	reset_segments(mode);
	env.fetch_low = ~0ull;
	env.bad_result = EMUL_FAULT;
	env.bulk_max = ~0ull;
	env.pending_after = -1;
}

enum emul_result emul_env_run(const uint8_t *bytes, unsigned int n)
{
	memcpy(env.mem + (env.c.seg[SEG_CS].base + env.c.rip) % ENV_MEM, bytes, n);
	return emul_one(&env.c);
}

uint64_t emul_env_get(uint64_t linear, unsigned int size)
{
	uint64_t v = 0;

	memcpy(&v, env.mem + linear, size);
	return v;
}

void emul_env_put(uint64_t linear, uint64_t v, unsigned int size)
{
	memcpy(env.mem + linear, &v, size);
}
