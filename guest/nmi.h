/* SPDX-License-Identifier: MIT */
/* nmi.h: what others must know of NMIs inside NMIs. */
#ifndef GUEST_NMI_H
#define GUEST_NMI_H

#include <stdbool.h>

#include "guest/abi.h"

/* Set while the body of an NMI is to fault; set until the body of one has sent itself another. */
extern volatile uint64_t nmi_faults, nmi_raises;

/* For the handler of #MC or #DB that has interrupted kernel code (own: its stack's number): must it return without an IRET, so
 * that NMIs stay masked if they are? Then RFLAGS and RIP are below the interrupted code's RSP, where paranoid_return wants
 * them: dead stack, because no code is interrupted there that keeps anything below its RSP. */
bool nmi_keep_masked(struct abi_frame *frame, unsigned own);

#endif
