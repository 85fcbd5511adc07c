# The hypervisor: ostler.elf, a freestanding ELF64 image loaded at 2 MiB.
#
# It is compiled by explicit rules with flags of its own: with an automake program a user's CFLAGS
# would come last, and a packager's -fPIE or -fstack-protector must not reach code that has no
# operating system below it.
#
# One list per folder, one file a line: a new file is a new line in its folder's list.

# lib: pure helpers (L0)
HV_LIB_SRCS =
HV_LIB_SRCS += hv/lib/bitmap.c
HV_LIB_SRCS += hv/lib/calendar.c
HV_LIB_SRCS += hv/lib/div128.c
HV_LIB_SRCS += hv/lib/elf.c
HV_LIB_SRCS += hv/lib/libgcc.c
HV_LIB_SRCS += hv/lib/mem.c
HV_LIB_SRCS += hv/lib/printf.c
HV_LIB_SRCS += hv/lib/rangeset.c
HV_LIB_SRCS += hv/lib/str.c

# core: services that know nothing of guests (L2)
HV_CORE_SRCS =
HV_CORE_SRCS += hv/core/backtrace.c
HV_CORE_SRCS += hv/core/buddy.c
HV_CORE_SRCS += hv/core/cmdline.c
HV_CORE_SRCS += hv/core/console.c
HV_CORE_SRCS += hv/core/counters.c
HV_CORE_SRCS += hv/core/heap.c
HV_CORE_SRCS += hv/core/keyhandler.c
HV_CORE_SRCS += hv/core/log.c
HV_CORE_SRCS += hv/core/page_alloc.c
HV_CORE_SRCS += hv/core/panic.c
HV_CORE_SRCS += hv/core/percpu.c
HV_CORE_SRCS += hv/core/sched.c
HV_CORE_SRCS += hv/core/sched_credit.c
HV_CORE_SRCS += hv/core/sched_place.c
HV_CORE_SRCS += hv/core/sched_queue.c
HV_CORE_SRCS += hv/core/selftest.c
HV_CORE_SRCS += hv/core/smp.c
HV_CORE_SRCS += hv/core/softirq.c
HV_CORE_SRCS += hv/core/spinlock.c
HV_CORE_SRCS += hv/core/symtab.c
HV_CORE_SRCS += hv/core/timer.c
HV_CORE_SRCS += hv/core/timer_queue.c
HV_CORE_SRCS += hv/core/trace.c

# arch/boot: from the boot loader to C (L3)
HV_BOOT_SRCS =
HV_BOOT_SRCS += hv/arch/boot/head.S
HV_BOOT_SRCS += hv/arch/boot/early.c
HV_BOOT_SRCS += hv/arch/boot/memmap.c
HV_BOOT_SRCS += hv/arch/boot/memplan.c
HV_BOOT_SRCS += hv/arch/boot/multiboot1.c
HV_BOOT_SRCS += hv/arch/boot/multiboot2.c
HV_BOOT_SRCS += hv/arch/boot/trampoline.S

# arch/cpu: the machine's processors and timers (L3)
HV_CPU_SRCS =
HV_CPU_SRCS += hv/arch/cpu/acpi.c
HV_CPU_SRCS += hv/arch/cpu/acpi_tables.c
HV_CPU_SRCS += hv/arch/cpu/desc.c
HV_CPU_SRCS += hv/arch/cpu/identify.c
HV_CPU_SRCS += hv/arch/cpu/irq.c
HV_CPU_SRCS += hv/arch/cpu/lapic.c
HV_CPU_SRCS += hv/arch/cpu/mem.S
HV_CPU_SRCS += hv/arch/cpu/nmi_mce.c
HV_CPU_SRCS += hv/arch/cpu/paging.c
HV_CPU_SRCS += hv/arch/cpu/reset.c
HV_CPU_SRCS += hv/arch/cpu/smp_boot.c
HV_CPU_SRCS += hv/arch/cpu/stack_switch.S
HV_CPU_SRCS += hv/arch/cpu/time.c
HV_CPU_SRCS += hv/arch/cpu/traps.c
HV_CPU_SRCS += hv/arch/cpu/traps_entry.S
HV_CPU_SRCS += hv/arch/cpu/uart.c
HV_CPU_SRCS += hv/arch/cpu/vga.c
HV_CPU_SRCS += hv/arch/cpu/x87.c
HV_CPU_SRCS += hv/arch/cpu/x87_stubs.S
HV_CPU_SRCS += hv/arch/cpu/xstate.c

