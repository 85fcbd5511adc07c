/*
 * nm -n output on stdin -> assembly source of the hypervisor's symbol table on stdout.
 *
 * The table is sorted by address: 32-bit offsets from image_start, 32-bit offsets into a string
 * block. Only code symbols are kept. An empty input gives an empty table (the first of two links).
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SYMBOLS_MAX 20000

struct symbol {
	uint64_t addr;
	char name[120];
};

static struct symbol table[SYMBOLS_MAX];
static unsigned int count;

static void read_symbols(void)
{
	char line[400], type;
	struct symbol s;

	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "%lx %c %119s", &s.addr, &type, s.name) != 3) {
			continue;
		}
		if (!strchr("tTwW", type) || s.name[0] == '.' || strncmp(s.name, "image_", 6) == 0) {
			continue;
		}
		/* One name per address is enough. */
		if (count > 0 && table[count - 1].addr == s.addr) {
			continue;
		}
		if (count == SYMBOLS_MAX) {
			fprintf(stderr, "mksymtab: more than %d symbols\n", SYMBOLS_MAX);
			exit(1);
		}
		table[count++] = s;
	}
}

int main(void)
{
	size_t offset = 0;

	read_symbols();
	puts("\t.section .symtab_hv, \"a\"\n\t.balign 8");
	printf("\t.global symtab_count\nsymtab_count:\n\t.long %u\n", count);
	puts("\t.global symtab_addr\nsymtab_addr:");
	for (unsigned int i = 0; i < count; i++) {
		printf("\t.long 0x%lx - 0xffffffff80000000\n", table[i].addr);
	}
	puts("\t.global symtab_name\nsymtab_name:");
	for (unsigned int i = 0; i < count; i++) {
		printf("\t.long %zu\n", offset);
		offset += strlen(table[i].name) + 1;
	}
	puts("\t.global symtab_text\nsymtab_text:");
	for (unsigned int i = 0; i < count; i++) {
		printf("\t.asciz \"%s\"\n", table[i].name);
	}
	puts("\t.section .note.GNU-stack, \"\", @progbits");
	return 0;
}
