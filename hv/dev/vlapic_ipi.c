/*
 * Local APIC: what an ICR write sends, and which messages are for this APIC.
 *
 * Manual: Intel SDM, "Issuing Interprocessor Interrupts" and "Determining IPI Destination";
 * "Logical Destination Mode in x2APIC Mode". Locking: as in vlapic.h; vlapic_matches() may run on
 * any CPU, it sees each register as of some moment.
 */
#include "dev/vlapic_int.h"

#define DFR_FLAT 0xfu

/*
 * Which delivery modes a shorthand allows; the other combinations are undefined and send nothing.
 */
static const uint8_t shorthand_modes[] = {
	[APIC_DEST_FIELD] = 1u << APIC_DM_FIXED | 1u << APIC_DM_LOWEST | 1u << APIC_DM_SMI |
			    1u << APIC_DM_NMI | 1u << APIC_DM_INIT | 1u << APIC_DM_STARTUP,
	[APIC_DEST_SELF] = 1u << APIC_DM_FIXED,
	[APIC_DEST_ALL] = 1u << APIC_DM_FIXED,
	[APIC_DEST_OTHERS] = 1u << APIC_DM_FIXED | 1u << APIC_DM_LOWEST | 1u << APIC_DM_SMI |
			     1u << APIC_DM_NMI | 1u << APIC_DM_INIT | 1u << APIC_DM_STARTUP,
};

void vlapic_ipi_self(struct vlapic *v, uint8_t vector)
{
	if (vector < 16) {
		vlapic_error(v, APIC_ESR_SEND_ILLEGAL);
		return;
	}
	/* Only this vCPU runs this code, so no other has to be told. */
	vlapic_set_irq(v, vector, false);
}

void vlapic_ipi_send(struct vlapic *v)
{
	bool x2 = vlapic_in_x2apic(v);
	struct apic_msg msg = {
		.dest = x2 ? v->icr >> 32 : v->icr >> 56,
		.vector = v->icr & 0xff,
		.delivery = v->icr >> 8 & 7,
		.shorthand = v->icr >> 18 & 3,
		.logical = v->icr >> 11 & 1,
		.assert = true,
		.x2apic = x2,
	};

	if (!(shorthand_modes[msg.shorthand] >> msg.delivery & 1)) {
		return;
	}
	/*
	 * Level and trigger bits mean something for INIT only: de-assert is the old arbitration
	 * sync.
	 */
	if (msg.delivery == APIC_DM_INIT) {
		msg.level = v->icr >> 15 & 1;
		msg.assert = !msg.level || (v->icr >> 14 & 1);
	}
	if (msg.shorthand == APIC_DEST_SELF) {
		vlapic_ipi_self(v, msg.vector);
		return;
	}
	if ((msg.delivery == APIC_DM_FIXED || msg.delivery == APIC_DM_LOWEST) && msg.vector < 16) {
		vlapic_error(v, APIC_ESR_SEND_ILLEGAL);
		return;
	}
	v->host->ipi(v->host->ctx, &msg);
}

static bool matches_physical(const struct vlapic *v, const struct apic_msg *msg)
{
	if (vlapic_in_x2apic(v)) {
		return msg->dest == v->id;
	}
	return msg->dest == v->xapic_id >> 24;
}

static bool matches_logical(const struct vlapic *v, const struct apic_msg *msg)
{
	uint32_t ldr = READ_ONCE(v->ldr);

	if (vlapic_in_x2apic(v)) {
		return msg->dest >> 16 == ldr >> 16 && (msg->dest & ldr & 0xffff);
	}
	if (msg->dest > 0xff) {
		return false;
	}
	ldr >>= 24;
	if (READ_ONCE(v->dfr) >> 28 == DFR_FLAT) {
		return msg->dest & ldr;
	}
	return msg->dest >> 4 == ldr >> 4 && (msg->dest & ldr & 0xf);
}

bool vlapic_matches(const struct vlapic *v, const struct apic_msg *msg, const struct vlapic *source)
{
	if (!vlapic_hw_enabled(v)) {
		return false;
	}
	switch (msg->shorthand) {
	case APIC_DEST_SELF:
		return v == source;
	case APIC_DEST_ALL:
		return true;
	case APIC_DEST_OTHERS:
		return v != source;
	default:
		break;
	}
	/* The broadcast address is all ones of the format, in physical and in logical mode. */
	if (msg->dest == (msg->x2apic ? 0xffffffff : 0xff)) {
		return true;
	}
	return msg->logical ? matches_logical(v, msg) : matches_physical(v, msg);
}