# arch/svm: AMD back end (L3)
HV_SVM_SRCS =
HV_SVM_SRCS += hv/arch/svm/caps.c
HV_SVM_SRCS += hv/arch/svm/enter.c
HV_SVM_SRCS += hv/arch/svm/entry.S
HV_SVM_SRCS += hv/arch/svm/exit.c
HV_SVM_SRCS += hv/arch/svm/inject.c
HV_SVM_SRCS += hv/arch/svm/msrpm.c
HV_SVM_SRCS += hv/arch/svm/npt.c
HV_SVM_SRCS += hv/arch/svm/state.c
HV_SVM_SRCS += hv/arch/svm/vmcb.c
HV_SVM_SRCS += hv/arch/virt.c

# arch/vmx: Intel back end (L3)
HV_VMX_SRCS =
HV_VMX_SRCS += hv/arch/vmx/apicv.c
HV_VMX_SRCS += hv/arch/vmx/caps.c
HV_VMX_SRCS += hv/arch/vmx/check.c
HV_VMX_SRCS += hv/arch/vmx/controls.c
HV_VMX_SRCS += hv/arch/vmx/enter.c
HV_VMX_SRCS += hv/arch/vmx/entry.S
HV_VMX_SRCS += hv/arch/vmx/ept.c
HV_VMX_SRCS += hv/arch/vmx/exit.c
HV_VMX_SRCS += hv/arch/vmx/inject.c
HV_VMX_SRCS += hv/arch/vmx/msrs.c
HV_VMX_SRCS += hv/arch/vmx/state.c
HV_VMX_SRCS += hv/arch/vmx/vmcs.c

# dom: domains and the services offered to them (L4)
HV_DOM_SRCS =
HV_DOM_SRCS += hv/dom/crash.c
HV_DOM_SRCS += hv/dom/domain.c
HV_DOM_SRCS += hv/dom/evtchn.c
HV_DOM_SRCS += hv/dom/grant.c
HV_DOM_SRCS += hv/dom/grant_copy.c
HV_DOM_SRCS += hv/dom/grant_map.c
HV_DOM_SRCS += hv/dom/guest_copy.c
HV_DOM_SRCS += hv/dom/guest_walk.c
HV_DOM_SRCS += hv/dom/iorange.c
HV_DOM_SRCS += hv/dom/ioreq_server.c
HV_DOM_SRCS += hv/dom/p2m.c
HV_DOM_SRCS += hv/dom/p2m_tree.c
HV_DOM_SRCS += hv/dom/populate.c
HV_DOM_SRCS += hv/dom/shared_info.c
HV_DOM_SRCS += hv/dom/vcpu.c

# hvm: what an exit means (L5)
HV_HVM_SRCS =
HV_HVM_SRCS += hv/hvm/cpu_features.c
HV_HVM_SRCS += hv/hvm/cpuid_policy.c
HV_HVM_SRCS += hv/hvm/topology.c
HV_HVM_SRCS += hv/hvm/dom0_acpi.c
HV_HVM_SRCS += hv/hvm/dom0_build.c
HV_HVM_SRCS += hv/hvm/dump.c
HV_HVM_SRCS += hv/hvm/emul_cpu.c
HV_HVM_SRCS += hv/hvm/emul_glue.c
HV_HVM_SRCS += hv/hvm/exit.c
HV_HVM_SRCS += hv/hvm/exit_cr.c
HV_HVM_SRCS += hv/hvm/exit_io.c
HV_HVM_SRCS += hv/hvm/exit_mem.c
HV_HVM_SRCS += hv/hvm/exit_msr.c
HV_HVM_SRCS += hv/hvm/exit_task.c
HV_HVM_SRCS += hv/hvm/hvm_domain.c
HV_HVM_SRCS += hv/hvm/hvm_params.c
HV_HVM_SRCS += hv/hvm/hvm_pc.c
HV_HVM_SRCS += hv/hvm/hvm_vcpu.c
HV_HVM_SRCS += hv/hvm/inject.c
HV_HVM_SRCS += hv/hvm/intr.c
HV_HVM_SRCS += hv/hvm/io.c
HV_HVM_SRCS += hv/hvm/ioreq_client.c
HV_HVM_SRCS += hv/hvm/loop.c
HV_HVM_SRCS += hv/hvm/mmio_mov.c
HV_HVM_SRCS += hv/hvm/stats.c
HV_HVM_SRCS += hv/hvm/ticks.c

