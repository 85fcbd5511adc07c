/* Dispatch, multicall, and the small hypercalls, for 64-bit and 32-bit callers. */
#include <stdint.h>
#include <string.h>
#include <xen/features.h>
#include <xen/memory.h>
#include <xen/physdev.h>
#include <xen/platform.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include "dom/shared_info.h"
#include "fake/fake_hv.h"
#include "fake/suite.h"
#include "ioreq/private_abi.h"
#include "lib/tscratio.h"

static struct domain *g;

static void setup(void)
{
	fake_hv_reset(2);
	g = fake_guest(2, 64);
}

START_TEST(dispatch)
{
	uint64_t arg[6] = { 0 };

	ck_assert_int_eq(fake_call(1, 0, 0, 0), -ENOSYS);
	ck_assert_int_eq(fake_call(__HYPERVISOR_mmuext_op, 0, 0, 0), -ENOSYS);
	ck_assert_int_eq(fake_call(~0ull, 0, 0, 0), -ENOSYS);
	ck_assert_int_eq(fake_call(__HYPERVISOR_xen_version, XENVER_version, 0, 0), 0x40011);
	/* The high half of a 32-bit caller's registers is not its own, nor of the result. */
	fake_wide = false;
	arg[0] = 0xdead00000000ull | XENVER_version;
	ck_assert_uint_eq(fake_hypercall(0xffff00000000ull | __HYPERVISOR_xen_version, arg), 0x40011);
	ck_assert_uint_eq(fake_hypercall(1, arg), 0xffffffffu & (uint32_t)-ENOSYS);
	fake_wide = true;
	fake_run_on(g->vcpu[0]);
	ck_assert_int_eq(fake_call(__HYPERVISOR_domctl, 0, 0, 0), -EPERM);
	ck_assert_int_eq(fake_call(__HYPERVISOR_sysctl, 0, 0, 0), -EPERM);
	ck_assert_int_eq(fake_call(__HYPERVISOR_platform_op, 0, 0, 0), -EPERM);
	fake_hv_check_leaks();
}
END_TEST

START_TEST(multicall)
{
	struct multicall_entry e[2] = {
		{ .op = __HYPERVISOR_xen_version, .args = { XENVER_pagesize } },
		{ .op = 2, .args = { 0 } },
	};
	struct { uint32_t op, result, args[6]; } n = { .op = __HYPERVISOR_xen_version, .args = { XENVER_pagesize } };
	uint64_t p = FAKE_PUT(e);

	ck_assert_int_eq(fake_call(__HYPERVISOR_multicall, p, 2, 0), 0);
	FAKE_GET(p, e);
	ck_assert_uint_eq(e[0].result, 4096);
	ck_assert_uint_eq(e[1].result, (xen_ulong_t)-ENOSYS);
	ck_assert_int_eq(fake_call(__HYPERVISOR_multicall, FAKE_BAD_PTR, 1, 0), -EFAULT);
	e[0] = (struct multicall_entry){ .op = __HYPERVISOR_multicall, .args = { p, 1 } };
	p = FAKE_PUT(e);
	ck_assert_int_eq(fake_call(__HYPERVISOR_multicall, p, 1, 0), 0);
	FAKE_GET(p, e);
	ck_assert_uint_eq(e[0].result, (xen_ulong_t)-EINVAL);
	fake_wide = false;
	p = FAKE_PUT(n);
	ck_assert_int_eq(fake_call(__HYPERVISOR_multicall, p, 1, 0), 0);
	FAKE_GET(p, n);
	ck_assert_uint_eq(n.result, 4096);
	fake_hv_check_leaks();
}
END_TEST

