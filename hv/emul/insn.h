/*
 * One decoded instruction, and what the files of the emulator share among themselves.
 *
 * Private to hv/emul; callers use emul.h. decode.c fills struct insn from the bytes and the rows of
 * optable.c; the exec_*.c files do the work through operand.c and flags.c. No state outlives
 * emul_one(). Rules of order: everything that can fail comes before the first change of ctxt.
 */
#ifndef EMUL_INSN_H
#define EMUL_INSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "emul/emul.h"
#include "lib/mem.h"
#include "lib/util.h"

enum {
	VEC_DE = 0, VEC_DB = 1, VEC_UD = 6, VEC_NM = 7, VEC_TS = 10, VEC_NP = 11, VEC_SS = 12,
	VEC_GP = 13, VEC_PF = 14
};

#define FLAG_CF    BIT(0)
#define FLAG_FIXED BIT(1)
#define FLAG_PF    BIT(2)
#define FLAG_AF    BIT(4)
#define FLAG_ZF    BIT(6)
#define FLAG_SF    BIT(7)
#define FLAG_TF    BIT(8)
#define FLAG_IF    BIT(9)
#define FLAG_DF    BIT(10)
#define FLAG_OF    BIT(11)
#define FLAG_IOPL  (3ull << 12)
#define FLAG_NT    BIT(14)
#define FLAG_RF    BIT(16)
#define FLAG_VM    BIT(17)
#define FLAG_AC    BIT(18)
#define FLAG_VIF   BIT(19)
#define FLAG_VIP   BIT(20)
#define FLAG_ID    BIT(21)
#define FLAG_ARITH (FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)

#define CR0_PE         BIT(0)
#define CR0_EM         BIT(2)
#define CR0_TS         BIT(3)
#define CR4_VME        BIT(0)
#define CR4_PVI        BIT(1)
#define CR4_TSD        BIT(2)
#define CR4_OSFXSR     BIT(9)
#define CR4_UMIP       BIT(11)
#define CR4_LA57       BIT(12)
#define CR4_OSXSAVE    BIT(18)
#define EFER_LMA       BIT(10)

#define SEG_ATTR_TYPE  0x00fu
#define SEG_ATTR_RW    0x002u          /* data: writable; code: readable */
#define SEG_ATTR_DOWN  0x004u          /* data: expands down */
#define SEG_ATTR_CODE  0x008u
#define SEG_ATTR_S     0x010u
#define SEG_ATTR_P     0x080u
#define SEG_ATTR_L     0x200u
#define SEG_ATTR_DB    0x400u

#define INSN_MAX_LENGTH 15u

enum insn_mode { MODE_REAL, MODE_VM86, MODE_PROT, MODE_LONG64 };

/* Where an operand lives. */
enum opd {
	OPD_NONE,
	OPD_RM,         /* ModRM.rm, or the memory of a moffs form */
	OPD_REG,        /* ModRM.reg */
	OPD_ACC,        /* AL, AX, EAX, RAX */
	OPD_OPREG,      /* the low three bits of the opcode */
	OPD_IMM,
	OPD_ONE,
	OPD_CL
};

/* What follows the opcode and ModRM. */
enum imm {
	IMM_NONE,
	IMM_8,          /* sign-extended */
	IMM_16,
	IMM_Z,          /* 2 or 4 bytes by operand size, sign-extended */
	IMM_V,          /* 2, 4 or 8 bytes by operand size */
	IMM_ADDR,       /* moffs: as wide as an address */
	IMM_FAR,        /* offset by operand size, then a selector */
	IMM_ENTER       /* 16 bits, then 8 */
};

struct insn;
typedef enum emul_result (*insn_exec)(struct emul_ctxt *c, struct insn *i);

