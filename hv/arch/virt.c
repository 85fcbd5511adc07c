/* The choice of the vendor back end, made once. */
#include "arch/svm/svm.h"
#include "arch/virt.h"
#include "arch/vmx/vmx.h"
#include "arch/xstate.h"
#include "core/log.h"
#include "lib/err.h"
#include "lib/util.h"

const struct virt_ops *virt;

/* read: -ENODEV: not there, nothing said; another error: there but not usable, and it has said why. */
static const struct {
	int (*read)(void);
	int (*maps)(void);
	const struct virt_ops *ops;
} backends[] = {
	{ svm_caps_read, svm_maps_init, &svm_ops },
	{ vmx_caps_read, vmx_maps_init, &vmx_ops },
};

int virt_init(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(backends); i++) {
		int rc = backends[i].read();
		if (rc == -ENODEV) {
			continue;
		}
		rc = rc != 0 ? rc : backends[i].maps();
		virt = rc == 0 ? backends[i].ops : NULL;
		return rc;
	}
	log_err("Ostler needs AMD SVM with nested paging, or Intel VMX with EPT and unrestricted guest: this "
		"processor offers neither\n");
	return -ENODEV;
}

int virt_cpu_up(void)
{
	xstate_init_cpu();
	return virt->cpu_up();
}
