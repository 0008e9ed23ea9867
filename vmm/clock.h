/* SPDX-License-Identifier: MIT */
/* clock.h: elapsed time. */
#ifndef VMM_CLOCK_H
#define VMM_CLOCK_H

#include <stdbool.h>
#include <time.h>

/* Seconds since some fixed point. */
static inline double clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

/* Is a deadline over? 0: there is none. */
static inline bool clock_past(double deadline)
{
	return deadline > 0 && clock_now() > deadline;
}

#endif