# abi: the hypercall front (L6)
HV_ABI_SRCS =
HV_ABI_SRCS += hv/abi/abi_check.c
HV_ABI_SRCS += hv/abi/access.c
HV_ABI_SRCS += hv/abi/dm_op.c
HV_ABI_SRCS += hv/abi/domain_info.c
HV_ABI_SRCS += hv/abi/cpu_policy.c
HV_ABI_SRCS += hv/abi/domctl.c
HV_ABI_SRCS += hv/abi/domctl_sched.c
HV_ABI_SRCS += hv/abi/hc_evtchn.c
HV_ABI_SRCS += hv/abi/hc_grant.c
HV_ABI_SRCS += hv/abi/hc_hvm.c
HV_ABI_SRCS += hv/abi/hc_memory.c
HV_ABI_SRCS += hv/abi/hc_misc.c
HV_ABI_SRCS += hv/abi/hc_ostler.c
HV_ABI_SRCS += hv/abi/hc_physmap.c
HV_ABI_SRCS += hv/abi/hc_platform.c
HV_ABI_SRCS += hv/abi/hc_sched.c
HV_ABI_SRCS += hv/abi/hc_vcpu.c
HV_ABI_SRCS += hv/abi/hvm_context.c
HV_ABI_SRCS += hv/abi/hypercall.c
HV_ABI_SRCS += hv/abi/sysctl.c

# dev: device models, pure (L3)
HV_DEV_SRCS =
HV_DEV_SRCS += hv/dev/bus.c
HV_DEV_SRCS += hv/dev/debugcon.c
HV_DEV_SRCS += hv/dev/irqline.c
HV_DEV_SRCS += hv/dev/vhpet.c
HV_DEV_SRCS += hv/dev/vioapic.c
HV_DEV_SRCS += hv/dev/vlapic.c
HV_DEV_SRCS += hv/dev/vlapic_ipi.c
HV_DEV_SRCS += hv/dev/vlapic_run.c
HV_DEV_SRCS += hv/dev/vlapic_timer.c
HV_DEV_SRCS += hv/dev/vmsi.c
HV_DEV_SRCS += hv/dev/vpic.c
HV_DEV_SRCS += hv/dev/vpit.c
HV_DEV_SRCS += hv/dev/vpmtimer.c
HV_DEV_SRCS += hv/dev/vrtc.c
HV_DEV_SRCS += hv/dev/vtick.c

# emul: instruction emulator, pure (L3)
HV_EMUL_SRCS =
HV_EMUL_SRCS += hv/emul/decode.c
HV_EMUL_SRCS += hv/emul/emul.c
HV_EMUL_SRCS += hv/emul/exec_alu.c
HV_EMUL_SRCS += hv/emul/exec_bits.c
HV_EMUL_SRCS += hv/emul/exec_evex.c
HV_EMUL_SRCS += hv/emul/exec_flow.c
HV_EMUL_SRCS += hv/emul/exec_lanes.c
HV_EMUL_SRCS += hv/emul/exec_move.c
HV_EMUL_SRCS += hv/emul/exec_simd.c
HV_EMUL_SRCS += hv/emul/exec_string.c
HV_EMUL_SRCS += hv/emul/exec_desc.c
HV_EMUL_SRCS += hv/emul/exec_sys.c
HV_EMUL_SRCS += hv/emul/exec_x87.c
HV_EMUL_SRCS += hv/emul/flags.c
HV_EMUL_SRCS += hv/emul/mov.c
HV_EMUL_SRCS += hv/emul/operand.c
HV_EMUL_SRCS += hv/emul/optable.c
HV_EMUL_SRCS += hv/emul/task_switch.c