/* Flags of an opcode row. */
#define OPF_KNOWN   BIT(0)      /* its length can be decoded even when exec is NULL */
#define OPF_MODRM   BIT(1)
#define OPF_BYTE    BIT(2)      /* operands are one byte */
#define OPF_D64     BIT(3)      /* 64-bit mode: operand size is 64 without REX.W */
#define OPF_BRANCH  BIT(4)      /* 64-bit mode: near branch, always 64 */
#define OPF_NO64    BIT(5)      /* #UD in 64-bit mode */
#define OPF_LOCK    BIT(6)      /* LOCK is legal with a memory destination */
#define OPF_PRIV    BIT(7)      /* CPL 0 only */
#define OPF_MEM     BIT(8)      /* the r/m operand must be memory */
#define OPF_REGS    BIT(9)      /* mod is ignored: r/m is a register (CR and DR moves) */
#define OPF_GROUP   BIT(10)     /* rows by ModRM.reg */
#define OPF_BYPFX   BIT(11)     /* rows by mandatory prefix: none, 66, F3, F2 */
#define OPF_POPRM   BIT(12)     /* the address is formed after RSP has moved */
#define OPF_PROT    BIT(13)     /* #UD in real and virtual-8086 mode */
#define OPF_SSE     BIT(14)     /* uses XMM state */
#define OPF_MMX     BIT(15)     /* uses MMX state */
#define OPF_VEX     BIT(16)     /* has a VEX form */
#define OPF_VEX128  BIT(17)     /* the VEX form needs L = 0 */
#define OPF_VVVV    BIT(18)     /* the VEX form uses vvvv as an operand */
#define OPF_ALTCR8  BIT(19)     /* LOCK may mean CR8 (AMD) */
/* Rows that need more than decoding before exec may run. */
#define OPF_CHECKED (OPF_NO64 | OPF_PRIV | OPF_MEM | OPF_PROT | OPF_SSE | OPF_MMX)

struct opcode {
	insn_exec exec;                 /* NULL: not emulated */
	const struct opcode *rows;      /* OPF_GROUP: 8, OPF_BYPFX: 4 */
	uint32_t flags;
	uint8_t dst, src;               /* enum opd */
	uint8_t imm;                    /* enum imm */
	uint8_t sub;                    /* which of the instructions that share exec */
};

struct insn {
	const struct opcode *op;
	uint64_t next_rip;
	uint64_t imm;                   /* sign-extended as its form says */
	uint64_t ea;                    /* memory operand: offset in mem_seg */
	uint64_t old;                   /* operand_rmw(): what the destination held */
	uint16_t imm2;                  /* selector of a far pointer, level of ENTER */
	uint8_t mode;                   /* enum insn_mode */
	uint8_t code_size;              /* 2, 4, 8 */
	uint8_t op_size;                /* 2, 4, 8 by prefixes and mode */
	uint8_t size;                   /* op_size, or 1 for the byte forms */
	uint8_t addr_size;              /* 2, 4, 8 */
	uint8_t opcode;                 /* last opcode byte */
	uint8_t rex;                    /* 0, or 40h..4Fh; VEX fields are folded in */
	uint8_t rep;                    /* 0, F2h or F3h: the last one */
	uint8_t modrm, reg, rm;         /* reg and rm with REX bits */
	uint8_t mem_seg;                /* of the memory operand */
	uint8_t seg_prefix;             /* enum emul_seg, SEG_COUNT: none */
	uint8_t vvvv;
	bool opsize_prefix, lock, mem;  /* mem: r/m is memory */
	bool rip_relative, base_rsp;
	bool vex, vex_l;
	struct insn_evex {
		uint8_t form;           /* of exec_evex.c's table */
		uint8_t reg_high;       /* 16 or 0: of the register operand */
		uint8_t length, mask;   /* 16 << length bytes; mask register, 0: none */
		uint8_t disp_shift;     /* what an 8-bit displacement is counted in */
		bool zero, broadcast;
	} evex;                         /* all zero when there is no such prefix */
	uint8_t pos, avail;             /* instruction bytes used and at hand */
	const uint8_t *bytes;           /* ctxt->insn or buf */
	uint8_t buf[16];
};

/* --- optable.c: data only --- */
extern const struct opcode optable_one[256], optable_two[256];
/* Rows of the 0F 38 and 0F 3A maps; never NULL. */
const struct opcode *optable_three(uint8_t map, uint8_t opcode);

/* --- decode.c --- */
enum emul_result decode_insn(struct emul_ctxt *c, struct insn *i);
enum insn_mode decode_mode(const struct emul_ctxt *c);

/* --- faults: fill ctxt->fault and return EMUL_FAULT --- */
static inline enum emul_result insn_fault(struct emul_ctxt *c, uint8_t vector)
{
	bool has_error = vector >= VEC_TS && vector <= VEC_PF;

	c->fault = (struct emul_fault){ .vector = vector, .has_error = has_error };
	return EMUL_FAULT;
}

/* --- operand.c --- */
static inline uint64_t operand_mask(unsigned int size)
{
	return ~0ull >> (64 - 8 * size);
}

static inline uint64_t operand_sign_extend(uint64_t v, unsigned int size)
{
	unsigned int shift = 64 - 8 * size;

	return (uint64_t)((int64_t)(v << shift) >> shift);
}

