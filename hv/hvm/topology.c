/* Threads, cores, packages (contract in topology.h). Pure. */
#include "hvm/topology.h"
#include "lib/mem.h"
#include "lib/util.h"

enum { EAX, EBX, ECX, EDX };

#define HTT         (1u << 28)          /* leaf 1 EDX: more than one logical processor in the package */
#define CMP_LEGACY  (1u << 1)           /* leaf 80000001h ECX: ... and they are not threads of one core */
#define TOPOEXT     (1u << 22)          /* leaf 80000001h ECX: leaves 8000001Dh and 8000001Eh */

/* Bits that count to n. */
static unsigned int order(unsigned int n)
{
	unsigned int bits = 0;

	while (1u << bits < n) {
		bits++;
	}
	return bits;
}

static unsigned int in_package(const struct topology *t)
{
	return (unsigned int)t->threads * t->cores;
}

unsigned int topology_core_shift(const struct topology *t)
{
	return t->threads > 1 || t->dense ? order(t->threads) : 1;
}

unsigned int topology_package_shift(const struct topology *t)
{
	return topology_core_shift(t) + order(t->cores);
}

uint32_t topology_apic_id(const struct topology *t, unsigned int vcpu)
{
	unsigned int thread = vcpu % t->threads, core = vcpu / t->threads % t->cores;
	unsigned int package = vcpu / in_package(t);

	return package << topology_package_shift(t) | core << topology_core_shift(t) |
	       (t->threads > 1 ? thread : 0);
}

bool topology_valid(const struct topology *t)
{
	return t->threads != 0 && t->cores != 0 && t->vcpus != 0 && in_package(t) <= 0x100 &&
	       topology_apic_id(t, t->vcpus - 1u) <= TOPOLOGY_APIC_ID_MAX;
}

/* ---- the leaves ---- */

static void leaf_1(const struct topology *t, uint32_t apic_id, uint32_t r[4])
{
	r[EBX] = (r[EBX] & 0xffff) | (apic_id & 0xff) << 24;
	r[EDX] &= ~HTT;
	if (in_package(t) > 1) {
		/* so many IDs belong to the package, used or not */
		r[EBX] |= MIN(1u << topology_package_shift(t), 255u) << 16;
		r[EDX] |= HTT;
	}
}

/* IDs that share a cache of the level: one core's, or the package's. */
static uint32_t sharing(const struct topology *t, unsigned int level)
{
	unsigned int core = 1u << order(t->threads), package = 1u << topology_package_shift(t);

	return level > 2 && in_package(t) > 1 ? package : core;
}

static void leaf_4(const struct topology *t, uint32_t r[4])
{
	unsigned int cores = 1u << (topology_package_shift(t) - order(t->threads));

	if ((r[EAX] & 0x1f) == 0) {
		return;
	}
	r[EAX] = (r[EAX] & 0x3fff) | (sharing(t, r[EAX] >> 5 & 7) - 1) << 14 |
		 (in_package(t) > 1 ? MIN(cores - 1, 63u) << 26 : 0);
}

static void leaf_levels(const struct topology *t, uint32_t apic_id, uint32_t subleaf, uint32_t r[4])
{
	enum { LEVEL_THREAD = 1, LEVEL_CORE = 2 };

	memset(r, 0, 16);
	r[ECX] = subleaf & 0xff;
	r[EDX] = apic_id;
	if (subleaf == 0) {
		r[EAX] = topology_core_shift(t);
		r[EBX] = t->threads;
		r[ECX] |= LEVEL_THREAD << 8;
	} else if (subleaf == 1) {
		r[EAX] = topology_package_shift(t);
		r[EBX] = MIN(in_package(t), (unsigned int)t->vcpus);
		r[ECX] |= LEVEL_CORE << 8;
	}
}