START_TEST(version)
{
	struct xen_feature_info f = { 0 };
	char text[1024];
	uint64_t p = FAKE_PUT(f);

	ck_assert_int_eq(fake_call(__HYPERVISOR_xen_version, XENVER_get_features, p, 0), 0);
	FAKE_GET(p, f);
	ck_assert_uint_eq(f.submap, 0x12b05);
	fake_run_on(g->vcpu[0]);
	ck_assert_int_eq(fake_call(__HYPERVISOR_xen_version, XENVER_get_features, p, 0), 0);
	FAKE_GET(p, f);
	ck_assert_uint_eq(f.submap, 0x12305);
	f.submap_idx = 1;
	ck_assert_int_eq(fake_call(__HYPERVISOR_xen_version, XENVER_get_features, FAKE_PUT(f), 0), -EINVAL);
	p = fake_put(NULL, sizeof(text));
	ck_assert_int_eq(fake_call(__HYPERVISOR_xen_version, XENVER_capabilities, p, 0), 0);
	FAKE_GET(p, text);
	ck_assert_ptr_nonnull(strstr(text, "hvm-3.0-x86_32 "));
	ck_assert_int_eq(fake_call(__HYPERVISOR_xen_version, XENVER_commandline, p, 0), 0);
	FAKE_GET(p, text);
	ck_assert_str_eq(text, "");
	ck_assert_int_eq(fake_call(__HYPERVISOR_xen_version, XENVER_extraversion, FAKE_BAD_PTR, 0), -EFAULT);
	ck_assert_int_eq(fake_call(__HYPERVISOR_xen_version, XENVER_build_id, 0, 0), -ENODATA);
	ck_assert_int_eq(fake_call(__HYPERVISOR_xen_version, 50, 0, 0), -ENOSYS);
	fake_hv_check_leaks();
}
END_TEST

START_TEST(console)
{
	char text[200] = "from the guest\n\033[2Jtrick", in[8];
	uint64_t p = FAKE_PUT(text);

	ck_assert_int_eq(fake_call(__HYPERVISOR_console_io, CONSOLEIO_write, 3, FAKE_PUT("d0\n")), 0);
	ck_assert_ptr_nonnull(strstr(fake_log, "d0\n"));
	p = fake_put(NULL, 8);
	ck_assert_int_eq(fake_call(__HYPERVISOR_console_io, CONSOLEIO_read, 8, p), 5);
	FAKE_GET(p, in);
	ck_assert_mem_eq(in, "root\n", 5);
	ck_assert_int_eq(fake_call(__HYPERVISOR_console_io, CONSOLEIO_read, 0x80000000u, p), -E2BIG);
	ck_assert_int_eq(fake_call(__HYPERVISOR_console_io, 2, 1, p), -ENOSYS);
	fake_run_on(g->vcpu[0]);
	p = FAKE_PUT(text);
	ck_assert_int_eq(fake_call(__HYPERVISOR_console_io, CONSOLEIO_write, sizeof(text), p), 0);
	ck_assert_ptr_nonnull(strstr(fake_log, "d1: from the guest"));
	ck_assert_ptr_nonnull(strstr(fake_log, "?[2Jtrick"));
	ck_assert_int_eq(fake_call(__HYPERVISOR_console_io, CONSOLEIO_read, 8, p), -EPERM);
	/* A guest cannot fill the log. */
	for (unsigned int i = 0; i < 1000; i++) {
		ck_assert_int_eq(fake_call(__HYPERVISOR_console_io, CONSOLEIO_write, 5, p), 0);
	}
	ck_assert_uint_lt(strlen(fake_log), 8000);
	fake_hv_check_leaks();
}
END_TEST

static int64_t param(uint32_t cmd, domid_t dom, uint32_t index, uint64_t *value)
{
	struct xen_hvm_param h = { .domid = dom, .index = index, .value = *value };
	uint64_t p = FAKE_PUT(h);
	int64_t rc = fake_call(__HYPERVISOR_hvm_op, cmd, p, 0);

	FAKE_GET(p, h);
	*value = h.value;
	return rc;
}