# ioreq: both ends of the I/O request ring, pure (L0)
HV_IOREQ_SRCS =
HV_IOREQ_SRCS += ioreq/slot.c
HV_IOREQ_SRCS += ioreq/bufring.c

# start-up order and debug keys (L7)
HV_TOP_SRCS =
HV_TOP_SRCS += hv/init.c
HV_TOP_SRCS += hv/keys.c

HV_PURE_SRCS = $(HV_LIB_SRCS) $(HV_DEV_SRCS) $(HV_EMUL_SRCS) $(HV_IOREQ_SRCS)
HV_SRCS = $(HV_BOOT_SRCS) $(HV_TOP_SRCS) $(HV_CORE_SRCS) $(HV_CPU_SRCS) $(HV_SVM_SRCS) $(HV_VMX_SRCS) \
	$(HV_DOM_SRCS) $(HV_HVM_SRCS) $(HV_ABI_SRCS) $(HV_PURE_SRCS)

HV_OBJS = $(patsubst %,hv/obj/%.o,$(basename $(HV_SRCS)))
HV_OFFSETS = hv/gen/asm_offsets.h
HV_GEN = $(HV_OFFSETS) hv/include/xen

# Of the system's headers only <xen/...> and the compiler's own are visible.
HV_INCLUDES = -nostdinc -isystem $(GCC_INCLUDE_DIR) -isystem hv/include -I$(srcdir)/hv -I$(srcdir) -Ihv/gen \
	-D__XEN_TOOLS__ $(HV_DEBUG_FLAGS) -DOSTLER_VERSION='"$(PACKAGE_VERSION)"'
HV_MACHINE_FLAGS = -m64 -march=x86-64 -mcmodel=kernel -mno-red-zone -mgeneral-regs-only
HV_CC_FLAGS = -std=gnu17 -ffreestanding $(HV_MACHINE_FLAGS) -O2 -g $(WARN_FLAGS) -fno-pic -fno-pie \
	-fno-stack-protector -fcf-protection=none -fno-omit-frame-pointer -fno-strict-aliasing \
	-fno-asynchronous-unwind-tables -fno-common -fno-delete-null-pointer-checks -U_FORTIFY_SOURCE \
	$(HV_EXTRA_CFLAGS)
HV_LINK_FLAGS = -m64 -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-z,noexecstack \
	-Wl,-z,max-page-size=4096 -Wl,--no-warn-rwx-segments
HV_CC = $(CC) $(HV_INCLUDES) $(HV_CC_FLAGS)
# With link-time optimisation the link is a compilation: it takes the same flags.
HV_LINK = $(CC) $(HV_LINK_FLAGS) $(if $(HV_LTO_FLAGS),$(HV_CC_FLAGS) $(HV_LTO_FLAGS))

