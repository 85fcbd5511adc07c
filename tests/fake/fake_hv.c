/* The lower layers of the hypervisor for host tests: see fake_hv.h. */
#include "fake/fake_hv.h"
#include "fake/fake_hv_int.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/sched.h>
#include <xen/hvm/save.h>
#include "abi/hypercall.h"
#include "arch/acpi.h"
#include "arch/machine.h"
#include "arch/virt.h"
#include "core/cmdline.h"
#include "core/heap.h"
#include "core/keyhandler.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/percpu.h"
#include "core/smp.h"
#include "core/time.h"
#include "core/trace.h"
#include "dom/evtchn.h"
#include "dom/grant.h"
#include "dom/guest_copy.h"
#include "dom/populate.h"
#include "dom/shared_info.h"

struct fake_counts fake_counts;
char fake_log[65536];
static size_t log_used;

/* ---- heap ---- */

static long heap_live;
static unsigned int fail_in;

void fake_fail_nth(unsigned int n) { fail_in = n; }
bool fake_failed(void) { return fail_in == 0; }

/* Is this allocation the one that fails? */
bool fake_fails(void)
{
	return fail_in != 0 && --fail_in == 0;
}

void *heap_alloc(size_t size)
{
	if (fake_fails()) {
		return NULL;
	}
	heap_live++;
	return calloc(1, size != 0 ? size : 1);
}

void heap_free(void *p)
{
	if (p != NULL) {
		heap_live--;
		free(p);
	}
}

/* ---- frames ---- */

#define FRAMES FAKE_FRAMES
#define FIRST  0x100000ull              /* machine frame number of frame 0: not a small number */

static struct page frames[FRAMES];
static uint8_t (*memory)[PAGE_SIZE];
static uint64_t frames_used;

static struct page *take(uint64_t n, struct domain *owner)
{
	for (uint64_t i = 0; i + n <= FRAMES; i += n) {
		uint64_t j = 0;
		while (j < n && frames[i + j].state == PAGE_FREE) {
			j++;
		}
		if (j == n) {
			for (j = 0; j < n; j++) {
				frames[i + j] = (struct page){ .owner = owner, .refs = 1,
					.state = owner != NULL ? PAGE_OWNED : PAGE_HV };
				list_init(&frames[i + j].link);
				memset(memory[i + j], 0, PAGE_SIZE);
			}
			frames_used += n;
			return &frames[i];
		}
	}
	return NULL;
}

struct page *page_alloc_owned(struct domain *d, unsigned int order)
{
	return fake_fails() ? NULL : take(BIT(order), d);
}

void page_assign(struct domain *d, mfn_t mfn, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		struct page *p = mfn_page(mfn_add(mfn, i));
		require(p->state == PAGE_FREE);
		*p = (struct page){ .owner = d, .refs = 1, .state = PAGE_OWNED };
		list_init(&p->link);
	}
	frames_used += n;
}

bool page_get(struct page *p)
{
	require(p->state == PAGE_OWNED && p->refs > 0);
	p->refs++;
	return true;
}

void page_put(struct page *p)
{
	require(p->state == PAGE_OWNED && p->refs > 0);
	if (--p->refs == 0) {
		struct domain *d = p->owner;
		bool charged = p->flags & PAGE_F_CHARGED;
		require(!(p->flags & PAGE_F_LISTED));
		require(list_empty(&p->link));
		p->state = PAGE_FREE;
		memset(memory[p - frames], 0xa5, PAGE_SIZE);
		frames_used--;
		page_owner_gone(d, charged);
	}
}

mfn_t page_mfn(const struct page *p)
{
	return MFN(FIRST + (uint64_t)(p - frames));
}

struct page *mfn_page(mfn_t m)
{
	return m.v >= FIRST && m.v < FIRST + FRAMES ? &frames[m.v - FIRST] : NULL;
}

void *page_virt(const struct page *p)
{
	return memory[p - frames];
}

uint64_t page_total(void)
{
	return FRAMES;
}

uint64_t page_count_free(void)
{
	return FRAMES - frames_used;
}

/* ---- locks ---- */

static uint8_t held[LOCK_RANKS * 2];
static unsigned int held_count;

