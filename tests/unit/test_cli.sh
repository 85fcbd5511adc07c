#!/bin/sh
# The ostler program without a hypervisor: help, completion, exit codes, validate, and that the manual names everything.
# Run by make check in the build directory; srcdir is the top of the sources.
set -eu
ostler=./ostler
src=${srcdir:-.}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

fail() {
	echo "test_cli: $*" >&2
	exit 1
}

# code WANTED COMMAND...: run it, output to $tmp/out and $tmp/err, and compare the exit code.
code() {
	want=$1
	shift
	got=0
	"$@" >"$tmp/out" 2>"$tmp/err" || got=$?
	[ "$got" = "$want" ] || fail "$*: exit code $got, not $want: $(cat "$tmp/err")"
}

# said TEXT: the last command's messages have this line.
said() {
	grep -qxF -- "$1" "$tmp/err" || fail "no line '$1' in: $(cat "$tmp/err")"
}

# Every command is in the manual, has help, and is offered.
commands=$($ostler complete -- '')
[ "$(echo "$commands" | wc -l)" -gt 20 ] || fail "completion offers few commands"
for command in $commands; do
	code 0 $ostler "$command" --help
	grep -q '^Usage: ostler ' "$tmp/out" || fail "$command --help has no usage"
	code 0 $ostler help "$command"
	sed 's/\\-/-/g' "$src/toolstack/ostler.1" | grep -qE "(^|[^a-z-])$command([^a-z-]|\$)" ||
		fail "$command is not in ostler.1"
done

# An option that a command does not know is named, and nothing is done.
for command in $commands; do
	code 2 $ostler "$command" --frobnicate
	said "error: command '$command' doesn't support option --frobnicate"
done

code 0 $ostler --help
code 0 $ostler version
code 0 $ostler version --json
grep -q '"ostler": "' "$tmp/out" || fail "version --json"
code 2 $ostler
code 2 $ostler bogus
said "error: unknown command: 'bogus'"
code 2 $ostler list --bogus
said "error: command 'list' doesn't support option --bogus"
code 2 $ostler list -Z
said "error: command 'list' doesn't support option -Z"
code 2 $ostler destroy
code 2 $ostler list surplus
code 2 $ostler create --timeout
said "error: option --timeout needs a value: SECONDS"
for seconds in soon '' -1 12x 100000; do
	code 2 $ostler create --timeout "$seconds" /dev/null
	said "error: option --timeout: '$seconds' is not a number of seconds"
done
code 2 $ostler list --json=xml
code 2 $ostler list --all=5

# Completion: options, values, after a semicolon.
[ "$($ostler complete -- li)" = list ] || fail "completion of li"
[ "$($ostler complete -- list --j)" = "$(printf -- '--json\n--json=lines')" ] || fail "completion of --j"
[ "$($ostler complete -- list ';' dme)" = dmesg ] || fail "completion after a semicolon"
[ "$($ostler complete -- help scr)" = screenshot ] || fail "completion of help's argument"
[ -z "$($ostler complete -- nonsense x)" ] || fail "completion after nonsense"

# Documents.
code 0 $ostler validate "$src"/configs/*.xml
printf '<domain type="xen">\n  <name>x</name>\n  <memory unit="MB">64</memory>\n  <os><boot dev="usb"/></os>\n</domain>\n' >"$tmp/bad.xml"
code 4 $ostler validate "$tmp/bad.xml"
said "$tmp/bad.xml:4:18: error: domain/os/boot@dev: 'usb' is not supported; accepted: fd, hd, cdrom, network"
code 4 $ostler validate --json=lines "$tmp/bad.xml"
grep -q '"valid":false,"messages":\[{"severity":"error","line":4,"column":18,' "$tmp/out" || fail "validate --json"
code 4 $ostler create "$tmp/bad.xml"
code 4 $ostler create "$tmp/nothing.xml"
printf '<domain type="xen"><name>x</name><memory unit="MiB">64</memory></domain>' >"$tmp/good.xml"
code 0 $ostler create --dry-run "$tmp/good.xml"
code 0 $ostler create -n - <"$tmp/good.xml"
code 2 $ostler create -n --uuid 123 "$tmp/good.xml"
sed 's:</name>:</name><devices><disk type="file"><source file="/nonexistent/a.img"/><target dev="hda"/></disk></devices>:' \
	"$tmp/good.xml" >"$tmp/disk.xml"
code 4 $ostler create -n "$tmp/disk.xml"
said "$tmp/disk.xml:1:43: error: domain/devices/disk/source: '/nonexistent/a.img': No such file or directory"

# Without a hypervisor everything else says so.
if [ ! -e /dev/xen/privcmd ] && [ ! -e /proc/xen/privcmd ]; then
	for command in list 'info' 'destroy x' 'dmesg' 'console x' 'screenshot x' "create $tmp/good.xml"; do
		# shellcheck disable=SC2086 # words are meant
		code 1 $ostler $command
		said "error: no hypervisor is running under this system"
	done
fi
