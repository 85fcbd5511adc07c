/* Code addresses to names, from the table that the build links in. Const data, no lock. */
#ifndef CORE_SYMTAB_H
#define CORE_SYMTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "function+0x12" into buf; false when the address is not in the hypervisor's code. */
bool symtab_name_of(uint64_t addr, char *buf, size_t size);

#endif
