/*
 * hvm/io.c: local APIC page, chips, PCI configuration through CF8h/CFCh, device models by range, nobody (all-ones), and
 * requests with a count. The server table and the waiting are fakes.
 */
#include <string.h>
#include "dom/ioreq_server.h"
#include "fake/fake_vcpu.h"
#include "fake/suite.h"
#include "hvm/ioreq_client.h"
#include "lib/err.h"

struct ioreq_server {
	int dummy;
};

static struct vcpu *const v = &fake_vcpu.v;
static struct hvm_domain *const h = &fake_vcpu.hvm_domain;
static struct ioreq_server server;

/* The one range that a device model serves. */
static struct {
	enum ioreq_range type;
	uint64_t first, last;
} claim;
static unsigned int selects, refs, forwards, chip_calls;
static struct ioreq sent;
static uint64_t answer;
static enum io_route forward_route;
static struct io_access chip_saw;
static enum io_result chip_says;

void spin_lock(struct spinlock *l)
{
	MUST(l->cpu == 0);
	l->cpu = 1;
}

void spin_unlock(struct spinlock *l)
{
	MUST(l->cpu == 1);
	l->cpu = 0;
}

struct ioreq_server *ioreq_server_select(struct domain *d, enum ioreq_range type, uint64_t addr, unsigned int size)
{
	MUST(d == &fake_vcpu.d && h->lock.cpu == 0);
	selects++;
	if (type != claim.type || addr < claim.first || addr + size - 1 > claim.last || addr + size - 1 < addr) {
		return NULL;
	}
	refs++;
	return &server;
}

void ioreq_server_put(struct ioreq_server *s)
{
	MUST(s == &server && refs > 0);
	refs--;
}

enum io_route ioreq_forward(struct vcpu *w, struct ioreq_server *s, struct ioreq *r)
{
	MUST(w == v && s == &server && refs == 1 && h->lock.cpu == 0);
	forwards++;
	sent = *r;
	if (r->dir == IOREQ_READ) {
		r->data = answer;
	}
	return forward_route;
}

static enum io_result chip(void *dev, struct io_access *a)
{
	MUST(dev == &chip_calls && h->lock.cpu == 1);
	chip_calls++;
	chip_saw = *a;
	if (chip_says == IO_DONE && !a->write) {
		a->data = 0x42;
	}
	return chip_says;
}

static void lapic_timer(void *ctx, uint64_t deadline) { }
static uint64_t lapic_time(void *ctx) { return 5; }
static void lapic_event(void *ctx) { }
static void lapic_eoi(void *ctx, uint8_t vector) { }
static void lapic_ipi(void *ctx, const struct apic_msg *m) { }
static const struct vlapic_host lapic_host = { .now_ns = lapic_time, .tsc = lapic_time, .timer_set = lapic_timer,
	.ipi = lapic_ipi, .eoi = lapic_eoi, .enabled = lapic_event };

static void setup(void)
{
	fake_vcpu_reset();
	vlapic_init(&fake_vcpu.hvm.lapic, &lapic_host, 6, true, true);
	bus_init(&h->pio);
	bus_init(&h->mmio);
	ck_assert_int_eq(bus_add(&h->pio, 0x40, 0x43, chip, &chip_calls), 0);
	ck_assert_int_eq(bus_add(&h->mmio, 0xfec00000, 0xfec00fff, chip, &chip_calls), 0);
	memset(&claim, 0, sizeof(claim));
	claim.type = IOREQ_RANGE_TYPES;
	selects = refs = forwards = chip_calls = 0;
	answer = 0x1122334455667788ull;
	forward_route = ROUTE_DONE;
	chip_says = IO_DONE;
}

static void serve(enum ioreq_range type, uint64_t first, uint64_t last)
{
	claim.type = type;
	claim.first = first;
	claim.last = last;
}

static uint64_t read_at(enum io_space space, uint64_t addr, uint8_t size)
{
	struct io_access a = { space, false, size, addr, 0x5a5a5a5a5a5a5a5aull };

	ck_assert_int_eq(hvm_io(v, &a), ROUTE_DONE);
	ck_assert_uint_eq(refs, 0);
	return a.data;
}

static void write_at(enum io_space space, uint64_t addr, uint8_t size, uint64_t data)
{
	struct io_access a = { space, true, size, addr, data };

	ck_assert_int_eq(hvm_io(v, &a), ROUTE_DONE);
	ck_assert_uint_eq(a.data, data);
	ck_assert_uint_eq(refs, 0);
}

