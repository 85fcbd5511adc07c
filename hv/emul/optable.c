/*
 * The opcode maps: data only. A row without exec is decoded for its length but not emulated; a row
 * of zeros is not known at all. Everything not listed stays out: the emulator is a whitelist.
 *
 * Intel SDM volume 2, "Opcode Map"; AMD APM volume 3, "Opcode and Operand Encodings".
 */
#include "emul/insn.h"

#define K   OPF_KNOWN
#define M   (OPF_KNOWN | OPF_MODRM)
#define B   OPF_BYTE
#define L   OPF_LOCK

/* Rows that are only measured. */
#define LEN_PLAIN      { .flags = K }
#define LEN_MODRM      { .flags = M }
#define LEN_MODRM_IMM8 { .flags = M, .imm = IMM_8 }
#define GROUP(table)   { .rows = (table), .flags = M | OPF_GROUP }
#define BYPFX(table)   { .rows = (table), .flags = M | OPF_BYPFX }

/* The six forms of ADD and its seven siblings. */
#define ROWS_ALU(base, op, lock)                                                                  \
	[(base) + 0] = { exec_alu_binary, .flags = M | B | (lock), .dst = OPD_RM, .src = OPD_REG, \
			 .sub = (op) },                                                           \
	[(base) + 1] = { exec_alu_binary, .flags = M | (lock), .dst = OPD_RM, .src = OPD_REG,     \
			 .sub = (op) },                                                           \
	[(base) + 2] = { exec_alu_binary, .flags = M | B, .dst = OPD_REG, .src = OPD_RM,          \
			 .sub = (op) },                                                           \
	[(base) + 3] = { exec_alu_binary, .flags = M, .dst = OPD_REG, .src = OPD_RM,              \
			 .sub = (op) },                                                           \
	[(base) + 4] = { exec_alu_binary, .flags = K | B, .dst = OPD_ACC, .src = OPD_IMM,         \
			 .imm = IMM_8, .sub = (op) },                                             \
	[(base) + 5] = { exec_alu_binary, .flags = K, .dst = OPD_ACC, .src = OPD_IMM,             \
			 .imm = IMM_Z, .sub = (op) }

#define ROW_ALU_IMM(op, fl, im) \
	{ exec_alu_binary, .flags = M | (fl), .dst = OPD_RM, .src = OPD_IMM, .imm = (im), \
	  .sub = (op) }
#define ROWS_ALU_IMM(fl, im)                                                                      \
	ROW_ALU_IMM(ALU_ADD, (fl) | L, im), ROW_ALU_IMM(ALU_OR, (fl) | L, im),                    \
	ROW_ALU_IMM(ALU_ADC, (fl) | L, im), ROW_ALU_IMM(ALU_SBB, (fl) | L, im),                   \
	ROW_ALU_IMM(ALU_AND, (fl) | L, im), ROW_ALU_IMM(ALU_SUB, (fl) | L, im),                   \
	ROW_ALU_IMM(ALU_XOR, (fl) | L, im), ROW_ALU_IMM(ALU_CMP, fl, im)

static const struct opcode group1_byte[8] = { ROWS_ALU_IMM(B, IMM_8) };
static const struct opcode group1_z[8] = { ROWS_ALU_IMM(0, IMM_Z) };
static const struct opcode group1_8[8] = { ROWS_ALU_IMM(0, IMM_8) };
static const struct opcode group1_byte_no64[8] = { ROWS_ALU_IMM(B | OPF_NO64, IMM_8) };

static const struct opcode group1a[8] = {
	[0] = { exec_move_pop, .flags = M | OPF_D64 | OPF_POPRM, .dst = OPD_RM },
};

#define ROW_SHIFT(op, fl, from, im) \
	{ exec_bits_shift, .flags = M | (fl), .dst = OPD_RM, .src = (from), .imm = (im), .sub = (op) }
#define ROWS_SHIFT(fl, from, im)                                                                  \
	ROW_SHIFT(SHIFT_ROL, fl, from, im), ROW_SHIFT(SHIFT_ROR, fl, from, im),                   \
	ROW_SHIFT(SHIFT_RCL, fl, from, im), ROW_SHIFT(SHIFT_RCR, fl, from, im),                   \
	ROW_SHIFT(SHIFT_SHL, fl, from, im), ROW_SHIFT(SHIFT_SHR, fl, from, im),                   \
	ROW_SHIFT(SHIFT_SAL, fl, from, im), ROW_SHIFT(SHIFT_SAR, fl, from, im)

