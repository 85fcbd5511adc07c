/* Private to hvm/: a vCPU's state as the emulator sees it (emul_glue.c). The vCPU's own loop only. */
#ifndef HVM_EMUL_GLUE_H
#define HVM_EMUL_GLUE_H

#include "emul/emul.h"

struct vcpu;

/* Fill a context from the vCPU, with the ops that reach it. */
void emul_glue_load(struct vcpu *v, struct emul_ctxt *c);
/* Have every segment register in it, for who looks at them without the emulator. */
void emul_glue_fetch_all(struct emul_ctxt *c);
/* Take over registers, RIP, RFLAGS, and the segments of c->segs_changed. */
void emul_glue_store(struct vcpu *v, const struct emul_ctxt *c);

#endif
