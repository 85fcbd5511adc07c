/* What control tools may know of a domain, in the ABI's record. */
#ifndef ABI_DOMAIN_INFO_H
#define ABI_DOMAIN_INFO_H

struct domain;
struct xen_domctl_getdomaininfo;

void domain_info_fill(struct domain *d, struct xen_domctl_getdomaininfo *info);

#endif