static const struct opcode group2_byte_imm[8] = { ROWS_SHIFT(B, OPD_IMM, IMM_8) };
static const struct opcode group2_imm[8] = { ROWS_SHIFT(0, OPD_IMM, IMM_8) };
static const struct opcode group2_byte_one[8] = { ROWS_SHIFT(B, OPD_ONE, IMM_NONE) };
static const struct opcode group2_one[8] = { ROWS_SHIFT(0, OPD_ONE, IMM_NONE) };
static const struct opcode group2_byte_cl[8] = { ROWS_SHIFT(B, OPD_CL, IMM_NONE) };
static const struct opcode group2_cl[8] = { ROWS_SHIFT(0, OPD_CL, IMM_NONE) };

#define ROWS_GROUP3(fl, im)                                                                       \
	[0] = { exec_alu_test, .flags = M | (fl), .dst = OPD_RM, .src = OPD_IMM, .imm = (im) },   \
	[1] = { exec_alu_test, .flags = M | (fl), .dst = OPD_RM, .src = OPD_IMM, .imm = (im) },   \
	[2] = { exec_alu_unary, .flags = M | L | (fl), .dst = OPD_RM, .sub = UNARY_NOT },         \
	[3] = { exec_alu_unary, .flags = M | L | (fl), .dst = OPD_RM, .sub = UNARY_NEG },         \
	[4] = { exec_alu_muldiv, .flags = M | (fl), .src = OPD_RM, .sub = MUL_MUL },              \
	[5] = { exec_alu_muldiv, .flags = M | (fl), .src = OPD_RM, .sub = MUL_IMUL },             \
	[6] = { exec_alu_muldiv, .flags = M | (fl), .src = OPD_RM, .sub = MUL_DIV },              \
	[7] = { exec_alu_muldiv, .flags = M | (fl), .src = OPD_RM, .sub = MUL_IDIV }

static const struct opcode group3_byte[8] = { ROWS_GROUP3(B, IMM_8) };
static const struct opcode group3[8] = { ROWS_GROUP3(0, IMM_Z) };

static const struct opcode group4[8] = {
	[0] = { exec_alu_unary, .flags = M | B | L, .dst = OPD_RM, .sub = UNARY_INC },
	[1] = { exec_alu_unary, .flags = M | B | L, .dst = OPD_RM, .sub = UNARY_DEC },
};

static const struct opcode group5[8] = {
	[0] = { exec_alu_unary, .flags = M | L, .dst = OPD_RM, .sub = UNARY_INC },
	[1] = { exec_alu_unary, .flags = M | L, .dst = OPD_RM, .sub = UNARY_DEC },
	[2] = { exec_flow_call, .flags = M | OPF_BRANCH, .src = OPD_RM },
	[3] = { exec_flow_call_far, .flags = M | OPF_MEM, .src = OPD_RM },
	[4] = { exec_flow_jmp, .flags = M | OPF_BRANCH, .src = OPD_RM },
	[5] = { exec_flow_jmp_far, .flags = M | OPF_MEM, .src = OPD_RM },
	[6] = { exec_move_push, .flags = M | OPF_D64, .src = OPD_RM },
};

static const struct opcode group11_byte[8] = {
	[0] = { exec_move_mov, .flags = M | B, .dst = OPD_RM, .src = OPD_IMM, .imm = IMM_8 },
};
static const struct opcode group11[8] = {
	[0] = { exec_move_mov, .flags = M, .dst = OPD_RM, .src = OPD_IMM, .imm = IMM_Z },
};

#define ROW_STR(op, fl) { exec_string, .flags = K | (fl), .sub = (op) }
#define ROW_PUSH_SEG(s) { exec_move_push_seg, .flags = K | OPF_D64 | OPF_NO64, .sub = (s) }
#define ROW_POP_SEG(s)  { exec_move_pop_seg, .flags = K | OPF_D64 | OPF_NO64, .sub = (s) }