void spin_init(struct spinlock *l, enum lock_rank rank)
{
	*l = (struct spinlock)SPINLOCK_INIT(rank);
}

void spin_lock(struct spinlock *l)
{
	if (l->cpu != 0 || (held_count != 0 && held[held_count - 1] >= l->rank)) {
		fail("lock %u after %u", l->rank, held_count != 0 ? held[held_count - 1] : 0);
	}
	l->cpu = 1;
	held[held_count++] = l->rank;
}

void spin_unlock(struct spinlock *l)
{
	require(l->cpu == 1 && held_count > 0 && held[held_count - 1] == l->rank);
	l->cpu = 0;
	held_count--;
}

void fake_no_locks(void) { require(held_count == 0); }

/* ---- time and timers ---- */

uint64_t fake_now;
static struct timer *timers[2048];
static unsigned int timer_count;

uint64_t time_now(void) { return fake_now; }
uint64_t time_tsc_khz(void) { return 2000000; }
uint64_t time_to_tsc(uint64_t ns) { return ns * 2; }
void time_pv_scale(uint32_t *mul, int8_t *shift) { *mul = 0x80000000u; *shift = 0; }
void time_wallclock(uint64_t *sec, uint32_t *nsec) { *sec = 0x1234567890ull; *nsec = 42; }
void time_set_wallclock(uint64_t sec, uint32_t nsec, uint64_t at_ns) { }

void timer_init(struct timer *t, void (*fn)(void *), void *arg)
{
	*t = (struct timer){ .fn = fn, .arg = arg };
}

void timer_set(struct timer *t, uint64_t deadline_ns)
{
	unsigned int i = 0;

	t->deadline = deadline_ns;
	while (i < timer_count && timers[i] != t) {
		i++;
	}
	if (i == timer_count) {
		require(timer_count < ARRAY_SIZE(timers));
		timers[timer_count++] = t;
	}
}

void timer_stop(struct timer *t)
{
	for (unsigned int i = 0; i < timer_count; i++) {
		if (timers[i] == t) {
			timers[i] = timers[--timer_count];
			break;
		}
	}
	t->deadline = 0;
}

void fake_advance(uint64_t ns)
{
	fake_now += ns;
	for (unsigned int i = 0; i < timer_count; i++) {
		struct timer *t = timers[i];
		if (t->deadline != 0 && t->deadline <= fake_now) {
			t->deadline = 0;
			require(held_count == 0);
			t->fn(t->arg);
		}
	}
}

/* ---- scheduler ---- */

static struct sched_unit *current_unit;
static struct sched_unit *units[4096];
static unsigned int unit_count;
void (*fake_block_hook)(void);
static struct cpu cpu0;
struct cpu *cpus[MAX_CPUS] = { &cpu0 };
unsigned int cpu_count = 1;

struct cpu *hw_cpu_base(void) { return &cpu0; }
void smp_kick(unsigned int cpu) { }
unsigned int sched_least_loaded_cpu(void) { return 0; }
struct sched_unit *sched_current(void) { return current_unit; }
uint64_t sched_run_time(const struct sched_unit *u) { return u->run_total; }

int sched_unit_init(struct sched_unit *u, const char *name, void (*entry)(void *), void *arg,
		    const struct sched_hooks *hooks, unsigned int cpu, bool pinned)
{
	*u = (struct sched_unit){ .name = name, .entry = entry, .arg = arg, .hooks = hooks, .cpu = cpu,
		.pinned = pinned, .state = SCHED_BLOCKED };
	u->stack = heap_alloc(16);
	if (u->stack == NULL) {
		return -ENOMEM;
	}
	require(unit_count < ARRAY_SIZE(units));
	units[unit_count++] = u;
	return 0;
}

void sched_unit_free(struct sched_unit *u)
{
	heap_free(u->stack);
	for (unsigned int i = 0; i < unit_count; i++) {
		if (units[i] == u) {
			units[i] = units[--unit_count];
			return;
		}
	}
	fail("unit freed twice");
}

void sched_wake(struct sched_unit *u)
{
	fake_counts.wakes++;
	u->wake_pending = true;
}

void sched_wake_answered(struct sched_unit *u) { sched_wake(u); }

