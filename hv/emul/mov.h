/*
 * The few forms of MOV with which drivers touch device registers, decoded without the rest of the emulator. Pure.
 *
 * For an access that the processor has carried as far as the memory itself: segments, paging and alignment were
 * checked by it. What is not recognised here is not wrong, it is the emulator's.
 */
#ifndef EMUL_MOV_H
#define EMUL_MOV_H

#include <stdbool.h>
#include <stdint.h>
#include "emul/emul.h"

struct emul_mov {
	uint8_t length;         /* of the instruction */
	uint8_t size;           /* of the operand: 4 or 8 */
	uint8_t reg;            /* enum emul_gpr: goes to memory, or comes from it */
	bool write;
	bool immediate;         /* write `value`, not a register */
	bool stack;             /* the operand is in SS, not in DS */
	uint64_t value;
	uint64_t address;       /* of the operand, without its segment's base; 32-bit code: only 32 bits count */
};

/* Decode bytes[0..avail) as 32-bit (a code segment with D set) or 64-bit code at rip. False: none of these forms. */
bool emul_mov_decode(const uint8_t *bytes, unsigned int avail, bool long64, const uint64_t gpr[GPR_COUNT],
		     uint64_t rip, struct emul_mov *m);

#endif
