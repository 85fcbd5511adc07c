# unit tests: boot