const struct opcode optable_one[256] = {
	ROWS_ALU(0x00, ALU_ADD, L),
	[0x06] = ROW_PUSH_SEG(SEG_ES),
	[0x07] = ROW_POP_SEG(SEG_ES),
	ROWS_ALU(0x08, ALU_OR, L),
	[0x0e] = ROW_PUSH_SEG(SEG_CS),
	ROWS_ALU(0x10, ALU_ADC, L),
	[0x16] = ROW_PUSH_SEG(SEG_SS),
	[0x17] = ROW_POP_SEG(SEG_SS),
	ROWS_ALU(0x18, ALU_SBB, L),
	[0x1e] = ROW_PUSH_SEG(SEG_DS),
	[0x1f] = ROW_POP_SEG(SEG_DS),
	ROWS_ALU(0x20, ALU_AND, L),
	[0x27] = LEN_PLAIN,
	ROWS_ALU(0x28, ALU_SUB, L),
	[0x2f] = LEN_PLAIN,
	ROWS_ALU(0x30, ALU_XOR, L),
	[0x37] = LEN_PLAIN,
	ROWS_ALU(0x38, ALU_CMP, 0),
	[0x3f] = LEN_PLAIN,
	[0x40 ... 0x47] = { exec_alu_unary, .flags = K, .dst = OPD_OPREG, .sub = UNARY_INC },
	[0x48 ... 0x4f] = { exec_alu_unary, .flags = K, .dst = OPD_OPREG, .sub = UNARY_DEC },
	[0x50 ... 0x57] = { exec_move_push, .flags = K | OPF_D64, .src = OPD_OPREG },
	[0x58 ... 0x5f] = { exec_move_pop, .flags = K | OPF_D64, .dst = OPD_OPREG },
	[0x60] = { exec_move_pusha, .flags = K | OPF_NO64 },
	[0x61] = { exec_move_popa, .flags = K | OPF_NO64 },
	[0x63] = { exec_move_movx, .flags = M, .dst = OPD_REG, .sub = 4 << 1 | MOVX_SIGN },
	[0x68] = { exec_move_push, .flags = K | OPF_D64, .src = OPD_IMM, .imm = IMM_Z },
	[0x69] = { exec_alu_imul, .flags = M, .dst = OPD_REG, .src = OPD_IMM, .imm = IMM_Z },
	[0x6a] = { exec_move_push, .flags = K | OPF_D64, .src = OPD_IMM, .imm = IMM_8 },
	[0x6b] = { exec_alu_imul, .flags = M, .dst = OPD_REG, .src = OPD_IMM, .imm = IMM_8 },
	[0x6c] = ROW_STR(STR_INS, B),
	[0x6d] = ROW_STR(STR_INS, 0),
	[0x6e] = ROW_STR(STR_OUTS, B),
	[0x6f] = ROW_STR(STR_OUTS, 0),
	[0x70 ... 0x7f] = { exec_flow_jcc, .flags = K | OPF_BRANCH, .imm = IMM_8 },
	[0x80] = GROUP(group1_byte),
	[0x81] = GROUP(group1_z),
	[0x82] = GROUP(group1_byte_no64),
	[0x83] = GROUP(group1_8),
	[0x84] = { exec_alu_test, .flags = M | B, .dst = OPD_RM, .src = OPD_REG },
	[0x85] = { exec_alu_test, .flags = M, .dst = OPD_RM, .src = OPD_REG },
	[0x86] = { exec_move_xchg, .flags = M | B | L, .dst = OPD_RM, .src = OPD_REG },
	[0x87] = { exec_move_xchg, .flags = M | L, .dst = OPD_RM, .src = OPD_REG },
	[0x88] = { exec_move_mov, .flags = M | B, .dst = OPD_RM, .src = OPD_REG },
	[0x89] = { exec_move_mov, .flags = M, .dst = OPD_RM, .src = OPD_REG },
	[0x8a] = { exec_move_mov, .flags = M | B, .dst = OPD_REG, .src = OPD_RM },
	[0x8b] = { exec_move_mov, .flags = M, .dst = OPD_REG, .src = OPD_RM },
	[0x8c] = { exec_move_from_seg, .flags = M, .dst = OPD_RM },
	[0x8d] = { exec_move_lea, .flags = M | OPF_MEM, .dst = OPD_REG },
	[0x8e] = { exec_move_to_seg, .flags = M, .src = OPD_RM },
	[0x8f] = GROUP(group1a),
	[0x90] = { exec_move_xchg, .flags = K, .dst = OPD_OPREG, .src = OPD_ACC },
	[0x91 ... 0x97] = { exec_move_xchg, .flags = K, .dst = OPD_OPREG, .src = OPD_ACC },
	[0x98] = { exec_move_cbw, .flags = K },
	[0x99] = { exec_move_cwd, .flags = K },
	[0x9a] = { exec_flow_call_far, .flags = K | OPF_NO64, .src = OPD_IMM, .imm = IMM_FAR },
	[0x9b] = LEN_PLAIN,
	[0x9c] = { exec_sys_pushf, .flags = K | OPF_D64 },
	[0x9d] = { exec_sys_popf, .flags = K | OPF_D64 },
	[0x9e] = { exec_sys_sahf, .flags = K },
	[0x9f] = { exec_sys_lahf, .flags = K },
	[0xa0] = { exec_move_mov, .flags = K | B, .dst = OPD_ACC, .src = OPD_RM, .imm = IMM_ADDR },
	[0xa1] = { exec_move_mov, .flags = K, .dst = OPD_ACC, .src = OPD_RM, .imm = IMM_ADDR },
	[0xa2] = { exec_move_mov, .flags = K | B, .dst = OPD_RM, .src = OPD_ACC, .imm = IMM_ADDR },
	[0xa3] = { exec_move_mov, .flags = K, .dst = OPD_RM, .src = OPD_ACC, .imm = IMM_ADDR },
	[0xa4] = ROW_STR(STR_MOVS, B),
	[0xa5] = ROW_STR(STR_MOVS, 0),
	[0xa6] = ROW_STR(STR_CMPS, B),
	[0xa7] = ROW_STR(STR_CMPS, 0),
	[0xa8] = { exec_alu_test, .flags = K | B, .dst = OPD_ACC, .src = OPD_IMM, .imm = IMM_8 },
	[0xa9] = { exec_alu_test, .flags = K, .dst = OPD_ACC, .src = OPD_IMM, .imm = IMM_Z },
	[0xaa] = ROW_STR(STR_STOS, B),
	[0xab] = ROW_STR(STR_STOS, 0),
	[0xac] = ROW_STR(STR_LODS, B),
	[0xad] = ROW_STR(STR_LODS, 0),
	[0xae] = ROW_STR(STR_SCAS, B),
	[0xaf] = ROW_STR(STR_SCAS, 0),
	[0xb0 ... 0xb7] = { exec_move_mov, .flags = K | B, .dst = OPD_OPREG, .src = OPD_IMM,
			    .imm = IMM_8 },
	[0xb8 ... 0xbf] = { exec_move_mov, .flags = K, .dst = OPD_OPREG, .src = OPD_IMM,
			    .imm = IMM_V },
	[0xc0] = GROUP(group2_byte_imm),
	[0xc1] = GROUP(group2_imm),
	[0xc2] = { exec_flow_ret, .flags = K | OPF_BRANCH, .imm = IMM_16 },
	[0xc3] = { exec_flow_ret, .flags = K | OPF_BRANCH },
	[0xc4] = { exec_move_load_far, .flags = M | OPF_MEM | OPF_NO64, .sub = SEG_ES },
	[0xc5] = { exec_move_load_far, .flags = M | OPF_MEM | OPF_NO64, .sub = SEG_DS },
	[0xc6] = GROUP(group11_byte),
	[0xc7] = GROUP(group11),
	[0xc8] = { exec_move_enter, .flags = K | OPF_D64, .imm = IMM_ENTER },
	[0xc9] = { exec_move_leave, .flags = K | OPF_D64 },
	[0xca] = { exec_flow_ret_far, .flags = K, .imm = IMM_16 },
	[0xcb] = { exec_flow_ret_far, .flags = K },
	[0xcc] = LEN_PLAIN,
	[0xcd] = { .flags = K, .imm = IMM_8 },
	[0xce] = LEN_PLAIN,
	[0xcf] = { exec_flow_iret, .flags = K },
	[0xd0] = GROUP(group2_byte_one),
	[0xd1] = GROUP(group2_one),
	[0xd2] = GROUP(group2_byte_cl),
	[0xd3] = GROUP(group2_cl),
	[0xd4 ... 0xd5] = { .flags = K, .imm = IMM_8 },
	[0xd7] = { exec_move_xlat, .flags = K | B },
	[0xd8 ... 0xdf] = { exec_x87, .flags = M },
	[0xe0] = { exec_flow_loop, .flags = K | OPF_BRANCH, .imm = IMM_8, .sub = FLOW_LOOPNE },
	[0xe1] = { exec_flow_loop, .flags = K | OPF_BRANCH, .imm = IMM_8, .sub = FLOW_LOOPE },
	[0xe2] = { exec_flow_loop, .flags = K | OPF_BRANCH, .imm = IMM_8, .sub = FLOW_LOOP },
	[0xe3] = { exec_flow_loop, .flags = K | OPF_BRANCH, .imm = IMM_8, .sub = FLOW_JCXZ },
	[0xe4] = { exec_sys_in, .flags = K | B, .src = OPD_IMM, .imm = IMM_8 },
	[0xe5] = { exec_sys_in, .flags = K, .src = OPD_IMM, .imm = IMM_8 },
	[0xe6] = { exec_sys_out, .flags = K | B, .src = OPD_IMM, .imm = IMM_8 },
	[0xe7] = { exec_sys_out, .flags = K, .src = OPD_IMM, .imm = IMM_8 },
	[0xe8] = { exec_flow_call, .flags = K | OPF_BRANCH, .src = OPD_IMM, .imm = IMM_Z },
	[0xe9] = { exec_flow_jmp, .flags = K | OPF_BRANCH, .src = OPD_IMM, .imm = IMM_Z },
	[0xea] = { exec_flow_jmp_far, .flags = K | OPF_NO64, .src = OPD_IMM, .imm = IMM_FAR },
	[0xeb] = { exec_flow_jmp, .flags = K | OPF_BRANCH, .src = OPD_IMM, .imm = IMM_8 },
	[0xec] = { exec_sys_in, .flags = K | B },
	[0xed] = { exec_sys_in, .flags = K },
	[0xee] = { exec_sys_out, .flags = K | B },
	[0xef] = { exec_sys_out, .flags = K },
	[0xf1] = LEN_PLAIN,
	[0xf4] = { exec_sys_hlt, .flags = K | OPF_PRIV },
	[0xf5] = { exec_sys_flag, .flags = K, .sub = FLAGOP_CMC },
	[0xf6] = GROUP(group3_byte),
	[0xf7] = GROUP(group3),
	[0xf8] = { exec_sys_flag, .flags = K, .sub = FLAGOP_CLC },
	[0xf9] = { exec_sys_flag, .flags = K, .sub = FLAGOP_STC },
	[0xfa] = { exec_sys_cli_sti, .flags = K },
	[0xfb] = { exec_sys_cli_sti, .flags = K },
	[0xfc] = { exec_sys_flag, .flags = K, .sub = FLAGOP_CLD },
	[0xfd] = { exec_sys_flag, .flags = K, .sub = FLAGOP_STD },
	[0xfe] = GROUP(group4),
	[0xff] = GROUP(group5),
};

