/*
 * ostler: the command line of the hypervisor. The command table, and the split of a line into
 * commands. See cmd.h.
 */
#include <stdio.h>
#include <string.h>
#include <signal.h>

#include "toolstack/cmd.h"

static const struct cmd_opt main_create_opts[] = {
	{'p', true, "paused", NULL, false, CMD_ARG_NONE, "build the guest, but leave it paused"},
	{'c', true, "console", NULL, false, CMD_ARG_NONE, "attach to its serial console"},
	{'n', true, "dry-run", NULL, false, CMD_ARG_NONE, "check the document and stop"},
	{'q', true, "quiet", NULL, false, CMD_ARG_NONE, "no progress, no warnings, no message"},
	{'u', false, "uuid", "UUID", false, CMD_ARG_TEXT,
	 "use this UUID if the document has none"},
	{'D', false, "no-dm", NULL, false, CMD_ARG_NONE,
	 "no device model: for guests that need none"},
	{'t', false, "timeout", "SECONDS", false, CMD_ARG_TEXT,
	 "how long the device model may take (60)"},
	{0},
};

static const struct cmd_opt main_list_opts[] = {
	{'n', false, "name", NULL, false, CMD_ARG_NONE, "names only"},
	{'i', false, "id", NULL, false, CMD_ARG_NONE, "ids only"},
	{'U', false, "uuid", NULL, false, CMD_ARG_NONE, "UUIDs only"},
	{'x', false, "xl", NULL, false, CMD_ARG_NONE, "the columns of 'xl list'"},
	{'a', false, "all", NULL, false, CMD_ARG_NONE, "accepted: every domain is always listed"},
	{0},
};

static const struct cmd_opt main_wait_opts[] = {
	{'w', true, "wait", NULL, false, CMD_ARG_NONE, "return when the guest has ended"},
	{'t', false, "timeout", "SECONDS", false, CMD_ARG_TEXT,
	 "wait at most so long (60), then exit with 5"},
	{'m', false, "mode", "acpi|xenstore", false, CMD_ARG_TEXT,
	 "ask in this way only (default: PV drivers if there are any, else the button)"},
	{'F', true, "fallback", NULL, false, CMD_ARG_NONE,
	 "accepted: the button is always the fallback"},
	{0},
};

static const struct cmd_opt main_dmesg_opts[] = {
	{'c', true, "clear", NULL, false, CMD_ARG_NONE, "empty the ring afterwards"},
	{0},
};

static const struct cmd_opt main_domstate_opts[] = {
	{'r', false, "reason", NULL, false, CMD_ARG_NONE, "also why"},
	{0},
};

static const struct cmd_opt main_destroy_opts[] = {
	{'g', false, "graceful", NULL, false, CMD_ARG_NONE,
	 "accepted: the device model is always asked first"},
	{0},
};

static const struct cmd_opt main_media_opts[] = {
	{'e', false, "eject", NULL, false, CMD_ARG_NONE, "take the medium out"},
	{'f', false, "force", NULL, false, CMD_ARG_NONE, "even if the guest has locked the drive"},
	{'o', false, "format", "FORMAT", false, CMD_ARG_TEXT, "of the image (raw)"},
	{'r', false, "read-only", NULL, false, CMD_ARG_NONE, "a floppy that cannot be written"},
	{0},
};

static const struct cmd_opt main_keys_opts[] = {
	{'x', false, "text", "TEXT", false, CMD_ARG_TEXT, "type this on a US keyboard"},
	{0},
};

static const struct cmd_opt main_sched_opts[] = {
	{'w', true, "weight", "N", false, CMD_ARG_TEXT, "its share beside others, 1 to 65535 (256)"},
	{'c', true, "cap", "PERCENT", false, CMD_ARG_TEXT,
	 "at most so much of one CPU, all its vCPUs together; 0: no cap"},
	{'v', false, "vcpu", "N", false, CMD_ARG_TEXT, "the weight of this vCPU only"},
	{0},
};

