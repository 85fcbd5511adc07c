/* Keys typed on the serial line for the hypervisor. The table is hv/keys.c. */
#ifndef CORE_KEYHANDLER_H
#define CORE_KEYHANDLER_H

struct keyhandler {
	char key;
	const char *help;
	void (*fn)(void);
};

/* Defined in keys.c; ends with key 0. */
extern const struct keyhandler keyhandler_table[];

/* Deferred work, interrupts on. */
void keyhandler_press(char key);

#endif
