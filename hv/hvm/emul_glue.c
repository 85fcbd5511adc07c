/*
 * The emulator's view of a real vCPU: memory through its page tables, device memory through io.c, ports, registers.
 *
 * The vCPU's own loop only. Guest RAM is touched with a page reference held; no lock is held across a device access.
 */
#include "arch/x86.h"
#include "arch/xstate.h"
#include "core/trace.h"
#include "dom/guest_copy.h"
#include "dom/guest_mem.h"
#include "emul/emul.h"
#include "hvm/emul_cpu.h"
#include "hvm/emul_glue.h"
#include "hvm/hvm_state.h"
#include "lib/atomic.h"
#include "lib/err.h"
#include "lib/mem.h"

static struct vcpu *vcpu_of(struct emul_ctxt *c)
{
	return c->opaque;
}

static unsigned int walk_flags(const struct emul_ctxt *c, bool write, enum emul_access acc)
{
	unsigned int f = write ? WALK_WRITE : 0;
	if (acc == EMUL_ACC_SYSTEM) {
		return f | WALK_IMPLICIT;
	}
	f |= acc == EMUL_ACC_FETCH ? WALK_FETCH : 0;
	return f | (c->cpl == 3 ? WALK_USER : 0);
}

static enum emul_result page_fault(struct emul_ctxt *c, uint64_t linear, uint32_t error)
{
	c->fault = (struct emul_fault){ EXC_PF, true, error, linear };
	return EMUL_FAULT;
}

/* The exit has told where this access goes when direction and page offset agree and the instruction has no second
 * operand in memory of the same direction. */
static bool is_the_exit(const struct emul_ctxt *c, const struct vcpu *v, uint64_t linear, bool write,
			enum emul_access acc)
{
	const struct hvm_vcpu *h = v->hvm;
	return ((h->mmio_gpa ^ linear) & (PAGE_SIZE - 1)) == 0 && h->mmio_gpa != ~0ull &&
	       h->mmio_write == write && acc == EMUL_ACC_DATA && !c->decoded.rep && !c->decoded.repne &&
	       (c->decoded.opcode[0] & 0xfe) != 0xa6;
}

static enum emul_result translate(struct emul_ctxt *c, uint64_t linear, bool write,
				  enum emul_access acc, gpa_t *gpa)
{
	struct vcpu *v = vcpu_of(c);
	struct walk_result r;
	if (is_the_exit(c, v, linear, write, acc)) {
		*gpa = GPA(v->hvm->mmio_gpa);
		return EMUL_OK;
	}
	if (v->hvm->walk.cr4 & CR4_PKE) {
		/* only here: what the exit told has been checked by the processor */
		v->hvm->walk.pkru = xstate_pkru(&v->arch);
	}
	if (guest_translate_with(v, &v->hvm->walk, linear, walk_flags(c, write, acc), &r) != 0) {
		return page_fault(c, linear, r.error);
	}
	*gpa = r.gpa;
	return EMUL_OK;
}

/* 1, 2, 4 or 8 bytes, without a call. */
static inline void copy_number(void *dst, const void *src, unsigned int n)
{
	switch (n) {
	case 8:
		memcpy(dst, src, 8);
		break;
	case 4:
		memcpy(dst, src, 4);
		break;
	case 2:
		memcpy(dst, src, 2);
		break;
	default:
		memcpy(dst, src, 1);
		break;
	}
}

/* Device memory, in the largest aligned pieces that a bus access can have. */
static enum emul_result mmio(struct vcpu *v, gpa_t gpa, uint8_t *buf, unsigned int len, bool write)
{
	while (len > 0) {
		unsigned int n = 8;
		while (n > len || (gpa.v & (n - 1)) != 0) {
			n /= 2;
		}
		struct io_access a = { .space = IO_MMIO, .write = write, .size = (uint8_t)n, .addr = gpa.v };
		if (write) {
			copy_number(&a.data, buf, n);
		}
		if (hvm_io(v, &a) == ROUTE_CRASH) {
			return EMUL_CRASH;
		}
		if (!write) {
			copy_number(buf, &a.data, n);
		}
		gpa = gpa_add(gpa, n);
		buf += n;
		len -= n;
	}
	return EMUL_OK;
}

