/*
 * Where the hypervisor lives: fixed virtual and physical addresses. Also read by assembly and the
 * linker script, so plain numbers only.
 */
#ifndef ARCH_LAYOUT_H
#define ARCH_LAYOUT_H

/* The image: linked at IMAGE_VIRT, which maps physical 0; loaded at IMAGE_LOAD. */
#define IMAGE_VIRT  0xffffffff80000000
#define IMAGE_LOAD  0x200000
/* Dom0's kernel is loaded at 16 MiB: the image ends well before. */
#define IMAGE_LIMIT 0xc00000
/* All physical memory, from physical 0 on. */
#define DIRECT_VIRT 0xffff800000000000
#define DIRECT_SIZE 0x0000400000000000

/* Segment selectors; 64-bit code, data, then the task state segment (two slots). */
#define SEL_CODE 0x08
#define SEL_DATA 0x10
#define SEL_TSS  0x18

#define BOOT_STACK_SIZE 16384

#endif
