# The firmware that runs in a guest before SeaBIOS: ELF32, freestanding, linked at 1 MiB.
#
# It is compiled by explicit rules with flags of its own: with an automake program a user's CFLAGS
# would come last, and a packager's -fPIE or -fstack-protector must not reach code that has no
# operating system below it.

# Of the system's headers only <xen/...> and the compiler's own are visible.
FW_INCLUDE = hvmloader/include
FW_CC_FLAGS = -m32 -march=i686 -std=gnu17 -Os -g $(WARN_FLAGS) -ffreestanding -mgeneral-regs-only \
	-fno-pic -fno-pie -fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables \
	-fno-strict-aliasing -fno-common -U_FORTIFY_SOURCE -nostdinc -isystem $(GCC_INCLUDE_DIR) \
	-isystem $(FW_INCLUDE) -I$(srcdir) -D__XEN_INTERFACE_VERSION__=0x00040e00
FW_LD_FLAGS = -m32 -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-z,noexecstack \
	-Wl,-z,max-page-size=4096 -Wl,--no-warn-rwx-segments

$(FW_INCLUDE)/xen:
	@$(MKDIR_P) $(FW_INCLUDE)
	$(AM_V_GEN)ln -sfn $(XEN_HEADER_DIR) $@

clean-local: clean-fw-include
clean-fw-include:
	rm -rf $(FW_INCLUDE)
.PHONY: clean-fw-include

HVMLOADER_C = acpi config e820 hypercall main mem memory mptable mtrr pci platform seabios selftest \
	shared smbios smp text topology traps util xenstore xsring
HVMLOADER_OBJS = hvmloader/head.o $(HVMLOADER_C:%=hvmloader/%.o)
HVMLOADER_AML = hvmloader/dsdt.aml hvmloader/ssdt_s3.aml hvmloader/ssdt_s4.aml

pkgdata_DATA += hvmloader/hvmloader
CLEANFILES += hvmloader/hvmloader $(HVMLOADER_OBJS) $(HVMLOADER_OBJS:.o=.d) $(HVMLOADER_AML) \
	hvmloader/aml.h hvmloader/dsdt.full.asl
EXTRA_DIST += hvmloader/README.md hvmloader/head.S hvmloader/hvmloader.lds hvmloader/dsdt.asl \
	hvmloader/ssdt_s3.asl hvmloader/ssdt_s4.asl hvmloader/mkdsdt.awk \
	$(HVMLOADER_C:%=hvmloader/%.c) hvmloader/acpi.h hvmloader/config.h hvmloader/cpu.h hvmloader/e820.h \
	hvmloader/hypercall.h hvmloader/layout.h hvmloader/mem.h hvmloader/memory.h \
	hvmloader/mptable.h hvmloader/mtrr.h hvmloader/pci.h hvmloader/platform.h \
	hvmloader/seabios.h hvmloader/selftest.h hvmloader/shared.h hvmloader/smbios.h \
	hvmloader/smp.h hvmloader/text.h hvmloader/topology.h hvmloader/traps.h hvmloader/util.h hvmloader/xenstore.h hvmloader/xsring.h

hvmloader/hvmloader: $(HVMLOADER_OBJS) $(srcdir)/hvmloader/hvmloader.lds
	$(AM_V_GEN)$(CC) $(FW_LD_FLAGS) -Wl,-T,$(srcdir)/hvmloader/hvmloader.lds -o $@ \
		$(HVMLOADER_OBJS)

$(HVMLOADER_OBJS): hvmloader/%.o: | $(FW_INCLUDE)/xen
hvmloader/main.o: hvmloader/aml.h

# Only these: the same sources are compiled for the host by tests/unit/hvmloader.mk.
$(HVMLOADER_C:%=hvmloader/%.o): hvmloader/%.o: $(srcdir)/hvmloader/%.c
	@$(MKDIR_P) $(@D)
	$(AM_V_GEN)$(CC) $(FW_CC_FLAGS) -I. -MD -MP -MF $(@:.o=.d) -c -o $@ $<

hvmloader/head.o: $(srcdir)/hvmloader/head.S
	@$(MKDIR_P) $(@D)
	$(AM_V_GEN)$(CC) $(FW_CC_FLAGS) -MD -MP -MF $(@:.o=.d) -c -o $@ $<

# 3168: the compiler would rather have Device than Processor, which older systems need.
hvmloader/dsdt.full.asl: hvmloader/dsdt.asl hvmloader/mkdsdt.awk
	@$(MKDIR_P) $(@D)
	$(AM_V_GEN)$(AWK) -f $(srcdir)/hvmloader/mkdsdt.awk $(srcdir)/hvmloader/dsdt.asl > $@.tmp
	@mv $@.tmp $@

hvmloader/dsdt.aml: hvmloader/dsdt.full.asl
	$(AM_V_GEN)$(IASL) -vs -vi -vw 3168 -p $(@:.aml=) $< > $@.log || { cat $@.log; exit 1; }
	@rm -f $@.log

hvmloader/ssdt_%.aml: $(srcdir)/hvmloader/ssdt_%.asl
	@$(MKDIR_P) $(@D)
	$(AM_V_GEN)$(IASL) -vs -vi -p $(@:.aml=) $< > $@.log || { cat $@.log; exit 1; }
	@rm -f $@.log

# One array per table: hvmloader/NAME.aml becomes aml_NAME.
hvmloader/aml.h: $(HVMLOADER_AML)
	$(AM_V_GEN)for f in $(HVMLOADER_AML); do \
		n=$${f##*/}; \
		echo "static const unsigned char aml_$${n%.aml}[] = {"; \
		od -An -v -tx1 $$f | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g'; \
		echo "};"; \
	done > $@.tmp
	@mv $@.tmp $@

-include $(HVMLOADER_OBJS:.o=.d)
