#!/bin/sh
# SPDX-License-Identifier: MIT
# exec.sh: how prove starts each test: with the arguments that it wants, and not for ever.
limit="timeout -k 10 ${TEST_TIMEOUT:-2400}"

case $1 in
*/gsgate)       # the bench itself as a test: all scenarios, with events that come from outside; on the slower engine two of them
	[ -r /dev/kvm ] && [ -w /dev/kvm ] && part= || part='syscall exception'
	exec $limit "$1" run --kernel "${GUEST_ELF:-build/guest.elf}" $part --gs u-small --event nmi,irq,timer ;;
*/fuzz-*)
	exec $limit tap/fuzz.sh "$1" ;;
*/t-elf | */t-model | */t-qemu-state)
	exec $limit "$1" "${GUEST_ELF:-build/guest.elf}" ;;
*)
	exec $limit "$@" ;;
esac