static const struct cmd_opt main_top_opts[] = {
	{'d', true, "delay", "SECONDS", false, CMD_ARG_TEXT, "between two pictures (1)"},
	{'n', true, "count", "N", false, CMD_ARG_TEXT,
	 "so many pictures (on a terminal no end, else 1)"},
	{0},
};

static const struct cmd_opt main_trace_opts[] = {
	{'s', true, "summary", NULL, false, CMD_ARG_NONE, "how many exits of each kind, and what they cost"},
	{'v', false, "vcpu", "N", false, CMD_ARG_TEXT, "only this vCPU of the domain"},
	{'n', true, "last", "N", false, CMD_ARG_TEXT, "only the newest N records"},
	{'t', false, "seconds", "N", false, CMD_ARG_TEXT, "what happens in the next N seconds"},
	{0},
};

static const struct cmd_opt main_mem_opts[] = {
	{'w', true, "wait", NULL, false, CMD_ARG_NONE, "return when the guest has done it"},
	{'t', false, "timeout", "SECONDS", false, CMD_ARG_TEXT,
	 "wait at most so long (60), then exit with 5"},
	{0},
};

static const struct cmd_opt main_monitor_opts[] = {
	{'H', false, "hmp", NULL, false, CMD_ARG_NONE, "accepted: it is always the human monitor"},
	{0},
};

#define DOM CMD_ARG_DOMAIN