/* sub: bit 0 the IDT or the task register, bit 1 a load. */
static const struct opcode group6[8] = {
	[0] = { exec_desc_system, .flags = M | OPF_PROT, .dst = OPD_RM, .sub = 0 },
	[1] = { exec_desc_system, .flags = M | OPF_PROT, .dst = OPD_RM, .sub = 1 },
	[2] = { exec_desc_system, .flags = M | OPF_PROT, .src = OPD_RM, .sub = 2 },
	[3] = { exec_desc_system, .flags = M | OPF_PROT, .src = OPD_RM, .sub = 3 },
	[4 ... 5] = LEN_MODRM,
};

/* The register forms of 0..3 are other instructions, which nobody needs emulated. */
static const struct opcode group7[8] = {
	[0] = { exec_desc_table, .flags = M, .sub = 0 },
	[1] = { exec_desc_table, .flags = M, .sub = 1 },
	[2] = { exec_desc_table, .flags = M, .sub = 2 },
	[3] = { exec_desc_table, .flags = M, .sub = 3 },
	[4] = { exec_sys_group7, .flags = M, .dst = OPD_RM, .sub = 4 },
	[6] = { exec_sys_group7, .flags = M | OPF_PRIV, .src = OPD_RM, .sub = 6 },
	[5] = LEN_MODRM,
	[7] = { exec_sys_group7, .flags = M, .sub = 7 },
};

