/*
 * Fuzz target: the instruction emulator on arbitrary bytes, from arbitrary state, with ops that fail.
 *
 * Input: 16 bytes choose mode, registers and which op call fails how; the rest is code at CS:RIP. The
 * oracle: results are in range; ops see only sizes, addresses, register numbers and ports they were
 * promised; what did not succeed left registers alone (but for finished iterations of a REP); and the
 * bulk ops change no outcome. The memory is an exact heap block, so ASan sees what is out of it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "emul/insn.h"

#define MEM_SIZE  0x10000u
#define STATE     16u
#define CODE_AT   0x4000u
#define CHECK(c)                      \
	do {                          \
		if (!(c)) {           \
			abort();      \
		}                     \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	struct emul_ctxt c;
	uint8_t *mem;
	unsigned int calls, fail_at;
	enum emul_result failure;
	bool real_size;         /* linear addresses have 32 bits */
	uint64_t noise;
};

static struct world *world_of(struct emul_ctxt *c)
{
	return c->opaque;
}

static uint64_t noise(struct world *w)
{
	w->noise = w->noise * 6364136223846793005ull + 1442695040888963407ull;
	return w->noise >> 16;
}

/* One more call; the one whose turn it is fails. */
static enum emul_result step(struct emul_ctxt *c)
{
	struct world *w = world_of(c);

	if (++w->calls != w->fail_at) {
		return EMUL_OK;
	}
	if (w->failure == EMUL_FAULT) {
		c->fault = (struct emul_fault){ .vector = VEC_PF, .has_error = true };
	}
	return w->failure;
}

static enum emul_result access(struct emul_ctxt *c, uint64_t linear, uint64_t size)
{
	struct world *w = world_of(c);

	CHECK(size >= 1 && size <= 64);
	CHECK(linear + size - 1 >= linear);
	CHECK(!w->real_size || linear + size - 1 <= UINT32_MAX);
	CHECK(operand_canonical(c, linear) && operand_canonical(c, linear + size - 1));
	if (linear > MEM_SIZE || MEM_SIZE - linear < size) {
		c->fault = (struct emul_fault){ .vector = VEC_PF, .has_error = true,
						.cr2 = linear };
		return EMUL_FAULT;
	}
	return step(c);
}

static enum emul_result op_read(struct emul_ctxt *c, uint64_t linear, void *buf, unsigned int size,
				enum emul_access acc)
{
	enum emul_result r = access(c, linear, size);

	if (acc == EMUL_ACC_FETCH) {
		/* Never over a page boundary in one fetch. */
		CHECK(size <= INSN_MAX_LENGTH && (linear ^ (linear + size - 1)) >> 12 == 0);
	}
	if (r == EMUL_OK) {
		memcpy(buf, world_of(c)->mem + linear, size);
	}
	return r;
}

static enum emul_result op_write(struct emul_ctxt *c, uint64_t linear, const void *buf,
				 unsigned int size, enum emul_access acc)
{
	enum emul_result r = access(c, linear, size);

	CHECK(acc == EMUL_ACC_DATA);
	if (r == EMUL_OK) {
		memcpy(world_of(c)->mem + linear, buf, size);
	}
	return r;
}

static enum emul_result op_cmpxchg(struct emul_ctxt *c, uint64_t linear, void *old, const void *new,
				   unsigned int size, bool *ok)
{
	enum emul_result r = access(c, linear, size);

	CHECK(size <= 16);
	if (r != EMUL_OK) {
		return r;
	}
	uint8_t *at = world_of(c)->mem + linear;
	*ok = memcmp(at, old, size) == 0;
	memcpy(*ok ? at : old, *ok ? new : at, size);
	return EMUL_OK;
}

static enum emul_result op_pio(struct emul_ctxt *c, bool write, uint16_t port, unsigned int size,
			       uint32_t *data)
{
	CHECK(size == 1 || size == 2 || size == 4);
	CHECK(write ? size == 4 || *data >> 8 * size == 0 : true);
	if (!write) {
		*data = 0x01010101u * (uint8_t)port;
	}
	return step(c);
}

static enum emul_result op_read_sys(struct emul_ctxt *c, unsigned int n, uint64_t *value)
{
	CHECK(n <= 8);
	*value = noise(world_of(c));
	return step(c);
}