START_TEST(params)
{
	struct xen_hvm_evtchn_upcall_vector u = { .vcpu = 1, .vector = 0xf3 };
	uint64_t v = 99;

	/* Dom0 asks where its xenstore is: nowhere, and that is no error. */
	ck_assert_int_eq(param(HVMOP_get_param, DOMID_SELF, HVM_PARAM_STORE_EVTCHN, &v), 0);
	ck_assert_uint_eq(v, 0);
	v = 0xfeffe;
	ck_assert_int_eq(param(HVMOP_set_param, g->id, HVM_PARAM_STORE_PFN, &v), 0);
	ck_assert_int_eq(param(HVMOP_set_param, g->id, PRIVATE_HVM_PARAMS, &v), -EINVAL);
	ck_assert_int_eq(param(HVMOP_set_param, g->id, PRIVATE_HVM_PARAM_TOPOLOGY, &v), 0);
	ck_assert_int_eq(param(HVMOP_set_param, g->id, HVM_PARAM_PAE_ENABLED, &v), -EINVAL);
	ck_assert_int_eq(param(HVMOP_set_param, 88, HVM_PARAM_STORE_PFN, &v), -ESRCH);
	ck_assert_int_eq(param(HVMOP_set_param, g->id, HVM_PARAM_VIRIDIAN, &v), 0);
	v++;
	ck_assert_int_eq(param(HVMOP_set_param, g->id, HVM_PARAM_VIRIDIAN, &v), -EEXIST);
	fake_run_on(g->vcpu[0]);
	ck_assert_int_eq(param(HVMOP_get_param, DOMID_SELF, HVM_PARAM_STORE_PFN, &v), 0);
	ck_assert_uint_eq(v, 0xfeffe);
	ck_assert_int_eq(param(HVMOP_set_param, DOMID_SELF, HVM_PARAM_STORE_PFN, &v), -EPERM);
	ck_assert_int_eq(param(HVMOP_set_param, DOMID_SELF, PRIVATE_HVM_PARAM_TOPOLOGY, &v), -EPERM);
	ck_assert_int_eq(param(HVMOP_get_param, DOMID_SELF, HVM_PARAM_TIMER_MODE, &v), -EPERM);
	ck_assert_int_eq(param(HVMOP_get_param, 0, HVM_PARAM_STORE_PFN, &v), -EPERM);
	/* The layout follows the mode of the caller that sets the callback. */
	fake_wide = false;
	ck_assert_int_eq(param(HVMOP_set_param, DOMID_SELF, HVM_PARAM_CALLBACK_IRQ, &v), 0);
	ck_assert(!shared_info_wide(g));
	fake_wide = true;
	ck_assert_int_eq(param(HVMOP_set_param, DOMID_SELF, HVM_PARAM_CALLBACK_IRQ, &v), 0);
	ck_assert(shared_info_wide(g));
	ck_assert_int_eq(fake_call(__HYPERVISOR_hvm_op, HVMOP_set_evtchn_upcall_vector, FAKE_PUT(u), 0), 0);
	u.vector = 15;
	ck_assert_int_eq(fake_call(__HYPERVISOR_hvm_op, HVMOP_set_evtchn_upcall_vector, FAKE_PUT(u), 0), -EINVAL);
	u = (struct xen_hvm_evtchn_upcall_vector){ .vcpu = 2, .vector = 0xf3 };
	ck_assert_int_eq(fake_call(__HYPERVISOR_hvm_op, HVMOP_set_evtchn_upcall_vector, FAKE_PUT(u), 0), -ENOENT);
	ck_assert_int_eq(fake_call(__HYPERVISOR_hvm_op, HVMOP_pagetable_dying, 0, 0), -ENOSYS);
	ck_assert_int_eq(fake_call(__HYPERVISOR_hvm_op, HVMOP_altp2m, 0, 0), -EOPNOTSUPP);
	fake_hv_check_leaks();
}
END_TEST