#define ROW_BT(op, lock, from, im) \
	{ exec_bits_test, .flags = M | (lock), .dst = OPD_RM, .src = (from), .imm = (im), .sub = (op) }

static const struct opcode group8[8] = {
	[0 ... 3] = { .flags = 0 },
	[4] = ROW_BT(BIT_TEST, 0, OPD_IMM, IMM_8),
	[5] = ROW_BT(BIT_SET, L, OPD_IMM, IMM_8),
	[6] = ROW_BT(BIT_RESET, L, OPD_IMM, IMM_8),
	[7] = ROW_BT(BIT_COMPLEMENT, L, OPD_IMM, IMM_8),
};

static const struct opcode group9[8] = {
	[0] = { .flags = 0 },
	[1] = { exec_alu_cmpxchg8b, .flags = M | L | OPF_MEM, .dst = OPD_RM },
	[3 ... 7] = LEN_MODRM,
};

/* FXSAVE and its family are only measured; CLFLUSH and the fences have nothing to do. */
static const struct opcode group15_none[8] = {
	[0 ... 4] = LEN_MODRM,
	[5 ... 7] = { exec_sys_touch, .flags = M, .dst = OPD_RM, .sub = 1 },
};
static const struct opcode group15_rows[4] = {
	[0] = GROUP(group15_none),
	[1 ... 3] = LEN_MODRM,
};

static const struct opcode group16[8] = {
	[0 ... 7] = { exec_sys_nop, .flags = M },
};

/* Rows of SIMD moves: sub indexes the table of exec_simd.c and is named there by prefix and opcode. */
#define ROW_SSE(s, fl)  { exec_simd_move, .flags = M | OPF_SSE | (fl), .sub = (s) }
#define ROW_MMX(s, fl)  { exec_simd_move, .flags = M | OPF_MMX | (fl), .sub = (s) }
#define VX              OPF_VEX
#define V1              (OPF_VEX | OPF_VEX128)
#define V3              (OPF_VEX | OPF_VEX128 | OPF_VVVV)

