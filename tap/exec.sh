#!/bin/sh
# SPDX-License-Identifier: MIT
# exec.sh: how prove starts each test: with the argument that it wants, and not for ever.
limit="timeout -k 10 ${TEST_TIMEOUT:-1200}"

case $1 in
*/gsgate)       # the bench itself as a test: the whole run
	[ -r /dev/kvm ] && [ -w /dev/kvm ] || { echo '1..0 # SKIP /dev/kvm is not usable here'; exit 0; }
	exec $limit "$1" run --kernel "${GUEST_ELF:-build/guest.elf}" ;;
*/fuzz-*)
	exec $limit tap/fuzz.sh "$1" ;;
*/t-elf | */t-model | */t-qemu-state)
	exec $limit "$1" "${GUEST_ELF:-build/guest.elf}" ;;
*)
	exec $limit "$1" ;;
esac
