/*
 * Runtime of the micro-guests: start, text, hypercall page, end. Contract in rt.h.
 *
 * Owns the hypercall page and port E9h. Runs on one CPU, interrupts off: no locking.
 */
#include "tests/guest/rt/rt.h"

#include <xen/sched.h>
#include <xen/arch-x86/cpuid.h>

#define DEBUG_PORT 0xe9
#define LEAF_STEP 0x100
#define LEAF_END 0x40010000

#define VECTORS        256
#define STUB_SIZE      16
#define CODE_SELECTOR  0x08
#define GATE_PRESENT32 0x8e00u

extern const uint8_t rt_stubs[];
void rt_interrupt(struct rt_frame *frame);

static uint64_t idt[VECTORS];
static rt_handler handlers[VECTORS];
static uint8_t hypercall_page[4096] __attribute__((aligned(4096)));
static uint32_t xen_leaf;

void *memcpy(void *dst, const void *src, size_t n)
{
	void *d = dst;

	__asm__ volatile("rep movsb" : "+D"(d), "+S"(src), "+c"(n) : : "memory");
	return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
	char *d = dst;
	const char *s = src;

	if (d <= s || d >= s + n) {
		return memcpy(dst, src, n);
	}
	while (n-- > 0) {
		d[n] = s[n];
	}
	return dst;
}

void *memset(void *dst, int byte, size_t n)
{
	void *d = dst;

	__asm__ volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(byte) : "memory");
	return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;

	for (size_t i = 0; i < n; i++) {
		if (x[i] != y[i]) {
			return x[i] - y[i];
		}
	}
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n] != '\0') {
		n++;
	}
	return n;
}

int strcmp(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return (unsigned char)*a - (unsigned char)*b;
}

void rt_putc(char c)
{
	outb(DEBUG_PORT, (uint8_t)c);
}

void rt_puts(const char *text)
{
	while (*text != '\0') {
		rt_putc(*text++);
	}
}

/* One step of a 64-bit division by a small number, without the compiler's library. */
static uint64_t div_small(uint64_t value, uint32_t by, uint32_t *remainder)
{
	uint32_t high = (uint32_t)(value >> 32), low = (uint32_t)value;
	uint32_t quotient_high = high / by, rest = high % by;

	__asm__("divl %2" : "+a"(low), "+d"(rest) : "rm"(by));
	*remainder = rest;
	return ((uint64_t)quotient_high << 32) | low;
}

static void put_number(uint64_t value, uint32_t base, unsigned int width, bool zero)
{
	char digits[24];
	unsigned int n = 0;
	uint32_t digit;

	do {
		value = div_small(value, base, &digit);
		digits[n++] = "0123456789abcdef"[digit];
	} while (value != 0);
	for (unsigned int i = n; i < width; i++) {
		rt_putc(zero ? '0' : ' ');
	}
	while (n > 0) {
		rt_putc(digits[--n]);
	}
}

/* The argument list is passed by address: va_list may be an array type. */
static void put_integer(char kind, unsigned int longs, unsigned int width, bool zero, va_list *args)
{
	uint64_t value = longs == 2 ? va_arg(*args, uint64_t) : va_arg(*args, unsigned int);

	if (kind == 'd') {
		int64_t number = longs == 2 ? (int64_t)value : (int32_t)(uint32_t)value;

		if (number < 0) {
			rt_putc('-');
		}
		value = number < 0 ? -(uint64_t)number : (uint64_t)number;
	}
	put_number(value, kind == 'x' || kind == 'p' ? 16 : 10, width, zero);
}

/* One conversion after its '%'; returns the character after it. */
static const char *put_conversion(const char *p, va_list *args)
{
	unsigned int width = 0, longs = 0;
	bool zero = *p == '0';

	for (; *p >= '0' && *p <= '9'; p++) {
		width = width * 10 + (unsigned int)(*p - '0');
	}
	for (; *p == 'l'; p++) {
		longs++;
	}
	switch (*p) {
	case 's':
		rt_puts(va_arg(*args, const char *));
		break;
	case 'c':
		rt_putc((char)va_arg(*args, int));
		break;
	case 'd':
	case 'u':
	case 'x':
	case 'p':
		put_integer(*p, longs, width, zero, args);
		break;
	default:
		rt_putc(*p);
		break;
	}
	return p + 1;
}