static const struct opcode sse_10[4] = {
	ROW_SSE(SIMD_LOAD_U, VX), ROW_SSE(SIMD_LOAD_U, VX),
	{ exec_simd_move, .flags = M | OPF_SSE | VX | OPF_VVVV, .sub = SIMD_LOAD_SS },
	{ exec_simd_move, .flags = M | OPF_SSE | VX | OPF_VVVV, .sub = SIMD_LOAD_SD },
};
static const struct opcode sse_11[4] = {
	ROW_SSE(SIMD_STORE_U, VX), ROW_SSE(SIMD_STORE_U, VX),
	{ exec_simd_move, .flags = M | OPF_SSE | VX | OPF_VVVV, .sub = SIMD_STORE_SS },
	{ exec_simd_move, .flags = M | OPF_SSE | VX | OPF_VVVV, .sub = SIMD_STORE_SD },
};
static const struct opcode sse_12[4] = {
	ROW_SSE(SIMD_LOAD_LOW, V3), ROW_SSE(SIMD_LOAD_LOW, V3 | OPF_MEM), LEN_MODRM, LEN_MODRM,
};
static const struct opcode sse_13[4] = {
	ROW_SSE(SIMD_STORE_LOW, V1 | OPF_MEM), ROW_SSE(SIMD_STORE_LOW, V1 | OPF_MEM),
};
static const struct opcode sse_16[4] = {
	ROW_SSE(SIMD_LOAD_HIGH, V3), ROW_SSE(SIMD_LOAD_HIGH, V3 | OPF_MEM), LEN_MODRM, { .flags = 0 },
};
static const struct opcode sse_17[4] = {
	ROW_SSE(SIMD_STORE_HIGH, V1 | OPF_MEM), ROW_SSE(SIMD_STORE_HIGH, V1 | OPF_MEM),
};
static const struct opcode sse_28[4] = { ROW_SSE(SIMD_LOAD_A, VX), ROW_SSE(SIMD_LOAD_A, VX) };
static const struct opcode sse_29[4] = { ROW_SSE(SIMD_STORE_A, VX), ROW_SSE(SIMD_STORE_A, VX) };
static const struct opcode sse_2b[4] = {
	ROW_SSE(SIMD_STORE_A, VX | OPF_MEM), ROW_SSE(SIMD_STORE_A, VX | OPF_MEM),
};
static const struct opcode sse_6e[4] = {
	ROW_MMX(SIMD_MMX_FROM_GPR, 0), ROW_SSE(SIMD_FROM_GPR, V1),
};
static const struct opcode sse_6f[4] = {
	ROW_MMX(SIMD_MMX_LOAD, 0), ROW_SSE(SIMD_LOAD_A, VX), ROW_SSE(SIMD_LOAD_U, VX), { .flags = 0 },
};
static const struct opcode sse_7e[4] = {
	ROW_MMX(SIMD_MMX_TO_GPR, 0), ROW_SSE(SIMD_TO_GPR, V1), ROW_SSE(SIMD_LOAD_Q, V1),
	{ .flags = 0 },
};
static const struct opcode sse_7f[4] = {
	ROW_MMX(SIMD_MMX_STORE, 0), ROW_SSE(SIMD_STORE_A, VX), ROW_SSE(SIMD_STORE_U, VX),
	{ .flags = 0 },
};
#define ROW_LANES(s, im) { exec_lanes, .flags = M | OPF_SSE | VX | OPF_VVVV, .sub = (s), .imm = (im) }
static const struct opcode sse_c4[4] = {
	LEN_MODRM_IMM8, ROW_LANES(LANES_0F, IMM_8), LEN_MODRM_IMM8, LEN_MODRM_IMM8,
};
static const struct opcode sse_d6[4] = {
	{ .flags = 0 }, ROW_SSE(SIMD_STORE_Q, V1), LEN_MODRM, LEN_MODRM,
};
static const struct opcode sse_e7[4] = {
	ROW_MMX(SIMD_MMX_STORE, OPF_MEM), ROW_SSE(SIMD_STORE_A, VX | OPF_MEM), LEN_MODRM,
	{ .flags = 0 },
};
static const struct opcode sse_f0[4] = {
	[3] = ROW_SSE(SIMD_LOAD_U, VX | OPF_MEM),
};
/* The mandatory-prefix siblings of NOP, BSF and BSR are told apart by exec. */

#define ROW_SYS(fn, fl)       { fn, .flags = K | (fl) }
#define ROW_CR(fn, s, fl)     { fn, .flags = M | OPF_REGS | (fl), .sub = (s) }
#define ROW_MOVX(s, sz)       { exec_move_movx, .flags = M, .dst = OPD_REG, \
				.sub = (sz) << 1 | (s) }
#define ROW_SHD(right, from, im) \
	{ exec_bits_shift_double, .flags = M, .dst = OPD_RM, .src = (from), .imm = (im), \
	  .sub = (right) }

