/* SPDX-License-Identifier: MIT */
/* watchdog.c: no KVM_RUN lasts longer than the limit: one thread watches every vCPU and kicks the late one. */
#include "vmm/watchdog.h"

#include <linux/kvm.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "vmm/clock.h"
#include "vmm/die.h"

#define TICK_NS 20000000                /* 20 ms: how late a kick may be */
#define LONGEST_TICK 0.1                /* s; where this thread slept longer, the host stood still, and so did the guests */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct watch *watches;
static pthread_t thread;
static atomic_bool stopping;
static double run_limit;

static void on_kick(int signal)
{
	(void)signal;                   /* only there to make KVM_RUN return EINTR */
}

static void look_at(struct watch *w, double time)
{
	unsigned sequence = atomic_load_explicit(&w->sequence, memory_order_acquire);

	if (sequence != w->seen || !(sequence & 1)) {
		w->seen = sequence;
		w->since = time;
	} else if (time - w->since > run_limit) {
		atomic_store(&w->expired, sequence);
		w->run->immediate_exit = 1;
		pthread_kill(w->thread, WATCHDOG_SIGNAL);
	}
}

static void *watch_all(void *unused)
{
	struct timespec tick = { .tv_nsec = TICK_NS };
	double time = 0, now, last = clock_now();

	(void)unused;
	while (!atomic_load(&stopping)) {
		nanosleep(&tick, NULL);
		now = clock_now();
		time += now - last < LONGEST_TICK ? now - last : LONGEST_TICK;
		last = now;
		pthread_mutex_lock(&lock);
		for (struct watch *w = watches; w; w = w->next)
			look_at(w, time);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

void watchdog_start(double limit)
{
	struct sigaction action = { .sa_handler = on_kick };
	sigset_t all, old;

	sigaction(WATCHDOG_SIGNAL, &action, NULL);
	run_limit = limit;
	sigfillset(&all);               /* the watchdog itself takes no signal */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (pthread_create(&thread, NULL, watch_all, NULL))
		die(EXIT_HOST, "cannot start the watchdog thread");
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void watchdog_stop(void)
{
	atomic_store(&stopping, true);
	pthread_join(thread, NULL);
	atomic_store(&stopping, false);
}

void watchdog_add(struct watch *w, struct kvm_run *run)
{
	memset(w, 0, sizeof(*w));
	w->thread = pthread_self();
	w->run = run;
	pthread_mutex_lock(&lock);
	w->next = watches;
	watches = w;
	pthread_mutex_unlock(&lock);
}

void watchdog_remove(struct watch *w)
{
	pthread_mutex_lock(&lock);
	for (struct watch **p = &watches; *p; p = &(*p)->next)
		if (*p == w) {
			*p = w->next;
			break;
		}
	pthread_mutex_unlock(&lock);
}
