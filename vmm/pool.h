/* SPDX-License-Identifier: MIT */
/* pool.h: numbered pieces of work on a few threads, taken in order. */
#ifndef VMM_POOL_H
#define VMM_POOL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t *threads;
	unsigned jobs;
	size_t next, count;
	bool *done;
	void (*work)(size_t index, void *context);
	void *context;
};

/* Starts; signals stay with the calling thread. */
void pool_start(struct pool *p, unsigned jobs, size_t count, void (*work)(size_t index, void *context), void *context);
/* True once piece `index` is done; false if that takes longer than `seconds`. */
bool pool_wait(struct pool *p, size_t index, double seconds);
/* Waits for everything. */
void pool_finish(struct pool *p);

#endif