const struct cmd cmd_table[] = {
	{"create", NULL, "FILE", "build a guest from its XML document and start it",
	 "The document is libvirt's domain XML, see ostler.xml(5); '-' reads standard input.\n"
	 "If anything fails, everything done so far is undone.",
	 CMD_ARG_FILE, 1, 1, false, main_create_opts, cmd_create},
	{"validate", "xml-validate", "FILE...", "check XML documents; needs no hypervisor",
	 "Every complaint names file, line, column, element and what would be accepted.\n"
	 "Exit code 4 when a document has errors.",
	 CMD_ARG_FILE, 1, CMD_MAX_ARGS, true, NULL, cmd_validate},
	{"list", "ls", "", "list the domains", NULL, CMD_ARG_NONE, 0, 0, true, main_list_opts,
	 cmd_list},
	{"info", "dominfo", "[DOMAIN]", "facts about a domain, or about the host", NULL, DOM, 0, 1,
	 true, NULL, cmd_info},
	{"nodeinfo", NULL, "", "facts about the host", NULL, CMD_ARG_NONE, 0, 0, true, NULL,
	 cmd_nodeinfo},
	{"domid", NULL, "DOMAIN", "the id of a domain", NULL, DOM, 1, 1, true, NULL, cmd_domid},
	{"domname", NULL, "DOMAIN", "the name of a domain", NULL, DOM, 1, 1, true, NULL,
	 cmd_domname},
	{"domuuid", NULL, "DOMAIN", "the UUID of a domain", NULL, DOM, 1, 1, true, NULL,
	 cmd_domuuid},
	{"domstate", NULL, "DOMAIN", "the state of a domain", NULL, DOM, 1, 1, true,
	 main_domstate_opts, cmd_domstate},
	{"dumpxml", NULL, "DOMAIN", "the document a domain was created from", NULL, DOM, 1, 1,
	 false, NULL, cmd_dumpxml},
	{"domblklist", "block-list", "DOMAIN", "the disks of a domain", NULL, DOM, 1, 1, true, NULL,
	 cmd_domblklist},
	{"domiflist", "network-list", "DOMAIN", "the network cards of a domain", NULL, DOM, 1, 1,
	 true, NULL, cmd_domiflist},
	{"console", NULL, "DOMAIN", "attach to a guest's serial console; ^] leaves", NULL, DOM, 1,
	 1, false, NULL, cmd_console},
	{"ttyconsole", NULL, "DOMAIN", "the terminal device of a guest's serial console", NULL, DOM,
	 1, 1, true, NULL, cmd_ttyconsole},
	{"shutdown", NULL, "DOMAIN", "ask a guest to power off",
	 "The request is the ACPI power button, or xenstore's control/shutdown when the guest has\n"
	 "paravirtual drivers that announced it.",
	 DOM, 1, 1, false, main_wait_opts, cmd_shutdown},
	{"reboot", NULL, "DOMAIN", "ask a guest to reboot",
	 "Through paravirtual drivers; a guest without them is reset only by 'ostler reset'.", DOM,
	 1, 1, false, main_wait_opts, cmd_reboot},
	{"reset", NULL, "DOMAIN", "reset a guest at once, like the button on a PC",
	 "The domain ends with the reason 'reboot'; on_reboot of its document decides what follows.",
	 DOM, 1, 1, false, NULL, cmd_reset},
	{"destroy", "kill", "DOMAIN", "end a domain at once", NULL, DOM, 1, 1, false,
	 main_destroy_opts, cmd_destroy},
	{"pause", "suspend", "DOMAIN", "stop a guest's processors", NULL, DOM, 1, 1, false, NULL,
	 cmd_pause},
	{"unpause", "resume", "DOMAIN", "let a paused guest go on", NULL, DOM, 1, 1, false, NULL,
	 cmd_unpause},
	{"trigger", "button-press inject-nmi", "DOMAIN nmi|reset|init|power|sleep [VCPU]",
	 "press one of a guest's buttons", NULL, DOM, 1, 3, false, NULL, cmd_trigger},
	{"vcpu-set", "setvcpus", "DOMAIN COUNT", "bring more of a guest's vCPUs on line",
	 "COUNT is at most what <vcpu> of the document says. The guest sees the processors appear through ACPI; Linux\n"
	 "wants 'echo 1 > /sys/devices/system/cpu/cpuN/online' where no rule of udev does it.",
	 DOM, 2, 2, false, NULL, cmd_vcpu_set},
	{"screenshot", NULL, "DOMAIN [FILE]", "picture of a guest's screen as PNG", NULL, DOM, 1, 2,
	 false, NULL, cmd_screenshot},
	{"vncdisplay", "domdisplay", "DOMAIN", "where a guest's VNC server listens", NULL, DOM, 1, 1,
	 true, NULL, cmd_vncdisplay},
	{"change-media", "cd-insert", "DOMAIN TARGET [FILE]",
	 "put an image into a guest's CD-ROM or floppy drive",
	 "TARGET is the drive's name in the document, like hdc. Without FILE the drive is emptied.", DOM,
	 2, 3, false, main_media_opts, cmd_change_media},
	{"eject", "cd-eject", "DOMAIN TARGET", "empty a guest's CD-ROM or floppy drive", NULL, DOM, 2,
	 2, false, main_media_opts, cmd_eject},
	{"send-key", NULL, "DOMAIN [KEY...]", "press keys on a guest's keyboard",
	 "Each KEY is a key or several held together: ret, f12, ctrl-alt-delete.", DOM, 1,
	 CMD_MAX_ARGS, false, main_keys_opts, cmd_send_key},
	{"monitor", "qemu-monitor-command", "DOMAIN COMMAND...",
	 "run a command in the monitor of a guest's QEMU", NULL, DOM, 2, CMD_MAX_ARGS, false,
	 main_monitor_opts, cmd_monitor},
	{"vcpu-list", "vcpuinfo", "[DOMAIN...]", "what vCPUs do, where they run and may run", NULL, DOM,
	 0, CMD_MAX_ARGS, true, NULL, cmd_vcpu_list},
	{"vcpu-pin", "vcpupin", "DOMAIN VCPU|all CPUS [SOFT-CPUS]", "say where vCPUs may run",
	 "CPUS is a list like 0-3,^2,8 or all: the vCPU runs on no other CPU. It prefers SOFT-CPUS while\n"
	 "they have room. '-' leaves one of the two as it is. Dom0's vCPUs stay on their CPUs.",
	 DOM, 3, 4, false, NULL, cmd_vcpu_pin},
	{"sched", "sched-credit2 schedinfo", "[DOMAIN...]", "show or change weights and caps",
	 "Domains that want more CPU time than there is have it in proportion to their weights; a cap holds\n"
	 "even when CPUs are idle. With --weight, --cap: change those of one domain.",
	 DOM, 0, CMD_MAX_ARGS, true, main_sched_opts, cmd_sched},
	{"top", NULL, "", "CPU time, exits, device-model requests and memory of all domains",
	 "Rates are per second, over the delay between two looks; a domain's exits of the most frequent\n"
	 "kinds stand at the end of its line. --json has every kind, and the time that exits took.",
	 CMD_ARG_NONE, 0, 0, true, main_top_opts, cmd_top},
	{"trace", NULL, "[DOMAIN]", "the hypervisor's latest records, or what exits cost",
	 "An exit's cost is the time from leaving the guest to entering it again: the answer, and waiting for\n"
	 "the device model, for an interrupt or for the CPU.",
	 DOM, 0, 1, true, main_trace_opts, cmd_trace},
	{"mem-set", "setmem", "DOMAIN SIZE", "make a guest give memory back, or let it take it again",
	 "SIZE is like 512MiB, 1GiB, or a number of KiB; at most the document's <memory>. Needs a guest with a\n"
	 "balloon driver, as every Linux has; others keep what they have.",
	 DOM, 2, 2, false, main_mem_opts, cmd_mem_set},
	{"dmesg", NULL, "", "the hypervisor's messages", NULL, CMD_ARG_NONE, 0, 0, true,
	 main_dmesg_opts, cmd_dmesg},
	{"debug-keys", NULL, "KEYS", "run the hypervisor's debug keys", NULL, CMD_ARG_TEXT, 1, 1,
	 false, NULL, cmd_debug_keys},
	{"help", NULL, "[COMMAND]", "help about all commands or one", NULL, CMD_ARG_COMMAND, 0, 1,
	 false, NULL, cmd_help_run},
	{"version", NULL, "", "versions of ostler and of the hypervisor", NULL, CMD_ARG_NONE, 0, 0,
	 true, NULL, cmd_version},
	/* For the shell's completion, not for people: no summary. */
	{"complete", NULL, "-- WORD...", NULL, NULL, CMD_ARG_TEXT, 0, CMD_MAX_ARGS, false, NULL,
	 cmd_complete_run},
};