START_TEST(test_nobody)
{
	static const struct {
		uint8_t size;
		uint64_t ones;
	} row[] = { { 1, 0xff }, { 2, 0xffff }, { 4, 0xffffffff }, { 8, ~0ull } };

	for (unsigned int i = 0; i < ARRAY_SIZE(row); i++) {
		ck_assert_uint_eq(read_at(IO_PIO, 0x3f8, row[i].size), row[i].ones);
		ck_assert_uint_eq(read_at(IO_MMIO, 0xf0000000, row[i].size), row[i].ones);
		write_at(IO_PIO, 0x3f8, row[i].size, 0x5a);
		write_at(IO_MMIO, 0xf0000000, row[i].size, 0x5a);
	}
	ck_assert_uint_eq(forwards, 0);
	ck_assert_uint_eq(chip_calls, 0);
	ck_assert_uint_eq(selects, 16);
}
END_TEST

START_TEST(test_chip)
{
	ck_assert_uint_eq(read_at(IO_PIO, 0x41, 1), 0x42);
	ck_assert_uint_eq(chip_saw.addr, 0x41);
	write_at(IO_MMIO, 0xfec00010, 4, 0x99);
	ck_assert(chip_saw.write && chip_saw.space == IO_MMIO && chip_saw.addr == 0xfec00010 && chip_saw.data == 0x99);
	/* The same number in the other space is nobody's. */
	ck_assert_uint_eq(read_at(IO_MMIO, 0x41, 1), 0xff);
	ck_assert_uint_eq(chip_calls, 2);
	/* What the chip does not claim goes on to the device models. */
	chip_says = IO_UNCLAIMED;
	serve(IOREQ_RANGE_PORT, 0x40, 0x43);
	ck_assert_uint_eq(read_at(IO_PIO, 0x42, 1), 0x88);
	ck_assert_uint_eq(chip_calls, 3);
	ck_assert_uint_eq(forwards, 1);
	ck_assert_uint_eq(h->lock.cpu, 0);
	struct io_access a = { IO_PIO, false, 1, 0x43, 0 };
	ck_assert(hvm_io_internal(v, &a));
	a.addr = 0x44;
	ck_assert(!hvm_io_internal(v, &a));
	a = (struct io_access){ IO_MMIO, false, 4, 0xfec00fff, 0 };
	ck_assert(hvm_io_internal(v, &a));
	a.addr = 0xfee00ff0;
	ck_assert(hvm_io_internal(v, &a));
	a.addr = 0xfee01000;
	ck_assert(!hvm_io_internal(v, &a));
}
END_TEST

START_TEST(test_lapic)
{
	serve(IOREQ_RANGE_MEMORY, 0xfe000000, 0xfeffffff);
	ck_assert_uint_eq(read_at(IO_MMIO, 0xfee00020, 4), 6u << 24);
	write_at(IO_MMIO, 0xfee00080, 4, 0x30);
	ck_assert_uint_eq(fake_vcpu.hvm.lapic.tpr, 0x30);
	ck_assert_uint_eq(forwards, 0);
	/* It goes where APIC_BASE says; disabled it is not there. */
	fake_vcpu.hvm.lapic.base = 0xfed00000 | APIC_BASE_ENABLE;
	ck_assert_uint_eq(read_at(IO_MMIO, 0xfed00080, 4), 0x30);
	ck_assert_uint_eq(read_at(IO_MMIO, 0xfee00080, 4), 0x55667788);
	fake_vcpu.hvm.lapic.base = 0xfed00000;
	ck_assert_uint_eq(read_at(IO_MMIO, 0xfed00080, 4), 0x55667788);
}
END_TEST

