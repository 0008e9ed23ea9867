/* SPDX-License-Identifier: MIT */
/* thread.c: the user threads. */
#include "guest/thread.h"

struct thread threads[1];

/* The first one runs on CPU 0. */
void thread_init(void)
{
	percpu_areas[0].current = &threads[0];
}
