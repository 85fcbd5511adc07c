# The I/O request ring: one library, compiled into the hypervisor and into hosted programs.
IOREQ_SRCS = ioreq/slot.c ioreq/bufring.c
