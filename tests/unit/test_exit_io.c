/* exit_io.c and exit_mem.c: IN and OUT and the register they touch; what a nested page fault becomes. */
#include <stdarg.h>
#include <string.h>
#include "fake/fake_vcpu.h"
#include "fake/suite.h"

static struct vcpu *const v = &fake_vcpu.v;
static struct io_access saw;
static uint64_t in_data;
static enum io_route route;
static unsigned int ios, emulations, crashes, device_maps;
static struct p2m_entry entry;
static uint64_t emulated_gpa;
static bool device_ok;

enum io_route hvm_io(struct vcpu *w, struct io_access *a)
{
	ios++;
	saw = *a;
	if (!a->write) {
		a->data = in_data;
	}
	return route;
}

enum io_route hvm_port(struct vcpu *w, struct io_access *a)
{
	return hvm_io(w, a);
}

static bool chip;              /* the address is a chip's inside the hypervisor */

bool hvm_io_internal(struct vcpu *w, const struct io_access *a)
{
	return chip && a->space == IO_MMIO;
}

enum verdict hvm_emulate(struct vcpu *w)
{
	emulations++;
	emulated_gpa = w->hvm->mmio_gpa;
	return EXIT_RESUME;
}

static bool plain_mov;         /* mmio_mov.c knows the instruction */

bool hvm_mmio_mov(struct vcpu *w, const struct vmexit *e, enum verdict *verdict)
{
	*verdict = EXIT_NEXT;
	return plain_mov;
}

struct p2m_entry p2m_lookup(struct domain *d, gfn_t gfn)
{
	ck_assert_uint_eq(gfn.v, 0xfed00);
	return entry;
}

enum p2m_access p2m_type_access(enum p2m_type type)
{
	return type == P2M_RAM ? P2M_ACC_RWX : type == P2M_RAM_RO ? P2M_ACC_RX : type == P2M_FOREIGN ? P2M_ACC_RW
											     : P2M_ACC_NONE;
}

bool dom0_map_device(struct domain *d, gpa_t gpa)
{
	device_maps++;
	return device_ok;
}

void guest_crash(struct domain *d, const char *fmt, ...)
{
	crashes++;
}

static void setup(void)
{
	fake_vcpu_reset();
	route = ROUTE_DONE;
	ios = emulations = crashes = device_maps = 0;
	device_ok = plain_mov = false;
	entry = (struct p2m_entry){ MFN_INVALID, P2M_HOLE, 0 };
}

static enum verdict pio(uint16_t port, uint8_t size, bool write, bool string)
{
	struct vmexit e = { .kind = VMEXIT_PIO, .pio = { port, size, write, string, string } };

	return exit_pio(v, &e);
}

