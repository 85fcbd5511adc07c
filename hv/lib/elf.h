/*
 * ELF64 images of x86-64 (System V ABI, "Object Files"): program segments and notes. Pure, bounds-checked: an image
 * comes from outside.
 */
#ifndef LIB_ELF_H
#define LIB_ELF_H

#include <stdint.h>

/* Called for each PT_LOAD with its physical address; memsz >= filesz. Not 0 ends the walk with that value. */
typedef int (*elf_copy_fn)(void *arg, uint64_t paddr, const void *src, uint64_t filesz, uint64_t memsz);

/* 0; -ENOEXEC: not such an image, or broken; or what copy returned. */
int elf64_load(const void *image, uint64_t size, elf_copy_fn copy, void *arg);
/* The number (4 or 8 bytes) in the note of this owner and type. -ENOENT: none. -ENOEXEC: broken image. */
int elf64_note(const void *image, uint64_t size, const char *owner, uint32_t type, uint64_t *value);

#endif
