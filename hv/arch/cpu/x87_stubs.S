/*
 * The memory forms of the x87 instructions, each as a function of its own: 4 bytes apart, at (opcode - D8h) * 8 + the
 * ModRM byte's reg field. Those that are no instruction, and those that save or load whole environments, just return.
 */
	.text
	.balign	16
/* rdi = the memory operand. Changes the x87 state as the instruction does, and nothing else. */
	.global	x87_stubs
x87_stubs:
	.set	op, 0xd8
	.rept	8
	.set	reg, 0
	.rept	8
	/* D9 /1 /4 /6, DB /4 /6, DD /4 /5 /6 */
	.if	(op == 0xd9 && (reg == 1 || reg == 4 || reg == 6)) || (op == 0xdb && (reg == 4 || reg == 6)) || \
		(op == 0xdd && (reg == 4 || reg == 5 || reg == 6))
	ret
	.balign	4, 0xcc
	.else
	.byte	op, reg << 3 | 7        /* (%rdi) */
	ret
	.balign	4, 0xcc
	.endif
	.set	reg, reg + 1
	.endr
	.set	op, op + 1
	.endr

	.section .note.GNU-stack, "", @progbits
