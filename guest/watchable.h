/* SPDX-License-Identifier: MIT */
/* watchable.h: what of the kernel's memory a data watchpoint may lie on. */
#ifndef GUEST_WATCHABLE_H
#define GUEST_WATCHABLE_H

#include <stdbool.h>

#include "guest/abi.h"

/* False if entry code, or the CPU on the way into it, touches one of these bytes. */
bool watchable(uint64_t address, uint64_t size);

/* What is behind one ABI_FORBIDDEN_...: its n-th range. False if it has no n-th. */
bool watchable_forbidden(unsigned kind, unsigned n, uint64_t *start, uint64_t *size);

#endif
