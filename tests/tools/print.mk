# "make -f Makefile -f print.mk print-NAME" prints a variable of the Makefile.
print-%:
	@echo '$($*)'
