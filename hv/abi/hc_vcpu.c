/* vcpu_op (24): areas shared with one vCPU, and its timers. */
#include "abi/args.h"
#include "core/time.h"
#include "dom/shared_info.h"
#include "hvm/hvm.h"
#include "lib/nospec.h"
#include <xen/vcpu.h>

#define PERIOD_MIN_NS 1000000u

static int64_t op_is_up(struct hc_call *c, struct vcpu *v)
{
	return READ_ONCE(v->online);
}

/* The 32-bit layout of vcpu_runstate_info. */
struct compat_runstate {
	int32_t state;
	uint64_t rest[5];
} __attribute__((packed));

static int64_t op_get_runstate(struct hc_call *c, struct vcpu *v)
{
	struct vcpu_runstate_info r;
	struct compat_runstate narrow;

	vcpu_runstate_get(v, &r);
	if (!c->compat) {
		return hc_put(c, c->arg[2], &r);
	}
	narrow.state = r.state;
	narrow.rest[0] = r.state_entry_time;
	memcpy(&narrow.rest[1], r.time, sizeof(r.time));
	return hc_put(c, c->arg[2], &narrow);
}

/* Read a structure that is one handle. */
static int get_handle(struct hc_call *c, uint64_t *handle)
{
	*handle = 0;
	return hc_get_bytes(c, c->arg[2], handle, c->compat ? 4 : 8);
}

static int64_t op_register_runstate(struct hc_call *c, struct vcpu *v)
{
	struct vcpu_runstate_info r;
	uint64_t addr;

	if (get_handle(c, &addr) != 0) {
		return -EFAULT;
	}
	/* The first state is there when the call returns; that also tells whether the address is good. */
	vcpu_runstate_get(v, &r);
	if (v == c->v && addr != 0 && !c->compat && hc_put(c, addr, &r) != 0) {
		return -EFAULT;
	}
	v->runstate_compat = c->compat;
	WRITE_ONCE(v->runstate_addr, addr);
	vcpu_areas_changed(v, VCPU_AREA_RUNSTATE);
	return 0;
}

static int64_t op_register_time(struct hc_call *c, struct vcpu *v)
{
	struct vcpu_time_info probe;
	uint64_t addr;

	if (get_handle(c, &addr) != 0) {
		return -EFAULT;
	}
	if (v == c->v && addr != 0 && hc_get(c, addr, &probe) != 0) {
		return -EFAULT;
	}
	WRITE_ONCE(v->time_addr, addr);
	if (v == c->v && addr != 0) {
		shared_info_time_copy(v);
	} else {
		vcpu_areas_changed(v, VCPU_AREA_TIME);
	}
	return 0;
}

static int64_t op_register_info(struct hc_call *c, struct vcpu *v)
{
	struct vcpu_register_vcpu_info r;

	if (hc_get(c, c->arg[2], &r) != 0) {
		return -EFAULT;
	}
	/* Not under the feet of a running vCPU. */
	if (v != c->v && READ_ONCE(v->online)) {
		return -EINVAL;
	}
	return shared_info_register_vcpu(v, GFN(r.mfn), r.offset);
}

static int64_t op_set_periodic(struct hc_call *c, struct vcpu *v)
{
	struct vcpu_set_periodic_timer t;

	if (hc_get(c, c->arg[2], &t) != 0) {
		return -EFAULT;
	}
	if (t.period_ns < PERIOD_MIN_NS || t.period_ns > INT64_MAX) {
		return -EINVAL;
	}
	vcpu_set_periodic(v, t.period_ns);
	return 0;
}

static int64_t op_stop_periodic(struct hc_call *c, struct vcpu *v)
{
	vcpu_set_periodic(v, 0);
	return 0;
}

static int64_t op_set_singleshot(struct hc_call *c, struct vcpu *v)
{
	struct vcpu_set_singleshot_timer t;

	if (v != c->v) {
		return -EINVAL;
	}
	if (hc_get_bytes(c, c->arg[2], &t, offsetof(struct vcpu_set_singleshot_timer, flags) + sizeof(t.flags)) != 0) {
		return -EFAULT;
	}
	/* A time in the past fires at once; 0 would mean "off" to the timer. */
	vcpu_set_singleshot(v, t.timeout_abs_ns != 0 ? t.timeout_abs_ns : 1);
	return 0;
}

static int64_t op_stop_singleshot(struct hc_call *c, struct vcpu *v)
{
	if (v != c->v) {
		return -EINVAL;
	}
	vcpu_set_singleshot(v, 0);
	return 0;
}

static int64_t op_send_nmi(struct hc_call *c, struct vcpu *v)
{
	return hvm_inject_nmi(v);
}

/* vCPUs are started by INIT and SIPI: initialise, up and down are not offered. */
static int64_t (*const ops[])(struct hc_call *c, struct vcpu *v) = {
	[VCPUOP_is_up] = op_is_up,
	[VCPUOP_get_runstate_info] = op_get_runstate,
	[VCPUOP_register_runstate_memory_area] = op_register_runstate,
	[VCPUOP_set_periodic_timer] = op_set_periodic,
	[VCPUOP_stop_periodic_timer] = op_stop_periodic,
	[VCPUOP_set_singleshot_timer] = op_set_singleshot,
	[VCPUOP_stop_singleshot_timer] = op_stop_singleshot,
	[VCPUOP_register_vcpu_info] = op_register_info,
	[VCPUOP_send_nmi] = op_send_nmi,
	[VCPUOP_register_vcpu_time_memory_area] = op_register_time,
};

int64_t hc_vcpu(struct hc_call *c)
{
	uint32_t cmd = (uint32_t)c->arg[0];
	struct vcpu *v = domain_vcpu(c->d, (uint32_t)c->arg[1]);
	uint64_t cmd_in_table;

	if (v == NULL) {
		return -ENOENT;
	}
	cmd_in_table = nospec_index(cmd, ARRAY_SIZE(ops));
	if (cmd >= ARRAY_SIZE(ops) || ops[cmd_in_table] == NULL) {
		return -ENOSYS;
	}
	return ops[cmd_in_table](c, v);
}
