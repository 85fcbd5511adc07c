/*
 * The domain XML reader with arbitrary bytes: no crash, no leak, and a verdict that agrees with
 * itself
 * (a configuration exactly when there is no error). What loads is within the limits that builders
 * trust.
 *
 * Random bytes hardly ever are XML, so the input also drives a generator: each byte picks a piece
 * of a
 * document from a list.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const pieces[] = {
	"<domain type='xen'>", "</domain>", "<name>g</name>", "<memory unit='MiB'>64</memory>",
	"<devices>", "</devices>", "<disk type='file' device='disk'>", "</disk>",
	"<source file='/a'/>", "<target dev='hda' bus='ide'/>", "<target dev='sdq' bus='sata'/>",
	"<boot order='1'/>", "<boot order='999'/>", "<interface type='user'>", "</interface>",
	"<mac address='00:16:3e:00:00:01'/>", "<serial type='pty'/>", "<serial type='tcp'>",
	"<source mode='bind' host='h' service='1'/>", "</serial>", "<console type='pty'/>",
	"<vcpu current='1'>128</vcpu>", "<os>", "</os>", "<boot dev='hd'/>", "<boot dev='cdrom'/>",
	"<features>", "</features>", "<acpi/>", "<hyperv>", "</hyperv>", "<vapic state='on'/>",
	"<clock offset='variable' adjustment='5'/>", "<graphics type='vnc' passwd='123456789'/>",
	"<video>", "</video>", "<model type='vga' vram='1'/>", "<model type='e1000'/>",
	"<cpu mode='custom'>", "</cpu>", "<feature policy='disable' name='x'/>", "<!-- < -->",
	"<![CDATA[<x>]]>", "&amp;", "&#65;", "&bad;", "<?pi ?>", "\n", "\t", "<x:y xmlns:x='u'/>",
	"<uuid>00000000000000000000000000000000</uuid>", "<currentMemory>1</currentMemory>",
	"<memory unit='EiB'>99999999999999999999</memory>", "<readonly/>", "<driver type='qcow2'/>",
	"<input type='tablet' bus='usb'/>", "<on_crash>coredump-restart</on_crash>", "<a b=", "'", ">",
	"\xc3\xa4", "\xff", "<disk type='file' device='cdrom'>", "<!DOCTYPE d []>",
};

#define NR_PIECES (sizeof(pieces) / sizeof(pieces[0]))

static void run(const char *text, size_t len)
{
	struct config_diags diags = {0};
	struct guest_config *cfg = NULL;
	int rc = config_load_text("fuzz", text, len, &cfg, &diags);

	if ((rc == 0) != (cfg != NULL) || (rc == 0) != (diags.errors == 0)) {
		abort();
	}
	if (cfg != NULL &&
	    (cfg->name == NULL || cfg->nr_boot == 0 || cfg->vcpus == 0 ||
	     cfg->vcpus > cfg->max_vcpus || cfg->max_vcpus > CONFIG_MAX_VCPUS ||
	     cfg->current_memory_kib > cfg->memory_kib ||
	     cfg->current_memory_kib < cfg->video_ram_kib + 2048 || cfg->memory_kib % 1024 != 0)) {
		abort();
	}
	config_diags_free(&diags);
	config_free(cfg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[65536];
	size_t len = 0;

	run((const char *)data, size);
	if (size == 0) {
		return 0;
	}
	/* Half of the generated documents have a sound frame, to get past the first checks. */
	if ((data[0] & 1) != 0) {
		len += (size_t)snprintf(text, sizeof(text), "%s%s%s", pieces[0], pieces[2], pieces[3]);
	}
	for (size_t i = 1; i < size; i++) {
		const char *piece = pieces[data[i] % NR_PIECES];
		size_t n = strlen(piece);

		if (len + n + 16 > sizeof(text)) {
			break;
		}
		memcpy(text + len, piece, n);
		len += n;
	}
	if ((data[0] & 1) != 0) {
		memcpy(text + len, "</domain>", 9);
		len += 9;
	}
	run(text, len);
	return 0;
}