START_TEST(test_in)
{
	static const struct {
		uint8_t size;
		uint64_t data, rax;
	} row[] = {
		{ 1, 0x12, 0xaaaaaaaaaaaaaa12ull },
		{ 1, 0xffffff12, 0xaaaaaaaaaaaaaa12ull },
		{ 2, 0x1234, 0xaaaaaaaaaaaa1234ull },
		{ 4, 0x12345678, 0x12345678 },
		{ 4, 0xffffffff12345678ull, 0x12345678 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(row); i++) {
		v->arch.regs.gpr[GPR_RAX] = 0xaaaaaaaaaaaaaaaaull;
		in_data = row[i].data;
		ck_assert_int_eq(pio(0x3f8, row[i].size, false, false), EXIT_NEXT);
		ck_assert_uint_eq(v->arch.regs.gpr[GPR_RAX], row[i].rax);
		ck_assert(saw.space == IO_PIO && saw.addr == 0x3f8 && saw.size == row[i].size && !saw.write);
	}
	/* The domain died: RAX is as it was. */
	v->arch.regs.gpr[GPR_RAX] = 5;
	route = ROUTE_CRASH;
	ck_assert_int_eq(pio(0x3f8, 1, false, false), EXIT_CRASH);
	ck_assert_uint_eq(v->arch.regs.gpr[GPR_RAX], 5);
}
END_TEST

START_TEST(test_out)
{
	v->arch.regs.gpr[GPR_RAX] = 0x1122334455667788ull;
	ck_assert_int_eq(pio(0xffff, 1, true, false), EXIT_NEXT);
	ck_assert(saw.write && saw.addr == 0xffff && saw.data == 0x88);
	ck_assert_int_eq(pio(0x80, 2, true, false), EXIT_NEXT);
	ck_assert_uint_eq(saw.data, 0x7788);
	ck_assert_int_eq(pio(0x80, 4, true, false), EXIT_NEXT);
	ck_assert_uint_eq(saw.data, 0x55667788);
	ck_assert_uint_eq(v->arch.regs.gpr[GPR_RAX], 0x1122334455667788ull);
	ck_assert_int_eq(pio(0x1f0, 2, true, true), EXIT_RESUME);
	ck_assert_uint_eq(emulations, 1);
	ck_assert_uint_eq(ios, 3);
}
END_TEST

static enum verdict npf(bool write, bool fetch, bool walk)
{
	struct vmexit e = { .kind = VMEXIT_NPF, .npf = { GPA(0xfed00123), write, fetch, false, walk } };

	return exit_npf(v, &e);
}

START_TEST(test_npf)
{
	/* A hole, or the device model's: the instruction is emulated, with the address at hand only meanwhile. */
	ck_assert_int_eq(npf(true, false, false), EXIT_RESUME);
	ck_assert_uint_eq(emulations, 1);
	ck_assert_uint_eq(emulated_gpa, 0xfed00123);
	ck_assert_uint_eq(fake_vcpu.hvm.mmio_gpa, ~0ull);
	entry.type = P2M_MMIO_DM;
	npf(false, false, false);
	ck_assert_uint_eq(emulations, 2);
	/* A change by somebody else has made it fine meanwhile: just again. */
	entry = (struct p2m_entry){ MFN(5), P2M_RAM, 0 };
	ck_assert_int_eq(npf(true, false, false), EXIT_RESUME);
	ck_assert_int_eq(npf(false, true, false), EXIT_RESUME);
	ck_assert_int_eq(npf(true, false, true), EXIT_RESUME);
	ck_assert_uint_eq(emulations, 2);
	/* ROM: reads and fetches are, writes are emulated (and dropped). */
	entry.type = P2M_RAM_RO;
	npf(false, false, false);
	npf(false, true, false);
	ck_assert_uint_eq(emulations, 2);
	npf(true, false, false);
	ck_assert_uint_eq(emulations, 3);
	ck_assert_uint_eq(crashes, 0);
	ck_assert_uint_eq(device_maps, 0);
}
END_TEST

START_TEST(test_npf_hopeless)
{
	ck_assert_int_eq(npf(false, true, false), EXIT_CRASH);
	ck_assert_int_eq(npf(true, false, true), EXIT_CRASH);
	entry = (struct p2m_entry){ MFN(5), P2M_FOREIGN, 0 };
	ck_assert_int_eq(npf(false, true, false), EXIT_CRASH);
	ck_assert_uint_eq(crashes, 3);
	/* An interrupt table, or the stack of a handler, where there is no memory. */
	struct vmexit e = { .kind = VMEXIT_NPF, .npf = { .gpa = GPA(0xfed00000) }, .interrupted = { .valid = true } };

	ck_assert_int_eq(exit_npf(v, &e), EXIT_RESUME);
	entry = (struct p2m_entry){ MFN_INVALID, P2M_HOLE, 0 };
	ck_assert_int_eq(exit_npf(v, &e), EXIT_CRASH);
	ck_assert_uint_eq(crashes, 4);
	ck_assert_uint_eq(emulations, 0);
}
END_TEST

START_TEST(test_npf_dom0)
{
	fake_vcpu.d.flags = DOMF_PRIVILEGED;
	device_ok = true;
	ck_assert_int_eq(npf(false, false, false), EXIT_RESUME);
	ck_assert_uint_eq(device_maps, 1);
	ck_assert_uint_eq(emulations, 0);
	device_ok = false;
	npf(false, false, false);
	ck_assert_uint_eq(emulations, 1);
	/* Only holes become device memory. */
	entry.type = P2M_MMIO_DM;
	npf(false, false, false);
	ck_assert_uint_eq(device_maps, 2);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_in, test_out, test_npf, test_npf_hopeless, test_npf_dom0, NULL };

	return suite_run("exit_io", setup, tests);
}