/* Is it memory (with a reference), a device, or memory that drops writes (ROM: *page is NULL and *rom is set)? */
static struct page *ram_page(struct vcpu *v, gpa_t gpa, bool write, bool *rom)
{
	struct page *page = NULL;
	int rc = p2m_get_page(v->domain, gpa_to_gfn(gpa), write, &page);
	*rom = rc == -EPERM;
	return rc == 0 ? page : NULL;
}

/* One piece within a page. */
static enum emul_result access_piece(struct emul_ctxt *c, uint64_t linear, uint8_t *buf, unsigned int len,
				     bool write, enum emul_access acc)
{
	struct vcpu *v = vcpu_of(c);
	bool rom;
	gpa_t gpa;
	if (v->hvm->mmio_hole && is_the_exit(c, v, linear, write, acc)) {
		return mmio(v, GPA(v->hvm->mmio_gpa), buf, len, write);
	}
	enum emul_result rc = translate(c, linear, write, acc, &gpa);
	if (rc != EMUL_OK) {
		return rc;
	}
	struct page *page = ram_page(v, gpa, write, &rom);
	if (page == NULL) {
		return rom ? EMUL_OK : mmio(v, gpa, buf, len, write);
	}
	uint8_t *p = (uint8_t *)page_virt(page) + gpa_offset(gpa);
	if (write) {
		memcpy(p, buf, len);
	} else {
		memcpy(buf, p, len);
	}
	page_put(page);
	return EMUL_OK;
}

/* A write that crosses pages must find both before it changes one. */
static enum emul_result check_second_page(struct emul_ctxt *c, uint64_t linear, enum emul_access acc)
{
	gpa_t gpa;
	return translate(c, linear, true, acc, &gpa);
}

static enum emul_result access(struct emul_ctxt *c, uint64_t linear, uint8_t *buf, unsigned int size,
			       bool write, enum emul_access acc)
{
	unsigned int first = MIN(size, (unsigned int)(PAGE_SIZE - (linear & (PAGE_SIZE - 1))));
	enum emul_result rc = EMUL_OK;
	if (first < size && write) {
		rc = check_second_page(c, linear + first, acc);
	}
	if (rc == EMUL_OK) {
		rc = access_piece(c, linear, buf, first, write, acc);
	}
	if (rc == EMUL_OK && first < size) {
		rc = access_piece(c, linear + first, buf + first, size - first, write, acc);
	}
	return rc;
}

static enum emul_result glue_read(struct emul_ctxt *c, uint64_t linear, void *buf, unsigned int size,
				  enum emul_access acc)
{
	return access(c, linear, buf, size, false, acc);
}

static enum emul_result glue_write(struct emul_ctxt *c, uint64_t linear, const void *buf,
				   unsigned int size, enum emul_access acc)
{
	/* access() only reads from the buffer of a write */
	return access(c, linear, (uint8_t *)(uintptr_t)buf, size, true, acc);
}

#define CAS_CASE(bytes, type)                                                        \
	case bytes: {                                                                \
		type expected, wanted;                                               \
		memcpy(&expected, old, bytes);                                       \
		memcpy(&wanted, new, bytes);                                         \
		*ok = atomic_cas((type *)p, &expected, wanted);                      \
		memcpy(old, &expected, bytes);                                       \
		return true;                                                         \
	}

/* False: a size that has no atomic form here (or would cross a page). */
static bool ram_cmpxchg(void *p, void *old, const void *new, unsigned int size, bool *ok)
{
	switch (size) {
	CAS_CASE(1, uint8_t)
	CAS_CASE(2, uint16_t)
	CAS_CASE(4, uint32_t)
	CAS_CASE(8, uint64_t)
	default:
		return false;
	}
}

/* Not atomic towards anybody: device memory, or an operand that crosses pages. */
static enum emul_result plain_cmpxchg(struct emul_ctxt *c, uint64_t linear, void *old, const void *new,
				      unsigned int size, bool *ok)
{
	uint8_t found[16];
	enum emul_result rc = glue_read(c, linear, found, size, EMUL_ACC_DATA);
	if (rc != EMUL_OK) {
		return rc;
	}
	*ok = memcmp(found, old, size) == 0;
	if (!*ok) {
		memcpy(old, found, size);
		return EMUL_OK;
	}
	return glue_write(c, linear, new, size, EMUL_ACC_DATA);
}

