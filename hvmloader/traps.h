/*
 * Exceptions while the firmware runs: all are fatal, but not silent.
 */
#ifndef HVMLOADER_TRAPS_H
#define HVMLOADER_TRAPS_H

/* Load an interrupt descriptor table for the 32 exceptions. */
void traps_init(void);

#endif
