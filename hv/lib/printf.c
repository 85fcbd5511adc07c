/* The formatter (contract in printf.h). Pure: no globals, no allocation. */
#include "lib/printf.h"
#include "lib/mem.h"

struct spec {
	bool zero, left, plus, space, alt;
	unsigned int width;
	int precision;                  /* -1: none given */
	unsigned int size;              /* bytes of the integer argument */
};

static void pad(const struct printf_sink *sink, char c, unsigned int n)
{
	for (; n > 0; n--) {
		sink->put(sink->ctx, &c, 1);
	}
}

/* Text within the field width. */
static void put_field(const struct printf_sink *sink, const struct spec *s, const char *text, size_t len)
{
	unsigned int fill = len < s->width ? s->width - (unsigned int)len : 0;

	if (!s->left) {
		pad(sink, ' ', fill);
	}
	sink->put(sink->ctx, text, len);
	if (s->left) {
		pad(sink, ' ', fill);
	}
}

/* A number: sign or "0x", then zeros up to the precision or the width, then digits. */
static void put_number(const struct printf_sink *sink, const struct spec *s, uint64_t v, const char *prefix,
		       unsigned int base, bool upper)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char buf[24];
	unsigned int n = sizeof(buf), len, zeros = 0, fill = 0, prefix_len = (unsigned int)strlen(prefix);

	for (; v; v /= base) {
		buf[--n] = digits[v % base];
	}
	len = (unsigned int)sizeof(buf) - n;
	if (s->precision >= 0) {
		zeros = len < (unsigned int)s->precision ? (unsigned int)s->precision - len : 0;
	} else if (!len) {
		zeros = 1;
	}
	if (len + zeros + prefix_len < s->width) {
		fill = s->width - len - zeros - prefix_len;
	}
	if (s->zero && !s->left && s->precision < 0) {
		zeros += fill;
		fill = 0;
	}
	if (!s->left) {
		pad(sink, ' ', fill);
	}
	sink->put(sink->ctx, prefix, prefix_len);
	pad(sink, '0', zeros);
	sink->put(sink->ctx, buf + n, len);
	if (s->left) {
		pad(sink, ' ', fill);
	}
}

static const char *parse_flags(const char *f, struct spec *s)
{
	for (;; f++) {
		switch (*f) {
		case '0':
			s->zero = true;
			break;
		case '-':
			s->left = true;
			break;
		case '+':
			s->plus = true;
			break;
		case ' ':
			s->space = true;
			break;
		case '#':
			s->alt = true;
			break;
		default:
			return f;
		}
	}
}

static const char *parse_number(const char *f, unsigned int *n)
{
	*n = 0;
	for (; *f >= '0' && *f <= '9'; f++) {
		*n = *n * 10 + (unsigned int)(*f - '0');
	}
	return f;
}

static const char *parse_length(const char *f, struct spec *s)
{
	s->size = sizeof(int);
	switch (*f) {
	case 'h':
		s->size = f[1] == 'h' ? 1 : 2;
		return f + (f[1] == 'h' ? 2 : 1);
	case 'l':
		s->size = 8;
		return f + (f[1] == 'l' ? 2 : 1);
	case 'z':
	case 't':
	case 'j':
		s->size = 8;
		return f + 1;
	default:
		return f;
	}
}

static void put_signed(const struct printf_sink *sink, const struct spec *s, int64_t v)
{
	const char *sign = s->plus ? "+" : s->space ? " " : "";
	uint64_t magnitude = (uint64_t)v;

	if (v < 0) {
		sign = "-";
		magnitude = 0 - magnitude;
	}
	put_number(sink, s, magnitude, sign, 10, false);
}

static void put_string(const struct printf_sink *sink, const struct spec *s, const char *text)
{
	if (!text) {
		text = "(null)";
	}
	put_field(sink, s, text, strnlen(text, s->precision >= 0 ? (size_t)s->precision : SIZE_MAX));
}

