/* MOV between a register or an immediate and memory (contract in mov.h). (Intel SDM volume 2, "Instruction Format".) */
#include "emul/mov.h"
#include "lib/mem.h"

#define REX_W 8
#define REX_R 4
#define REX_X 2
#define REX_B 1

/* No form is longer: REX, opcode, ModRM, SIB, displacement, immediate. */
#define MOV_LONGEST 12

struct cursor {
	const uint8_t *at;
	bool long64, stack;
	uint8_t rex;
};

static int32_t take32(struct cursor *c)
{
	int32_t v;
	memcpy(&v, c->at, 4);
	c->at += 4;
	return v;
}

/* Base and scaled index behind a ModRM with rm 4. */
static uint64_t take_sib(struct cursor *c, unsigned int mod, const uint64_t *gpr)
{
	unsigned int sib = *c->at++;
	unsigned int index = (sib >> 3 & 7) | (c->rex & REX_X ? 8 : 0);
	uint64_t address = index != GPR_RSP ? gpr[index] << (sib >> 6) : 0;
	if ((sib & 7) == 5 && mod == 0) {
		return address + (uint64_t)take32(c);
	}
	unsigned int base = (sib & 7) | (c->rex & REX_B ? 8 : 0);
	c->stack = base == GPR_RSP || base == GPR_RBP;
	return address + gpr[base];
}

/* The memory operand; *relative: it is counted from the instruction's end. mod is not 3. */
static uint64_t take_address(struct cursor *c, unsigned int modrm, const uint64_t *gpr, bool *relative)
{
	unsigned int mod = modrm >> 6, rm = modrm & 7;
	uint64_t address;
	*relative = false;
	if (rm == 4) {
		address = take_sib(c, mod, gpr);
	} else if (rm == 5 && mod == 0) {
		*relative = c->long64;
		return (uint64_t)take32(c);
	} else {
		unsigned int base = rm | (c->rex & REX_B ? 8 : 0);
		c->stack = base == GPR_RBP;
		address = gpr[base];
	}
	if (mod == 1) {
		address += (uint64_t)(int8_t)*c->at++;
	} else if (mod == 2) {
		address += (uint64_t)take32(c);
	}
	return address;
}

bool emul_mov_decode(const uint8_t *bytes, unsigned int avail, bool long64, const uint64_t gpr[GPR_COUNT],
		     uint64_t rip, struct emul_mov *m)
{
	struct cursor c = { bytes, long64, false, 0 };
	bool relative = false;
	if (avail < MOV_LONGEST) {
		return false;
	}
	if (long64 && (*c.at & 0xf0) == 0x40) {
		c.rex = *c.at++;
	}
	unsigned int opcode = *c.at++;
	unsigned int modrm = *c.at;
	m->size = c.rex & REX_W ? 8 : 4;
	m->immediate = opcode == 0xc7;
	m->write = opcode != 0x8b && opcode != 0xa1;
	m->value = 0;
	if (opcode == 0x8b || opcode == 0x89 || (opcode == 0xc7 && (modrm & 0x38) == 0)) {
		if (modrm >> 6 == 3) {
			return false;
		}
		c.at++;
		m->reg = (uint8_t)((modrm >> 3 & 7) | (c.rex & REX_R ? 8 : 0));
		m->address = take_address(&c, modrm, gpr, &relative);
		if (m->immediate) {
			m->value = (uint64_t)take32(&c);
		}
	} else if (!long64 && (opcode == 0xa1 || opcode == 0xa3)) {
		m->reg = GPR_RAX;
		m->address = (uint64_t)take32(&c);
	} else {
		return false;
	}
	m->length = (uint8_t)(c.at - bytes);
	m->stack = c.stack;
	m->address += relative ? rip + m->length : 0;
	return true;
}
