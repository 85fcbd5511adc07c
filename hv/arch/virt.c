/* The choice of the vendor back end, made once. */
#include "arch/svm/svm.h"
#include "arch/virt.h"
#include "arch/xstate.h"
#include "core/log.h"
#include "lib/err.h"

const struct virt_ops *virt;

int virt_init(void)
{
	if (svm_caps_read() == 0) {
		int rc = svm_maps_init();
		if (rc != 0) {
			return rc;
		}
		virt = &svm_ops;
		return 0;
	}
	log_err("Ostler needs AMD SVM with nested paging: this processor does not offer it "
		"(Intel VT-x is not supported yet)\n");
	return -ENODEV;
}

int virt_cpu_up(void)
{
	xstate_init_cpu();
	return virt->cpu_up();
}
