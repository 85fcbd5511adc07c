/*
 * Differential test: random instructions on the real CPU and in the emulator must agree.
 *
 * Each round makes one instruction (native_make.c), runs it natively at CPL 3 (native_run.S), then in
 * emul_one() from the same state over the same memory, and compares registers, the flags that are
 * defined, vector registers, memory, where execution went on, and the vector of a fault. Options:
 * --seed N, --count N, --verbose. 64-bit mode only; the other modes have tests with exact values.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <asm/prctl.h>
#include <ucontext.h>
#include <unistd.h>
#include <cpuid.h>
#include "unit/native_make.h"

void native_run(struct native_state *st, void *code);
extern char native_return[], native_return_taken[];

#define GUARD 0x40000u

static struct native_env env;
static uint8_t before[SCRATCH_SIZE], native_mem[SCRATCH_SIZE];
static volatile int native_trap;
static uint16_t host_sel[SEG_COUNT];
static struct native_state emul_state;  /* the emulator's vector registers */
static unsigned long faults;

/* --- the CPU's side --- */

static void on_signal(int sig, siginfo_t *info, void *context)
{
	ucontext_t *u = context;
	uint64_t rip = (uint64_t)u->uc_mcontext.gregs[REG_RIP];

	if (rip < (uint64_t)env.code || rip >= (uint64_t)env.code + 16) {
		static const char text[] = "signal outside of the instruction\n";
		(void)!write(2, text, sizeof(text) - 1);
		_exit(2);
	}
	native_trap = (int)u->uc_mcontext.gregs[REG_TRAPNO];
	u->uc_mcontext.gregs[REG_RIP] = (greg_t)(uint64_t)native_return;
}

static void catch_signals(void)
{
	static const int caught[] = { SIGSEGV, SIGFPE, SIGILL, SIGBUS, SIGTRAP };
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	static uint8_t stack[256 * 1024];
	stack_t st = { .ss_sp = stack, .ss_size = sizeof(stack) };

	sigaltstack(&st, NULL);
	for (unsigned int n = 0; n < ARRAY_SIZE(caught); n++) {
		sigaction(caught[n], &sa, NULL);
	}
}

static void put_stub(unsigned int at, char *target)
{
	static const uint8_t jmp[] = { 0xff, 0x25, 0, 0, 0, 0 };
	uint64_t to = (uint64_t)target;

	memcpy(env.code + at, jmp, sizeof(jmp));
	memcpy(env.code + at + sizeof(jmp), &to, sizeof(to));
}

static void run_native(struct round *r)
{
	memcpy(env.code, r->bytes, r->len);
	put_stub(r->len, native_return);
	native_trap = -1;
	r->native = r->start;
	native_run(&r->native, env.code);
}

static unsigned int os_has_avx(void)
{
	unsigned int a, b, c, d;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_AVX) || !(c & bit_OSXSAVE)) {
		return 0;
	}
	__asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
	if ((a & 6) != 6) {
		return 0;
	}
	bool os = (a & 0xe0) == 0xe0;
	return os && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_AVX512BW) && (b & bit_AVX512VL) ? 2 : 1;
}