static enum emul_result op_write_sys(struct emul_ctxt *c, unsigned int n, uint64_t value)
{
	CHECK(n <= 8);
	return step(c);
}

static enum emul_result op_read_msr(struct emul_ctxt *c, uint32_t msr, uint64_t *value)
{
	*value = msr;
	return step(c);
}

static enum emul_result op_write_msr(struct emul_ctxt *c, uint32_t msr, uint64_t value)
{
	return step(c);
}

static enum emul_result op_cpuid(struct emul_ctxt *c, uint32_t regs[4])
{
	regs[0] = regs[1] = regs[2] = regs[3] = (uint32_t)noise(world_of(c));
	return step(c);
}

static enum emul_result op_invlpg(struct emul_ctxt *c, uint64_t linear)
{
	CHECK(operand_canonical(c, linear));
	return step(c);
}

static enum emul_result op_load_seg(struct emul_ctxt *c, enum emul_seg seg, uint16_t sel)
{
	CHECK(seg < SEG_COUNT && seg != SEG_CS);
	return step(c);
}

static enum emul_result op_code_seg(struct emul_ctxt *c, uint16_t sel, struct emul_segment *s)
{
	uint32_t n = (uint32_t)noise(world_of(c));

	*s = (struct emul_segment){ .sel = sel, .attr = n & 1 ? 0xc9b : 0x29b, .limit = n };
	return step(c);
}

static enum emul_result op_read_vec(struct emul_ctxt *c, unsigned int n, void *buf,
				    unsigned int size)
{
	CHECK((size == 8 && n < 8) || ((size == 16 || size == 32) && n < 16) || (size == 64 && n < 32));
	memset(buf, (int)n, size);
	return step(c);
}

static enum emul_result op_write_vec(struct emul_ctxt *c, unsigned int n, const void *buf,
				     unsigned int size)
{
	uint8_t sum = 0;

	CHECK((size == 8 && n < 8) || ((size == 16 || size == 32) && n < 16) || (size == 64 && n < 32));
	for (unsigned int k = 0; k < size; k++) {
		sum ^= ((const uint8_t *)buf)[k];
	}
	world_of(c)->noise += sum;
	return step(c);
}

static enum emul_result op_read_mask(struct emul_ctxt *c, unsigned int n, uint64_t *value)
{
	CHECK(n > 0 && n < 8);
	*value = noise(world_of(c));
	return step(c);
}

static enum emul_result op_read_table(struct emul_ctxt *c, bool idt, struct emul_table *t)
{
	*t = (struct emul_table){ noise(world_of(c)), idt };
	return step(c);
}

static enum emul_result op_write_table(struct emul_ctxt *c, bool idt, const struct emul_table *t)
{
	CHECK(operand_canonical(c, t->base));
	return step(c);
}

static enum emul_result op_read_system(struct emul_ctxt *c, bool task, uint16_t *sel)
{
	*sel = task;
	return step(c);
}

static enum emul_result op_load_system(struct emul_ctxt *c, bool task, uint16_t sel)
{
	return step(c);
}

static enum emul_result op_x87(struct emul_ctxt *c, struct emul_x87 *x)
{
	CHECK(x->opcode >= 0xd8 && x->opcode <= 0xdf && x->reg < 8 && x->size >= 2 && x->size <= 10);
	enum emul_result r = access(c, x->linear, x->size);
	if (r == EMUL_OK && x->try_only) {
		x->stored = x->opcode != 0xdb;
		memset(x->buf, x->reg, x->size);
	}
	return r;
}

static bool op_interrupt_pending(struct emul_ctxt *c)
{
	return false;
}

/* The bulk forms, element by element over the same memory. */
static bool bulk_element(struct world *w, uint64_t linear, uint64_t n, unsigned int size, bool down,
			 uint8_t **at)
{
	uint64_t l = down ? linear - n * size : linear + n * size;

	if (l > MEM_SIZE - size) {
		return false;
	}
	*at = w->mem + l;
	return true;
}

