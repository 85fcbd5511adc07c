/* Debug console: a line buffer. */
#include "lib/mem.h"
#include "dev/debugcon.h"
#include "dev/io8.h"

static void emit(struct debugcon *d)
{
	d->text[d->used] = 0;
	d->used = 0;
	d->host->line(d->host->ctx, d->text);
}

static void put(struct debugcon *d, uint8_t c)
{
	if (c == '\n') {
		emit(d);
		return;
	}
	if (c == '\r') {
		return;
	}
	if (d->used == sizeof(d->text) - 1) {
		emit(d);
	}
	if (c == '\t') {
		c = ' ';
	}
	d->text[d->used++] = c >= 0x20 && c < 0x7f ? c : '?';
}

static enum io_result byte_io(void *dev, uint64_t addr, bool write, uint8_t *value)
{
	if (addr != DEBUGCON_PORT || !write) {
		return IO_UNCLAIMED;
	}
	put(dev, *value);
	return IO_DONE;
}

enum io_result debugcon_io(struct debugcon *d, struct io_access *a)
{
	return io8_run(d, a, byte_io);
}

void debugcon_flush(struct debugcon *d)
{
	if (d->used != 0) {
		emit(d);
	}
}

void debugcon_init(struct debugcon *d, const struct debugcon_host *host)
{
	memset(d, 0, sizeof(*d));
	d->host = host;
}
