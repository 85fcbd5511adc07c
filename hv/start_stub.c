/* Stands in for the parts that run guests, while they are not linked in. */
#include "core/log.h"
#include "core/page_alloc.h"
#include "core/panic.h"
#include "lib/err.h"
#include "start.h"

int virt_init(void)
{
	log_warn("no guest support built in");
	return 0;
}

int virt_cpu_up(void)
{
	return 0;
}

int dom0_build(void)
{
	return 0;
}

void panic_extra(void)
{
}

void page_owner_gone(struct domain *d, struct page *p)
{
}