START_TEST(test_device_model)
{
	serve(IOREQ_RANGE_PORT, 0x1f0, 0x1f7);
	ck_assert_uint_eq(read_at(IO_PIO, 0x1f0, 2), 0x7788);
	ck_assert_uint_eq(sent.type, IOREQ_TYPE_PIO);
	ck_assert_uint_eq(sent.addr, 0x1f0);
	ck_assert_uint_eq(sent.size, 2);
	ck_assert_uint_eq(sent.count, 1);
	ck_assert_uint_eq(sent.dir, IOREQ_READ);
	ck_assert_uint_eq(sent.data, 0);
	ck_assert_uint_eq(sent.data_is_ptr, 0);
	ck_assert_uint_eq(sent.df, 0);
	/* Nothing beyond the access leaves the hypervisor. */
	write_at(IO_PIO, 0x1f6, 1, 0xdeadbeefcafe55e0ull);
	ck_assert_uint_eq(sent.dir, IOREQ_WRITE);
	ck_assert_uint_eq(sent.data, 0xe0);
	/* An access that is only partly the server's is nobody's. */
	ck_assert_uint_eq(read_at(IO_PIO, 0x1f7, 2), 0xffff);
	ck_assert_uint_eq(forwards, 2);
	serve(IOREQ_RANGE_MEMORY, 0xa0000, 0xbffff);
	ck_assert_uint_eq(read_at(IO_MMIO, 0xb8000, 8), answer);
	ck_assert_uint_eq(sent.type, IOREQ_TYPE_COPY);
	ck_assert_uint_eq(sent.addr, 0xb8000);
	write_at(IO_MMIO, 0xbfff8, 8, ~0ull);
	ck_assert_uint_eq(sent.data, ~0ull);
	/* The domain dies meanwhile. */
	forward_route = ROUTE_CRASH;
	struct io_access a = { IO_MMIO, false, 4, 0xa0000, 0 };
	ck_assert_int_eq(hvm_io(v, &a), ROUTE_CRASH);
	ck_assert_uint_eq(refs, 0);
}
END_TEST

START_TEST(test_config_address)
{
	/* Latched here, and shown to the device model of the port. */
	serve(IOREQ_RANGE_PORT, 0xcf8, 0xcff);
	write_at(IO_PIO, 0xcf8, 4, 0x80001234);
	ck_assert_uint_eq(h->pci_address, 0x80001234);
	ck_assert_uint_eq(forwards, 1);
	ck_assert_uint_eq(sent.data, 0x80001234);
	ck_assert_uint_eq(read_at(IO_PIO, 0xcf8, 4), 0x80001234);
	ck_assert_uint_eq(forwards, 1);
	/* Smaller accesses are other registers (CF9h is reset control). */
	write_at(IO_PIO, 0xcf9, 1, 6);
	write_at(IO_PIO, 0xcf8, 1, 0x77);
	write_at(IO_PIO, 0xcf8, 2, 0x7777);
	ck_assert_uint_eq(h->pci_address, 0x80001234);
	ck_assert_uint_eq(forwards, 4);
	ck_assert_uint_eq(read_at(IO_PIO, 0xcf8, 2), 0x7788);
	/* Memory of that number is not it. */
	write_at(IO_MMIO, 0xcf8, 4, 0x80000000);
	ck_assert_uint_eq(h->pci_address, 0x80001234);
}
END_TEST

START_TEST(test_config_data)
{
	uint32_t sbdf = 0x12 << 8 | 3 << 3 | 5;

	serve(IOREQ_RANGE_PCI, sbdf, sbdf);
	h->pci_address = 0x80000000 | sbdf << 8 | 0x10;
	ck_assert_uint_eq(read_at(IO_PIO, 0xcfc, 4), 0x55667788);
	ck_assert_uint_eq(sent.type, IOREQ_TYPE_PCI_CONFIG);
	ck_assert_uint_eq(sent.addr, (uint64_t)sbdf << 32 | 0x10);
	ck_assert_uint_eq(sent.size, 4);
	/* Bytes within the register; the two lowest bits of the address register are not used. */
	h->pci_address |= 3;
	write_at(IO_PIO, 0xcfe, 2, 0xabcd1234);
	ck_assert_uint_eq(sent.addr, (uint64_t)sbdf << 32 | 0x12);
	ck_assert_uint_eq(sent.data, 0x1234);
	ck_assert_uint_eq(read_at(IO_PIO, 0xcff, 1), 0x88);
	ck_assert_uint_eq(sent.addr, (uint64_t)sbdf << 32 | 0x13);
	/* AMD's extended registers: bits 27:24 are register bits 11:8. */
	h->pci_address = 0x8f000000 | sbdf << 8 | 0xfc;
	read_at(IO_PIO, 0xcfc, 4);
	ck_assert_uint_eq(sent.addr, (uint64_t)sbdf << 32 | 0xffc);
	ck_assert_uint_eq(forwards, 4);
	/* Across the end, disabled, another function: nobody. */
	ck_assert_uint_eq(read_at(IO_PIO, 0xcfe, 4), 0xffffffff);
	h->pci_address ^= 0x100;
	ck_assert_uint_eq(read_at(IO_PIO, 0xcfc, 4), 0xffffffff);
	h->pci_address = sbdf << 8;
	ck_assert_uint_eq(read_at(IO_PIO, 0xcfc, 4), 0xffffffff);
	ck_assert_uint_eq(forwards, 4);
	/* A function that nobody serves may still be the port's. */
	serve(IOREQ_RANGE_PORT, 0xcf8, 0xcff);
	h->pci_address = 0x80000000 | sbdf << 8;
	read_at(IO_PIO, 0xcfd, 1);
	ck_assert_uint_eq(sent.type, IOREQ_TYPE_PIO);
	ck_assert_uint_eq(sent.addr, 0xcfd);
}
END_TEST