static enum emul_result op_rep_pio(struct emul_ctxt *c, bool write, uint16_t port,
				   unsigned int size, uint64_t linear, bool down, uint64_t *count)
{
	uint32_t value = 0x01010101u * (uint8_t)port;
	uint8_t *at;
	uint64_t n = 0;

	CHECK(*count >= 1 && (size == 1 || size == 2 || size == 4));
	for (; n < *count && bulk_element(world_of(c), linear, n, size, down, &at); n++) {
		if (!write) {
			memcpy(at, &value, size);
		}
	}
	*count = n;
	return EMUL_OK;
}

static enum emul_result op_rep_movs(struct emul_ctxt *c, uint64_t src, uint64_t dst,
				    unsigned int size, bool down, uint64_t *count)
{
	struct world *w = world_of(c);
	uint8_t *from, *to;
	uint64_t n = 0;

	CHECK(*count >= 2 && size <= 8);
	for (; n < *count && bulk_element(w, src, n, size, down, &from) &&
	       bulk_element(w, dst, n, size, down, &to); n++) {
		memcpy(to, from, size);
	}
	*count = n;
	return EMUL_OK;
}

static enum emul_result op_rep_stos(struct emul_ctxt *c, uint64_t dst, uint64_t value,
				    unsigned int size, bool down, uint64_t *count)
{
	uint8_t *to;
	uint64_t n = 0;

	CHECK(*count >= 2 && size <= 8);
	for (; n < *count && bulk_element(world_of(c), dst, n, size, down, &to); n++) {
		memcpy(to, &value, size);
	}
	*count = n;
	return EMUL_OK;
}

#define COMMON_OPS                                                                              \
	.read = op_read, .write = op_write, .cmpxchg = op_cmpxchg, .pio = op_pio,               \
	.read_cr = op_read_sys, .write_cr = op_write_sys, .read_dr = op_read_sys,               \
	.write_dr = op_write_sys, .read_msr = op_read_msr, .write_msr = op_write_msr,           \
	.cpuid = op_cpuid, .invlpg = op_invlpg, .load_seg = op_load_seg, .code_seg = op_code_seg, .read_vec = op_read_vec, \
	.write_vec = op_write_vec, .read_mask = op_read_mask, .x87 = op_x87, .read_table = op_read_table, \
	.write_table = op_write_table, .read_system = op_read_system,                           \
	.load_system = op_load_system, .interrupt_pending = op_interrupt_pending

static const struct emul_ops plain_ops = { COMMON_OPS };
static const struct emul_ops bulk_ops = {
	COMMON_OPS, .rep_pio = op_rep_pio, .rep_movs = op_rep_movs, .rep_stos = op_rep_stos,
};

static void set_segments(struct world *w, uint8_t mode)
{
	static const uint16_t code[] = { 0x9b, 0xfb, 0x9b, 0xc9b, 0xafb, 0xafb };

	for (unsigned int n = 0; n < SEG_COUNT; n++) {
		uint64_t v = noise(w);
		/* Flat and writable mostly; now and then whatever attributes and limit come. */
		w->c.seg[n] = (struct emul_segment){
			.sel = (uint16_t)v, .attr = v & 0x700000 ? 0xc93 : v >> 24 & 0xfff,
			.limit = v & 0x3000000000 ? ~0u : (uint32_t)(v >> 30) & 0xffff,
			.base = v & 0xc0000000000 ? 0 : v >> 44,
		};
	}
	w->c.seg[SEG_CS] = (struct emul_segment){ .attr = code[mode], .limit = ~0u };
}

static void set_state(struct world *w, const uint8_t *state, uint8_t *mem)
{
	uint8_t mode = state[0] % 6;

	memset(w, 0, sizeof(*w));
	w->mem = mem;
	w->c.opaque = w;
	memcpy(&w->noise, state + 4, 8);
	w->fail_at = state[2] & 0x40 ? state[2] & 0x3f : 0;
	w->failure = EMUL_FAULT + state[3] % 4;
	w->real_size = mode < 4;
	w->c.cr0 = (mode ? CR0_PE : 0) | (state[1] & 1 ? CR0_TS : 0) | (state[1] & 2 ? CR0_EM : 0);
	w->c.cr4 = noise(w) & 0x7fffff & (mode < 4 ? ~CR4_LA57 : ~0ull);
	w->c.efer = mode >= 4 ? EFER_LMA : 0;
	w->c.cpl = mode == 1 ? 3 : state[1] & 4 ? 3 : 0;
	w->c.rflags = (noise(w) & 0x3f7fd5 & ~FLAG_VM) | FLAG_FIXED | (mode == 1 ? FLAG_VM : 0);
	w->c.tr = (struct emul_segment){ .attr = 0x8b, .base = 0x100, .limit = 0x2100 };
	w->c.rip = CODE_AT + (state[1] & 8 ? 0xff8 : 0);
	for (unsigned int n = 0; n < GPR_COUNT; n++) {
		uint64_t v = noise(w);
		w->c.gpr[n] = v & 3 ? v >> 8 & 0xffff : noise(w) << 16 | noise(w);
	}
	set_segments(w, mode);
}

