/* SPDX-License-Identifier: MIT */
/* thread.h: what the kernel keeps of a user thread. Offsets for assembly, the struct for C. */
#ifndef GUEST_THREAD_H
#define GUEST_THREAD_H

#include "guest/percpu.h"

#define THREAD_GS_BASE 0x00

#ifndef __ASSEMBLER__
struct thread {
	uint64_t gs_base;               /* as a switch would find it; while the thread runs, the live value wins */
	uint64_t steps;                 /* single steps that it has made and not been told of */
	uint64_t step_signals;          /* each of them sends a signal */
	uint64_t handler, notified;     /* signal.c; notifications counted */
};

/* The running thread's, by GS. */
static inline struct thread *thread_current(void)
{
	return percpu_this()->current;
}

void thread_init(void);
#endif
#endif
