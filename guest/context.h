/* SPDX-License-Identifier: MIT */
/* context.h: context tracking: what this CPU is taken to do by code that must know whether the kernel runs on it. */
#ifndef GUEST_CONTEXT_H
#define GUEST_CONTEXT_H

#include <stdbool.h>

#include "guest/abi.h"

/* The state is user or kernel; besides, NMI-like handlers are counted, whatever they have interrupted: they leave the state alone,
 * because they may come between an entry and its first line of C, where it still says user. Each of these is called with IF = 0,
 * and panics where the state is not as it must be. */

/* An ordinary entry, first thing in C: from user code, user -> kernel. From the kernel it is kernel already, or an NMI-like handler
 * has been interrupted. */
void context_enter(const struct abi_frame *frame);

/* Last thing in C before user code: kernel -> user. In entry text. */
void context_leave(void);

/* An NMI-like handler, around its body. */
void context_nmi_enter(void);
void context_nmi_leave(void);

/* Behind context_nmi_leave() of a handler whose exit may do work: the state that this needs, if user code was interrupted. */
void context_nmi_left(const struct abi_frame *frame);

#endif
