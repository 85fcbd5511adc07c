/*
 * Descriptor tables (contract in desc.h). NMI, double fault and machine check have stacks of their own, so that they work
 * whatever happened to the current one. (Intel SDM, "Interrupt Stack Table".)
 * Each CPU touches only its own tables; the IDT is const after the boot CPU filled it.
 */
#include "arch/cpu/desc.h"
#include "arch/hw.h"
#include "arch/layout.h"
#include "core/heap.h"
#include "core/page_alloc.h"
#include "core/percpu.h"
#include "lib/err.h"
#include "lib/mem.h"

#define IST_STACK_SIZE 8192

enum { IST_NMI = 1, IST_DOUBLE_FAULT = 2, IST_MACHINE_CHECK = 3, IST_COUNT = 3 };

struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3, io_map;
} __attribute__((packed));

struct desc {
	uint64_t gdt[5];                /* null, code, data, TSS (two slots) */
	struct tss tss;
	uint8_t stack[IST_COUNT][IST_STACK_SIZE] __attribute__((aligned(16)));
};

struct gate {
	uint16_t offset_low, selector;
	uint8_t ist, type;
	uint16_t offset_mid;
	uint32_t offset_high, reserved;
};

extern const char traps_stubs[];        /* 16 bytes a stub */
extern const uint64_t boot_gdt[3];

static struct desc boot_desc;
static struct gate idt[256];            /* const after the boot CPU's desc_load() */

static void fill_idt(void)
{
	static const uint8_t ist[256] = { [2] = IST_NMI, [8] = IST_DOUBLE_FAULT, [18] = IST_MACHINE_CHECK };

	for (unsigned int i = 0; i < 256; i++) {
		uint64_t a = (uint64_t)traps_stubs + i * 16u;

		idt[i] = (struct gate){
			.offset_low = (uint16_t)a,
			.selector = SEL_CODE,
			.ist = ist[i],
			.type = 0x8e,   /* present interrupt gate */
			.offset_mid = (uint16_t)(a >> 16),
			.offset_high = (uint32_t)(a >> 32),
		};
	}
}

static void set_tss(struct desc *d)
{
	uint64_t base = (uint64_t)&d->tss, limit = sizeof(d->tss) - 1;

	d->gdt[3] = limit | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
	d->gdt[4] = base >> 32;
}

int desc_alloc(struct cpu *c)
{
	struct desc *d = c == &boot_cpu ? &boot_desc : heap_alloc(sizeof(*d));

	if (!d) {
		return -ENOMEM;
	}
	memcpy(d->gdt, boot_gdt, sizeof(boot_gdt));
	for (unsigned int i = 0; i < IST_COUNT; i++) {
		d->tss.ist[i] = (uint64_t)d->stack[i] + IST_STACK_SIZE;
	}
	d->tss.io_map = sizeof(d->tss);
	c->desc = d;
	return 0;
}

void desc_restore(void)
{
	struct desc *d = this_cpu()->desc;
	struct hw_table gdt = { sizeof(d->gdt) - 1, (uint64_t)d->gdt };
	struct hw_table table = { sizeof(idt) - 1, (uint64_t)idt };

	set_tss(d);                     /* not busy */
	hw_lgdt(&gdt);
	hw_lidt(&table);
	hw_ltr(SEL_TSS);
}

void desc_load(void)
{
	if (this_cpu() == &boot_cpu) {
		fill_idt();
	}
	desc_restore();
	hw_load_segments(SEL_CODE, SEL_DATA);
}