void rt_printf(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	while (*format != '\0') {
		if (*format == '%' && format[1] != '\0') {
			format = put_conversion(format + 1, &args);
		} else {
			rt_putc(*format++);
		}
	}
	va_end(args);
}

uint32_t rt_xen_leaf(void)
{
	return xen_leaf;
}

static uint32_t find_xen_leaf(void)
{
	uint32_t r[4];

	for (uint32_t leaf = XEN_CPUID_FIRST_LEAF; leaf < LEAF_END; leaf += LEAF_STEP) {
		cpuid(leaf, 0, r);
		if (r[1] == XEN_CPUID_SIGNATURE_EBX && r[2] == XEN_CPUID_SIGNATURE_ECX &&
		    r[3] == XEN_CPUID_SIGNATURE_EDX && r[0] - leaf >= 2) {
			return leaf;
		}
	}
	return 0;
}

static void hypercall_setup(void)
{
	uint32_t r[4];

	xen_leaf = find_xen_leaf();
	if (xen_leaf == 0) {
		rt_puts("guest: no hypervisor found by CPUID\n");
		return;
	}
	cpuid(xen_leaf + 2, 0, r);
	wrmsr(r[1], (uint32_t)(uintptr_t)hypercall_page);
}

long rt_hypercall(unsigned int nr, unsigned long a1, unsigned long a2, unsigned long a3,
		  unsigned long a4, unsigned long a5)
{
	long result;

	__asm__ volatile("call *%[stub]"
			 : "=a"(result), "+b"(a1), "+c"(a2), "+d"(a3), "+S"(a4), "+D"(a5)
			 : [stub] "0"(hypercall_page + nr * 32)
			 : "memory", "cc");
	return result;
}

void rt_shutdown(unsigned int reason)
{
	struct sched_shutdown request = { .reason = reason };

	if (xen_leaf != 0) {
		(void)rt_hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown, (uintptr_t)&request, 0,
				   0, 0);
		rt_puts("guest: shutdown hypercall returned\n");
	}
	for (;;) {
		__asm__ volatile("cli; hlt");
	}
}

void rt_poweroff(void)
{
	rt_shutdown(SHUTDOWN_poweroff);
}

void rt_fail(const char *file, int line, const char *what)
{
	rt_printf("FAIL %s:%d: %s\n", file, line, what);
	rt_shutdown(SHUTDOWN_crash);
}

void rt_set_handler(uint8_t vector, rt_handler handler)
{
	handlers[vector] = handler;
}

/* From start.S, for every vector. */
void rt_interrupt(struct rt_frame *f)
{
	if (handlers[f->vector] != NULL) {
		handlers[f->vector](f);
		return;
	}
	rt_printf("FAIL vector %u, error code %x, at %08x, eflags %08x\n", f->vector, f->error,
		  f->eip, f->eflags);
	rt_shutdown(SHUTDOWN_crash);
}

void rt_load_idt(void)
{
	struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) pointer = { sizeof(idt) - 1, (uint32_t)(uintptr_t)idt };

	__asm__ volatile("lidt %0" : : "m"(pointer));
}

static void idt_setup(void)
{
	for (uint32_t i = 0; i < VECTORS; i++) {
		uint32_t stub = (uint32_t)(uintptr_t)rt_stubs + i * STUB_SIZE;

		idt[i] = (uint64_t)((stub & 0xffff0000) | GATE_PRESENT32) << 32 |
			 CODE_SELECTOR << 16 | (stub & 0xffff);
	}
	rt_load_idt();
}

/* Called by start.S with the loader's structure. */
_Noreturn void rt_start(const struct hvm_start_info *info);
_Noreturn void rt_start(const struct hvm_start_info *info)
{
	int result;

	idt_setup();
	hypercall_setup();
	if (info == NULL || info->magic != XEN_HVM_START_MAGIC_VALUE) {
		rt_fail(__FILE__, __LINE__, "EBX does not point to a start info");
	}
	result = guest_main(info);
	if (result != 0) {
		rt_printf("FAIL guest_main returned %d\n", result);
		rt_shutdown(SHUTDOWN_crash);
	}
	rt_poweroff();
}