noinst_DATA += hv/ostler.elf
EXTRA_DIST += hv/hv.lds.S hv/arch/asm_offsets.c hv/tools/mksymtab.c hv/tools/mkoffsets.sh $(HV_SRCS)
EXTRA_DIST += $(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/hv/*.h $(srcdir)/hv/*/*.h $(srcdir)/hv/*/*/*.h \
	$(srcdir)/hv/README.md $(srcdir)/hv/*/README.md))

hv/include/xen:
	@$(MKDIR_P) $(@D)
	$(AM_V_GEN)ln -sfn $(XEN_HEADER_DIR) $@

# Structure offsets for assembly: the compiler computes them, nobody types them.
hv/gen/asm_offsets.h: $(srcdir)/hv/arch/asm_offsets.c $(srcdir)/hv/tools/mkoffsets.sh | hv/include/xen
	@$(MKDIR_P) $(@D)
	$(AM_V_GEN)$(HV_CC) -MD -MP -MF hv/gen/asm_offsets.d -MT $@ -S -o hv/gen/asm_offsets.s $< && \
		$(SHELL) $(srcdir)/hv/tools/mkoffsets.sh hv/gen/asm_offsets.s > $@.tmp && mv $@.tmp $@

$(HV_OBJS): | $(HV_GEN)

hv/obj/%.o: $(srcdir)/%.c
	@$(MKDIR_P) $(@D)
	$(AM_V_CC)$(HV_CC) $(HV_LTO_FLAGS) -MD -MP -MF $(@:.o=.d) -c -o $@ $<

# The compiler finds calls of these only after it has chosen what to keep.
hv/obj/hv/lib/mem.o hv/obj/hv/lib/libgcc.o: HV_LTO_FLAGS =

hv/obj/%.o: $(srcdir)/%.S
	@$(MKDIR_P) $(@D)
	$(AM_V_CC)$(HV_CC) -D__ASSEMBLY__ -MD -MP -MF $(@:.o=.d) -c -o $@ $<

hv/gen/hv.lds: $(srcdir)/hv/hv.lds.S | $(HV_GEN)
	@$(MKDIR_P) $(@D)
	$(AM_V_GEN)$(HV_CC) -D__ASSEMBLY__ -MD -MP -MF hv/gen/hv.lds.d -MT $@ -x assembler-with-cpp -E -P -o $@ $<

# Two links: the second one has the symbol table of the first inside. The table comes after all code,
# so no function moves between the two.
hv/tools/mksymtab: $(srcdir)/hv/tools/mksymtab.c
	@$(MKDIR_P) $(@D)
	$(AM_V_GEN)$(CC) -std=gnu17 $(WARN_FLAGS) -O1 -o $@ $<

hv/gen/symtab0.S: hv/tools/mksymtab
	@$(MKDIR_P) $(@D)
	$(AM_V_GEN)hv/tools/mksymtab < /dev/null > $@

hv/gen/ostler0.elf: $(HV_OBJS) hv/gen/hv.lds hv/gen/symtab0.S
	$(AM_V_GEN)$(HV_CC) -D__ASSEMBLY__ -c -o hv/gen/symtab0.o hv/gen/symtab0.S && \
		$(HV_LINK) -Wl,-T,hv/gen/hv.lds -o $@ $(HV_OBJS) hv/gen/symtab0.o

hv/ostler.elf: hv/gen/ostler0.elf
	$(AM_V_GEN)LC_ALL=C $(NM) -n hv/gen/ostler0.elf | hv/tools/mksymtab > hv/gen/symtab1.S && \
		$(HV_CC) -D__ASSEMBLY__ -c -o hv/gen/symtab1.o hv/gen/symtab1.S && \
		$(HV_LINK) -Wl,-T,hv/gen/hv.lds -o $@ $(HV_OBJS) hv/gen/symtab1.o
	@$(NM) -n hv/gen/ostler0.elf | grep ' [tTwW] ' > hv/gen/code0.syms; $(NM) -n $@ | grep ' [tTwW] ' | cmp -s - hv/gen/code0.syms || \
		{ echo "hv: a function moved between the two links" >&2; rm -f $@; exit 1; }

-include $(HV_OBJS:.o=.d) hv/gen/asm_offsets.d hv/gen/hv.lds.d

ostlerdir = $(prefix)/lib/ostler
install-data-local: install-hv
install-hv: hv/ostler.elf
	$(MKDIR_P) $(DESTDIR)$(ostlerdir)
	$(INSTALL_DATA) hv/ostler.elf $(DESTDIR)$(ostlerdir)/ostler.elf
uninstall-local: uninstall-hv
uninstall-hv:
	rm -f $(DESTDIR)$(ostlerdir)/ostler.elf

# What the image is made of, largest object last.
size: hv/ostler.elf
	size hv/ostler.elf $(HV_OBJS) | sort -n -k4

clean-local: clean-hv
clean-hv:
	rm -rf hv/obj hv/gen hv/include hv/ostler.elf hv/tools/mksymtab
.PHONY: clean-hv install-hv uninstall-hv size
