/*
 * The instruction emulator: MMIO, string I/O, and what exits without saying what it did.
 *
 * Pure: it sees registers in struct emul_ctxt and reaches memory, ports and the rest of the CPU only
 * through struct emul_ops. It changes ctxt only when the instruction (or an iteration of a REP
 * prefix) has completed. Intel SDM volume 2 and AMD APM volume 3 are followed.
 */
#ifndef EMUL_EMUL_H
#define EMUL_EMUL_H

#include <stdbool.h>
#include <stdint.h>

enum emul_seg { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, SEG_COUNT };

/* A segment register with its hidden part; attr is the VMCB form: type 3:0, S 4, DPL 6:5, P 7,
 * AVL 8, L 9, D/B 10, G 11. limit is in bytes, already scaled. */
struct emul_segment {
	uint16_t sel, attr;
	uint32_t limit;
	uint64_t base;
};

enum emul_gpr { GPR_RAX, GPR_RCX, GPR_RDX, GPR_RBX, GPR_RSP, GPR_RBP, GPR_RSI, GPR_RDI, GPR_R8,
	GPR_R9, GPR_R10, GPR_R11, GPR_R12, GPR_R13, GPR_R14, GPR_R15, GPR_COUNT };

enum emul_result {
	EMUL_OK,                /* done; ctxt holds the new state (a REP may have iterations left:
				   then rip still points at it) */
	EMUL_FAULT,             /* ctxt->fault is to be delivered; registers are as before it */
	EMUL_RETRY,             /* an op asked to go back to the guest; nothing was changed */
	EMUL_UNHANDLED,         /* not an instruction we emulate: the caller decides */
	EMUL_CRASH              /* an op says that the domain must die */
};

struct emul_fault {
	uint8_t vector;
	bool has_error;
	uint32_t error;
	uint64_t cr2;           /* #PF only */
};

struct emul_ctxt;

/* An x87 instruction with a memory operand (opcode D8h..DFh, ModRM.reg), for the processor to execute on buf. */
struct emul_x87 {
	uint8_t opcode, reg, size;
	bool wait;              /* an exception that waits to be reported comes first: #MF */
	bool try_only;          /* a store: fill buf, change nothing else */
	bool stored;            /* out, after a try: it does store (an unmasked exception prevents it) */
	uint64_t linear;        /* the operand's, for the last-data pointer */
	uint8_t *buf;
};

/* GDTR or IDTR. */
struct emul_table {
	uint64_t base;
	uint16_t limit;
};

/* Access types for read and write; they decide page permissions and fault error codes. */
enum emul_access { EMUL_ACC_DATA, EMUL_ACC_FETCH, EMUL_ACC_SYSTEM /* descriptor tables, TSS: CPL 0 */ };

/* Every op returns an enum emul_result; for EMUL_FAULT it has filled ctxt->fault. Linear addresses
 * are already segment-checked and canonical-checked; size is 1..64 and may cross a page. */
