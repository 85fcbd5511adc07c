/*
 * ostler-dm: the supervisor of one guest's device model.
 *
 * Started by ostler for each guest (the contract is in toolstack/lib/rundir.h); stays in the
 * foreground. Also tells how well a running QEMU is confined.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dm-glue/sandbox_check.h"
#include "dm-glue/supervise.h"
#include "toolstack/lib/rundir.h"

#define DOMID_LAST 0x7fef

static const char usage[] =
	"usage: ostler-dm --domid N --config FILE.xml [--run-dir DIR] [--log-dir DIR]\n"
	"                 [--status-fd FD] [--paused]\n"
	"       ostler-dm --check-sandbox PID\n"
	"\n"
	"The first form runs the device model of domain N until the guest ends. It is started by\n"
	"\"ostler create\". The second says which restrictions hold for a running QEMU; exit code 1\n"
	"when a required one does not.\n";

/* A number in a range; exits with a message otherwise. */
static unsigned long number(const char *option, const char *text, unsigned long max)
{
	char *end;

	errno = 0;
	unsigned long value = strtoul(text, &end, 10);
	if (errno != 0 || *text < '0' || *text > '9' || *end != '\0' || value > max) {
		fprintf(stderr, "ostler-dm: %s: '%s' is not a number from 0 to %lu\n", option, text,
			max);
		exit(2);
	}
	return value;
}

static int check(unsigned long pid)
{
	int missing = sandbox_check((pid_t)pid, stdout);

	if (missing < 0) {
		fprintf(stderr, "ostler-dm: process %lu: %s\n", pid, strerror(-missing));
		return 1;
	}
	return missing > 0;
}

/* Descriptors 0 to 2 must not become images or sockets. */
static void fill_standard_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd < 3);
	if (fd >= 3) {
		close(fd);
	}
}

int main(int argc, char **argv)
{
	enum { OPT_DOMID = 1, OPT_CONFIG, OPT_RUN, OPT_LOG, OPT_STATUS, OPT_PAUSED, OPT_CHECK, OPT_HELP };
	static const struct option options[] = {
		{ "domid", required_argument, NULL, OPT_DOMID },
		{ "config", required_argument, NULL, OPT_CONFIG },
		{ "run-dir", required_argument, NULL, OPT_RUN },
		{ "log-dir", required_argument, NULL, OPT_LOG },
		{ "status-fd", required_argument, NULL, OPT_STATUS },
		{ "paused", no_argument, NULL, OPT_PAUSED }, /* who unpauses is not our business */
		{ "check-sandbox", required_argument, NULL, OPT_CHECK },
		{ "help", no_argument, NULL, OPT_HELP },
		{ NULL, 0, NULL, 0 },
	};
	struct supervise_options opt = { .log_dir = SUPERVISE_LOG_DIR, .report_fd = -1 };
	char run_dir[128];
	int c;

	fill_standard_descriptors();
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case OPT_DOMID:
			opt.domid = (uint32_t)number("--domid", optarg, DOMID_LAST);
			break;
		case OPT_CONFIG:
			opt.document = optarg;
			break;
		case OPT_RUN:
			opt.run_dir = optarg;
			break;
		case OPT_LOG:
			opt.log_dir = optarg;
			break;
		case OPT_STATUS:
			opt.report_fd = (int)number("--status-fd", optarg, 1 << 20);
			break;
		case OPT_PAUSED:
			break;
		case OPT_CHECK:
			return check(number("--check-sandbox", optarg, 1ul << 30));
		case OPT_HELP:
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (opt.domid == 0 || opt.document == NULL || optind != argc) {
		if (optind != argc) {
			fprintf(stderr, "ostler-dm: unknown word '%s'\n", argv[optind]);
		}
		fputs(usage, stderr);
		return 2;
	}
	if (opt.run_dir == NULL) {
		rundir_path(opt.domid, NULL, run_dir, sizeof(run_dir));
		opt.run_dir = run_dir;
	}
	if (opt.report_fd < 0) {
		opt.report_fd = dup(STDOUT_FILENO);
	}
	fcntl(opt.report_fd, F_SETFD, FD_CLOEXEC);
	return supervise(&opt);
}
