#!/bin/sh
# SPDX-License-Identifier: MIT
# setup.sh: makes sure of the Debian packages that gsgate needs. Silent if all are there. It installs only as root and
# never calls sudo: otherwise it prints the line to run and exits 3. `setup.sh probe` installs nothing and tells
# in one line what a build would lack; `setup.sh check` adds what tests can do without, `setup.sh long` what only
# check-long needs.
set -u

# Package, and what of it is used: a header for the build, or a command.
build='
binutils       objdump
libc6-dev      <stdio.h>
linux-libc-dev <linux/kvm.h>
libzydis-dev   <Zydis/Zydis.h>
libelf-dev     <gelf.h>
libdw-dev      <elfutils/libdw.h>
libinih-dev    <ini.h>
libjansson-dev <jansson.h>'
test='
patch          patch
perl           prove'
# Without these something is switched off, or tests that need it are skipped.
optional='
qemu-system-x86            qemu-system-x86_64
gdb                        gdb
libvirt-dev                <libvirt/libvirt-qemu.h>
libvirt-daemon-driver-qemu virt-qemu-run
libvirt-daemon             libvirtd'
long='
clang           clang
libclang-rt-dev <fuzzer/FuzzedDataProvider.h>'

have() { command -v "$1" >/dev/null 2>&1; }

# Is the thing itself there, whoever installed it?
found() {
	case $1 in
	'<fuzzer'*) echo "#include $1" | clang -E -x c++ - >/dev/null 2>&1 ;;
	'<'*) echo "#include $1" | gcc -E -x c - >/dev/null 2>&1 ;;
	*) have "$1" ;;
	esac
}

installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | head -n 1)" = installed ]
}

# The packages of a list that are missing: by dpkg's word, or by their contents where there is no dpkg.
missing() {
	have gcc || printf 'gcc '
	echo "$1" | while read -r package thing; do
		[ -n "$package" ] || continue
		case $2 in
		dpkg) installed "$package" ;;
		*) found "$thing" ;;
		esac || printf '%s ' "$package"
	done
}

stop() {
	echo "$*" >&2
	exit 3
}

skip() {
	echo "tests will be skipped: $*" >&2
}

install() {
	apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=120 "$@" </dev/null
}

if [ "${1-}" = probe ]; then
	lack=$(missing "$build" contents)
	[ -z "$lack" ] || stop "missing Debian packages: ${lack% } (\`make setup\` as root installs them, \`make run\` too)"
	exit 0
fi

if have dpkg-query; then how=dpkg; else how=contents; fi
[ "${1-}" = long ] || long=
export DEBIAN_FRONTEND=noninteractive

# Installs what is missing of a list; "no" is said by $2 if that cannot be.
need() {
	lack=$(missing "$1" $how)
	[ -n "$lack" ] || return 0
	have apt-get || { $2 "needed, under the names Debian gives them: ${lack% } (there is no apt-get here to install them)"; return; }
	[ "$(id -u)" = 0 ] || { $2 "run as root: apt-get install -y --no-install-recommends ${lack% }"; return; }

	echo "installing: ${lack% }" >&2
	# An old or empty package list makes the first try fail. $lack is split into words on purpose.
	log=$(install $lack 2>&1) || log=$(apt-get update 2>&1 </dev/null && install $lack 2>&1) || {
		echo "$log" | tail -n 20 >&2
		$2 "could not install: ${lack% }"
	}
}

need "$build$test$long" stop
[ "${1-}" = check ] || exit 0
how=contents            # anybody's will do
need "$optional" skip