const struct opcode optable_two[256] = {
	[0x00] = GROUP(group6),
	[0x01] = GROUP(group7),
	[0x02 ... 0x03] = LEN_MODRM,
	[0x05] = LEN_PLAIN,
	[0x06] = ROW_SYS(exec_sys_clts, OPF_PRIV),
	[0x07 ... 0x09] = LEN_PLAIN,
	[0x0b] = LEN_PLAIN,
	[0x0d] = { exec_sys_nop, .flags = M },
	[0x0e] = LEN_PLAIN,
	[0x0f] = LEN_MODRM_IMM8,
	[0x10] = BYPFX(sse_10),
	[0x11] = BYPFX(sse_11),
	[0x12] = BYPFX(sse_12),
	[0x13] = BYPFX(sse_13),
	[0x14 ... 0x15] = LEN_MODRM,
	[0x16] = BYPFX(sse_16),
	[0x17] = BYPFX(sse_17),
	[0x18] = GROUP(group16),
	[0x19 ... 0x1d] = { exec_sys_nop, .flags = M },
	[0x1e ... 0x1f] = { exec_sys_nop, .flags = M },
	[0x20] = ROW_CR(exec_sys_mov_cr, 0, OPF_ALTCR8),
	[0x21] = ROW_CR(exec_sys_mov_dr, 0, 0),
	[0x22] = ROW_CR(exec_sys_mov_cr, 1, OPF_ALTCR8),
	[0x23] = ROW_CR(exec_sys_mov_dr, 1, 0),
	[0x28] = BYPFX(sse_28),
	[0x29] = BYPFX(sse_29),
	[0x2a] = LEN_MODRM,
	[0x2b] = BYPFX(sse_2b),
	[0x2c ... 0x2f] = LEN_MODRM,
	[0x30] = ROW_SYS(exec_sys_wrmsr, OPF_PRIV),
	[0x31] = ROW_SYS(exec_sys_rdtsc, 0),
	[0x32] = ROW_SYS(exec_sys_rdmsr, OPF_PRIV),
	[0x33 ... 0x35] = LEN_PLAIN,
	[0x37] = LEN_PLAIN,
	[0x40 ... 0x4f] = { exec_move_cmov, .flags = M, .dst = OPD_REG, .src = OPD_RM },
	[0x50 ... 0x6d] = LEN_MODRM,
	[0x6e] = BYPFX(sse_6e),
	[0x6f] = BYPFX(sse_6f),
	[0x70 ... 0x73] = LEN_MODRM_IMM8,
	[0x74 ... 0x76] = LEN_MODRM,
	[0x77] = LEN_PLAIN,
	[0x7c ... 0x7d] = LEN_MODRM,
	[0x7e] = BYPFX(sse_7e),
	[0x7f] = BYPFX(sse_7f),
	[0x80 ... 0x8f] = { exec_flow_jcc, .flags = K | OPF_BRANCH, .imm = IMM_Z },
	[0x90 ... 0x9f] = { exec_move_setcc, .flags = M | B, .dst = OPD_RM },
	[0xa0] = { exec_move_push_seg, .flags = K | OPF_D64, .sub = SEG_FS },
	[0xa1] = { exec_move_pop_seg, .flags = K | OPF_D64, .sub = SEG_FS },
	[0xa2] = ROW_SYS(exec_sys_cpuid, 0),
	[0xa3] = ROW_BT(BIT_TEST, 0, OPD_REG, IMM_NONE),
	[0xa4] = ROW_SHD(0, OPD_IMM, IMM_8),
	[0xa5] = ROW_SHD(0, OPD_CL, IMM_NONE),
	[0xa8] = { exec_move_push_seg, .flags = K | OPF_D64, .sub = SEG_GS },
	[0xa9] = { exec_move_pop_seg, .flags = K | OPF_D64, .sub = SEG_GS },
	[0xaa] = LEN_PLAIN,
	[0xab] = ROW_BT(BIT_SET, L, OPD_REG, IMM_NONE),
	[0xac] = ROW_SHD(1, OPD_IMM, IMM_8),
	[0xad] = ROW_SHD(1, OPD_CL, IMM_NONE),
	[0xae] = BYPFX(group15_rows),
	[0xaf] = { exec_alu_imul, .flags = M, .dst = OPD_REG, .src = OPD_REG },
	[0xb0] = { exec_alu_cmpxchg, .flags = M | B | L, .dst = OPD_RM, .src = OPD_REG },
	[0xb1] = { exec_alu_cmpxchg, .flags = M | L, .dst = OPD_RM, .src = OPD_REG },
	[0xb2] = { exec_move_load_far, .flags = M | OPF_MEM, .sub = SEG_SS },
	[0xb3] = ROW_BT(BIT_RESET, L, OPD_REG, IMM_NONE),
	[0xb4] = { exec_move_load_far, .flags = M | OPF_MEM, .sub = SEG_FS },
	[0xb5] = { exec_move_load_far, .flags = M | OPF_MEM, .sub = SEG_GS },
	[0xb6] = ROW_MOVX(MOVX_ZERO, 1),
	[0xb7] = ROW_MOVX(MOVX_ZERO, 2),
	[0xb8] = { exec_bits_popcnt, .flags = M, .dst = OPD_REG, .src = OPD_RM },
	[0xb9] = LEN_MODRM,
	[0xba] = GROUP(group8),
	[0xbb] = ROW_BT(BIT_COMPLEMENT, L, OPD_REG, IMM_NONE),
	[0xbc] = { exec_bits_scan, .flags = M, .dst = OPD_REG, .src = OPD_RM, .sub = SCAN_BSF },
	[0xbd] = { exec_bits_scan, .flags = M, .dst = OPD_REG, .src = OPD_RM, .sub = SCAN_BSR },
	[0xbe] = ROW_MOVX(MOVX_SIGN, 1),
	[0xbf] = ROW_MOVX(MOVX_SIGN, 2),
	[0xc0] = { exec_alu_xadd, .flags = M | B | L, .dst = OPD_RM, .src = OPD_REG },
	[0xc1] = { exec_alu_xadd, .flags = M | L, .dst = OPD_RM, .src = OPD_REG },
	[0xc2] = LEN_MODRM_IMM8,
	[0xc3] = { exec_simd_movnti, .flags = M | OPF_MEM, .dst = OPD_RM, .src = OPD_REG },
	[0xc4] = BYPFX(sse_c4),
	[0xc5 ... 0xc6] = LEN_MODRM_IMM8,
	[0xc7] = GROUP(group9),
	[0xc8 ... 0xcf] = { exec_move_bswap, .flags = K, .dst = OPD_OPREG },
	[0xd0 ... 0xd5] = LEN_MODRM,
	[0xd6] = BYPFX(sse_d6),
	[0xd7 ... 0xe6] = LEN_MODRM,
	[0xe7] = BYPFX(sse_e7),
	[0xe8 ... 0xef] = LEN_MODRM,
	[0xf0] = BYPFX(sse_f0),
	[0xf1 ... 0xff] = LEN_MODRM,
};

