/* MSI address and data to an interrupt message. Pure function, no state. */
#include "lib/err.h"
#include "lib/mem.h"
#include "dev/vmsi.h"

#define ADDRESS_WINDOW  0xfeeull
#define REDIRECTION     (1u << 3)
#define LOGICAL         (1u << 2)

int vmsi_decode(uint64_t addr, uint32_t data, struct apic_msg *msg)
{
	if (addr >> 20 != ADDRESS_WINDOW) {
		return -EINVAL;
	}
	memset(msg, 0, sizeof(*msg));
	msg->dest = addr >> 12 & 0xff;
	msg->logical = (addr & LOGICAL) != 0;
	msg->vector = data & 0xff;
	msg->delivery = data >> 8 & 7;
	msg->level = data >> 15 & 1;
	msg->assert = !msg->level || (data >> 14 & 1);
	switch (msg->delivery) {
	case APIC_DM_FIXED:
		/* The redirection hint with a group of destinations: one of them, any. */
		if ((addr & REDIRECTION) && msg->logical) {
			msg->delivery = APIC_DM_LOWEST;
		}
		return msg->vector < 16 ? -EINVAL : 0;
	case APIC_DM_LOWEST:
		return msg->vector < 16 ? -EINVAL : 0;
	case APIC_DM_NMI:
	case APIC_DM_INIT:
		msg->level = false;
		msg->assert = true;
		return 0;
	default:
		/*
		 * Reserved; or SMI, for which this PC has no firmware; or ExtINT, whose vector would come from
		 * the 8259 pair: that is wired to one processor only.
		 */
		return -EINVAL;
	}
}
