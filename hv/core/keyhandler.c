/* Looks a typed key up in the table of hv/keys.c. */
#include "core/keyhandler.h"
#include "core/log.h"

static void help(void)
{
	log_info("keys:");
	for (const struct keyhandler *k = keyhandler_table; k->key; k++) {
		log_info("  '%c'  %s", k->key, k->help);
	}
}

void keyhandler_press(char key)
{
	if (key == '?' || key == 'h') {
		help();
		return;
	}
	for (const struct keyhandler *k = keyhandler_table; k->key; k++) {
		if (k->key == key) {
			log_info("key '%c': %s", k->key, k->help);
			k->fn();
			return;
		}
	}
}
