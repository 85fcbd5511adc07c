/* The host's answer to BUG_ON() and ASSERT(): print and abort, so that a test fails visibly. */
#include <stdio.h>
#include <stdlib.h>
#include "lib/bug.h"

void bug_at(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: BUG: %s\n", file, line, what);
	abort();
}