/* The 0F 38 and 0F 3A maps have one form each, and few rows that do something. */
static const struct opcode three_38 = LEN_MODRM;
static const struct opcode three_3a = LEN_MODRM_IMM8;
static const struct opcode lanes_38_rows[4] = {
	LEN_MODRM, ROW_LANES(LANES_0F38, IMM_NONE), LEN_MODRM, LEN_MODRM,
};
static const struct opcode lanes_38 = BYPFX(lanes_38_rows);
static const struct opcode lanes_3a_rows[4] = {
	LEN_MODRM_IMM8, ROW_LANES(LANES_0F3A, IMM_8), LEN_MODRM_IMM8, LEN_MODRM_IMM8,
};
static const struct opcode lanes_3a = BYPFX(lanes_3a_rows);
static const struct opcode three_2a_rows[4] = {
	LEN_MODRM, ROW_SSE(SIMD_LOAD_A, VX | OPF_MEM), LEN_MODRM, LEN_MODRM,
};
static const struct opcode three_2a = BYPFX(three_2a_rows);
/* MOVBE; with F2 these opcodes are CRC32. */
#define ROW_MOVBE(to, from) { exec_move_movbe, .flags = M | OPF_MEM, .dst = (to), .src = (from) }
static const struct opcode three_f0_rows[4] = {
	ROW_MOVBE(OPD_REG, OPD_RM), ROW_MOVBE(OPD_REG, OPD_RM), LEN_MODRM, LEN_MODRM,
};
static const struct opcode three_f1_rows[4] = {
	ROW_MOVBE(OPD_RM, OPD_REG), ROW_MOVBE(OPD_RM, OPD_REG), LEN_MODRM, LEN_MODRM,
};
static const struct opcode three_f0 = BYPFX(three_f0_rows);
static const struct opcode three_f1 = BYPFX(three_f1_rows);

const struct opcode *optable_three(uint8_t map, uint8_t opcode)
{
	if (map == 3) {
		bool lanes = (opcode >= 0x14 && opcode <= 0x22) || opcode == 0x38 || opcode == 0x39;
		return lanes ? &lanes_3a : &three_3a;
	}
	switch (opcode) {
	case 0x18 ... 0x1a:
	case 0x2c ... 0x2f:
	case 0x58 ... 0x5a:
	case 0x78 ... 0x79:
	case 0x8c:
	case 0x8e:
		return &lanes_38;
	case 0x2a:
		return &three_2a;
	case 0xf0:
		return &three_f0;
	case 0xf1:
		return &three_f1;
	default:
		return &three_38;
	}
}
