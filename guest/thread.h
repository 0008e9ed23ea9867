/* SPDX-License-Identifier: MIT */
/* thread.h: what the kernel keeps of a user thread. Offsets for assembly, the struct for C. */
#ifndef GUEST_THREAD_H
#define GUEST_THREAD_H

#include "guest/percpu.h"

#define THREAD_GS_BASE 0x00

#ifndef __ASSEMBLER__
#include <stdbool.h>

struct thread_percpu {
	uint64_t base, stride;
};

struct thread {
	uint64_t gs_base;               /* as a switch would find it; while the thread runs, the live value wins. Under scheme pure:
					 * U, while the kernel runs */
	bool gs_is_percpu;              /* U is gs_percpu.base + CPU number * gs_percpu.stride: prctl.h */
	struct thread_percpu gs_percpu;
	uint64_t steps;                 /* single steps that it has made and not been told of */
};

extern struct thread threads[1];

/* The running thread's, by GS. */
static inline struct thread *thread_current(void)
{
	return percpu_this()->current;
}

void thread_init(void);
#endif
#endif
