/* SPDX-License-Identifier: MIT */
/* watchdog.h: no KVM_RUN lasts longer than the limit: one thread watches every vCPU and kicks the late one. */
#ifndef VMM_WATCHDOG_H
#define VMM_WATCHDOG_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>

struct kvm_run;

/* Makes KVM_RUN return. Threads that run vCPUs must not block it. */
#define WATCHDOG_SIGNAL SIGUSR1

/* One vCPU's share: the vCPU thread makes `sequence` odd while inside KVM_RUN. */
struct watch {
	atomic_uint sequence;
	atomic_uint expired;            /* the sequence of the entry that took too long */
	pthread_t thread;
	struct kvm_run *run;
	unsigned seen;                  /* watchdog thread only */
	double since;
	struct watch *next;
};

/* Starts the thread; limit in seconds for a single KVM_RUN. */
void watchdog_start(double limit);
void watchdog_stop(void);

/* Registers and removes a vCPU; called by the thread that runs it. */
void watchdog_add(struct watch *w, struct kvm_run *run);
void watchdog_remove(struct watch *w);

/* Returns this entry's sequence. */
static inline unsigned watch_enter(struct watch *w)
{
	return atomic_fetch_add_explicit(&w->sequence, 1, memory_order_release) + 1;
}

static inline void watch_leave(struct watch *w)
{
	atomic_fetch_add_explicit(&w->sequence, 1, memory_order_release);
}

#endif
