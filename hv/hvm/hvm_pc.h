/* Private to hvm/: the chips of a guest's virtual PC and their wiring (hvm_pc.c). */
#ifndef HVM_HVM_PC_H
#define HVM_HVM_PC_H

struct hvm_domain;

int hvm_pc_init(struct hvm_domain *h);
/* Timers off; nothing calls the chips afterwards. */
void hvm_pc_stop(struct hvm_domain *h);

#endif
