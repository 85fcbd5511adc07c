/* Private to hvm/: the emulator's operations on processor state other than memory (emul_cpu.c). */
#ifndef HVM_EMUL_CPU_H
#define HVM_EMUL_CPU_H

#include "emul/emul.h"

enum emul_result emul_cpu_read_cr(struct emul_ctxt *c, unsigned int cr, uint64_t *value);
enum emul_result emul_cpu_write_cr(struct emul_ctxt *c, unsigned int cr, uint64_t value);
enum emul_result emul_cpu_read_dr(struct emul_ctxt *c, unsigned int dr, uint64_t *value);
enum emul_result emul_cpu_write_dr(struct emul_ctxt *c, unsigned int dr, uint64_t value);
enum emul_result emul_cpu_read_msr(struct emul_ctxt *c, uint32_t msr, uint64_t *value);
enum emul_result emul_cpu_write_msr(struct emul_ctxt *c, uint32_t msr, uint64_t value);
enum emul_result emul_cpu_cpuid(struct emul_ctxt *c, uint32_t regs[4]);
enum emul_result emul_cpu_load_seg(struct emul_ctxt *c, enum emul_seg seg, uint16_t sel);
enum emul_result emul_cpu_code_seg(struct emul_ctxt *c, uint16_t sel, struct emul_segment *s);
enum emul_result emul_cpu_read_table(struct emul_ctxt *c, bool idt, struct emul_table *t);
enum emul_result emul_cpu_write_table(struct emul_ctxt *c, bool idt, const struct emul_table *t);
enum emul_result emul_cpu_read_system(struct emul_ctxt *c, bool task, uint16_t *sel);
enum emul_result emul_cpu_load_system(struct emul_ctxt *c, bool task, uint16_t sel);

#endif
