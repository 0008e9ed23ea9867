/* SPDX-License-Identifier: MIT */
/* exit.h: the last C code before user code runs again. */
#ifndef GUEST_EXIT_H
#define GUEST_EXIT_H

#include <stdbool.h>

#include "guest/abi.h"

/* The exit of every full frame but an NMI's: system call, exception, interrupt, and #MC and #DB from user code. IF = 0 before and
 * after. Afterwards no work is left, and with IF = 0 none can come but an NMI's, by interrupt; under scheme pure the user's selector is in GS;
 * the context is user. True if SYSRET may take the frame back to user code, false if it must be IRET: the one place where that is
 * decided. In entry text: it runs between the kernel proper and the return instruction. */
bool exit_to_user(struct abi_frame *frame);

#endif