static enum emul_result glue_cmpxchg(struct emul_ctxt *c, uint64_t linear, void *old, const void *new,
				     unsigned int size, bool *ok)
{
	bool rom;
	gpa_t gpa;
	if (size > 16) {
		return EMUL_UNHANDLED;
	}
	enum emul_result rc = translate(c, linear, true, EMUL_ACC_DATA, &gpa);
	if (rc != EMUL_OK) {
		return rc;
	}
	struct page *page = gpa_offset(gpa) + size <= PAGE_SIZE
				    ? ram_page(vcpu_of(c), gpa, true, &rom) : NULL;
	if (page != NULL) {
		bool done = ram_cmpxchg((char *)page_virt(page) + gpa_offset(gpa), old, new, size, ok);
		page_put(page);
		if (done) {
			return EMUL_OK;
		}
	}
	return plain_cmpxchg(c, linear, old, new, size, ok);
}

static enum emul_result glue_pio(struct emul_ctxt *c, bool write, uint16_t port, unsigned int size,
				 uint32_t *data)
{
	struct io_access a = { .space = IO_PIO, .write = write, .size = (uint8_t)size, .addr = port,
			       .data = *data };
	if (hvm_io(vcpu_of(c), &a) == ROUTE_CRASH) {
		return EMUL_CRASH;
	}
	*data = (uint32_t)a.data;
	return EMUL_OK;
}

/* How many elements fit between linear and the edge of its page in the direction of travel; 0: even the first
 * crosses. */
static uint64_t fit(uint64_t linear, unsigned int size, bool down, uint64_t count)
{
	uint64_t offset = linear & (PAGE_SIZE - 1);
	if (offset + size > PAGE_SIZE) {
		return 0;
	}
	uint64_t room = down ? offset / size + 1 : (PAGE_SIZE - offset) / size;
	return MIN(count, room);
}

/* The guest page of a bulk buffer must be plain memory of the right kind. */
static enum emul_result bulk_ram(struct emul_ctxt *c, uint64_t linear, bool write, gpa_t *gpa, bool *ok)
{
	bool rom;
	enum emul_result rc = translate(c, linear, write, EMUL_ACC_DATA, gpa);
	struct page *page = rc == EMUL_OK ? ram_page(vcpu_of(c), *gpa, write, &rom) : NULL;
	*ok = page != NULL;
	if (page != NULL) {
		page_put(page);
	}
	return rc;
}

static enum emul_result glue_rep_pio(struct emul_ctxt *c, bool write, uint16_t port, unsigned int size,
				     uint64_t linear, bool down, uint64_t *count)
{
	struct io_access a = { .space = IO_PIO, .write = write, .size = (uint8_t)size, .addr = port };
	bool ok;
	gpa_t gpa;
	uint32_t n = (uint32_t)fit(linear, size, down, *count);
	*count = 0;
	if (n < 2 || hvm_io_internal(vcpu_of(c), &a)) {
		return EMUL_OK;
	}
	/* IN writes guest memory, OUT reads it. */
	enum emul_result rc = bulk_ram(c, linear, !write, &gpa, &ok);
	if (rc != EMUL_OK || !ok) {
		return rc;
	}
	if (hvm_io_bulk(vcpu_of(c), &a, true, gpa.v, down, &n) == ROUTE_CRASH) {
		return EMUL_CRASH;
	}
	*count = n;
	return EMUL_OK;
}

static enum emul_result glue_rep_movs(struct emul_ctxt *c, uint64_t src, uint64_t dst,
				      unsigned int size, bool down, uint64_t *count)
{
	bool src_ram, dst_ram;
	gpa_t from, to;
	uint32_t n = (uint32_t)fit(dst, size, down, fit(src, size, down, *count));
	*count = 0;
	if (n < 2) {
		return EMUL_OK;
	}
	enum emul_result rc = bulk_ram(c, src, false, &from, &src_ram);
	if (rc == EMUL_OK) {
		rc = bulk_ram(c, dst, true, &to, &dst_ram);
	}
	if (rc != EMUL_OK || src_ram == dst_ram) {
		return rc;
	}
	struct io_access a = { .space = IO_MMIO, .write = src_ram, .size = (uint8_t)size,
			       .addr = src_ram ? to.v : from.v };
	if (hvm_io_internal(vcpu_of(c), &a)) {
		return EMUL_OK;
	}
	if (hvm_io_bulk(vcpu_of(c), &a, true, src_ram ? from.v : to.v, down, &n) == ROUTE_CRASH) {
		return EMUL_CRASH;
	}
	*count = n;
	return EMUL_OK;
}