void sched_block(void)
{
	require(held_count == 0);
	if (current_unit->wake_pending) {
		current_unit->wake_pending = false;
		return;
	}
	require(fake_block_hook != NULL);
	fake_block_hook();
}

/* Others run: a woken, unpaused vCPU of a dying domain ends its loop. */
void sched_yield(void)
{
	require(held_count == 0);
	for (unsigned int i = 0; i < unit_count; i++) {
		struct sched_unit *u = units[i];
		if (u->wake_pending && u->pause_count == 0 && unit_vcpu(u)->domain->dying) {
			u->state = SCHED_EXITED;
		}
	}
}

void sched_check(void) { require(held_count == 0); }

void sched_pause(struct sched_unit *u)
{
	require(held_count == 0);
	u->pause_count++;
}

void sched_pause_nosync(struct sched_unit *u) { u->pause_count++; }

void sched_unpause(struct sched_unit *u)
{
	require(u->pause_count > 0);
	u->pause_count--;
}

/* ---- messages ---- */

struct cmdline cmdline = { .text = "dom0_mem=512M" };
struct acpi_info acpi_info;
void (*console_input_hook)(void);

void log_at(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_used += (size_t)vsnprintf(fake_log + log_used, sizeof(fake_log) - log_used, fmt, ap);
	va_end(ap);
	log_used = MIN(log_used, sizeof(fake_log) - 1);
}

void console_write(const char *text, size_t len) { log_at(LOG_INFO, "%.*s", (int)len, text); }

size_t console_read(char *buf, size_t size)
{
	static const char typed[] = "root\n";
	static bool given;

	given = !given;
	if (!given || size < 5) {
		return 0;
	}
	memcpy(buf, typed, 5);
	return 5;
}

size_t console_ring_read(char *buf, size_t size, uint32_t *index)
{
	size_t n = *index < log_used ? MIN(log_used - *index, size) : 0;

	if (n != 0) {
		memcpy(buf, fake_log + *index, n);
	}
	*index += (uint32_t)n;
	return n;
}

void console_ring_clear(void) { log_used = 0; }
void keyhandler_press(char key) { log_at(LOG_INFO, "key %c\n", key); }
uint64_t trace(enum trace_id id, uint16_t domain, uint16_t vcpu, uint64_t a, uint64_t b) { return 0; }
void trace_dump(unsigned int n, uint16_t domain) { log_at(LOG_INFO, "trace of d%u\n", domain); }

void panic(const char *fmt, ...)
{
	fprintf(stderr, "panic: %s\n", fmt);
	abort();
}

void machine_stop_others(void) { }
void machine_reset_or_stop(bool halt) { abort(); }

/* ---- guest memory ---- */

static uint8_t guest[FAKE_GUEST_SIZE];
static size_t guest_used;

static void *guest_ptr(uint64_t linear, size_t len)
{
	if (linear < FAKE_GUEST_BASE || len > sizeof(guest) || linear - FAKE_GUEST_BASE > sizeof(guest) - len) {
		return NULL;
	}
	return guest + (linear - FAKE_GUEST_BASE);
}

int guest_copy_from(struct vcpu *v, void *dst, uint64_t linear, size_t len)
{
	const void *p = guest_ptr(linear, len);

	require(held_count == 0);
	if (len != 0 && p == NULL) {
		return -EFAULT;
	}
	if (len != 0) {
		memcpy(dst, p, len);
	}
	return 0;
}

int guest_copy_to(struct vcpu *v, uint64_t linear, const void *src, size_t len)
{
	void *p = guest_ptr(linear, len);

	require(held_count == 0);
	if (len != 0 && p == NULL) {
		return -EFAULT;
	}
	if (len != 0) {
		memcpy(p, src, len);
	}
	return 0;
}

int guest_with_bytes(struct vcpu *v, uint64_t linear, unsigned int len, void (*fn)(void *bytes, void *arg), void *arg)
{
	void *p = guest_ptr(linear, len);

	require(held_count == 0);
	if ((linear & 7) != 0 || p == NULL) {
		return -EFAULT;
	}
	fn(p, arg);
	return 0;
}

