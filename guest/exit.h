/* SPDX-License-Identifier: MIT */
/* exit.h: the last C code before user code runs again. */
#ifndef GUEST_EXIT_H
#define GUEST_EXIT_H

#include <stdbool.h>

#include "guest/abi.h"

/* IF = 0 before and after. Afterwards no work is left, and with IF = 0 none can come but an NMI's, by interrupt. In entry
 * text: it runs between the kernel proper and the return instruction. */
void exit_to_user_loop(struct abi_frame *frame);

/* May SYSRET take this frame back to user code? */
bool exit_by_sysret(const struct abi_frame *frame);

#endif
