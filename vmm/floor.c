/* SPDX-License-Identifier: MIT */
/* floor.c: how fast the engine is with a guest that does nothing: what the speed of a run is compared with. */
#include "vmm/floor.h"

#include <pthread.h>
#include <stdlib.h>

#include "vmm/case.h"
#include "vmm/clock.h"
#include "vmm/die.h"
#include "vmm/facts.h"
#include "vmm/tiny.h"

#define STEPS 20                        /* user instructions that every program has */

struct floor_job {
	pthread_t thread;
	const struct bench *bench;
	double seconds, rate;
};

/* The first instructions of a program, over and over. */
static double steps_per_second(const struct bench *b, double seconds)
{
	struct session *s = facts_session(b);
	double began = clock_now(), spent = 0;
	struct case_start start;
	unsigned long steps = 0;

	case_begin(s, &start);
	do {
		double from = clock_now();

		for (unsigned n = 0; n < STEPS; n++)
			run_one(&s->run);
		spent += clock_now() - from;
		steps += STEPS;
		case_put_back(s, &start, false, true);
	} while (clock_now() - began < seconds);
	facts_session_close(s);
	return spent > 0 ? steps / spent : 0;
}

static void *measure(void *context)
{
	struct floor_job *j = context;
	const struct host *h = &j->bench->host;

	j->rate = h->engine == &engine_kvm ? tiny_exits_per_second((struct host *)h, j->seconds) : steps_per_second(j->bench, j->seconds);
	return NULL;
}

double floor_exits_per_second(const struct bench *b, unsigned jobs, double seconds)
{
	struct floor_job *job = xcalloc(jobs, sizeof(*job));
	double sum = 0;

	for (unsigned n = 0; n < jobs; n++) {
		job[n].bench = b;
		job[n].seconds = seconds;
		if (pthread_create(&job[n].thread, NULL, measure, &job[n]))
			die(EXIT_HOST, "cannot start a thread");
	}
	for (unsigned n = 0; n < jobs; n++) {
		pthread_join(job[n].thread, NULL);
		sum += job[n].rate;
	}
	free(job);
	return sum;
}