static enum emul_result glue_rep_stos(struct emul_ctxt *c, uint64_t dst, uint64_t value,
				      unsigned int size, bool down, uint64_t *count)
{
	bool ram;
	gpa_t to;
	uint32_t n = (uint32_t)fit(dst, size, down, *count);
	*count = 0;
	enum emul_result rc = n < 2 ? EMUL_OK : bulk_ram(c, dst, true, &to, &ram);
	if (n < 2 || rc != EMUL_OK || ram) {
		return rc;
	}
	struct io_access a = { .space = IO_MMIO, .write = true, .size = (uint8_t)size, .addr = to.v };
	if (hvm_io_internal(vcpu_of(c), &a)) {
		return EMUL_OK;
	}
	if (hvm_io_bulk(vcpu_of(c), &a, false, value, down, &n) == ROUTE_CRASH) {
		return EMUL_CRASH;
	}
	*count = n;
	return EMUL_OK;
}

/* -EBUSY: the program has not been told of an earlier numeric exception. */
static enum emul_result fpu_result(struct emul_ctxt *c, int rc)
{
	if (rc == -EBUSY) {
		c->fault = (struct emul_fault){ .vector = EXC_MF };
		return EMUL_FAULT;
	}
	return rc == 0 ? EMUL_OK : EMUL_UNHANDLED;
}

static enum emul_result glue_x87(struct emul_ctxt *c, struct emul_x87 *x)
{
	return fpu_result(c, xstate_x87(&vcpu_of(c)->arch, x, c->rip));
}

static enum emul_result glue_read_vec(struct emul_ctxt *c, unsigned int n, void *buf, unsigned int size)
{
	if (size == 8) {
		return fpu_result(c, xstate_mmx(&vcpu_of(c)->arch, n, buf, false));
	}
	return xstate_read_vec(&vcpu_of(c)->arch, n, buf, size) == 0 ? EMUL_OK : EMUL_UNHANDLED;
}

static enum emul_result glue_write_vec(struct emul_ctxt *c, unsigned int n, const void *buf,
				       unsigned int size)
{
	if (size == 8) {
		uint8_t value[8];
		memcpy(value, buf, sizeof(value));
		return fpu_result(c, xstate_mmx(&vcpu_of(c)->arch, n, value, true));
	}
	return xstate_write_vec(&vcpu_of(c)->arch, n, buf, size) == 0 ? EMUL_OK : EMUL_UNHANDLED;
}

static enum emul_result glue_read_mask(struct emul_ctxt *c, unsigned int n, uint64_t *value)
{
	return xstate_read_mask(&vcpu_of(c)->arch, n, value) == 0 ? EMUL_OK : EMUL_UNHANDLED;
}

static bool glue_interrupt_pending(struct emul_ctxt *c)
{
	struct vcpu *v = vcpu_of(c);
	return (load_acquire(&v->kicked) & VCPU_LOOK) && (v->arch.regs.rflags & RFLAGS_IF) != 0;
}

/* The six and the task register. */
#define ALL_SEGS ((1u << (SEG_COUNT + 1)) - 1)

static void fetch_seg(struct emul_ctxt *c, unsigned int seg)
{
	const struct vcpu *v = c->opaque;
	if (seg == SEG_COUNT) {
		virt->get_seg(&v->arch, VSEG_TR, &c->tr);
	} else {
		virt->get_seg(&v->arch, (enum vseg)seg, &c->seg[seg]);
	}
}