/* %p and %pS; returns the next format character. */
static const char *put_pointer(const struct printf_sink *sink, struct spec *s, const char *f, const void *p)
{
	char name[128];

	if (*f == 'S') {
		f++;
		if (sink->symbol && sink->symbol((uint64_t)(uintptr_t)p, name, sizeof(name))) {
			put_field(sink, s, name, strlen(name));
			return f;
		}
	}
	s->precision = 16;
	put_number(sink, s, (uint64_t)(uintptr_t)p, "", 16, false);
	return f;
}

static uint64_t cut(uint64_t v, unsigned int size)
{
	return v & MASK(size * 8);
}

static int64_t extend(int64_t v, unsigned int size)
{
	unsigned int shift = 64 - size * 8;

	return (int64_t)((uint64_t)v << shift) >> shift;
}

/* The va_list travels inside a struct, so that helpers may take it by address. */
struct args {
	va_list ap;
};

static uint64_t next_int(struct args *a, const struct spec *s)
{
	return s->size == 8 ? va_arg(a->ap, uint64_t) : va_arg(a->ap, unsigned int);
}

static const char *parse_spec(const char *f, struct spec *s, struct args *a)
{
	unsigned int n;

	f = parse_flags(f, s);
	if (*f == '*') {
		int w = va_arg(a->ap, int);

		s->left = s->left || w < 0;
		s->width = w < 0 ? 0u - (unsigned int)w : (unsigned int)w;
		f++;
	} else {
		f = parse_number(f, &s->width);
	}
	if (*f == '.') {
		f++;
		if (*f == '*') {
			s->precision = va_arg(a->ap, int);
			f++;
		} else {
			f = parse_number(f, &n);
			s->precision = (int)n;
		}
	}
	return parse_length(f, s);
}

/* One conversion; f points past the '%'. Returns the next format character. */
static const char *convert(const struct printf_sink *sink, const char *f, struct args *a)
{
	struct spec s = { .precision = -1 };
	uint64_t v;
	char c;

	f = parse_spec(f, &s, a);
	switch (*f++) {
	case 'd':
	case 'i':
		put_signed(sink, &s, extend((int64_t)next_int(a, &s), s.size));
		return f;
	case 'u':
		put_number(sink, &s, cut(next_int(a, &s), s.size), "", 10, false);
		return f;
	case 'o':
		put_number(sink, &s, cut(next_int(a, &s), s.size), "", 8, false);
		return f;
	case 'x':
	case 'X':
		v = cut(next_int(a, &s), s.size);
		put_number(sink, &s, v, s.alt && v ? "0x" : "", 16, f[-1] == 'X');
		return f;
	case 'p':
		return put_pointer(sink, &s, f, va_arg(a->ap, const void *));
	case 's':
		put_string(sink, &s, va_arg(a->ap, const char *));
		return f;
	case 'c':
		c = (char)va_arg(a->ap, int);
		put_field(sink, &s, &c, 1);
		return f;
	case '%':
		sink->put(sink->ctx, "%", 1);
		return f;
	default:
		/* Unknown: show it, and do not run past the end. */
		sink->put(sink->ctx, "%?", 2);
		return f[-1] ? f : f - 1;
	}
}

void printf_to(const struct printf_sink *sink, const char *fmt, va_list ap)
{
	struct args a;

	va_copy(a.ap, ap);
	while (*fmt) {
		const char *end = strchr(fmt, '%');
		size_t n = end ? (size_t)(end - fmt) : strlen(fmt);

		if (n) {
			sink->put(sink->ctx, fmt, n);
		}
		fmt += n;
		if (end) {
			fmt = convert(sink, fmt + 1, &a);
		}
	}
	va_end(a.ap);
}

struct str_out {
	char *buf;
	size_t size, len;
};

static void str_put(void *ctx, const char *text, size_t len)
{
	struct str_out *o = ctx;

	if (o->len + 1 < o->size) {
		memcpy(o->buf + o->len, text, MIN(len, o->size - 1 - o->len));
	}
	o->len += len;
}

size_t printf_vstr(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct str_out o = { .buf = buf, .size = size };
	struct printf_sink sink = { .put = str_put, .ctx = &o };

	printf_to(&sink, fmt, ap);
	buf[MIN(o.len, size - 1)] = '\0';
	return o.len;
}

size_t printf_str(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	n = printf_vstr(buf, size, fmt, ap);
	va_end(ap);
	return n;
}
