#!/bin/sh
# SPDX-License-Identifier: MIT
# without-kvm.sh: runs a command as on a machine without /dev/kvm: with a /dev of its own, which nobody else sees.
#
# `tap/without-kvm.sh make check` is how it is by hand. The command takes this process's place, so that signals reach it.
[ "$(id -u)" = 0 ] && own=-m || own=-rm

exec unshare $own sh -ec '
	dev=$(mktemp -d)
	mount -t tmpfs none "$dev"
	mkdir "$dev/pts" "$dev/shm"
	for name in null zero full random urandom tty; do
		touch "$dev/$name"
		mount --bind "/dev/$name" "$dev/$name"
	done
	mount --bind /dev/pts "$dev/pts"
	ln -s /proc/self/fd "$dev/fd"
	for n in 0 1 2; do ln -s "fd/$n" "$dev/$(echo stdin stdout stderr | cut -d" " -f$((n + 1)))"; done
	mount --move "$dev" /dev
	rmdir "$dev"
	exec "$@"' sh "$@"
