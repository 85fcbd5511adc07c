/* Private to hvm/: the chips of a guest's virtual PC and their wiring (hvm_pc.c). */
#ifndef HVM_HVM_PC_H
#define HVM_HVM_PC_H

#include <stdbool.h>
#include <stdint.h>

struct domain;
struct hvm_domain;

int hvm_pc_init(struct hvm_domain *h);
/* Timers off; nothing calls the chips afterwards. */
void hvm_pc_stop(struct hvm_domain *h);

/* ticks.c */
/* Does an edge on the wire, or a message, still wait for a vCPU to take it? [LOCK_HVM] */
bool hvm_gsi_waiting(struct hvm_domain *h, unsigned int gsi);
bool hvm_msi_waiting(struct hvm_domain *h, uint64_t addr, uint32_t data);
/* Timer chips worked: remember whether one of them owes ticks. [LOCK_HVM] */
void hvm_ticks_note(struct hvm_domain *h);
/* While h->ticks_owed: a vCPU took an interrupt. */
void hvm_ticks_taken(struct hvm_domain *h);
/* HVM_PARAM_TIMER_MODE: -EINVAL for what it cannot mean. */
int hvm_set_timer_mode(struct domain *d, uint64_t param);

#endif
