/* SPDX-License-Identifier: MIT */
/* pool.c: numbered pieces of work on a few threads, taken in order. */
#include "vmm/pool.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "vmm/die.h"
#include "vmm/watchdog.h"

static size_t take(struct pool *p)
{
	size_t index;

	pthread_mutex_lock(&p->lock);
	index = p->next < p->count ? p->next++ : p->count;
	pthread_mutex_unlock(&p->lock);
	return index;
}

static void *worker(void *context)
{
	struct pool *p = context;

	for (size_t index; (index = take(p)) < p->count;) {
		p->work(index, p->context);
		pthread_mutex_lock(&p->lock);
		p->done[index] = true;
		pthread_cond_broadcast(&p->changed);
		pthread_mutex_unlock(&p->lock);
	}
	return NULL;
}

void pool_start(struct pool *p, unsigned jobs, size_t count, void (*work)(size_t index, void *context), void *context)
{
	sigset_t all, old;

	*p = (struct pool){ .jobs = jobs, .count = count, .work = work, .context = context };
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->changed, NULL);
	p->threads = xcalloc(jobs, sizeof(*p->threads));
	p->done = xcalloc(count, sizeof(*p->done));
	sigfillset(&all);
	sigdelset(&all, WATCHDOG_SIGNAL);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	for (unsigned n = 0; n < jobs; n++)
		if (pthread_create(&p->threads[n], NULL, worker, p))
			die(EXIT_HOST, "cannot start a thread");
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

bool pool_wait(struct pool *p, size_t index, double seconds)
{
	struct timespec until;
	int error = 0;
	bool done;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += seconds * 1e9;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&p->lock);
	while (!p->done[index] && !error)
		error = pthread_cond_timedwait(&p->changed, &p->lock, &until);
	done = p->done[index];
	pthread_mutex_unlock(&p->lock);
	return done;
}

void pool_finish(struct pool *p)
{
	for (unsigned n = 0; n < p->jobs; n++)
		pthread_join(p->threads[n], NULL);
	free(p->threads);
	free(p->done);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->changed);
}
