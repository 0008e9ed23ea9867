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

struct thread {
	uint64_t gs_base, fs_base;      /* these hold while it does not run; of the running one the live values win */
	uint64_t kernel_sp;             /* in switch_to */
	uint16_t fs, gs;                /* selectors */
	uint32_t unused;
	uint64_t tls;                   /* the GDT's word for ABI_TLS while it runs; 0: not present */
	volatile uint64_t work;         /* WORK_*: any but 0 keeps it from user code */
	uint64_t stack_top;             /* of its kernel stack */
	bool runnable;
};
extern struct thread threads[ABI_THREADS];

/* The running thread's, by GS. */
static inline struct thread *thread_current(void)
{
	return percpu_this()->current;
}

/* The first one runs on CPU 0; the second one, if the command line asks for it, runs when it is its turn. */
void thread_init(const struct cmdline *args, bool fsgsbase);

/* A thread that is not this one and is there, or NULL. */
struct thread *thread_other(const struct thread *thread);

/* Makes the second thread, which begins with this frame and FS, GS and TLS of `like`; NULL if it is there already. */
struct thread *thread_make(const struct abi_frame *first, const struct thread *like);

/* Another thread runs if there is one; comes back when it is this one's turn again. IF = 0. */
void thread_reschedule(void);
#endif
#endif
