# Micro-guests: ELF32 images at 1 MiB that can be started in place of the firmware.
# They are not automake programs: a user's CFLAGS and LDFLAGS come last there and would break them.
# A new guest is a folder with main.c and a word in GUESTS.
GUESTS = \
	hello bench cpuid hypercalls evtchn \
	pic lapic clocks string ioapic hpet faults spin level \
	ticks timekeeper busy load rtckeep \
	hostile witness poke swarm \
	sipi ipi x2ipi tscsync manycpus p2mflush

# Every kind of exit (more than one file each), and the x2APIC.
GUESTS += exits exits64 x2apic

# What CPUID says, and whose the registers are.
GUESTS += model vector
EXITS_OBJS = tests/guest/exits/probe.o tests/guest/exits/registers.o tests/guest/exits/io.o \
	tests/guest/exits/events.o tests/guest/exits/tasks.o
HOSTILE_OBJS = tests/guest/hostile/end.o tests/guest/hostile/task.o
EXITS64_OBJS = tests/guest/exits64/probe.o
EXTRA_DIST += tests/guest/exits/exits.h tests/guest/exits/probe.S tests/guest/exits64/probe.S \
	$(patsubst %.o,%.c,$(filter-out %/probe.o,$(EXITS_OBJS)))

SWARM_OBJS = tests/guest/swarm/ops.o tests/guest/swarm/end.o
EXTRA_DIST += tests/guest/swarm/swarm.h $(SWARM_OBJS:.o=.c)

GUEST_IMAGES = $(GUESTS:%=tests/guest/%.elf)
GUEST_RT_OBJS = tests/guest/rt/start.o tests/guest/rt/rt.o tests/guest/rt/smp.o
# what any code without an operating system needs is the firmware's
GUEST_FW_OBJS = hvmloader/mem.o hvmloader/text.o
GUEST_OBJS = $(GUEST_RT_OBJS) $(GUESTS:%=tests/guest/%/main.o) $(HOSTILE_OBJS) $(SWARM_OBJS) $(EXITS_OBJS) $(EXITS64_OBJS)

noinst_DATA += $(GUEST_IMAGES)
CLEANFILES += $(GUEST_IMAGES) $(GUEST_OBJS) $(GUEST_OBJS:.o=.d)
EXTRA_DIST += tests/guest/rt/start.S tests/guest/rt/rt.c tests/guest/rt/rt.h tests/guest/rt/clock.h \
	tests/guest/rt/smp.c tests/guest/rt/smp.h \
	tests/guest/rt/guest.lds tests/guest/README.md $(GUESTS:%=tests/guest/%/main.c) \
	tests/guest/hostile/hostile.h $(HOSTILE_OBJS:.o=.c)

# FW_CC_FLAGS is the firmware's (hvmloader/local.mk): same machine, same rules.
$(GUEST_OBJS): tests/guest/%.o: | $(FW_INCLUDE)/xen

tests/guest/%.o: $(srcdir)/tests/guest/%.c
	@$(MKDIR_P) $(@D)
	$(AM_V_GEN)$(CC) $(FW_CC_FLAGS) -MD -MP -MF $(@:.o=.d) -c -o $@ $<

tests/guest/%.o: $(srcdir)/tests/guest/%.S
	@$(MKDIR_P) $(@D)
	$(AM_V_GEN)$(CC) $(FW_CC_FLAGS) -MD -MP -MF $(@:.o=.d) -c -o $@ $<

# Those of more than one file.
tests/guest/hostile.elf: $(HOSTILE_OBJS)
tests/guest/swarm.elf: $(SWARM_OBJS)
tests/guest/exits.elf: $(EXITS_OBJS)
tests/guest/exits64.elf: $(EXITS64_OBJS)

tests/guest/%.elf: tests/guest/%/main.o $(GUEST_RT_OBJS) $(GUEST_FW_OBJS) $(srcdir)/tests/guest/rt/guest.lds
	$(AM_V_GEN)$(CC) $(FW_LD_FLAGS) -Wl,-T,$(srcdir)/tests/guest/rt/guest.lds -o $@ \
		$(filter %.o,$^)

-include $(GUEST_OBJS:.o=.d)
