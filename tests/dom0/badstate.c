/*
 * Gives a paused guest a processor state that VMX refuses at the entry: one register of its saved context is made
 * impossible. What becomes of the guest, and what the hypervisor says of it, is for the caller to look at.
 *
 * usage: badstate DOMID WHAT       (WHAT: a name of the table below)
 * Runs in Dom0 as root; exits 0 when the hypervisor has taken the state.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/lib/hvcall.h"

#include <xen/hvm/save.h>

/* What is written where. Rights are those of a saved context: type, S, DPL, P, then AVL, L, D, G. */
static const struct {
	const char *name;
	size_t offset, size;
	uint64_t value;
} rows[] = {
	{ "tr", offsetof(struct hvm_hw_cpu, tr_arbytes), 4, 0x093 },            /* a data segment */
	{ "ss", offsetof(struct hvm_hw_cpu, ss_arbytes), 4, 0xc9b },            /* code */
	{ "cs", offsetof(struct hvm_hw_cpu, cs_arbytes), 4, 0xc97 },            /* data that grows down */
	{ "ldtr", offsetof(struct hvm_hw_cpu, ldtr_arbytes), 4, 0x08b },        /* a task */
	{ "rip", offsetof(struct hvm_hw_cpu, rip), 8, 0x123456789 },            /* in 32-bit code */
	{ "v86", offsetof(struct hvm_hw_cpu, rflags), 8, 0x20002 },             /* with segments of another mode */
};

static _Noreturn void die(const char *what, int error)
{
	fprintf(stderr, "badstate: %s: %s\n", what, strerror(error));
	exit(1);
}

static void context(struct hvcall *hv, uint32_t domid, uint32_t cmd, uint8_t *buf, uint32_t *size)
{
	struct xen_domctl op = { .cmd = cmd, .domain = (domid_t)domid };
	int rc;

	op.u.hvmcontext.size = *size;
	set_xen_guest_handle(op.u.hvmcontext.buffer, buf);
	rc = hvcall_domctl(hv, &op);
	if (rc != 0) {
		die(cmd == XEN_DOMCTL_gethvmcontext ? "reading the state" : "setting the state", -rc);
	}
	*size = op.u.hvmcontext.size;
}

/* The body of the first CPU's record. */
static uint8_t *cpu_record(uint8_t *buf, uint32_t size)
{
	struct hvm_save_descriptor d;
	uint32_t at = 0;

	while (size - at >= sizeof(d)) {
		memcpy(&d, buf + at, sizeof(d));
		at += (uint32_t)sizeof(d);
		if (d.typecode == HVM_SAVE_CODE(CPU) && d.length == sizeof(struct hvm_hw_cpu) && size - at >= d.length) {
			return buf + at;
		}
		if (d.typecode == HVM_SAVE_CODE(END) || d.length > size - at) {
			break;
		}
		at += d.length;
	}
	return NULL;
}

static void spoil(struct hvcall *hv, uint32_t domid, size_t offset, const void *value, size_t length)
{
	uint32_t size = 0;
	uint8_t *buf, *cpu;

	context(hv, domid, XEN_DOMCTL_gethvmcontext, NULL, &size);
	buf = hvcall_buffer(hv, size);
	if (buf == NULL) {
		die("buffer", 12);
	}
	context(hv, domid, XEN_DOMCTL_gethvmcontext, buf, &size);
	cpu = cpu_record(buf, size);
	if (cpu == NULL) {
		fprintf(stderr, "badstate: the context has no CPU\n");
		exit(1);
	}
	memcpy(cpu + offset, value, length);
	context(hv, domid, XEN_DOMCTL_sethvmcontext, buf, &size);
	hvcall_buffer_free(hv, buf);
}

int main(int argc, char **argv)
{
	struct hvcall hv;
	int rc;

	if (argc != 3) {
		fprintf(stderr, "usage: badstate DOMID WHAT\n");
		return 2;
	}
	rc = hvcall_open(&hv);
	if (rc != 0) {
		die("hypervisor", -rc);
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(rows[i].name, argv[2]) == 0) {
			spoil(&hv, (uint32_t)atoi(argv[1]), rows[i].offset, &rows[i].value, rows[i].size);
			hvcall_close(&hv);
			return 0;
		}
	}
	fprintf(stderr, "badstate: no state \"%s\"\n", argv[2]);
	return 2;
}
