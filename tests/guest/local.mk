# Micro-guests: ELF32 images at 1 MiB that can be started in place of the firmware.
# They are not automake programs: a user's CFLAGS and LDFLAGS come last there and would break them.
# A new guest is a folder with main.c and a word in GUESTS.
GUESTS = hello bench cpuid hypercalls evtchn pic lapic clocks string ioapic hpet faults spin ticks timekeeper busy vector model

GUEST_IMAGES = $(GUESTS:%=tests/guest/%.elf)
GUEST_RT_OBJS = tests/guest/rt/start.o tests/guest/rt/rt.o
GUEST_OBJS = $(GUEST_RT_OBJS) $(GUESTS:%=tests/guest/%/main.o)

noinst_DATA += $(GUEST_IMAGES)
CLEANFILES += $(GUEST_IMAGES) $(GUEST_OBJS) $(GUEST_OBJS:.o=.d)
EXTRA_DIST += tests/guest/rt/start.S tests/guest/rt/rt.c tests/guest/rt/rt.h tests/guest/rt/clock.h \
	tests/guest/rt/guest.lds tests/guest/README.md $(GUESTS:%=tests/guest/%/main.c)

# FW_CC_FLAGS is the firmware's (hvmloader/local.mk): same machine, same rules.
$(GUEST_OBJS): tests/guest/%.o: | $(FW_INCLUDE)/xen

tests/guest/%.o: $(srcdir)/tests/guest/%.c
	@$(MKDIR_P) $(@D)
	$(AM_V_GEN)$(CC) $(FW_CC_FLAGS) -MD -MP -MF $(@:.o=.d) -c -o $@ $<

tests/guest/%.o: $(srcdir)/tests/guest/%.S
	@$(MKDIR_P) $(@D)
	$(AM_V_GEN)$(CC) $(FW_CC_FLAGS) -MD -MP -MF $(@:.o=.d) -c -o $@ $<

tests/guest/%.elf: tests/guest/%/main.o $(GUEST_RT_OBJS) $(srcdir)/tests/guest/rt/guest.lds
	$(AM_V_GEN)$(CC) $(FW_LD_FLAGS) -Wl,-T,$(srcdir)/tests/guest/rt/guest.lds -o $@ \
		$< $(GUEST_RT_OBJS)

-include $(GUEST_OBJS:.o=.d)
