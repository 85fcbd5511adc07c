# Shared by the shell scripts of tests/tools, ./demo and ./check; sourced, never run.
# The caller sets $top (the source tree) first.
#
# Sets: $cache (built images, kernel; safe to delete), $build (the build directory).
# shellcheck shell=sh disable=SC2034
cache=${OSTLER_CACHE:-$top/cache}
build=${OSTLER_BUILD:-$top/build}

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# Progress, on stderr so that a script's standard output stays its result.
say() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

# need COMMAND...: fail with the way out when one is not there.
need() {
	for _command; do
		command -v "$_command" >/dev/null ||
			die "$_command is not there: run tests/tools/install-packages as root"
	done
}

# digest FILE...: one word that changes when a file's name, mode or content does. Directories are walked.
digest() {
	find "$@" \( -type f -o -type l \) -printf '%p %m %l\n' -type f -exec sha256sum {} + |
		LC_ALL=C sort | sha256sum | cut -c1-20
}

# pack DIRECTORY FILE: a reproducible newc archive, owned by root, for the kernel's initramfs.
pack() {
	(cd "$1" && find . -mindepth 1 -print0 | LC_ALL=C sort -z |
		cpio --null --quiet --create --format=newc --reproducible --owner=+0:+0) >"$2.part"
	mv "$2.part" "$2"
}
