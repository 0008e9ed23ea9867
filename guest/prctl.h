/* SPDX-License-Identifier: MIT */
/* prctl.h: SYS_PRCTL, and a GS base that is another one on each CPU. */
#ifndef GUEST_PRCTL_H
#define GUEST_PRCTL_H

#include "guest/thread.h"

/* By ABI_PRCTL_*. */
uint64_t sys_prctl(struct abi_frame *frame);

/* GS was set in another way: from now on U is the same on every CPU. */
void prctl_cancel_percpu(void);

/* U of a thread that is about to run on this CPU; saved: what it was when the thread ran last, on CPU `was`. A thread that has
 * set another base by WRGSBASE keeps that, and no stride any more. */
uint64_t prctl_next_gs(struct thread *t, uint64_t saved, uint64_t was, uint64_t cpu);

#endif
