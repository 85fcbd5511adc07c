/*
 * PNG writer: 8-bit RGB, not interlaced, no row filter, one IDAT chunk.
 * Reference: "Portable Network Graphics (PNG) Specification". See png.h.
 */
#include "toolstack/png.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* The reading head in the PPM header. */
struct png_text {
	const uint8_t *at;
	const uint8_t *end;
};

static bool png_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The next decimal number, after blanks and comments. False: none, or above `max`. */
static bool png_number(struct png_text *t, uint32_t max, uint32_t *out)
{
	uint32_t value = 0;
	bool any = false;

	while (t->at < t->end && (png_blank(*t->at) || *t->at == '#')) {
		if (*t->at == '#') {
			while (t->at < t->end && *t->at != '\n') {
				t->at++;
			}
		} else {
			t->at++;
		}
	}
	while (t->at < t->end && *t->at >= '0' && *t->at <= '9') {
		value = value * 10 + (uint32_t)(*t->at++ - '0');
		any = true;
		if (value > max) {
			return false;
		}
	}
	*out = value;
	return any;
}

static bool png_ppm_header(struct png_text *t, uint32_t *width, uint32_t *height)
{
	uint32_t depth;

	if (t->end - t->at < 2 || t->at[0] != 'P' || t->at[1] != '6') {
		return false;
	}
	t->at += 2;
	if (!png_number(t, PNG_MAX_SIDE, width) || !png_number(t, PNG_MAX_SIDE, height) ||
	    !png_number(t, 255, &depth) || *width == 0 || *height == 0 || depth != 255) {
		return false;
	}
	/* Exactly one blank stands before the pixels. */
	if (t->at == t->end || !png_blank(*t->at)) {
		return false;
	}
	t->at++;
	return (uint64_t)(t->end - t->at) >= (uint64_t)*width * *height * 3;
}

static uint8_t *png_put32(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 24);
	at[1] = (uint8_t)(value >> 16);
	at[2] = (uint8_t)(value >> 8);
	at[3] = (uint8_t)value;
	return at + 4;
}

/* A chunk around `len` bytes; `body` may already stand in its place. Returns the end. */
static uint8_t *png_chunk(uint8_t *at, const char type[4], const void *body, uint32_t len)
{
	uint8_t *type_at = at + 4;

	png_put32(at, len);
	memcpy(type_at, type, 4);
	if (len != 0 && body != type_at + 4) {
		memcpy(type_at + 4, body, len);
	}
	return png_put32(type_at + 4 + len, (uint32_t)crc32(0, type_at, len + 4));
}

/* Every row preceded by its filter type, none. */
static uint8_t *png_rows(const uint8_t *pixels, uint32_t width, uint32_t height, size_t *len)
{
	size_t row = (size_t)width * 3;
	uint8_t *rows = malloc((row + 1) * height);

	if (rows == NULL) {
		return NULL;
	}
	for (uint32_t y = 0; y < height; y++) {
		rows[y * (row + 1)] = 0;
		memcpy(rows + y * (row + 1) + 1, pixels + y * row, row);
	}
	*len = (row + 1) * height;
	return rows;
}

int png_from_ppm(const uint8_t *ppm, size_t len, uint8_t **out, size_t *out_len)
{
	static const uint8_t magic[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
	struct png_text text = {.at = ppm, .end = ppm + len};
	uint8_t ihdr[13] = {0};
	uint32_t width;
	uint32_t height;
	uint8_t *rows;
	uint8_t *png;
	uint8_t *at;
	size_t rows_len = 0;
	uLongf packed;
	int rc = 0;

	if (!png_ppm_header(&text, &width, &height)) {
		return -EINVAL;
	}
	rows = png_rows(text.at, width, height, &rows_len);
	packed = compressBound(rows_len);
	png = rows != NULL ? malloc(sizeof(magic) + 12 + sizeof(ihdr) + 12 + packed + 12) : NULL;
	if (png == NULL) {
		rc = -ENOMEM;
		goto free_rows;
	}
	memcpy(png, magic, sizeof(magic));
	png_put32(png_put32(ihdr, width), height);
	ihdr[8] = 8; /* bits for each sample */
	ihdr[9] = 2; /* RGB */
	at = png_chunk(png + sizeof(magic), "IHDR", ihdr, sizeof(ihdr));
	if (compress2(at + 8, &packed, rows, rows_len, 6) != Z_OK) {
		free(png);
		rc = -ENOMEM;
		goto free_rows;
	}
	at = png_chunk(at, "IDAT", at + 8, (uint32_t)packed);
	at = png_chunk(at, "IEND", NULL, 0);
	*out = png;
	*out_len = (size_t)(at - png);
free_rows:
	free(rows);
	return rc;
}
