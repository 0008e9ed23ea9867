/* SPDX-License-Identifier: MIT */
/* lock.h: a lock between CPUs.
 *
 * Who may take one: system calls, with IF = 1, and nobody else. A handler of NMI, #MC or #DB may have interrupted the CPU that holds
 * it, and so may an interrupt's, because IF is 1: both would wait for ever for the code that they keep from running. */
#ifndef GUEST_LOCK_H
#define GUEST_LOCK_H

#include "guest/cpu.h"

struct lock {
	uint64_t taken;
};

/* One round of waiting for another CPU. */
static inline void lock_spin(void)
{
	cpu_outb(ABI_PORT_SPIN, 0);
}

static inline void lock_take(struct lock *l)
{
	while (__atomic_exchange_n(&l->taken, 1, __ATOMIC_ACQUIRE))
		lock_spin();
}

static inline void lock_give(struct lock *l)
{
	__atomic_store_n(&l->taken, 0, __ATOMIC_RELEASE);
}

#endif
