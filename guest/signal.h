/* SPDX-License-Identifier: MIT */
/* signal.h: signals to the running thread. */
#ifndef GUEST_SIGNAL_H
#define GUEST_SIGNAL_H

#include "guest/abi.h"

/* One is pending: changes the frame so that user code goes on in its handler, and stores what the frame was on the user's stack. */
void signal_deliver(struct abi_frame *frame);

uint64_t sys_handler(struct abi_frame *frame);
uint64_t sys_restore(struct abi_frame *frame);

#endif
