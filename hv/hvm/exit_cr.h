/* Private to hvm/: control and debug registers with all their checks (exit_cr.c). */
#ifndef HVM_EXIT_CR_H
#define HVM_EXIT_CR_H

#include <stdint.h>

struct vcpu;

/* 0; -ENOENT: no such register (#UD); -EINVAL: the value is refused (#GP). */
int hvm_cr_read(struct vcpu *v, unsigned int cr, uint64_t *value);
int hvm_cr_write(struct vcpu *v, unsigned int cr, uint64_t value);
/* What 32-bit PAE paging keeps in the processor, after set_sys() changed CR0, CR3 or CR4: 0, or -EINVAL for #GP. */
int hvm_load_pdptes(struct vcpu *v);
int hvm_dr_read(struct vcpu *v, unsigned int dr, uint64_t *value);
int hvm_dr_write(struct vcpu *v, unsigned int dr, uint64_t value);

#endif
