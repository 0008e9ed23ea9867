#!/bin/sh
# SPDX-License-Identifier: MIT
# libvirtd.sh: `libvirtd.sh DIR COMMAND...`: a libvirtd as root in namespaces of its own, and the command beside it. What the daemon
# writes goes to file systems that vanish with it; processes that it leaves behind are killed. No service of this machine is touched.
set -eu

if [ -z "${INSIDE-}" ]; then
	INSIDE=1 exec unshare --mount --pid --fork --mount-proc --kill-child --propagation private "$0" "$@"
fi
dir=$1
shift

# The user that libvirt runs QEMU as must exist.
for list in passwd group; do
	grep -v '^libvirt-qemu:' "/etc/$list" >"$dir/$list"
	echo 'libvirt-qemu:x:64055:64055:::/usr/sbin/nologin' >>"$dir/$list"
	mount --bind "$dir/$list" "/etc/$list"
done
# Without /dev/kvm: a daemon that sees one that its QEMU may not use asks QEMU again and again what it can do.
mkdir "$dir/dev"
cp -a /dev/null /dev/zero /dev/random /dev/urandom /dev/tty "$dir/dev"
mount --bind "$dir/dev" /dev
for own in /run /etc/libvirt /var/lib/libvirt /var/cache/libvirt /var/log/libvirt; do
	mkdir -p "$own"
	mount -t tmpfs none "$own"
done
printf '%s\n' 'stdio_handler = "file"' 'namespaces = []' >/etc/libvirt/qemu.conf

libvirtd --pid-file /run/libvirtd.pid >"$dir/log" 2>&1 &
for _ in $(seq 200); do
	[ ! -S /run/libvirt/libvirt-sock ] || break
	sleep 0.05
done
status=0
"$@" || status=$?
exit $status
