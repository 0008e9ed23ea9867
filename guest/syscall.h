/* SPDX-License-Identifier: MIT */
/* syscall.h: setting up SYSCALL, and its C half. */
#ifndef GUEST_SYSCALL_H
#define GUEST_SYSCALL_H

#include <stdbool.h>

#include "guest/abi.h"
#include "guest/desc.h"

void syscall_init(enum scheme scheme);

/* True if SYSRET may take the frame back to user code, false if it must be IRET. */
bool do_syscall_64(struct abi_frame *frame);

#endif