/* Read a general register; AH..BH are 4..7 of the byte registers when there is no REX prefix. */
static inline uint64_t operand_reg(const struct emul_ctxt *c, const struct insn *i, unsigned int n,
				   unsigned int size)
{
	if (size == 1 && n >= 4 && n < 8 && !i->rex) {
		return c->gpr[n - 4] >> 8 & 0xff;
	}
	return c->gpr[n] & operand_mask(size);
}

/* Replace the low 2 bytes, or all with zero-extension for 4, or all: what writes to a register do. */
static inline void operand_gpr_write(struct emul_ctxt *c, unsigned int n, uint64_t v,
				     unsigned int size)
{
	if (size >= 4) {
		c->gpr[n] = v & operand_mask(size);
	} else {
		c->gpr[n] = (c->gpr[n] & ~operand_mask(size)) | (v & operand_mask(size));
	}
}

static inline void operand_set_reg(struct emul_ctxt *c, const struct insn *i, unsigned int n,
				   uint64_t v, unsigned int size)
{
	if (size == 1 && n >= 4 && n < 8 && !i->rex) {
		c->gpr[n - 4] = (c->gpr[n - 4] & ~0xff00ull) | (v & 0xff) << 8;
	} else {
		operand_gpr_write(c, n, v, size);
	}
}

/* Segment, limit, type and canonical checks for size bytes at seg:offset; *linear is the address. */
enum emul_result operand_linear(struct emul_ctxt *c, const struct insn *i, unsigned int seg,
				uint64_t offset, unsigned int size, bool write, uint64_t *linear);
/* Is the memory operand not at a multiple of size, a power of two? Needs no other check before it. */
bool operand_misaligned(struct emul_ctxt *c, const struct insn *i, unsigned int size);
/* How many elements of a string, at most count, pass those checks in one run. */
uint64_t operand_span(struct emul_ctxt *c, const struct insn *i, unsigned int seg, uint64_t offset,
		      unsigned int size, bool write, bool down, uint64_t count);
enum emul_result operand_mem_read(struct emul_ctxt *c, const struct insn *i, unsigned int seg,
				  uint64_t offset, void *buf, unsigned int size);
enum emul_result operand_mem_write(struct emul_ctxt *c, const struct insn *i, unsigned int seg,
				   uint64_t offset, const void *buf, unsigned int size);
/* Read or write an operand of the row (enum opd) as a zero-extended number of 1, 2, 4 or 8 bytes. */
enum emul_result operand_load(struct emul_ctxt *c, const struct insn *i, unsigned int opd,
			      unsigned int size, uint64_t *v);
enum emul_result operand_store(struct emul_ctxt *c, const struct insn *i, unsigned int opd,
			       unsigned int size, uint64_t v);

/* Computes a new value from the destination's and changes *rflags as the instruction does. */
typedef uint64_t (*operand_fn)(const struct insn *i, uint64_t dst, uint64_t src, uint64_t *rflags);

/* dst = fn(dst, src), locked when the instruction is; RFLAGS committed; i->old holds the old value. */
enum emul_result operand_rmw(struct emul_ctxt *c, struct insn *i, operand_fn fn, uint64_t src);
/* The value pushed is size bytes; *rsp_out is RSP after it, to be committed by operand_set_rsp(). */
enum emul_result operand_push(struct emul_ctxt *c, const struct insn *i, uint64_t *rsp, uint64_t v,
			      unsigned int size);
enum emul_result operand_pop(struct emul_ctxt *c, const struct insn *i, uint64_t *rsp, uint64_t *v,
			     unsigned int size);
/* Width of the stack pointer: 2, 4, 8. */
unsigned int operand_stack_size(struct emul_ctxt *c, const struct insn *i);
void operand_set_rsp(struct emul_ctxt *c, const struct insn *i, uint64_t rsp);
/* Load a segment register in any mode. */
enum emul_result operand_load_seg(struct emul_ctxt *c, const struct insn *i, unsigned int seg,
				  uint16_t sel);
/* Is this a linear address that the paging mode can hold? */
bool operand_canonical(const struct emul_ctxt *c, uint64_t linear);

/* --- flags.c: results and flags of the arithmetic --- */
uint64_t flags_add(uint64_t a, uint64_t b, bool carry, unsigned int size, uint64_t *rflags);
uint64_t flags_sub(uint64_t a, uint64_t b, bool borrow, unsigned int size, uint64_t *rflags);
uint64_t flags_logic(uint64_t r, unsigned int size, uint64_t *rflags);
/* SF, ZF, PF of a result. */
uint64_t flags_szp(uint64_t r, unsigned int size);
/* Does condition cc (low four bits of Jcc, SETcc, CMOVcc) hold? */
bool flags_condition(uint64_t rflags, unsigned int cc);

