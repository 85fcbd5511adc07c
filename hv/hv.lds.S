/* Linker script: one contiguous image, so that the multiboot1 address fields can describe it. */
#include "arch/layout.h"

OUTPUT_FORMAT(elf64-x86-64)
OUTPUT_ARCH(i386:x86-64)
ENTRY(boot_start)

PHDRS {
	text PT_LOAD FLAGS(5);
	rodata PT_LOAD FLAGS(4);
	data PT_LOAD FLAGS(6);
}

SECTIONS {
	. = IMAGE_VIRT + IMAGE_LOAD;
	image_start = .;
	.text : AT(ADDR(.text) - IMAGE_VIRT) {
		KEEP(*(.multiboot))
		*(.head.text)
		*(.text .text.*)
	} :text
	. = ALIGN(4096);
	image_text_end = .;
	.rodata : AT(ADDR(.rodata) - IMAGE_VIRT) {
		*(.rodata .rodata.*)
		. = ALIGN(16);
		image_ex_table = .;
		KEEP(*(.ex_table))
		image_ex_table_end = .;
		*(.symtab_hv)
	} :rodata
	. = ALIGN(4096);
	image_rodata_end = .;
	.data : AT(ADDR(.data) - IMAGE_VIRT) {
		*(.data .data.*)
		. = ALIGN(4096);
	} :data
	image_data_end = .;
	.bss : AT(ADDR(.bss) - IMAGE_VIRT) {
		*(.bss.page)
		*(.bss .bss.* COMMON)
		. = ALIGN(4096);
	} :data
	image_end = .;

	image_start_pa = image_start - IMAGE_VIRT;
	image_data_end_pa = image_data_end - IMAGE_VIRT;
	image_end_pa = image_end - IMAGE_VIRT;
	ASSERT(image_end_pa <= IMAGE_LIMIT, "the image reaches into Dom0's kernel")

	/DISCARD/ : {
		*(.comment .note .note.* .eh_frame .eh_frame_hdr)
	}
}
