/* In place of arch/layout.h, by -include: physical memory is an array of the test program. */
#ifndef ARCH_LAYOUT_H
#define ARCH_LAYOUT_H

extern unsigned char fake_ram[];

#define IMAGE_VIRT  (~0ull)
#define DIRECT_VIRT ((uint64_t)fake_ram)

#endif