static const struct emul_ops ops = {
	.fetch_seg = fetch_seg,
	.read = glue_read,
	.write = glue_write,
	.cmpxchg = glue_cmpxchg,
	.pio = glue_pio,
	.rep_pio = glue_rep_pio,
	.rep_movs = glue_rep_movs,
	.rep_stos = glue_rep_stos,
	.read_cr = emul_cpu_read_cr,
	.write_cr = emul_cpu_write_cr,
	.read_dr = emul_cpu_read_dr,
	.write_dr = emul_cpu_write_dr,
	.read_msr = emul_cpu_read_msr,
	.write_msr = emul_cpu_write_msr,
	.cpuid = emul_cpu_cpuid,
	.load_seg = emul_cpu_load_seg,
	.code_seg = emul_cpu_code_seg,
	.read_table = emul_cpu_read_table,
	.write_table = emul_cpu_write_table,
	.read_system = emul_cpu_read_system,
	.load_system = emul_cpu_load_system,
	.read_vec = glue_read_vec,
	.write_vec = glue_write_vec,
	.read_mask = glue_read_mask,
	.x87 = glue_x87,
	.interrupt_pending = glue_interrupt_pending,
};

void emul_glue_fetch_all(struct emul_ctxt *c)
{
	for (unsigned int i = 0; i <= SEG_COUNT; i++) {
		(void)emul_get_seg(c, i);
	}
}

void emul_glue_load(struct vcpu *v, struct emul_ctxt *c)
{
	struct virt_code s;
	virt->get_code(&v->arch, &s);
	c->ops = &ops;
	c->opaque = v;
	memcpy(c->gpr, v->arch.regs.gpr, sizeof(c->gpr));
	c->rip = v->arch.regs.rip;
	c->rflags = v->arch.regs.rflags;
	virt->get_seg(&v->arch, VSEG_CS, &c->seg[SEG_CS]);
	c->segs_missing = ALL_SEGS & ~(1u << SEG_CS);
	c->cr0 = s.cr0;
	c->cr4 = s.cr4;
	c->efer = s.efer;
	c->cpl = (uint8_t)virt->cpl(&v->arch);
	v->hvm->walk = (struct walk_regs){ s.cr0, s.cr3, s.cr4, s.efer, c->rflags, 0 };
	c->insn_len = 0;
	c->segs_changed = 0;
	c->decoded = (struct emul_decoded){ 0 };
	c->shadow_sti = c->shadow_ss = c->hlt = c->singlestep = false;
}

void emul_glue_store(struct vcpu *v, const struct emul_ctxt *c)
{
	memcpy(v->arch.regs.gpr, c->gpr, sizeof(c->gpr));
	v->arch.regs.rip = c->rip;
	v->arch.regs.rflags = c->rflags;
	for (unsigned int i = 0; c->segs_changed >> i != 0; i++) {
		if (c->segs_changed >> i & 1) {
			virt->set_seg(&v->arch, (enum vseg)i, &c->seg[i]);
		}
	}
}

/* The first time that a domain uses this opcode? */
static bool is_news(struct domain *d, const struct emul_decoded *i)
{
	unsigned int map = i->opcode_len == 3 ? 2 : i->opcode_len == 2 ? 1 : 0;
	unsigned int opcode = i->opcode_len == 0 ? 0 : i->opcode[i->opcode_len - 1];
	uint32_t bit = 1u << opcode % 32;
	return !(atomic_or(&d->hvm->unknown_insn[map][opcode / 32], bit) & bit);
}

/* #UD, and the bytes in the log, once for each opcode. */
static enum verdict cannot_emulate(struct vcpu *v, const struct emul_ctxt *c)
{
	uint8_t b[15] = { 0 };
	if (is_news(v->domain, &c->decoded)) {
		memcpy(b, c->insn, c->insn_len);
		guest_log(v->domain, "vCPU %u: no emulation at %#lx of %02x %02x %02x %02x %02x %02x (%u bytes)", v->id,
			  (unsigned long)v->arch.regs.rip, b[0], b[1], b[2], b[3], b[4], b[5], c->insn_len);
	}
	return hvm_fault_ud(v);
}

/* The page behind a frame of code. What was read through the pointer is good if the map's generation is still gfn_gen
 * afterwards: a page leaves a domain only through an unmap, which moves it before the page is freed. */
