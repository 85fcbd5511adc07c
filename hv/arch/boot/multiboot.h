/*
 * What the boot loader handed over, parsed into struct bootinfo. Pure: bytes in, structure out.
 *
 * Nothing in the input is trusted: lengths are checked before use, text is cut to its buffer.
 * -EINVAL: not what it should be; -E2BIG: more modules or memory regions than fit.
 */
#ifndef ARCH_BOOT_MULTIBOOT_H
#define ARCH_BOOT_MULTIBOOT_H

#include <stddef.h>
#include <stdint.h>
#include "arch/bootinfo.h"
#include "lib/util.h"

#define MULTIBOOT1_LOADER 0x2badb002u
#define MULTIBOOT2_LOADER 0x36d76289u

/* buf: the whole information structure, size: how many bytes may be read there. */
int multiboot2_parse(const void *buf, size_t size, struct bootinfo *b) MUST_CHECK;

/* Multiboot1 information points at other memory: find(ctx, addr, len) gives it, NULL if it cannot be read. */
typedef const void *(*multiboot1_find)(void *ctx, uint64_t addr, size_t len);
int multiboot1_parse(uint64_t info, multiboot1_find find, void *ctx, struct bootinfo *b) MUST_CHECK;

#endif