uint64_t fake_put(const void *p, size_t size)
{
	uint64_t linear = FAKE_GUEST_BASE + guest_used;

	require(guest_used + size <= sizeof(guest));
	if (p != NULL) {
		memcpy(guest + guest_used, p, size);
	}
	guest_used = ALIGN_UP(guest_used + size, 16);
	return linear;
}

void fake_get(uint64_t linear, void *p, size_t size)
{
	require(guest_ptr(linear, size) != NULL);
	memcpy(p, guest_ptr(linear, size), size);
}

/* ---- what hvm/ offers ---- */

bool fake_wide = true;
const struct sched_hooks vcpu_sched_hooks;

bool hvm_guest_is_64bit(struct vcpu *v) { return fake_wide; }
void hvm_mapcache_invalidate(struct domain *d) { fake_counts.invalidates++; }
int hvm_set_pci_intx(struct domain *d, unsigned int dev, unsigned int intx, bool level)
{
	fake_counts.intx = dev << 8 | intx << 4 | level;
	return 0;
}

int hvm_set_isa_irq(struct domain *d, unsigned int irq, bool level)
{
	fake_counts.isa_irq = irq, fake_counts.isa_level = level;
	return 0;
}
int hvm_set_pci_link(struct domain *d, unsigned int link, unsigned int irq) { return 0; }
int hvm_inject_msi(struct domain *d, uint64_t addr, uint32_t data) { fake_counts.msi++; fake_counts.msi_addr = addr; return 0; }
int hvm_power_button(struct domain *d) { fake_counts.power++; return 0; }
int hvm_sleep_button(struct domain *d) { return 0; }
int hvm_inject_nmi(struct vcpu *v) { fake_counts.nmi++; return 0; }
void hvm_time_offset_changed(struct domain *d) { fake_counts.time_offsets++; }
int hvm_set_tsc_khz(struct domain *d, uint32_t khz) { d->tsc_khz = khz; return 0; }

int64_t fake_rtc_moved;

int64_t hvm_rtc_moved(struct domain *d)
{
	return fake_rtc_moved;
}
int hvm_set_upcall_vector(struct vcpu *v, uint8_t vector) { return 0; }

int hvm_set_param(struct domain *d, uint32_t index, uint64_t value)
{
	d->hvm_param[index] = value;
	return 0;
}

int hvm_get_param(struct domain *d, uint32_t index, uint64_t *value)
{
	*value = d->hvm_param[index];
	return 0;
}

void hvm_get_cpu(struct vcpu *v, struct hvm_hw_cpu *r) { r->rip = v->arch.regs.rip; }
int hvm_set_cpu(struct vcpu *v, const struct hvm_hw_cpu *r)
{
	v->arch.regs.rip = r->rip;
	return 0;
}

static int hvm_domain_init(struct domain *d)
{
	d->hvm = heap_alloc(1);
	return d->hvm != NULL ? 0 : -ENOMEM;
}

static void hvm_domain_free(struct domain *d) { heap_free(d->hvm); d->hvm = NULL; }
static int hvm_vcpu_init(struct vcpu *v) { return 0; }
static void hvm_vcpu_free(struct vcpu *v) { }
static void hvm_vcpu_loop(void *v) { abort(); }

static void hvm_upcall(struct vcpu *v)
{
	fake_counts.upcalls++;
	fake_counts.upcall_vcpu = v->id;
	vcpu_kick(v);
}

static const struct domain_ops ops = {
	.domain_init = hvm_domain_init, .domain_free = hvm_domain_free, .vcpu_init = hvm_vcpu_init,
	.vcpu_free = hvm_vcpu_free, .upcall = hvm_upcall, .vcpu_loop = hvm_vcpu_loop,
};

/* ---- set-up ---- */

static long heap_base;
static uint64_t frames_base;

static void dom0_stopped(uint8_t reason) { fake_counts.dom0_stopped = reason + 1u; }

void fake_run_on(struct vcpu *v) { current_unit = v != NULL ? &v->unit : NULL; }
static void free_memory(void) { free(memory); }

void fake_hv_set_base(void)
{
	heap_base = heap_live;
	frames_base = frames_used;
}