/* What must hold for registers when the instruction did not happen. */
static void check_untouched(const struct emul_ctxt *old, const struct emul_ctxt *c)
{
	CHECK(old->rip == c->rip);
	if (c->decoded.rep || c->decoded.repne) {
		return;
	}
	CHECK(memcmp(old->gpr, c->gpr, sizeof(c->gpr)) == 0);
	CHECK(old->rflags == c->rflags);
	CHECK(memcmp(old->seg, c->seg, sizeof(c->seg)) == 0);
}

static void fill_memory(struct world *w, const uint8_t *data, size_t size)
{
	static uint8_t pattern[MEM_SIZE];
	size_t room = MEM_SIZE - CODE_AT - 0x1000;

	if (pattern[1] == 0) {
		for (unsigned int n = 0; n < MEM_SIZE; n++) {
			pattern[n] = (uint8_t)(n * 3 ^ n >> 8);
		}
	}
	memcpy(w->mem, pattern, MEM_SIZE);
	memcpy(w->mem + w->c.rip, data, MIN(size, room));
}

static enum emul_result run(struct world *w, const uint8_t *data, size_t size, bool bulk)
{
	fill_memory(w, data, size);
	w->c.ops = bulk ? &bulk_ops : &plain_ops;
	if (data[0] & 1) {
		w->c.insn_len = (uint8_t)MIN(size, (size_t)(data[0] >> 4));
		memcpy(w->c.insn, data, w->c.insn_len);
	}
	struct emul_ctxt old = w->c;
	enum emul_result r = emul_one(&w->c);
	CHECK(r >= EMUL_OK && r <= EMUL_CRASH);
	CHECK(w->c.decoded.length <= INSN_MAX_LENGTH);
	if (r == EMUL_FAULT) {
		CHECK(w->c.fault.vector < 32);
	}
	if (r != EMUL_OK) {
		check_untouched(&old, &w->c);
	} else {
		CHECK(w->real_size ? w->c.rip <= UINT32_MAX : operand_canonical(&w->c, w->c.rip));
	}
	return r;
}

/* Both ways of doing a REP must come to the same, where no op was told to fail. */
static void check_same(const struct world *a, const struct world *b, enum emul_result ra,
		       enum emul_result rb)
{
	CHECK(ra == rb);
	CHECK(a->c.rip == b->c.rip && a->c.rflags == b->c.rflags);
	CHECK(memcmp(a->c.gpr, b->c.gpr, sizeof(a->c.gpr)) == 0);
	CHECK(memcmp(a->mem, b->mem, MEM_SIZE) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world a, b;
	static uint8_t *mem_a, *mem_b;

	if (size <= STATE) {
		return 0;
	}
	if (mem_a == NULL) {
		mem_a = malloc(MEM_SIZE);
		mem_b = malloc(MEM_SIZE);
		CHECK(mem_a != NULL && mem_b != NULL);
	}
	set_state(&a, data, mem_a);
	set_state(&b, data, mem_b);
	enum emul_result ra = run(&a, data + STATE, size - STATE, false);
	enum emul_result rb = run(&b, data + STATE, size - STATE, true);
	if (a.fail_at == 0) {
		check_same(&a, &b, ra, rb);
	}
	/* The length alone must agree with what emulation found. */
	set_state(&b, data, mem_b);
	b.c.ops = &plain_ops;
	fill_memory(&b, data + STATE, size - STATE);
	unsigned int length = emul_insn_length(&b.c);
	CHECK(length <= INSN_MAX_LENGTH);
	if (ra == EMUL_OK && a.fail_at == 0 && !(data[STATE] & 1)) {
		CHECK(length == a.c.decoded.length);
	}
	return 0;
}
