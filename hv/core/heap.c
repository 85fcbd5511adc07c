/*
 * Small objects in size classes: each class has pages cut into equal slots; what is larger than a slot can be
 * comes from the frame allocator, and is told apart by its page alignment.
 *
 * Lock: LOCK_HEAP around the free lists.
 */
#include "core/heap.h"
#include "core/page_alloc.h"
#include "core/panic.h"
#include "core/spinlock.h"
#include "lib/mem.h"

#define CLASSES   8
#define POISON    0xa5

/* At the start of a page of slots. */
struct slab {
	struct list link;               /* [lock] in its class's list while it has free slots */
	void *free;                     /* [lock] first free slot; each holds the next one's address */
	uint16_t used;                  /* [lock] slots given out */
	uint8_t class;                  /* const */
	uint32_t magic;                 /* const */
} __attribute__((aligned(64)));

#define SLAB_MAGIC 0x51ab51ab

static const uint16_t class_size[CLASSES] = { 16, 32, 64, 128, 256, 512, 1008, 2016 };

static struct spinlock lock = SPINLOCK_INIT(LOCK_HEAP);
static struct list partial[CLASSES] = {
	LIST_INIT(partial[0]), LIST_INIT(partial[1]), LIST_INIT(partial[2]), LIST_INIT(partial[3]),
	LIST_INIT(partial[4]), LIST_INIT(partial[5]), LIST_INIT(partial[6]), LIST_INIT(partial[7]),
};

static unsigned int class_of(size_t size)
{
	unsigned int c = 0;

	while (c < CLASSES && size > class_size[c]) {
		c++;
	}
	return c;
}

static unsigned int order_of(size_t size)
{
	unsigned int order = 0;

	while (PAGE_SIZE << order < size) {
		order++;
	}
	return order;
}

/* [lock] A new page of slots for the class. */
static struct slab *slab_new(unsigned int class)
{
	struct slab *s = page_alloc_virt();
	size_t size = class_size[class];

	if (!s) {
		return NULL;
	}
	s->class = (uint8_t)class;
	s->magic = SLAB_MAGIC;
	for (size_t at = sizeof(*s); at + size <= PAGE_SIZE; at += size) {
		void **slot = (void **)((char *)s + at);

		*slot = s->free;
		s->free = slot;
	}
	list_add_head(&partial[class], &s->link);
	return s;
}

static void *slot_alloc(unsigned int class)
{
	struct slab *s;
	void **slot = NULL;

	spin_lock(&lock);
	s = list_empty(&partial[class]) ? slab_new(class) : list_entry(partial[class].next, struct slab, link);
	if (s) {
		slot = s->free;
		s->free = *slot;
		s->used++;
		if (!s->free) {
			list_del(&s->link);
		}
	}
	spin_unlock(&lock);
	if (slot) {
		memset(slot, 0, class_size[class]);
	}
	return slot;
}

void *heap_alloc(size_t size)
{
	unsigned int class = class_of(size);
	struct page *p;

	if (class < CLASSES) {
		return slot_alloc(class);
	}
	if (size > PAGE_SIZE << PAGE_ORDER_MAX) {
		return NULL;
	}
	p = page_alloc(order_of(size));
	return p ? page_virt(p) : NULL;
}

static void slot_free(void **slot)
{
	struct slab *s = (struct slab *)ALIGN_DOWN((uint64_t)slot, PAGE_SIZE), *empty = NULL;

	BUG_ON(s->magic != SLAB_MAGIC || s->class >= CLASSES);
	BUG_ON(((uint64_t)slot - (uint64_t)s - sizeof(*s)) % class_size[s->class]);
	memset(slot, POISON, class_size[s->class]);
	spin_lock(&lock);
	BUG_ON(s->used == 0);
	if (!s->free) {
		list_add_head(&partial[s->class], &s->link);
	}
	*slot = s->free;
	s->free = slot;
	/* At once, not kept for the next: free memory tells exactly what is in use. */
	if (--s->used == 0) {
		list_del(&s->link);
		empty = s;
	}
	spin_unlock(&lock);
	page_free_virt(empty);
}

void heap_free(void *p)
{
	struct page *page;

	if (!p) {
		return;
	}
	if ((uint64_t)p % PAGE_SIZE) {
		slot_free(p);
		return;
	}
	page = mfn_page(hpa_to_mfn(virt_hpa(p)));
	BUG_ON(!page);
	page_free(page, page->order);
}
