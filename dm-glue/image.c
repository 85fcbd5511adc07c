/* Image headers. Contract: image.h. */
#include "dm-glue/image.h"

#include <string.h>

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint64_t be64(const uint8_t *p)
{
	return (uint64_t)be32(p) << 32 | be32(p + 4);
}

static uint64_t le64(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 7; i >= 0; i--) {
		v = v << 8 | p[i];
	}
	return v;
}

#define QCOW2_INCOMPAT_DATA_FILE 0x4

static const char *check_qcow2(const uint8_t *head, size_t len)
{
	if (len < 72 || memcmp(head, "QFI\xfb", 4) != 0) {
		return "not a qcow2 image";
	}
	uint32_t version = be32(head + 4);
	if (version != 2 && version != 3) {
		return "qcow2 version is neither 2 nor 3";
	}
	if (be64(head + 8) != 0) {
		return "the qcow2 image has a backing file, which is not supported: flatten it with "
		       "\"qemu-img convert -O qcow2\"";
	}
	if (version == 3 && len < IMAGE_HEADER) {
		return "qcow2 header is cut short";
	}
	if (version == 3 && (be64(head + 72) & QCOW2_INCOMPAT_DATA_FILE)) {
		return "the qcow2 image has an external data file, which is not supported";
	}
	return NULL;
}

#define QED_BACKING_FILE 0x1

static const char *check_qed(const uint8_t *head, size_t len)
{
	if (len < 64 || memcmp(head, "QED", 4) != 0) {
		return "not a qed image";
	}
	return le64(head + 16) & QED_BACKING_FILE ?
		       "the qed image has a backing file, which is not supported" :
		       NULL;
}

static const char *check_vmdk(const uint8_t *head, size_t len)
{
	/* A text descriptor names its extents; the sparse format carries everything inside. */
	return len < 4 || memcmp(head, "KDMV", 4) != 0 ?
		       "only self-contained (monolithicSparse) vmdk images are supported" :
		       NULL;
}

const char *image_check(enum config_disk_format format, const uint8_t *head, size_t len)
{
	switch (format) {
	case CONFIG_FORMAT_QCOW2:
		return check_qcow2(head, len);
	case CONFIG_FORMAT_QED:
		return check_qed(head, len);
	case CONFIG_FORMAT_VMDK:
		return check_vmdk(head, len);
	case CONFIG_FORMAT_RAW:
	case CONFIG_FORMAT_VPC:
	case CONFIG_FORMAT_VDI:
		break;
	}
	return NULL;
}
