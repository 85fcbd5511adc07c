/*
 * Message-signalled interrupts: the address/data pair that a PCI function writes, decoded.
 *
 * Manual: Intel SDM, "Message Signalled Interrupts". No interrupt remapping, 8-bit destinations.
 */
#ifndef DEV_VMSI_H
#define DEV_VMSI_H

#include "dev/vlapic.h"

/*
 * Fill *msg (8-bit destination format). -EINVAL for an address outside FEExxxxxh, a reserved
 * delivery mode, or a fixed or lowest-priority message with a vector below 16.
 */
int vmsi_decode(uint64_t addr, uint32_t data, struct apic_msg *msg);

#endif