const size_t cmd_table_size = sizeof(cmd_table) / sizeof(cmd_table[0]);

int cmd_help_run(struct cmd_line *line)
{
	const struct cmd *cmd;

	if (line->nr_args == 0) {
		cmd_help_all();
		return CMD_OK;
	}
	cmd = cmd_find(line->args[0]);
	if (cmd == NULL || cmd->summary == NULL) {
		return cmd_error(CMD_USAGE, "unknown command: '%s'", line->args[0]);
	}
	cmd_help(cmd);
	return CMD_OK;
}

/* Several commands in one call stand between words ";"; the first failure ends the call. */
static int main_commands(int nr, char **words)
{
	bool literal = strcmp(words[0], "complete") == 0;
	int rc = CMD_OK;
	int first = 0;

	for (int i = 0; i <= nr && rc == CMD_OK; i++) {
		if (i < nr && (literal || strcmp(words[i], ";") != 0)) {
			continue;
		}
		if (i > first) {
			rc = cmd_run(i - first, words + first);
		}
		first = i + 1;
	}
	return rc;
}

int main(int argc, char **argv)
{
	/* A reader that went away is an error of ours to report, not a reason to die half-way. */
	signal(SIGPIPE, SIG_IGN);
	if (argc < 2) {
		cmd_help_all();
		return CMD_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		cmd_help_all();
		return CMD_OK;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		argv[1] = "version";
	}
	return main_commands(argc - 1, argv + 1);
}
