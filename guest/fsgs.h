/* SPDX-License-Identifier: MIT */
/* fsgs.h: FS and GS of user threads: selectors, bases and the TLS descriptor, saved and loaded at a switch. */
#ifndef GUEST_FSGS_H
#define GUEST_FSGS_H

#include <stdbool.h>
#include <stdint.h>

struct thread;

enum fsgs_way {
	FSGS_BY_MSR,                    /* without FSGSBASE: a base that no system call has set cannot be */
	FSGS_BY_INSTRUCTION,            /* with it: bases are read live */
	FSGS_IN_THREAD,                 /* scheme pure: U is in the thread whenever the kernel runs, and GS is loaded on the way out */
	FSGS_AS_2019,                   /* the same as it was proposed in 2019: each access to the inactive base with IF saved and restored,
	                                 * FS by MSR */
	FSGS_WAYS
};

void fsgs_init(enum fsgs_way way);

/* From the CPU to the thread that has run, and to the CPU for the one that will. IF = 0. */
void fsgs_save(struct thread *prev);
void fsgs_load(const struct thread *prev, struct thread *next);

/* The same for a thread that goes on on this CPU, which runs none. */
void fsgs_take(struct thread *next);

/* The last of a running thread's way to user code if it has gs_due: its selector into GS, and into gs_base what U is on this CPU, which the exit
 * will write. IF = 0, and nothing may switch behind it. The context is still the kernel: the load may fault. */
void fsgs_exit(struct thread *own);

/* The GDT gets the thread's TLS descriptor. Before the next thread's selectors are loaded, after the previous one's bases are saved. */
void fsgs_load_tls(const struct thread *next);

/* The GDT's word for a TLS descriptor. */
uint64_t fsgs_tls_word(uint32_t base);

/* Loads the running thread's FS with a selector that may not be loadable: 0 or -ABI_EINVAL and null. Its base is kept. */
int fsgs_load_fs(uint32_t selector);

/* A thread's base while it does not run, as it will have it when it does. */
uint64_t fsgs_peek_gs(const struct thread *stopped);
uint64_t fsgs_peek_fs(const struct thread *stopped);

#endif
