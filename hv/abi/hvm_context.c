/*
 * Save records: HEADER, one CPU per vCPU, END. The toolstack uses them to set the state in which a guest starts.
 *
 * Other records (MTRR, interrupt controllers) are stepped over when set: those parts begin in their reset state. They
 * are not produced either, so a stream of ours never claims to hold what it does not.
 */
#include "abi/hvm_context.h"
#include "abi/args.h"
#include "core/heap.h"
#include "core/time.h"
#include "hvm/hvm.h"
#include <xen/hvm/save.h>
#include <xen/domctl.h>

#define STREAM_MAX (1u << 20)

struct record { uint16_t type, instance; uint32_t length; };

_Static_assert(sizeof(struct hvm_save_descriptor) == sizeof(struct record), "record header");

struct out { uint8_t *buf; size_t used; };

static void put_record(struct out *o, uint16_t type, unsigned int instance, const void *data, size_t length)
{
	struct hvm_save_descriptor h = { type, (uint16_t)instance, (uint32_t)length };

	memcpy(o->buf + o->used, &h, sizeof(h));
	memcpy(o->buf + o->used + sizeof(h), data, length);
	o->used += sizeof(h) + length;
}

static size_t stream_size(const struct domain *d)
{
	return sizeof(struct hvm_save_descriptor) + sizeof(struct hvm_save_header) +
	       d->max_vcpus * (sizeof(struct hvm_save_descriptor) + sizeof(struct hvm_hw_cpu)) +
	       sizeof(struct hvm_save_descriptor);
}

static void fill_stream(struct domain *d, struct out *o)
{
	struct hvm_save_header head;
	struct hvm_hw_cpu *cpu = heap_new(struct hvm_hw_cpu);

	memset(&head, 0, sizeof(head));
	head.magic = HVM_FILE_MAGIC;
	head.version = HVM_FILE_VERSION;
	head.gtsc_khz = hvm_tsc_khz(d);
	put_record(o, HVM_SAVE_CODE(HEADER), 0, &head, sizeof(head));
	for (unsigned int i = 0; cpu != NULL && i < d->max_vcpus; i++) {
		if (d->vcpu[i]->online) {
			memset(cpu, 0, sizeof(*cpu));
			hvm_get_cpu(d->vcpu[i], cpu);
			put_record(o, HVM_SAVE_CODE(CPU), i, cpu, sizeof(*cpu));
		}
	}
	put_record(o, HVM_SAVE_CODE(END), 0, &head, 0);
	heap_free(cpu);
}

int hvm_context_get(struct hc_call *c, struct domain *d, struct xen_domctl_hvmcontext *x)
{
	struct out o = { .used = 0 };
	size_t size = stream_size(d);
	int rc = 0;

	if (x->buffer.p == NULL) {
		x->size = (uint32_t)size;
		return 0;
	}
	if (x->size < size) {
		return -ENOSPC;
	}
	o.buf = heap_alloc(size);
	if (o.buf == NULL) {
		return -ENOMEM;
	}
	fill_stream(d, &o);
	rc = hc_put_bytes(c, (uintptr_t)x->buffer.p, o.buf, o.used);
	x->size = (uint32_t)o.used;
	heap_free(o.buf);
	return rc;
}

/* ---- set ---- */

struct in { const uint8_t *buf; size_t size, at; };

/* The next record; -EINVAL when the stream ends in the middle of one. */
static int next_record(struct in *s, struct record *r, const void **data)
{
	if (s->size - s->at < sizeof(*r)) {
		return -EINVAL;
	}
	memcpy(r, s->buf + s->at, sizeof(*r));
	s->at += sizeof(*r);
	if (s->size - s->at < r->length) {
		return -EINVAL;
	}
	*data = s->buf + s->at;
	s->at += r->length;
	return 0;
}

static int check_header(struct in *s)
{
	struct hvm_save_header head;
	const void *data;
	struct record r;
	int rc = next_record(s, &r, &data);

	if (rc != 0 || r.type != HVM_SAVE_CODE(HEADER) || r.length != sizeof(head)) {
		return -EINVAL;
	}
	memcpy(&head, data, sizeof(head));
	return head.magic == HVM_FILE_MAGIC && head.version == HVM_FILE_VERSION ? 0 : -EINVAL;
}

static int load_cpu(struct domain *d, const struct record *r, const void *data)
{
	struct vcpu *v = domain_vcpu(d, r->instance);
	struct hvm_hw_cpu *cpu;
	int rc;

	if (v == NULL || r->length != sizeof(*cpu)) {
		return -EINVAL;
	}
	cpu = heap_new(struct hvm_hw_cpu);
	if (cpu == NULL) {
		return -ENOMEM;
	}
	memcpy(cpu, data, sizeof(*cpu));
	rc = hvm_set_cpu(v, cpu);
	heap_free(cpu);
	if (rc == 0) {
		vcpu_start(v);
	}
	return rc;
}

static int load_stream(struct domain *d, struct in *s)
{
	const void *data;
	struct record r;
	int rc = check_header(s);

	if (rc != 0) {
		return rc;
	}
	for (unsigned int i = 0; i < d->max_vcpus; i++) {
		WRITE_ONCE(d->vcpu[i]->online, false);
	}
	while ((rc = next_record(s, &r, &data)) == 0 && r.type != HVM_SAVE_CODE(END)) {
		if (r.type == HVM_SAVE_CODE(CPU)) {
			rc = load_cpu(d, &r, data);
			if (rc != 0) {
				return rc;
			}
		}
	}
	return rc;
}

int hvm_context_set(struct hc_call *c, struct domain *d, const struct xen_domctl_hvmcontext *x)
{
	struct in s = { .size = x->size };
	uint8_t *buf;
	int rc;

	if (x->size > STREAM_MAX) {
		return -E2BIG;
	}
	buf = heap_alloc(x->size + 1ul);
	if (buf == NULL) {
		return -ENOMEM;
	}
	s.buf = buf;
	rc = hc_get_bytes(c, (uintptr_t)x->buffer.p, buf, x->size);
	if (rc == 0) {
		rc = load_stream(d, &s);
	}
	heap_free(buf);
	return rc;
}