static void leaf_80000001(const struct topology *t, uint32_t r[4])
{
	r[ECX] &= ~(CMP_LEGACY | TOPOEXT);
	if (t->vendor == TOPOLOGY_AMD) {
		r[ECX] |= TOPOEXT | (in_package(t) > 1 ? CMP_LEGACY : 0);
	}
}

static void leaf_80000008(const struct topology *t, uint32_t r[4])
{
	r[ECX] = 0;
	if (t->vendor == TOPOLOGY_AMD) {
		r[ECX] = (in_package(t) - 1) | topology_package_shift(t) << 12;
	}
}

static void leaf_8000001e(const struct topology *t, uint32_t apic_id, uint32_t r[4])
{
	memset(r, 0, 16);
	if (t->vendor == TOPOLOGY_AMD) {
		uint32_t in_core = apic_id >> topology_core_shift(t);

		r[EAX] = apic_id;
		r[EBX] = (in_core & MASK(order(t->cores))) | (t->threads - 1u) << 8;
		r[ECX] = apic_id >> topology_package_shift(t);
	}
}

bool topology_leaf(const struct topology *t, uint32_t apic_id, uint32_t leaf, uint32_t subleaf, uint32_t r[4])
{
	switch (leaf) {
	case 1:
		leaf_1(t, apic_id, r);
		return true;
	case 4:
		leaf_4(t, r);
		return true;
	case 0xb:
	case 0x1f:
		leaf_levels(t, apic_id, subleaf, r);
		return true;
	case 0x80000001:
		leaf_80000001(t, r);
		return true;
	case 0x80000008:
		leaf_80000008(t, r);
		return true;
	case 0x8000001d:
		if ((r[EAX] & 0x1f) != 0) {
			r[EAX] = (r[EAX] & 0x3fff) | (sharing(t, r[EAX] >> 5 & 7) - 1) << 14;
		}
		return true;
	case 0x8000001e:
		leaf_8000001e(t, apic_id, r);
		return true;
	default:
		return false;
	}
}

/* ---- AMD's cache leaf from the older two ---- */

/* Ways by the code that leaf 80000006h has for them; FFFFh: every line, 0: there is no such cache. */
static const uint16_t ways_of[16] = { 0, 1, 2, 3, 4, 6, 8, 0, 16, 0, 32, 48, 64, 96, 128, 0xffff };

static void cache_leaf(uint32_t r[4], unsigned int type, unsigned int level, uint32_t bytes, uint32_t ways, uint32_t line)
{
	memset(r, 0, 16);
	if (bytes == 0 || line == 0 || ways == 0) {
		return;
	}
	r[EAX] = type | level << 5 | 1u << 8;
	if (ways >= 0xff) {
		r[EAX] |= 1u << 9;
		ways = bytes / line;
	}
	r[EBX] = (line - 1) | (ways - 1) << 22;
	r[ECX] = MAX(bytes / line / ways, 1u) - 1;
}

void topology_amd_cache(uint32_t subleaf, const uint32_t l1[4], const uint32_t l2[4], uint32_t r[4])
{
	enum { DATA = 1, CODE = 2, UNIFIED = 3 };

	switch (subleaf) {
	case 0:
		cache_leaf(r, DATA, 1, (l1[ECX] >> 24) << 10, l1[ECX] >> 16 & 0xff, l1[ECX] & 0xff);
		break;
	case 1:
		cache_leaf(r, CODE, 1, (l1[EDX] >> 24) << 10, l1[EDX] >> 16 & 0xff, l1[EDX] & 0xff);
		break;
	case 2:
		cache_leaf(r, UNIFIED, 2, (l2[ECX] >> 16) << 10, ways_of[l2[ECX] >> 12 & 15], l2[ECX] & 0xff);
		break;
	case 3:
		cache_leaf(r, UNIFIED, 3, (l2[EDX] >> 18) << 19, ways_of[l2[EDX] >> 12 & 15], l2[EDX] & 0xff);
		break;
	default:
		memset(r, 0, 16);
		break;
	}
}
