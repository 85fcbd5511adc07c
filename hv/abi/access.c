/*
 * One question: may this caller do this to that domain?
 *
 * Dom0 may act on every domain; everybody may act on itself. Others learn nothing about which domains there are.
 */
#include "abi/args.h"

bool access_privileged(const struct domain *caller)
{
	return caller->flags & DOMF_PRIVILEGED;
}

int access_target(struct hc_call *c, domid_t id, struct domain **d)
{
	if (id == DOMID_SELF || id == c->d->id) {
		domain_ref(c->d);
		*d = c->d;
		return 0;
	}
	if (!access_privileged(c->d)) {
		return -EPERM;
	}
	*d = domain_get(id);
	return *d != NULL ? 0 : -ESRCH;
}

int access_other(struct hc_call *c, domid_t id, struct domain **d)
{
	if (!access_privileged(c->d) || id == DOMID_SELF || id == c->d->id) {
		return -EPERM;
	}
	*d = domain_get(id);
	return *d != NULL ? 0 : -ESRCH;
}
