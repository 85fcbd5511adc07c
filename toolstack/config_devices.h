/*
 * Handlers of the elements under domain/devices. Private to config_*.c; called by the walk of
 * config_xml.c in document order, each with the reader standing on its element.
 */
#ifndef TOOLSTACK_CONFIG_DEVICES_H
#define TOOLSTACK_CONFIG_DEVICES_H

#include "toolstack/config_read.h"

void config_dev_emulator(struct cx *cx, xmlNode *node);
void config_dev_disk(struct cx *cx, xmlNode *node);
void config_dev_disk_driver(struct cx *cx, xmlNode *node);
void config_dev_disk_source(struct cx *cx, xmlNode *node);
void config_dev_disk_target(struct cx *cx, xmlNode *node);
void config_dev_disk_readonly(struct cx *cx, xmlNode *node);
void config_dev_disk_shareable(struct cx *cx, xmlNode *node);
void config_dev_disk_serial(struct cx *cx, xmlNode *node);
void config_dev_boot(struct cx *cx, xmlNode *node);
void config_dev_nic(struct cx *cx, xmlNode *node);
void config_dev_nic_mac(struct cx *cx, xmlNode *node);
void config_dev_nic_source(struct cx *cx, xmlNode *node);
void config_dev_nic_script(struct cx *cx, xmlNode *node);
void config_dev_nic_model(struct cx *cx, xmlNode *node);
void config_dev_nic_target(struct cx *cx, xmlNode *node);
void config_dev_nic_link(struct cx *cx, xmlNode *node);
void config_dev_graphics(struct cx *cx, xmlNode *node);
void config_dev_listen(struct cx *cx, xmlNode *node);
void config_dev_video_model(struct cx *cx, xmlNode *node);
void config_dev_serial(struct cx *cx, xmlNode *node);
void config_dev_parallel(struct cx *cx, xmlNode *node);
void config_dev_console(struct cx *cx, xmlNode *node);
void config_dev_chr_source(struct cx *cx, xmlNode *node);
void config_dev_chr_target(struct cx *cx, xmlNode *node);
void config_dev_chr_protocol(struct cx *cx, xmlNode *node);
void config_dev_input(struct cx *cx, xmlNode *node);
void config_dev_controller(struct cx *cx, xmlNode *node);
void config_dev_sound(struct cx *cx, xmlNode *node);
void config_dev_memballoon(struct cx *cx, xmlNode *node);
void config_dev_rng(struct cx *cx, xmlNode *node);
void config_dev_rng_backend(struct cx *cx, xmlNode *node);
void config_dev_watchdog(struct cx *cx, xmlNode *node);

#endif