struct emul_ops {
	enum emul_result (*read)(struct emul_ctxt *c, uint64_t linear, void *buf, unsigned int size,
				 enum emul_access acc);
	enum emul_result (*write)(struct emul_ctxt *c, uint64_t linear, const void *buf,
				  unsigned int size, enum emul_access acc);
	/* Locked compare-and-exchange of 1..16 bytes: *ok tells whether old matched; when it did not,
	 * old is replaced by what was found. */
	enum emul_result (*cmpxchg)(struct emul_ctxt *c, uint64_t linear, void *old, const void *new,
				    unsigned int size, bool *ok);
	enum emul_result (*pio)(struct emul_ctxt *c, bool write, uint16_t port, unsigned int size,
				uint32_t *data);
	/* Bulk forms. *count is in elements: in, what is wanted; out, what was done (at least 1), or 0 when
	 * this must be done element by element. linear is the first element; down = DF set. May be NULL. */
	enum emul_result (*rep_pio)(struct emul_ctxt *c, bool write, uint16_t port, unsigned int size,
				    uint64_t linear, bool down, uint64_t *count);
	enum emul_result (*rep_movs)(struct emul_ctxt *c, uint64_t src, uint64_t dst,
				     unsigned int size, bool down, uint64_t *count);
	enum emul_result (*rep_stos)(struct emul_ctxt *c, uint64_t dst, uint64_t value,
				     unsigned int size, bool down, uint64_t *count);
	/* Control state that instructions other than plain data movement need; NULL: EMUL_UNHANDLED. */
	enum emul_result (*read_cr)(struct emul_ctxt *c, unsigned int cr, uint64_t *value);
	enum emul_result (*write_cr)(struct emul_ctxt *c, unsigned int cr, uint64_t value);
	enum emul_result (*read_dr)(struct emul_ctxt *c, unsigned int dr, uint64_t *value);
	enum emul_result (*write_dr)(struct emul_ctxt *c, unsigned int dr, uint64_t value);
	enum emul_result (*read_msr)(struct emul_ctxt *c, uint32_t msr, uint64_t *value);
	enum emul_result (*write_msr)(struct emul_ctxt *c, uint32_t msr, uint64_t value);
	enum emul_result (*cpuid)(struct emul_ctxt *c, uint32_t regs[4]);     /* eax ebx ecx edx;
				   in: leaf and subleaf in eax and ecx */
	enum emul_result (*invlpg)(struct emul_ctxt *c, uint64_t linear);
	/* Load a segment register with all protected-mode checks; on EMUL_OK c->seg[seg] is the new one.
	 * Not called in real and virtual-8086 mode, and never for SEG_CS. */
	enum emul_result (*load_seg)(struct emul_ctxt *c, enum emul_seg seg, uint16_t sel);
	/* The code segment that a far JMP to sel goes to, with all checks but the target's; CS itself is not touched. A gate
	 * or a task: EMUL_UNHANDLED. May be NULL, which is the same. */
	enum emul_result (*code_seg)(struct emul_ctxt *c, uint16_t sel, struct emul_segment *s);
	/* Descriptor-table registers (idt: IDTR, else GDTR); LDTR and TR (task): selector, and load with all checks.
	 * NULL: EMUL_UNHANDLED. */
	enum emul_result (*read_table)(struct emul_ctxt *c, bool idt, struct emul_table *t);
	enum emul_result (*write_table)(struct emul_ctxt *c, bool idt, const struct emul_table *t);
	enum emul_result (*read_system)(struct emul_ctxt *c, bool task, uint16_t *sel);
	enum emul_result (*load_system)(struct emul_ctxt *c, bool task, uint16_t sel);
	/* Fill c->seg[seg], or c->tr for SEG_COUNT: one of those that segs_missing names. */
	void (*fetch_seg)(struct emul_ctxt *c, unsigned int seg);
	/* Vector registers: 16 bytes of XMM n (a write leaves the rest of the register), 32 of YMM n or 64 of ZMM n (a
	 * write clears the rest); MMX n is 8 bytes. Mask register n. */
	enum emul_result (*read_vec)(struct emul_ctxt *c, unsigned int n, void *buf, unsigned int size);
	enum emul_result (*write_vec)(struct emul_ctxt *c, unsigned int n, const void *buf,
				      unsigned int size);
	enum emul_result (*read_mask)(struct emul_ctxt *c, unsigned int n, uint64_t *value);
	/* NULL: EMUL_UNHANDLED. */
	enum emul_result (*x87)(struct emul_ctxt *c, struct emul_x87 *x);
	/* Is an interrupt waiting, so that a REP should stop between iterations? */
	bool (*interrupt_pending)(struct emul_ctxt *c);
};

struct emul_ctxt {
	const struct emul_ops *ops;
	void *opaque;                           /* the caller's */

	/* in and out: the CPU's state */
	uint64_t gpr[GPR_COUNT];
	uint64_t rip, rflags;
	struct emul_segment seg[SEG_COUNT];
	struct emul_segment tr;                 /* in: for the I/O permission bitmap */
	uint8_t segs_missing;                   /* in: bit n: seg[n] (SEG_COUNT: tr) is fetched when it is needed; few
						   instructions need more than CS and one other */
	uint64_t cr0, cr4, efer;                /* in */
	uint8_t cpl;                            /* in */

	/* in: instruction bytes already known (0: fetch them) */
	uint8_t insn[16];
	uint8_t insn_len;

	/* out */
	struct emul_fault fault;                /* valid with EMUL_FAULT */
	bool shadow_sti, shadow_ss;             /* the instruction opened an interrupt shadow */
	bool hlt;                               /* the instruction was HLT */
	bool singlestep;                        /* RFLAGS.TF was set when it began: deliver #DB after it */
	uint8_t segs_changed;                   /* bit n: seg[n] is new and no op was told (real and
						   virtual-8086 mode, a far JMP's CS): take it over */
	struct emul_decoded {                   /* for logs and fast paths */
		uint8_t length;                 /* of the whole instruction with prefixes */
		uint8_t opcode[3], opcode_len;
		bool rep, repne, lock;
	} decoded;
};

/* A segment register (SEG_COUNT: the task register), fetched if it has not been. */
static inline struct emul_segment *emul_get_seg(struct emul_ctxt *c, unsigned int seg)
{
	if (c->segs_missing >> seg & 1) {
		c->segs_missing &= (uint8_t)~(1u << seg);
		c->ops->fetch_seg(c, seg);
	}
	return seg == SEG_COUNT ? &c->tr : &c->seg[seg];
}

/* Emulate the instruction at CS:RIP. */
enum emul_result emul_one(struct emul_ctxt *c);

/* Decode only: length in bytes, or 0 when it cannot be decoded; ctxt->decoded is filled. Fetches through
 * ops->read. Used for exits whose length the processor does not report. */
unsigned int emul_insn_length(struct emul_ctxt *c);

/* Length when insn[0..avail) begins with (prefixes and) the given opcode bytes, else 0: the fast path for
 * CPUID, RDMSR, HLT, VMMCALL, ... Pure byte work; long64: REX prefixes count as prefixes. */
unsigned int emul_match_length(const uint8_t *insn, unsigned int avail, const uint8_t *opcode,
			       unsigned int opcode_len, bool long64);

#endif
