/* SPDX-License-Identifier: MIT */
/* thread.h: what the kernel keeps of a user thread. Offsets for assembly, the struct for C. */
#ifndef GUEST_THREAD_H
#define GUEST_THREAD_H

#include "guest/percpu.h"

#define THREAD_GS_BASE   0x00
#define THREAD_KERNEL_SP 0x10
#define THREAD_SAVED     0x28           /* so many bytes are the thread's state while it does not run */
#define THREAD_WORK      ABI_THREAD_WORK
#define THREAD_STACK_TOP 0x30

#ifndef __ASSEMBLER__
#include <stdbool.h>

#include "guest/cmdline.h"

struct thread_percpu {
	uint64_t base, stride;
};

struct thread {
	uint64_t gs_base;               /* these hold while it does not run; of the running one the live values win. Under scheme pure: */
	uint64_t fs_base;               /* gs_base is U whenever the kernel runs */
	uint64_t kernel_sp;             /* in switch_to */
	uint16_t fs, gs;                /* selectors */
	uint16_t gs_cpu;                /* gs_base is what U is on this CPU */
	bool gs_due;                    /* gs and gs_base are not in the CPU yet: fsgs_exit. Under scheme pure only */
	uint64_t tls;                   /* the GDT's word for ABI_TLS while it runs; 0: not present */
	volatile uint64_t work;         /* WORK_*: any but 0 keeps it from user code. Other CPUs set them, too: by locked instructions */
	uint64_t stack_top;             /* of its kernel stack, thread_stack[number]; while it is in the kernel, its user frame ends there */
	uint64_t number;
	uint64_t cpu;                   /* that it runs on, or has run on last */
	bool runnable;
	bool gs_is_percpu;              /* U is gs_percpu.base + CPU number * gs_percpu.stride: prctl.h */
	struct thread_percpu gs_percpu;
	uint64_t steps;                 /* single steps that it has made and not been told of */
	uint64_t step_signals;          /* each of them sends a signal */
	uint64_t step_moves;            /* ... takes it to the other CPU */
	uint64_t handler, notified;     /* signal.c; notifications counted */
};
extern struct thread threads[ABI_THREADS];

/* The running thread's, by GS. */
static inline struct thread *thread_current(void)
{
	return percpu_this()->current;
}

/* Each CPU runs the first one of its own, and, if the command line asks for it, the second one when it is its turn. Behind stacks_init(). */
void thread_init(const struct cmdline *args, bool fsgsbase);

/* A thread that is not this one and is there, on the same CPU, or NULL. */
struct thread *thread_other(const struct thread *thread);

/* Makes the second thread of a CPU, which begins with this frame and FS, GS and TLS of `like`; NULL if it is there already. */
struct thread *thread_make(unsigned cpu, const struct abi_frame *first, const struct thread *like);

/* Another thread runs if there is one; comes back when it is this one's turn again. IF = 0. */
void thread_reschedule(void);
#endif
#endif