/* --- exec_*.c: rows of the tables point here; sub says which --- */
enum { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP };
enum { UNARY_NOT, UNARY_NEG, UNARY_INC, UNARY_DEC };
enum { MUL_MUL, MUL_IMUL, MUL_DIV, MUL_IDIV };
enum { SHIFT_ROL, SHIFT_ROR, SHIFT_RCL, SHIFT_RCR, SHIFT_SHL, SHIFT_SHR, SHIFT_SAL, SHIFT_SAR };
enum { BIT_TEST, BIT_SET, BIT_RESET, BIT_COMPLEMENT };
enum { SCAN_BSF, SCAN_BSR };
enum { STR_MOVS, STR_STOS, STR_LODS, STR_CMPS, STR_SCAS, STR_INS, STR_OUTS };
enum { FLOW_LOOPNE, FLOW_LOOPE, FLOW_LOOP, FLOW_JCXZ };
enum { FLAGOP_CLC, FLAGOP_STC, FLAGOP_CMC, FLAGOP_CLD, FLAGOP_STD };
enum {
	SIMD_LOAD_U, SIMD_STORE_U, SIMD_LOAD_A, SIMD_STORE_A, SIMD_LOAD_SS, SIMD_LOAD_SD,
	SIMD_STORE_SS, SIMD_STORE_SD, SIMD_LOAD_LOW, SIMD_STORE_LOW, SIMD_LOAD_HIGH,
	SIMD_STORE_HIGH, SIMD_FROM_GPR, SIMD_TO_GPR, SIMD_LOAD_Q, SIMD_STORE_Q, SIMD_MMX_FROM_GPR,
	SIMD_MMX_TO_GPR, SIMD_MMX_LOAD, SIMD_MMX_STORE, SIMD_COUNT
};
enum { MOVX_ZERO, MOVX_SIGN };          /* plus the source's size, shifted left by one */

enum emul_result exec_move_mov(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_move_movx(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_move_movbe(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_move_lea(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_move_xchg(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_move_push(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_move_pop(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_move_pusha(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_move_popa(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_move_enter(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_move_leave(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_move_from_seg(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_move_to_seg(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_move_push_seg(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_move_pop_seg(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_move_load_far(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_move_cmov(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_move_setcc(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_move_bswap(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_move_cbw(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_move_cwd(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_move_xlat(struct emul_ctxt *c, struct insn *i);

enum emul_result exec_alu_binary(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_alu_test(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_alu_unary(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_alu_muldiv(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_alu_imul(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_alu_xadd(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_alu_cmpxchg(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_alu_cmpxchg8b(struct emul_ctxt *c, struct insn *i);

enum emul_result exec_bits_shift(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_bits_shift_double(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_bits_test(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_bits_scan(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_bits_popcnt(struct emul_ctxt *c, struct insn *i);

enum emul_result exec_string(struct emul_ctxt *c, struct insn *i);

enum emul_result exec_flow_jmp(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_flow_jcc(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_flow_loop(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_flow_call(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_flow_ret(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_flow_jmp_far(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_flow_call_far(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_flow_ret_far(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_flow_iret(struct emul_ctxt *c, struct insn *i);

enum emul_result exec_sys_nop(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_sys_touch(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_sys_hlt(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_sys_flag(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_sys_cli_sti(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_sys_pushf(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_sys_popf(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_sys_lahf(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_sys_sahf(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_sys_in(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_sys_out(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_sys_mov_cr(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_sys_mov_dr(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_sys_clts(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_sys_group7(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_sys_rdmsr(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_sys_wrmsr(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_sys_rdtsc(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_sys_cpuid(struct emul_ctxt *c, struct insn *i);
/* May this program use size ports from port on? EMUL_OK, or the fault. */
enum emul_result exec_sys_io_check(struct emul_ctxt *c, const struct insn *i, uint16_t port,
				   unsigned int size);
/* RFLAGS after POPF or IRET of size bytes at this privilege. */
uint64_t exec_sys_new_flags(const struct emul_ctxt *c, uint64_t v, unsigned int size);

enum emul_result exec_desc_table(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_desc_system(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_x87(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_simd_move(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_simd_movnti(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_evex(struct emul_ctxt *c, struct insn *i);
enum emul_result exec_evex_transfer(struct emul_ctxt *c, const struct insn *i, uint8_t *v, uint64_t mask,
				    unsigned int element, unsigned int count, bool store);
enum { LANES_0F, LANES_0F38, LANES_0F3A };
enum emul_result exec_lanes(struct emul_ctxt *c, struct insn *i);
const struct opcode *exec_evex_row(struct insn *i, uint8_t map);

#endif
