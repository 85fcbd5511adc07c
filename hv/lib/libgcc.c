/* The names under which the compiler calls 128-bit division. Freestanding build only. */
#include "lib/div128.h"

unsigned __int128 __udivti3(unsigned __int128 n, unsigned __int128 d);
unsigned __int128 __umodti3(unsigned __int128 n, unsigned __int128 d);

unsigned __int128 __udivti3(unsigned __int128 n, unsigned __int128 d)
{
	unsigned __int128 rem;

	return div128(n, d, &rem);
}

unsigned __int128 __umodti3(unsigned __int128 n, unsigned __int128 d)
{
	unsigned __int128 rem;

	div128(n, d, &rem);
	return rem;
}