static void set_up(void)
{
	uint8_t *p = mmap(NULL, 2 * GUARD + SCRATCH_SIZE + 4096, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	if (p == MAP_FAILED || mprotect(p + GUARD, SCRATCH_SIZE, PROT_READ | PROT_WRITE) ||
	    mprotect(p + 2 * GUARD + SCRATCH_SIZE, 4096, PROT_READ | PROT_WRITE | PROT_EXEC)) {
		perror("mmap");
		exit(77);
	}
	env.scratch = p + GUARD;
	env.code = p + 2 * GUARD + SCRATCH_SIZE;
	env.avx = os_has_avx();
	env.gs_base = 0x12340;
	syscall(SYS_arch_prctl, ARCH_SET_GS, env.gs_base);
	__asm__ volatile("mov %%es, %0" : "=r"(host_sel[SEG_ES]));
	__asm__ volatile("mov %%cs, %0" : "=r"(host_sel[SEG_CS]));
	__asm__ volatile("mov %%ss, %0" : "=r"(host_sel[SEG_SS]));
	__asm__ volatile("mov %%ds, %0" : "=r"(host_sel[SEG_DS]));
	__asm__ volatile("mov %%fs, %0" : "=r"(host_sel[SEG_FS]));
	__asm__ volatile("mov %%gs, %0" : "=r"(host_sel[SEG_GS]));
	put_stub(TAKEN_STUB, native_return_taken);
	catch_signals();
}

/* --- the emulator's side --- */

static bool in_scratch(uint64_t linear, unsigned int size)
{
	return linear - (uint64_t)env.scratch <= SCRATCH_SIZE - size;
}

static enum emul_result page_fault(struct emul_ctxt *c, uint64_t linear)
{
	c->fault = (struct emul_fault){ .vector = VEC_PF, .has_error = true, .cr2 = linear };
	return EMUL_FAULT;
}

static enum emul_result op_read(struct emul_ctxt *c, uint64_t linear, void *buf, unsigned int size,
				enum emul_access acc)
{
	if (acc == EMUL_ACC_FETCH) {
		memcpy(buf, (void *)linear, size);
		return EMUL_OK;
	}
	if (!in_scratch(linear, size)) {
		return page_fault(c, linear);
	}
	memcpy(buf, (void *)linear, size);
	return EMUL_OK;
}

static enum emul_result op_write(struct emul_ctxt *c, uint64_t linear, const void *buf,
				 unsigned int size, enum emul_access acc)
{
	if (!in_scratch(linear, size)) {
		return page_fault(c, linear);
	}
	memcpy((void *)linear, buf, size);
	return EMUL_OK;
}

static enum emul_result op_cmpxchg(struct emul_ctxt *c, uint64_t linear, void *old, const void *new,
				   unsigned int size, bool *ok)
{
	if (!in_scratch(linear, size)) {
		return page_fault(c, linear);
	}
	*ok = memcmp((void *)linear, old, size) == 0;
	memcpy(*ok ? (void *)linear : old, *ok ? new : (void *)linear, size);
	return EMUL_OK;
}

static enum emul_result op_pio(struct emul_ctxt *c, bool write, uint16_t port, unsigned int size,
			       uint32_t *data)
{
	return EMUL_CRASH;
}

static enum emul_result op_cpuid(struct emul_ctxt *c, uint32_t regs[4])
{
	__cpuid_count(regs[0], regs[2], regs[0], regs[1], regs[2], regs[3]);
	return EMUL_OK;
}

static enum emul_result op_read_vec(struct emul_ctxt *c, unsigned int n, void *buf,
				    unsigned int size)
{
	memcpy(buf, size == 8 ? (void *)&emul_state.mm[n] : emul_state.zmm[n], size);
	return EMUL_OK;
}

static enum emul_result op_write_vec(struct emul_ctxt *c, unsigned int n, const void *buf,
				     unsigned int size)
{
	memcpy(size == 8 ? (void *)&emul_state.mm[n] : emul_state.zmm[n], buf, size);
	if (size == 32) {
		memset(emul_state.zmm[n] + 32, 0, 32);
	}
	return EMUL_OK;
}

static enum emul_result op_read_mask(struct emul_ctxt *c, unsigned int n, uint64_t *value)
{
	*value = emul_state.mask[n];
	return EMUL_OK;
}

static const struct emul_ops ops = {
	.read = op_read, .write = op_write, .cmpxchg = op_cmpxchg, .pio = op_pio,
	.cpuid = op_cpuid, .read_vec = op_read_vec, .write_vec = op_write_vec,
	.read_mask = op_read_mask,
};

static enum emul_result run_emul(const struct round *r, struct emul_ctxt *c)
{
	memset(c, 0, sizeof(*c));
	c->ops = &ops;
	memcpy(c->gpr, r->start.gpr, sizeof(c->gpr));
	c->rip = (uint64_t)env.code;
	c->rflags = r->start.rflags;
	for (unsigned int n = 0; n < SEG_COUNT; n++) {
		c->seg[n] = (struct emul_segment){ .sel = host_sel[n], .attr = 0xcf3,
						   .limit = ~0u };
	}
	c->seg[SEG_CS].attr = 0x2fb;
	c->seg[SEG_GS].base = env.gs_base;
	c->cr0 = CR0_PE | 0x80000000u;
	c->cr4 = CR4_OSFXSR | BIT(3) /* DE: Linux has it on */ | (env.avx ? CR4_OSXSAVE : 0);
	c->efer = EFER_LMA | 0x501;
	c->cpl = 3;
	emul_state = r->start;
	return emul_one(c);
}

/* --- comparing --- */

static void dump(const struct round *r, const struct emul_ctxt *c)
{
	printf("bytes:");
	for (unsigned int n = 0; n < r->len; n++) {
		printf(" %02x", r->bytes[n]);
	}
	printf("\ntarget %lx\n", r->target);
	for (unsigned int n = 0; n < 16; n++) {
		printf("r%-2u start %016lx native %016lx emul %016lx%s\n", n, r->start.gpr[n],
		       r->native.gpr[n], c->gpr[n], r->native.gpr[n] == c->gpr[n] ? "" : "  <--");
	}
	printf("flags start %lx native %lx emul %lx undefined %lx\n", r->start.rflags,
	       r->native.rflags, c->rflags, r->undefined);
}

/* The name of the first difference, or NULL. */
static const char *compare(const struct round *r, const struct emul_ctxt *c,
			   enum emul_result result)
{
	uint64_t next = (uint64_t)env.code + (r->native.taken ? TAKEN_STUB : r->len);
	uint64_t flags = ~(native_trap < 0 ? r->undefined : 0);

	if (native_trap >= 0) {
		/* Of a bad target and a bad stack, AMD tells of the stack first, Intel of the target. */
		bool either = r->f->flags & FORM_INDIR;
		if (result != EMUL_FAULT || (c->fault.vector != native_trap && !either)) {
			return "fault";
		}
		next = (uint64_t)env.code;
	} else if (result != EMUL_OK) {
		return "result";
	}
	if (c->rip != next) {
		return "rip";
	}
	if (((r->native.rflags ^ c->rflags) & flags) != 0) {
		return "flags";
	}
	for (unsigned int n = 0; n < 16; n++) {
		/* BSF and BSR of zero: the destination is undefined, where it is an operand of these. */
		bool open = (r->f->flags & FORM_NZ) && (r->native.rflags & FLAG_ZF);
		if (!open && r->native.gpr[n] != c->gpr[n]) {
			return "register";
		}
	}
	if (memcmp(r->native.mm, emul_state.mm, sizeof(emul_state.mm)) != 0 ||
	    memcmp(r->native.zmm, emul_state.zmm, sizeof(emul_state.zmm)) != 0) {
		return "vector register";
	}
	/* A masked store that faults half-way has stored the first half here, and nothing there. */
	bool half = (r->evex || (r->f->flags & FORM_VEXONLY)) && native_trap >= 0;
	return !half && memcmp(native_mem, env.scratch, SCRATCH_SIZE) != 0 ? "memory" : NULL;
}

static void fill_scratch(void)
{
	for (unsigned int n = 0; n < SCRATCH_SIZE; n += 8) {
		uint64_t v = native_rnd();
		memcpy(before + n, &v, 8);
	}
}

static bool one_round(struct round *r, bool verbose)
{
	struct emul_ctxt c;

	memcpy(env.scratch, before, SCRATCH_SIZE);
	native_make(&env, r);
	if (r->skip) {
		return true;
	}
	memcpy(before, env.scratch, SCRATCH_SIZE);
	run_native(r);
	memcpy(native_mem, env.scratch, SCRATCH_SIZE);
	memcpy(env.scratch, before, SCRATCH_SIZE);
	enum emul_result result = run_emul(r, &c);
	const char *what = compare(r, &c, result);
	faults += native_trap >= 0;
	if (what != NULL) {
		printf("DIFFERENT: %s; native trap %d, emulator %d (vector %u)\n", what, native_trap,
		       result, result == EMUL_FAULT ? c.fault.vector : 0);
		dump(r, &c);
	} else if (verbose) {
		dump(r, &c);
	}
	return what == NULL;
}

int main(int argc, char **argv)
{
	static struct round r;
	unsigned long count = 200000, bad = 0;
	bool verbose = false;

	native_rng = 0x2545f4914f6cdd1d;
	for (int n = 1; n < argc; n++) {
		if (strcmp(argv[n], "--seed") == 0 && n + 1 < argc) {
			native_rng = strtoull(argv[++n], NULL, 0) * 2 + 1;
		} else if (strcmp(argv[n], "--count") == 0 && n + 1 < argc) {
			count = strtoul(argv[++n], NULL, 0);
		} else if (strcmp(argv[n], "--verbose") == 0) {
			verbose = true;
		} else {
			fprintf(stderr, "usage: %s [--seed N] [--count N] [--verbose]\n", argv[0]);
			return 2;
		}
	}
	set_up();
	for (unsigned long n = 0; n < count && bad < 20; n++) {
		if (n % 256 == 0) {
			fill_scratch();
		}
		bad += !one_round(&r, verbose);
	}
	printf("%lu instructions, %lu faults, %lu differences%s\n", count, faults, bad,
	       env.avx == 0 ? " (no AVX here)" : env.avx == 1 ? " (no AVX-512 here)" : "");
	return bad ? 1 : 0;
}