void fake_hv_reset(unsigned int dom0_vcpus)
{
	struct domain_config c = { .flags = DOMF_HVM | DOMF_PRIVILEGED, .max_vcpus = (uint16_t)dom0_vcpus,
		.max_grant_frames = -1, .max_maptrack_frames = -1, .max_evtchn_port = 4095 };
	struct domain *d;

	memory = calloc(FRAMES, PAGE_SIZE);
	atexit(free_memory);
	for (unsigned int i = 0; i < FRAMES; i++) {
		frames[i].state = PAGE_FREE;
	}
	fake_now = 1000000000;
	domain_ops = &ops;
	domain_dom0_stopped = dom0_stopped;
	require((domain_create(&c, &d)) == (0));
	require(d == dom0 && d->id == 0);
	for (unsigned int i = 0; i < dom0_vcpus; i++) {
		vcpu_start(d->vcpu[i]);
		d->vcpu[i]->kicked = 0;
		d->vcpu[i]->unit.wake_pending = false;
	}
	fake_run_on(dom0->vcpu[0]);
	fake_hv_set_base();
	memset(&fake_counts, 0, sizeof(fake_counts));
}

struct domain *fake_guest(unsigned int vcpus, uint64_t max_pages) { return fake_guest_id(0xffff, vcpus, max_pages); }

struct domain *fake_guest_id(domid_t id, unsigned int vcpus, uint64_t max_pages)
{
	struct domain_config c = { .id = id, .flags = DOMF_HVM, .max_vcpus = (uint16_t)vcpus,
		.max_grant_frames = 4, .max_maptrack_frames = 1, .max_evtchn_port = 1023 };
	struct domain *d;

	require((domain_create(&c, &d)) == (0));
	require((populate_set_max(d, max_pages)) == (0));
	require((domain_unpause(d)) == (0));
	vcpu_start(d->vcpu[0]);
	d->vcpu[0]->kicked = 0;
	d->vcpu[0]->unit.wake_pending = false;
	return d;
}

void fake_hv_check_leaks(void)
{
	struct domain *d;

	fake_run_on(dom0->vcpu[0]);
	while ((d = domain_get_from(1)) != NULL) {
		require((domain_destroy(d)) == (0));
		domain_put(d);
	}
	for (unsigned int i = 0; frames_used != frames_base && i < FRAMES; i++) {
		if (frames[i].state == PAGE_OWNED) {
			fprintf(stderr, "frame %u: %s, %u references, flags %x\n", i,
				frames[i].owner == dom0 ? "Dom0's" : "a guest's", frames[i].refs, frames[i].flags);
		}
	}
	require(frames_used == frames_base);
	/* Dom0's own tables may have grown blocks that it keeps. */
	require((heap_live) <= (heap_base + 300));
}

void fake_hv_clear_dom0(void)
{
	grant_unmap_all(dom0);
	require((evtchn_reset(dom0)) == (0));
	fake_p2m_clear(dom0);
	for (unsigned int i = 0; i < dom0->max_vcpus; i++) {
		timer_stop(&dom0->vcpu[i]->singleshot);
		timer_stop(&dom0->vcpu[i]->periodic);
		dom0->vcpu[i]->period = 0;
	}
	guest_used = 0;
}

uint64_t fake_hypercall(uint64_t nr, const uint64_t arg[6])
{
	static const uint8_t wide[6] = { GPR_RDI, GPR_RSI, GPR_RDX, GPR_R10, GPR_R8, GPR_R9 };
	static const uint8_t narrow[6] = { GPR_RBX, GPR_RCX, GPR_RDX, GPR_RSI, GPR_RDI, GPR_RBP };
	uint64_t *gpr = current_vcpu()->arch.regs.gpr;

	gpr[GPR_RAX] = nr;
	for (unsigned int i = 0; i < 6; i++) {
		gpr[fake_wide ? wide[i] : narrow[i]] = arg[i];
	}
	return hypercall_dispatch(current_vcpu(), fake_wide);
}

int64_t fake_call(uint64_t nr, uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t arg[6] = { a, b, c };
	uint64_t rc = fake_hypercall(nr, arg);

	require(held_count == 0);
	guest_used = guest_used > sizeof(guest) / 2 ? 0 : guest_used;
	return fake_wide ? (int64_t)rc : (int32_t)rc;
}