static const uint8_t *code_page(struct vcpu *v, gfn_t gfn)
{
	struct code_cache *k = &v->hvm->code;
	uint64_t gen = load_acquire(&v->domain->p2m.gen);
	struct page *page;
	if (k->gfn_page == NULL || k->gfn != gfn.v || k->gfn_gen != gen) {
		k->gfn_page = NULL;
		k->gfn = gfn.v;
		k->gfn_gen = gen;
		if (p2m_get_own_page(v->domain, gfn, false, &page) == 0) {
			k->gfn_page = page_virt(page);
			page_put(page);
		}
	}
	return k->gfn_page;
}

const uint8_t *hvm_code_at(struct vcpu *v, uint64_t linear, unsigned int *n)
{
	struct walk_result r;
	*n = MIN(15u, (unsigned int)(PAGE_SIZE - (linear & (PAGE_SIZE - 1))));
	if (guest_translate_with(v, &v->hvm->walk, linear, WALK_UNCHECKED, &r) != 0) {
		return NULL;
	}
	const uint8_t *page = code_page(v, gpa_to_gfn(r.gpa));
	return page != NULL ? page + gpa_offset(r.gpa) : NULL;
}

/* The instruction's bytes up to the end of its page: the guest has just fetched them, so no check is due. What is not
 * got here the emulator reads by itself. */
static void prefetch(struct vcpu *v, struct emul_ctxt *c)
{
	bool long64 = (c->efer & EFER_LMA) && (c->seg[SEG_CS].attr & 1u << 9);
	unsigned int n;
	const uint8_t *code = hvm_code_at(v, long64 ? c->rip : (uint32_t)(c->seg[SEG_CS].base + c->rip), &n);
	if (code != NULL) {
		if (n == 15) {
			memcpy(c->insn, code, 15);      /* inline: nearly always */
		} else {
			memcpy(c->insn, code, n);
		}
		c->insn_len = hvm_code_kept(v) ? (uint8_t)n : 0;
	}
}

enum verdict hvm_emulate(struct vcpu *v)
{
	struct emul_ctxt c;
	emul_glue_load(v, &c);
	prefetch(v, &c);
	enum emul_result rc = emul_one(&c);
	trace(TRC_EMUL, v->domain->id, (uint16_t)v->id, v->arch.regs.rip, rc);
	switch (rc) {
	case EMUL_OK:
		emul_glue_store(v, &c);
		virt->set_shadow(&v->arch, c.shadow_sti || c.shadow_ss);
		if (c.singlestep) {
			hvm_raise_step(v);
		}
		return EXIT_RESUME;
	case EMUL_FAULT:
		emul_glue_store(v, &c);
		hvm_raise(v, c.fault.vector, c.fault.has_error, c.fault.error, c.fault.cr2);
		return EXIT_FAULT;
	case EMUL_RETRY:
		return EXIT_RESUME;
	case EMUL_CRASH:
		return EXIT_CRASH;
	case EMUL_UNHANDLED:
		break;
	}
	return cannot_emulate(v, &c);
}

unsigned int hvm_fetch(struct vcpu *v, uint64_t linear, uint8_t *bytes, unsigned int size)
{
	unsigned int first = MIN(size, (unsigned int)(PAGE_SIZE - (linear & (PAGE_SIZE - 1))));
	struct walk_result r;
	memset(bytes, 0, size);
	if (guest_translate(v, linear, WALK_UNCHECKED, &r) != 0 ||
	    guest_read_phys(v->domain, r.gpa, bytes, first) != 0) {
		return 0;
	}
	if (first < size && guest_translate(v, linear + first, WALK_UNCHECKED, &r) == 0 &&
	    guest_read_phys(v->domain, r.gpa, bytes + first, size - first) == 0) {
		return size;
	}
	return first;
}

/* The pointer stays good while the map's generation does: a page leaves a domain only through an unmap, which
 * moves it. */
void hvm_code_cache_fill(struct vcpu *v, uint64_t linear, uint64_t cr3)
{
	struct code_cache *c = &v->hvm->code;
	struct walk_result r;
	struct page *page;
	c->page = NULL;
	c->gen = load_acquire(&v->domain->p2m.gen);
	if (guest_translate(v, linear, WALK_UNCHECKED, &r) == 0 &&
	    p2m_get_own_page(v->domain, gpa_to_gfn(r.gpa), false, &page) == 0) {
		c->linear = linear & PAGE_MASK;
		c->cr3 = cr3;
		c->page = page_virt(page);
		page_put(page);
	}
}
