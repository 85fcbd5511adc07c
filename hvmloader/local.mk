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
