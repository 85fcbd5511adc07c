/* Missed ticks (contract in vtick.h). Pure arithmetic. */
#include "lib/util.h"
#include "dev/vtick.h"

bool vtick_due(struct vtick *t, uint64_t count, bool waiting)
{
	switch (t->policy) {
	case VTICK_CATCHUP:
		t->owed = MIN(count, VTICK_OWED_MAX) + MIN(t->owed, VTICK_OWED_MAX - 1);
		t->owed = MIN(t->owed, VTICK_OWED_MAX) - !waiting;
		return !waiting;
	case VTICK_DELAY:
		t->owed = waiting;
		t->restart = count > 1 && !waiting;
		return !waiting;
	case VTICK_DISCARD:
		return count == 1 && !waiting;
	default:
		return !waiting;
	}
}

bool vtick_taken(struct vtick *t, bool waiting)
{
	if (waiting || t->owed == 0) {
		return false;
	}
	t->owed--;
	if (t->policy == VTICK_DELAY) {
		t->restart = true;
		return false;
	}
	return true;
}

bool vtick_restarts(struct vtick *t)
{
	bool restart = t->restart;

	t->restart = false;
	return restart;
}

void vtick_forget(struct vtick *t)
{
	t->owed = 0;
	t->restart = false;
}
