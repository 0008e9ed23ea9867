/* SPDX-License-Identifier: MIT */
/* thread.c: the user threads. */
#include "guest/stacks.h"
#include "guest/thread.h"

struct thread threads[ABI_CPUS];

/* Thread n begins on CPU n. */
void thread_init(void)
{
	for (unsigned n = 0; n < ABI_CPUS; n++) {
		threads[n].number = n;
		threads[n].cpu = n;
		threads[n].stack_top = stacks_top(n, IST_NONE);
		percpu_areas[n].current = &threads[n];
	}
}
