/*
 * The two answers to trouble that stop the hypervisor (the others: -errno, guest_crash()).
 *
 * BUG_ON(c): going on could leak or escalate; always compiled.
 * ASSERT(c): only for what other checks already make safe; compiled in debug builds.
 * Neither may ever depend on what a guest or its device model wrote.
 */
#ifndef LIB_BUG_H
#define LIB_BUG_H

/* Ends the hypervisor (panic) or the host test (abort); never returns. */
_Noreturn void bug_at(const char *file, int line, const char *what);

#define BUG_ON(c)                                              \
	do {                                                   \
		if (__builtin_expect(!!(c), 0)) {              \
			bug_at(__FILE__, __LINE__, #c);        \
		}                                              \
	} while (0)

#define BUG() bug_at(__FILE__, __LINE__, "BUG")

#if DEBUG
#define ASSERT(c) BUG_ON(!(c))
#else
#define ASSERT(c) ((void)sizeof(c))
#endif

#endif
