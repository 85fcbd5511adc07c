/*
 * A QEMU that sends anything, cut anywhere. Oracle: no memory error or leak, the limits hold, only
 * documented results, and a broken stream stays broken.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "dm-glue/qmp_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Pieces that random bytes would hardly ever spell. */
static const char *const words[] = {
	"{\"return\":", "{\"QMP\":", "{\"error\":{\"class\":\"a\",\"desc\":\"b\"}}", "\"event\":\"E\"",
	"\"id\":1", "{", "}", "[", "]", ",", "\r\n", "\"", "\\u00e9", "null", "true", "1e99",
	"-9223372036854775809", "\"data\":{}", ":", "\\",
};

#define WORDS (sizeof(words) / sizeof(words[0]))

static void must(int condition)
{
	if (!condition) {
		abort();
	}
}

static void take_all(struct qmp_wire *wire)
{
	struct qmp_msg msg;
	int rc;

	while ((rc = qmp_wire_next(wire, &msg)) == 0) {
		must(msg.tree != NULL);
		must((msg.kind == QMP_EVENT || msg.kind == QMP_ERROR) == (msg.name != NULL));
		must((msg.kind == QMP_ERROR) == (msg.text != NULL));
		must(msg.kind == QMP_EVENT || msg.kind == QMP_ERROR || msg.value != NULL);
		qmp_msg_free(&msg);
	}
	must(rc == -EAGAIN || rc == -EPROTO);
	must((rc == -EPROTO) == wire->broken);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct qmp_wire wire = { 0 };

	for (size_t i = 0; i < size;) {
		int rc;

		if (data[i] >= 0xe0) {
			const char *word = words[data[i] % WORDS];
			rc = qmp_wire_feed(&wire, word, strlen(word));
			i++;
		} else {
			size_t n = 1 + data[i] % 16;

			n = n < size - i ? n : size - i;
			rc = qmp_wire_feed(&wire, data + i, n);
			i += n;
		}
		must(rc == 0 || (rc == -EMSGSIZE && wire.broken));
		must(wire.cap <= 8 * QMP_WIRE_MAX);
		if (data[i < size ? i : size - 1] & 1) {
			take_all(&wire);
		}
	}
	take_all(&wire);
	qmp_wire_free(&wire);
	return 0;
}
