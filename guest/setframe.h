/* SPDX-License-Identifier: MIT */
/* setframe.h: frames that are given from user memory or from outside. */
#ifndef GUEST_SETFRAME_H
#define GUEST_SETFRAME_H

#include "guest/abi.h"

/* SIGRETURN: what a thread may ask for itself. */
uint64_t sys_sigreturn(struct abi_frame *frame);
/* What only somebody else may do to it, while it is stopped. */
uint64_t sys_set_rip(struct abi_frame *frame);
uint64_t sys_set_frame(struct abi_frame *frame);

#endif
