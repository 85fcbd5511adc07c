/*
 * The SeaBIOS image: where it goes, what it is told, how it is entered.
 */
#ifndef HVMLOADER_SEABIOS_H
#define HVMLOADER_SEABIOS_H

#include <stdint.h>

#include <xen/arch-x86/hvm/start_info.h>

#include "hvmloader/e820.h"

#define SEABIOS_TABLES 8

/* Copy the image from the module named "firmware" to below 1 MiB; returns where it begins. */
uint32_t seabios_load(const struct hvm_start_info *start);

/* Write the hand-over block: addresses of table roots, and the map (copied to low memory). */
void seabios_handover(const uint32_t *tables, unsigned int count, const struct e820_map *map);

/* Enter real mode at the reset vector. */
_Noreturn void seabios_enter(void);

#endif