START_TEST(runstate)
{
	struct vcpu *v = g->vcpu[0];
	struct vcpu_runstate_info r, *area = NULL;
	uint64_t p, a;

	fake_run_on(v);
	v->runstate.state = RUNSTATE_running;
	v->runstate.state_entry_time = fake_now;
	p = fake_put(area, sizeof(r));
	ck_assert_int_eq(fake_call(__HYPERVISOR_vm_assist, VMASST_CMD_enable, 5, 0), 0);
	ck_assert_int_eq(fake_call(__HYPERVISOR_vm_assist, VMASST_CMD_enable, 4, 0), -EINVAL);
	ck_assert_int_eq(fake_call(__HYPERVISOR_vm_assist, 7, 5, 0), -ENOSYS);
	ck_assert_int_eq(fake_call(__HYPERVISOR_vcpu_op, VCPUOP_register_runstate_memory_area, 0, FAKE_PUT(p)), 0);
	fake_now += 100;
	vcpu_runstate_change(v, RUNSTATE_blocked);
	fake_now += 50;
	vcpu_runstate_change(v, RUNSTATE_running);
	ck_assert_uint_ne(v->areas_dirty & VCPU_AREA_RUNSTATE, 0);
	vcpu_flush_areas(v);
	ck_assert_uint_eq(v->areas_dirty, 0);
	FAKE_GET(p, r);
	ck_assert_int_eq(r.state, RUNSTATE_running);
	ck_assert_uint_eq(r.time[RUNSTATE_running], 100);
	ck_assert_uint_eq(r.time[RUNSTATE_blocked], 50);
	ck_assert_uint_eq(r.state_entry_time, fake_now);
	a = FAKE_BAD_PTR;
	ck_assert_int_eq(fake_call(__HYPERVISOR_vcpu_op, VCPUOP_register_runstate_memory_area, 0, FAKE_PUT(a)), -EFAULT);
	fake_now += 5;
	p = FAKE_PUT(r);
	ck_assert_int_eq(fake_call(__HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, 0, p), 0);
	FAKE_GET(p, r);
	ck_assert_uint_eq(r.time[RUNSTATE_running], 105);
	/* An area that is not mapped any more does no harm. */
	v->runstate_addr = FAKE_BAD_PTR;
	vcpu_runstate_change(v, RUNSTATE_blocked);
	vcpu_flush_areas(v);
	ck_assert_int_eq(fake_call(__HYPERVISOR_vcpu_op, VCPUOP_up, 1, 0), -ENOSYS);
	ck_assert_int_eq(fake_call(__HYPERVISOR_vcpu_op, VCPUOP_is_up, 0, 0), 1);
	ck_assert_int_eq(fake_call(__HYPERVISOR_vcpu_op, VCPUOP_is_up, 9, 0), -ENOENT);
	fake_hv_check_leaks();
}
END_TEST

START_TEST(time_area)
{
	struct vcpu_time_info t = { 0 };
	uint64_t p = FAKE_PUT(t);

	ck_assert_int_eq(fake_call(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_time_memory_area, 0, FAKE_PUT(p)), 0);
	FAKE_GET(p, t);
	ck_assert_uint_eq(t.version & 1, 0);
	ck_assert_uint_ne(t.version, 0);
	ck_assert_uint_eq(t.tsc_to_system_mul, 0x80000000u);
	/* The pair is a point of the machine's own line: TSC 2 GHz. */
	ck_assert_uint_eq(t.tsc_timestamp, t.system_time * 2);
	ck_assert_uint_eq(t.flags, 1);
	/* At half the rate: half the counts, each twice as long. */
	dom0->tsc_khz = 1000000;
	dom0->vcpu[0]->arch.tsc_ratio = tscratio_make(2000000, 1000000);
	shared_info_time_update(dom0->vcpu[0]);
	const struct vcpu_time_info *half = &((struct vcpu_info *)dom0->vcpu[0]->info)->time;
	ck_assert_uint_eq(half->tsc_timestamp, half->system_time);
	ck_assert(half->tsc_to_system_mul == 0x80000000u && half->tsc_shift == 1);
	dom0->tsc_khz = 0;
	dom0->vcpu[0]->arch.tsc_ratio = 0;
	dom0->vcpu[1]->arch.tsc_offset = 5;
	shared_info_time_update(dom0->vcpu[1]);
	ck_assert_uint_eq(((struct vcpu_info *)dom0->vcpu[1]->info)->time.flags, 0);
	fake_hv_check_leaks();
}
END_TEST

