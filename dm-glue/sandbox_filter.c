/* Seccomp filter. Contract: sandbox_filter.h. */
#include "dm-glue/sandbox_filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DATA(field) ((uint32_t)offsetof(struct seccomp_data, field))
#define X32_BIT	    0x40000000u

/* Refused with EPERM. Grouped by what they would be used for. */
static const int denied[] = {
	/* other programs, other processes */
	SYS_fork, SYS_vfork, SYS_execveat, SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev,
	SYS_kcmp, SYS_pidfd_getfd, SYS_process_madvise,
	/* another view of the system */
	SYS_unshare, SYS_setns, SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_open_tree,
	SYS_move_mount, SYS_fsopen, SYS_fsconfig, SYS_fsmount, SYS_fspick, SYS_mount_setattr,
	SYS_mknod, SYS_mknodat, SYS_open_by_handle_at, SYS_name_to_handle_at, SYS_quotactl,
	/* another identity */
	SYS_setuid, SYS_setgid, SYS_setreuid, SYS_setregid, SYS_setresuid, SYS_setresgid,
	SYS_setfsuid, SYS_setfsgid, SYS_setgroups, SYS_capset, SYS_setpgid, SYS_setsid,
	/* more than its share */
	SYS_setpriority, SYS_sched_setparam, SYS_sched_setscheduler, SYS_sched_setattr,
	SYS_sched_setaffinity, SYS_ioprio_set, SYS_mbind, SYS_set_mempolicy, SYS_migrate_pages,
	SYS_move_pages, SYS_mlockall,
	/* the machine */
	SYS_reboot, SYS_kexec_load, SYS_kexec_file_load, SYS_init_module, SYS_finit_module,
	SYS_delete_module, SYS_iopl, SYS_ioperm, SYS_swapon, SYS_swapoff, SYS_acct,
	SYS_settimeofday, SYS_clock_settime, SYS_adjtimex, SYS_clock_adjtime, SYS_sethostname,
	SYS_setdomainname, SYS_syslog, SYS_vhangup, SYS_modify_ldt,
	/* large or young parts of the kernel that a device model does not need */
	SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_add_key, SYS_request_key, SYS_keyctl,
	SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register, SYS_fanotify_init,
	SYS_landlock_create_ruleset, SYS_personality, SYS_lookup_dcookie, SYS_uselib, SYS_ustat,
	SYS_sysfs, SYS_vmsplice, SYS_nfsservctl,
};

#define DENIED (sizeof(denied) / sizeof(denied[0]))
/* The fixed instructions around the list; a conditional jump reaches 255 further at most. */
_Static_assert(2 * DENIED + 24 <= SANDBOX_FILTER_MAX, "filter fits");

/* Namespaces by the back door, or a second process: clone() flags. */
#define CLONE_NEW_ANY                                                                         \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |        \
	 CLONE_NEWPID | CLONE_NEWNET)

struct builder {
	struct sock_filter *prog;
	size_t nr;
};

static void emit(struct builder *b, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	b->prog[b->nr++] = (struct sock_filter){ .code = code, .jt = jt, .jf = jf, .k = k };
}

static void load(struct builder *b, uint32_t offset)
{
	emit(b, BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
}

static void verdict(struct builder *b, uint32_t what)
{
	emit(b, BPF_RET | BPF_K, what, 0, 0);
}

#define ERRNO(e) (SECCOMP_RET_ERRNO | (e))

/* The number is in the accumulator here and must be there afterwards. */
static void rule_clone(struct builder *b)
{
	/* clone3() hides its flags in memory: glibc falls back to clone() on ENOSYS. */
	emit(b, BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1);
	verdict(b, ERRNO(ENOSYS));
	emit(b, BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 5);
	load(b, DATA(args[0]));
	emit(b, BPF_JMP | BPF_JSET | BPF_K, CLONE_NEW_ANY, 0, 1);
	verdict(b, ERRNO(EPERM));
	emit(b, BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1);
	verdict(b, SECCOMP_RET_ALLOW);
	/* Not a thread, or not clone() at all: decide by number again. */
	load(b, DATA(nr));
	emit(b, BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 1);
	verdict(b, ERRNO(EPERM));
}

static void rule_execve(struct builder *b, const char *exec_path)
{
	uint64_t address = (uintptr_t)exec_path;

	emit(b, BPF_JMP | BPF_JEQ | BPF_K, SYS_execve, 0, 6);
	load(b, DATA(args[0]));
	emit(b, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)address, 0, 3);
	load(b, DATA(args[0]) + 4);
	emit(b, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(address >> 32), 0, 1);
	verdict(b, SECCOMP_RET_ALLOW);
	verdict(b, ERRNO(EPERM));
}

size_t sandbox_filter_build(struct sock_filter prog[SANDBOX_FILTER_MAX], const char *exec_path)
{
	struct builder b = { .prog = prog };

	load(&b, DATA(arch));
	emit(&b, BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
	verdict(&b, SECCOMP_RET_KILL_PROCESS);
	load(&b, DATA(nr));
	emit(&b, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
	verdict(&b, SECCOMP_RET_KILL_PROCESS);
	rule_clone(&b);
	rule_execve(&b, exec_path);
	for (size_t i = 0; i < DENIED; i++) {
		emit(&b, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)denied[i], 0, 1);
		verdict(&b, ERRNO(EPERM));
	}
	verdict(&b, SECCOMP_RET_ALLOW);
	return b.nr;
}

int sandbox_filter_install(const char *exec_path)
{
	struct sock_filter prog[SANDBOX_FILTER_MAX];
	struct sock_fprog fprog = {
		.len = (unsigned short)sandbox_filter_build(prog, exec_path), .filter = prog,
	};

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &fprog) < 0 ? -errno : 0;
}
