# Helpers of the system tests; sourced from the top of the tree.
# shellcheck shell=sh
set -eu
export OSTLER_LAB_TIMES=1
dir=${OSTLER_TEST_DIR:-$(mktemp -d)}
# shellcheck disable=SC2034 # for the tests
build=${OSTLER_BUILD:-$PWD/build}
lab_calls=0
# svm or vmx: ./check runs a test once for each platform that its head names.
platform=${OSTLER_TEST_PLATFORM:-svm}

fatal() {
	printf 'test: %s\n' "$*" >&2
	exit 1
}

# lab OPTION...: the harness, with a log per call; its exit code is the result.
lab() {
	lab_calls=$((lab_calls + 1))
	lab_log=$dir/console-$lab_calls.log
	tests/lab --platform "$platform" --log "$lab_log" "$@"
}

# on_platform SVM VMX: prints what goes with the platform.
on_platform() {
	case $platform in
	vmx) echo "$2" ;;
	*) echo "$1" ;;
	esac
}

# expect_code CODE COMMAND...: run the command; anything but this exit code fails the test.
expect_code() {
	_want=$1
	shift
	_got=0
	"$@" || _got=$?
	[ "$_got" = "$_want" ] || fatal "exit code $_got instead of $_want: $*"
}

# expect_line PATTERN FILE: the file has a line that matches the extended regular expression.
expect_line() {
	grep -qE -e "$1" "$2" || fatal "no line \"$1\" in $2"
}

# in_dom0 FILE: standard input becomes a script for Dom0 that stops at the first failure.
in_dom0() {
	{
		echo '#!/bin/sh'
		echo 'set -eux'
		cat
	} >"$1"
	chmod +x "$1"
}

# guest_xml NAME NUMBER DISK: the demo's guest under another name, MAC address and disk.
guest_xml() {
	sed -e "s:<name>demo</name>:<name>$1</name>:" -e "/<uuid>/s:01</uuid>:$2</uuid>:" \
		-e "s:/dev/vda:$3:" -e "/<mac /s/01'/$2'/" configs/demo.xml >"$dir/$1.xml"
}

# bridged NAME: that guest's network card is on Dom0's bridge instead of having user-mode networking.
bridged() {
	sed -i -e "s:<interface type='user'>:<interface type='bridge'><source bridge='br0'/>:" "$dir/$1.xml"
}

# micro_xml NAME [IMAGE [COMMAND-LINE [DEVICES]]]: a guest that is only an image in place of the firmware (tests/guest;
# the one of its name), run without a device model.
micro_xml() {
	case $1 in
	sipi | ipi | x2ipi | tscsync | p2mflush) _vcpus=4 ;;
	manycpus) _vcpus=64 ;;
	*) _vcpus=1 ;;
	esac
	cat >"$dir/$1.xml" <<-EOF
		<domain type='xen'>
		  <name>$1</name>
		  <memory unit='MiB'>16</memory>
		  <vcpu>$_vcpus</vcpu>
		  <os>
		    <type arch='x86_64' machine='xenfv'>hvm</type>
		    <loader type='rom'>/root/${2:-$1}.elf</loader>
		    ${3:+<cmdline>$3</cmdline>}
		  </os>
		  <features><acpi/><apic/></features>
		  <on_poweroff>destroy</on_poweroff>
		  <on_crash>destroy</on_crash>
		  <devices>${4-}</devices>
		</domain>
	EOF
}

# smp_files: a kernel and the initramfs with the parallel load (tests/linux/smp-init), as vmlinuz and initrd-smp.
smp_files() {
	# shellcheck disable=SC2034 # common.sh finds the tree by it
	top=$PWD
	. tests/tools/common.sh
	mkdir -p "$dir/smp.tree/bin"
	cp /bin/busybox "$dir/smp.tree/bin/busybox"
	cp tests/linux/smp-init "$dir/smp.tree/init"
	${CC:-cc} -O2 -Wall -Wextra -Werror -static -pthread -o "$dir/smp.tree/smpload" tests/linux/smpload.c
	pack "$dir/smp.tree" "$dir/initrd-smp"
	cp "$(tests/tools/get-kernel)/vmlinuz" "$dir/vmlinuz"
}

# smp_xml NAME VCPU_ELEMENT CPU_ELEMENT WORDS: a guest of several vCPUs that runs it.
# no_timer_check: the kernel's boot-time test of its timer counts ticks, and a loaded emulator stands still for longer.
smp_xml() {
	cat >"$dir/$1.xml" <<-END
		<domain type='xen'>
		  <name>$1</name>
		  <memory unit='MiB'>192</memory>
		  $2
		  <os><type arch='x86_64' machine='xenfv'>hvm</type>
		    <kernel>/root/vmlinuz</kernel><initrd>/root/initrd-smp</initrd>
		    <cmdline>console=ttyS0 rdinit=/init loglevel=6 panic=1 no_timer_check random.trust_cpu=on $4</cmdline></os>
		  <features><acpi/><apic/><pae/></features>
		  $3
		  <on_poweroff>destroy</on_poweroff><on_reboot>destroy</on_reboot><on_crash>destroy</on_crash>
		  <devices><serial type='pty'><target port='0'/></serial></devices>
		</domain>
	END
}
