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
	uint64_t number;                /* the CPU that it began on; its kernel stack is thread_stack[number] */
	uint64_t cpu;                   /* that it runs on, or has run on last */
	uint64_t stack_top;             /* of that stack; while the thread is in the kernel, its user frame ends there */
};

extern struct thread threads[ABI_CPUS];

/* The running thread's, by GS. */
static inline struct thread *thread_current(void)
{
	return percpu_this()->current;
}

void thread_init(void);
#endif
#endif