START_TEST(test_bulk)
{
	struct io_access a = { IO_PIO, false, 2, 0x1f0, 0 };
	uint32_t count = 256;

	/* Nobody: none done, the caller goes one by one. */
	ck_assert_int_eq(hvm_io_bulk(v, &a, true, 0x5000, false, &count), ROUTE_DONE);
	ck_assert_uint_eq(count, 0);
	count = 256;
	serve(IOREQ_RANGE_PORT, 0x1f0, 0x1f1);
	ck_assert_int_eq(hvm_io_bulk(v, &a, true, 0x5000, false, &count), ROUTE_DONE);
	ck_assert_uint_eq(count, 256);
	ck_assert_uint_eq(sent.count, 256);
	ck_assert_uint_eq(sent.data, 0x5000);
	ck_assert(sent.data_is_ptr && !sent.df && sent.size == 2 && sent.dir == IOREQ_READ);
	ck_assert_uint_eq(sent.addr, 0x1f0);
	/* Whole sectors go two words at a time to whoever has the port and the one behind it. */
	serve(IOREQ_RANGE_PORT, 0x1f0, 0x1f7);
	ck_assert_int_eq(hvm_io_bulk(v, &a, true, 0x5000, false, &count), ROUTE_DONE);
	ck_assert_uint_eq(count, 256);
	ck_assert(sent.count == 128 && sent.size == 4 && sent.addr == 0x1f0 && sent.data_is_ptr);
	count = 18 / 2;
	ck_assert_int_eq(hvm_io_bulk(v, &a, true, 0x5000, false, &count), ROUTE_DONE);
	ck_assert(count == 9 && sent.count == 9 && sent.size == 2);
	count = 256;
	ck_assert_int_eq(hvm_io_bulk(v, &a, true, 0x51fe, true, &count), ROUTE_DONE);
	ck_assert(sent.count == 256 && sent.size == 2 && sent.df);
	/* Memory: all of it must be the server's, in the direction it goes. */
	a = (struct io_access){ IO_MMIO, true, 4, 0xa0000, 0 };
	serve(IOREQ_RANGE_MEMORY, 0xa0000, 0xa0fff);
	count = 1024;
	ck_assert_int_eq(hvm_io_bulk(v, &a, false, 0x12345678, false, &count), ROUTE_DONE);
	ck_assert_uint_eq(count, 1024);
	ck_assert(!sent.data_is_ptr && sent.dir == IOREQ_WRITE && sent.data == 0x12345678);
	count = 1025;
	ck_assert_int_eq(hvm_io_bulk(v, &a, false, 0, false, &count), ROUTE_DONE);
	ck_assert_uint_eq(count, 0);
	count = 2;
	ck_assert_int_eq(hvm_io_bulk(v, &a, false, 0, true, &count), ROUTE_DONE);
	ck_assert_uint_eq(count, 0);
	a.addr = 0xa0ffc;
	count = 1024;
	ck_assert_int_eq(hvm_io_bulk(v, &a, true, 0x5ffc, true, &count), ROUTE_DONE);
	ck_assert_uint_eq(count, 1024);
	ck_assert(sent.df && sent.addr == 0xa0ffc);
	/* A length that does not fit 32 bits is no length that wraps. */
	count = 0x40000001;
	a.addr = 0xa0000;
	ck_assert_int_eq(hvm_io_bulk(v, &a, true, 0x5000, false, &count), ROUTE_DONE);
	ck_assert_uint_eq(count, 0);
	forward_route = ROUTE_CRASH;
	count = 1;
	ck_assert_int_eq(hvm_io_bulk(v, &a, true, 0x5000, false, &count), ROUTE_CRASH);
	ck_assert_uint_eq(refs, 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_nobody, test_chip, test_lapic, test_device_model, test_config_address,
		test_config_data, test_bulk, NULL };

	return suite_run("hvm_io", setup, tests);
}