START_TEST(platform_and_physdev)
{
	struct xen_platform_op op = { .cmd = XENPF_settime64, .interface_version = XENPF_INTERFACE_VERSION };
	struct physdev_pci_device d = { .bus = 1 };

	ck_assert_int_eq(fake_call(__HYPERVISOR_platform_op, FAKE_PUT(op), 0, 0), 0);
	op.u.settime64.mbz = 1;
	ck_assert_int_eq(fake_call(__HYPERVISOR_platform_op, FAKE_PUT(op), 0, 0), -EINVAL);
	op.interface_version = 1;
	ck_assert_int_eq(fake_call(__HYPERVISOR_platform_op, FAKE_PUT(op), 0, 0), -EACCES);
	op = (struct xen_platform_op){ .cmd = 64, .interface_version = XENPF_INTERFACE_VERSION };
	ck_assert_int_eq(fake_call(__HYPERVISOR_platform_op, FAKE_PUT(op), 0, 0), -ENOSYS);
	ck_assert_int_eq(fake_call(__HYPERVISOR_physdev_op, PHYSDEVOP_pci_device_add, FAKE_PUT(d), 0), 0);
	ck_assert_int_eq(fake_call(__HYPERVISOR_physdev_op, PHYSDEVOP_setup_gsi, FAKE_PUT(d), 0), -ENOSYS);
	fake_run_on(g->vcpu[0]);
	ck_assert_int_eq(fake_call(__HYPERVISOR_physdev_op, PHYSDEVOP_pci_device_add, FAKE_PUT(d), 0), -ENOSYS);
	fake_hv_check_leaks();
}
END_TEST

START_TEST(sched)
{
	struct sched_shutdown s = { .reason = SHUTDOWN_reboot };
	struct sched_remote_shutdown r = { .domain_id = g->id, .reason = SHUTDOWN_poweroff };
	struct sched_watchdog w = { .timeout = 2 };

	fake_run_on(g->vcpu[0]);
	ck_assert_int_eq(fake_call(__HYPERVISOR_sched_op, SCHEDOP_watchdog, FAKE_PUT(w), 0), 1);
	ck_assert_int_eq(fake_call(__HYPERVISOR_sched_op, SCHEDOP_watchdog, FAKE_PUT(w), 0), 2);
	ck_assert_int_eq(fake_call(__HYPERVISOR_sched_op, SCHEDOP_watchdog, FAKE_PUT(w), 0), -ENOSPC);
	w.id = 3;
	ck_assert_int_eq(fake_call(__HYPERVISOR_sched_op, SCHEDOP_watchdog, FAKE_PUT(w), 0), -EINVAL);
	w = (struct sched_watchdog){ .id = 1, .timeout = 0 };
	ck_assert_int_eq(fake_call(__HYPERVISOR_sched_op, SCHEDOP_watchdog, FAKE_PUT(w), 0), 0);
	ck_assert_int_eq(fake_call(__HYPERVISOR_sched_op, SCHEDOP_remote_shutdown, FAKE_PUT(r), 0), -EPERM);
	fake_advance(1999999999);
	ck_assert(!g->shutdown);
	fake_advance(1);
	ck_assert(g->shutdown);
	ck_assert_uint_eq(g->shutdown_code, SHUTDOWN_watchdog);
	/* The first reason stays. */
	ck_assert_int_eq(fake_call(__HYPERVISOR_sched_op, SCHEDOP_shutdown, FAKE_PUT(s), 0), 0);
	ck_assert_uint_eq(g->shutdown_code, SHUTDOWN_watchdog);
	ck_assert_uint_eq(g->vcpu[0]->unit.pause_count, 1);
	fake_run_on(dom0->vcpu[0]);
	ck_assert_int_eq(fake_call(__HYPERVISOR_sched_op, SCHEDOP_remote_shutdown, FAKE_PUT(r), 0), 0);
	r.domain_id = 99;
	ck_assert_int_eq(fake_call(__HYPERVISOR_sched_op, SCHEDOP_remote_shutdown, FAKE_PUT(r), 0), -ESRCH);
	ck_assert_int_eq(fake_call(__HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0), 0);
	ck_assert_int_eq(fake_call(__HYPERVISOR_sched_op, SCHEDOP_shutdown_code, 0, 0), -ENOSYS);
	ck_assert_int_eq(fake_call(__HYPERVISOR_sched_op, SCHEDOP_shutdown, FAKE_PUT(s), 0), 0);
	ck_assert_uint_eq(fake_counts.dom0_stopped, SHUTDOWN_reboot + 1);
	fake_hv_check_leaks();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { dispatch, multicall, version, console, params, runstate, time_area,
		platform_and_physdev, sched, NULL };

	return suite_run("hypercall", setup, tests);
}
