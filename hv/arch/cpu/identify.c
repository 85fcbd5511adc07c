/*
 * Host CPU identification (contract in identify.h). What the guests' side needs (VMX, SVM, nested paging) is the vendor
 * back end's question. (Intel SDM and AMD APM, CPUID reference.)
 */
#include "arch/cpu/identify.h"
#include "arch/hw.h"
#include "core/log.h"
#include "core/panic.h"
#include "lib/mem.h"
#include "lib/util.h"

#define CR4_OSFXSR     BIT(9)
#define CR4_OSXMMEXCPT BIT(10)
#define CR4_OSXSAVE    BIT(18)

enum reg { EAX, EBX, ECX, EDX };

struct feature {
	uint32_t leaf, subleaf;
	enum reg reg;
	uint8_t bit;
	bool required;
	const char *name;
};

static const struct feature features[] = {
	{ 1, 0, EDX, 4, true, "TSC" },
	{ 1, 0, EDX, 5, true, "MSR" },
	{ 1, 0, EDX, 9, true, "local APIC" },
	{ 1, 0, EDX, 16, true, "PAT" },
	{ 1, 0, EDX, 24, true, "FXSAVE" },
	{ 1, 0, ECX, 5, false, "VMX" },
	{ 1, 0, ECX, 21, false, "x2APIC" },
	{ 1, 0, ECX, 24, false, "TSC deadline" },
	{ 1, 0, ECX, 26, false, "XSAVE" },
	{ 7, 0, EBX, 0, false, "FSGSBASE" },
	{ 7, 0, EBX, 7, false, "SMEP" },
	{ 7, 0, EBX, 20, false, "SMAP" },
	{ 0x80000001, 0, ECX, 2, false, "SVM" },
	{ 0x80000001, 0, EDX, 26, false, "1 GiB pages" },
	{ 0x80000001, 0, EDX, 27, false, "RDTSCP" },
	{ 0x80000007, 0, EDX, 8, false, "invariant TSC" },
};

static bool has(const struct feature *f)
{
	struct hw_cpuid_regs r;

	hw_cpuid(f->leaf & 0x80000000, 0, &r);
	if (r.eax < f->leaf) {
		return false;
	}
	hw_cpuid(f->leaf, f->subleaf, &r);
	return (f->reg == EAX ? r.eax : f->reg == EBX ? r.ebx : f->reg == ECX ? r.ecx : r.edx) >> f->bit & 1;
}

static void log_name(void)
{
	struct hw_cpuid_regs r;
	char text[49] = "";

	hw_cpuid(0x80000000, 0, &r);
	for (uint32_t i = 0; r.eax >= 0x80000004 && i < 3; i++) {
		struct hw_cpuid_regs part;

		hw_cpuid(0x80000002 + i, 0, &part);
		memcpy(text + i * 16, &part, 16);
	}
	hw_cpuid(0, 0, &r);
	log_info("CPU: %.4s%.4s%.4s %s", (const char *)&r.ebx, (const char *)&r.edx, (const char *)&r.ecx, text);
}

void identify_boot(void)
{
	char line[256] = "";
	size_t n = 0;

	log_name();
	for (unsigned int i = 0; i < ARRAY_SIZE(features); i++) {
		const struct feature *f = &features[i];

		if (has(f)) {
			n += (size_t)str_copy(line + n, n ? ", " : "", sizeof(line) - n) * (n ? 2 : 0);
			str_copy(line + n, f->name, sizeof(line) - n);
			n += strlen(line + n);
		} else if (f->required) {
			panic("Ostler needs a processor with %s", f->name);
		}
	}
	log_info("CPU features: %s", line);
}

void identify_cpu_init(void)
{
	struct hw_cpuid_regs r;
	uint64_t cr4 = hw_read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT;

	hw_cpuid(1, 0, &r);
	if (r.ecx & BIT(26)) {
		cr4 |= CR4_OSXSAVE;
	}
	hw_write_cr4(cr4);
}
